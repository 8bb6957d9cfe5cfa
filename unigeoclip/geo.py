"""The sphere and its projections: pure NumPy functions on arrays of (latitude, longitude).

Coordinates are WGS84 degrees in the order (lat, lon), float64, shape (n, 2), everywhere in the package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Bounds = tuple[float, float, float, float]  # south, west, north, east in degrees

EARTH_RADIUS_M = 6_371_008.8  # mean radius (IUGG): distances on the sphere
MERCATOR_RADIUS_M = 6_378_137.0  # EPSG:3857 is a Mercator map of a sphere with the WGS84 semi-major axis
MERCATOR_HALF_M = np.pi * MERCATOR_RADIUS_M  # from the middle of the square map of EPSG:3857 to its edge
MAX_MERCATOR_LAT_DEG = 85.0511287798066  # where the Web Mercator square ends
MAX_LON_DEG = 540.0  # a map that was turned round once more shows longitudes up to this
METERS_PER_DEGREE = np.pi / 180 * EARTH_RADIUS_M

# Polynomial of the Equal Earth projection: Savric, Patterson & Jenny (2019), equation 4.
EQUAL_EARTH_A = (1.340264, -0.081106, 0.000893, 0.003796)
_SQRT3 = float(np.sqrt(3.0))
# x of (0, 180) before scaling: dividing by it makes that point (1, 0); one unit is then 17,244 km.
EQUAL_EARTH_X_MAX = 2 * _SQRT3 * np.pi / (3 * EQUAL_EARTH_A[0])


def as_latlon(points: ArrayLike) -> NDArray[np.float64]:
    """Check coordinates and bring them into the package's form.

    Args:
        points: (n, 2) or (2,) numbers, latitude and longitude in degrees.

    Returns:
        (n, 2) float64, latitude in [-90, 90], longitude wrapped to [-180, 180).

    Raises:
        InputError: Not numbers, not of that shape, not finite, latitude outside [-90, 90], or longitude outside
            [-540, 540]; names the first bad row.
    """
    try:
        array = np.array(points, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"Coordinates must be numbers (latitude, longitude) in degrees: {error}.") from error
    if array.ndim == 1 and array.shape == (2,):
        array = array[None]
    if array.ndim != 2 or array.shape[1] != 2:
        raise InputError(f"Coordinates must have shape (n, 2), latitude then longitude; these have {array.shape}.")
    _raise_for_first(~np.isfinite(array[:, 0] + array[:, 1]), array, "is not a finite pair of numbers")
    _raise_for_first(
        np.abs(array[:, 0]) > 90, array, "has a latitude outside [-90, 90]; the order is latitude, longitude"
    )
    _raise_for_first(
        np.abs(array[:, 1]) > MAX_LON_DEG, array, f"has a longitude outside [-{MAX_LON_DEG:g}, {MAX_LON_DEG:g}]"
    )
    array[:, 1] = wrap_lon_deg(array[:, 1])
    return array


def _raise_for_first(bad: NDArray[np.bool_], array: NDArray[np.float64], what: str) -> None:
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        which = f"Row {row}: " if len(array) > 1 else "The point "
        raise InputError(f"{which}({array[row, 0]:g}, {array[row, 1]:g}) {what}.")


def overlap(one: Bounds, other: Bounds) -> Bounds | None:
    """The rectangle that two have in common, south, west, north, east in degrees; None for none.

    ``one`` may go over the date line, its east exceeding 180; of two parts in common the larger is returned.
    """
    parts = []
    for turn in (-360.0, 0.0, 360.0):
        low = max(one[0], other[0]), max(one[1] + turn, other[1])
        high = min(one[2], other[2]), min(one[3] + turn, other[3])
        if low[0] < high[0] and low[1] < high[1]:
            parts.append((*low, *high))
    return max(parts, key=lambda each: each[3] - each[1], default=None)


def wrap_lon_deg(lon: ArrayLike) -> NDArray[np.float64]:
    """Wrap longitudes in degrees to [-180, 180)."""
    array = np.asarray(lon, dtype=np.float64)
    inside = (array >= -180.0) & (array < 180.0)
    wrapped = (array + 180.0) % 360.0 - 180.0
    # The modulo loses bits; a longitude that is in range already is returned as it came. Rounding can also make it 180.
    return np.where(inside, array, np.where(wrapped >= 180.0, -180.0, wrapped))


def equal_earth(latlon: NDArray[np.float64]) -> NDArray[np.float64]:
    """Project to the Equal Earth map (Savric, Patterson & Jenny 2019), scaled so that (0, 180 E) is (1, 0).

    Args:
        latlon: (n, 2) float64 degrees.

    Returns:
        (n, 2) float64 (x, y), x in [-1, 1], y in about [-0.487, 0.487]. One unit is 17,244 km.
    """
    a1, a2, a3, a4 = EQUAL_EARTH_A
    lat, lon = np.radians(latlon[:, 0]), np.radians(latlon[:, 1])
    theta = np.arcsin(_SQRT3 / 2 * np.sin(lat))
    t2 = theta * theta
    t6 = t2 * t2 * t2
    x = 2 * _SQRT3 * lon * np.cos(theta) / (3 * (9 * a4 * t6 * t2 + 7 * a3 * t6 + 3 * a2 * t2 + a1))
    y = theta * (a4 * t6 * t2 + a3 * t6 + a2 * t2 + a1)
    return np.stack([x, y], axis=1) / EQUAL_EARTH_X_MAX


def unit_xyz(latlon: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points on the unit sphere, (n, 2) degrees -> (n, 3): x to (0, 0), y to (0, 90 E), z to the north pole."""
    lat, lon = np.radians(latlon[:, 0]), np.radians(latlon[:, 1])
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=1)


