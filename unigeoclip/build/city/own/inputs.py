"""The words of --aerial, --surface and --street turned into local files and folders."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from unigeoclip.errors import InputError, excerpt
from unigeoclip.geo import Bounds
from unigeoclip.sources import SOURCES
from unigeoclip.sources.plan import fetch_word

__all__ = ["FETCHERS", "Fetch", "resolve"]

# (word, modality, south west north east, cache folder or None for the default) -> a folder of rasters or a table of
# photos, both as `raster_files` and `user_photos` read them, with the license and credit of each file.
Fetch = Callable[[str, str, Bounds, Path | None], Path]

# Scheme of a word, such as "stac" -> what fetches it.
FETCHERS: Mapping[str, Fetch] = MappingProxyType(dict.fromkeys(SOURCES, fetch_word))
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):", re.IGNORECASE)  # of two letters or more: C: is a disk


def resolve(
    words: Sequence[str], modality: str, bbox: Bounds | None = None, cache: Path | None = None
) -> tuple[Path, ...]:
    """Local files and folders of what an option names, in the order given; what lies elsewhere is fetched.

    Args:
        words: Paths, or SCHEME:REST with a scheme of `FETCHERS`.
        modality: "aerial", "surface" or "street".
        bbox: South, west, north, east in degrees of what is wanted; fetching needs one.
        cache: Folder of what is fetched; the package's cache folder by default.

    Raises:
        InputError: A path that does not exist, a scheme that is not known, or one to fetch without ``bbox``.
        DownloadError: It cannot be fetched.
    """
    return tuple(_local(word, modality, bbox, cache) for word in words)


def _local(word: str, modality: str, bbox: Bounds | None, cache: Path | None) -> Path:
    path, scheme = Path(word), _SCHEME.match(word)
    if scheme is None or path.exists():
        if not path.exists():
            raise InputError(f"--{modality} {excerpt(word)} does not exist. Give a file or a folder.")
        return path
    fetch = FETCHERS.get(scheme[1].lower())
    if fetch is None:
        known = f"; known are {', '.join(f'{name}:' for name in sorted(FETCHERS))}" if FETCHERS else ""
        raise InputError(
            f"--{modality} {excerpt(word)}: {scheme[1]}: is no source that can be fetched{known}. Give local files."
        )
    if bbox is None:
        raise InputError(f"--{modality} {excerpt(word)} needs --bbox SOUTH,WEST,NORTH,EAST: how much must be bounded.")
    return fetch(word, modality, bbox, cache)
