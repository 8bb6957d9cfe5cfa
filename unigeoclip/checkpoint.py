"""Models on disk: a folder with ``config.json`` and ``model.safetensors``, loaded strictly."""

from __future__ import annotations

import functools
import hashlib
import json
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from unigeoclip.config import read_json, write_json
from unigeoclip.errors import CheckpointError, InputError
from unigeoclip.files.atomic import atomic, reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Model = TypeVar("Model", bound=nn.Module)

_IDENTITY = ("config.json", "model.safetensors")  # the files that make a model what it is
# Kept in float32 in compact files too: rounding a frequency would move the phase of a far place by whole turns, and the
# rest is small.
_NEVER_ROUNDED = ("frequencies", "registers")
# A compact weight is a whole number of so many steps on either side of zero. Encoders of pictures take finer ones:
# errors add up over their layers, and cost a street view half a percent of its recall at 31.
_STEPS, _FINE_STEPS = 31, 127
_FINE = ("encoders.aerial.", "encoders.street.")
_SCALE = "#scale"  # suffix of the tensor that holds the scale of each row of a compact one
_CODED = "#coded"  # suffix of a compact one: its steps as bytes, Huffman-coded by zlib
_MOST_PER_BYTE = 8  # weights in a byte of a file: none takes less than a bit
_DEPTHS, _MOST_BLOCKS = ("depth", "pooled_blocks", "blocks", "registers"), 512
_NO_MODEL = (ArithmeticError, AttributeError, IndexError, KeyError, MemoryError, RuntimeError, TypeError, ValueError)


