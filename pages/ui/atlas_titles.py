"""Names of atlases as their manifests give them, without opening the atlases."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from unigeoclip.atlas import schema, store
from unigeoclip.config import read_json
from unigeoclip.errors import InputError, excerpt

if TYPE_CHECKING:
    from pathlib import Path

MAX_TITLE_CHARACTERS = 40


def atlas_title(name: str) -> str:
    """Title of an atlas at hand: that of its manifest, or its folder's name if the manifest cannot be read."""
    file = manifest_file(name)
    try:
        return _title(file, file.stat().st_mtime_ns) or _spaced(name)
    except OSError:
        return _spaced(name)


def manifest_file(name: str) -> Path:
    """Where the manifest of an atlas is."""
    return store.ATLASES_FOLDER / name / schema.MANIFEST


@lru_cache(maxsize=256)
def _title(file: Path, _written_ns: int) -> str:
    """The title in a manifest; empty if there is none, which opening the atlas then says."""
    try:
        manifest = read_json(file)
    except InputError:
        return ""
    title = manifest.get("title") if isinstance(manifest, dict) else None
    return excerpt(title, MAX_TITLE_CHARACTERS) if isinstance(title, str) else ""


def _spaced(name: str) -> str:
    words = name.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]
