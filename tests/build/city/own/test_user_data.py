"""A person's own pictures, heights and photos: what they do not cover is lacking, never black, and is said."""

import numpy as np
import pandas as pd
import pytest
import rasterio
from PIL import Image
from rasterio.enums import ColorInterp
from rasterio.transform import from_bounds

from tests.build import made_up_tiles as made_up
from tests.build.city.test_builder import build, sexagesimal
from tests.build.made_up_city import BOUNDS_DEG, GRID
from tests.explorable import write_partly_pictured_city
from unigeoclip.atlas import schema
from unigeoclip.atlas.store import load_atlas
from unigeoclip.build.city import tile_sources
from unigeoclip.build.city.own import raster_survey, user_photos, user_rasters
from unigeoclip.build.city.own.raster_files import RasterFile
from unigeoclip.build.city.own.user_data import NOT_STATED, OwnData
from unigeoclip.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
SIZE = 640


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    return made_up.write_tiles(tmp_path_factory.mktemp("tiles"))


def write(path, pixels, bounds, mask=None, **profile):
    """A GeoTIFF of pixels (c, h, w) over south, west, north, east."""
    south, west, north, east = bounds
    count, height, width = pixels.shape
    shape = {"count": count, "height": height, "width": width, "dtype": pixels.dtype.name}
    where = {"crs": "EPSG:4326", "transform": from_bounds(west, south, east, north, width, height)}
    profile = {"driver": "GTiff", **shape, **where, **profile}
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "w", **profile) as dataset:
        dataset.write(pixels)
        if mask is not None:
            dataset.write_mask(mask)
        if count == 4:
            dataset.colorinterp = [ColorInterp.red, ColorInterp.green, ColorInterp.blue, ColorInterp.alpha]
    return path


def survey(*paths, grid=GRID, of=raster_survey.survey_pictures):
    return of([RasterFile(path) for path in paths], grid)


def pictures(*paths, grid=GRID):
    return user_rasters.look(survey(*paths, grid=grid), grid)


