import shutil

import numpy as np
import pandas as pd
import pytest
import rasterio
from PIL import Image
from rasterio.transform import from_bounds

from tests.build import made_up_tiles as made_up
from unigeoclip.atlas import schema, store
from unigeoclip.atlas.store import load_atlas
from unigeoclip.build.city import builder, parts, staging
from unigeoclip.build.city.builder import build_city
from unigeoclip.build.city.own.user_data import OwnData
from unigeoclip.city.street_view import StreetScene
from unigeoclip.cli.main import main
from unigeoclip.errors import AtlasError, InputError, UniGeoError
from unigeoclip.sentences import SENTENCE_DIM

pytestmark = pytest.mark.filterwarnings(
    "ignore::PendingDeprecationWarning", "ignore::rasterio.errors.NotGeoreferencedWarning"
)


def embed(texts):
    vectors = np.array([np.random.default_rng(len(text)).normal(size=SENTENCE_DIM) for text in texts])
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def build(tiles, out, **options):
    options = {"bbox": made_up.bbox(), "embed": embed, **options}
    return build_city("madeup", tiles, out, **options)


@pytest.fixture(scope="module")
def tiles(tmp_path_factory):
    return made_up.write_tiles(tmp_path_factory.mktemp("tiles"))


@pytest.fixture(scope="module")
def built(tiles, tmp_path_factory):
    return build(tiles, tmp_path_factory.mktemp("atlases") / "madeup")


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path_factory.mktemp("cache")))


def test_a_city_is_a_valid_atlas(built):
    atlas = load_atlas(built)
    manifest = atlas.manifest
    assert manifest.modalities == ["location", "aerial", "street", "surface", "text"]
    assert manifest.pictures == dict.fromkeys(("aerial", "surface", "street"), "rendered")
    assert 0.9 < manifest.shares["estimated building heights"] < 1
    assert manifest.shares["places inside a town's boundary"] == 0, "its map has no boundaries"
    assert "rendered from OpenStreetMap" in manifest.summary
    assert "OpenStreetMap" in manifest.sources[0].attribution
    assert len(atlas.places) > 3
    assert len(atlas.views) > 10
    assert set(atlas.views["place_id"]) <= set(atlas.places["place_id"])
    assert set(atlas.places["views"]) <= {"train", "held_out"}
    aerial = atlas.raster("aerial").window(atlas.places[["lat", "lon"]].to_numpy()[0], atlas.window_m, 90)
    assert aerial.shape == (3, 90, 90)
    assert aerial.std() > 10
    surface = atlas.raster("surface").windows(atlas.places[["lat", "lon"]].to_numpy(), atlas.window_m, 90)
    assert np.isfinite(surface).all()
    assert atlas.land_grid().mask.any()
    assert not any(built.parent.glob(".*")), "nothing of the build is left"


def test_water_is_no_land(built):
    from unigeoclip import geo

    points = geo.inverse_web_mercator(np.array([made_up.here(-355, -380), made_up.here(100, 100)]))
    assert load_atlas(built).is_land(points).tolist() == [False, True]


def test_street_views_come_from_the_stored_rasters(built, tiles):
    from unigeoclip.build.city.tile_sources import open_tiles
    from unigeoclip.build.city.vector_tiles import read_layers
    from unigeoclip.city.city_model import build_model, paint_city, raise_city
    from unigeoclip.city.layers import CityGrid

    atlas = load_atlas(built)
    rasters = atlas.city_rasters()
    fine = CityGrid.cover(made_up.bbox(), parts.GROUND_PX_M)
    model = build_model(read_layers(open_tiles(tiles, made_up.bbox())), fine)[0]
    grid = CityGrid.cover(fine.bounds_deg, parts.CITY_PX_M)
    made = raise_city(grid, *paint_city(model, grid))[0]
    for name in ("height_m", "building_id", "tree", "land"):
        assert (getattr(rasters, name) == getattr(made, name)).all(), f"{name} was stored with a loss"
    views = atlas.views.iloc[:2]
    drawn = StreetScene.of(rasters).views(views[["lat", "lon"]].to_numpy(), views["heading_deg"].to_numpy(), 64, 48)
    assert drawn.dtype == np.uint8
    assert drawn.std() > 10


def test_another_seed_changes_the_aerial_picture_only(built, tiles, tmp_path):
    other = load_atlas(build(tiles, tmp_path / "other", seed=5)).manifest.files
    first = load_atlas(built).manifest.files
    assert {name for name in first if first[name].sha256 != other[name].sha256} == {"aerial.tif"}


