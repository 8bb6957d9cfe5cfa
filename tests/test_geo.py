"""The sphere and its projections against published and independently computed values."""

import numpy as np
import pyproj
import pytest

from unigeoclip import geo
from unigeoclip.errors import InputError

CITIES = np.array(
    [[48.8566, 2.3522], [-33.8688, 151.2093], [64.1466, -21.9426], [-54.8019, -68.303], [1.3521, 103.8198]]
)


def test_equal_earth_equals_proj_everywhere():
    rng = np.random.default_rng(0)
    points = geo.as_latlon(
        np.vstack([CITIES, geo.random_on_sphere(500, rng), [[90, 0], [-90, 0], [0, -180], [60, -180]]])
    )
    # PROJ's eqearth on a sphere of the radius that makes (0, 180 E) x = 1.
    proj = pyproj.Proj(proj="eqearth", R=1 / geo.EQUAL_EARTH_X_MAX)
    x, y = proj(points[:, 1], points[:, 0])
    np.testing.assert_allclose(geo.equal_earth(points), np.stack([x, y], 1), atol=2e-10)


def test_equal_earth_published_constants():
    """Savric et al. (2019): the map is 2.05 times as wide as high; poles are lines, 0.59 times the equator."""
    corners = geo.equal_earth(np.array([[0.0, -180.0], [90.0, 0.0], [-90.0, -180.0], [0.0, 0.0]]))
    assert corners[0] == pytest.approx([-1, 0])
    assert 1 / corners[1, 1] == pytest.approx(2.05, abs=0.01)
    assert corners[2, 0] == pytest.approx(-0.59247, abs=1e-5)
    assert corners[3].tolist() == [0, 0]


def test_order_of_latitude_and_longitude_matters():
    swapped = CITIES[[0, 2]][:, ::-1]
    assert np.abs(geo.equal_earth(CITIES[[0, 2]]) - geo.equal_earth(swapped)).max() > 0.1


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ([[10, 20], [95, 3]], r"Row 1: \(95, 3\).*outside \[-90, 90\]"),
        ([[10, float("nan")], [1, 2]], "Row 0.*finite"),
        ([10, 200, 3], "shape"),
        ([[10, 540], [10, -541]], r"Row 1: \(10, -541\) has a longitude outside \[-540, 540\]"),
        ([10, 1e308], "longitude outside"),
        ([95, 3], r"The point \(95, 3\) has a latitude outside"),
        ([[1, 2, 3]], r"shape \(n, 2\)"),
        ([["north", "west"]], "must be numbers"),
    ],
)
def test_bad_coordinates_name_the_row(points, words):
    with pytest.raises(InputError, match=words):
        geo.as_latlon(points)


def test_longitude_wraps_and_input_is_not_changed():
    given = np.array([[0.0, 180.0], [0.0, 540.0], [0.0, -181.0], [0.0, 12.3]])
    kept = given.copy()
    assert geo.as_latlon(given)[:, 1].tolist() == [-180, -180, 179, 12.3]
    np.testing.assert_array_equal(given, kept)


def test_distances():
    paris_sydney = geo.distance_m(CITIES[0], CITIES[1])
    assert paris_sydney == pytest.approx(16_960_000, rel=2e-3)
    assert geo.distance_m([0.0, 0.0], [0.0, 1.0]) == pytest.approx(geo.METERS_PER_DEGREE)
    assert geo.distance_m([0.0, 179.999], [0.0, -179.999]) == pytest.approx(222.39, rel=1e-3)
    chord = np.linalg.norm(geo.unit_xyz(CITIES[:1]) - geo.unit_xyz(CITIES[1:2]))
    assert 2 * geo.EARTH_RADIUS_M * np.arcsin(chord / 2) == pytest.approx(paris_sydney, rel=1e-9)


def test_offsets_are_meters():
    moved = geo.offset_m(CITIES, 3000.0, 4000.0)
    np.testing.assert_allclose(geo.distance_m(CITIES, moved), 5000, rtol=2e-3)
    across = geo.offset_m(np.array([[0.0, 179.99]]), 5000.0, 0.0)
    assert across[0, 1] < -179


def test_web_mercator_equals_proj_and_inverts():
    proj = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:3857")
    x, y = proj.transform(CITIES[:, 0], CITIES[:, 1])
    xy = geo.web_mercator(CITIES)
    np.testing.assert_allclose(xy, np.stack([x, y], 1), atol=1e-3)
    np.testing.assert_allclose(geo.inverse_web_mercator(xy), CITIES, atol=1e-9)


def test_random_points_are_uniform_by_area():
    points = geo.random_on_sphere(20_000, np.random.default_rng(1))
    assert np.abs(np.sin(np.radians(points[:, 0]))).mean() == pytest.approx(0.5, abs=0.01)
