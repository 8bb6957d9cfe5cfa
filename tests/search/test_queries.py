from dataclasses import replace

import numpy as np
import pytest

from tests.explorable import PX
from tests.search.places import gallery, window
from unigeoclip.config import write_json
from unigeoclip.errors import CheckpointError, InputError
from unigeoclip.search.explorer import Explorer, QueryItem, sentences_of
from unigeoclip.search.gallery_embeddings import encode_places
from unigeoclip.search.query_items import PackedVector

pytestmark = pytest.mark.usefixtures("hashed_sentences")


# Queries


def test_a_query_is_a_unit_vector(explorer):
    query = explorer.query([QueryItem("location", (10.0, 20.0)), QueryItem("text", "a desert", weight=-0.5)])
    assert query.vector.dtype == np.float32
    assert query.vector.shape == (16,)
    assert np.linalg.norm(query.vector) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    "values", [[("location", (10.0, 20.0)), ("location", (-5.0, 8.0))], [("text", "a desert"), ("text", "a port")]]
)
def test_a_query_of_one_kind_is_the_weighted_sum_of_its_items(explorer, values):
    a, b = (explorer.query([QueryItem(*value)]).vector for value in values)
    query = explorer.query([QueryItem(*values[0], 2.0), QueryItem(*values[1], -1.0)])
    expected = 2 * a - b
    np.testing.assert_allclose(query.vector, expected / np.linalg.norm(expected), atol=1e-6)
    assert query.scales == (1.0, 1.0)


def test_words_and_points_have_comparable_weight_in_a_sum(explorer):
    items = [QueryItem("location", (10.0, 20.0), 2.0), QueryItem("text", "a desert", -1.0), QueryItem("text", "a port")]
    alone = [explorer.query([QueryItem(item.modality, item.value)]).vector for item in items]
    query = explorer.query(items)
    expected = sum(item.weight * scale * vector for item, scale, vector in zip(items, query.scales, alone, strict=True))
    np.testing.assert_allclose(query.vector, expected / np.linalg.norm(expected), atol=1e-5)
    variances = [np.var(explorer.cells @ vector) for vector in alone]
    assert query.scales[0] == 1
    assert query.scales[1] == query.scales[2] == pytest.approx(np.sqrt(variances[0] / np.mean(variances[1:])), rel=1e-3)


def test_each_modality_is_scaled_to_the_first_and_its_terms_alike(explorer):
    place = gallery(explorer).iloc[3]
    pictures = [window(explorer, "aerial", place), 255 - window(explorer, "aerial", place)]
    items = [QueryItem("text", "a desert"), *(QueryItem("aerial", each) for each in pictures),
             QueryItem("location", (10.0, 20.0))]  # fmt: skip
    scales = explorer.query(items).scales
    variances = [np.var(explorer.cells @ explorer.query([item]).vector) for item in items]
    assert scales[3] == 1, "a point is never rescaled"
    assert scales[1] == scales[2] == pytest.approx(np.sqrt(variances[3] / np.mean(variances[1:3])), rel=1e-3)
    assert scales[0] == pytest.approx(np.sqrt(variances[3] / variances[0]), rel=1e-3)
    in_front = [np.std(explorer.cells @ (scale * explorer.query([item]).vector)) for scale, item in
                ((scales[0], items[0]), (scales[3], items[3]))]  # fmt: skip
    assert in_front[0] == pytest.approx(in_front[1], rel=1e-3), "weights of 1 and 1 have the same influence"


def test_items_whose_heatmap_is_flat_are_summed_as_they_are(folder, cache):
    flat = Explorer.open(folder, cache_dir=cache)
    flat.encoder.cells = np.ones_like(flat.encoder.cells)
    assert flat.query([QueryItem("location", (10.0, 20.0)), QueryItem("text", "a desert")]).scales == (1.0, 1.0)


def test_scale_and_order_of_the_weights_do_not_matter(explorer):
    items = [QueryItem("location", (10.0, 20.0), 1.0), QueryItem("text", "a desert", 0.5)]
    tenfold = [QueryItem(item.modality, item.value, item.weight * 10) for item in reversed(items)]
    np.testing.assert_allclose(explorer.query(items).vector, explorer.query(tenfold).vector, atol=1e-6)


