import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from tests.explorable import PX, use_hashed_sentences, write_explorable_atlas
from unigeoclip.atlas import load_atlas
from unigeoclip.config import write_json
from unigeoclip.errors import AtlasError, CheckpointError, InputError
from unigeoclip.geo import METERS_PER_DEGREE, distance_m
from unigeoclip.model import ModelConfig, UniGeoCLIP
from unigeoclip.search.explorer import Explorer, QueryItem, embedder_heatmap, sentences_of
from unigeoclip.search.gallery_embeddings import encode_places, gallery_rows, land_grid, mean_over_waves
from unigeoclip.search.query_items import PackedVector
from unigeoclip.similarity.grid import Grid


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_explorable_atlas(tmp_path_factory.mktemp("atlases") / "tiny")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def explorer(folder, cache):
    return Explorer.open(folder, cache_dir=cache)


@pytest.fixture(autouse=True)
def _hashed_sentences(monkeypatch):
    use_hashed_sentences(monkeypatch)


def gallery(explorer):
    places = explorer.atlas.places
    return places[places["gallery"]]


def window(explorer, modality, place):
    raster = explorer.atlas.raster(modality)
    return raster.window((place["lat"], place["lon"]), explorer.atlas.window_m, explorer.input_px(modality))


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


# Answers


def test_a_place_finds_itself_first(explorer):
    for number in (0, len(gallery(explorer)) - 1):
        place = gallery(explorer).iloc[number]
        asked = {
            "location": QueryItem("location", (place["lat"], place["lon"])),
            "aerial": QueryItem("aerial", window(explorer, "aerial", place)),
            "surface": QueryItem("surface", window(explorer, "surface", place)),
        }
        for modality, item in asked.items():
            matches = explorer.search(explorer.query([item]), k=3)[modality]
            assert place["place_id"] in [
                match.place_id for match in matches if match.similarity > matches[0].similarity - 1e-3
            ]
            assert matches[0].similarity == pytest.approx(1, abs=1e-3)


def test_search_equals_brute_force(explorer):
    query = explorer.query([QueryItem("text", "a desert"), QueryItem("location", (12.0, 3.0), -0.4)])
    results = explorer.search(query, k=5)
    assert tuple(results) == explorer.modalities == ("location", "aerial", "surface", "text")
    rows = gallery_rows(explorer.atlas)
    for modality, matches in results.items():
        vectors = encode_places(explorer.model, explorer.atlas, modality, rows)
        best = np.sort(vectors @ query.vector)[::-1][:5]
        np.testing.assert_allclose([match.similarity for match in matches], best, atol=2e-3)
        for match in matches:
            record = gallery(explorer).set_index("place_id").loc[match.place_id]
            assert (match.modality, match.name, match.lat, match.lon) == (
                modality,
                record["name"],
                record["lat"],
                record["lon"],
            )


def test_distances_are_from_the_one_point_of_the_query(explorer):
    origin = (10.0, 20.0)
    for match in explorer.search(explorer.query([QueryItem("location", origin), QueryItem("text", "dry")]))["location"]:
        assert match.distance_m == pytest.approx(float(distance_m(origin, (match.lat, match.lon))))
    for items in ([QueryItem("text", "dry")], [QueryItem("location", origin), QueryItem("location", (0.0, 0.0))]):
        assert explorer.search(explorer.query(items))["location"][0].distance_m is None


def test_how_many_and_which(explorer):
    query = explorer.query([QueryItem("text", "dry")])
    assert len(explorer.search(query, k=1_000_000, modalities=["text"])["text"]) == len(gallery(explorer))
    assert list(explorer.search(query, k=1, modalities=["text", "aerial"])) == ["text", "aerial"]
    with pytest.raises(InputError, match="At least one"):
        explorer.search(query, k=0)
    with pytest.raises(InputError, match="'street'"):
        explorer.search(query, modalities=["street"])


