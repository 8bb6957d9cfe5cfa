"""A person's own aerial pictures and heights, brought onto the pixels of a city; what they do not cover stays unknown.

Unknown is what a raster declares as such (no-data value, mask, alpha band), what lies outside of all, and what plainly
is a filling though it is not declared: black that reaches the edge of a picture, heights that the Earth does not have.
Everything is read window by window, so that a mosaic may be larger than the memory.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.vrt import WarpedVRT
from scipy import ndimage

from unigeoclip.build.city.own.raster_survey import Survey, Surveyed, alpha_band, opened
from unigeoclip.city.layers import CRS, CityGrid
from unigeoclip.city.raster_storage import transform_of
from unigeoclip.errors import InputError, excerpt

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["OwnHeights", "OwnPictures", "look"]

LEAST_BORDER_M2 = 2_500.0  # undeclared black at the edge that is smaller is taken for a part of the picture
HEIGHTS_M = (-500.0, 9_000.0)  # what the surface of the Earth and its buildings can have
LOOK_PX_M = 2.5  # ground pixel of the first look at a picture
MOST_LOOK_PX = 40_000_000  # of one picture
STRETCH = (0.01, 0.99)  # of the values of 16-bit pictures: these become black and white
_ANYWHERE = np.ones((3, 3), bool)  # neighbors, corners included
_WHITE = np.iinfo(np.uint16).max


@dataclass(frozen=True)
class OwnPictures:
    """Pictures, ready to be read.

    Attributes:
        survey: Which, that on top first.
        borders: Path -> where a picture is plain black up to its edge: a grid, and truth values on it.
        stretch: Values of 16-bit pictures that become 0 and 255.
        filling: Mean color (3,) uint8 of what is known; it is put where nothing is, so that a window at the edge of a
            picture shows nothing that is not there.
        notes: What a person should know of them, in whole sentences.
    """

    survey: Survey
    borders: dict[str, tuple[CityGrid, NDArray[np.bool_]]]
    stretch: tuple[int, int]
    filling: NDArray[np.uint8]
    notes: tuple[str, ...] = ()

    def read(self, grid: CityGrid) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """The pictures on a grid: (h, w, 3) uint8, and which pixels are known (h, w).

        Raises:
            InputError: A file is damaged.
        """
        rgb = np.broadcast_to(self.filling, (*grid.shape, 3)).copy()
        valid = np.zeros(grid.shape, bool)
        for raster in self.survey.over(grid):
            pixels, known = _on_grid(raster, self.survey.what, grid, [1, 2, 3])
            if raster.opened_as in self.borders:
                known &= ~_sampled(*self.borders[raster.opened_as], grid)
            new = known & ~valid
            rgb[new] = self._in_bytes(pixels)[new]
            valid |= known
            if valid.all():
                break
        return rgb, valid

    def _in_bytes(self, pixels: NDArray[Any]) -> NDArray[np.uint8]:
        """Bands (3, h, w) of any picture -> (h, w, 3) uint8."""
        last: NDArray[Any] = np.moveaxis(pixels, 0, -1)
        return last if last.dtype == np.uint8 else _stretched(last, self.stretch)


@dataclass(frozen=True)
class OwnHeights:
    """Heights, ready to be read.

    Attributes:
        survey: Which, those on top first.
    """

    survey: Survey

    def read(self, grid: CityGrid) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Heights on a grid: (h, w) float32 metres, NaN where unknown; and where a filling was found (h, w).

        Raises:
            InputError: A file is damaged.
        """
        # What is interpolated between such a filling and a height is neither: the pixels around are left out, too.
        wide = CityGrid(grid.west_m - grid.px_m, grid.north_m + grid.px_m, grid.px_m, grid.width + 2, grid.height + 2)
        heights, fillings = np.full(wide.shape, np.nan, np.float32), np.zeros(wide.shape, bool)
        low, high = HEIGHTS_M
        for raster in self.survey.over(wide):
            (found,), known = _on_grid(raster, self.survey.what, wide, [1])
            found = np.where(known, found, np.nan).astype(np.float32)
            odd = np.isinf(found) | (found < low) | (found > high)
            if odd.any():
                fillings |= odd
                found[ndimage.binary_dilation(odd, _ANYWHERE)] = np.nan
            heights = np.where(np.isfinite(heights), heights, found)
            if np.isfinite(heights).all():
                break
        inside = slice(1, -1), slice(1, -1)
        return heights[inside], fillings[inside]

    @staticmethod
    def note(odd_share: float, survey: Survey) -> str:
        """A sentence on heights that the Earth does not have, by their share of the city."""
        low, high = HEIGHTS_M
        return (
            f"{odd_share:.1%} of the city has heights below {low:g} or above {high:g} m in {survey.named()}, not "
            "declared as no data: they are taken for unknown."
        )


