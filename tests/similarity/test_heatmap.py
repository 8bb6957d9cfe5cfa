import io
import json

import numpy as np
import pytest
import rasterio
import shapely
from PIL import Image

from unigeoclip.errors import InputError
from unigeoclip.geo import MAX_MERCATOR_LAT_DEG, unit_xyz
from unigeoclip.similarity.colormaps import palette
from unigeoclip.similarity.grid import Grid
from unigeoclip.similarity.heatmap import Heatmap

WORLD = (-90.0, -180.0, 90.0, 180.0)


def heat_at(grid: Grid, lat: float, lon: float, width_deg: float = 2.0) -> Heatmap:
    """A heatmap with one bump."""
    towards = unit_xyz(np.array([(lat, lon)]))[0]
    angle_deg = np.degrees(np.arccos(np.clip(unit_xyz(grid.cells) @ towards, -1, 1)))
    return Heatmap(grid, np.exp(-((angle_deg / width_deg) ** 2)).astype(np.float32))


def read(png: bytes) -> np.ndarray:
    picture = Image.open(io.BytesIO(png))
    assert picture.mode == "P"
    return np.asarray(picture.convert("RGBA")).astype(int)


def mercator_pixel(lat: float, lon: float, shape: tuple[int, ...], bounds: tuple[float, ...]) -> tuple[int, int]:
    """Row and column of a point, from the textbook formula (independent of the package)."""
    south, west, north, east = bounds

    def stretch(degrees: float) -> float:
        return float(np.log(np.tan(np.pi / 4 + np.radians(degrees) / 2)))

    row = (stretch(north) - stretch(lat)) / (stretch(north) - stretch(south)) * shape[0]
    return int(row), int((lon - west) / (east - west) * shape[1])


@pytest.fixture(scope="module")
def world() -> Grid:
    return Grid.over(WORLD, 1.0)


@pytest.fixture(scope="module")
def boston() -> Grid:
    return Grid.over((42.25, -71.2, 42.45, -70.9), 0.002)


# Grid


def test_cells_are_centers_from_the_north_west():
    grid = Grid.over((0.0, 10.0, 2.0, 13.0), 1.0)
    assert grid.shape == (2, 3)
    assert grid.cells.tolist() == [[1.5, 10.5], [1.5, 11.5], [1.5, 12.5], [0.5, 10.5], [0.5, 11.5], [0.5, 12.5]]


def test_only_kept_cells_are_numbered():
    grid = Grid.over((0.0, 10.0, 2.0, 13.0), 1.0, keep=lambda latlon: latlon[:, 1] > 11)
    assert len(grid) == 4
    assert grid.cell_at(1.9, 10.1) is None
    assert [grid.cell_at(lat, lon) for lat, lon in grid.cells] == [0, 1, 2, 3]


@pytest.mark.parametrize(("lat", "lon"), [(90, 0), (-90, 0), (0, 180), (0, -180), (52.1, 179.99), (0, 540)])
def test_every_point_of_the_globe_has_a_cell(world, lat, lon):
    number = world.cell_at(lat, lon)
    assert number is not None
    assert abs(world.cells[number, 0] - lat) <= 0.5
    assert abs((world.cells[number, 1] - lon + 180) % 360 - 180) <= 0.5


def test_points_outside_have_no_cell(boston):
    assert boston.cell_at(42.46, -71.0) is None
    assert boston.cell_at(42.3, -70.89) is None
    assert boston.cell_at(42.3, 71.0) is None
    with pytest.raises(InputError, match="latitude"):
        boston.cell_at(95, 0)


def test_areas_sum_to_the_globe(world):
    assert world.area_km2.sum() == pytest.approx(510_065_623, rel=1e-4)
    assert world.area_km2[world.cell_at(60, 0)] == pytest.approx(world.area_km2[world.cell_at(0, 0)] / 2, rel=0.02)


