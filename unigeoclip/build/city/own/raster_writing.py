"""A person's own pictures and heights written into an atlas, some thousand pixels at a time."""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from rasterio.windows import Window

from unigeoclip.build.city.own.user_rasters import OwnHeights
from unigeoclip.city import raster_storage
from unigeoclip.city.layers import CityGrid
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from rasterio.io import DatasetWriter

    from unigeoclip.build.city.own.raster_survey import Survey
    from unigeoclip.build.city.own.user_rasters import OwnPictures

__all__ = ["RasterSize", "size_for", "write_heights", "write_pictures"]

FINEST_PX_M = {"aerial": 0.5, "surface": 1.0}  # a window of 80 m has 160 pixels
COARSEST_PX_M = 2.5
MOST_PX = {"aerial": 3_000_000_000, "surface": 600_000_000}
MOST_WHOLE_PX = 4_000_000_000  # with what is not written between scattered rasters: GDAL goes through it for overviews
# Bytes of a pixel in the atlas, and in the temporary file beside it; as measured, the latter of pictures and heights
# that pack badly.
BYTES_PER_PX = {"aerial": (0.25, 2.5), "surface": (0.9, 3.5)}
MAX_ERROR_M = 0.1  # of stored heights
_TILE_PX, _BLOCK_PX = 2048, 512  # written at once where a city is filled, and round scattered pictures
_AROUND_M = 225.0  # of a scattered picture: as far as a window round a place at its edge reaches
_VALIDITY_PX_M = 2.5  # what is known need not be known more finely


@dataclass(frozen=True)
class RasterSize:
    """How large a raster of an atlas becomes.

    Attributes:
        modality: "aerial" or "surface".
        grid: Over the whole city.
        windows: What is written of it: first row, first column, rows, columns. Of one city that is everything, of
            several that lie far from each other what is near a raster.
        is_whole: Whether that is everything.
    """

    modality: str
    grid: CityGrid
    windows: tuple[tuple[int, int, int, int], ...]
    is_whole: bool

    @property
    def pixels(self) -> int:
        """How many are written."""
        return sum(rows * cols for _, _, rows, cols in self.windows)

    @property
    def bytes(self) -> tuple[int, int]:
        """About how many bytes it takes in the atlas, and on the disk while it is made."""
        kept, meanwhile = BYTES_PER_PX[self.modality]
        return round(kept * self.pixels), round((kept + meanwhile) * self.pixels)

    def sentence(self) -> str:
        """What it takes, for people."""
        kept, meanwhile = self.bytes
        return (
            f"{self.modality}: {self.pixels / 1e6:,.0f} million pixels of {self.grid.ground_px_m:.2f} m, at most about "
            f"{kept / 1e6:,.0f} MB in the atlas and {meanwhile / 1e6:,.0f} MB of disk while it is made"
        )


def size_for(modality: str, survey: Survey, city: CityGrid, areas: Sequence[CityGrid]) -> RasterSize:
    """The pixels that rasters get in an atlas: their own, within `FINEST_PX_M`, `COARSEST_PX_M` and `MOST_PX`.

    Args:
        modality: "aerial" or "surface".
        survey: The rasters.
        city: Any grid over the whole city.
        areas: Grids over its parts.
    """
    px_m = min(max(survey.px_m, FINEST_PX_M[modality]), COARSEST_PX_M)
    whole = len(areas) == 1
    boxes = [area.bounds_m for area in areas] if whole else [raster.bounds_m for raster in survey.rasters]
    m2 = sum((right - left) * (upper - lower) for left, lower, right, upper in boxes) * city.ground_per_mercator**2
    whole_m2 = city.width * city.height * city.ground_px_m**2
    px_m = max(px_m, math.sqrt(m2 / MOST_PX[modality]), math.sqrt(whole_m2 / MOST_WHOLE_PX))
    grid = CityGrid.cover(city.bounds_deg, px_m)
    return RasterSize(modality, grid, _windows(grid, [grid.bounds_m] if whole else boxes, whole), whole)


