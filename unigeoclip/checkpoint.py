"""Models on disk: a folder with ``config.json`` and ``model.safetensors``, loaded strictly."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from unigeoclip.config import from_dict, read_json, write_json
from unigeoclip.errors import CheckpointError, InputError
from unigeoclip.model import ModelConfig, UniGeoCLIP

# Kept in float32 in compact files too: rounding a frequency would move the phase of a far place by whole turns, and the
# rest is small.
_NEVER_ROUNDED = ("frequencies", "registers")
# A compact weight is a whole number of so many steps on either side of zero; four of them are packed into three bytes.
_STEPS = 31
_PER_PACK, _BITS = 4, 6
_SCALE = "#scale"  # suffix of the tensor that holds the scale of each row of a packed one


def save_model(model: UniGeoCLIP, folder: Path, compact: bool = False) -> None:
    """Write configuration and weights; either file appears whole or not at all.

    Args:
        model: The model.
        folder: Made if it does not exist.
        compact: Store matrices in 6 bits a weight with one scale per output row, a fifth of the size; vectors,
            frequencies and registers stay float32. Loading gives float32 again, rounded once: saving that compactly
            rounds no further.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    write_json(folder / "config.json", model.config)
    temporary = folder / f".model.{os.getpid()}.tmp"
    save_file(compact_state(state) if compact else state, temporary)
    temporary.chmod(0o644)  # safetensors makes it readable by its owner alone
    temporary.replace(folder / "model.safetensors")


def compact_state(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights as compact files hold them, see `save_model`; `restored_state` gives them back, rounded."""
    small = {}
    for name, tensor in state.items():
        if tensor.ndim < 2 or name.endswith(_NEVER_ROUNDED):
            small[name] = tensor
            continue
        rows = tensor.flatten(1)
        scale = rows.abs().amax(1, keepdim=True).clamp(min=torch.finfo(torch.float32).tiny) / _STEPS
        small[name] = _packed((rows / scale).round().to(torch.int64))
        small[name + _SCALE] = scale.squeeze(1)
    return small


def _packed(steps: Tensor) -> Tensor:
    """Whole numbers of -31 to 31, any shape -> uint8 (bytes,)."""
    flat = F.pad(steps.flatten() + _STEPS, (0, -steps.numel() % _PER_PACK)).view(-1, _PER_PACK)
    words = (flat << (torch.arange(_PER_PACK) * _BITS)).sum(1)  # 24 bits each
    packed: Tensor = torch.stack([words & 255, words >> 8 & 255, words >> 16], dim=1).flatten().to(torch.uint8)
    return packed


def _unpacked(packed: Tensor, count: int) -> Tensor:
    """The inverse of `_packed`: uint8 (bytes,) -> float32 (count,)."""
    first, second, third = packed.view(-1, 3).to(torch.int64).unbind(1)
    words = first | second << 8 | third << 16
    flat = words[:, None] >> (torch.arange(_PER_PACK) * _BITS) & (2**_BITS - 1)
    steps: Tensor = flat.flatten()[:count] - _STEPS
    return steps.float()


def restored_state(stored: dict[str, Tensor], shapes: dict[str, torch.Size]) -> dict[str, Tensor]:
    """float32 weights from stored ones; int8 matrices are those of earlier files.

    Args:
        stored: Tensors of a file.
        shapes: Shape of each weight in the model.
    """
    state = {name: tensor for name, tensor in stored.items() if not name.endswith(_SCALE)}
    for name, tensor in state.items():
        if name + _SCALE in stored:
            shape = shapes.get(name, tensor.shape)
            weights = _unpacked(tensor, shape.numel()) if tensor.dtype == torch.uint8 else tensor.float()
            state[name] = weights.view(shape) * stored[name + _SCALE].view(-1, *[1] * (len(shape) - 1))
    return state


def load_model(folder: Path) -> UniGeoCLIP:
    """Read a model folder; the model is on the CPU, float32, in evaluation mode.

    Raises:
        CheckpointError: A file is missing or damaged, or the weights do not fit the configuration.
    """
    config_path, weights_path = folder / "config.json", folder / "model.safetensors"
    for path in (config_path, weights_path):
        if not path.is_file():
            raise CheckpointError(f"{folder} is no model folder: {path.name} is missing. Train one with 'train --out'.")
    try:
        model = UniGeoCLIP(from_dict(ModelConfig, read_json(config_path), where="model"))
        stored = load_file(weights_path)
    except InputError as error:
        raise CheckpointError(f"{config_path}: {error}") from error
    except SafetensorError as error:
        raise CheckpointError(f"{weights_path} is damaged ({error}); restore it or train again.") from error
    try:
        shapes = {name: value.shape for name, value in model.state_dict().items()}
        model.load_state_dict(restored_state(stored, shapes), strict=True)
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise CheckpointError(f"{weights_path} does not fit {config_path.name}: {first}") from error
    return model.eval()


def checkpoint_id(folder: Path) -> str:
    """Twelve hexadecimal digits that change with configuration or weights: the key of all that is computed from them.

    Raises:
        CheckpointError: A file is missing.
    """
    digest = hashlib.sha256()
    for name in ("config.json", "model.safetensors"):
        try:
            digest.update((folder / name).read_bytes())
        except OSError as error:
            raise CheckpointError(f"{folder} is no model folder: {name} cannot be read ({error.strerror}).") from error
    return digest.hexdigest()[:12]
