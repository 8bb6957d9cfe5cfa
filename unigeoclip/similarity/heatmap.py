"""Grids of locations and heatmaps over them: similarities in, Web Mercator pictures, GeoTIFF and GeoJSON out."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from PIL import Image

from unigeoclip.errors import InputError
from unigeoclip.files.atomic import write_bytes
from unigeoclip.geo import (
    EARTH_RADIUS_M,
    MAX_MERCATOR_LAT_DEG,
    as_latlon,
    inverse_web_mercator,
    web_mercator,
    wrap_lon_deg,
)
from unigeoclip.similarity.colormaps import DEFAULT_COLORMAP, hex_color, palette, paletted_png

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

__all__ = ["Best", "Grid", "Heatmap", "LegendStop", "check_ending", "colored_picture", "write_atomically"]

Bounds = tuple[float, float, float, float]  # south, west, north, east in degrees
Scale = Literal["similarity", "percentile", "absolute"]

PICTURE_WIDTH_PX = 1024  # of grids that have so much to show; others are drawn with two pixels a cell
LEAST_WIDTH_PX = 512
MAX_PICTURE_WIDTH_PX = 4096
MAX_PICTURE_BYTES = 150_000
LEAST_SPAN = 1e-6
_BAND_ROWS = 128
# Fewer colours compress better. 96 look like 255 on a map; the others are for maps that are almost noise.
_COLOR_LEVELS = (96, 32, 8)
_BLENDED: dict[str, Any] = {"quality": 88, "method": 2, "alpha_quality": 100}
_CLASSES: dict[str, Any] = {"lossless": True, "quality": 30, "method": 2}


class Best(NamedTuple):
    """The hottest cell of a heatmap: its centre in degrees and its similarity."""

    lat: float
    lon: float
    similarity: float


class LegendStop(NamedTuple):
    """A mark of the legend: place along the colour bar (0 low, 1 high), the similarity there, its colour."""

    fraction: float
    similarity: float
    color: str


@dataclass(frozen=True, eq=False)
class Grid:
    """A regular grid of latitude and longitude, of which only some cells count (land, say).

    Attributes:
        bounds: Outer edges (south, west, north, east) in degrees; east exceeds 180 where a grid crosses the date line.
        mask: (h, w) bool, row 0 in the north: the cells that count. Numbered row by row they are the grid's ``cells``.

    Raises:
        InputError: The bounds are empty or leave the globe, or no cell counts.
    """

    bounds: Bounds
    mask: NDArray[np.bool_]

    def __post_init__(self) -> None:
        south, west, north, east = self.bounds
        if not (-90 <= south < north <= 90 and -180 <= west < 180 and west < east <= west + 360):
            raise InputError(
                f"Grid bounds (south, west, north, east) = {self.bounds} do not describe a part of the globe."
            )
        if self.mask.ndim != 2 or not self.mask.any():
            raise InputError(f"The grid over {self.bounds} has no cells: its mask {self.mask.shape} is empty.")

    @classmethod
    def over(
        cls, bounds: Bounds, step_deg: float, keep: Callable[[NDArray[np.float64]], NDArray[np.bool_]] | None = None
    ) -> Grid:
        """Cover bounds with cells of about ``step_deg`` (an exact number of them fits).

        Args:
            bounds: (south, west, north, east) degrees.
            step_deg: Height and width of a cell in degrees.
            keep: Takes cell centres (n, 2) degrees and says which count, (n,) bool; all by default.

        Raises:
            InputError: The step is not positive, or no cell counts.
        """
        if not step_deg > 0:
            raise InputError(f"The grid step must be a positive number of degrees; it is {step_deg:g}.")
        south, west, north, east = bounds
        shape = (max(1, round((north - south) / step_deg)), max(1, round((east - west) / step_deg)))
        full = cls(bounds, np.ones(shape, dtype=bool))
        return full if keep is None else cls(bounds, keep(full.cells).reshape(shape))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the grid."""
        return self.mask.shape[0], self.mask.shape[1]

    @property
    def step_deg(self) -> tuple[float, float]:
        """Height and width of a cell in degrees."""
        south, west, north, east = self.bounds
        return (north - south) / self.shape[0], (east - west) / self.shape[1]

    @property
    def mercator_bounds(self) -> Bounds:
        """The bounds, cut off where the Web Mercator square ends: the corners of a heatmap's picture, degrees."""
        south, west, north, east = self.bounds
        return max(south, -MAX_MERCATOR_LAT_DEG), west, min(north, MAX_MERCATOR_LAT_DEG), east

    def __len__(self) -> int:
        return len(self.cells)

    @cached_property
    def cells(self) -> NDArray[np.float64]:
        """Centres of the cells that count, (n, 2) degrees, from the north-west, row by row."""
        lat_step, lon_step = self.step_deg
        rows, columns = np.nonzero(self.mask)
        lat = self.bounds[2] - (rows + 0.5) * lat_step
        return np.stack([lat, wrap_lon_deg(self.bounds[1] + (columns + 0.5) * lon_step)], axis=1)

    @cached_property
    def area_km2(self) -> NDArray[np.float64]:
        """Area of each cell on the mean sphere, (n,) square kilometres."""
        lat_step, lon_step = self.step_deg
        edges = np.radians(self.bounds[2] - np.arange(self.shape[0] + 1) * lat_step)
        row_km2 = (EARTH_RADIUS_M / 1000) ** 2 * np.radians(lon_step) * -np.diff(np.sin(edges))
        area: NDArray[np.float64] = row_km2[np.nonzero(self.mask)[0]]
        return area

    @cached_property
    def _numbers(self) -> NDArray[np.int32]:
        """Number of each cell that counts, -1 elsewhere, (h, w)."""
        numbers = np.full(self.shape, -1, dtype=np.int32)
        numbers[self.mask] = np.arange(self.mask.sum(), dtype=np.int32)
        return numbers

    def cell_at(self, lat: float, lon: float) -> int | None:
        """Number of the cell a point lies in; None outside the grid or where the cell does not count.

        Raises:
            InputError: The coordinates are not a point on the globe.
        """
        (lat, lon) = as_latlon([(lat, lon)])[0]
        lat_step, lon_step = self.step_deg
        row = min(int((self.bounds[2] - lat) // lat_step), self.shape[0] - (lat == self.bounds[0]))
        column = int(((lon - self.bounds[1]) % 360) // lon_step)
        if not (0 <= row < self.shape[0] and column < self.shape[1]):
            return None
        number = int(self._numbers[row, column])
        return number if number >= 0 else None

    def cells_at(self, latlon: NDArray[np.float64]) -> NDArray[np.int32]:
        """`cell_at` for many points, (n, 2) degrees -> (n,); -1 outside the grid or where the cell does not count."""
        lat_step, lon_step = self.step_deg
        rows = ((self.bounds[2] - latlon[:, 0]) // lat_step).astype(np.int64)
        rows -= latlon[:, 0] == self.bounds[0]
        columns = (((latlon[:, 1] - self.bounds[1]) % 360) // lon_step).astype(np.int64)
        inside = (rows >= 0) & (rows < self.shape[0]) & (columns < self.shape[1])
        found = np.full(len(latlon), -1, np.int32)
        found[inside] = self._numbers[rows[inside], columns[inside]]
        return found

    @property
    def picture_width_px(self) -> int:
        """Width of a picture of the grid: two pixels a cell, as far as that is reasonable."""
        return min(max(2 * self.shape[1], LEAST_WIDTH_PX), PICTURE_WIDTH_PX)

    @cached_property
    def _default_plan(self) -> _PicturePlan:
        return _PicturePlan.of(self, self.picture_width_px)

    def _plan(self, width_px: int) -> _PicturePlan:
        """The plan of the usual width is kept; others are rare and may be large."""
        return self._default_plan if width_px == self.picture_width_px else _PicturePlan.of(self, width_px)


@dataclass(frozen=True, eq=False)
class _PicturePlan:
    """How cell values become the pixels of a Web Mercator picture: computed once per grid and width."""

    shape: tuple[int, int]
    pixels: NDArray[np.intp]  # flat numbers of the painted pixels, (p,)
    weights: csr_array  # (p, n): bilinear weights of the cells

    @cached_property
    def leading_cells(self) -> NDArray[np.int32]:
        """The cell that weighs most in each painted pixel, (p,)."""
        first = np.argmax(self.weights.data.reshape(-1, 4), axis=1)
        cells: NDArray[np.int32] = self.weights.indices.reshape(-1, 4)[np.arange(len(first)), first]
        return cells

    @classmethod
    def of(cls, grid: Grid, width_px: int) -> _PicturePlan:
        """Plan a picture ``width_px`` wide of the grid, cut off where the Web Mercator square ends."""
        from scipy.sparse import csr_array

        south, west, north, east = grid.mercator_bounds
        left_m, right_m = web_mercator(np.array([(0.0, west), (0.0, east)]))[:, 0]
        bottom_m, top_m = web_mercator(np.array([(south, 0.0), (north, 0.0)]))[:, 1]
        height_px = max(1, round(width_px * float((top_m - bottom_m) / (right_m - left_m))))
        y_m = top_m - (np.arange(height_px) + 0.5) * (top_m - bottom_m) / height_px
        lat = inverse_web_mercator(np.stack([np.zeros_like(y_m), y_m], axis=1))[:, 0]
        lat_step, lon_step = grid.step_deg
        rows, row_weights = _neighbors((grid.bounds[2] - lat) / lat_step - 0.5, grid.shape[0], wraps=False)
        across = (np.arange(width_px) + 0.5) * (east - west) / width_px / lon_step - 0.5
        columns, column_weights = _neighbors(across, grid.shape[1], wraps=east - west == 360)

        # Band by band, so that a large picture needs no more memory on the way than at the end.
        bands = []
        for top in range(0, height_px, _BAND_ROWS):
            band = slice(top, top + _BAND_ROWS)
            numbers = grid._numbers[rows[band, None, :, None], columns[None, :, None, :]].reshape(-1, 4)
            weights = (row_weights[band, None, :, None] * column_weights[None, :, None, :]).reshape(-1, 4)
            bands.append((top * width_px, *_painted(numbers, weights)))
        pixels = np.concatenate([first + painted for first, painted, _, _ in bands])
        shares = np.concatenate([shares for *_, shares in bands]).ravel()
        cells = np.concatenate([cells for _, _, cells, _ in bands]).ravel()
        starts = np.arange(0, len(shares) + 1, 4, dtype=np.int32)
        return cls((height_px, width_px), pixels, csr_array((shares, cells, starts), shape=(len(pixels), len(grid))))


def colored_picture(
    grid: Grid,
    rgb: NDArray[np.uint8],
    *,
    blend: bool = True,
    form: Literal["WEBP", "PNG"] = "WEBP",
    width_px: int | None = None,
) -> bytes:
    """Draw colours of cells as a picture in Web Mercator (EPSG:3857), to be laid over ``grid.mercator_bounds``.

    Args:
        grid: The cells.
        rgb: (n, 3) sRGB, one colour per cell.
        blend: Whether colours pass into one another; colours that stand for classes must not.
        form: WebP, small and not exact where colours are blended, or PNG, exact.
        width_px: Width of the picture, `Grid.picture_width_px` by default; its height follows from the bounds.

    Raises:
        InputError: The number of colours is not that of the cells.
    """
    if rgb.shape != (len(grid), 3):
        raise InputError(f"A picture of {len(grid)} cells needs as many colours, (n, 3); got {rgb.shape}.")
    plan = grid._plan(grid.picture_width_px if width_px is None else width_px)
    picture = np.zeros((*plan.shape, 4), np.uint8)
    pixels = picture.reshape(-1, 4)
    pixels[plan.pixels, :3] = np.rint(plan.weights @ rgb.astype(np.float32)) if blend else rgb[plan.leading_cells]
    pixels[plan.pixels, 3] = 255
    file = io.BytesIO()
    options = {} if form == "PNG" else _BLENDED if blend else _CLASSES
    Image.fromarray(picture, "RGBA").save(file, form, **options)
    return file.getvalue()


def _painted(
    cells: NDArray[np.int32], weights: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.int32], NDArray[np.float32]]:
    """Which pixels are painted, from which cells, in which shares.

    Args:
        cells: (pixels, 4) numbers of the cells round each pixel, -1 where they do not count.
        weights: (pixels, 4) their bilinear weights. What a missing cell weighs goes to the others, so that no value
            bleeds over a coast.

    Returns:
        Numbers of the painted pixels (p,), the cells (p, 4) and shares (p, 4) of each.
    """
    weights = np.where(cells < 0, 0.0, weights)
    total = weights.sum(axis=1)
    painted = np.flatnonzero(total >= 0.5)  # half: the coast stays where the cells' edges are, and is smooth
    shares = (weights[painted] / total[painted, None]).astype(np.float32)
    return painted, np.maximum(cells[painted], 0), shares


def _neighbors(at: NDArray[np.float64], count: int, *, wraps: bool) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The two cells next to each fractional position and their linear weights, both (len(at), 2)."""
    first = np.floor(at).astype(np.intp)
    share = at - first
    both = np.stack([first, first + 1], axis=1)
    both = both % count if wraps else np.clip(both, 0, count - 1)
    return both, np.stack([1 - share, share], axis=1)


@dataclass(frozen=True, eq=False)
class Heatmap:
    """Similarity of a query to every cell of a grid.

    Attributes:
        grid: The cells.
        values: (n,) float32 similarities in [-1, 1], one per cell.

    Raises:
        InputError: The number of values is not that of the cells, or one is not finite.
    """

    grid: Grid
    values: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.values.shape != (len(self.grid),):
            raise InputError(f"A heatmap over {len(self.grid)} cells needs as many values; got {self.values.shape}.")
        if not np.isfinite(self.values).all():
            raise InputError("A heatmap cannot be drawn: some similarities are not finite numbers.")

    @property
    def bounds(self) -> Bounds:
        """Corners (south, west, north, east) of the picture of ``png``, degrees; latitude ends at 85.0511."""
        return self.grid.mercator_bounds

    def raster(self) -> NDArray[np.float32]:
        """The values on the whole grid, (h, w) float32, row 0 in the north; NaN where cells do not count."""
        raster = np.full(self.grid.shape, np.nan, dtype=np.float32)
        raster[self.grid.mask] = self.values
        return raster

    def best(self) -> Best:
        """The hottest cell."""
        cell = int(np.argmax(self.values))
        lat, lon = self.grid.cells[cell].tolist()
        return Best(lat, lon, float(self.values[cell]))

    def value_at(self, lat: float, lon: float) -> float:
        """Similarity of the cell a point lies in; NaN where there is none.

        Raises:
            InputError: The coordinates are not a point on the globe.
        """
        cell = self.grid.cell_at(lat, lon)
        return float("nan") if cell is None else float(self.values[cell])

    @cached_property
    def _ranks(self) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.intp]]:
        """Sorted values, the share of the area at or below each of them, and the order that sorts."""
        order = np.argsort(self.values)
        area = np.cumsum(self.grid.area_km2[order])
        return self.values[order], area / area[-1], order

    def percentile(self, similarity: float) -> float:
        """Percentage of the grid's area that is less similar than this, 0 to 100."""
        values, below, _ = self._ranks
        place = int(np.searchsorted(values, np.float32(similarity), side="left"))
        return 100 * float(below[place - 1]) if place else 0.0

    def similarity_at(self, percentile: float) -> float:
        """The similarity that this percentage (0 to 100) of the grid's area does not exceed.

        Raises:
            InputError: The percentage is outside [0, 100].
        """
        if not 0 <= percentile <= 100:
            raise InputError(f"A percentile lies between 0 and 100; this one is {percentile:g}.")
        values, below, _ = self._ranks
        # A rounding error of the running sum must not move the answer to the next cell.
        return float(values[min(int(np.searchsorted(below, percentile / 100 - 1e-12)), len(values) - 1)])

    def hottest(self, share: float) -> NDArray[np.bool_]:
        """The hottest cells that together cover at most ``share`` of the grid's area (at least one cell), (n,) bool.

        Raises:
            InputError: The share is not in (0, 1].
        """
        if not 0 < share <= 1:
            raise InputError(f"The share of the area must lie above 0 and at most at 1; it is {share:g}.")
        _, _, order = self._ranks
        from_top = order[::-1]
        covered = np.cumsum(self.grid.area_km2[from_top])
        count = max(1, int(np.searchsorted(covered, share * covered[-1] * (1 + 1e-12), side="right")))
        chosen = np.zeros(len(self.values), dtype=bool)
        chosen[from_top[:count]] = True
        return chosen

    def _fractions(
        self,
        scale: Scale,
        floor_percentile: float,
        top_share: float | None,
        least_span: float,
        limits: tuple[float, float] | None,
    ) -> tuple[NDArray[np.float32], float]:
        """Place of each cell along the colour bar (0 low, 1 high), and the place where painting starts."""
        floor = _color_floor(floor_percentile, top_share)
        if scale == "absolute":
            low, high = _checked_limits(limits)
            fractions = ((self.values - low) / (high - low)).astype(np.float32)
        elif scale == "similarity":
            low, high = self.similarity_at(floor), float(self.values.max())
            span = max(high - low, least_span)
            fractions = ((self.values - (high - span)) / span).astype(np.float32)
        elif scale == "percentile":
            _, below, order = self._ranks
            fractions = np.empty(len(self.values), dtype=np.float32)
            fractions[order] = (below - floor / 100) / (1 - floor / 100)
        else:
            raise InputError(f"There is no colour scale {scale!r}; choose 'similarity', 'percentile' or 'absolute'.")
        return fractions, -np.inf if top_share is None else float(fractions[self.hottest(top_share)].min())

    def cell_colors(
        self,
        colormap: str = DEFAULT_COLORMAP,
        floor_percentile: float = 50.0,
        *,
        top_share: float | None = None,
        scale: Scale = "similarity",
        limits: tuple[float, float] | None = None,
        least_span: float = LEAST_SPAN,
    ) -> NDArray[np.uint8]:
        """The color that ``png`` gives each cell with the same options, (n, 3) sRGB, whether painted or not.

        Raises:
            InputError: An option is unknown or out of range.
        """
        levels = _COLOR_LEVELS[0]
        fractions, _ = self._fractions(scale, floor_percentile, top_share, least_span, limits)
        colors: NDArray[np.uint8] = palette(colormap, levels)[np.clip(fractions * levels, 0, levels - 1).astype(int)]
        return colors

    def png(
        self,
        colormap: str = DEFAULT_COLORMAP,
        opacity: float = 1.0,
        floor_percentile: float = 50.0,
        *,
        top_share: float | None = None,
        scale: Scale = "similarity",
        limits: tuple[float, float] | None = None,
        low_opacity: float | None = None,
        least_span: float = LEAST_SPAN,
        width_px: int | None = None,
    ) -> bytes:
        """Draw the heatmap as a paletted PNG in Web Mercator (EPSG:3857), to be laid over ``bounds``.

        Args:
            colormap: One of ``colours.COLORMAPS``.
            opacity: 0 invisible to 1 opaque; off the grid the picture is always transparent.
            floor_percentile: Cells less similar than this percentage of the area have the lowest colour. The median
                by default: similarities of unlike places differ little, and would else use up half of the colours.
            top_share: Paint only the hottest share, (0, 1], of the area; the colours start there or at the floor.
            scale: Colour by similarity over the range of this heatmap, by percentile of area, or by similarity over
                ``limits``, whatever this heatmap holds ("absolute"): weak answers then look weak.
            limits: Similarities of the lowest and the highest colour, for the scale "absolute"; the floor and the span
                do not count there.
            low_opacity: Opacity at the low end of the colours, rising to ``opacity`` at the high end, so that the map
                below shows where nothing is like the query. The same as ``opacity`` by default.
            least_span: Difference of similarity that the colours reach over at least, so that noise is not stretched.
            width_px: Width of the picture, `Grid.picture_width_px` by default; its height follows from the bounds.

        Returns:
            The file, at most 150 kB unless the picture is wider than 1024 px.

        Raises:
            InputError: An option is unknown or out of range.
        """
        width_px = self.grid.picture_width_px if width_px is None else width_px
        if not 1 <= width_px <= MAX_PICTURE_WIDTH_PX:
            raise InputError(f"The picture can be 1 to {MAX_PICTURE_WIDTH_PX} pixels wide, not {width_px}.")
        low_opacity = opacity if low_opacity is None else low_opacity
        for name, value in (("opacity", opacity), ("low_opacity", low_opacity)):
            if not 0 <= value <= 1:
                raise InputError(f"{name} must lie between 0 (invisible) and 1 (opaque); it is {value:g}.")
        fractions, cut = self._fractions(scale, floor_percentile, top_share, least_span, limits)
        plan = self.grid._plan(width_px)
        along_bar = plan.weights @ fractions
        comment = "EPSG:3857; south, west, north, east = {}, {}, {}, {}".format(*self.bounds)
        data = b""
        for levels in _COLOR_LEVELS:
            # Number 0 is transparent; 1 to ``levels`` are the colour map.
            numbers = np.clip(along_bar * levels, 0, levels - 1).astype(np.uint8) + np.uint8(1)
            numbers[along_bar < cut] = 0
            pixels = np.zeros(plan.shape, dtype=np.uint8)
            pixels.ravel()[plan.pixels] = numbers
            alpha = np.round(np.linspace(low_opacity, opacity, levels) * 255).astype(np.uint8)
            data = paletted_png(pixels, np.column_stack([palette(colormap, levels), alpha]), comment)
            if len(data) <= MAX_PICTURE_BYTES or width_px > PICTURE_WIDTH_PX:
                break
        return data

    def legend(
        self,
        colormap: str = DEFAULT_COLORMAP,
        floor_percentile: float = 50.0,
        *,
        top_share: float | None = None,
        scale: Scale = "similarity",
        limits: tuple[float, float] | None = None,
        least_span: float = LEAST_SPAN,
        stops: int = 6,
    ) -> list[LegendStop]:
        """Marks of the colour bar that belongs to ``png`` with the same options, from low to high.

        Raises:
            InputError: An option is out of range.
        """
        floor = _color_floor(floor_percentile, top_share)
        if scale == "absolute":
            low, high = _checked_limits(limits)
        else:
            high = float(self.values.max())
            low = high - max(high - self.similarity_at(floor), least_span)
        marks = []
        for fraction, rgb in zip(np.linspace(0, 1, stops).tolist(), palette(colormap, stops), strict=True):
            by_area = self.similarity_at(floor + fraction * (100 - floor))
            similarity = by_area if scale == "percentile" else low + fraction * (high - low)
            marks.append(LegendStop(fraction, similarity, hex_color(rgb)))
        return marks

    def percentiles_png(self) -> bytes:
        """Percentile of every cell as a grey 8-bit PNG of the grid, (h, w), row 0 in the north.

        A pixel is one more than the percentage of the area that is less similar, in whole numbers from 1 to 100; 0
        where cells do not count.
        """
        _, below, order = self._ranks
        ranks = np.empty(len(self.values), np.uint8)
        less = below - self.grid.area_km2[order] / self.grid.area_km2.sum()
        ranks[order] = np.clip(np.floor(100 * less), 0, 99).astype(np.uint8) + 1
        pixels = np.zeros(self.grid.shape, np.uint8)
        pixels[self.grid.mask] = ranks
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG")
        return file.getvalue()

    def outline(self, share: float) -> dict[str, Any]:
        """Where the hottest cells end: a GeoJSON MultiPolygon (longitude, latitude), with the corners of cells rounded.

        Args:
            share: Share of the grid's area that is outlined, (0, 1].

        Raises:
            InputError: The share is out of range.
        """
        import shapely
        from rasterio import Affine
        from rasterio.features import shapes

        _, west, north, _ = self.grid.bounds
        lat_step, lon_step = self.grid.step_deg
        inside = np.zeros(self.grid.shape, np.uint8)
        inside[self.grid.mask] = self.hottest(share)
        to_degrees = Affine(lon_step, 0, west, 0, -lat_step, north)
        blocks = [shapely.geometry.shape(shape) for shape, _ in shapes(inside, mask=inside > 0, transform=to_degrees)]
        rounded, radius = shapely.MultiPolygon(blocks), 0.45 * min(lat_step, lon_step)
        for by in (-radius, 2 * radius, -radius):  # convex corners, then concave ones
            rounded = shapely.buffer(rounded, by, quad_segs=2)
        polygons = shapely.get_parts(rounded.simplify(radius / 8))
        rings = [[polygon.exterior, *polygon.interiors] for polygon in polygons]
        degrees = [[shapely.get_coordinates(ring).round(5).tolist() for ring in polygon] for polygon in rings]
        return {"type": "MultiPolygon", "coordinates": degrees}

    def save(self, path: str | Path) -> None:
        """Write the heatmap in the form that the ending of the file's name says: .tif, .png or .geojson.

        Raises:
            InputError: Another ending, or the file cannot be written.
        """
        check_ending(path)
        _WRITERS[Path(path).suffix.lower()](self, path)

    def to_png(self, path: str | Path, **options: Any) -> None:
        """Write the picture; the options are those of ``png``."""
        write_atomically(path, self.png(**options))

    def to_geotiff(self, path: str | Path) -> None:
        """Write `geotiff`."""
        write_atomically(path, self.geotiff())

    def geotiff(self) -> bytes:
        """The similarities as a float32 GeoTIFF in EPSG:4326, one pixel per cell, NaN for no data."""
        from rasterio import Affine
        from rasterio.io import MemoryFile

        _, west, north, _ = self.grid.bounds
        lat_step, lon_step = self.grid.step_deg
        height, width = self.grid.shape
        profile = {
            "driver": "GTiff", "height": height, "width": width, "count": 1, "dtype": "float32", "nodata": np.nan,
            "crs": "EPSG:4326", "transform": Affine(lon_step, 0, west, 0, -lat_step, north),
            "compress": "deflate", "predictor": 3,
        }  # fmt: skip
        with MemoryFile() as memory:
            with memory.open(**profile) as tiff:
                tiff.write(self.raster(), 1)
                tiff.set_band_description(1, "similarity")
            return bytes(memory.getbuffer())

    def to_geojson(self, path: str | Path, share: float = 0.05) -> None:
        """Write the hottest cells as polygons with their similarity, hottest first.

        Args:
            path: File to write.
            share: Share of the grid's area to write, (0, 1].

        Raises:
            InputError: The share is out of range.
        """
        cells = np.flatnonzero(self.hottest(share))
        cells = cells[np.argsort(-self.values[cells], kind="stable")]
        lat_step, lon_step = self.grid.step_deg
        features = []
        for cell, (lat, lon) in zip(cells.tolist(), self.grid.cells[cells].tolist(), strict=True):
            west, east = round(lon - lon_step / 2, 6), round(lon + lon_step / 2, 6)
            south, north = round(lat - lat_step / 2, 6), round(lat + lat_step / 2, 6)
            # GeoJSON (RFC 7946) wants (longitude, latitude), the outer ring counter-clockwise.
            ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
            features.append({
                "type": "Feature",
                "geometry": {"type": "Polygon", "coordinates": [ring]},
                "properties": {"similarity": round(float(self.values[cell]), 4)},
            })  # fmt: skip
        write_atomically(path, json.dumps({"type": "FeatureCollection", "features": features}).encode())


_WRITERS = {
    ".tif": Heatmap.to_geotiff,
    ".tiff": Heatmap.to_geotiff,
    ".png": Heatmap.to_png,
    ".geojson": Heatmap.to_geojson,
}


def check_ending(path: str | Path) -> None:
    """Check that a heatmap can be written to a file of that name, before the work is done.

    Raises:
        InputError: The ending is unknown, or the folder does not exist.
    """
    path = Path(path)
    if path.suffix.lower() not in _WRITERS:
        raise InputError(
            f"{path.name}: a heatmap is written as .tif (GeoTIFF), .png (picture) or .geojson (hottest cells)."
        )
    if not path.parent.is_dir():
        raise InputError(f"{path} cannot be written: the folder {path.parent} does not exist.")


def _color_floor(floor_percentile: float, top_share: float | None) -> float:
    """Percentile of area at which the colours start: the floor, or the threshold if only hotter cells are painted."""
    if not 0 <= floor_percentile < 100:
        raise InputError(f"The floor of the colours must lie in [0, 100); it is {floor_percentile:g}.")
    if top_share is None:
        return floor_percentile
    if not 0 < top_share <= 1:
        raise InputError(f"The share of the area to paint must lie above 0 and at most at 1; it is {top_share:g}.")
    return max(floor_percentile, 100 * (1 - top_share))


def _checked_limits(limits: tuple[float, float] | None) -> tuple[float, float]:
    if limits is None:
        raise InputError("The scale 'absolute' needs limits: the similarities of its lowest and its highest colour.")
    low, high = limits
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise InputError(f"The limits of a colour scale are two rising numbers, not {low:g} and {high:g}.")
    return low, high


def write_atomically(path: str | Path, data: bytes) -> None:
    """Write under a temporary name, then rename: a reader never sees half a file.

    Raises:
        InputError: The file cannot be written.
    """
    write_bytes(path, data)
