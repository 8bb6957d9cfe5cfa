"""The cache folder: what can be computed again, checked whenever it is read, within a budget of disk space.

Beside every file lies another one, NAME.sha256, with its checksum and size. A file that is not what it says is computed
again, whatever became of it. The time of change of that other file tells when the file was used last: when the folder
outgrows its budget, what was not used for longest goes first.

What was fetched over a network (packages, tiles, published weights, tasks) does not count to the budget and is never
removed: only a person's own command writes it, and it could not be had again without the network.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import shutil
import stat
import threading
import weakref
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import platformdirs

from unigeoclip.errors import InputError
from unigeoclip.files.atomic import atomic, is_leftover, lock, reason, sha256_of, write_bytes
from unigeoclip.files.json_files import read_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import DTypeLike, NDArray

__all__ = [
    "budget_bytes",
    "cache_array",
    "cache_folder",
    "cache_json",
    "cached_array",
    "cached_json",
    "hold",
    "is_sound",
    "prune",
    "write_cached",
]

BUDGET_MB = 2000
FETCHED = ("downloads", "tiles", "baselines", "tasks")  # folders that the budget leaves alone
_SEAL = ".sha256"  # ending of the checksum's file
_ROOM = 0.95  # share of the budget that is left after making room
_LOOK_AGAIN = 0.02  # share of the budget that may be written before the folder is measured again
_FETCHING = re.compile(r"\.fetching-(\d+)-.*")  # folders of unfinished downloads, see `sources.downloads`
# What earlier versions, which wrote no checksums, have left: it counts and goes like all else.
_EARLIER = re.compile(
    r"[^/]+-[0-9a-f]{8}-[0-9a-f]{12}/(grid|places_\w+)\.npy"
    r"|[^/]+-[0-9a-f]{12}-drawn\d+/(land|surface)\.tif"
    r"|compare/[^/]+-[0-9a-f]{16}(-[^/]+)?\.(npy|json)"
)

_log = logging.getLogger(__name__)
_Stamp = tuple[int, int, int, int]


class _State:
    """What this process knows of the files that it has used."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.verified: dict[Path, _Stamp] = {}  # as they were when their checksum was found right
        self.mapped: Counter[Path] = Counter()  # arrays that are mapped into memory now
        self.held: dict[Path, BinaryIO] = {}  # seals that are locked for as long as the process runs
        self.written_bytes = 0  # since the folder was measured
        self.pruned: set[Path] = set()

    def unmapped(self, path: Path) -> None:
        """An array is no longer mapped."""
        self.mapped[path] -= 1
        if not self.mapped[path]:
            del self.mapped[path]


_state = _State()


def cache_folder() -> Path:
    """$UNIGEOCLIP_CACHE, or the system's place for caches, on Linux ~/.cache/unigeoclip; not created here."""
    return Path(os.environ.get("UNIGEOCLIP_CACHE") or platformdirs.user_cache_path("unigeoclip", appauthor=False))


def budget_bytes() -> int:
    """How large the cache folder may grow: $UNIGEOCLIP_CACHE_BUDGET_MB, in megabytes, or 2 GB.

    Raises:
        InputError: The variable is not a positive number.
    """
    given = os.environ.get("UNIGEOCLIP_CACHE_BUDGET_MB", "").strip()
    if not given:
        return BUDGET_MB * 1_000_000
    if not (given.isascii() and given.isdecimal() and len(given) < 12 and int(given) > 0):
        raise InputError(
            f"UNIGEOCLIP_CACHE_BUDGET_MB is {given[:40]!r}; it must be a whole number of megabytes, like 2000."
        )
    return int(given) * 1_000_000


# Checking and writing


def is_sound(path: Path) -> bool:
    """Whether a file of the cache is there and every byte of it as `write_cached` wrote it; a warning says what is not.

    A file is hashed once in a process, and again when its size, times or inode change. That counts as its last use.
    """
    _prune_once()
    try:
        stamp = _stamp(path)
        if _state.verified.get(path) != stamp:
            _compare(path, stamp[0])
            _state.verified[path] = stamp
    except FileNotFoundError as error:
        return False if Path(error.filename) == path else _damaged(path, "it has no checksum")
    except (OSError, ValueError) as error:
        return _damaged(path, reason(error))
    with contextlib.suppress(OSError):  # a cache that can only be read
        os.utime(_seal(path))
    return True


