"""Windows, tiles and values of rasters, against pictures whose every value is known."""

import time

import numpy as np
import pytest
from rasterio.transform import Affine, from_origin

from unigeoclip import geo
from unigeoclip.atlas import Raster, rasters
from unigeoclip.errors import AtlasError, InputError
from unigeoclip.files.cog import global_transform, write_cog

HEIGHT, WIDTH = 360, 720  # half a degree a pixel
STEP = 0.5


def pixel_centers():
    lat = 90 - (np.arange(HEIGHT) + 0.5) * STEP
    lon = -180 + (np.arange(WIDTH) + 0.5) * STEP
    return np.meshgrid(lat, lon, indexing="ij")


@pytest.fixture(scope="module")
def gradient(tmp_path_factory):
    """Two bands of heights that say where they are: latitude and longitude times 100."""
    path = tmp_path_factory.mktemp("rasters") / "gradient.tif"
    lat, lon = pixel_centers()
    write_cog(path, np.stack([lat, lon]).astype(np.float32) * 100, global_transform(HEIGHT, WIDTH), compress="DEFLATE")
    return path


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    path = tmp_path_factory.mktemp("rasters") / "picture.tif"
    values = np.random.default_rng(0).integers(0, 256, (3, HEIGHT, WIDTH)).astype(np.uint8)
    write_cog(path, values, global_transform(HEIGHT, WIDTH), compress="DEFLATE")
    return path, values


def offsets_deg(px, side_deg):
    return (np.arange(px) + 0.5 - px / 2) * side_deg / px


@pytest.mark.parametrize("latlon", [(45.76, 4.83), (-33.9, 151.2), (0.0, 0.0), (61.2, -149.9)])
@pytest.mark.parametrize("in_memory", [True, False])
def test_a_window_shows_its_place(gradient, latlon, in_memory):
    raster = Raster.open(gradient)
    raster.in_memory = in_memory
    window = raster.window(latlon, 333_585.0, 24)
    assert window.shape == (2, 24, 24)
    assert window.dtype == np.float32
    lat = latlon[0] - offsets_deg(24, 3.0)  # north is up
    lon = latlon[1] + offsets_deg(24, 3.0 / np.cos(np.radians(latlon[0])))  # a square in metres is wide in degrees
    np.testing.assert_allclose(window[0], np.repeat(lat[:, None], 24, 1) * 100, atol=0.01)
    np.testing.assert_allclose(window[1], np.repeat(lon[None], 24, 0) * 100, atol=0.05)


def test_latitude_is_not_longitude(gradient):
    raster = Raster.open(gradient)
    lyon, swapped = raster.values([[45.76, 4.83], [4.83, 45.76]]) / 100
    np.testing.assert_allclose(lyon, [45.76, 4.83], atol=STEP / 2)
    np.testing.assert_allclose(swapped, [4.83, 45.76], atol=STEP / 2)


@pytest.mark.parametrize("in_memory", [True, False])
def test_windows_cross_the_date_line(gradient, in_memory):
    raster = Raster.open(gradient)
    raster.in_memory = in_memory
    lon = raster.window((10.0, 179.9), 333_585.0, 31)[1, 15] / 100
    expected = geo.wrap_lon_deg(179.9 + offsets_deg(31, 3.0 / np.cos(np.radians(10.0))))
    away = np.abs(np.abs(expected) - 180) > STEP  # between the last and the first pixel the gradient itself jumps
    if not in_memory:
        away &= expected > 0
    np.testing.assert_allclose(lon[away], expected[away], atol=0.02)


def test_both_sides_of_the_date_line_are_one_place(picture):
    raster = Raster.open(picture[0])
    east, west = raster.windows([[10, 180], [10, -180]], 333_585.0, 16)
    np.testing.assert_array_equal(east, west)


def test_a_window_does_not_depend_on_its_neighbors(picture):
    raster = Raster.open(picture[0])
    points = np.array([[45.76, 4.83], [-60.0, 170.0], [80.0, 0.0]])
    together = raster.windows(points, 333_585.0, 20)
    for point, window in zip(points, together, strict=True):
        np.testing.assert_array_equal(raster.window(point, 333_585.0, 20), window)


def test_an_exact_window_is_the_pixels_themselves(picture):
    path, values = picture
    window = Raster.open(path).window((0.0, 0.0), 8 * rasters.WINDOW_M_PER_DEG, 16)
    np.testing.assert_array_equal(window, values[:, 172:188, 352:368])


