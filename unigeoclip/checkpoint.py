"""Models on disk: a folder with ``config.json`` and ``model.safetensors``, loaded strictly."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from unigeoclip.config import from_dict, read_json, write_json
from unigeoclip.errors import CheckpointError, InputError
from unigeoclip.model import ModelConfig, UniGeoCLIP

# Kept in float32 whatever the file's precision: rounding a frequency moves the phase of a far place by whole turns.
_ALWAYS_FLOAT32 = ("frequencies", "log_scale")


def save_model(model: UniGeoCLIP, folder: Path, half: bool = False) -> None:
    """Write configuration and weights; either file appears whole or not at all.

    Args:
        model: The model.
        folder: Made if it does not exist.
        half: Store weights as float16, which halves the file. Loading gives float32 again, rounded once; frequencies
            and
            temperature stay float32.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    if half:
        state = {n: t if n.endswith(_ALWAYS_FLOAT32) else t.to(torch.float16) for n, t in state.items()}
    write_json(folder / "config.json", model.config)
    temporary = folder / f".model.{os.getpid()}.tmp"
    save_file(state, temporary)
    temporary.replace(folder / "model.safetensors")


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
        state = {name: tensor.float() for name, tensor in load_file(weights_path).items()}
    except InputError as error:
        raise CheckpointError(f"{config_path}: {error}") from error
    except SafetensorError as error:
        raise CheckpointError(f"{weights_path} is damaged ({error}); restore it or train again.") from error
    try:
        model.load_state_dict(state, strict=True)
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