def test_a_grid_across_the_date_line():
    fiji = Grid.over((-20.0, 176.0, -15.0, 184.0), 0.5)
    assert fiji.cells[:, 1].max() < 180
    assert fiji.cell_at(-17, -177.3) is not None
    assert fiji.cell_at(-17, 175.9) is None
    heat = heat_at(fiji, -16.75, -179.25)
    pixels = read(heat.png())
    row, column = mercator_pixel(-16.75, 180.75, pixels.shape, heat.bounds)
    assert pixels[row, column, :3].sum() > 600


@pytest.mark.parametrize("bounds", [(10, 0, 5, 1), (0, 5, 1, 5), (0, -190, 1, 0), (-91, 0, 1, 1)])
def test_bounds_that_are_no_part_of_the_globe(bounds):
    with pytest.raises(InputError, match="bounds"):
        Grid.over(bounds, 1.0)


def test_a_grid_needs_cells_and_a_step():
    with pytest.raises(InputError, match="no cells"):
        Grid.over((0.0, 0.0, 1.0, 1.0), 0.5, keep=lambda latlon: np.zeros(len(latlon), dtype=bool))
    with pytest.raises(InputError, match="step"):
        Grid.over(WORLD, 0.0)


# Pictures


@pytest.mark.parametrize(
    ("lat", "lon"),
    [(0.5, 0.5), (48.5, 2.5), (-33.5, 151.5), (64.5, -21.5), (80.5, -40.5), (-79.5, 100.5), (84.5, 30.5)],
)
def test_a_hot_cell_lands_at_its_mercator_pixel(world, lat, lon):
    heat = heat_at(world, lat, lon)
    pixels = read(heat.png())
    hottest = pixels[..., :3].sum(axis=2) == pixels[..., :3].sum(axis=2).max()
    rows, columns = np.nonzero(hottest)
    row, column = mercator_pixel(lat, lon, pixels.shape, heat.bounds)
    assert abs((rows.min() + rows.max()) / 2 - row) <= 2
    assert abs((columns.min() + columns.max()) / 2 - column) <= 2


def test_a_city_picture_is_right_to_the_pixel(boston):
    heat = heat_at(boston, 42.371, -71.051, width_deg=0.01)
    pixels = read(heat.png())
    assert pixels.shape[1] == boston.picture_width_px == max(2 * boston.shape[1], 512)
    # At 42 N a degree of latitude is 1 / cos(42 deg) as long as one of longitude in Web Mercator.
    assert pixels.shape[0] == pytest.approx(pixels.shape[1] * 0.2 / 0.3 / np.cos(np.radians(42.35)), abs=2)
    row, column = mercator_pixel(42.371, -71.051, pixels.shape, heat.bounds)
    rows, columns = np.nonzero(pixels[..., 0] == pixels[..., 0].max())
    assert abs(rows.mean() - row) <= 4
    assert abs(columns.mean() - column) <= 4


def test_rows_follow_the_exact_inverse_mercator(world):
    """Similarity = latitude: each pixel's value must be the latitude of its row."""
    heat = Heatmap(world, (world.cells[:, 0] / 90).astype(np.float32))
    plan = world.picture_plan(512)
    values = np.full(plan.shape, np.nan)
    values.ravel()[plan.pixels] = plan.weights @ heat.values
    edge = np.pi * (1 - 2 * (np.arange(plan.shape[0]) + 0.5) / plan.shape[0])
    expected = np.degrees(2 * np.arctan(np.exp(edge)) - np.pi / 2)
    assert plan.shape == (512, 512)
    np.testing.assert_allclose(values[:, 100] * 90, expected, atol=1e-4)


def test_the_picture_ends_where_web_mercator_ends(world):
    assert Heatmap(world, np.zeros(len(world), dtype=np.float32)).bounds == (
        -MAX_MERCATOR_LAT_DEG,
        -180.0,
        MAX_MERCATOR_LAT_DEG,
        180.0,
    )