def half_known(kind, path):
    """A picture whose western half is unknown, said in one of five ways; the rest is between 60 and 200."""
    pixels = np.random.default_rng(0).integers(60, 200, (4 if kind == "alpha" else 3, SIZE, SIZE)).astype(np.uint8)
    unknown = np.zeros((SIZE, SIZE), bool)
    unknown[:, : SIZE // 2] = True
    pixels[:, unknown] = 255 if kind == "white" else 0
    if kind == "alpha":
        pixels[3, ~unknown] = 255
    options = {"nodata": {"nodata": 0}, "white": {"nodata": 255}, "mask": {"mask": ~unknown}}.get(kind, {})
    return write(path, pixels, GRID.bounds_deg, **options)


@pytest.mark.parametrize("kind", ["nodata", "white", "alpha", "mask", "undeclared black"])
def test_what_a_picture_does_not_show_is_unknown(tmp_path, kind):
    picture = pictures(half_known(kind, tmp_path / "f.tif"))
    rgb, valid = picture.read(GRID)
    half = GRID.width // 2
    assert not valid[:, : half - 2].any()
    assert valid[:, half + 2 :].all()
    known = rgb[valid]
    assert known.min() >= 60, "nothing of what is unknown is mixed into what is known"
    assert known.max() <= 200
    (filling,) = np.unique(rgb[~valid], axis=0)
    assert filling == pytest.approx(known.mean(axis=0), abs=1), "the filling is the mean color, not black"
    assert bool(picture.notes) == (kind == "undeclared black")
    assert all("50.0% of the city is plain black" in note or "% of the city" in note for note in picture.notes)


def test_black_inside_a_picture_or_of_a_few_pixels_belongs_to_it(tmp_path):
    pixels = np.full((3, SIZE, SIZE), 120, np.uint8)
    pixels[:, 200:400, 200:400] = 0  # a roof of tar
    pixels[:, :10, :10] = 0  # 10 m wide
    picture = pictures(write(tmp_path / "f.tif", pixels, GRID.bounds_deg))
    assert picture.read(GRID)[1].all()
    assert picture.notes == ()


@pytest.mark.parametrize("declared", [True, False])
def test_heights_without_data_are_unknown(tmp_path, declared):
    heights = np.full((1, SIZE, SIZE), 12.5, np.float32)
    heights[:, :, : SIZE // 2] = -9999
    options = {"nodata": -9999} if declared else {}
    path = write(tmp_path / "f.tif", heights, GRID.bounds_deg, **options)
    found = user_rasters.OwnHeights(survey(path, of=raster_survey.survey_heights))
    height_m, fillings = found.read(GRID)
    half = GRID.width // 2
    assert np.isnan(height_m[:, : half - 3]).all()
    assert height_m[:, half + 3 :] == pytest.approx(12.5)
    assert height_m[np.isfinite(height_m)] == pytest.approx(12.5), "nothing between a filling and a height"
    assert fillings.any() != declared


def test_a_raster_with_nothing_in_the_city_is_refused(tmp_path):
    black = write(tmp_path / "f.tif", np.zeros((3, 40, 40), np.uint8), GRID.bounds_deg)
    with pytest.raises(InputError, match="no pixel inside the city"):
        pictures(black)


def test_blocks_that_would_exhaust_the_memory_are_refused_unread(tmp_path):
    path = tmp_path / "bomb.tif"
    _bomb(path)
    with pytest.raises(InputError, match="blocks of 65,536 x 65,536"):
        survey(path)


def _bomb(path):
    """A small TIFF whose tags are changed to tiles of 65,536 pixels a side: GDAL would take 12.9 GB for one."""
    write(path, np.full((3, 64, 64), 90, np.uint8), GRID.bounds_deg, tiled=True, blockxsize=64, blockysize=64)
    data = bytearray(path.read_bytes())
    start = int.from_bytes(data[4:8], "little")
    for entry in range(int.from_bytes(data[start : start + 2], "little")):
        at = start + 2 + 12 * entry
        if int.from_bytes(data[at : at + 2], "little") in (322, 323):  # TileWidth, TileLength
            data[at + 2 : at + 12] = (
                (4).to_bytes(2, "little") + (1).to_bytes(4, "little") + (65_536).to_bytes(4, "little")
            )
    path.write_bytes(data)


def test_a_raster_is_read_window_by_window(tmp_path):
    picture = pictures(half_known("undeclared black", tmp_path / "f.tif"))
    rgb, valid = picture.read(GRID)
    for row, col in ((0, 110), (70, 120), (200, 131)):
        part, known = picture.read(GRID.part(row, col, 60, 50))
        place = slice(row, row + 60), slice(col, col + 50)
        assert (known == valid[place]).mean() > 0.999
        assert np.abs(part.astype(int) - rgb[place])[known & valid[place]].max() <= 1


def test_a_raster_with_more_pixels_than_days_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(raster_survey, "MOST_SOURCE_PX", 1000)
    with pytest.raises(InputError, match="would take days"):
        survey(half_known("nodata", tmp_path / "f.tif"))


# A city of which a picture shows a small part


@pytest.fixture(scope="module")
def partly(tmp_path_factory):
    return load_atlas(write_partly_pictured_city(tmp_path_factory.mktemp("partly") / "city"))


def test_places_without_a_picture_lack_it(partly):
    here = partly.present("aerial")
    assert 0 < here.sum() < 0.2 * len(here)
    middles = partly.places[["lat", "lon"]].to_numpy()
    windows = partly.raster("aerial").windows(middles, partly.window_m, 32)
    assert (windows[here].std(axis=(1, 2, 3)) > 5).all()
    assert partly.present("surface").all()
    assert partly.present("text").all()
    assert partly.present_at("aerial", middles).tolist() == here.tolist()
    assert windows.min() > 40, "no window is black"


def test_the_build_says_what_share_has_a_picture(partly):
    here, manifest = partly.present("aerial"), partly.manifest
    assert manifest.shares["places with an aerial picture"] == pytest.approx(here.mean(), abs=1e-4)
    sentence = f"of the city has an aerial picture: {here.sum()} of {len(here)} places."
    assert any(sentence in note for note in manifest.notes)
    assert any("plain black" in note for note in manifest.notes)


def test_a_picture_of_no_place_is_refused(town, tmp_path):
    pixels = np.full((3, 40, 40), 120, np.uint8)
    aerial = write(tmp_path / "f.tif", pixels, made_up.bbox(100))
    with pytest.raises(InputError, match="not one of .* places has an aerial picture"):
        build(town, tmp_path / "city", own=OwnData(aerial=(aerial,)), window_m=225)
    assert not (tmp_path / "city").exists()


def test_windows_follow_the_pictures(town, tmp_path):
    aerial = write(tmp_path / "f.tif", np.full((3, 200, 200), 120, np.uint8), made_up.bbox(90))
    own = OwnData(aerial=(aerial,))
    with pytest.raises(InputError, match=r"of none is more than \d\d%.*--window"):
        build(town, tmp_path / "city", own=own, window_m=225)
    atlas = load_atlas(build(town, tmp_path / "city", own=own))
    assert atlas.window_m == 180, "as wide as the picture"
    (place,) = np.flatnonzero(atlas.present("aerial"))
    middle = np.array(made_up.bbox(90)).reshape(2, 2).mean(axis=0)
    assert atlas.places[["lat", "lon"]].to_numpy()[place] == pytest.approx(middle, abs=1e-5), "moved to its middle"
    assert load_atlas(build(town, tmp_path / "city", own=own, window_m=80)).window_m == 80
    with pytest.raises(InputError, match="80 to 225 m wide, not 500 m"):
        build(town, tmp_path / "city", window_m=500)


def test_a_picture_of_everything_leaves_no_validity_raster(town, tmp_path):
    pixels = np.full((3, 40, 40), 120, np.uint8)
    atlas = load_atlas(
        build(town, tmp_path / "city", own=OwnData(aerial=(write(tmp_path / "f.tif", pixels, made_up.bbox(600)),)))
    )
    assert schema.VALIDITY["aerial"] not in atlas.manifest.files
    assert atlas.manifest.shares["places with an aerial picture"] == 1
    assert atlas.present("aerial").all()


# Licence, credit, title


def test_licence_and_credit_stand_in_the_sources(partly):
    source = next(source for source in partly.manifest.sources if source.name == "part.tif")
    assert (source.licence, source.attribution) == ("CC0 1.0", "Madeup Survey (CC0 1.0)")
    assert schema.credits_of(partly.manifest, "aerial") == ["Madeup Survey (CC0 1.0)"]
    assert schema.credits_of(partly.manifest, "street") == []
    assert not any("No license" in note for note in partly.manifest.notes)


def test_own_data_without_a_licence_say_so(town, tmp_path):
    heights = write(tmp_path / "dsm.tif", np.full((1, 40, 40), 3.0, np.float32), made_up.bbox(600))
    atlas = load_atlas(build(town, tmp_path / "city", own=OwnData(surface=(heights,)), title="Los Angeles by the sea"))
    source = atlas.manifest.sources[1]
    assert (source.licence, source.attribution) == (NOT_STATED, f"dsm.tif ({NOT_STATED})")
    assert any("No license is stated for dsm.tif" in note for note in atlas.manifest.notes)
    assert atlas.title == "Los Angeles by the sea", "the title is kept as given"


def test_a_licence_of_nothing_is_refused(town, tmp_path):
    with pytest.raises(InputError, match="license for 'aerial', but no data"):
        build(town, tmp_path / "city", own=OwnData(licenses={"aerial": "CC0"}))


# Photos


def photo(path, spot=None, heading=45.0):
    exif = Image.Exif()
    if spot is not None:
        lat, lon = spot
        exif[0x8825] = {1: "N" if lat > 0 else "S", 2: sexagesimal(lat), 3: "E" if lon > 0 else "W",
                        4: sexagesimal(lon)} | ({} if heading is None else {17: heading})  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(0).integers(0, 256, (90, 120, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(path, exif=exif)
    return path


def spots(town, tmp_path):
    return load_atlas(build(town, tmp_path / "first")).places[["lat", "lon"]].to_numpy()


def test_a_folder_of_photos(town, tmp_path):
    known = spots(town, tmp_path)
    folder = tmp_path / "photos"
    photo(folder / "a.jpg", known[0])
    photo(folder / "monday/b.JPEG", known[1], heading=None)
    photo(folder / "tuesday/c.JPEG", known[1], heading=0)
    photo(folder / "monday/nowhere.jpg")
    photo(folder / "far.jpg", (10.0, 10.0))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff nothing")
    whole = photo(folder / "cut.jpg", known[2]).read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) * 2 // 3])
    (folder / "notes.txt").write_text("no photo")
    atlas = load_atlas(build(town, tmp_path / "city", own=OwnData(street=(folder,))))
    assert len(atlas.views) == 2
    assert sorted(atlas.views["heading_deg"]) == [0, 45]
    said = " ".join(atlas.manifest.notes)
    for words in (
        "1 of 7 photos have no position (GPS in the EXIF, or lat and lon in a table): nowhere.jpg.",
        "1 of 7 photos were taken outside the city: far.jpg.",
        "1 of 7 photos are not readable pictures: broken.jpg.",
        "1 of 3 photos are not readable pictures: cut.jpg.",
        "1 of 7 photos do not say which way they look (GPS image direction in the EXIF, or heading in a table): b.JPEG",
    ):
        assert words in said
    assert atlas.present("street").sum() == 2
    assert atlas.manifest.shares["places with a street photo"] == pytest.approx(2 / len(atlas.places), abs=1e-4)
    assert (atlas.path / schema.PHOTOS_FOLDER).is_dir()


def test_one_photo_without_position_does_not_refuse_the_others(town, tmp_path):
    known = spots(town, tmp_path)
    photo(tmp_path / "a.jpg", known[0])
    photo(tmp_path / "b.jpg")
    pd.DataFrame({"path": ["a.jpg", "b.jpg", "gone.jpg"]}).to_csv(tmp_path / "photos.csv", index=False)
    found = user_photos.read_photos((tmp_path / "photos.csv",), made_up.bbox())
    assert len(found.table) == 1
    assert [note.partition(" photos ")[2] for note in found.notes] == [
        "have no position (GPS in the EXIF, or lat and lon in a table): b.jpg.", "do not exist: gone.jpg."
    ]  # fmt: skip


def test_many_photos_are_named_by_the_first(tmp_path):
    for number in range(8):
        photo(tmp_path / f"{number}.jpg")
    with pytest.raises(InputError, match=r"8 of 8 photos have no position .*: 0.jpg, .* 4.jpg and 3 more\."):
        user_photos.read_photos((tmp_path,), BOUNDS_DEG)


def test_limits_of_photos(tmp_path, monkeypatch):
    photo(tmp_path / "a.jpg", (42.343, -71.106))
    photo(tmp_path / "b.jpg", (42.343, -71.106))
    monkeypatch.setattr(user_photos, "MOST_PHOTOS", 1)
    with pytest.raises(InputError, match="at most 1 are read"):
        user_photos.read_photos((tmp_path,), BOUNDS_DEG)
    monkeypatch.setattr(user_photos, "MOST_PHOTOS", 2)
    for limit in ("MOST_PIXELS", "MOST_BYTES"):
        with monkeypatch.context() as patched:
            patched.setattr(user_photos, limit, 100)
            with pytest.raises(InputError, match="2 of 2 photos are too large"):
                user_photos.read_photos((tmp_path,), BOUNDS_DEG)
    assert len(user_photos.read_photos((tmp_path,), BOUNDS_DEG).table) == 2


def test_a_folder_without_photos(tmp_path):
    with pytest.raises(InputError, match="holds no JPEG"):
        user_photos.read_photos((tmp_path,), BOUNDS_DEG)


def test_fractions_over_nought_are_no_position(tmp_path):
    path = photo(tmp_path / "a.jpg", (42.343, -71.106))
    data = path.read_bytes()
    assert user_photos.read_photos((tmp_path,), BOUNDS_DEG).table["lat"].iloc[0] == pytest.approx(42.343, abs=1e-4)
    start = data.index(b"Exif\0\0") + 6
    # Every denominator of the block becomes 0: rationals are pairs of four bytes.
    exif = bytearray(data[start : start + 400])
    for at in range(len(exif) - 4):
        if exif[at : at + 4] in (b"\0\0\0\x01", b"\x01\0\0\0"):
            exif[at : at + 4] = b"\0\0\0\0"
    path.write_bytes(data[:start] + bytes(exif) + data[start + 400 :])
    with pytest.raises(InputError, match="not one photo"):
        user_photos.read_photos((tmp_path,), BOUNDS_DEG)


# Tiles one level deeper


def test_tiles_in_the_only_folder_that_has_them(town, tmp_path):
    (tmp_path / "extract").symlink_to(town, target_is_directory=True)
    assert len(tile_sources.open_tiles(tmp_path).tiles) == len(made_up.TILES)
    (tmp_path / "other").symlink_to(town, target_is_directory=True)
    with pytest.raises(InputError, match="2 folders of vector tiles; give one of them: .*extract, .*other"):
        tile_sources.open_tiles(tmp_path)


# Licenses and times of photos; panoramas


def write_panorama(path, side=1000):
    """A panorama whose four quarters, from behind the left on, are red, green, blue and white."""
    pixels = np.zeros((side // 2, side, 3), np.uint8)
    quarter = side // 4
    for turn, color in enumerate(((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255))):
        columns = np.arange(quarter) + turn * quarter - quarter // 2 + side // 2  # the first is in the middle
        pixels[:, columns % side] = color
    Image.fromarray(pixels).save(path, quality=95, subsampling=0)
    return path


def test_a_panorama_becomes_four_views(town, tmp_path):
    lat, lon = spots(town, tmp_path)[0]
    write_panorama(tmp_path / "p.jpg")
    row = {"path": "p.jpg", "lat": lat, "lon": lon, "heading": 30, "time": "2023-06-01T10:00:00Z"}
    pd.DataFrame([{**row, "license": "CC BY 4.0", "credit": "Jane", "projection": "equirectangular"}]).to_csv(
        tmp_path / "photos.csv", index=False
    )
    atlas = load_atlas(build(town, tmp_path / "city", own=OwnData(street=(tmp_path / "photos.csv",))))
    assert sorted(atlas.views["heading_deg"]) == [30, 120, 210, 300]
    streets = atlas.streets
    for heading, color in ((30, (255, 0, 0)), (120, (0, 255, 0)), (215, (0, 0, 255)), (-60, (255, 255, 255))):
        middle = np.asarray(streets.picture(*streets.latlon[0], heading, 64, 48))[24, 32].astype(int)
        assert middle == pytest.approx(color, abs=12), f"looking {heading}"
    said = streets.photo_of(*streets.latlon[0], 30)
    assert said == {"time": "2023-06-01T10:00:00Z", "license": "CC BY 4.0", "credit": "Jane"}
    source = next(source for source in atlas.manifest.sources if source.what == "street/: street photos")
    assert (source.licence, source.attribution, source.date) == ("CC BY 4.0", "Jane (CC BY 4.0)", "2023")


def test_photos_without_a_license_or_a_heading_are_left_out_and_counted(tmp_path):
    for name in "abc":
        photo(tmp_path / f"{name}.jpg", (42.343, -71.106), heading=None if name == "c" else 10)
    table = pd.DataFrame({"path": ["a.jpg", "b.jpg", "c.jpg"], "license": ["CC0", None, "CC0"]})
    table.to_csv(tmp_path / "photos.csv", index=False)
    found = user_photos.read_photos((tmp_path / "photos.csv",), BOUNDS_DEG)
    assert found.table["license"].tolist() == ["CC0"]
    assert [note.partition(":")[0] for note in found.notes] == [
        "1 of 3 photos have no license in the column of licenses",
        "1 of 3 photos do not say which way they look (GPS image direction in the EXIF, or heading in a table)",
    ]


def test_photos_of_several_sources_and_a_panorama_that_nobody_calls_so(tmp_path):
    folder = tmp_path / "folder"
    photo(folder / "a.jpg", (42.343, -71.106))
    write_panorama(tmp_path / "p.jpg")
    table = pd.DataFrame([{"path": "p.jpg", "lat": 42.343, "lon": -71.106, "heading": 0}])
    table.to_csv(tmp_path / "photos.csv", index=False)
    found = user_photos.read_photos((folder, tmp_path / "photos.csv"), BOUNDS_DEG)
    assert len(found.table) == 5
    assert any("taken for panoramas" in note and "p.jpg" in note for note in found.notes)
    table.assign(projection="perspective").to_csv(tmp_path / "photos.csv", index=False)
    assert len(user_photos.read_photos((tmp_path / "photos.csv",), BOUNDS_DEG).table) == 1
    table.assign(projection="fisheye").to_csv(tmp_path / "photos.csv", index=False)
    with pytest.raises(InputError, match="line 2: the projection is 'fisheye'"):
        user_photos.read_photos((tmp_path / "photos.csv",), BOUNDS_DEG)