@dataclass
class _Look:
    """What a first, coarse look at the pictures has found so far."""

    borders: dict[str, tuple[CityGrid, NDArray[np.bool_]]] = field(default_factory=dict)
    black_m2: float = 0.0
    histogram: NDArray[np.int64] = field(default_factory=lambda: np.zeros(_WHITE + 1, np.int64))  # of 16 bits
    sums: dict[str, NDArray[np.float64]] = field(default_factory=dict)  # type -> red, green, blue, number of pixels


def look(survey: Survey, city: CityGrid, report: Callable[[float], None] = lambda _share: None) -> OwnPictures:
    """Look at pictures coarsely: where they are black up to their edges, how bright they are.

    Args:
        survey: The pictures.
        city: What of them is looked at.
        report: Called with the share that is done.

    Raises:
        InputError: A file is damaged, or no pixel of the city is known.
    """
    found = _Look()
    for number, raster in enumerate(survey.rasters):
        _look_at(raster, survey.what, city, found)
        report((number + 1) / len(survey.rasters))
    count = sum(each[3] for each in found.sums.values())
    if not count:
        raise InputError(
            f"{survey.what} {survey.named()} has no pixel inside the city that is not empty. Check the file and --bbox."
        )
    notes = list(survey.notes)
    stretch = _stretch_of(found.histogram)
    if found.borders:
        names = Survey(survey.what, tuple(each for each in survey.rasters if each.opened_as in found.borders)).named()
        whole_m2 = city.width * city.height * city.ground_px_m**2
        notes.append(
            f"{found.black_m2 / whole_m2:.1%} of the city is plain black in {names}, up to the edge of the picture and "
            "not declared as no data: it is taken for no picture. To say so in the file: gdal_edit.py -a_nodata 0 "
            f"{names.partition(',')[0]}"
        )
    if "uint16" in found.sums:
        notes.append(
            f"Pictures of 16 bits are stretched together, {stretch[0]:,} to black and {stretch[1]:,} to white. To "
            f"choose that yourself: gdal_translate -ot Byte -scale {stretch[0]} {stretch[1]} 0 255 in.tif out.tif"
        )
    total = np.zeros(3)
    for kind, (*sums, number_of) in found.sums.items():
        mean = np.array(sums) / max(number_of, 1)
        total += number_of * (mean if kind == "uint8" else _stretched(mean, stretch))
    return OwnPictures(survey, found.borders, stretch, np.rint(total / count).astype(np.uint8), tuple(notes))


def _look_at(raster: Surveyed, what: str, city: CityGrid, found: _Look) -> None:
    grid = _look_grid(raster, city)
    pixels, known = _on_grid(raster, what, grid, [1, 2, 3])
    border = _black_border(pixels, known, grid.ground_px_m)
    if border.any():
        found.borders[raster.opened_as] = grid, border
        found.black_m2 += float(border.sum()) * grid.ground_px_m**2
        known &= ~border
    colors = pixels[:, known]
    sums = found.sums.setdefault(raster.dtype, np.zeros(4))
    sums += [*colors.sum(axis=1, dtype=np.float64), colors.shape[1]]
    if raster.dtype == "uint16":
        found.histogram += np.bincount(colors.ravel(), minlength=_WHITE + 1)


