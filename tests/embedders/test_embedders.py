"""What holds for every embedder: order of coordinates, independence of the batch, unit length, errors."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from unigeoclip.embedders import EMBEDDERS, RETRAINED, first_compared, is_of_an_atlas, load_all, load_embedder
from unigeoclip.embedders.base import BATCH_ROWS, Provenance, embed_in_batches
from unigeoclip.embedders.coordinates import CoordinatesEmbedder, FourierEmbedder
from unigeoclip.embedders.geoclip import GeoCLIPEmbedder
from unigeoclip.embedders.retrained import BASELINES, Baseline, RetrainedEmbedder, RetrainedLocation
from unigeoclip.embedders.satclip import SatCLIPConfig, SatCLIPEmbedder, SatCLIPLocationEncoder
from unigeoclip.embedders.taught import TaughtEmbedder
from unigeoclip.embedders.unigeoclip import UniGeoCLIPEmbedder
from unigeoclip.errors import CheckpointError, InputError
from unigeoclip.model import ModelConfig, UniGeoCLIP

# Latitude and longitude could be taken for each other in all of them, and none lies near its mirror.
CITIES = np.array([(48.8566, 2.3522), (-33.8688, 18.4241), (1.3521, 32.5), (60.1699, 24.9384), (-22.9068, -43.1729)])
LOCATION = {"scales": [1.0, 8.0], "width": 32, "depth": 1, "heads": 2, "registers": 1}


def tiny_model() -> UniGeoCLIP:
    torch.manual_seed(0)
    return UniGeoCLIP(ModelConfig(dim=16, encoders={"location": LOCATION})).eval()


def make(name: str):
    if name == "unigeoclip":
        return UniGeoCLIPEmbedder(tiny_model(), Provenance("a test", "random weights", "none"))
    if name == "satclip":
        torch.manual_seed(0)
        encoder = SatCLIPLocationEncoder(SatCLIPConfig(10, 32, 16, 2))
        return SatCLIPEmbedder(encoder, "SatCLIP", Provenance("a test", "random weights", "none"))
    if name in RETRAINED:
        kind, suited = BASELINES[name]
        torch.manual_seed(0)
        baseline = Baseline.suited(kind, (30, 0, 60, 30)) if suited else Baseline(kind)
        return RetrainedEmbedder(name, RetrainedLocation(baseline), Provenance("a test", "random weights", "none"))
    if name == "unigeoclip-taught":
        provenance = Provenance("a test", "random weights", "none")
        return TaughtEmbedder(UniGeoCLIPEmbedder(tiny_model(), provenance), "geoclip", provenance)
    return load_embedder(name)


@pytest.fixture(scope="module", params=sorted(EMBEDDERS))
def embedder(request):
    return make(request.param)


def test_it_says_what_it_is(embedder):
    assert EMBEDDERS.keys() >= {embedder.name}
    assert embedder.title
    assert all((embedder.provenance.made_by, embedder.provenance.source, embedder.provenance.licence))


def test_shape_type_and_unit_length(embedder):
    vectors = embedder.embed(CITIES)
    assert vectors.shape == (len(CITIES), embedder.dim)
    assert vectors.dtype == np.float32
    assert vectors.flags.c_contiguous
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert embedder.embed(np.empty((0, 2))).shape == (0, embedder.dim)


def test_latitude_and_longitude_are_not_exchangeable(embedder):
    similarity = (embedder.embed(CITIES) * embedder.embed(CITIES[:, ::-1])).sum(1)
    assert (similarity < 0.999).all()


def test_every_city_is_another(embedder):
    similarity = embedder.embed(CITIES) @ embedder.embed(CITIES).T
    assert (similarity[~np.eye(len(CITIES), dtype=bool)] < 0.999).all()


def test_a_batch_of_one_equals_its_row(embedder):
    together = embedder.embed(CITIES)
    for row, city in enumerate(CITIES):
        # Sums of a thousand products in another order: processors differ in the last bits.
        np.testing.assert_allclose(embedder.embed(city)[0], together[row], rtol=0, atol=1e-5)


def test_more_rows_than_a_batch(embedder):
    rng = np.random.default_rng(0)
    points = np.stack([rng.uniform(-90, 90, 2 * BATCH_ROWS + 5), rng.uniform(-180, 180, 2 * BATCH_ROWS + 5)], axis=1)
    vectors = embedder.embed(points)
    picked = [0, BATCH_ROWS - 1, BATCH_ROWS, 2 * BATCH_ROWS + 4]
    np.testing.assert_allclose(vectors[picked], embedder.embed(points[picked]), rtol=0, atol=1e-5)


def test_a_bad_row_is_named_even_in_a_later_batch(embedder):
    points = np.zeros((BATCH_ROWS + 20, 2))
    points[BATCH_ROWS + 7, 0] = 95
    with pytest.raises(InputError, match=f"Row {BATCH_ROWS + 7}.*latitude"):
        embedder.embed(points)
    with pytest.raises(InputError, match="finite"):
        embedder.embed([(float("nan"), 3.0)])


def test_poles_are_finite(embedder):
    assert np.isfinite(embedder.embed([(90, 0), (-90, 0), (0, -180), (0, 180)])).all()


def test_coordinates_are_cosines_of_angles():
    vectors = CoordinatesEmbedder().embed([(0, 0), (0, 90), (90, 0), (45, 0)])
    np.testing.assert_allclose(vectors @ vectors[0], [1, 0, 0, np.sqrt(0.5)], atol=1e-7)


def test_fourier_features_fall_over_their_length():
    vectors = FourierEmbedder(1e6).embed([(0, 0), (0, 4.5), (4.5, 0), (0, 9), (0, 90)])
    # exp(-d^2 / 2 l^2) at d = 500 and 1000 km, to what 128 random waves are exact to
    np.testing.assert_allclose(vectors @ vectors[0], [1, 0.8825, 0.8825, 0.607, 0], atol=0.12)
    assert FourierEmbedder(1e6).embed([(3, 4)]).tolist() == FourierEmbedder(1e6).embed([(3, 4)]).tolist()


def test_fourier_features_suit_the_size_of_an_atlas(tmp_path):
    def sized(*bounds):
        return SimpleNamespace(manifest=SimpleNamespace(bounds=bounds))

    assert FourierEmbedder.for_atlas(sized(-90, -180, 90, 180)).length_m == 1e6
    assert FourierEmbedder.for_atlas(None).length_m == 1e6
    city = FourierEmbedder.for_atlas(sized(42.26, -71.24, 42.46, -70.97))
    assert city.length_m == pytest.approx(1570, rel=0.02)


def test_those_without_weights_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    monkeypatch.setattr(UniGeoCLIPEmbedder, "from_atlas", classmethod(lambda cls, atlas: "ours"))
    world = SimpleNamespace(name="nowhere", path=tmp_path, manifest=SimpleNamespace(bounds=(-90, -180, 90, 180)))
    found, missing = load_all(world)
    assert list(found) == ["unigeoclip", "geoclip", "coordinates", "fourier"]
    assert list(missing) == ["unigeoclip-taught", "satclip", *RETRAINED]
    assert "baselines download" in missing["satclip"]
    assert "train --baseline geoclip-retrained" in missing["geoclip-retrained"]


@pytest.mark.parametrize(
    ("there", "first"),
    [
        (EMBEDDERS, ["unigeoclip", "satclip", "geoclip"]),
        (["unigeoclip", "geoclip", "fourier", "satclip-retrained", "satclip-retrained-city"],
         ["unigeoclip", "geoclip", "satclip-retrained-city"]),
        (["unigeoclip", "geoclip", "coordinates", "fourier"], ["unigeoclip", "geoclip", "coordinates"]),
        (["a", "b"], ["a", "b"]),
    ],
)  # fmt: skip
def test_the_published_ones_are_compared_first(there, first):
    assert first_compared(list(there)) == first


def test_the_table_of_names_is_that_of_the_baselines():
    assert tuple(BASELINES) == RETRAINED
    with pytest.raises(InputError, match="trained on an atlas"):
        load_embedder("satclip-retrained")


def test_only_satclip_takes_weights(tmp_path):
    with pytest.raises(InputError, match="'geoclip' takes no weights"):
        load_embedder("geoclip", weights=tmp_path / "some.ckpt")
    with pytest.raises(CheckpointError, match="does not exist"):
        load_embedder("satclip", weights=tmp_path / "some.ckpt")


def test_unknown_names_list_those_there_are():
    with pytest.raises(
        InputError,
        match="'satclap'. Known: unigeoclip, unigeoclip-taught, satclip, geoclip, coordinates, fourier, ",
    ):
        load_embedder("satclap")


def test_ours_needs_an_atlas():
    with pytest.raises(InputError, match="name an atlas"):
        load_embedder("unigeoclip")


def test_the_table_makes_what_it_says(monkeypatch):
    monkeypatch.setattr(GeoCLIPEmbedder, "from_package", classmethod(lambda cls: "theirs"))
    monkeypatch.setattr(UniGeoCLIPEmbedder, "from_atlas", classmethod(lambda cls, atlas: f"ours of {atlas}"))
    assert load_embedder("geoclip") == "theirs"
    assert load_embedder("unigeoclip", "boston") == "ours of boston"


def test_a_model_without_locations_is_refused():
    model = UniGeoCLIP(ModelConfig(dim=16, encoders={"text": {"hidden": 16}}))
    with pytest.raises(CheckpointError, match="text but not location"):
        UniGeoCLIPEmbedder(model, Provenance("a test", "random weights", "none"))


def test_ours_equals_the_model():
    model = tiny_model()
    vectors = UniGeoCLIPEmbedder(model, Provenance("a test", "random weights", "none")).embed(CITIES)
    np.testing.assert_allclose(vectors, model.encode({"location": CITIES})["location"].numpy(), atol=1e-6)


def test_batches_are_no_larger_than_asked_for():
    sizes = []

    def encode(points):
        sizes.append(len(points))
        return np.ones((len(points), 4), dtype=np.float32)

    vectors = embed_in_batches(np.zeros((7, 2)), 4, encode, rows=3)
    assert sizes == [3, 3, 1]
    np.testing.assert_array_equal(vectors, np.full((7, 4), 0.5, dtype=np.float32))


def test_a_scale_of_ours_can_be_switched_off():
    ours = make("unigeoclip")
    assert ours.n_scales == 2
    without = ours.without_scale(1)
    assert (without.name, without.title) == ("unigeoclip-without-2", "UniGeoCLIP without 2200 km")
    similarity = (without.embed(CITIES) * ours.embed(CITIES)).sum(1)
    assert similarity.max() < 0.999
    for number in (-1, 2):
        with pytest.raises(InputError, match="Scales 1 to 2"):
            ours.without_scale(number)


def test_a_scale_is_switched_off_by_name(monkeypatch):
    monkeypatch.setattr(UniGeoCLIPEmbedder, "from_atlas", classmethod(lambda cls, atlas: make("unigeoclip")))
    assert load_embedder("unigeoclip-without-1", SimpleNamespace()).name == "unigeoclip-without-1"
    assert is_of_an_atlas("unigeoclip-without-1")
    with pytest.raises(InputError, match="name an atlas"):
        load_embedder("unigeoclip-without-1")
    with pytest.raises(InputError, match="Scales 1 to 2"):
        load_embedder("unigeoclip-without-3", SimpleNamespace())