def test_an_interrupted_build_goes_on(built, tiles, tmp_path, monkeypatch):
    def stop(text, _share):
        if text.startswith("Places"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(tiles, tmp_path / "city", progress=stop)
    assert not (tmp_path / "city").exists(), "nothing is half-written"

    def read_again(*_):
        raise AssertionError("the tiles were read and the aerial painted before")

    monkeypatch.setattr(staging.vector_tiles, "read_layers", read_again)
    monkeypatch.setattr(parts.ortho.AerialPainter, "rows", read_again)
    files = load_atlas(build(tiles, tmp_path / "city")).manifest.files
    assert files == load_atlas(built).manifest.files


def test_a_model_in_the_folder_stays(tiles, tmp_path):
    model = tmp_path / "city" / schema.MODEL_FOLDER / "config.json"
    model.parent.mkdir(parents=True)
    model.write_text("{}")
    build(tiles, tmp_path / "city")
    assert model.read_text() == "{}"


@pytest.mark.parametrize("name", ["", "New York", "../up", "-dash", "a" * 60])
def test_names_that_are_none(tiles, tmp_path, name):
    with pytest.raises(InputError, match="no name for an atlas"):
        build_city(name, tiles, tmp_path / "x")


def test_an_atlas_of_another_name_is_not_replaced(built, tiles):
    with pytest.raises(InputError, match="holds the atlas 'madeup'"):
        build_city("other", tiles, built, bbox=made_up.bbox(), embed=embed)
    load_atlas(built)


def test_two_atlases_of_one_name_are_refused(built, tiles, tmp_path, monkeypatch):
    monkeypatch.setattr(staging, "ATLASES_FOLDER", tmp_path)
    with pytest.raises(InputError, match="change --out"):
        build(tiles, tmp_path / "other")
    assert not list(tmp_path.iterdir()), "nothing was written"
    monkeypatch.setattr(store, "ATLASES_FOLDER", tmp_path)
    shutil.copytree(built, tmp_path / "copied")
    with pytest.raises(AtlasError, match="named 'madeup'"):
        load_atlas(tmp_path / "copied")


def write_tif(path, bands=3, dtype="uint8", crs="EPSG:4326", bounds=None, value=90):
    south, west, north, east = bounds or made_up.bbox(600)
    shape = (bands, 80, 90)
    profile = {"driver": "GTiff", "count": bands, "height": 80, "width": 90, "dtype": dtype, "crs": crs,
               "transform": from_bounds(west, south, east, north, 90, 80)}  # fmt: skip
    with rasterio.open(path, "w", **profile) as dataset:
        dataset.write(np.full(shape, value, dtype))
    return path


def test_own_rasters_stand_in_place_of_drawn_ones(tiles, tmp_path):
    own = OwnData(
        aerial=(write_tif(tmp_path / "photo.tif"),),
        surface=(write_tif(tmp_path / "dsm.tif", 1, "float32", value=12.3),),
    )
    atlas = load_atlas(build(tiles, tmp_path / "city", own=own))
    assert atlas.manifest.pictures == {"aerial": "photographed", "surface": "measured", "street": "rendered"}
    middle = atlas.places[["lat", "lon"]].to_numpy()[:1]
    assert atlas.raster("aerial").windows(middle, 200, 8) == pytest.approx(90, abs=3)
    assert atlas.raster("surface").windows(middle, 200, 8) == pytest.approx(12.3, abs=0.2)
    assert atlas.city_rasters().height_m.max() >= 60, "street views still see the heights of the map"


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("aerial", {"crs": None}, "no coordinate reference system"),
        ("aerial", {"bounds": (10.0, 10.0, 10.1, 10.1)}, "covers nothing of the city"),
        ("aerial", {"bands": 1}, "red, green and blue"),
        ("aerial", {"dtype": "float32"}, "red, green and blue"),
        ("surface", {"bands": 1}, "one band of metres"),
    ],
)
def test_rasters_that_do_not_fit(tiles, tmp_path, kind, options, message):
    path = write_tif(tmp_path / "f.tif", **options)
    with pytest.raises(InputError, match=message):
        build(tiles, tmp_path / "city", own=OwnData(**{kind: (path,)}))
    assert not (tmp_path / "city").exists()
    assert not list(tmp_path.glob(".*")), "nothing half-written"