def test_coarse_windows_are_means(picture):
    path, values = picture
    window = Raster.open(path).window((0.0, 0.0), 8 * rasters.WINDOW_M_PER_DEG, 4)
    blocks = values[:, 172:188, 352:368].reshape(3, 4, 4, 4, 4).mean(axis=(2, 4))
    np.testing.assert_allclose(window, blocks, atol=12)  # samples spread over the area; single pixels differ by 74
    assert np.abs(window - blocks).mean() < 4


def test_memory_and_file_agree(picture):
    points = np.array([[45.76, 4.83], [-33.9, 151.2], [60.0, -120.0]])
    whole, windowed = Raster.open(picture[0]), Raster.open(picture[0])
    windowed.in_memory = False
    np.testing.assert_array_equal(whole.windows(points, 333_585.0, 20), windowed.windows(points, 333_585.0, 20))
    np.testing.assert_array_equal(whole.values(points), windowed.values(points))
    np.testing.assert_array_equal(whole.tile(3, 4, 2, 64), windowed.tile(3, 4, 2, 64))


def test_beyond_the_pole_there_is_nothing(gradient):
    window = Raster.open(gradient).window((89.5, 0.0), 333_585.0, 12)
    assert np.isnan(window[0, :3]).all()
    assert np.isfinite(window[0, -6:]).all()


def test_values_on_a_grid_are_values_at_its_crossings(gradient):
    raster = Raster.open(gradient)
    lats, lons = np.linspace(89, -89, 7), np.linspace(-179, 179, 11)
    points = np.stack(np.meshgrid(lats, lons, indexing="ij"), axis=-1).reshape(-1, 2)
    expected = raster.values(points).T.reshape(2, 7, 11)
    np.testing.assert_array_equal(raster.values_on_grid(lats, lons), expected)
    raster.in_memory = False
    np.testing.assert_array_equal(raster.values_on_grid(lats, lons), expected)


def test_the_corners_of_the_earth_have_values(gradient):
    values = Raster.open(gradient).values([[90, -180], [-90, 180], [90, 179.99], [-90, 0]]) / 100
    np.testing.assert_allclose(values[:, 0], [89.75, -89.75, 89.75, -89.75])


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    """A small raster in EPSG:3857 round Boston, 100 m (of the map) a pixel; bands are map x and y in kilometres."""
    path = tmp_path_factory.mktemp("rasters") / "city.tif"
    x0, y0 = geo.web_mercator(np.array([42.36, -71.06]))
    transform = from_origin(x0 - 10_000, y0 + 10_000, 100, 100)
    y, x = np.meshgrid(
        y0 + 10_000 - (np.arange(200) + 0.5) * 100, x0 - 10_000 + (np.arange(200) + 0.5) * 100, indexing="ij"
    )
    write_cog(path, np.stack([x - x0, y - y0]).astype(np.float32), transform, crs="EPSG:3857", compress="DEFLATE")
    return path


@pytest.mark.parametrize("in_memory", [True, False])
def test_windows_of_a_city_are_local_meters(city, in_memory):
    raster = Raster.open(city)
    raster.in_memory = in_memory
    window = raster.window((42.36, -71.06), 1500.0, 15)
    stretch = 1 / np.cos(np.radians(42.36))  # map metres per local metre
    meters = (np.arange(15) - 7) * 100 * stretch
    np.testing.assert_allclose(window[0], np.repeat(meters[None], 15, 0), atol=0.5)
    np.testing.assert_allclose(window[1], np.repeat(-meters[:, None], 15, 1), atol=0.5)


def test_outside_a_city_there_is_nothing(city):
    raster = Raster.open(city)
    assert np.isnan(raster.window((48.85, 2.35), 1500.0, 8)).all()
    assert np.isnan(raster.values([[48.85, 2.35]])).all()
    raster.in_memory = False
    assert np.isnan(raster.window((48.85, 2.35), 1500.0, 8)).all()
    assert np.isnan(raster.tile(3, 0, 0, 16)).all()


def test_bounds(gradient, city):
    assert Raster.open(gradient).bounds == (-90, -180, 90, 180)
    south, west, north, east = Raster.open(city).bounds
    assert 42.2 < south < 42.36 < north < 42.5
    assert -71.2 < west < -71.06 < east < -70.9


@pytest.mark.parametrize(("z", "x", "y"), [(0, 0, 0), (2, 1, 1), (4, 8, 5), (6, 40, 20)])
def test_tiles_lie_where_the_map_puts_them(gradient, z, x, y):
    px = 64
    tile = Raster.open(gradient).tile(z, x, y, px) / 100
    side = 2 * np.pi * geo.MERCATOR_RADIUS_M / 2**z
    mx = -np.pi * geo.MERCATOR_RADIUS_M + (x + (np.arange(px) + 0.5) / px) * side
    my = np.pi * geo.MERCATOR_RADIUS_M - (y + (np.arange(px) + 0.5) / px) * side
    expected = geo.inverse_web_mercator(np.stack(np.meshgrid(mx, my), axis=-1))
    tolerance = 0.01 if z >= 2 else 1.2
    np.testing.assert_allclose(tile[0], expected[..., 0], atol=tolerance)
    inner = slice(1, -1)
    np.testing.assert_allclose(tile[1][:, inner], expected[:, inner, 1], atol=tolerance)


