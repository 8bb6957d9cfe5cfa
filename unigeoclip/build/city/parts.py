"""The ground of an atlas: one city, or several that lie far from each other; and the rasters drawn of each.

Cities of one atlas share their rasters, in which nothing is stored of the land between them.
"""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from rasterio.windows import Window

from unigeoclip import geo
from unigeoclip.atlas import schema
from unigeoclip.city import city_model, ortho, raster_storage
from unigeoclip.city.layers import CityGrid, CityLayers, CityRasters
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rasterio.io import DatasetWriter

    from unigeoclip.build.city.extracts.open_map import CityMap
    from unigeoclip.build.stages import Progress
    from unigeoclip.geo import Bounds

__all__ = ["CITY_PX_M", "GROUND_PX_M", "LARGEST_CITY_PX", "Extent", "Part", "draw_parts"]

GROUND_PX_M = 2.5  # of the rendered aerial picture, and of the map while it is drawn
CITY_PX_M = 3.0  # of heights and street views: their outlines are smoothed, and half the bytes of an atlas are outlines
LARGEST_CITY_PX = 400_000_000  # 50 x 50 km; more would not fit into memory
LEAST_AREA_M = 500.0  # what is narrower has no room for a place
_AROUND_M = 100.0  # tiles hold what lies so far outside of them
_ROWS_AT_ONCE = 640


@dataclass(frozen=True)
class Extent:
    """Where an atlas lies.

    Attributes:
        ground: Grid of `GROUND_PX_M` over all of it.
        stored: Grid of `CITY_PX_M` over all of it.
        areas: Its cities, south, west, north, east in degrees; none where it is one.
    """

    ground: CityGrid
    stored: CityGrid
    areas: tuple[Bounds, ...] = ()

    @classmethod
    def of(cls, city_map: CityMap, bbox: Bounds | None) -> Extent:
        """The extent of a map, cut by a box.

        Raises:
            InputError: It is larger than what can be drawn.
        """
        bounds = bbox or city_map.bounds_deg
        cut = [_common(area, bounds) for area in city_map.areas]
        areas = tuple(area for area in cut if _narrow_m(area) >= LEAST_AREA_M)
        if len(areas) == 1:
            bounds, areas = areas[0], ()
        ground = CityGrid.cover(bounds, GROUND_PX_M)
        extent = cls(ground, CityGrid.cover(ground.bounds_deg, CITY_PX_M), areas)
        grids = extent.grids(ground)
        if max(grid.width * grid.height for grid in grids) > LARGEST_CITY_PX:
            raise InputError(
                f"The city would have {ground.width:,} x {ground.height:,} pixels of {GROUND_PX_M} m. Choose a smaller "
                "--bbox."
            )
        return extent

    def grids(self, whole: CityGrid) -> list[CityGrid]:
        """The cities on a grid over all of it, each in whole pixels of that grid."""
        return [raster_storage.part_over(whole, area) for area in self.areas] or [whole]


@dataclass(frozen=True)
class Part:
    """One city of an atlas.

    Attributes:
        number: From 0 on.
        layers: Its map.
        rasters: What its street views are made of.
        estimated: (b,) which of its buildings have an estimated height.
    """

    number: int
    layers: CityLayers
    rasters: CityRasters
    estimated: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


def draw_parts(
    staging: Path, extent: Extent, layers: CityLayers, *, paints_aerial: bool, seed: int, report: Progress
) -> Iterator[Part]:
    """Draw one city after the other, and write the rasters when the last one is done.

    Args:
        staging: Folder of the build.
        extent: Where the cities lie.
        layers: The map of all.
        paints_aerial: Whether the aerial picture is rendered.
        seed: Of the aerial picture.
        report: Called with what is being done, and the share done.
    """
    city_path, aerial_path = staging / schema.CITY, staging / schema.RASTERS["aerial"]
    grids, stored = extent.grids(extent.ground), extent.grids(extent.stored)
    with ExitStack() as stack:
        files: dict[str, DatasetWriter] = {}
        if extent.areas:
            files["city"] = stack.enter_context(raster_storage.city_by_blocks(city_path, extent.stored))
            if paints_aerial:
                files["aerial"] = stack.enter_context(raster_storage.aerial_by_blocks(aerial_path, extent.ground))
        for number, (ground, grid) in enumerate(zip(grids, stored, strict=True)):
            name = f"city {number + 1} of {len(grids)}: " if extent.areas else ""
            part = _clipped(layers, ground) if extent.areas else layers
            report(f"{name}painting land, buildings and trees", number / len(grids))
            model, fine = city_model.build_model(part, ground)
            report(f"{name}writing the rasters, {len(model.trees.xy_m):,} trees", (number + 0.5) / len(grids))
            bare, building_id, roof = city_model.paint_city(model, grid)
            if extent.areas:
                files["city"].write(
                    np.stack([bare, building_id, roof]), window=raster_storage.window_in(extent.stored, grid)
                )
            else:
                raster_storage.write_city(city_path, grid, bare, building_id, roof)
            if paints_aerial:
                painter = ortho.AerialPainter(model, fine, part["building"], seed)
                if extent.areas:
                    _paint_into(files["aerial"], raster_storage.window_in(extent.ground, ground), painter)
                else:
                    _paint_aerial(staging, painter, report)
            rasters, estimated = city_model.raise_city(grid, bare, building_id, roof)[0], model.estimated
            del model, fine, bare, building_id, roof
            yield Part(number, part, rasters, estimated)


def _clipped(layers: CityLayers, grid: CityGrid) -> CityLayers:
    left, lower, right, upper = grid.bounds_m
    around = _AROUND_M / grid.ground_per_mercator
    return {
        name: table.cx[left - around : right + around, lower - around : upper + around].reset_index(drop=True)
        for name, table in layers.items()
    }


def _paint_into(file: DatasetWriter, window: Window, painter: ortho.AerialPainter) -> None:
    for first in range(0, window.height, _ROWS_AT_ONCE):
        last = min(first + _ROWS_AT_ONCE, window.height)
        rows = np.moveaxis(painter.rows(first, last), -1, 0)
        file.write(rows, window=Window(window.col_off, window.row_off + first, window.width, last - first))


def _paint_aerial(staging: Path, painter: ortho.AerialPainter, report: Progress) -> None:
    """Paint some rows at a time into a file that an interrupted build finds again."""
    if (staging / schema.RASTERS["aerial"]).is_file():
        return
    height, width = painter.grid.shape
    path, note = staging / "aerial.npy", staging / "aerial.rows"
    done = int(note.read_text()) if note.is_file() and path.is_file() else 0
    picture = np.lib.format.open_memmap(path, "r+" if done else "w+", np.uint8, None if done else (height, width, 3))
    for first in range(done, height, _ROWS_AT_ONCE):
        last = min(first + _ROWS_AT_ONCE, height)
        picture[first:last] = painter.rows(first, last)
        picture.flush()
        note.write_text(str(last))
        report(f"aerial picture, row {last:,} of {height:,}", 0.5 + 0.5 * last / height)
    raster_storage.write_aerial(staging / schema.RASTERS["aerial"], painter.grid, picture)
    path.unlink()
    note.unlink()


def _common(one: Bounds, other: Bounds) -> Bounds:
    return max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])


def _narrow_m(bounds: Bounds) -> float:
    """The shorter side of a box on the ground, metres; negative where it is none."""
    south, west, north, east = bounds
    (left, lower), (right, upper) = geo.web_mercator(np.array([[south, west], [north, east]]))
    return float(min(right - left, upper - lower) * math.cos(math.radians((south + north) / 2)))
