"""Opening atlases: a good one gives what it holds, a broken one says what is wrong and how to mend it."""

import json
import shutil

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import safetensors.numpy
from shapely import Point

from tests.atlas import tiny
from tests.cli.parsed import parse
from unigeoclip.atlas import list_atlases, load_atlas, schema, store
from unigeoclip.atlas.records import data_state
from unigeoclip.atlas.verify import verify_files
from unigeoclip.errors import AtlasError, InputError
from unigeoclip.files.cog import global_transform, write_cog


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    return tiny.write_tiny_atlas(tmp_path_factory.mktemp("atlases") / "tiny")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def copy(good, tmp_path):
    return shutil.copytree(good, tmp_path / "tiny")


def test_a_good_atlas(good):
    atlas = load_atlas(good)
    assert (atlas.name, len(atlas.places), atlas.window_m) == ("tiny", tiny.PLACES, 333_585.0)
    assert atlas.places.index.equals(pd.RangeIndex(tiny.PLACES))
    assert [kind for kind, _ in atlas.captions(3)] == ["settlement", "country", "climate", "terrain"]
    assert [path.is_file() for path in map(atlas.line_layers().get, ("borders", "coast"))] == [True, True]
    assert atlas.model_path == good / "model"
    assert atlas.raster("aerial") is atlas.raster("aerial")


def test_sentence_vectors_are_unit_and_cover_the_gallery(good):
    atlas = load_atlas(good)
    vectors = atlas.sentence_vectors()
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    gallery = atlas.places.loc[atlas.places["gallery"], "sentences"]
    assert max(max(rows) for rows in gallery) == len(vectors) - 1


def test_land_and_its_grid(good):
    atlas = load_atlas(good)
    land = [[20, 30], [-40, -70], [20, 30 + 360]]
    sea = [[20, 0], [80, 30], [20, 170], [-90, 30]]
    assert atlas.is_land(land).all()
    assert not atlas.is_land(sea).any()
    grid = atlas.land_grid()
    assert grid.shape == (36, 90)
    assert grid.mask.sum() == len(grid.latlon)
    corners = grid.latlon[:, None] + np.array([[-1.9, -1.9], [-1.9, 1.9], [1.9, -1.9], [1.9, 1.9]])
    assert tiny.is_land(corners[..., 0], corners[..., 1]).any(axis=1).all()
    assert len(grid.latlon) * 16 == pytest.approx(2 * 70 * 120, rel=0.1)  # square degrees
    # The order is that of the flattened mask, from the north-west.
    rows, cols = np.nonzero(grid.mask)
    np.testing.assert_allclose(grid.latlon[:, 0], 84 - (rows + 0.5) * 4)
    np.testing.assert_allclose(grid.latlon[:, 1], -180 + (cols + 0.5) * 4)
    assert atlas.land_grid(8.0).shape == (18, 45)


def test_an_impossible_grid(good):
    with pytest.raises(InputError, match="grid of -1"):
        load_atlas(good).land_grid(-1)


def test_the_data_hash_changes_with_the_data(good, copy):
    assert load_atlas(good).data_hash == load_atlas(copy).data_hash
    sentences = pd.read_parquet(copy / "sentences.parquet")
    sentences.loc[0, "text"] = "something else"
    sentences.to_parquet(copy / "sentences.parquet")
    tiny.write_manifest(copy)
    assert load_atlas(good).data_hash != load_atlas(copy).data_hash


def test_a_model_without_text_does_not_mind_other_sentences(good, copy):
    sentences = pd.read_parquet(copy / "sentences.parquet")
    sentences.loc[0, "text"] = "something else"
    sentences.to_parquet(copy / "sentences.parquet")
    tiny.write_manifest(copy)
    before, after = load_atlas(good), load_atlas(copy)
    assert before.pictures_hash == after.pictures_hash
    record = {"data": before.data_hash, "pictures": before.pictures_hash}
    assert "outdated" not in data_state(after, record)
    assert data_state(after, {"data": before.data_hash})["outdated"] is True
    places = gpd.read_parquet(copy / "places.parquet")
    places["blocks"] = places["blocks"].iloc[::-1].to_list()
    places.to_parquet(copy / "places.parquet")
    tiny.write_manifest(copy)
    moved = load_atlas(copy)
    assert moved.pictures_hash != before.pictures_hash
    assert data_state(moved, record)["outdated"] is True


def test_list_and_load_by_name(good, monkeypatch):
    monkeypatch.setattr(store, "ATLASES_FOLDER", good.parent)
    assert list_atlases() == ["tiny"]
    assert load_atlas("tiny").path == good
    assert load_atlas("tiny").opened_as == "tiny"


