"""Fetching map tiles from a server, politely: bounded, one at a time, cached, with retries and a name."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from unigeoclip.errors import DownloadError, InputError
from unigeoclip.files.cache import cache_folder, is_sound, write_cached
from unigeoclip.sources.web import FIRST_WAIT_S, AbsentError, Web

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAX_DOWNLOADS = 1024  # a city of 25 x 25 km has about 200 tiles of zoom 14
MAX_TILE_BYTES = 20_000_000  # as sent
_TYPICAL_TILE_BYTES = 150_000
_ANY = ("",)  # servers disagree on the content type of tiles, and the reader of tiles checks what they are


def download_tiles(
    template: str,
    z: int,
    wanted: Sequence[tuple[int, int]],
    cache: Path | None = None,
    progress: Callable[[str, float], None] | None = None,
    first_wait_s: float = FIRST_WAIT_S,
) -> tuple[dict[tuple[int, int], Path], list[tuple[int, int]]]:
    """Fetch tiles that are not in the cache yet; an interrupted download goes on where it stopped.

    Args:
        template: Address with {z}, {x} and {y}.
        z: Zoom.
        wanted: Column and row of each tile.
        cache: Folder to keep them in; the package's cache folder by default.
        progress: Called with what is being done (first: how many tiles and about how much) and the share done.
        first_wait_s: Wait before the first retry; each further wait is twice as long.

    Returns:
        Files by column and row, and the tiles that the server does not have (the open sea, often).

    Raises:
        InputError: More than `MAX_DOWNLOADS` tiles.
        DownloadError: The server cannot be reached, refuses, or fails again and again; what was fetched stays.
    """
    report = progress or (lambda _text, _share: None)
    if not template.startswith(("http://", "https://")):
        raise InputError(f"{template} is not an http or https address.")
    if len(wanted) > MAX_DOWNLOADS:
        raise InputError(
            f"The box holds {len(wanted):,} tiles of zoom {z}; at most {MAX_DOWNLOADS:,} are fetched from a server. "
            "Choose a smaller --bbox, or use an extract (.mbtiles or .pmtiles)."
        )
    folder = (cache or cache_folder()) / "tiles" / hashlib.sha256(template.encode()).hexdigest()[:16] / str(z)
    todo = [(x, y) for x, y in wanted if not is_sound(_file(folder, x, y))]
    if todo:
        size_mb = max(1, round(len(todo) * _TYPICAL_TILE_BYTES / 1e6))
        report(f"Downloading {len(todo)} tiles, about {size_mb} MB, from {template.split('/')[2]}", 0.0)
    web = Web(first_wait_s=first_wait_s)
    for number, (x, y) in enumerate(todo):
        url = template.replace("{z}", str(z)).replace("{x}", str(x)).replace("{y}", str(y))
        try:
            data = web.get(url, types=_ANY, most_bytes=MAX_TILE_BYTES)
        except AbsentError:
            data = b""
        keep_tile(_file(folder, x, y), data)
        report(f"Downloaded tile {number + 1} of {len(todo)}", (number + 1) / len(todo))
    files = {(x, y): _file(folder, x, y) for x, y in wanted}
    absent = [place for place, path in files.items() if path.stat().st_size == 0]
    return {place: path for place, path in files.items() if place not in set(absent)}, absent


def keep_tile(path: Path, data: bytes) -> None:
    """Keep a tile in the cache, with its checksum; an empty file says that the server has none.

    Raises:
        DownloadError: It cannot be written.
    """

    def write(temporary: Path) -> None:
        temporary.write_bytes(data)

    if not write_cached(path, write):
        raise DownloadError(
            f"{path} cannot be written, so the tile cannot be used. Make room, or set UNIGEOCLIP_CACHE."
        )


def _file(folder: Path, x: int, y: int) -> Path:
    return folder / str(x) / f"{y}.pbf"