def distance_m(a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    """Great-circle distance in metres on the mean sphere (haversine: exact for near points too).

    Args:
        a: (..., 2) degrees.
        b: (..., 2) degrees, broadcast against ``a``.

    Returns:
        (...) float64 metres.
    """
    first, second = np.radians(np.asarray(a, dtype=np.float64)), np.radians(np.asarray(b, dtype=np.float64))
    sin_lat = np.sin((second[..., 0] - first[..., 0]) / 2)
    sin_lon = np.sin((second[..., 1] - first[..., 1]) / 2)
    h = sin_lat**2 + np.cos(first[..., 0]) * np.cos(second[..., 0]) * sin_lon**2
    distance: NDArray[np.float64] = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(h, 0, 1)))
    return distance


def chord(angle_rad: ArrayLike) -> NDArray[np.float64]:
    """Straight distance of points of the unit sphere whose great-circle distance is ``angle_rad``, (...) in [0, 2]."""
    straight: NDArray[np.float64] = 2 * np.sin(np.asarray(angle_rad, dtype=np.float64) / 2)
    return straight


def arc_rad(chord: ArrayLike) -> NDArray[np.float64]:
    """The inverse of `chord`: great-circle distance on the unit sphere, (...) in [0, pi]."""
    angle: NDArray[np.float64] = 2 * np.arcsin(np.clip(np.asarray(chord, dtype=np.float64) / 2, 0, 1))
    return angle


def cell_area_km2(lat_deg: ArrayLike, step_deg: float) -> NDArray[np.float64]:
    """Area on the mean sphere of cells ``step_deg`` wide and high whose centres have these latitudes, (...) km2."""
    step = np.radians(step_deg)
    radius_km = EARTH_RADIUS_M / 1000
    area: NDArray[np.float64] = radius_km**2 * step * 2 * np.sin(step / 2) * np.cos(np.radians(lat_deg))
    return area


def offset_m(latlon: NDArray[np.float64], east_m: ArrayLike, north_m: ArrayLike) -> NDArray[np.float64]:
    """Move points by metres east and north on the local tangent plane.

    Near the poles (cos lat < 0.2, beyond 78.5 degrees) a degree of longitude is taken as wide as there, so that a
    window stays a window and does not wrap round the globe.

    Args:
        latlon: (..., 2) degrees.
        east_m: Metres east, broadcast against the points.
        north_m: Metres north, broadcast against the points.

    Returns:
        (..., 2) float64 degrees; latitude clipped to [-90, 90], longitude wrapped to [-180, 180).
    """
    lat = latlon[..., 0] + np.asarray(north_m) / METERS_PER_DEGREE
    cos_lat = np.maximum(np.cos(np.radians(latlon[..., 0])), 0.2)
    lon = latlon[..., 1] + np.asarray(east_m) / (METERS_PER_DEGREE * cos_lat)
    lat, lon = np.broadcast_arrays(np.clip(lat, -90, 90), wrap_lon_deg(lon))
    return np.stack([lat, lon], axis=-1)


def web_mercator(latlon: NDArray[np.float64]) -> NDArray[np.float64]:
    """EPSG:3857 metres (x, y) of (..., 2) degrees; latitudes are clipped to +-85.0511 where the square map ends."""
    lat = np.radians(np.clip(latlon[..., 0], -MAX_MERCATOR_LAT_DEG, MAX_MERCATOR_LAT_DEG))
    x = MERCATOR_RADIUS_M * np.radians(latlon[..., 1])
    y = MERCATOR_RADIUS_M * np.arctanh(np.sin(lat))
    return np.stack([x, y], axis=-1)


def inverse_web_mercator(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Degrees (lat, lon) of EPSG:3857 metres (..., 2)."""
    lat = np.degrees(np.arcsin(np.tanh(xy[..., 1] / MERCATOR_RADIUS_M)))
    lon = np.degrees(xy[..., 0] / MERCATOR_RADIUS_M)
    return np.stack([lat, lon], axis=-1)


def random_on_sphere(
    count: int, rng: np.random.Generator, bounds: Bounds = (-90, -180, 90, 180)
) -> NDArray[np.float64]:
    """Points uniform by area inside (south, west, north, east) degrees, shape (count, 2)."""
    south, west, north, east = bounds
    sin_lat = rng.uniform(np.sin(np.radians(south)), np.sin(np.radians(north)), count)
    return np.stack([np.degrees(np.arcsin(sin_lat)), wrap_lon_deg(rng.uniform(west, east, count))], axis=1)


def in_round_figures(meters: float) -> str:
    """A width in words, two digits of it: "330 km", "230 m"."""
    return f"{float(f'{meters / 1000:.2g}'):g} km" if meters >= 1000 else f"{float(f'{meters:.2g}'):g} m"