def _stamp(path: Path) -> _Stamp:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is no regular file")
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _compare(path: Path, size: int) -> None:
    """Raises ValueError or OSError if a file is not what its checksum says."""
    checksum, _, noted = _seal(path).read_text(encoding="ascii").strip().partition("  ")
    if noted != str(size):
        raise ValueError(f"{size:,} bytes in place of {noted[:20]}")
    if sha256_of(path) != checksum:
        raise ValueError("its checksum differs")


def _damaged(path: Path, why: str) -> bool:
    _log.warning("%s is damaged (%s) and is computed again.", path, why)
    return False


def write_cached(path: Path, write: Callable[[Path], None]) -> bool:
    """Write a file of the cache, whole or not at all, with its checksum; make room for it if the folder is too large.

    A cache that cannot be written costs time, nothing else: a warning says what and why.

    Args:
        path: The file; its folder is made.
        write: Writes it to the path that it is given.

    Returns:
        Whether it was written.

    Raises:
        InputError: $UNIGEOCLIP_CACHE_BUDGET_MB is no such number.
    """
    _prune_once()
    again = "It will be computed again at the next start."
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for name in (path, _seal(path)):
            if name.is_dir():
                name.rmdir()  # only an empty one: what somebody has put into it is theirs
        with atomic(path, remedy=again) as temporary:
            write(temporary)
            seal = f"{sha256_of(temporary)}  {temporary.stat().st_size}\n"
        with _gone_on_failure(path):
            write_bytes(_seal(path), seal.encode(), remedy=again)
        _state.verified[path] = _stamp(path)
    except InputError as error:
        _log.warning("%s", error)
        return False
    except OSError as error:
        _log.warning("%s cannot be written: %s. %s", path, reason(error), again)
        return False
    _wrote(path)
    return True


@contextlib.contextmanager
def _gone_on_failure(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):
            path.unlink()
        raise


def _seal(path: Path) -> Path:
    return path.with_name(path.name + _SEAL)


def cached_array(path: Path, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any] | None:
    """An array that `cache_array` wrote, mapped into memory; None, with a warning, if it is not what is needed."""
    if not is_sound(path):
        return None
    try:
        stored = np.lib.format.open_memmap(path, mode="r")
    except (OSError, ValueError) as error:  # removed by another process just now, or never an array
        _damaged(path, reason(error))
        return None
    if stored.shape != shape or stored.dtype != dtype:
        _damaged(path, f"{stored.dtype} {stored.shape}, not {np.dtype(dtype)} {shape}")
        return None
    _state.mapped[path] += 1
    weakref.finalize(stored, _state.unmapped, path).atexit = False
    return stored


def cache_array(path: Path, array: NDArray[Any]) -> bool:
    """Write an array, see `write_cached`."""

    def write(temporary: Path) -> None:
        plain = np.ascontiguousarray(array)
        with temporary.open("wb") as file:
            np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(plain))
            file.write(plain.data)  # numpy's own writer would not say why the disk refused

    return write_cached(path, write)


def cached_json(path: Path) -> Any:
    """A JSON value that `cache_json` wrote; None if there is none that is as it was written."""
    if not is_sound(path):
        return None
    try:
        return read_json(path)
    except InputError as error:
        _damaged(path, str(error))
        return None


def cache_json(path: Path, value: Any) -> bool:
    """Write a JSON value, see `write_cached`."""
    text = json.dumps(value, allow_nan=False)

    def write(temporary: Path) -> None:
        temporary.write_text(text, encoding="utf-8")

    return write_cached(path, write)


def hold(path: Path) -> None:
    """Let no process make room at the cost of a file that this one opens again and again, for as long as it runs."""
    with contextlib.suppress(OSError), _state.lock:
        opened = _seal(path).open("rb")
        if not lock(opened, exclusive=False):
            opened.close()
            return
        if path in _state.held:
            _state.held[path].close()
        _state.held[path] = opened


# Room


@dataclass(frozen=True)
class _Entry:
    """A file of the cache with its checksum's."""

    path: Path
    used_s: float
    size: int


