"""Files with the state of a training: weights and moments, written whole or not at all, and checked when read."""

from __future__ import annotations

import pickle
import zipfile
from typing import TYPE_CHECKING, Any

import torch

from unigeoclip.errors import CheckpointError
from unigeoclip.files.atomic import atomic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["UNREADABLE", "read_state", "write_state"]

_MAKE_ROOM = "Make room on the disk, then run the same command with --resume: the last checkpoint is still good."
# What a damaged file makes torch, the archive's reader, and modules that load its content raise.
_WRONG = (KeyError, ValueError, TypeError, AttributeError)
UNREADABLE = (*_WRONG, OSError, RuntimeError, EOFError, pickle.UnpicklingError, zipfile.BadZipFile)


def write_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write a state.

    Raises:
        CheckpointError: It cannot be written; what the file held before stays.
    """
    with (
        atomic(path, error=CheckpointError, remedy=_MAKE_ROOM, durable=True) as temporary,
        temporary.open("wb") as file,  # a file of Python's: torch's own writer hides why it could not write
    ):
        torch.save(dict(state), file)


def read_state(path: Path) -> dict[str, Any]:
    """Read a state to the CPU; raises one of `UNREADABLE` if the file is missing or damaged."""
    # torch believes flipped bytes; the checksums of the archive do not.
    if (bad := zipfile.ZipFile(path).testzip()) is not None:
        raise zipfile.BadZipFile(f"the checksum of {bad} differs")
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state