def test_the_heatmap_is_the_similarity_of_every_cell(explorer):
    query = explorer.query([QueryItem("text", "a desert")])
    heatmap = explorer.heatmap(query)
    assert heatmap.grid is explorer.grid
    for cell in (0, len(explorer.grid) // 2):
        # A cell is the mean over the finest wave round it, but reaches over three rows at most.
        wave_m = min(explorer.model.encoders["location"].wavelengths_m())
        reach_m = min(wave_m / 2, 3 * METERS_PER_DEGREE * explorer.grid.step_deg[0])
        near = np.flatnonzero(distance_m(explorer.grid.cells, explorer.grid.cells[cell]) <= reach_m)
        points = [explorer.query([QueryItem("location", tuple(at))]).vector for at in explorer.grid.cells[near]]
        assert len(points) > 2
        assert heatmap.values[cell] == pytest.approx(float(np.mean(points @ query.vector)), abs=2e-3)
    own = explorer.heatmap(explorer.query([QueryItem("location", tuple(explorer.grid.cells[7]))]))
    assert own.percentile(float(own.values[7])) > 90


def test_a_cell_is_the_mean_over_a_disc_as_wide_as_the_finest_wave():
    location = {"scales": [40.0, 160.0], "width": 32, "depth": 0, "heads": 2}
    model = UniGeoCLIP(ModelConfig(dim=8, encoders={"location": location})).eval()
    mask = np.ones((30, 20), bool)
    mask[10:14, 3:9] = False
    grid = Grid((50.0, 4.0, 56.0, 8.0), mask)
    vectors = np.random.default_rng(0).normal(size=(len(grid), 8)).astype(np.float32)
    means = mean_over_waves(model, grid, vectors)
    for cell in (0, 217, len(grid) - 1):
        near = distance_m(grid.cells, grid.cells[cell]) <= model.encoders["location"].wavelengths_m()[1] / 2
        assert 4 <= near.sum() < 40
        np.testing.assert_allclose(means[cell], vectors[near].mean(0), atol=1e-5)


def test_places_and_their_captions(explorer):
    record = gallery(explorer).iloc[1]
    place = explorer.place(record["place_id"])
    assert (place.place_id, place.name, place.country) == (record["place_id"], record["name"], record["country"])
    assert list(place.captions) == explorer.atlas.captions(int(record.name))
    nearest, meters = explorer.nearest_place(record["lat"] + 1e-4, record["lon"])
    assert nearest == place
    assert meters == pytest.approx(11.1, abs=0.1)
    with pytest.raises(InputError, match="no place"):
        explorer.place("w-1")


def test_pictures(explorer):
    record = gallery(explorer).iloc[0]
    point = (record["lat"], record["lon"])
    for modality in ("aerial", "surface"):
        picture = explorer.picture(modality, point, px=40)
        assert isinstance(picture, Image.Image)
        assert (picture.size, picture.mode) == ((40, 40), "RGB")
    aerial = np.asarray(explorer.picture("aerial", point, px=PX)).transpose(2, 0, 1)
    np.testing.assert_array_equal(aerial, window(explorer, "aerial", record))
    with pytest.raises(InputError, match="no pictures"):
        explorer.picture("street", point)
    with pytest.raises(InputError, match="pixels wide"):
        explorer.picture("aerial", point, px=0)
    with pytest.raises(InputError, match="latitude"):
        explorer.picture("aerial", (95, 0))


def test_input_sizes(explorer):
    assert explorer.input_px("aerial") == PX
    for modality in ("text", "location", "street"):
        with pytest.raises(InputError, match="no pictures"):
            explorer.input_px(modality)


def test_many_visitors_get_what_one_gets(explorer):
    def ask(number):
        items = [QueryItem("text", f"words {number % 3}"), QueryItem("location", (number % 5, 10.0))]
        query = explorer.query(items)
        return explorer.search(query, k=3), explorer.heatmap(query).values

    alone = [ask(number) for number in range(15)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(ask, range(15)))
    for (matches, values), (expected_matches, expected_values) in zip(together, alone, strict=True):
        assert {m: [x.place_id for x in found] for m, found in matches.items()} == {
            m: [x.place_id for x in found] for m, found in expected_matches.items()
        }
        np.testing.assert_allclose(values, expected_values, atol=1e-5)


def test_other_embedders_draw_heatmaps_of_points(explorer):
    class Compass:
        name, dim, provenance = "compass", 2, "made up"

        def embed(self, latlon):
            angles = np.radians(latlon[:, 1])
            return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)

    cell = explorer.grid.cells[3]
    heatmap = embedder_heatmap(Compass(), explorer.grid, Compass().embed(cell[None])[0])
    assert heatmap.values[3] == pytest.approx(1)
    assert abs(heatmap.best().lon - cell[1]) < 1e-6


# The cache


def stamps(folder):
    return {path.name: (path.stat().st_mtime_ns, path.stat().st_ino) for path in folder.rglob("*.npy")}


def test_vectors_are_computed_once(folder, cache, explorer):
    before = stamps(cache)
    assert set(before) == {"grid.npy", *(f"places_{name}.npy" for name in explorer.modalities)}
    said = []
    again = Explorer.open(folder, cache, progress=lambda words, share: said.append(share))
    assert said == []
    assert stamps(cache) == before
    np.testing.assert_array_equal(again.cells, explorer.cells)
    lengths = np.linalg.norm(again.cells, axis=1)
    assert lengths.max() <= 1 + 1e-6
    assert lengths.min() > 0.3


def test_progress_runs_from_zero_to_one(folder, tmp_path):
    said = []
    Explorer.open(folder, tmp_path, progress=lambda words, share: said.append((words, share)))
    shares = [share for _, share in said]
    assert shares == sorted(shares)
    assert shares[0] > 0
    assert shares[-1] == pytest.approx(1)
    assert said[0][0] == "Encoding the map"
    (made,) = tmp_path.iterdir()
    assert made.name.startswith("tiny-")
    assert not [path for path in made.iterdir() if path.suffix not in (".npy", ".sha256")], "temporary files were left"


