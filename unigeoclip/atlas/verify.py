"""Are the files of an atlas those its manifest lists? Sizes are compared always, contents when a file has changed."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from unigeoclip.atlas import schema
from unigeoclip.errors import AtlasError
from unigeoclip.files.atomic import sha256_of
from unigeoclip.files.cache import cache_folder, cache_json, cached_json

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
    kept = cached_json(note)
    known: _Stamps = kept if isinstance(kept, dict) else {}  # empty: never verified here, hash all
    mend = _mend(schema.CITY in files or schema.VIEWS in files, folder.resolve().name)
    stamps: _Stamps = {}
    for name, entry in files.items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise AtlasError(
                f"The manifest of {folder} lists {name!r}, which lies outside the folder. Correct atlas.json."
            )
        if not path.is_file():
            raise AtlasError(f"{path} is missing. {mend}")
        status = path.stat()
        if status.st_size != entry.bytes:
            raise AtlasError(
                f"{path} has {status.st_size:,} bytes, its manifest says {entry.bytes:,}: it is incomplete or of "
                f"another version. {mend}"
            )
        stamps[name] = [status.st_size, status.st_mtime_ns, entry.sha256]
        if known.get(name) != stamps[name] and sha256_of(path) != entry.sha256:
            raise AtlasError(
                f"{path} is not what its manifest lists (SHA-256 differs): it was changed or damaged. {mend}"
            )
    if stamps != known:
        cache_json(note, stamps)


def _mend(city: bool, name: str) -> str:
    """What to do about a damaged atlas, with the command that builds its kind."""
    command = f"city --name {name} --tiles TILES" if city else "world"
    return (
        "Restore it (of an atlas that comes with the project: from the repository), or build the atlas again: "
        f"python -m unigeoclip build {command}"
    )