def save_checkpoint(model: nn.Module, config: Any, folder: Path, compact: bool = False) -> None:
    """Write configuration and weights; either file appears whole or not at all.

    Args:
        model: The model.
        config: What it is built from, as `config.write_json` takes it.
        folder: Made if it does not exist.
        compact: Store matrices in 63 steps a weight (255 in encoders of pictures) with one scale per output row, a
            fifth of the size; vectors, frequencies and registers stay float32. Loading gives float32 again, rounded
            once: saving that compactly rounds no further.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    write_json(folder / "config.json", config)
    with atomic(folder / "model.safetensors", error=CheckpointError, failures=(SafetensorError,)) as temporary:
        save_file(compact_state(state) if compact else state, temporary)


def compact_state(state: dict[str, Tensor], step: float | None = None) -> dict[str, Tensor]:
    """Weights as compact files hold them, see `save_model`; `restored_state` gives them back, rounded.

    Args:
        state: Weights by name.
        step: One step for a whole matrix, in root mean squares of its weights, in place of the shares of each row's
            largest that `save_model` takes: coded, a matrix takes a tenth less room at the same error.
    """
    small = {}
    for name, tensor in state.items():
        if tensor.ndim < 2 or name.endswith(_NEVER_ROUNDED):
            small[name] = tensor
            continue
        rows, most = tensor.flatten(1), _FINE_STEPS if name.startswith(_FINE) else _STEPS
        scale = rows.abs().amax(1, keepdim=True).clamp(min=torch.finfo(torch.float32).tiny) / most
        if step is not None:  # steps are bytes: the largest weight is at most 127 of them
            scale = torch.maximum(rows.square().mean().sqrt() * step, rows.abs().amax() / 127).expand_as(scale)
        small[name + _CODED] = _coded((rows / scale).round().to(torch.int8))
        small[name + _SCALE] = scale.squeeze(1).contiguous()
    return small


def _coded(steps: Tensor) -> Tensor:
    """Small whole numbers, int8 of any shape -> uint8 (bytes,): few bits for the frequent ones near zero."""
    coder = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS, 9, zlib.Z_HUFFMAN_ONLY)
    return torch.frombuffer(bytearray(coder.compress(steps.numpy().tobytes()) + coder.flush()), dtype=torch.uint8)


def _decoded(coded: Tensor) -> Tensor:
    """The inverse of `_coded`: uint8 (bytes,) -> float32 (count,).

    Raises:
        RuntimeError: The bytes are damaged.
    """
    try:
        plain = bytearray(zlib.decompress(coded.numpy().tobytes()))
    except zlib.error as error:
        raise RuntimeError(f"coded weights are damaged ({error})") from error
    return torch.frombuffer(plain, dtype=torch.int8).float()


def restored_state(stored: dict[str, Tensor], shapes: dict[str, torch.Size]) -> dict[str, Tensor]:
    """float32 weights from stored ones.

    Args:
        stored: Tensors of a file.
        shapes: Shape of each weight in the model.

    Raises:
        RuntimeError: Coded weights are damaged, or not as many as the model has.
    """
    state = {}
    for stored_name, tensor in stored.items():
        name = stored_name.removesuffix(_CODED)
        if stored_name.endswith(_SCALE):
            continue
        if not stored_name.endswith(_CODED) or name + _SCALE not in stored:
            state[name] = tensor
            continue
        shape = shapes.get(name, tensor.shape)
        state[name] = _decoded(tensor).view(shape) * stored[name + _SCALE].view(-1, *[1] * (len(shape) - 1))
    return state


def load_checkpoint(folder: Path, build: Callable[[Any], Model]) -> Model:
    """Read a model folder; the model is on the CPU, float32, in evaluation mode.

    Args:
        folder: Where ``config.json`` and ``model.safetensors`` are.
        build: Content of ``config.json`` -> the model with any weights; raises InputError for a wrong configuration.

    Raises:
        CheckpointError: A file is missing or damaged, or the weights do not fit the configuration.
    """
    config_path, weights_path = folder / "config.json", folder / "model.safetensors"
    for path in (config_path, weights_path):
        if not path.is_file():
            raise CheckpointError(f"{folder} is no model folder: {path.name} is missing. Train one with 'train --out'.")
    try:
        config = read_json(config_path)
        _refuse_impossible(config, build, config_path, weights_path)
        model = build(config)
        stored = load_file(weights_path)
    except InputError as error:
        raise CheckpointError(f"{config_path}: {error}") from error
    except OSError as error:
        raise CheckpointError(f"{weights_path} cannot be read: {reason(error)}.") from error
    except SafetensorError as error:
        raise CheckpointError(f"{weights_path} is damaged ({error}); restore it or train again.") from error
    try:
        shapes = {name: value.shape for name, value in model.state_dict().items()}
        model.load_state_dict(restored_state(stored, shapes), strict=True)
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise CheckpointError(f"{weights_path} does not fit {config_path.name}: {first}") from error
    return model.eval()


def _refuse_impossible(config: Any, build: Callable[[Any], nn.Module], config_path: Path, weights_path: Path) -> None:
    """Raises CheckpointError if a configuration describes no model, or one larger than its file of weights can hold.

    Found out without taking the memory: a damaged size could ask for all of it.
    """
    try:
        if max(_depths(config), default=0) > _MOST_BLOCKS:
            raise ValueError(f"more than {_MOST_BLOCKS} blocks")
        with torch.device("meta"):
            count = sum(weight.numel() for weight in build(config).parameters())
    except InputError:
        raise
    except _NO_MODEL as error:
        raise CheckpointError(
            f"{config_path} describes no model ({reason(error)}); restore it or train again."
        ) from error
    if count > _MOST_PER_BYTE * weights_path.stat().st_size:
        raise CheckpointError(
            f"{config_path} describes a model of {count:,} weights, more than {weights_path.name} can hold; restore it "
            "or train again."
        )


def _depths(config: Any) -> list[Any]:
    """Numbers of a configuration that say how many layers are built one by one."""
    encoders = config.get("encoders") if isinstance(config, dict) else None
    options = [each for each in encoders.values() if isinstance(each, dict)] if isinstance(encoders, dict) else []
    values = [value for each in options for name, value in each.items() if name in _DEPTHS]
    return [number for value in values for number in (value if isinstance(value, list) else [value])]


def checkpoint_id(folder: Path) -> str:
    """Twelve hexadecimal digits that change with configuration or weights: the key of all that is computed from them.

    Raises:
        CheckpointError: A file is missing.
    """
    return _identity(folder, _stamps(folder))


def encoder_id(folder: Path, modalities: Iterable[str]) -> str:
    """As `checkpoint_id`, but of some encoders: what they give stays the same when others are trained further.

    Args:
        folder: Of the model.
        modalities: Whose encoders.

    Raises:
        CheckpointError: A file is missing or damaged, or the model has no such encoder.
    """
    return _encoder_identity(folder, tuple(sorted(set(modalities))), _stamps(folder))


def _stamps(folder: Path) -> tuple[tuple[int, ...], ...]:
    """Of the files that make a model what it is: they change when the files do."""
    stamps = []
    for name in _IDENTITY:
        try:
            status = (folder / name).stat()
        except OSError as error:
            raise CheckpointError(f"{folder} is no model folder: {name} cannot be read ({error.strerror}).") from error
        stamps.append((status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino))
    return tuple(stamps)


@functools.lru_cache(maxsize=64)
def _identity(folder: Path, _stamps: tuple[tuple[int, ...], ...]) -> str:
    """The digits of `checkpoint_id`; hashed once for as long as the files do not change, since every answer asks."""
    digest = hashlib.sha256()
    for name in _IDENTITY:
        try:
            digest.update((folder / name).read_bytes())
        except OSError as error:
            raise CheckpointError(f"{folder} is no model folder: {name} cannot be read ({error.strerror}).") from error
    return digest.hexdigest()[:12]


@functools.lru_cache(maxsize=64)
def _encoder_identity(folder: Path, modalities: tuple[str, ...], _stamps: tuple[tuple[int, ...], ...]) -> str:
    """The digits of `encoder_id`."""
    path = folder / "model.safetensors"
    config = read_json(folder / "config.json")
    digest = hashlib.sha256()
    try:
        weights = load_file(path)
        for modality in modalities:
            options = {"dim": config["dim"], "options": config["encoders"][modality]}
            digest.update(json.dumps([modality, options], sort_keys=True).encode())
            for name in sorted(name for name in weights if name.startswith(f"encoders.{modality}.")):
                tensor = weights[name].contiguous()
                digest.update(json.dumps([name, str(tensor.dtype), list(tensor.shape)]).encode())
                digest.update(tensor.view(torch.uint8).numpy().tobytes() if tensor.ndim else bytes(tensor.numpy()))
    except (KeyError, TypeError, OSError, SafetensorError) as error:
        raise CheckpointError(f"{path} has no encoder of {' and '.join(modalities)} that can be read.") from error
    return digest.hexdigest()[:12]
