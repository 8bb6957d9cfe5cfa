import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from tests.explorable import PX
from tests.search.places import gallery, window
from unigeoclip.atlas import load_atlas
from unigeoclip.errors import AtlasError, CheckpointError, InputError
from unigeoclip.geo import METERS_PER_DEGREE, distance_m
from unigeoclip.model import ModelConfig, UniGeoCLIP
from unigeoclip.search.explorer import Explorer, QueryItem, embedder_heatmap
from unigeoclip.search.gallery_embeddings import encode_places, gallery_rows, land_grid, mean_over_waves
from unigeoclip.search.hubs import hub_offsets
from unigeoclip.similarity.grid import Grid

pytestmark = pytest.mark.usefixtures("hashed_sentences")


# Answers


def offsets_of(explorer):
    return hub_offsets(explorer.model, explorer.atlas, {name: explorer.vectors(name) for name in explorer.modalities})


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
        subtracted = offsets_of(explorer)[modality]
        offsets = sum(share * subtracted[kind] for kind, share in query.shares.items() if kind in subtracted)
        scores = vectors @ query.vector - offsets
        np.testing.assert_allclose([match.score for match in matches], np.sort(scores)[::-1][:5], atol=2e-3)
        item_of = {place: item for item, place in enumerate(gallery(explorer)["place_id"])}
        for match in matches:
            assert match.similarity == pytest.approx(vectors[item_of[match.place_id]] @ query.vector, abs=2e-3)
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
    with pytest.raises(InputError, match="must be at least 1"):
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
    vectors = {name for name in before if not name.startswith("offsets_")}
    assert vectors == {"grid.npy", *(f"places_{name}.npy" for name in explorer.modalities)}
    assert len(before) - len(vectors) == len(explorer.modalities), "of each what is subtracted of hubs"
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
    found = explorer.search(query, k=len(gallery(explorer)), modalities=["aerial"])["aerial"]
    best = max(found, key=lambda match: match.similarity)
    assert values.max() == pytest.approx(best.similarity, abs=1e-5)
    assert latlon[values.argmax()].tolist() == [best.lat, best.lon]
    assert len(latlon) == len(gallery(explorer))
    with pytest.raises(InputError, match="cannot be searched"):
        explorer.item_similarities(query, "street")
