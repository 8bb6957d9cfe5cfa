from dataclasses import replace

import numpy as np
import pytest

from tests.evaluation.probing.made_up import made_up_table
from tests.explorable import use_hashed_sentences, write_explorable_atlas
from unigeoclip import geo
from unigeoclip.atlas import load_atlas
from unigeoclip.embedders import load_embedder
from unigeoclip.errors import InputError, StoppedError
from unigeoclip.evaluation.probing.encoders import features, floor_names, is_floor, is_ours
from unigeoclip.search.gallery_embeddings import encode_places
from unigeoclip.tasks import LabelTable

BOSTON = (42.26, -71.23, 42.45, -70.98)


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        use_hashed_sentences(patch)
        yield load_atlas(write_explorable_atlas(tmp_path_factory.mktemp("atlases") / "tiny"))


def at_places(atlas, rows):
    """A table whose rows are some of the atlas's places."""
    latlon = atlas.places[["lat", "lon"]].to_numpy(np.float64)[rows]
    return LabelTable("places", latlon, np.arange(len(latlon), dtype=float), "regression", "number")


def test_embedders_give_their_own_vectors(atlas):
    table = at_places(atlas, slice(0, 12))
    found = features(["unigeoclip", "coordinates", "unigeoclip+coordinates"], table, atlas, floors=False)
    ours = load_embedder("unigeoclip", atlas).embed(table.latlon)
    np.testing.assert_allclose(found["unigeoclip"].vectors, ours, atol=1e-6)
    plain = load_embedder("coordinates").embed(table.latlon)
    np.testing.assert_allclose(
        found["unigeoclip+coordinates"].vectors, np.concatenate([ours, plain], axis=1), atol=1e-6
    )
    assert found["unigeoclip+coordinates"].title == "UniGeoCLIP + Plain coordinates"


def test_modalities_are_those_of_the_atlas_at_the_position(atlas):
    from unigeoclip.atlas.models import load_fitting

    model = load_fitting(atlas)
    names = [name for name in ("aerial", "surface", "text") if name in atlas.manifest.modalities]
    rows = np.flatnonzero(
        [len(some) > 0 and max(some) < len(atlas.sentence_vectors()) for some in atlas.places["sentences"]]
    )[:8]
    found = features([*names, "ensemble"], at_places(atlas, rows), atlas, floors=False)
    for name in names:
        expected = encode_places(model, atlas, name, rows)
        np.testing.assert_allclose(found[name].vectors, expected, atol=1e-5)
    ours = load_embedder("unigeoclip", atlas).embed(at_places(atlas, rows).latlon)
    mean = np.mean([ours, *(found[name].vectors for name in names)], axis=0)
    np.testing.assert_allclose(found["ensemble"].vectors, mean, atol=1e-5)


def test_rows_far_from_the_atlas_have_no_pictures(atlas):
    inside = at_places(atlas, slice(0, 6)).latlon
    south = atlas.manifest.bounds[0]
    table = LabelTable(
        "far", np.concatenate([inside, [[max(-90.0, south - 20), 0.0]]]), np.arange(7.0), "regression", "x"
    )
    vectors = features(["aerial"], table, atlas, floors=False)["aerial"].vectors
    assert np.isfinite(vectors[:6]).all()
    assert np.isnan(vectors[6]).all()
    away = replace(table, latlon=np.full((7, 2), max(-90.0, south - 20)))
    with pytest.raises(InputError, match="Only 0 of 7 rows have a 'aerial'"):
        features(["aerial"], away, atlas)