def _windows(
    grid: CityGrid, boxes: list[tuple[float, float, float, float]], whole: bool
) -> tuple[tuple[int, int, int, int], ...]:
    """Squares of a grid that touch boxes, or come near them, from north to south."""
    side, around = (_TILE_PX, 0.0) if whole else (_BLOCK_PX, _AROUND_M / grid.ground_per_mercator)
    touched: set[tuple[int, int]] = set()
    for left, lower, right, upper in boxes:
        corners = [[left - around, upper + around], [right + around, lower - around]]
        (west, north), (east, south) = (grid.to_pixel(corners) / side).tolist()
        touched |= {
            (row, col)
            for row in range(max(0, math.floor(north)), min(-(-grid.height // side), math.ceil(south)))
            for col in range(max(0, math.floor(west)), min(-(-grid.width // side), math.ceil(east)))
        }
    return tuple(
        (row * side, col * side, min(side, grid.height - row * side), min(side, grid.width - col * side))
        for row, col in sorted(touched)
    )


def write_pictures(
    pictures: OwnPictures, size: RasterSize, path: Path, valid_path: Path, report: Callable[[float], None]
) -> None:
    """Write pictures, and where they are known if that is not everywhere.

    Args:
        pictures: What was looked at before.
        size: Of what is written.
        path: Of the picture.
        valid_path: Of the raster that says what is known.
        report: Called with the share that is done.

    Raises:
        InputError: A file is damaged.
        AtlasError: It cannot be written.
    """
    with _Validity(valid_path, size.grid) as validity:
        with raster_storage.aerial_by_blocks(path, size.grid, raster_storage.PHOTO_QUALITY) as written:
            for window, grid, share in _tiles(size):
                rgb, valid = pictures.read(grid)
                written.write(np.moveaxis(rgb, -1, 0), window=window)
                validity.write(valid, window)
                report(share)
        validity.finish(size.is_whole)


def write_heights(
    heights: OwnHeights, size: RasterSize, path: Path, valid_path: Path, report: Callable[[float], None]
) -> list[str]:
    """Write heights, and where they are known if that is not everywhere; returns notes. See `write_pictures`.

    Raises:
        InputError: A file is damaged, or no height of the city is known.
        AtlasError: It cannot be written.
    """
    odd, any_known = 0, False
    with _Validity(valid_path, size.grid) as validity:
        with raster_storage.heights_by_blocks(path, size.grid, MAX_ERROR_M) as written:
            for window, grid, share in _tiles(size):
                height_m, fillings = heights.read(grid)
                valid = np.isfinite(height_m)
                odd += int(fillings.sum())
                if valid.any():
                    any_known = True
                    written.write(height_m[None], window=window)
                    validity.write(valid, window)
                else:
                    validity.is_whole = False
                report(share)
        validity.finish(size.is_whole)
    if not any_known:
        raise InputError(
            f"--surface {heights.survey.named()} has no pixel inside the city that is not empty. Check the file and "
            "--bbox."
        )
    share = odd / (size.grid.width * size.grid.height)
    return [*heights.survey.notes, *([OwnHeights.note(share, heights.survey)] if odd else [])]


class _Validity:
    """What is known of a raster, at most as finely as `_VALIDITY_PX_M`; not written where everything is."""

    def __init__(self, path: Path, grid: CityGrid) -> None:
        self._path = path
        self._step = 2 ** max(0, math.floor(math.log2(_VALIDITY_PX_M / grid.ground_px_m) + 1e-9))
        height, width = -(-grid.height // self._step), -(-grid.width // self._step)
        self._grid = CityGrid(grid.west_m, grid.north_m, grid.px_m * self._step, width, height)
        self._stack = ExitStack()
        self.is_whole = True

    def __enter__(self) -> _Validity:
        path = self._path.with_name(f"{self._path.stem}.new.tif")
        self._made = path
        self._written: DatasetWriter = self._stack.enter_context(raster_storage.validity_by_blocks(path, self._grid))
        return self

    def write(self, valid: NDArray[np.bool_], window: Window) -> None:
        """Write what is known of a window; it starts where blocks do."""
        self.is_whole &= bool(valid.all())
        if not valid.any():
            return
        step = self._step
        rows, cols = (-(-side // step) * step for side in valid.shape)
        whole = np.pad(valid, ((0, rows - valid.shape[0]), (0, cols - valid.shape[1])), mode="edge")
        known = whole.reshape(rows // step, step, cols // step, step).mean(axis=(1, 3)) >= 0.5
        place = Window(window.col_off // step, window.row_off // step, known.shape[1], known.shape[0])
        self._written.write(np.where(known, np.uint8(255), np.uint8(0))[None], window=place)

    def finish(self, covers_all: bool) -> None:
        """Put the raster into place, unless everything is known: ``covers_all`` says that every pixel was written."""
        self._stack.close()
        if covers_all and self.is_whole:
            self._made.unlink()
            self._path.unlink(missing_ok=True)
        else:
            self._made.replace(self._path)

    def __exit__(self, *error: object) -> None:
        self._stack.__exit__(*error)  # type: ignore[arg-type]
        self._made.unlink(missing_ok=True)


def _tiles(size: RasterSize) -> Iterator[tuple[Window, CityGrid, float]]:
    """What is written, square by square: window, grid, share that is done with it."""
    for number, (row, col, rows, cols) in enumerate(size.windows, start=1):
        yield Window(col, row, cols, rows), size.grid.part(row, col, rows, cols), number / len(size.windows)
