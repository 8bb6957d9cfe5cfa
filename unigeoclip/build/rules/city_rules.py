"""The exam for plain text queries on a city: what counts as "inside" for each, decided before any model is trained.

A rule is a mask on the grid of the city's heatmaps, made of outlines that were drawn by hand from general knowledge of
the city (``<city>_rules.geojson``) and of distances from them. Captions are written from the vector map, and no
outline is computed from it. The drawing is not blind to it either: it was laid over a picture of the map's land
classes, without names, and what was grossly displaced or forgotten was drawn again by eye. Of the outlines of Boston
386 are as first drawn, 62 were redrawn and 38 added after that look, 9 dropped: mostly golf courses, cemeteries,
woods, ponds, marshes and quarters of houses. For these the exam is less independent of the map than for names and
buildings. A count of the map's cemetery, wood, marsh, beach, runway, track and campus cells that the outlines miss was
made at the end; nothing was changed for it. No answer of a model was seen.

Twenty queries that no caption says word for word came later (the second half of `boston_queries`), with 161 more
outlines, before captions were written again with municipal boundaries and before a model was trained on those. They are
drawn from general knowledge of the city too; laid over the rendered aerial picture, without names, one was redrawn.

Outlines are as rough and as generous as the words that they judge: a neighbourhood ends somewhere within 150 m of its
line, a pond reaches as far as its shore is felt. They run out over the water where that is simpler, because only land
is ever counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.atlas.schema import Source
from unigeoclip.build.rules.boston_queries import BOSTON_QUERIES
from unigeoclip.build.rules.city_outlines import RULES_STEP_DEG, CityRuleSpec, Outlines, RuleGrid
from unigeoclip.build.rules.world_sources import OUTLINE
from unigeoclip.config import to_dict, write_json
from unigeoclip.files.atomic import sha256_of
from unigeoclip.files.cog import write_cog

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.geo import Bounds

__all__ = ["CITY_RULES", "CityRules", "build_city_rules", "rules_source"]

RULES_VERSION = 2
HOTTEST_SHARE = 0.02  # of the land: a city has fewer cells than the world, and its things are larger beside it
LEAST_DRAWN = 0.5  # in a smaller part of a city most rules have nothing left to find
_EDGE_DEG = 0.003  # outlines end somewhere within 300 m anyway


@dataclass(frozen=True)
class CityRules:
    """The rules of one city.

    Attributes:
        path: Its outlines.
        bounds: South, west, north, east in degrees of what was drawn completely.
        rules: Queries and their masks.
    """

    path: Path
    bounds: Bounds
    rules: tuple[CityRuleSpec, ...]


CITY_RULES: dict[str, CityRules] = {
    "boston": CityRules(
        Path(__file__).with_name("boston_rules.geojson"),
        (42.245, -71.257, 42.472, -70.95),
        BOSTON_QUERIES,
    ),
}
"""Rules by the name of the atlas; other cities have none."""


def build_city_rules(name: str, folder: Path, bounds: Bounds, step_deg: float = RULES_STEP_DEG) -> list[dict[str, Any]]:
    """Write ``rules.json`` and ``rules.tif`` of a city that has rules, in the form of the world's.

    Band n of the raster is the n-th rule, uint8, 1 inside and 0 outside. The same outlines give the same bytes.

    Args:
        name: Of the atlas.
        folder: Of the rules; created if something is written.
        bounds: South, west, north, east of the atlas, degrees.
        step_deg: Spacing of its heatmaps.

    Returns:
        The rows of the table as written; none, and no file, where no rules are known for the name, or where the atlas
        reaches beyond what was drawn or is less than half of it.

    Raises:
        AtlasError: The outlines cannot be read.
    """
    city = CITY_RULES.get(name)
    if city is None or not _judges(city.bounds, bounds):
        return []
    grid = RuleGrid.cover(bounds, step_deg)
    outlines = Outlines(city.path, grid)
    masks = np.stack([spec.mask(outlines) for spec in city.rules])
    rows = _table(city, masks, np.where(outlines.land, grid.area_km2, 0.0))
    folder.mkdir(parents=True, exist_ok=True)
    raster = folder / "rules.tif"
    write_cog(raster, masks.astype(np.uint8), grid.transform, compress="DEFLATE", level=9, overviews="NONE")
    south, west, north, east = bounds
    corners = {"north_deg": north, "west_deg": west, "south_deg": south, "east_deg": east}
    write_json(
        folder / "rules.json",
        {
            "format": 1,
            "version": RULES_VERSION,
            "hottest_share": HOTTEST_SHARE,
            "grid": {"step_deg": step_deg, "rows": grid.rows, "columns": grid.columns, **corners},
            "raster": {"file": raster.name, "sha256": sha256_of(raster)},
            "sources": {OUTLINE: to_dict(rules_source(name))},
            "queries": rows,
        },
    )
    return rows


def rules_source(name: str) -> Source:
    """Origin of the outlines of a city that has rules."""
    path = CITY_RULES[name].path
    return Source(
        name="Drawn outlines",
        package=path.name,
        version=str(RULES_VERSION),
        url="",
        what="rules of the plain text queries: outlines drawn by hand for this project",
        licence="MIT",
        attribution="outlines drawn by hand for this project",
        date="",
        bytes=path.stat().st_size,
        sha256=sha256_of(path),
    )


def _judges(drawn: Bounds, asked: Bounds) -> bool:
    """Whether outlines drawn completely inside some bounds can judge what lies inside others."""
    edge = _EDGE_DEG
    inside = all(d - edge <= a for d, a in zip(drawn[:2], asked[:2], strict=True))
    inside &= all(a <= d + edge for d, a in zip(drawn[2:], asked[2:], strict=True))
    area = [(north - south) * (east - west) for south, west, north, east in (drawn, asked)]
    return inside and area[1] >= LEAST_DRAWN * area[0]


def _table(city: CityRules, masks: NDArray[np.bool_], land_km2: NDArray[np.float64]) -> list[dict[str, Any]]:
    """Rows of the table; areas count the land as it was drawn."""
    return [
        {
            "query": spec.query,
            "rule": spec.words,
            "sources": [OUTLINE],
            "area_km2": round(float(land_km2[mask].sum()), 3),
            "land_share_percent": round(float(100 * land_km2[mask].sum() / land_km2.sum()), 3),
            "band": band,
        }
        for band, (spec, mask) in enumerate(zip(city.rules, masks, strict=True), start=1)
    ]
