"""Several rasters at once: overlaps, gaps, coordinate systems, resolutions, 16 bits, infrared."""

import numpy as np
import pytest
import rasterio
from rasterio.enums import ColorInterp
from rasterio.transform import from_bounds
from rasterio.warp import transform_bounds
from rasterio.windows import from_bounds as window_of

from tests.build.city.own.test_user_data import pictures, survey, write
from tests.build.made_up_city import GRID
from tests.sources.pictures import write_vast
from unigeoclip.atlas.rasters import Raster
from unigeoclip.build.city.own import raster_survey, raster_writing, user_rasters
from unigeoclip.build.city.own.raster_files import RasterFile
from unigeoclip.city.layers import CityGrid
from unigeoclip.errors import InputError

SOUTH, WEST, NORTH, EAST = GRID.bounds_deg
MIDDLE = (WEST + EAST) / 2


def flat(path, value, bounds=GRID.bounds_deg, side=200, count=3, dtype=np.uint8, **options):
    return write(path, np.full((count, side, side), value, dtype), bounds, **options)


def test_the_first_lies_on_top_and_gaps_are_filled_from_below(tmp_path):
    top = np.full((3, 200, 200), 90, np.uint8)
    top[:, :, :100] = 0
    upper = write(tmp_path / "top.tif", top, (SOUTH, WEST, NORTH, EAST), nodata=0)
    lower = flat(tmp_path / "low.tif", 180, (SOUTH, WEST, (SOUTH + NORTH) / 2, EAST))
    rgb, valid = pictures(upper, lower).read(GRID)
    rows, cols = GRID.height // 2, GRID.width // 2
    assert (rgb[:, cols + 3 :] == 90).all()
    assert (rgb[rows + 3 :, : cols - 3] == 180).all()
    assert not valid[: rows - 3, : cols - 3].any()


def test_rasters_of_other_systems_and_resolutions(tmp_path):
    box = transform_bounds("EPSG:4326", "EPSG:26919", WEST - 0.01, SOUTH - 0.01, MIDDLE, NORTH + 0.01)
    flat(tmp_path / "utm.tif", 60, side=500)
    with rasterio.open(tmp_path / "utm.tif", "r+") as dataset:
        dataset.crs, dataset.transform = "EPSG:26919", from_bounds(*box, 500, 500)
    found = survey(tmp_path / "utm.tif", flat(tmp_path / "other.tif", 120, (SOUTH, WEST, NORTH, EAST), side=90))
    rgb, valid = user_rasters.look(found, GRID).read(GRID)
    assert valid.all()
    assert set(np.unique(rgb)) == {60, 120}
    assert found.px_m < 6


def test_a_mosaic_of_forty_gigabytes_is_read_by_windows(tmp_path):
    wide = (SOUTH - 0.2, WEST - 0.2, NORTH + 0.2, EAST + 0.2)
    with write_vast(tmp_path / "vast.tif", wide, crs="EPSG:4326") as mosaic:
        city = window_of(WEST, SOUTH, EAST, NORTH, transform=mosaic.transform).round_offsets().round_lengths()
        mosaic.write(np.full((4, int(city.height), int(city.width)), 200, np.uint8), window=city)
    rgb, valid = pictures(tmp_path / "vast.tif").read(GRID)
    assert valid.mean() > 0.95
    assert (rgb[valid] == 200).all()


def test_pictures_of_16_bits_are_stretched_together(tmp_path):
    ramp = np.linspace(1000, 3000, 40_000).reshape(200, 200).astype(np.uint16)
    dark = write(tmp_path / "dark.tif", np.stack([ramp] * 3), (SOUTH, WEST, NORTH, MIDDLE))
    bright = write(tmp_path / "bright.tif", np.stack([ramp + 2000] * 3), (SOUTH, MIDDLE, NORTH, EAST))
    picture = pictures(dark, bright)
    low, high = picture.stretch
    assert (low, high) == (pytest.approx(1040, abs=40), pytest.approx(4960, abs=40))
    rgb, valid = picture.read(GRID)
    assert valid.all()
    half = GRID.width // 2
    assert rgb[:, half + 5 :].mean() - rgb[:, : half - 5].mean() == pytest.approx(2000 * 255 / (high - low), abs=5)
    assert any(f"gdal_translate -ot Byte -scale {low} {high}" in note for note in picture.notes)


def test_infrared_that_is_marked_as_opacity_is_none(tmp_path):
    pixels = np.random.default_rng(0).integers(60, 200, (4, 200, 200)).astype(np.uint8)
    path = write(tmp_path / "naip.tif", pixels, GRID.bounds_deg)
    with rasterio.open(path) as dataset:
        assert dataset.colorinterp[3] == ColorInterp.alpha
    rgb, valid = pictures(path).read(GRID)
    assert valid.all()
    assert rgb.min() >= 60


@pytest.mark.parametrize(("count", "dtype"), [(3, np.float32), (3, np.int16), (1, np.uint8), (2, np.uint16)])
def test_other_kinds_are_refused(tmp_path, count, dtype):
    with pytest.raises(InputError, match="red, green and blue of 8 or 16 bits") as error:
        survey(flat(tmp_path / "f.tif", 9, count=count, dtype=dtype))
    assert ("gdal_translate -ot Byte -scale f.tif" in str(error.value)) == (count == 3)