def test_an_atlas_elsewhere_is_opened_again_by_its_folder(good):
    assert load_atlas(good).opened_as == str(good)


def test_an_unknown_name_lists_the_known_ones(good, monkeypatch):
    monkeypatch.setattr(store, "ATLASES_FOLDER", good.parent)
    with pytest.raises(AtlasError, match="no atlas 'mars'.*tiny"):
        load_atlas("mars")


def test_a_folder_that_is_no_atlas(tmp_path):
    with pytest.raises(AtlasError, match=r"without atlas\.json"):
        load_atlas(tmp_path)


def test_unknown_rows_and_rasters(good):
    atlas = load_atlas(good)
    with pytest.raises(InputError, match="no place 60"):
        atlas.captions(60)
    with pytest.raises(InputError, match="no raster 'street'; it has aerial, surface, land"):
        atlas.raster("street")


def edit_manifest(folder, **changes):
    data = json.loads((folder / "atlas.json").read_text())
    (folder / "atlas.json").write_text(json.dumps({**data, **changes}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 99}, "format 99; this version of unigeoclip reads format 1"),
        ({"window_m": "wide"}, "window_m"),
        ({"window_m": -1.0}, "window_m must be a positive"),
        ({"colour": "blue"}, "unknown key 'colour'"),
        ({"modalities": ["smell"]}, "unknown modality 'smell'"),
        ({"pictures": {"aerial": "dreamt"}}, "pictures.aerial is 'dreamt'"),
        ({"bounds": [84.0, -180.0, -60.0, 180.0]}, "bounds"),
        ({"files": {}}, "lacks places.parquet"),
        ({"files": {"../secret": {"bytes": 1, "sha256": ""}}}, "lacks places.parquet"),
    ],
)
def test_a_wrong_manifest(copy, changes, message):
    edit_manifest(copy, **changes)
    with pytest.raises(AtlasError, match=message):
        load_atlas(copy)


def test_a_manifest_that_points_outside(copy):
    data = json.loads((copy / "atlas.json").read_text())
    edit_manifest(copy, files={**data["files"], "../secret": {"bytes": 1, "sha256": ""}})
    with pytest.raises(AtlasError, match="outside the folder"):
        load_atlas(copy)


@pytest.mark.parametrize("text", ["{", "[]", '"a"', "{}"])
def test_a_manifest_that_is_none(copy, text):
    (copy / "atlas.json").write_text(text)
    with pytest.raises(AtlasError, match=r"atlas\.json"):
        load_atlas(copy)


FILES = ["aerial.tif", "surface.tif", "land.tif", "places.parquet", "sentences.parquet", "sentence_vectors.safetensors"]


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file(copy, name):
    (copy / name).unlink()
    with pytest.raises(AtlasError, match=f"{name} is missing.*build"):
        load_atlas(copy)


