"""Outlines drawn by hand on the grid of a city's heatmaps, and rules that are expressions of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from rasterio.features import rasterize
from rasterio.transform import Affine

from unigeoclip.errors import AtlasError, InputError
from unigeoclip.geo import EARTH_RADIUS_M, cell_area_km2

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from unigeoclip.geo import Bounds

    Mask = NDArray[np.bool_]  # (rows, columns)

__all__ = ["RULES_STEP_DEG", "CityRuleSpec", "Outlines", "RuleGrid"]

RULES_STEP_DEG = 0.001
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
        return self.some("area", *names)

    def some(self, kind: str, *names: str, around_m: float = 0) -> Mask:
        """Cells whose centre lies in one of the named outlines of a kind or within ``around_m`` metres of one.

        Raises:
            InputError: No outline of the kind has one of the names.
        """
        known = {name for k, name, _ in self._shapes if k == kind}
        if missing := [name for name in names if name not in known]:
            raise InputError(f"No outline of the kind {kind!r} is drawn for {', '.join(missing)}.")
        return self._burn([s for k, name, s in self._shapes if k == kind and name in names], names, around_m)

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
