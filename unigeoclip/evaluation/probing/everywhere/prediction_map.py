"""Predictions of a probe for every cell of a grid: pictures, a legend and a GeoTIFF of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from unigeoclip.errors import InputError
from unigeoclip.similarity.class_colors import class_colors
from unigeoclip.similarity.colormaps import hex_color, palette, paletted_png
from unigeoclip.similarity.grid import MAX_PICTURE_WIDTH_PX
from unigeoclip.similarity.grid_files import geotiff
from unigeoclip.similarity.heatmap import LegendStop

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.atlas.provenance import Provenance
    from unigeoclip.geo import Bounds
    from unigeoclip.similarity.grid import Grid

__all__ = ["DEFAULT_COLORMAP", "ClassSwatch", "PredictionMap"]

DEFAULT_COLORMAP = "viridis"
_LEVELS = 96  # colors of amounts
_RANGE = (2.0, 98.0)  # percent of the area between which the colors run; a few odd cells would use most of them up
_FAR_OPACITY = 0.35  # of cells far from any label, where they are shown at all
_MOST_COLORED = 254


class ClassSwatch(NamedTuple):
    """A class in a legend: its color, its name, its share of the area that is shown, 0 to 1."""

    color: str
    name: str
    share: float


@dataclass(frozen=True, eq=False)
class PredictionMap:
    """What a probe predicts at the cells of a grid.

    Attributes:
        grid: The cells that could be predicted.
        values: (n,) float64 amounts, or int64 numbers of classes.
        classes: Names of the classes; empty for amounts.
        target_name: What is predicted.
        unit: Its unit, for people; empty for none.
        distance_km: (n,) to the nearest labeled position.
        near_km: Cells farther than this from any labeled position are extrapolations, see `predicting.near_km`.
        provenance: Where it comes from; written into every file.
    """

    grid: Grid
    values: NDArray[np.float64] | NDArray[np.int64]
    classes: tuple[str, ...]
    target_name: str
    unit: str
    distance_km: NDArray[np.float64]
    near_km: float
    provenance: Provenance | None = None

    def __post_init__(self) -> None:
        if len(self.values) != len(self.grid) or len(self.distance_km) != len(self.grid):
            raise InputError(f"A map over {len(self.grid)} cells needs as many predictions; got {len(self.values)}.")
        if not np.isfinite(self.values).all():
            raise InputError("A map cannot be drawn: some predictions are not finite numbers.")

    @property
    def bounds(self) -> Bounds:
        """Corners (south, west, north, east) of the picture of ``png``, degrees; latitude ends at 85.0511."""
        return self.grid.mercator_bounds

    @cached_property
    def near(self) -> NDArray[np.bool_]:
        """Cells within ``near_km`` of a labeled position, (n,)."""
        near: NDArray[np.bool_] = self.distance_km <= self.near_km
        return near

    @property
    def extrapolation(self) -> str:
        """A sentence on how much of the map is far from any label; empty if little is."""
        area = self.grid.area_km2
        share = float(area[~self.near].sum() / area.sum())
        if share < 0.01:
            return ""
        return (
            f"{share:.0%} of the area lies farther than {self.near_km:.2g} km from any labeled position: predictions"
            " there are extrapolations."
        )

    def limits(self) -> tuple[float, float]:
        """Amounts of the lowest and the highest color: 2 and 98 percent of the area near labels, or of all."""
        rows = self.near if self.near.any() else np.ones(len(self.grid), bool)
        order = np.argsort(self.values[rows], kind="stable")
        area = np.cumsum(self.grid.area_km2[rows][order])
        low, high = np.interp(np.array(_RANGE) / 100 * area[-1], area, self.values[rows][order]).tolist()
        return (low, high) if high > low else (low - 0.5, low + 0.5)

    def value_at(self, lat: float, lon: float) -> float | str | None:
        """The prediction in the cell of a point, a class by its name; None off the grid.

        Raises:
            InputError: The coordinates are not a point on the globe.
        """
        cell = self.grid.cell_at(lat, lon)
        if cell is None:
            return None
        return self.classes[int(self.values[cell])] if self.classes else float(self.values[cell])

    def png(
        self,
        colormap: str = DEFAULT_COLORMAP,
        opacity: float = 1.0,
        *,
        near_only: bool = False,
        limits: tuple[float, float] | None = None,
        width_px: int | None = None,
        describe: bool = False,
    ) -> bytes:
        """Draw the map as a paletted PNG in Web Mercator (EPSG:3857), to be laid over ``bounds``.

        Args:
            colormap: Of amounts, one of ``colormaps.COLORMAPS``; classes have colors of their own.
            opacity: 0 invisible to 1 opaque; cells far from any label are fainter.
            near_only: Leave out cells far from any label.
            limits: Amounts of the lowest and the highest color; `limits` by default.
            width_px: Width of the picture, `Grid.picture_width_px` by default.
            describe: Whether the provenance goes into the file, as the text "Provenance" in JSON.

        Raises:
            InputError: An option is unknown or out of range.
        """
        width_px = self.grid.picture_width_px if width_px is None else width_px
        if not 1 <= width_px <= MAX_PICTURE_WIDTH_PX:
            raise InputError(f"The picture can be 1 to {MAX_PICTURE_WIDTH_PX} pixels wide, not {width_px}.")
        if not 0 <= opacity <= 1:
            raise InputError(f"opacity must lie between 0 (invisible) and 1 (opaque); it is {opacity:g}.")
        plan = self.grid.picture_plan(width_px)
        near = self.near[plan.leading_cells]
        if self.classes:
            colors = class_colors(len(self.classes))
            colors, numbers = np.unique(colors, axis=0, return_inverse=True)
            painted = numbers.ravel()[self.values.astype(np.int64)][plan.leading_cells]
        else:
            low, high = _checked(self.limits() if limits is None else limits)
            colors = palette(colormap, _LEVELS)
            along = (plan.weights @ self.values - low) / (high - low)
            painted = np.clip(along * _LEVELS, 0, _LEVELS - 1).astype(np.int64)
        alpha = np.repeat(np.round(np.array([opacity, opacity * _FAR_OPACITY]) * 255), len(colors))
        table = np.column_stack([np.tile(colors, (2, 1)), alpha]).astype(np.uint8)
        pixels = np.zeros(plan.shape, np.uint8)
        pixels.reshape(-1)[plan.pixels] = np.where(near, painted + 1, 0 if near_only else painted + 1 + len(colors))
        texts = {"Provenance": self.provenance.json()} if describe and self.provenance is not None else {}
        texts["Comment"] = "EPSG:3857; south, west, north, east = {}, {}, {}, {}".format(*self.bounds)
        return paletted_png(pixels, table, texts)

    def legend(
        self, colormap: str = DEFAULT_COLORMAP, *, limits: tuple[float, float] | None = None, stops: int = 6
    ) -> list[LegendStop]:
        """Marks of the color bar of amounts with the same options as ``png``, from low to high; none for classes."""
        if self.classes:
            return []
        low, high = _checked(self.limits() if limits is None else limits)
        along = np.linspace(0, 1, stops).tolist()
        return [
            LegendStop(fraction, low + fraction * (high - low), hex_color(rgb))
            for fraction, rgb in zip(along, palette(colormap, stops), strict=True)
        ]

    def swatches(self, *, near_only: bool = False) -> list[ClassSwatch]:
        """The classes on the map with their colors, the largest share of the area first; none for amounts."""
        if not self.classes:
            return []
        area = np.where(self.near, self.grid.area_km2, 0.0) if near_only else self.grid.area_km2
        sums = np.bincount(self.values.astype(np.int64), weights=area, minlength=len(self.classes))
        share = sums.astype(np.float64) / max(float(sums.sum()), 1e-9)
        colors = class_colors(len(self.classes))
        order = [number for number in np.argsort(-share, kind="stable").tolist() if share[number] > 0]
        return [ClassSwatch(hex_color(colors[number]), self.classes[number], float(share[number])) for number in order]

    def raster(self, *, near_only: bool = False) -> NDArray[np.float32] | NDArray[np.uint8] | NDArray[np.uint16]:
        """The predictions on the whole grid, (h, w), row 0 in the north.

        Args:
            near_only: Leave out cells far from any label.

        Returns:
            Amounts as float32, NaN for no data; classes as whole numbers from 1, 0 for no data.
        """
        keep = self.near if near_only else np.ones(len(self.grid), bool)
        if self.classes:
            numbers = np.zeros(self.grid.shape, np.uint8 if len(self.classes) <= _MOST_COLORED else np.uint16)
            numbers[self.grid.mask] = np.where(keep, self.values.astype(np.int64) + 1, 0)
            return numbers
        amounts = np.full(self.grid.shape, np.nan, np.float32)
        amounts[self.grid.mask] = np.where(keep, self.values, np.nan)
        return amounts

    def geotiff(self, *, near_only: bool = False) -> bytes:
        """The predictions as a GeoTIFF in EPSG:4326, one pixel a cell.

        Amounts are float32 with NaN for no data. Classes are whole numbers from 1 with 0 for no data, a color table
        (up to 254 classes) and their names in tags of the band: CLASS_1, CLASS_2 ..., and CLASSES, all as JSON.
        """
        tags = {} if self.provenance is None else self.provenance.tags()
        describe = f"{self.target_name}{f' ({self.unit})' if self.unit else ''}, predicted"
        if self.extrapolation:
            describe += f". {self.extrapolation}"
        tags |= {"TIFFTAG_IMAGEDESCRIPTION": describe, "NEAR_KM": f"{self.near_km:.6g}"}
        raster = self.raster(near_only=near_only)
        if not self.classes:
            band_tags = {"UNITS": self.unit} if self.unit else {}
            return geotiff(self.grid, raster, band=self.target_name, tags=tags, band_tags=band_tags)
        names = {f"CLASS_{number}": name for number, name in enumerate(self.classes, start=1)}
        names["CLASSES"] = json.dumps(list(self.classes), ensure_ascii=False)
        colors = None
        if raster.dtype == np.uint8:
            rgb = class_colors(len(self.classes)).tolist()
            colors = {0: (0, 0, 0, 0)} | {number: (*color, 255) for number, color in enumerate(rgb, start=1)}
        return geotiff(self.grid, raster, band=self.target_name, tags=tags, band_tags=names, colors=colors)


def _checked(limits: tuple[float, float]) -> tuple[float, float]:
    low, high = limits
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise InputError(f"The limits of the colors must be two rising numbers, not {low:g} and {high:g}.")
    return low, high