@pytest.mark.parametrize("name", FILES)
def test_a_cut_file(copy, name):
    data = (copy / name).read_bytes()
    (copy / name).write_bytes(data[: len(data) // 2])
    with pytest.raises(AtlasError, match=f"{name} has .* bytes"):
        load_atlas(copy)


def test_a_changed_file_of_the_same_size(copy):
    load_atlas(copy)  # verified once: the change must be seen all the same
    data = bytearray((copy / "aerial.tif").read_bytes())
    data[len(data) // 2] ^= 255
    (copy / "aerial.tif").write_bytes(data)
    with pytest.raises(AtlasError, match=r"aerial\.tif is not what its manifest lists"):
        load_atlas(copy)


@pytest.mark.parametrize(("files", "kind"), [({"views.parquet"}, "city"), (set(), "world")])
def test_the_advice_about_a_damaged_file_is_a_command_that_there_is(tmp_path, files, kind):
    entry = schema.FileEntry(3, "0" * 64)
    with pytest.raises(AtlasError) as error:
        verify_files(tmp_path, dict.fromkeys({"places.parquet", *files}, entry))
    command = str(error.value).partition("python -m unigeoclip ")[2]
    words = command.replace("TILES", "http://localhost/{z}/{x}/{y}.pbf").split()
    assert words[:2] == ["build", kind]
    assert parse(words).info_name == kind


def test_files_are_hashed_once(copy, monkeypatch):
    load_atlas(copy)
    monkeypatch.setattr("unigeoclip.atlas.verify.sha256_of", lambda path: pytest.fail(f"{path} was hashed again"))
    load_atlas(copy)


def test_a_cache_that_cannot_be_written_does_no_harm(copy, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path / "file"))
    assert load_atlas(copy).name == "tiny"


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_that_the_manifest_lists(copy, name):
    """Damage that checksums cannot find, because the manifest was written afterwards."""
    (copy / name).write_bytes(b"not at all what it should be")
    tiny.write_manifest(copy)
    with pytest.raises(AtlasError, match=name):
        load_atlas(copy).sentence_vectors()


def rewrite_places(folder, change):
    places = gpd.read_parquet(folder / "places.parquet")
    change(places).to_parquet(folder / "places.parquet", index=False)
    tiny.write_manifest(folder)


def with_values(**columns):
    return lambda places: places.assign(**{name: make(places) for name, make in columns.items()})


def replaced(column, row, value):
    def make(places):
        values = places[column].tolist()
        values[row] = value
        return values

    return make


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda places: places.drop(columns="country"), "lacks the column 'country'"),
        (lambda places: places.iloc[:0], "no place|gallery"),
        (with_values(geometry=replaced("geometry", 2, Point(0, 95))), "row 2 has lat, lon = 95.0"),
        (with_values(geometry=replaced("geometry", 2, None)), "row 2 has no value in the column 'lat'"),
        (with_values(geometry=replaced("geometry", 2, Point(0, 0).buffer(1))), "only provided for Point geometries"),
        (with_values(gallery=lambda places: places["gallery"].astype(int)), "'gallery' must hold true or false"),
        (with_values(random=replaced("random", 1, "maybe")), "'random' holds 'maybe'; allowed are train, held_out"),
        (with_values(place_id=replaced("place_id", 1, "w000000")), "'w000000' occurs twice"),
        (with_values(name=replaced("name", 4, None)), "row 4 has no value in the column 'name'"),
        (with_values(sentences=replaced("sentences", 5, [])), "row 5 has no sentence"),
        (with_values(sentences=replaced("sentences", 59, [99999])), "sentence 99999 is used"),
    ],
)
def test_wrong_places(copy, change, message):
    rewrite_places(copy, change)
    with pytest.raises(AtlasError, match=message):
        load_atlas(copy)


def test_too_few_vectors(copy):
    file = copy / "sentence_vectors.safetensors"
    stored = safetensors.numpy.load_file(file)
    safetensors.numpy.save_file({name: array[:3].copy() for name, array in stored.items()}, file)
    tiny.write_manifest(copy)
    with pytest.raises(AtlasError, match="has 3 vectors"):
        load_atlas(copy)


def test_vectors_of_another_size(copy):
    file = copy / "sentence_vectors.safetensors"
    stored = safetensors.numpy.load_file(file)
    safetensors.numpy.save_file({**stored, "vectors": stored["vectors"][:, :100].copy()}, file)
    tiny.write_manifest(copy)
    with pytest.raises(AtlasError, match=r"expected vectors \(m, 384\)"):
        load_atlas(copy).sentence_vectors()


def test_the_tiny_atlas_has_the_same_bytes_each_time(good, tmp_path):
    again = tiny.write_tiny_atlas(tmp_path / "again")
    for file in FILES:
        assert (good / file).read_bytes() == (again / file).read_bytes(), file


def test_an_atlas_without_validity_rasters_has_every_modality_everywhere(good):
    atlas = load_atlas(good)
    for modality in atlas.manifest.modalities:
        assert atlas.validity(modality) is None
        assert atlas.present(modality).tolist() == [True] * tiny.PLACES
        assert atlas.present_at(modality, [(0, 0), (60, 20)]).tolist() == [True, True]
    with pytest.raises(InputError, match="has no 'street'"):
        atlas.present("street")


def test_places_whose_window_is_not_known_lack_the_modality(copy):
    known = np.zeros((tiny.HEIGHT, tiny.WIDTH), np.uint8)
    known[:, : tiny.WIDTH // 2] = 255  # the western hemisphere
    write_cog(copy / schema.VALIDITY["aerial"], known[None], global_transform(*known.shape), compress="DEFLATE")
    tiny.write_manifest(copy)
    atlas = load_atlas(copy)
    assert atlas.present("aerial").tolist() == (atlas.places["lon"] < 0).tolist()
    assert atlas.present("surface").all()
    assert atlas.present("location").all()
    assert atlas.present_at("aerial", [(40, -40), (40, 40), (0, -1.0), (0, -2.0)]).tolist() == [
        True,
        False,
        False,
        True,
    ]