def test_neighboring_tiles_meet(gradient):
    raster = Raster.open(gradient)
    left, right = raster.tile(4, 7, 5, 64)[1], raster.tile(4, 8, 5, 64)[1]
    step = 100 * 360 / 2**4 / 64
    np.testing.assert_allclose(right[:, 0] - left[:, -1], step, rtol=0.01)


# A zoom of hundreds of digits must not be computed with, not even for the message: 2**z would fill the memory.
@pytest.mark.parametrize(
    "tile", [(0, 1, 0), (3, 8, 0), (3, 0, -1), (-1, 0, 0), (30, 0, 0), (10**400, 0, 0), (10**9, 0, 0)]
)
def test_there_is_no_such_tile(gradient, tile):
    with pytest.raises(InputError, match="no such map tile"):
        Raster.open(gradient).tile(*tile)


@pytest.mark.parametrize(("size_m", "px"), [(0, 8), (-5, 8), (1e9, 8), (float("nan"), 8), (1000, 0), (1000, 10**6)])
def test_impossible_windows(gradient, size_m, px):
    with pytest.raises(InputError, match="A window needs"):
        Raster.open(gradient).window((0, 0), size_m, px)


def test_no_data_is_nan(tmp_path):
    heights = np.full((1, HEIGHT, WIDTH), 100, np.int16)
    heights[:, :, : WIDTH // 2] = -32768
    write_cog(tmp_path / "heights.tif", heights, global_transform(HEIGHT, WIDTH), nodata=-32768, compress="DEFLATE")
    raster = Raster.open(tmp_path / "heights.tif")
    window = raster.window((0.0, 0.0), 333_585.0, 10)[0]
    assert np.isnan(window[:, :4]).all()
    np.testing.assert_allclose(window[:, 6:], 100, rtol=1e-6)


def test_damage_inside_a_raster(picture, tmp_path):
    data = bytearray(picture[0].read_bytes())
    data[len(data) // 3 :] = bytes(len(data) - len(data) // 3)
    (tmp_path / "damaged.tif").write_bytes(data)
    with pytest.raises(AtlasError, match=r"damaged\.tif is damaged"):
        Raster.open(tmp_path / "damaged.tif").window((0.0, 0.0), 333_585.0, 8)


def write(path, transform=None, crs="EPSG:4326", dtype=np.uint8):
    write_cog(path, np.ones((1, 8, 8), dtype), transform or from_origin(0, 8, 1, 1), crs=crs, compress="DEFLATE")
    return path


def test_no_raster_at_all(tmp_path):
    (tmp_path / "text.tif").write_text("hello")
    with pytest.raises(AtlasError, match="cannot be read as a raster"):
        Raster.open(tmp_path / "text.tif")
    with pytest.raises(AtlasError, match="cannot be read as a raster"):
        Raster.open(tmp_path / "missing.tif")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"crs": None}, "no coordinate reference system.*gdal_edit"),
        ({"crs": "EPSG:32631"}, "EPSG:32631; windows are cut in EPSG:4326 or EPSG:3857.*gdalwarp"),
        ({"transform": Affine(1, 0, 0, 0, 1, 0)}, "not north up"),
        ({"dtype": np.float64}, "type float64"),
    ],
)
def test_rasters_that_cannot_be_used(tmp_path, options, message):
    with pytest.raises(AtlasError, match=message):
        Raster.open(write(tmp_path / "bad.tif", **options))


def test_bad_points_are_named(gradient):
    with pytest.raises(InputError, match="Row 1"):
        Raster.open(gradient).windows([[0, 0], [95, 0]], 1000.0, 8)


def test_a_batch_is_fast(picture):
    """512 windows of 48 px in 30 ms of one idle core; the bound leaves room for a busy machine."""
    raster = Raster.open(picture[0])
    points = geo.random_on_sphere(512, np.random.default_rng(0), (-60, -180, 84, 180))
    raster.windows(points[:2], 333_585.0, 48)
    spent = []
    for _ in range(3):
        start = time.thread_time()
        raster.windows(points, 333_585.0, 48)
        spent.append(time.thread_time() - start)
    assert min(spent) < 0.2
