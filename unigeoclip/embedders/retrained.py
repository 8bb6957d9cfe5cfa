"""SatCLIP's and GeoCLIP's location encoders with our weights: their architectures, trained on an atlas as ours is.

SatCLIP starts from random weights. GeoCLIP, of nine million weights, starts from the published ones and learns an
update of low rank to each matrix (Hu et al., LoRA, ICLR 2022), which is a head start for it, and a file of half a
megabyte instead of six.

The published scales are those of the whole Earth: within a city SatCLIP's finest harmonic and GeoCLIP's finest wave
hardly change. So each comes in a second version whose scales suit the atlas: the sphere of SatCLIP is blown up until
the atlas fills a good part of it, and GeoCLIP's waves are as many times shorter. Neither is ever shown without the
word retrained.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from unigeoclip import paths
from unigeoclip.atlas.records import data_state
from unigeoclip.checkpoint import restored_state
from unigeoclip.config import from_dict, read_json
from unigeoclip.embedders.base import Provenance, embed_in_batches
from unigeoclip.embedders.geoclip import Capsule, GeoCLIPEmbedder, GeoCLIPLocationEncoder
from unigeoclip.embedders.satclip import SatCLIPConfig, SatCLIPLocationEncoder, spherical_harmonics
from unigeoclip.errors import CheckpointError, InputError
from unigeoclip.geo import as_latlon, equal_earth

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.geo import Bounds

__all__ = [
    "BASELINES",
    "Baseline",
    "RetrainedEmbedder",
    "RetrainedLocation",
    "baseline_folder",
    "recorded_baselines",
]

RANK = 32  # of what GeoCLIP's matrices learn
REACH_DEG = 60.0  # from its middle, an atlas is blown up to so much of SatCLIP's sphere
WORLD_DEG = 180.0  # what GeoCLIP's scales were chosen for
WEIGHTS, RECORD = "location_encoder.safetensors", "baseline.json"
_DIMS = {"satclip": 256, "geoclip": 512}
_TITLES = {"satclip": "SatCLIP", "geoclip": "GeoCLIP"}
_START = {"satclip": "", "geoclip": f", from the published weights with updates of rank {RANK}"}


@dataclass(frozen=True)
class Baseline:
    """Which encoder, and how positions enter it.

    Attributes:
        kind: "satclip" or "geoclip".
        zoom: How many times finer than the published scales; 1 for those.
        centre: Latitude and longitude, degrees, that a zoom goes out from.
    """

    kind: str
    zoom: float = 1.0
    centre: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        if self.kind not in _DIMS:
            raise InputError(f"Unknown baseline {self.kind!r}. Known: {', '.join(_DIMS)}.")
        if not self.zoom >= 1:
            raise InputError(f"A baseline's zoom is 1 or more, not {self.zoom:g}.")

    @property
    def dim(self) -> int:
        """Length of its vectors."""
        return _DIMS[self.kind]

    @property
    def title(self) -> str:
        """Its name on screen, never without the word retrained."""
        return f"{_TITLES[self.kind]} (retrained{', finer scales' if self.zoom > 1 else ''})"

    @classmethod
    def suited(cls, kind: str, bounds: Bounds) -> Baseline:
        """With scales for an atlas: finer by as much as it is smaller than the Earth.

        Args:
            kind: "satclip" or "geoclip".
            bounds: South, west, north, east of the atlas, degrees.
        """
        south, west, north, east = bounds
        middle = ((south + north) / 2, (west + east) / 2)
        across = max(north - south, (east - west) * math.cos(math.radians(middle[0])))
        zoom = 2 * REACH_DEG / across if kind == "satclip" else WORLD_DEG / across
        return cls(kind, max(1.0, zoom), middle)


# Name of the embedder (`embedders.RETRAINED`) -> kind, and whether its scales suit the atlas.
BASELINES: dict[str, tuple[str, bool]] = {
    "satclip-retrained": ("satclip", False),
    "satclip-retrained-city": ("satclip", True),
    "geoclip-retrained": ("geoclip", False),
    "geoclip-retrained-city": ("geoclip", True),
}


def baseline_folder(atlas_name: str, name: str) -> Path:
    """Where the retrained weights for an atlas lie."""
    return paths.BASELINES / f"{name}-{atlas_name}"


def recorded_baselines(atlas: Atlas) -> dict[str, dict[str, Any]]:
    """What ``train --baseline`` measured of those that ship for an atlas, by name.

    Each as in its ``baseline.json``, with ``"title"`` and ``"recorded": true``; one that was trained on other data than
    the atlas holds now carries ``"outdated": true``.

    Raises:
        InputError: A record cannot be read.
    """
    found = {}
    for name in BASELINES:
        path = baseline_folder(atlas.name, name) / RECORD
        if path.is_file():
            kept = read_json(path)
            title = from_dict(Baseline, kept.get("baseline"), str(path)).title
            found[name] = {"title": title, **kept, "recorded": True, **data_state(atlas, kept)}
    return found


class _Update(nn.Module):
    """What a matrix of the published weights learns: a product of low rank, zero at first. (n, in) -> (n, out)."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.down = nn.Linear(layer.in_features, RANK, bias=False)
        self.up = nn.Linear(RANK, layer.out_features, bias=False)
        nn.init.zeros_(self.up.weight)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.up(self.down(x))
        return out


