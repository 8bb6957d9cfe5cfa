"""The map of a city from any of its sources: vector tiles, an extract of OpenStreetMap, or Overture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from unigeoclip.build.city.extracts.osm import ENDINGS, open_osm
from unigeoclip.build.city.extracts.overture import SCHEME, open_overture
from unigeoclip.build.city.tile_sources import TileSet, open_tiles

if TYPE_CHECKING:
    from typing import TypeAlias

    from unigeoclip.build.city.extracts.base import Extract
    from unigeoclip.build.city.tile_sources import Progress
    from unigeoclip.geo import Bounds

    CityMap: TypeAlias = TileSet | Extract

__all__ = ["open_map"]


def open_map(
    source: str | Path, bbox: Bounds | None = None, cache: Path | None = None, progress: Progress | None = None
) -> CityMap:
    """Find the map that a word names.

    Args:
        source: What `open_tiles` takes, a file .osm.pbf or .osm, or overture:FOLDER.
        bbox: South, west, north, east in degrees; all of the source by default.
        cache: Folder for what is downloaded or unpacked; the package's cache folder by default.
        progress: Called with what is being done and the share done, 0 to 1.

    Raises:
        InputError: No such source, nothing in it, or too much.
        DownloadError: A server cannot be reached or refuses.
    """
    if str(source).startswith(SCHEME):
        return open_overture(str(source), bbox)
    path = Path(source)
    if str(source).endswith(ENDINGS) and path.is_file():
        return open_osm(path, bbox, progress or (lambda _text, _share: None))
    return open_tiles(source, bbox, cache, progress)
