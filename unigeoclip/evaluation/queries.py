"""Plain text queries and the independent rules that judge them.

A rule says which cells of the Earth or of a city count as inside for one query; `precision_at_area` says how much of
the hottest part of a similarity map lies there. The rules are data, made before any model was trained; how they are
made stands in ``build/rules``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from rasterio.errors import RasterioError

from unigeoclip.config import read_json
from unigeoclip.errors import AtlasError, InputError
from unigeoclip.geo import as_latlon, cell_area_km2

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

    from unigeoclip.geo import Bounds

__all__ = ["QueryScore", "Rule", "load_rules", "precision_at_area"]

FORMAT = 1
RULES_TABLE = "rules.json"
HOTTEST_LAND_SHARE = 0.01  # the hottest 1 % of the land, where the rules name no other share ...
HOTTEST_RULE_SHARE = 0.5  # ... or half the rule's own area, whichever is smaller
WHOLE_EARTH: Bounds = (-90.0, -180.0, 90.0, 180.0)


@dataclass(frozen=True)
class Rule:
    """A query and what counts as inside.

    Attributes:
        query: What a person types.
        words: The rule in plain English.
        sources: What the rule is made of.
        area_km2: Land inside it.
        mask: (rows, columns) bool, true inside; row 0 in the north, column 0 in the west.
        bounds: South, west, north, east of the mask, degrees; nothing beyond them is inside.
        hottest_share: Part of the land that is taken as the hottest, 0 to 1.
    """

    query: str
    words: str
    sources: tuple[str, ...]
    area_km2: float
    mask: NDArray[np.bool_]
    bounds: Bounds = WHOLE_EARTH
    hottest_share: float = HOTTEST_LAND_SHARE

    def inside(self, latlon: ArrayLike) -> NDArray[np.bool_]:
        """Which of the points (n, 2) degrees lie in a cell that is inside, (n,); false beyond the mask.

        Raises:
            InputError: Bad coordinates.
        """
        points = as_latlon(latlon)
        rows, columns = self.mask.shape
        south, west, north, east = self.bounds
        lat, lon = points[:, 0], points[:, 1]
        within = (lat >= south) & (lat <= north) & (lon >= west) & (lon <= east)
        row = ((north - lat) * (rows / (north - south))).clip(0, rows - 1).astype(np.intp)
        column = ((lon - west) * (columns / (east - west))).clip(0, columns - 1).astype(np.intp)
        inside: NDArray[np.bool_] = within & self.mask[row, column]
        return inside


@dataclass(frozen=True)
class QueryScore:
    """How well the hottest cells of one query match its rule.

    Attributes:
        query: What was asked.
        rule: The rule in plain English.
        precision: Share of the hottest area that is inside, percent.
        chance: Share of the land that is inside: the precision of a blind guess, percent.
        n_cells: Cells the hottest area is made of, the last ones perhaps in part.
        area: The hottest area, km2.
    """

    query: str
    rule: str
    precision: float
    chance: float
    n_cells: int
    area: float


def load_rules(folder: Path) -> tuple[Rule, ...]:
    """Read ``rules.json`` and its raster.

    Args:
        folder: The ``rules`` folder of an atlas.

    Returns:
        The rules in the order of the table.

    Raises:
        AtlasError: A file is missing, damaged or of another format; the message names it.
    """
    path = folder / RULES_TABLE
    try:
        table = read_json(path)
    except InputError as error:
        raise AtlasError(
            f"The query rules cannot be read: {error} Restore the folder or build the atlas again."
        ) from error
    if not isinstance(table, dict) or table.get("format") != FORMAT:
        raise AtlasError(f"{path} is not a table of query rules of format {FORMAT}; build the atlas again.")
    try:
        rows, shape = table["queries"], (table["grid"]["rows"], table["grid"]["columns"])
        masks = _read_masks(folder / table["raster"]["file"], len(rows), shape)
        where, share = _bounds(table["grid"]), float(table.get("hottest_share", HOTTEST_LAND_SHARE))
        return tuple(_rule(row, masks, where, share) for row in rows)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise AtlasError(
            f"{path}: an entry is missing or of the wrong kind ({error}); build the atlas again."
        ) from error


def _rule(row: dict[str, Any], masks: NDArray[np.bool_], bounds: Bounds, share: float) -> Rule:
    known = (row["query"], row["rule"], tuple(row["sources"]), float(row["area_km2"]))
    return Rule(*known, masks[row["band"] - 1], bounds, share)


def _bounds(grid: dict[str, Any]) -> Bounds:
    """Where the grid lies; a grid that does not say so covers the whole Earth."""
    south, west, north, east = (
        float(grid.get(f"{side}_deg", edge))
        for side, edge in zip(("south", "west", "north", "east"), WHOLE_EARTH, strict=True)
    )
    if not (south < north and west < east):
        raise ValueError(f"grid from {south} to {north} N, {west} to {east} E")
    return south, west, north, east


def _read_masks(path: Path, count: int, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """The bands of the raster, (count, rows, columns)."""
    try:
        with rasterio.open(path) as dataset:
            bands = dataset.read()
    except RasterioError as error:
        raise AtlasError(f"{path} is missing or damaged ({error}); restore it or build the atlas again.") from error
    if bands.shape != (count, *shape):
        raise AtlasError(
            f"{path} has {bands.shape}, the table {(count, *shape)} (rules, rows, columns); build the atlas again."
        )
    masks: NDArray[np.bool_] = bands > 0
    return masks


def precision_at_area(
    similarity: ArrayLike,
    cells: ArrayLike,
    mask: Rule | ArrayLike,
    land_area_km2: float | None = None,
    *,
    step_deg: float = 0.5,
    query: str = "",
    rule: str = "",
) -> QueryScore:
    """Area-weighted share of the hottest cells that lie inside a rule.

    "Hottest" is the smaller of a share of the land (1 % of the world's, 2 % of a city's; the rule says which) and half
    the rule's own area, taken from the warmest cell down. Cells that tie at the edge of it count in equal parts, so
    that no order of the cells matters and a map without any contrast scores exactly chance. A cell without a
    similarity (NaN) is the coldest of all and never a hit.

    Args:
        similarity: (n,) numbers.
        cells: (n, 2) centres of the land cells, degrees.
        mask: A rule, or (n,) booleans, true inside.
        land_area_km2: Area that the share and ``chance`` refer to; that of all the cells by default.
        step_deg: Width and height of the cells, degrees.
        query: What was asked, where ``mask`` is no rule.
        rule: The rule in words, where ``mask`` is no rule.

    Returns:
        Percentages 0-100, cells and km2.

    Raises:
        InputError: Lengths differ, every similarity is NaN, or no cell is inside the rule.
    """
    points = as_latlon(cells)
    heat = np.asarray(similarity, dtype=np.float64)
    if isinstance(mask, Rule):
        query, rule, inside, share = mask.query, mask.words, mask.inside(points), mask.hottest_share
    else:
        share = HOTTEST_LAND_SHARE
        inside = np.asarray(mask, dtype=bool)
    if heat.shape != (len(points),) or inside.shape != heat.shape:
        raise InputError(f"Query {query!r}: {len(points)} cells, but similarity {heat.shape} and rule {inside.shape}.")
    if np.isnan(heat).all():
        raise InputError(f"Query {query!r}: no cell has a similarity.")
    area_km2 = cell_area_km2(points[:, 0], step_deg)
    rule_km2 = float(area_km2[inside].sum())
    if rule_km2 == 0:
        raise InputError(f"Query {query!r}: none of the {len(points)} cells lies inside its rule ({rule}).")
    land_km2 = float(area_km2.sum()) if land_area_km2 is None else land_area_km2
    target_km2 = min(share * land_km2, HOTTEST_RULE_SHARE * rule_km2)
    parts = _hottest_parts(heat, area_km2, target_km2)
    hit_km2 = float((parts * area_km2)[inside & ~np.isnan(heat)].sum())
    return QueryScore(
        query=query,
        rule=rule,
        precision=min(100 * hit_km2 / target_km2, 100.0),
        chance=100 * rule_km2 / land_km2,
        n_cells=int((parts > 0).sum()),
        area=target_km2,
    )


def _hottest_parts(heat: NDArray[np.float64], area: NDArray[np.float64], target: float) -> NDArray[np.float64]:
    """Part of each cell (n,), 0 to 1, in the hottest ``target`` of area; cells that tie at its edge share the rest."""
    heat = np.where(np.isnan(heat), -np.inf, heat)
    order = np.argsort(-heat, kind="stable")
    last = min(int(np.searchsorted(np.cumsum(area[order]), target)), len(order) - 1)
    edge = heat[order[last]]
    hotter, tied = heat > edge, heat == edge
    left = target - area[hotter].sum()
    return np.asarray(hotter + tied * np.clip(left / area[tied].sum(), 0, 1))
