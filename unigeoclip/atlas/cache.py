"""The folder for things that can be fetched or computed again, and arrays that are kept there."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.errors import InputError
from unigeoclip.files import atomic, reason

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

_log = logging.getLogger(__name__)


def cache_folder() -> Path:
    """$UNIGEOCLIP_CACHE, or ~/.cache/unigeoclip; not created here."""
    return Path(os.environ.get("UNIGEOCLIP_CACHE") or Path.home() / ".cache" / "unigeoclip")


def kept_array(path: Path, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any] | None:
    """An array that `keep_array` wrote, mapped into memory; None, with a warning, if it is not what is needed."""
    try:
        stored = np.lib.format.open_memmap(path, mode="r")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        _log.warning("%s is damaged (%s) and is computed again.", path, error)
        return None
    if stored.shape != shape or stored.dtype != dtype:
        _log.warning("%s holds %s %s, not what is needed, and is computed again.", path, stored.dtype, stored.shape)
        return None
    return stored


def keep_array(path: Path, array: NDArray[Any]) -> None:
    """Write an array under a temporary name and rename it; a cache that cannot be written costs time, nothing else."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remedy = "It will be computed again at the next start."
        with atomic(path, remedy=remedy) as temporary, temporary.open("wb") as file:
            np.save(file, array)
    except InputError as error:
        _log.warning("%s", error)
    except OSError as error:
        _log.warning("%s cannot be written: %s. It will be computed again at the next start.", path, reason(error))
