"""The exam for plain text queries on a city: what counts as "inside" for each, decided before any model is trained.

A rule is a mask on the grid of the city's heatmaps, made of outlines that were drawn by hand from general knowledge of
the city (``<city>_rules.geojson``) and of distances from them. Captions are written from the vector map, and no
outline is computed from it. The drawing is not blind to it either: it was laid over a picture of the map's land
classes, without names, and what was grossly displaced or forgotten was drawn again by eye. Of the outlines of Boston
386 are as first drawn, 62 were redrawn and 38 added after that look, 9 dropped: mostly golf courses, cemeteries,
woods, ponds, marshes and quarters of houses. For these the exam is less independent of the map than for names and
buildings. A count of the map's cemetery, wood, marsh, beach, runway, track and campus cells that the outlines miss was
made at the end; nothing was changed for it. No answer of a model was seen.

Outlines are as rough and as generous as the words that they judge: a neighbourhood ends somewhere within 150 m of its
line, a pond reaches as far as its shore is felt. They run out over the water where that is simpler, because only land
is ever counted.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from rasterio.features import rasterize
from rasterio.transform import Affine

from unigeoclip.atlas.schema import Source
from unigeoclip.build.rules.world_sources import OUTLINE
from unigeoclip.config import to_dict, write_json
from unigeoclip.errors import AtlasError, InputError
from unigeoclip.files.atomic import sha256_of
from unigeoclip.files.cog import write_cog
from unigeoclip.geo import EARTH_RADIUS_M, cell_area_km2

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from unigeoclip.geo import Bounds

    Mask = NDArray[np.bool_]  # (rows, columns)

__all__ = ["CITY_RULES", "CityRuleSpec", "CityRules", "Outlines", "RuleGrid", "build_city_rules", "rules_source"]

RULES_VERSION = 1
RULES_STEP_DEG = 0.001
HOTTEST_SHARE = 0.02  # of the land: a city has fewer cells than the world, and its things are larger beside it
LEAST_DRAWN = 0.5  # in a smaller part of a city most rules have nothing left to find
_EDGE_DEG = 0.003  # outlines end somewhere within 300 m anyway
_M_PER_DEG = EARTH_RADIUS_M * np.pi / 180


@dataclass(frozen=True)
class RuleGrid:
    """Cells over (south, west, north, east) degrees; row 0 in the north, column 0 in the west."""

    bounds: Bounds
    rows: int
    columns: int

    @classmethod
    def cover(cls, bounds: Bounds, step_deg: float = RULES_STEP_DEG) -> RuleGrid:
        """The grid whose cells are those of the heatmaps of an atlas with these bounds and this spacing."""
        south, west, north, east = bounds
        return cls(bounds, max(1, round((north - south) / step_deg)), max(1, round((east - west) / step_deg)))

    @property
    def transform(self) -> Affine:
        """Pixel (column, row) to degrees (longitude, latitude)."""
        south, west, north, east = self.bounds
        return Affine((east - west) / self.columns, 0.0, west, 0.0, (south - north) / self.rows, north)

    @property
    def area_km2(self) -> NDArray[np.float64]:
        """Area of the cells, (rows, columns)."""
        transform = self.transform
        lat = transform.f + transform.e * (np.arange(self.rows) + 0.5)
        area = cell_area_km2(lat, float(np.sqrt(-transform.a * transform.e)))
        return np.repeat(area[:, None], self.columns, axis=1)


class Outlines:
    """The outlines of a city on a grid; a rule is an expression of them.

    Args:
        path: GeoJSON whose features have a ``name``, a ``kind`` and, for lines and points, ``buffer_m``, metres.
        grid: Where the masks lie.

    Raises:
        AtlasError: The file is missing or damaged.
    """

    def __init__(self, path: Path, grid: RuleGrid) -> None:
        self.grid = grid
        # Shapes are held in metres on a plane that touches the middle of the city, so that distances can be drawn.
        south, _, north, _ = grid.bounds
        self._scale = np.array([_M_PER_DEG * np.cos(np.radians((south + north) / 2)), _M_PER_DEG])
        try:
            features = json.loads(path.read_text(encoding="utf-8"))["features"]
            self._shapes = [(f["properties"]["kind"], f["properties"]["name"], self._shape(f)) for f in features]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise AtlasError(f"{path} is not a readable file of outlines: {error!r}. Restore it from git.") from error

    def _shape(self, feature: dict[str, Any]) -> Any:
        flat = shapely.transform(shapely.geometry.shape(feature["geometry"]), lambda lonlat: lonlat * self._scale)
        return shapely.make_valid(flat).buffer(feature["properties"].get("buffer_m", 0))

    def kind(self, *kinds: str, around_m: float = 0) -> Mask:
        """Cells whose centre lies in an outline of these kinds or within ``around_m`` metres of one."""
        return self._burn([shape for kind, _, shape in self._shapes if kind in kinds], kinds, around_m)

    def area(self, *names: str) -> Mask:
        """Cells whose centre lies in one of the named areas."""
        return self._burn([s for kind, name, s in self._shapes if kind == "area" and name in names], names)

    def named(self, kind: str, start: str) -> Mask:
        """Cells whose centre lies in an outline of this kind whose name starts with these letters."""
        return self._burn([s for k, name, s in self._shapes if k == kind and name.startswith(start)], (kind, start))

    @cached_property
    def land(self) -> Mask:
        """Cells that are not in the drawn harbour, sea and basin."""
        return ~self.kind("water") | self.kind("island")

    def _burn(self, shapes: list[Any], asked: tuple[str, ...], around_m: float = 0) -> Mask:
        if not shapes:
            raise InputError(f"No outline is drawn for {', '.join(asked)}.")
        wide = [shape.buffer(around_m) if around_m else shape for shape in shapes]
        degrees, (x, y) = self.grid.transform, self._scale
        to_meters = Affine(degrees.a * x, 0.0, degrees.c * x, 0.0, degrees.e * y, degrees.f * y)
        grid = rasterize(wide, (self.grid.rows, self.grid.columns), transform=to_meters, dtype=np.uint8)
        return np.asarray(grid, dtype=bool)


@dataclass(frozen=True)
class CityRuleSpec:
    """One query and what counts as inside.

    Attributes:
        query: The text a person types.
        words: The rule in plain English.
        mask: Expression of the outlines, true inside.
    """

    query: str
    words: str
    mask: Callable[[Outlines], Mask]


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


def _in_area(name: str, words: str = "the neighbourhood") -> CityRuleSpec:
    return CityRuleSpec(name, f"inside the outline of {words} {name}", lambda o: o.area(name))


def _at(query: str, words: str, *kinds: str, around_m: float = 0) -> CityRuleSpec:
    return CityRuleSpec(query, words, lambda o: o.kind(*kinds, around_m=around_m))


_BOSTON = (
    # Names.
    _in_area("Fenway"),
    _in_area("Back Bay"),
    _in_area("Beacon Hill"),
    _in_area("North End"),
    _in_area("Chinatown"),
    _in_area("South End"),
    _in_area("Roxbury"),
    _in_area("Jamaica Plain"),
    _in_area("Dorchester"),
    _in_area("South Boston"),
    _in_area("East Boston"),
    _in_area("Charlestown"),
    _in_area("Allston"),
    _in_area("Cambridge", "the city of"),
    _in_area("Somerville", "the city of"),
    _in_area("Brookline", "the town of"),
    _in_area("Newton", "the city of"),
    _in_area("Quincy", "the city of"),
    CityRuleSpec("Harvard Square", "within about 500 m of Harvard Square", lambda o: o.area("Harvard Square")),
    CityRuleSpec("Kendall Square", "within about 500 m of Kendall Square", lambda o: o.area("Kendall Square")),
    _at("Boston Common", "on Boston Common or the Public Garden, or within 100 m", "common", around_m=100),
    CityRuleSpec("Charles River", "within 300 m of the Charles", lambda o: o.named("river", "Charles River")),
    # Land and water.
    _at(
        "park by the river",
        "within 220 to 500 m of the stretches of the Charles, Mystic, Neponset and Muddy River that parks line",
        "riverside park",
    ),
    _at("harbour with docks", "within 330 m of a harbour front with wharves, piers or a marina", "harbour front"),
    _at("beach", "within about 200 m of one of the beaches", "beach"),
    _at("woods", "in one of the larger woods, or within 100 m", "woods", around_m=100),
    _at("pond", "within about 200 m of the shore of a pond, lake or reservoir", "pond"),
    _at("salt marsh", "in one of the marshes by the sea, rivers and brooks, or within 100 m", "marsh", around_m=100),
    CityRuleSpec("island in the harbour", "on an island of Boston Harbor", lambda o: o.kind("island", around_m=100)),
    _at("golf course", "on a golf course, or within 150 m", "golf", around_m=150),
    _at("cemetery", "in a cemetery, or within 120 m", "cemetery", around_m=120),
    # Fabric.
    _at(
        "downtown towers",
        "in the financial district, at Government Center, the Prudential, Copley or Fan Pier, or within 100 m",
        "towers",
        around_m=100,
    ),
    _at(
        "quiet residential streets",
        "in one of the quarters of family houses or the leafy suburbs, as drawn",
        "quiet quarter",
        "gardens",
    ),
    _at("large houses with gardens", "in one of the leafy, loosely built suburbs", "gardens"),
    CityRuleSpec(
        "brick row houses",
        "in Back Bay, Beacon Hill, the North End, the South End, or among the rows of Charlestown, South Boston, Bay "
        "Village, Jeffries Point, the eastern Fens and Roxbury",
        lambda o: o.area("Back Bay", "Beacon Hill", "North End", "South End") | o.kind("rows"),
    ),
    _at("triple-decker houses", "in one of the quarters that are known for triple-deckers", "triple-deckers"),
    _at(
        "warehouses and factories", "in an industrial area or port, or within 100 m", "industry", "docks", around_m=100
    ),
    _at("container port", "at a cargo terminal or industrial docks, or within 150 m", "docks", around_m=150),
    _at("rail yard", "within 200 to 330 m of one of the yards and wide bands of tracks", "rail"),
    _at("airport", "on Logan airport, or within 150 m", "airport", around_m=150),
    # Activities.
    _at("university campus", "on the campus of a university or college, or within 100 m", "campus", around_m=100),
    CityRuleSpec(
        "restaurants in Brighton",
        "in Brighton, within 260 m of a street where its restaurants are",
        lambda o: o.kind("restaurants of Brighton") & o.area("Brighton"),
    ),
    _at("hospital", "within about 300 m of a hospital", "hospital", around_m=50),
    _at("shopping mall", "within about 300 m of a shopping centre or mall", "mall"),
    _at("museum", "within 300 m of a museum", "museum", around_m=40),
    _at("sports stadium", "within about 300 m of a stadium or arena", "stadium"),
    _at("theatre district", "in the Theatre District, or close to another theatre", "theatre", around_m=50),
    _at("zoo", "in Franklin Park Zoo or Stone Zoo, or within 100 m", "zoo", around_m=100),
)

CITY_RULES: dict[str, CityRules] = {
    "boston": CityRules(Path(__file__).with_name("boston_rules.geojson"), (42.245, -71.257, 42.472, -70.95), _BOSTON),
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
