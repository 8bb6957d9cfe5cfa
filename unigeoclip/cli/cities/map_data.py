"""The map of a city on the command line: what it is, what it costs, and fetching Overture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from unigeoclip.geo import Bounds
    from unigeoclip.sources.parquet.overture import OverturePlan
    from unigeoclip.sources.web import Web

__all__ = ["is_fetched", "map_lines", "plan_map"]


def is_fetched(tiles: str | None) -> bool:
    """Whether a source of the map is fetched before the build: Overture from its bucket."""
    from unigeoclip.build.city.extracts.overture import SCHEME
    from unigeoclip.sources.parquet.overture import RELEASE

    if tiles is None or not tiles.startswith(SCHEME):
        return False
    rest = tiles.removeprefix(SCHEME)
    return not rest or RELEASE.fullmatch(rest) is not None


def plan_map(tiles: str, bounds: Bounds, web: Web) -> OverturePlan:
    """Ask Overture what it has in an area."""
    from unigeoclip.build.city.extracts.overture_tags import COLUMNS
    from unigeoclip.sources.parquet.overture import plan_overture

    return plan_overture(tiles, COLUMNS, bounds, None, web)


def map_lines(tiles: str | None) -> list[str]:
    """What a map that is not fetched is, for people.

    Raises:
        InputError: It is a file of this machine that does not exist.
    """
    from unigeoclip.build.city.extracts.osm import ENDINGS
    from unigeoclip.build.city.extracts.overture import SCHEME

    if tiles is None:
        return ["map, texts: no --tiles given"]
    if tiles.startswith(SCHEME):
        folder = Path(tiles.removeprefix(SCHEME))
        size = sum(path.stat().st_size for path in folder.rglob("*.parquet"))
        return [f"map, texts from Overture Maps in {folder}: {size / 1e6:,.1f} MB, on this machine"]
    if tiles.endswith(ENDINGS):
        path = Path(tiles)
        if not path.is_file():
            raise InputError(f"--tiles {tiles} does not exist.")
        return [f"map, texts from {tiles}: an extract of OpenStreetMap, {path.stat().st_size / 1e6:,.1f} MB; ODbL 1.0"]
    return [f"map, texts: {tiles}"]