@pytest.mark.parametrize(
    "items",
    [
        [QueryItem("text", "a desert"), QueryItem("text", "a desert", -1.0)],
        [QueryItem("text", "a desert", 0.0)],
        [QueryItem("location", (5, 5), 0.3), QueryItem("location", (5, 365), -0.3)],
    ],
)
def test_weights_that_cancel_are_refused(explorer, items):
    with pytest.raises(InputError, match="cancel"):
        explorer.query(items)


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (QueryItem("location", (95.0, 0.0)), "latitude"),
        (QueryItem("location", (float("nan"), 0.0)), "finite"),
        (QueryItem("location", "here"), "numbers"),
        (QueryItem("text", "  \n "), "no words"),
        (QueryItem("text", "?!"), "no words"),
        (QueryItem("text", "sea \udcff"), "not valid Unicode"),
        (QueryItem("text", None), "must be text"),
        (QueryItem("street", np.zeros((3, PX, PX), np.uint8)), "'street'"),
        (QueryItem("smell", "roses"), "'smell'"),
        (QueryItem("view", (42.0, -71.0, 45.0)), "no street views"),
        (QueryItem("aerial", np.zeros((3, 5, 5), np.uint8)), "shape"),
        (QueryItem("place", "nowhere"), "no place 'nowhere'"),
        (QueryItem("text", "a desert", float("inf")), "weight"),
    ],
)
def test_bad_items_are_refused_in_clear_words(explorer, item, words):
    with pytest.raises(InputError, match=words):
        explorer.query([item])


def test_a_packed_picture_asks_as_the_picture_does(explorer):
    place = gallery(explorer).iloc[3]
    item = QueryItem("aerial", window(explorer, "aerial", place), -0.5, "field.png")
    packed = explorer.packed(item)
    assert (packed.modality, packed.weight, packed.label) == ("aerial", -0.5, "field.png")
    picture, query = explorer.query([item]), explorer.query([packed])
    assert picture.vector @ query.vector > 0.9995
    assert explorer.packed(packed) == packed
    noise = QueryItem("aerial", np.random.default_rng(0).integers(0, 256, (3, PX, PX)).astype(np.uint8))
    explorer.encoder.unlike_thresholds["aerial"] = 2.0
    try:
        assert kinds(explorer.query([explorer.packed(noise)])) == ["unlike"]
    finally:
        del explorer.encoder.unlike_thresholds["aerial"]


def test_packed_pictures_of_other_models_are_refused(explorer):
    unit, model_id = np.eye(16)[0], explorer.encoder.model_id
    for packed, words in [
        (PackedVector.of(np.eye(256)[0], model_id), "has 256 numbers, those of the atlas 'tiny' have 16"),
        (PackedVector.of(unit, "ffffffffffff"), "another model"),
        (PackedVector(bytes(16), model_id[:6]), "only zeros"),
    ]:
        with pytest.raises(InputError, match=words):
            explorer.query([QueryItem("aerial", packed)])
    with pytest.raises(InputError, match="'street'"):
        explorer.query([QueryItem("street", PackedVector.of(unit, model_id))])


def test_an_empty_query_is_refused(explorer):
    with pytest.raises(InputError, match="empty"):
        explorer.query([])


def test_a_place_stands_for_all_its_modalities(explorer):
    place = gallery(explorer).iloc[0]
    items = [
        QueryItem("location", (place["lat"], place["lon"])),
        QueryItem("aerial", window(explorer, "aerial", place)),
        QueryItem("surface", window(explorer, "surface", place)),
    ]
    row = int(place.name)
    words = encode_places(explorer.model, explorer.atlas, "text", np.array([row]))[0]
    mean = sum(explorer.query([item]).vector for item in items) + words
    query = explorer.query([QueryItem("place", place["place_id"])])
    np.testing.assert_allclose(query.vector, mean / np.linalg.norm(mean), atol=2e-3)  # the index holds float16
    assert query.origin == (place["lat"], place["lon"])


def test_a_place_outside_the_gallery_can_be_asked_too(explorer):
    """Its windows are encoded when it is asked, and so are its sentences where their vectors do not ship."""
    place = gallery(explorer).iloc[0]
    kept, explorer._item_of = explorer._item_of, {name: {} for name in explorer._item_of}
    try:
        fresh = explorer.query([QueryItem("place", place["place_id"])]).vector
    finally:
        explorer._item_of = kept
    np.testing.assert_allclose(fresh, explorer.query([QueryItem("place", place["place_id"])]).vector, atol=2e-3)
    outside = explorer.atlas.places[~explorer.atlas.places["gallery"]].iloc[0]
    query = explorer.query([QueryItem("place", outside["place_id"])])
    assert np.linalg.norm(query.vector) == pytest.approx(1, abs=1e-6)
    assert query.origin == (outside["lat"], outside["lon"])