def test_one_bad_raster_of_several_is_left_out_and_named(tmp_path):
    (tmp_path / "bad.tif").write_text("no raster")
    far = flat(tmp_path / "far.tif", 90, (10.0, 10.0, 10.1, 10.1))
    found = survey(tmp_path / "bad.tif", flat(tmp_path / "good.tif", 90), far)
    assert [raster.file.path.name for raster in found.rasters] == ["good.tif"]
    assert any("bad.tif cannot be read" in note for note in found.notes)
    assert any("outside the city: far.tif" in note for note in found.notes)


@pytest.mark.parametrize("filling", [-3.4e38, 1e20, np.nan, np.inf])
def test_undeclared_fillings_of_heights(tmp_path, filling):
    heights = np.full((1, 200, 200), 12.5, np.float32)
    heights[:, :, :100] = filling
    path = write(tmp_path / "dsm.tif", heights, GRID.bounds_deg)
    height_m, _ = user_rasters.OwnHeights(survey(path, of=raster_survey.survey_heights)).read(GRID)
    assert np.isnan(height_m[:, : GRID.width // 2 - 4]).all()
    assert height_m[np.isfinite(height_m)] == pytest.approx(12.5)
    assert np.isfinite(height_m).mean() > 0.45


def test_gaps_of_heights_are_filled_from_below(tmp_path):
    heights = np.full((1, 200, 200), 5.0, np.float32)
    heights[:, :, :100] = -9999
    upper = write(tmp_path / "top.tif", heights, GRID.bounds_deg)
    lower = flat(tmp_path / "low.tif", 30.0, count=1, dtype=np.float32)
    found, _ = user_rasters.OwnHeights(survey(upper, lower, of=raster_survey.survey_heights)).read(GRID)
    assert np.isfinite(found).all()
    assert found[:, : GRID.width // 2 - 4] == pytest.approx(30)
    assert found[:, GRID.width // 2 + 4 :] == pytest.approx(5)


# How fine an atlas stores them


def test_pixels_follow_the_rasters_within_bounds(tmp_path, monkeypatch):
    side_m = GRID.width * GRID.ground_px_m
    fine = survey(flat(tmp_path / "fine.tif", 90, side=round(side_m / 0.6)))
    size = raster_writing.size_for("aerial", fine, GRID, [GRID])
    assert size.grid.ground_px_m == pytest.approx(0.6, rel=0.05)
    assert size.pixels == size.grid.width * size.grid.height
    assert "million pixels of 0.6" in size.sentence()
    coarse = survey(flat(tmp_path / "coarse.tif", 90, side=20))
    assert raster_writing.size_for("aerial", coarse, GRID, [GRID]).grid.ground_px_m == pytest.approx(2.5, rel=0.01)
    monkeypatch.setitem(raster_writing.MOST_PX, "aerial", 100_000)
    assert raster_writing.size_for("aerial", fine, GRID, [GRID]).pixels == pytest.approx(100_000, rel=0.02)


def test_details_of_a_fine_picture_are_kept(tmp_path):
    part = GRID.part(0, 0, 80, 80)
    (south, west, north, east), side = part.bounds_deg, round(80 * GRID.ground_px_m / 0.6)
    stripes = np.tile(np.array([40, 40, 40, 210, 210, 210], np.uint8), side)[:side]
    path = write(tmp_path / "f.tif", np.broadcast_to(stripes, (3, side, side)).copy(), part.bounds_deg)
    found = survey(path, grid=part)
    picture, size = user_rasters.look(found, part), raster_writing.size_for("aerial", found, part, [part])
    shares = []
    raster_writing.write_pictures(picture, size, tmp_path / "a.tif", tmp_path / "valid.tif", shares.append)
    assert shares[-1] == 1
    assert not (tmp_path / "valid.tif").exists(), "all of it is known"
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name or "new" in path.name] == []
    window = Raster.open(tmp_path / "a.tif").window(((south + north) / 2, (west + east) / 2), 60, 100)
    assert window.std() > 60, "stripes of 1.8 m; at 2.5 m a pixel they would be gray"


def test_scattered_pictures_take_the_room_of_their_surroundings(tmp_path):
    wide = CityGrid.cover((SOUTH - 0.02, WEST, NORTH + 0.02, EAST + 0.05), 2.5)
    found = raster_survey.survey_pictures([RasterFile(flat(tmp_path / "f.tif", 90, side=900))], wide)
    areas = [wide.part(0, 0, 9, 9), wide.part(500, 500, 9, 9)]
    size = raster_writing.size_for("aerial", found, wide, areas)
    assert size.pixels < 0.2 * size.grid.width * size.grid.height
    picture = user_rasters.look(found, wide)
    raster_writing.write_pictures(picture, size, tmp_path / "a.tif", tmp_path / "valid.tif", lambda _share: None)
    middle = np.array([((SOUTH + NORTH) / 2, MIDDLE), (SOUTH - 0.015, EAST + 0.03)])
    assert Raster.open(tmp_path / "valid.tif").windows(middle, 100, 4).mean(axis=(1, 2, 3)).tolist() == [255, 0]
    assert Raster.open(tmp_path / "a.tif").window(middle[0], 100, 4).mean() == pytest.approx(90, abs=2)