def _wrote(path: Path) -> None:
    """Count what was written; measure the folder again when that could matter."""
    root = cache_folder()
    if not path.is_relative_to(root):
        return
    _state.written_bytes += _state.verified.get(path, (0,))[0]
    if _state.written_bytes > _LOOK_AGAIN * budget_bytes():
        _make_room(root, path)


def prune() -> None:
    """Remove what ended processes have left half-written in the cache folder, then hold it to its budget."""
    root = cache_folder()
    for path in _walk(root):
        found = _FETCHING.fullmatch(path.name)
        if is_leftover(path, int(found[1]) if found else None):
            with contextlib.suppress(OSError):
                shutil.rmtree(path) if found else path.unlink()
    _make_room(root, None)


def _prune_once() -> None:
    root = cache_folder()
    budget_bytes()  # a number that is none is said at once, not when the folder is full
    with _state.lock:
        if root in _state.pruned:
            return
        _state.pruned.add(root)
    with contextlib.suppress(OSError):
        prune()


def _walk(root: Path) -> Iterator[Path]:
    """Everything in a folder, unfinished downloads as one thing each."""
    for folder, folders, files in os.walk(root):
        unfinished = [name for name in folders if _FETCHING.fullmatch(name)]
        folders[:] = [name for name in folders if name not in unfinished]
        yield from (Path(folder, name) for name in (*unfinished, *files))


def _make_room(root: Path, written: Path | None) -> None:
    """Remove what was not used for longest until the folder is within its budget."""
    entries = _entries(root)
    total, budget = sum(entry.size for entry in entries), budget_bytes()
    _state.written_bytes = 0
    if total <= budget * (1 - _LOOK_AGAIN):
        return
    gone = 0
    for entry in sorted(entries, key=lambda entry: entry.used_s):
        if total - gone <= _ROOM * budget:
            break
        if entry.path != written and _removed(entry):
            gone += entry.size
    if gone:
        _log.info("%s held %.0f MB; %.0f MB not used for longest were removed.", root, total / 1e6, gone / 1e6)
    if total - gone > budget:
        _log.warning("%s holds %.0f MB, more than its %.0f MB: all of it is in use.", root, *_mb(total - gone, budget))


def _mb(*sizes: int) -> tuple[float, ...]:
    return tuple(size / 1e6 for size in sizes)


def _entries(root: Path) -> list[_Entry]:
    """Files of the cache that count: those with a checksum, and those that earlier versions wrote without one."""
    sizes: dict[Path, os.stat_result] = {}
    for path in _walk(root):
        if path.relative_to(root).parts[0] not in FETCHED:
            with contextlib.suppress(OSError):
                sizes[path] = path.stat()
    entries = []
    for path, status in sizes.items():
        seal = sizes.get(_seal(path))
        if path.suffix == _SEAL:
            if path.with_suffix("") not in sizes:  # its file is gone
                entries.append(_Entry(path.with_suffix(""), 0.0, _room_of(status)))
        elif seal is not None:
            entries.append(_Entry(path, seal.st_mtime, _room_of(status) + _room_of(seal)))
        elif _EARLIER.fullmatch(path.relative_to(root).as_posix()):
            entries.append(_Entry(path, status.st_mtime, _room_of(status)))
    return entries


def _room_of(status: os.stat_result) -> int:
    """Bytes that a file takes on the disk."""
    return max(status.st_size, 512 * getattr(status, "st_blocks", 0))


def _removed(entry: _Entry) -> bool:
    """Remove a file and its checksum, unless a process uses it."""
    if _state.mapped[entry.path] > 0 or entry.path in _state.held:
        return False
    seal = _seal(entry.path)
    try:
        with seal.open("rb") if seal.is_file() else contextlib.nullcontext() as opened:
            if opened is not None and not lock(opened, exclusive=True):
                return False
            entry.path.unlink(missing_ok=True)
            seal.unlink(missing_ok=True)
        _state.verified.pop(entry.path, None)
    except OSError as error:
        _log.warning("%s cannot be removed: %s.", entry.path, reason(error))
        return False
    with contextlib.suppress(OSError):
        entry.path.parent.rmdir()  # if it was the last one
    return True