def test_latitude_and_longitude_are_not_swapped(world):
    """Asymmetric places: swapped, Nairobi would lie in the far north of Norway and Lima in the Southern Ocean."""
    for lat, lon in ((-1.3, 36.8), (-12.0, -77.0)):
        heat = heat_at(world, lat, lon)
        best = heat.best()
        assert abs(best.lat - lat) <= 0.5
        assert abs(best.lon - lon) <= 0.5
        assert heat.value_at(lat, lon) > 0.8
        assert heat.value_at(lon, lat) < 0.1


def test_heat_continues_across_the_date_line(world):
    pixels = read(heat_at(world, 10.5, 179.9, width_deg=5).png())
    row, _ = mercator_pixel(10.5, 0, pixels.shape, (-MAX_MERCATOR_LAT_DEG, -180, MAX_MERCATOR_LAT_DEG, 180))
    assert pixels[row, 0, :3].sum() > 600
    assert pixels[row, -1, :3].sum() > 600
    assert np.abs(pixels[row, 0] - pixels[row, -1]).max() < 25


def test_nothing_bleeds_over_a_coast():
    """Land is the west half, uniform: its edge pixels must have its colour, not a mixture with what is not there."""
    grid = Grid.over(WORLD, 2.0, keep=lambda latlon: latlon[:, 1] < 0)
    values = np.full(len(grid), 0.25, dtype=np.float32)
    values[grid.cell_at(-60, -170)] = 0.9
    pixels = read(Heatmap(grid, values).png(width_px=1024))
    assert (pixels[:, 512:, 3] == 0).all()
    assert (pixels[:, :511, 3] == 255).all()
    assert (pixels[200, 480:511, :3] == pixels[200, 480, :3]).all()


def test_opacity_and_what_lies_off_the_grid():
    grid = Grid.over(WORLD, 5.0, keep=lambda latlon: latlon[:, 0] > 0)
    heat = Heatmap(grid, np.linspace(0, 1, len(grid), dtype=np.float32))
    alpha = read(heat.png(opacity=0.6))[..., 3]
    assert set(np.unique(alpha)) == {0, 153}
    fading = read(heat.png(opacity=0.8, low_opacity=0.2))
    assert set(np.unique(fading[..., 3])) <= {0, *range(51, 205)}
    row, column = mercator_pixel(2.5, 0, fading.shape, heat.bounds)
    assert fading[row, column, 3] > 180
    with pytest.raises(InputError, match="opacity"):
        heat.png(opacity=1.2)


def test_the_threshold_paints_only_the_hottest_share(world):
    rng = np.random.default_rng(0)
    heat = Heatmap(world, rng.normal(size=len(world)).astype(np.float32))
    painted = heat.hottest(0.1)
    share = world.area_km2[painted].sum() / world.area_km2.sum()
    assert 0.0995 <= share <= 0.1
    assert heat.values[painted].min() >= heat.values[~painted].max()
    smooth = Heatmap(world, np.sin(np.radians(world.cells[:, 0])).astype(np.float32))
    alpha = read(smooth.png(top_share=0.25))[..., 3]
    # A quarter of the globe lies north of 30 N.
    row, _ = mercator_pixel(30, 0, alpha.shape, smooth.bounds)
    assert (alpha[: row - 3] == 255).all()
    assert (alpha[row + 3 :] == 0).all()
    everything = read(smooth.png(top_share=1.0))[..., 3]
    assert (everything == 255).all()


def test_colors_start_at_the_floor(world):
    heat = Heatmap(world, np.sin(np.radians(world.cells[:, 0])).astype(np.float32))
    lowest = read(heat.png("viridis"))
    # The median of the area is the equator: everything south of it has the lowest colour.
    assert (lowest[600:] == lowest[-1, 0]).all()
    assert (read(heat.png("viridis", floor_percentile=0))[600] != lowest[600]).any()
    with pytest.raises(InputError, match="floor"):
        heat.png(floor_percentile=100)


