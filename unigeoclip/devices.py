"""Where models compute: the processor, a CUDA GPU or an Apple GPU, and in which precision."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import torch

from unigeoclip.errors import InputError
from unigeoclip.parallel import processor_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from torch import nn

__all__ = ["DEVICES", "VARIABLE", "autocast", "chosen_device", "computes_bf16", "machine", "using_device"]

DEVICES = ("auto", "cpu", "cuda", "mps")
VARIABLE = "UNIGEOCLIP_DEVICE"  # the environment's choice, where none is made


def chosen_device(name: str | None = None) -> torch.device:
    """The device of a name.

    On CUDA, products of float32 matrices and convolutions may be rounded to TF32 from then on. The phases of the
    location encoder are no such product, see `LocationEncoder.fourier_tokens`.

    Args:
        name: ``cpu``; ``cuda`` or ``mps``, also with a number, such as ``cuda:1``; ``auto`` for the first GPU that
            there is, else the processor. None: what $UNIGEOCLIP_DEVICE says, else ``auto``.

    Raises:
        InputError: Unknown, or this machine has no such device.
    """
    name = name or os.environ.get(VARIABLE) or "auto"
    kind, _, number = name.partition(":")
    if kind not in DEVICES or (number and (kind in ("auto", "cpu") or not number.isdecimal())):
        raise InputError(f"Unknown device {name!r}. Known: {', '.join(DEVICES)}; of several GPUs one is cuda:1.")
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    kind = next(each for each in there if there[each]) if kind == "auto" else kind
    if not there[kind] or (kind == "cuda" and int(number or 0) >= torch.cuda.device_count()):
        raise InputError(f"This machine has no device {name}, or PyTorch was installed without it. Use --device cpu.")
    if kind == "cuda":
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.allow_tf32 = True
    return torch.device(kind, int(number)) if number else torch.device(kind)


@contextlib.contextmanager
def using_device(name: str) -> Iterator[None]:
    """Choose a device for where none is named, in this process and in those that it starts.

    Raises:
        InputError: See `chosen_device`.
    """
    chosen_device(name)  # refused before any work
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = name
    try:
        yield
    finally:
        os.environ.pop(VARIABLE) if before is None else os.environ.update({VARIABLE: before})


def computes_bf16(device: torch.device) -> bool:
    """Whether a device multiplies bfloat16 faster than float32.

    A processor without instructions for it (AVX512-BF16 or AMX) emulates them: a matrix product then takes some forty
    times as long as in float32.
    """
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu" or not hasattr(torch.cpu, "get_capabilities"):  # of PyTorch 2.10 and later
        return False
    can = torch.cpu.get_capabilities()
    return bool(can.get("avx512_bf16") or can.get("amx_bf16"))


def autocast(device: torch.device, wanted: bool) -> AbstractContextManager[object]:
    """A context in which encoders compute in bfloat16, if that is wanted and fast on the device."""
    if wanted and computes_bf16(device):
        return torch.autocast(device.type, torch.bfloat16)
    return contextlib.nullcontext()


def machine(model: nn.Module | None = None, processes: int = 1) -> str:
    """What computed, in words: the device that a model is on, threads and PyTorch version.

    Args:
        model: On the device in question; by default the processor is named.
        processes: How many computed together.
    """
    device = next((parameter.device for parameter in model.parameters()), None) if model is not None else None
    if device is None or device.type == "cpu":
        name = f"{processor_name()}, {torch.get_num_threads()} threads"
    else:
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
    return f"{f'{processes} processes, ' if processes > 1 else ''}{name}, PyTorch {torch.__version__}"