def _look_grid(raster: Surveyed, city: CityGrid) -> CityGrid:
    """Pixels of `LOOK_PX_M` over a picture as far as it lies in the city, coarser if those would be too many."""
    left, lower, right, upper = city.bounds_m
    px_m = LOOK_PX_M / city.ground_per_mercator
    west, north = max(left, raster.bounds_m[0]), min(upper, raster.bounds_m[3])
    wide, high = min(right, raster.bounds_m[2]) - west, north - max(lower, raster.bounds_m[1])
    px_m *= max(1.0, math.sqrt(wide * high / px_m**2 / MOST_LOOK_PX))
    return CityGrid(west, north, px_m, max(1, math.ceil(wide / px_m)), max(1, math.ceil(high / px_m)))


def _stretch_of(histogram: NDArray[np.int64]) -> tuple[int, int]:
    """Values that become black and white."""
    total = histogram.sum()
    if not total:
        return 0, _WHITE
    low, high = np.searchsorted(np.cumsum(histogram), np.array(STRETCH) * total).tolist()
    return int(low), max(int(high), int(low) + 1)


def _stretched(values: NDArray[Any], stretch: tuple[int, int]) -> NDArray[np.uint8]:
    low, high = stretch
    shown = np.rint((values.astype(np.float32) - low) * (255.0 / (high - low)))
    bytes_: NDArray[np.uint8] = np.clip(shown, 0, 255).astype(np.uint8)
    return bytes_


def _on_grid(raster: Surveyed, what: str, grid: CityGrid, bands: list[int]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Bands (c, h, w) of one raster on a grid, and where they are known (h, w).

    A pixel counts as known where anything known goes into it; of what is unknown nothing does.
    """
    with opened(raster.opened_as, raster.file, what) as dataset:
        alpha = alpha_band(dataset)
        options: dict[str, Any] = {
            "crs": CRS,
            "transform": transform_of(grid),
            "width": grid.width,
            "height": grid.height,
            "dtype": "float32" if len(bands) == 1 else raster.dtype,
            "resampling": Resampling.bilinear,
            # A picture's pixel is unknown where all its bands have the no-data value, not where one does.
            "warp_extras": {"UNIFIED_SRC_NODATA": "YES"},
        }
        options |= {} if alpha else {"add_alpha": True}
        try:
            with WarpedVRT(dataset, **options) as warped:
                read = warped.read([*bands, alpha or warped.count])
        except RasterioError as error:
            raise InputError(f"{what} {raster.file.path} is damaged: {excerpt(error)}.") from error
    return read[:-1], read[-1] > 0


def _sampled(grid: CityGrid, values: NDArray[np.bool_], wanted: CityGrid) -> NDArray[np.bool_]:
    """Truth values of one grid at the pixels of another, false outside."""
    at_x = wanted.west_m + (np.arange(wanted.width) + 0.5) * wanted.px_m
    at_y = wanted.north_m - (np.arange(wanted.height) + 0.5) * wanted.px_m
    cols = np.floor((at_x - grid.west_m) / grid.px_m).astype(np.int64)
    rows = np.floor((grid.north_m - at_y) / grid.px_m).astype(np.int64)
    inside = ((rows >= 0) & (rows < grid.height))[:, None] & ((cols >= 0) & (cols < grid.width))
    found = values[np.clip(rows, 0, grid.height - 1)[:, None], np.clip(cols, 0, grid.width - 1)]
    return np.asarray(found & inside)


def _black_border(pixels: NDArray[Any], valid: NDArray[np.bool_], ground_px_m: float) -> NDArray[np.bool_]:
    """Known pixels that are plain black in one piece with the edge of the picture, and the mixed ones beside them."""
    black = valid & ~pixels.any(axis=0)
    pieces, count = ndimage.label(black, _ANYWHERE)
    if not count:
        return np.zeros(valid.shape, bool)
    edge = ndimage.binary_dilation(~valid, _ANYWHERE) if not valid.all() else np.zeros(valid.shape, bool)
    edge[[0, -1]] = edge[:, [0, -1]] = True
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)
    at_edge = np.zeros(count + 1, bool)
    at_edge[np.unique(pieces[edge])] = True
    at_edge &= sizes >= math.ceil(LEAST_BORDER_M2 / ground_px_m**2)
    at_edge[0] = False
    found: NDArray[np.bool_] = at_edge[pieces]
    if found.any():
        found = ndimage.binary_dilation(found, _ANYWHERE) & valid
    return found