def test_the_percentile_scale_is_by_area(world):
    heat = Heatmap(world, (np.radians(world.cells[:, 0]) ** 3).astype(np.float32))
    legend = heat.legend("viridis", scale="percentile", floor_percentile=0, stops=5)
    # Three quarters of the globe lie south of 30 N.
    assert np.degrees(np.cbrt(legend[3].similarity)) == pytest.approx(30, abs=1)
    pixels = read(heat.png("viridis", floor_percentile=0, scale="percentile"))
    row, column = mercator_pixel(30, 0, pixels.shape, heat.bounds)
    color = np.array(list(bytes.fromhex(legend[3].color[1:])))
    assert np.abs(pixels[row, column, :3] - color).max() <= 10
    with pytest.raises(InputError, match="scale"):
        heat.png(scale="rank")


def test_the_legend_belongs_to_the_picture(world):
    heat = Heatmap(world, np.sin(np.radians(world.cells[:, 0])).astype(np.float32))
    legend = heat.legend("magma", stops=5)
    assert [mark.fraction for mark in legend] == [0, 0.25, 0.5, 0.75, 1]
    assert legend[0].similarity == pytest.approx(0, abs=0.02)
    assert legend[-1].similarity == pytest.approx(heat.values.max())
    pixels = read(heat.png("magma"))
    for mark in legend[1:-1]:
        row, column = mercator_pixel(np.degrees(np.arcsin(mark.similarity)), 0, pixels.shape, heat.bounds)
        color = np.array(list(bytes.fromhex(mark.color[1:])))
        assert np.abs(pixels[row, column, :3] - color).max() <= 12


def test_a_constant_map_is_drawn():
    grid = Grid.over((0.0, 0.0, 2.0, 2.0), 1.0)
    heat = Heatmap(grid, np.full(4, 0.3, dtype=np.float32))
    assert read(heat.png())[..., 3].min() == 255
    assert heat.best().similarity == pytest.approx(0.3)


def test_even_noise_stays_small():
    grid = Grid.over(WORLD, 0.5, keep=lambda latlon: np.abs(latlon[:, 0]) < 60)
    noise = np.random.default_rng(0).uniform(-1, 1, len(grid)).astype(np.float32)
    assert len(Heatmap(grid, noise).png(floor_percentile=80)) <= 150_000


def test_bad_pictures(world):
    heat = heat_at(world, 0, 0)
    with pytest.raises(InputError, match="colour map"):
        heat.png("rainbow")
    with pytest.raises(InputError, match="share"):
        heat.png(top_share=0)
    with pytest.raises(InputError, match="wide"):
        heat.png(width_px=0)
    with pytest.raises(InputError, match="values"):
        Heatmap(world, np.zeros(3, dtype=np.float32))
    with pytest.raises(InputError, match="finite"):
        Heatmap(world, np.full(len(world), np.nan, dtype=np.float32))


# Numbers


def test_percentiles_are_by_area(world):
    heat = Heatmap(world, np.sin(np.radians(world.cells[:, 0])).astype(np.float32))
    assert heat.percentile(0.5) == pytest.approx(75, abs=1)
    assert heat.percentile(-2) == 0
    assert heat.percentile(2) == pytest.approx(100)
    assert heat.similarity_at(75) == pytest.approx(0.5, abs=0.02)
    assert heat.similarity_at(100) == heat.values.max()
    assert heat.similarity_at(0) == heat.values.min()
    with pytest.raises(InputError, match="percentile"):
        heat.similarity_at(101)


def test_the_hottest_share_is_never_empty():
    grid = Grid.over((0.0, 0.0, 3.0, 3.0), 1.0)
    heat = Heatmap(grid, np.arange(9, dtype=np.float32))
    assert np.flatnonzero(heat.hottest(0.001)).tolist() == [8]
    assert heat.hottest(1.0).all()


def test_value_off_the_grid_is_nan():
    grid = Grid.over(WORLD, 5.0, keep=lambda latlon: latlon[:, 0] > 0)
    heat = Heatmap(grid, np.ones(len(grid), dtype=np.float32))
    assert np.isnan(heat.value_at(-10, 0))
    assert heat.value_at(10, 0) == 1
    raster = heat.raster()
    assert raster.dtype == np.float32
    assert raster.shape == (36, 72)
    assert np.isnan(raster[18:]).all()
    assert (raster[:18] == 1).all()


