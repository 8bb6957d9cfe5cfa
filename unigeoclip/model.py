"""UniGeoCLIP: one encoder per modality, one space. A dictionary of modalities in, a dictionary of unit vectors out."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unigeoclip.checkpoint import load_checkpoint, save_checkpoint
from unigeoclip.config import from_dict
from unigeoclip.errors import InputError
from unigeoclip.modalities import MODALITIES
from unigeoclip.modalities.convolution import PictureConfig
from unigeoclip.pretrained import pretrained_folder, write_card


@dataclass(frozen=True)
class ModelConfig:
    """The shared space and the shape of each modality's encoder."""

    dim: int = 256
    encoders: dict[str, dict[str, Any]] = field(default_factory=dict)  # modality -> arguments of its config
    temperature: float = 0.07  # where the learnable temperature starts
    temperature_per_pair: bool = False  # one for each pair of modalities; else one for all
    window_m: float | None = None  # side of the aerial and surface windows it was trained on; None where nobody says

    def only(self, modalities: Iterable[str]) -> ModelConfig:
        """The same with the encoders of some modalities, in the order of this one."""
        wanted = set(modalities)
        return replace(self, encoders={name: options for name, options in self.encoders.items() if name in wanted})


class UniGeoCLIP(nn.Module):
    """Encoders of any subset of the modalities into one space of unit vectors.

    The learnable logit scales belong to the loss and never touch the embeddings: they have norm 1.
    """

    def __init__(self, config: ModelConfig) -> None:
        """Build random encoders.

        Args:
            config: See :class:`ModelConfig`.

        Raises:
            InputError: A modality or an option is unknown.
        """
        super().__init__()
        if unknown := sorted(set(config.encoders) - set(MODALITIES)):
            raise InputError(f"Unknown modality {unknown[0]!r}; known are {', '.join(MODALITIES)}.")
        self.config = config
        self.dim = config.dim
        self.encoders = nn.ModuleDict()
        for name, modality in MODALITIES.items():
            if name in config.encoders:
                options = config.encoders[name]
                architecture = modality.architecture(options)
                shape = from_dict(architecture.config, _as_json(options), where=f"encoders.{name}")
                self.encoders[name] = architecture.encoder(shape, config.dim)
        pairs = list(itertools.combinations(self.encoders, 2))
        self._pairs = {frozenset(pair): number for number, pair in enumerate(pairs)}
        first = math.log(1 / config.temperature)
        shape = (len(pairs),) if config.temperature_per_pair else ()
        self.log_scale = nn.Parameter(torch.full(shape, first))

    @classmethod
    def from_pretrained(
        cls, source: str | Path, *, revision: str | None = None, say: Callable[[str], None] | None = None
    ) -> UniGeoCLIP:
        """Read a model; it is on the CPU, float32, in evaluation mode.

        Args:
            source: A folder with ``config.json`` and ``model.safetensors``, or the id of a repository of the Hugging
                Face hub that holds them, which is fetched into the hub's cache.
            revision: Branch, tag or commit of the repository.
            say: Called with what and how much is fetched, before it is; by default it is written to stderr.

        Raises:
            CheckpointError: There is no such folder, a file is missing or damaged, or weights do not fit.
            DownloadError: The hub cannot be reached, or has no such repository.
        """
        return load_model(pretrained_folder(source, revision, say))

    def save_pretrained(
        self, folder: str | Path, *, metrics: Mapping[str, Any] | None = None, compact: bool = False
    ) -> None:
        """Write ``config.json``, ``model.safetensors`` and a model card, ``README.md``.

        Args:
            folder: Made if it does not exist.
            metrics: What was measured, as in ``metrics.json`` of a training: written beside it, and into the card. By
                default what the folder's own ``metrics.json`` says.
            compact: See :func:`save_model`.

        Raises:
            UniGeoError: A file cannot be written.
        """
        save_model(self, Path(folder), compact)
        weights = sum(weight.numel() for weight in self.parameters())
        write_card(Path(folder), self.modalities, self.dim, weights, metrics)

    def pair_log_scale(self, a: str, b: str) -> Tensor:
        """Logarithm of the logit scale between two modalities, in either order; a tensor of shape ()."""
        return self.log_scale[self._pairs[frozenset((a, b))]] if self.log_scale.ndim else self.log_scale

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the modalities this model encodes, in the order of the table."""
        return tuple(self.encoders)

    def window_px(self, modality: str) -> int:
        """Width in pixels of the pictures that a modality takes, which is the side of windows.

        Raises:
            InputError: The model lacks the modality, or it does not take windows.
        """
        return self._picture_config(modality).px

    def _picture_config(self, modality: str) -> PictureConfig:
        options = getattr(self.encoders[modality], "config", None) if modality in self.encoders else None
        if not isinstance(options, PictureConfig):
            raise InputError(
                f"{modality!r} is no modality of pictures in this model; it takes no pictures of that kind."
            )
        return options

    def input_size(self, modality: str) -> tuple[int, int]:
        """Width and height in pixels of the pictures that a modality takes.

        Raises:
            InputError: The model lacks the modality, or it does not take pictures.
        """
        height, width = self._picture_config(modality).size
        return width, height

    def prepare(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Check raw inputs of any subset of the modalities and turn them into tensors on the model's device.

        Args:
            inputs: Modality name -> what :data:`MODALITIES` says it takes.

        Raises:
            InputError: A modality this model lacks, or an input that breaks its contract.
        """
        device = self.log_scale.device
        prepared = {}
        for name, value in inputs.items():
            if name not in self.encoders:
                raise InputError(f"This model has no encoder for {name!r}; it has {', '.join(self.modalities)}.")
            prepared[name] = self.encoders[name].prepare(value).to(device)  # type: ignore[operator]
        return prepared

    def forward(self, prepared: Mapping[str, Any]) -> dict[str, Tensor]:
        """Prepared inputs -> modality name -> (n, dim) float32 with L2 norm 1."""
        return {name: F.normalize(self.encoders[name](value).float(), dim=-1) for name, value in prepared.items()}

    @torch.inference_mode()
    def encode(self, inputs: Mapping[str, Any]) -> dict[str, Tensor]:
        """Raw inputs of any subset of the modalities -> modality name -> (n, dim) float32 unit vectors, no gradient."""
        return self.forward(self.prepare(inputs))


def _as_json(options: Mapping[str, Any]) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in options.items()}


def load_model(folder: Path) -> UniGeoCLIP:
    """Read a model folder; the model is on the CPU, float32, in evaluation mode.

    Raises:
        CheckpointError: A file is missing or damaged, or the weights do not fit the configuration.
    """
    return load_checkpoint(folder, lambda config: UniGeoCLIP(from_dict(ModelConfig, config, where="model")))


def save_model(model: UniGeoCLIP, folder: Path, compact: bool = False) -> None:
    """Write ``config.json`` and ``model.safetensors``, see :func:`unigeoclip.checkpoint.save_checkpoint`."""
    save_checkpoint(model, model.config, folder, compact)