def test_an_area_has_the_mean_of_its_points(atlas):
    points = at_places(atlas, slice(0, 9)).latlon.reshape(3, 3, 2).copy()
    points[1, 2] = np.nan
    points[2] = np.nan  # no point at all: its position stands for it
    centers = at_places(atlas, slice(20, 23)).latlon
    table = LabelTable("areas", centers, np.arange(3.0), "regression", "x", areas=points)
    found = features(["unigeoclip", "aerial", "sincos"], table, atlas, floors=False)
    embed = load_embedder("unigeoclip", atlas).embed
    ours = [embed(points[0]).mean(0), embed(points[1, :2]).mean(0), embed(centers[2])[0]]
    np.testing.assert_allclose(found["unigeoclip"].vectors, ours, atol=1e-6)
    single = features(["aerial"], at_places(atlas, slice(0, 9)), atlas, floors=False)["aerial"].vectors
    np.testing.assert_allclose(found["aerial"].vectors[0], single[:3].mean(0), atol=1e-5)
    np.testing.assert_allclose(found["sincos"].vectors[0, 0], np.sin(np.radians(points[0, :, 0])).mean(), atol=1e-6)


def test_floors_are_always_there_and_as_large_as_the_largest_encoder():
    world, city = made_up_table(50)[0], made_up_table(50, bounds=BOSTON)[0]
    assert floor_names(world, 256) == ("mean", "sincos", "harmonics-256")
    assert floor_names(world, 500) == ("mean", "sincos", "harmonics-484")
    assert floor_names(city, 512) == ("mean", "sincos", "fourier-512")
    found = features(["coordinates"], world, None)
    assert list(found) == ["coordinates", "mean", "sincos", "harmonics-16"]
    assert [each.vectors.shape[1] for each in found.values()] == [3, 1, 4, 16]
    assert is_floor("fourier-64")
    assert not is_floor("fourier")
    assert is_ours("geoclip+aerial")
    assert not is_ours("geoclip-retrained")


def test_floors_tell_places_of_a_city_apart():
    table = made_up_table(200, bounds=BOSTON)[0]
    for name in ("sincos", "fourier-64"):
        vectors = features([name], table, None, floors=False)[name].vectors.astype(np.float64)
        scaled = (vectors - vectors.mean(0)) / vectors.std(0)
        lat = (table.latlon[:, 0] - table.latlon[:, 0].mean()) / table.latlon[:, 0].std()
        fitted = scaled @ np.linalg.lstsq(scaled, lat, rcond=None)[0]
        assert np.abs(fitted - lat).max() < 1e-2


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("oracle", "Unknown encoder 'oracle'"),
        ("aerial", "name an atlas"),
        ("unigeoclip", "name an atlas"),
        ("coordinates-raw", "has no vectors before length one"),
        ("coordinates+coordinates", "each once"),
        ("+", "each once|Unknown"),
        ("fourier-0", "1 to 1,024 dimensions"),
        ("fourier-9999", "1 to 1,024 dimensions"),
        ("a" * 5000, "Unknown encoder 'aaa"),
        ("+".join(f"fourier-{900 + i}" for i in range(6)), "5,415 dimensions"),
    ],
)
def test_other_names_are_refused(name, message):
    with pytest.raises(InputError, match=message):
        features([name], made_up_table(20)[0], None)


def test_too_many_numbers_are_refused_before_any_is_computed():
    with pytest.raises(InputError, match="at most 1,000 are probed"):
        features(["coordinates"], made_up_table(500)[0], None, most=1000)


def test_it_can_be_stopped():
    with pytest.raises(StoppedError):
        features(["coordinates"], made_up_table(20)[0], None, cancelled=lambda: True)


def test_vectors_before_length_one_are_those_of_geoclip_itself():
    table = LabelTable("x", geo.random_on_sphere(5, np.random.default_rng(0)), np.arange(5.0), "regression", "x")
    found = features(["geoclip", "geoclip-raw"], table, None, floors=False)
    raw = found["geoclip-raw"].vectors
    np.testing.assert_allclose(raw / np.linalg.norm(raw, axis=1, keepdims=True), found["geoclip"].vectors, atol=1e-5)
    all_raw = features(["geoclip"], table, None, raw=True, floors=False)["geoclip"]
    np.testing.assert_array_equal(all_raw.vectors, raw)
    assert all_raw.title == "GeoCLIP, not of unit length"