def test_a_raster_that_is_none(tiles, tmp_path):
    (tmp_path / "f.tif").write_text("no raster")
    with pytest.raises(InputError, match="cannot be read as a raster"):
        build(tiles, tmp_path / "city", own=OwnData(aerial=(tmp_path / "f.tif",)))


def write_photo(path, gps=None):
    picture = Image.fromarray(np.full((90, 120, 3), 120, np.uint8))
    exif = Image.Exif()
    if gps is not None:
        lat, lon = gps
        exif[0x8825] = {1: "N" if lat > 0 else "S", 2: sexagesimal(lat), 3: "E" if lon > 0 else "W",
                        4: sexagesimal(lon), 17: 45.0}  # fmt: skip
    picture.save(path, exif=exif)


def sexagesimal(degrees):
    degrees = abs(degrees)
    return int(degrees), int(degrees % 1 * 60), degrees * 60 % 1 * 60


def test_own_photos(tiles, built, tmp_path):
    spots = load_atlas(built).places[["lat", "lon"]].to_numpy()[:2]
    write_photo(tmp_path / "a.jpg")
    write_photo(tmp_path / "b.jpg", gps=spots[1])
    table = pd.DataFrame({"path": ["a.jpg", "b.jpg"], "lat": [spots[0][0], None], "lon": [spots[0][1], None]})
    table.assign(heading=[90, None]).to_csv(tmp_path / "photos.csv", index=False)
    atlas = load_atlas(build(tiles, tmp_path / "city", own=OwnData(street=(tmp_path / "photos.csv",))))
    assert atlas.manifest.pictures["street"] == "photographed"
    assert sorted(atlas.views["heading_deg"]) == [45, 90]
    assert all((atlas.path / photo).is_file() for photo in atlas.views["photo"])


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"path": "gone.jpg", "lat": 42.0, "lon": -71.0}, "do not exist: gone.jpg"),
        ({"path": "a.jpg", "lat": None, "lon": None}, "have no position"),
        ({"path": "a.jpg", "lat": 10.0, "lon": 10.0}, "outside the city"),
        ({"path": "a.jpg", "lat": "north", "lon": 10.0}, "not a number"),
        ({"path": "photos.csv", "lat": 42.0, "lon": 10.0}, "not readable pictures"),
        ({"photo": "a.jpg"}, "needs a column 'path'"),
    ],
)
def test_photos_that_cannot_be_used(tiles, tmp_path, row, message):
    write_photo(tmp_path / "a.jpg")
    pd.DataFrame([row]).to_csv(tmp_path / "photos.csv", index=False)
    with pytest.raises(InputError, match=message):
        build(tiles, tmp_path / "city", own=OwnData(street=(tmp_path / "photos.csv",)))


def test_a_city_of_water_only(tmp_path):
    layers = made_up.town() | {"building": [], "water": [(made_up.box(-900, -900, 1800, 1800), {"class": "ocean"})]}
    layers["transportation"] = [(made_up.line((-430, 0), (430, 0)), {"class": "ferry"})]
    with pytest.raises(UniGeoError, match="No place lies"):
        build(made_up.write_tiles(tmp_path / "tiles", layers), tmp_path / "city")


def test_the_command_builds_a_city(tiles, tmp_path, monkeypatch, capsys):
    def build_with_stub(*arguments, **options):
        return build_city(*arguments, **options, embed=embed)

    monkeypatch.setattr(builder, "build_city", build_with_stub)
    bbox = ",".join(f"{edge:.6f}" for edge in made_up.bbox())
    out = tmp_path / "city"
    assert main(["build", "city", "--name", "madeup", "--tiles", str(tiles), "--bbox", bbox, "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert said.out.strip() == str(out)
    assert "OpenStreetMap contributors" in said.err
    assert "estimated building heights" in said.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--tiles", "gone"], "is no source of vector tiles"),
        (["--tiles", "."], "has no vector tile"),
        (["--tiles", "https://example.org/{z}/{x}/{y}.pbf"], "need --bbox"),
        (["--tiles", ".", "--bbox", "-1,2,3"], "south,west,north,east"),
    ],
)
def test_bad_commands_end_in_one_line(tmp_path, monkeypatch, capsys, options, message):
    monkeypatch.chdir(tmp_path)
    assert main(["build", "city", "--name", "madeup", *options]) == 2
    error = capsys.readouterr().err.strip()
    assert message in error
    assert "\n" not in error.replace("Tiles\n", "")
    assert not list(tmp_path.iterdir())