class RetrainedLocation(nn.Module):
    """A baseline's encoder before it is trained, in the place of our location encoder: prepare() and forward().

    SatCLIP's has random weights; GeoCLIP's has the published ones, which keep still, and updates.

    Raises:
        CheckpointError: GeoCLIP's published weights are missing or damaged.
    """

    def __init__(self, baseline: Baseline) -> None:
        super().__init__()
        self.baseline = baseline
        self.encoder: SatCLIPLocationEncoder | GeoCLIPLocationEncoder
        self.updates = nn.ModuleList()
        if baseline.kind == "satclip":
            self.encoder = SatCLIPLocationEncoder(SatCLIPConfig())
            return
        self.encoder = GeoCLIPEmbedder.from_package().encoder.requires_grad_(False)
        for capsule in self._capsules():
            self.updates.append(nn.ModuleList(_Update(cast("nn.Linear", layer)) for layer in capsule.layers))

    def own_state(self) -> dict[str, Tensor]:
        """What was learned: all weights of SatCLIP, the updates of GeoCLIP."""
        learned = {name for name, parameter in self.named_parameters() if parameter.requires_grad}
        return {name: value for name, value in self.state_dict().items() if name in learned}

    def load_own_state(self, stored: dict[str, Tensor]) -> None:
        """Take over what `checkpoint.compact_state` made of `own_state`.

        Raises:
            RuntimeError: Something is missing, damaged or too much.
        """
        own = self.own_state()
        found = restored_state(stored, {name: value.shape for name, value in own.items()})
        if found.keys() != own.keys():
            raise RuntimeError(f"the weights are not those of {self.baseline.kind}")
        self.load_state_dict(found, strict=False)

    def prepare(self, latlon: ArrayLike) -> Tensor:
        """What the encoder reads, float32: harmonics (n, L * L), or positions (n, 2)."""
        points, zoom, (lat, lon) = as_latlon(latlon), self.baseline.zoom, self.baseline.centre
        if self.baseline.kind == "geoclip":
            at = equal_earth(points) - (equal_earth(np.array([[lat, lon]])) if zoom > 1 else 0.0)
            return torch.from_numpy((at * zoom).astype(np.float32))
        if zoom > 1:
            east = ((points[:, 1] - lon + 180) % 360 - 180) * math.cos(math.radians(lat))
            points = np.stack([points[:, 0] - lat, east], axis=1) * zoom
        return torch.from_numpy(spherical_harmonics(points, SatCLIPConfig().legendre_polys).astype(np.float32))

    def forward(self, prepared: Tensor) -> Tensor:
        """(n, dim), not normalised."""
        if isinstance(self.encoder, SatCLIPLocationEncoder):
            out: Tensor = self.encoder(prepared)
            return out
        total = torch.zeros(())
        for capsule, updates in zip(self._capsules(), self.updates, strict=True):
            total = total + _adapted(capsule, cast("nn.ModuleList", updates), prepared)
        return total

    def _capsules(self) -> list[Capsule]:
        return [capsule for capsule in self.encoder.modules() if isinstance(capsule, Capsule)]


def _adapted(capsule: Capsule, updates: nn.ModuleList, xy: Tensor) -> Tensor:
    """A capsule whose matrices carry updates: (n, 2) positions -> (n, 512)."""
    # Two products and a sum: a matrix product rounds a row by what else is in the batch, and far away, where phases
    # are large, that would be seen.
    waves = capsule.frequencies
    phase = 2 * math.pi * (xy[:, :1] * waves[:, 0] + xy[:, 1:] * waves[:, 1])
    hidden = torch.cat([phase.cos(), phase.sin()], dim=1)
    for number, (layer, update) in enumerate(zip(capsule.layers, updates, strict=True)):
        hidden = F.relu(hidden) if number else hidden
        hidden = layer(hidden) + update(hidden)
    return hidden


class RetrainedEmbedder:
    """A baseline's location encoder with weights that were trained on an atlas."""

    def __init__(self, name: str, location: RetrainedLocation, provenance: Provenance) -> None:
        """Wrap an encoder; `from_folder` reads one."""
        self.name = name
        self.location = location.eval()
        self.title = location.baseline.title
        self.dim = location.baseline.dim
        self.provenance = provenance

    @classmethod
    def from_atlas(cls, name: str, atlas: Atlas) -> RetrainedEmbedder:
        """The one that ships for an atlas; see `from_folder`."""
        return cls.from_folder(name, baseline_folder(atlas.name, name))

    @classmethod
    def from_folder(cls, name: str, folder: Path) -> RetrainedEmbedder:
        """Read what ``train --baseline`` wrote.

        Raises:
            CheckpointError: Nothing is there, or it is damaged.
        """
        if not (folder / RECORD).is_file():
            raise CheckpointError(f"{name!r} is not trained for this atlas; 'train --baseline {name}' does it.")
        try:
            record = read_json(folder / RECORD)
            location = RetrainedLocation(from_dict(Baseline, record["baseline"]))
            location.load_own_state(load_file(folder / WEIGHTS))
            provenance = Provenance(
                made_by=f"This project, trained on the atlas {record['atlas']!r} ({record['pair']}); published "
                f"architecture of {_TITLES[location.baseline.kind]}{_START[location.baseline.kind]}.",
                source=f"Weights {record['sha256'][:12]} of {folder.name}",
                licence="MIT",
            )
        except (InputError, OSError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
            raise CheckpointError(f"{folder} cannot be used ({error}): restore it or train it again.") from error
        return cls(name, location, provenance)

    def embed(self, latlon: ArrayLike) -> NDArray[np.float32]:
        """See :meth:`unigeoclip.embedders.base.Embedder.embed`."""
        return embed_in_batches(latlon, self.dim, self._encode)

    @torch.inference_mode()
    def _encode(self, points: NDArray[np.float64]) -> NDArray[np.float32]:
        vectors: NDArray[np.float32] = F.normalize(self.location(self.location.prepare(points)), dim=1).numpy()
        return vectors
