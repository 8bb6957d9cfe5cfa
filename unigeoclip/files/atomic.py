"""Reading and writing files safely: whole or not at all, and never more than a limit."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING

from unigeoclip.errors import InputError, UniGeoError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

__all__ = [
    "atomic",
    "discard_unfinished",
    "is_leftover",
    "lock",
    "owner_of_temporary",
    "read_bytes",
    "reason",
    "remove_leftovers",
    "sha256_of",
    "write_bytes",
]

_unfinished: set[Path] = set()  # what this process is writing
# Of file systems without hard links, or that do not let this user make them.
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK)
# As `atomic` names them, and as earlier versions did.
_TEMPORARY = re.compile(r"\.[0-9a-f]{16}\.(\d+)\.\d+\.tmp|\..+\.(\d+)\.tmp(?:\.\w+)?")


def reason(error: BaseException) -> str:
    """Why something failed, in a few words: what the system says, or the first line of the message."""
    said = getattr(error, "strerror", None) or str(error).strip()
    return str(said).splitlines()[0].rstrip(".") if said else type(error).__name__


@contextlib.contextmanager
def atomic(
    path: str | Path,
    *,
    error: type[UniGeoError] = InputError,
    remedy: str = "Choose another place, or make room on the disk.",
    failures: tuple[type[Exception], ...] = (),
    durable: bool = False,
    new: bool = False,
) -> Iterator[Path]:
    """Write a file under a temporary name beside it, then rename it: a reader never sees half a file.

    The name given is that of an empty file, with the permissions of any new file; whatever happens, nothing is left
    under it.

    Args:
        path: The file to write; its folder exists.
        error: Raised when it cannot be written.
        remedy: What to do then, a sentence for the message's end.
        failures: What else than OSError means that it cannot be written, for libraries that raise errors of their own.
        durable: Have the disk confirm the content before the rename, so that it survives a loss of power.
        new: Leave a file alone that has got this name meanwhile.

    Yields:
        Where to write.

    Raises:
        UniGeoError: ``error``, with the reason and the remedy.
        FileExistsError: There is such a file and ``new`` was asked for.
    """
    path = Path(path)
    # Not the whole name, since what comes with it could exceed the 255 bytes that a name may have.
    stem = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:16]
    # A random number: two threads may write the same file, and so may two containers that number processes alike.
    name = f".{stem}.{os.getpid()}.{secrets.randbelow(10**15)}.tmp"
    temporary = path.with_name(name) if path.name else path / ".tmp"
    caught: tuple[type[Exception], ...] = (OSError, *failures)
    in_work = None
    try:
        permissions, in_work = _create(temporary)
        _unfinished.add(temporary)
        yield temporary
        if stat.S_IMODE(temporary.stat().st_mode) != permissions:
            temporary.chmod(permissions)  # safetensors writes files that only their owner can read
        if durable:
            _confirm(temporary)
        if new:
            _name_new(temporary, path)
        else:
            temporary.replace(path)
    except caught as failure:
        if new and isinstance(failure, FileExistsError):
            raise
        raise error(f"{path} cannot be written: {reason(failure)}. {remedy}".rstrip()) from failure
    finally:
        if in_work is not None:  # else it is another's, or nobody's
            with contextlib.suppress(OSError):
                temporary.unlink()
            in_work.close()
            _unfinished.discard(temporary)


def _create(path: Path) -> tuple[int, BinaryIO]:
    """Make an empty file; returns the permissions that the system gives new files, and a lock until it is closed."""
    opened = path.open("xb")
    lock(opened, exclusive=False)
    permissions = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
    if os.name == "nt":  # has no such locks, and renames no open file
        opened.close()
    return permissions, opened


def lock(file: BinaryIO, *, exclusive: bool) -> bool:
    """Lock an open file without waiting, until it is closed.

    Returns:
        Whether no other process holds it; True where the system has no such locks.
    """
    try:
        import fcntl
    except ImportError:  # Windows, which does not remove open files anyway
        return True
    try:
        fcntl.flock(file, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _name_new(temporary: Path, path: Path) -> None:
    """Give a file a name that no other has: unlike a rename, a hard link never replaces one."""
    try:
        os.link(temporary, path)
    except OSError as failure:
        if failure.errno not in _NO_LINKS:
            raise
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from failure
        temporary.replace(path)


def _confirm(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def discard_unfinished(patience_s: float) -> None:
    """Remove the temporary files of threads that end with the process; for its last moments.

    Args:
        patience_s: Seconds for which what is being written may still be finished.
    """
    until = time.monotonic() + patience_s
    while _unfinished and time.monotonic() < until:
        time.sleep(0.02)
    for path in list(_unfinished):
        with contextlib.suppress(OSError):
            path.unlink()


def owner_of_temporary(name: str) -> int | None:
    """Number of the process that wrote a temporary file of this name; None if the name is of another kind."""
    found = _TEMPORARY.fullmatch(name)
    return int(found[1] or found[2]) if found else None


def is_leftover(path: Path, owner: int | None = None) -> bool:
    """Whether something is what a process that has ended left half-written.

    Args:
        path: The file or folder.
        owner: Number of the process; by default what the name of a temporary file tells.
    """
    import psutil

    owner = owner_of_temporary(path.name) if owner is None else owner
    if owner is None:
        return False
    try:
        # A process that began later only has the number of the one that wrote the file, as in a restarted container.
        return bool(psutil.Process(owner).create_time() > path.stat().st_mtime + 1) and not _is_in_work(path)
    except psutil.NoSuchProcess:  # unless it lives in another container, which shares the folder alone
        return not _is_in_work(path)
    except (psutil.Error, OSError):
        return False


def _is_in_work(path: Path) -> bool:
    """Whether a process, of this container or another, holds the lock of `atomic` on a temporary file."""
    try:
        with path.open("rb") as opened:
            return not lock(opened, exclusive=True)
    except OSError:  # a folder, or gone
        return False


def remove_leftovers(folder: Path) -> None:
    """Remove temporary files of ended processes from a folder."""
    with contextlib.suppress(OSError):
        for path in list(folder.iterdir()):
            if is_leftover(path):
                path.unlink()


def write_bytes(path: str | Path, data: bytes, *, error: type[UniGeoError] = InputError, **options: bool | str) -> None:
    """Write bytes whole or not at all, see `atomic`.

    Raises:
        UniGeoError: ``error``: the file cannot be written.
    """
    with atomic(path, error=error, **options) as temporary:  # type: ignore[arg-type]
        temporary.write_bytes(data)


def read_bytes(path: str | Path, limit: int, *, error: type[UniGeoError] = InputError) -> bytes:
    """Read a regular file of at most ``limit`` bytes; its size is looked at first.

    Raises:
        UniGeoError: ``error``: the file is missing, unreadable, larger, or no regular file (a device never ends).
    """
    path = Path(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # before opening: a pipe would wait for its other end
            raise error(f"{path} is no regular file. Give the path of a file.")
        with path.open("rb") as opened:
            size = os.fstat(opened.fileno()).st_size
            data = opened.read(limit + 1) if size <= limit else None
    except FileNotFoundError as failure:
        raise error(f"{path} does not exist.") from failure
    except (OSError, ValueError) as failure:  # ValueError: a NUL in the name
        raise error(f"{path} cannot be read: {reason(failure)}.") from failure
    if data is None or len(data) > limit:
        raise error(f"{path} is larger than the {limit:,} bytes that are read at most.")
    return data


def sha256_of(path: str | Path) -> str:
    """Checksum of a file, hexadecimal."""
    with Path(path).open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