# Notes


def kinds(query):
    return [note.kind for note in query.notes]


def test_land_and_sea(explorer):
    land = explorer.grid.cells[explorer.atlas.is_land(explorer.grid.cells)][0]
    assert kinds(explorer.query([QueryItem("location", tuple(land))])) == []
    south, west, north, east = explorer.atlas.manifest.bounds
    points = np.stack(np.meshgrid(np.linspace(south, north, 40)[1:-1], np.linspace(west, east, 40)[1:-1]), -1).reshape(
        -1, 2
    )
    sea = points[~explorer.atlas.is_land(points)][0]
    (note,) = explorer.query([QueryItem("location", tuple(sea)), QueryItem("location", tuple(sea), 0.5)]).notes
    assert note.kind == "outside"
    assert "ocean" in note.text


def test_outside_the_atlas(folder, cache):
    explorer = Explorer.open(folder, cache)
    explorer.atlas.manifest = replace(explorer.atlas.manifest, bounds=(0.0, 0.0, 1.0, 1.0))
    (note,) = explorer.query([QueryItem("location", (40.0, 40.0))]).notes
    assert note.kind == "outside"
    assert "outside the atlas" in note.text


def test_a_long_text_is_cut_with_a_note(explorer):
    query = explorer.query([QueryItem("text", "desert. " * 12_500)])
    assert kinds(query) == ["truncated"]
    assert "2,000" in query.notes[0].text
    np.testing.assert_allclose(query.vector, explorer.query([QueryItem("text", "desert.")]).vector, atol=1e-6)


def test_unlike_pictures_are_named(folder, cache):
    explorer = Explorer.open(folder, cache)
    place = gallery(explorer).iloc[0]
    item = QueryItem("aerial", window(explorer, "aerial", place))
    best = float(explorer.heatmap(explorer.query([item])).values.max())
    for threshold, expected in ((best - 0.01, []), (best + 0.01, ["unlike"])):
        explorer.encoder.unlike_thresholds = {"aerial": threshold}
        query = explorer.query([item])
        assert kinds(query) == expected
    assert "Unlike anything in this atlas: expects a view of about" in query.notes[0].text
    explorer.encoder.unlike_thresholds = {"surface": 2.0}
    assert kinds(explorer.query([item])) == []
    (note,) = explorer.query([QueryItem("surface", window(explorer, "surface", place))]).notes
    assert "heights in metres" in note.text


def test_thresholds_come_from_the_metrics_of_the_model(folder, cache):
    metrics = folder / "model" / "metrics.json"
    kept = metrics.read_bytes()
    try:
        write_json(metrics, {"unlike": {"aerial": 0.25}})
        assert Explorer.open(folder, cache).encoder.unlike_thresholds == {"aerial": 0.25}
        metrics.unlink()
        assert Explorer.open(folder, cache).encoder.unlike_thresholds == {}
        for broken in ("{", "[]", '{"unlike": {"aerial": "high"}}'):
            metrics.write_text(broken)
            with pytest.raises(CheckpointError, match=r"metrics\.json"):
                Explorer.open(folder, cache)
    finally:
        metrics.write_bytes(kept)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("hot desert", ["hot desert"]),
        ("A hot desert. Few people live here.", ["A hot desert.", "Few people live here."]),
        ("near St. Louis and Mt. Fuji", ["near St. Louis and Mt. Fuji"]),
        ("rice fields; hills!  Rain?\n\nmonsoon", ["rice fields;", "hills!", "Rain?", "monsoon"]),
        ("  wide \t spaces ", ["wide spaces"]),
        ("3.5 million people", ["3.5 million people"]),
        ("Sand. Sand. Dunes. Sand.", ["Sand.", "Dunes."]),
    ],
)
def test_texts_are_read_as_sentences(text, sentences):
    assert sentences_of(text) == (sentences, [])


def test_other_scripts_are_accepted_with_a_note():
    sentences, notes = sentences_of("пустыня")
    assert sentences == ["пустыня"]
    assert [note.kind for note in notes] == ["language"]
    assert sentences_of("São Paulo, Łódź")[1] == []