@pytest.mark.parametrize("damage", ["truncate", "garbage", "zeros", "shape", "empty", "byte"])
def test_damaged_caches_are_computed_again(folder, tmp_path, damage, caplog):
    first = Explorer.open(folder, tmp_path)
    path = next(tmp_path.rglob("grid.npy"))
    good = path.read_bytes()
    vectors = np.load(path)
    if damage == "truncate":
        path.write_bytes(good[: len(good) // 2])
    elif damage == "garbage":
        path.write_bytes(os.urandom(len(good)))
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "byte":  # a vector of nearly unit length still
        path.write_bytes(good[:-2] + bytes([good[-2] ^ 1]) + good[-1:])
    else:
        np.save(path, np.zeros_like(vectors) if damage == "zeros" else vectors[:-1])
    second = Explorer.open(folder, tmp_path)
    np.testing.assert_array_equal(second.cells, first.cells)
    assert path.read_bytes() == good
    assert "computed again" in caplog.text


def test_another_checkpoint_or_other_data_gets_another_cache(folder, tmp_path):
    Explorer.open(folder, tmp_path)
    weights = folder / "model" / "model.safetensors"
    kept = weights.read_bytes()
    try:
        changed = bytearray(kept)
        changed[-1] ^= 1  # the last bit of one weight
        weights.write_bytes(bytes(changed))
        Explorer.open(folder, tmp_path)
    finally:
        weights.write_bytes(kept)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_cache_folder_that_cannot_be_written_is_no_failure(folder, tmp_path, caplog):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    explorer = Explorer.open(folder, blocked)
    assert explorer.query([QueryItem("location", (1.0, 2.0))]).vector.shape == (16,)
    assert "computed again at the next start" in caplog.text


def test_the_cache_folder_can_be_named(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path / "elsewhere"))
    Explorer.open(folder)
    assert list((tmp_path / "elsewhere").glob("tiny-*/grid.npy"))


def test_what_cannot_be_opened(folder, tmp_path):
    with pytest.raises(AtlasError):
        Explorer.open(tmp_path / "nothing")
    model = folder / "model" / "model.safetensors"
    hidden = model.rename(model.with_suffix(".away"))
    try:
        with pytest.raises(CheckpointError, match=r"model\.safetensors"):
            Explorer.open(folder, tmp_path)
    finally:
        hidden.rename(model)


def test_the_grid_is_the_land_of_the_atlas(folder):
    atlas = load_atlas(folder)
    grid = land_grid(atlas)
    np.testing.assert_allclose(grid.cells, atlas.land_grid().latlon)


# One place, and all items


def test_a_place_in_all_its_modalities(explorer):
    place = gallery(explorer).iloc[7]
    query = explorer.query([QueryItem("location", (float(place["lat"]), float(place["lon"])))])
    here = explorer.place_matches(query, place["place_id"])
    assert list(here) == list(explorer.modalities)
    everything = explorer.search(query, k=len(gallery(explorer)))
    for name, match in here.items():
        found = next(each for each in everything[name] if each.place_id == place["place_id"])
        assert match.similarity == pytest.approx(found.similarity, abs=1e-5)
        assert (match.name, match.lat, match.lon) == (found.name, found.lat, found.lon)
    assert here["location"].distance_m == pytest.approx(0, abs=1)
    with pytest.raises(InputError, match="There is no place 'x'"):
        explorer.place_matches(query, "x")


def test_a_place_outside_the_gallery_is_encoded(explorer):
    places = explorer.atlas.places
    place = places[~places["gallery"]].iloc[0]
    query = explorer.query([QueryItem("place", place["place_id"])])
    here = explorer.place_matches(query, place["place_id"])
    assert min(match.similarity for match in here.values()) > 0
    assert set(here) == set(explorer.modalities)
    at_once = explorer.place_matches(query, place["place_id"], encode=False)
    assert list(at_once) == list(here)
    for name, match in at_once.items():
        assert np.isnan(match.similarity)
        assert (match.name, match.lat, match.lon) == (here[name].name, here[name].lat, here[name].lon)


def test_similarities_of_all_items_are_those_of_a_search(explorer):
    query = explorer.query([QueryItem("text", "a desert")])
    latlon, values = explorer.item_similarities(query, "aerial")
    best = explorer.search(query, k=1, modalities=["aerial"])["aerial"][0]
    assert values.max() == pytest.approx(best.similarity, abs=1e-5)
    assert latlon[values.argmax()].tolist() == [best.lat, best.lon]
    assert len(latlon) == len(gallery(explorer))
    with pytest.raises(InputError, match="cannot be searched"):
        explorer.item_similarities(query, "street")