# Files


def test_geotiff_opens_at_the_right_place(tmp_path):
    grid = Grid.over(WORLD, 2.0, keep=lambda latlon: latlon[:, 0] > -60)
    heat = heat_at(grid, 23.0, 11.0)
    heat.to_geotiff(tmp_path / "sahara.tif")
    with rasterio.open(tmp_path / "sahara.tif") as tiff:
        assert tiff.crs.to_epsg() == 4326
        assert tiff.bounds == (-180, -90, 180, 90)
        assert np.isnan(tiff.nodata)
        values = tiff.read(1)
        row, column = np.unravel_index(np.nanargmax(values), values.shape)
        assert tiff.xy(row, column) == pytest.approx((11.0, 23.0))  # rasterio gives (x, y) = (lon, lat)
        points = [(best_lon, best_lat) for best_lat, best_lon in grid.cells[::97]]
        sampled = np.array([value[0] for value in tiff.sample(points)])
    np.testing.assert_array_equal(sampled, heat.values[::97])
    np.testing.assert_array_equal(values, heat.raster())
    assert [path.name for path in tmp_path.iterdir()] == ["sahara.tif"]


def test_geojson_holds_the_hottest_cells(tmp_path):
    grid = Grid.over((0.0, 10.0, 10.0, 20.0), 1.0)
    heat = heat_at(grid, 3.5, 17.5)
    heat.to_geojson(tmp_path / "hot.geojson", share=0.05)
    features = json.loads((tmp_path / "hot.geojson").read_text())["features"]
    assert 4 <= len(features) <= 5
    assert features[0]["geometry"]["coordinates"] == [[[17, 3], [18, 3], [18, 4], [17, 4], [17, 3]]]
    similarities = [feature["properties"]["similarity"] for feature in features]
    assert similarities == sorted(similarities, reverse=True)
    with pytest.raises(InputError, match="share"):
        heat.to_geojson(tmp_path / "none.geojson", share=0)


def test_geojson_at_the_date_line_stays_on_the_map(tmp_path):
    grid = Grid.over(WORLD, 10.0)
    heat_at(grid, 5, 175).to_geojson(tmp_path / "hot.geojson", share=0.01)
    for feature in json.loads((tmp_path / "hot.geojson").read_text())["features"]:
        lon, lat = np.array(feature["geometry"]["coordinates"][0]).T
        assert lon.min() >= -180
        assert lon.max() <= 180
        assert lon.max() - lon.min() == 10
        assert lat.max() - lat.min() == 10


def test_png_file_says_where_it_lies(tmp_path):
    heat = heat_at(Grid.over(WORLD, 5.0), 0, 0)
    heat.to_png(tmp_path / "heat.png", colormap="viridis")
    assert "EPSG:3857" in Image.open(tmp_path / "heat.png").text["Comment"]
    assert (tmp_path / "heat.png").read_bytes() == heat.png("viridis")


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="cannot be written"):
        heat_at(Grid.over(WORLD, 5.0), 0, 0).to_geotiff(tmp_path / "missing" / "heat.tif")


# What a map shows besides the picture


def test_percentiles_are_whole_numbers_of_the_grid(world):
    heat = heat_at(world, 40.0, 20.0, 40.0)
    pixels = np.asarray(Image.open(io.BytesIO(heat.percentiles_png())))
    assert pixels.shape == world.shape
    assert (pixels.min(), pixels.max()) == (1, 100)
    row, column = int(90 - 40.0), int(180 + 20.0)
    assert pixels[row, column] == 100
    for lat, lon in ((10.0, 20.0), (-30.0, 100.0), (70.0, -60.0)):
        said = int(pixels[int(90 - lat), int(180 + lon)]) - 1
        assert said == pytest.approx(heat.percentile(heat.value_at(lat, lon)), abs=1)


