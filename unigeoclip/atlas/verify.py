"""Are the files of an atlas those its manifest lists? Sizes are compared always, contents when a file has changed."""

from __future__ import annotations

import contextlib
import hashlib
import json
from typing import TYPE_CHECKING

from unigeoclip.atlas.cache import cache_folder
from unigeoclip.errors import AtlasError, InputError
from unigeoclip.files import sha256_of, write_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from unigeoclip.atlas.schema import FileEntry

_Stamps = dict[str, list[int | str]]  # path in the folder -> size, time of change, checksum when last hashed


def verify_files(folder: Path, files: Mapping[str, FileEntry]) -> None:
    """Compare the files of a folder with what is listed.

    A file is hashed when its size or time of change differ from those noted when it was last hashed; the notes lie in
    the cache folder. If they cannot be kept there, every call hashes.

    Raises:
        AtlasError: A file is missing or has another size or content; the message names it.
    """
    note = cache_folder() / "verified" / f"{hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:24]}.json"
    known = _read_stamps(note)
    stamps: _Stamps = {}
    for name, entry in files.items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise AtlasError(
                f"The manifest of {folder} lists {name!r}, which lies outside the folder. Correct atlas.json."
            )
        if not path.is_file():
            raise AtlasError(
                f"{path} is missing. Restore it, or build the atlas again: python -m unigeoclip build {folder.name}"
            )
        status = path.stat()
        if status.st_size != entry.bytes:
            raise AtlasError(
                f"{path} has {status.st_size:,} bytes, its manifest says {entry.bytes:,}: it is incomplete or of "
                f"another version. Restore it, or build the atlas again: python -m unigeoclip build {folder.name}"
            )
        stamps[name] = [status.st_size, status.st_mtime_ns, entry.sha256]
        if known.get(name) != stamps[name] and sha256_of(path) != entry.sha256:
            raise AtlasError(
                f"{path} is not what its manifest lists (SHA-256 differs): it was changed or damaged. "
                f"Restore it, or build the atlas again: python -m unigeoclip build {folder.name}"
            )
    if stamps != known:
        _write_stamps(note, stamps)


def _read_stamps(note: Path) -> _Stamps:
    try:
        known = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # never verified here, or the note was cut short: hash again
        return {}
    return known if isinstance(known, dict) else {}


def _write_stamps(note: Path, stamps: _Stamps) -> None:
    # A cache that cannot be written costs time and nothing else.
    with contextlib.suppress(OSError, InputError):
        note.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(note, json.dumps(stamps).encode())