def test_cells_that_do_not_count_have_no_percentile():
    grid = Grid.over(WORLD, 5.0, keep=lambda latlon: latlon[:, 0] > 0)
    pixels = np.asarray(Image.open(io.BytesIO(heat_at(grid, 40.0, 20.0).percentiles_png())))
    assert (pixels[grid.shape[0] // 2 :] == 0).all()
    assert (pixels[: grid.shape[0] // 2] > 0).all()


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (0.003, 0.4), (2.0, -1.0), (0.0, 0.123456), (-0.4, 0.2)])
def test_areas_above_steps_of_similarity_are_those_of_a_sum_over_the_cells(boston, scale, shift):
    values = heat_at(boston, 42.35, -71.05, 0.1).values * np.float32(scale) + np.float32(shift)
    heat = Heatmap(boston, values)
    levels = heat.levels()
    codes = np.asarray(Image.open(io.BytesIO(heat.levels_png(levels))))[boston.mask]
    assert (codes == levels.codes).all()
    assert codes.min() == 1
    assert codes.max() <= 255
    assert levels.low / levels.step == pytest.approx(round(levels.low / levels.step), abs=1e-6)
    for code in range(2, int(codes.max()) + 1):
        similarity = np.float32(round(levels.low + (code - 1) * levels.step, 4))
        assert (codes >= code).tolist() == (values >= similarity).tolist()
        brute = sum(float(area) for area, value in zip(boston.area_km2, values, strict=True) if value >= similarity)
        assert heat.area_above(float(similarity)) == pytest.approx(brute, rel=1e-9)


def test_the_area_of_a_whole_grid_is_that_of_its_part_of_the_sphere(world):
    assert heat_at(world, 0.0, 0.0).area_above(-1.0) == pytest.approx(4 * np.pi * 6371.0088**2, rel=1e-9)


def test_an_outline_encloses_the_best_cells_and_no_others(world):
    heat = heat_at(world, 20.0, -40.0, 30.0)
    shape = shapely.geometry.shape(heat.outline(0.05))
    assert shape.is_valid
    inside = shapely.contains_xy(shape, world.cells[:, 1], world.cells[:, 0])
    best = heat.hottest(0.05)
    assert (inside != best).sum() <= 0.02 * best.sum()  # rounded corners
    assert inside[world.cell_at(20.0, -40.0)]
    with pytest.raises(InputError, match="share of the area"):
        heat.outline(0.0)


def test_the_absolute_scale_is_the_same_for_every_heatmap(world):
    weak, strong = (Heatmap(world, np.float32(peak) * heat_at(world, 40.0, 20.0, 20).values) for peak in (0.2, 0.9))
    options = {"scale": "absolute", "limits": (0.1, 0.9)}
    assert weak.legend("viridis", **options) == strong.legend("viridis", **options)
    assert [round(stop.similarity, 3) for stop in weak.legend("viridis", **options, stops=3)] == [0.1, 0.5, 0.9]
    here = mercator_pixel(40.0, 20.0, read(weak.png("viridis", **options)).shape, weak.bounds)
    lowest, highest = palette("viridis", 96)[[0, -1]]
    assert np.abs(read(strong.png("viridis", **options))[here][:3] - highest).max() < 8
    assert np.abs(read(weak.png("viridis", **options))[here][:3] - highest).max() > 60, "a weak answer looks weak"
    assert (read(weak.png("viridis", **options))[10, 10][:3] == lowest).all()
    cell = world.cell_at(40.0, 20.0)
    assert np.abs(strong.cell_colors("viridis", **options)[cell].astype(int) - highest).max() < 8


@pytest.mark.parametrize("limits", [None, (0.5, 0.5), (0.6, 0.2), (0.1, float("nan"))])
def test_the_absolute_scale_needs_rising_limits(world, limits):
    heat = heat_at(world, 40.0, 20.0)
    for draw in (heat.png, heat.legend, heat.cell_colors):
        with pytest.raises(InputError, match="limits"):
            draw(scale="absolute", limits=limits)
