"""The study of modalities: its figures are those of ``evaluate``, its examples are what single queries found."""

import numpy as np
import pytest

from tests.evaluation.test_held_out import NAMES, without_most_photos
from tests.explorable import CITY_CONFIG, use_hashed_sentences, write_explorable_atlas, write_explorable_city
from unigeoclip.atlas import load_atlas
from unigeoclip.config import read_json, write_json
from unigeoclip.errors import AtlasError, InputError
from unigeoclip.evaluation.modalities import study as modality_study
from unigeoclip.evaluation.modalities.study import study_modalities
from unigeoclip.evaluation.pairs import measured_pairs
from unigeoclip.evaluation.retrieval import share_interval
from unigeoclip.model import ModelConfig, UniGeoCLIP, load_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_explorable_city(tmp_path_factory.mktemp("atlases") / "madeup")


@pytest.fixture
def atlas(folder, monkeypatch, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path / "cache"))
    use_hashed_sentences(monkeypatch)
    return load_atlas(folder)


@pytest.fixture(scope="module")
def model(folder):
    return load_model(load_atlas(folder).model_path)


def test_figures_are_those_of_evaluate(atlas, model, any_count):
    study = study_modalities(model, atlas)
    measured = measured_pairs(model, atlas, "views")
    assert set(study.modalities) == set(NAMES)
    assert len(study.found) == 20
    for name, found in study.found.items():
        assert found.figures == measured[name], name
        assert len(found.items) == measured[name]["n"]
        assert found.share_within(100) == pytest.approx(measured[name]["acc@100m"])
        assert 100 * (found.rank <= 10).mean() == pytest.approx(measured[name]["recall@10"])


def test_figures_of_an_atlas_with_few_photos_are_those_of_evaluate_too(atlas, model, any_count):
    few = without_most_photos(atlas, 5)
    study = study_modalities(model, few)
    measured = measured_pairs(model, few, "views")
    for name, found in study.found.items():
        assert found.figures == measured[name], name
    assert len(study.items) == measured["street->aerial"]["n"] < measured["text->aerial"]["n"]


def test_what_was_encoded_once_is_read(atlas, model, monkeypatch):
    said = []
    first = study_modalities(model, atlas, report=lambda words, share: said.append(share))
    assert said == sorted(said)
    assert 0 <= said[0] < said[-1] <= 1
    monkeypatch.setattr(modality_study, "encode_items", None)
    again = study_modalities(model, atlas)
    for name, vectors in first.vectors.items():
        np.testing.assert_array_equal(vectors, again.vectors[name])
    assert first.nbytes == again.nbytes > 0


def test_examples_are_what_the_queries_found(atlas, model):
    found = study_modalities(model, atlas).found["aerial->surface"]
    hits, misses = found.examples(hits=True, count=4), found.examples(hits=False, count=4)
    assert (found.rank[hits] == 1).all()
    assert (found.first[hits] == hits).all()
    assert (found.rank[misses] > 1).all()
    assert (found.first[misses] != misses).all()
    assert len(misses) == 4
    assert found.examples(hits=False, count=4, seed=1).tolist() != misses.tolist()
    assert (found.meters[hits] == 0).all()


def test_similarities_gap_and_ensemble_follow_from_the_vectors(atlas, model):
    study = study_modalities(model, atlas)
    similarities = study.similarities(3)
    assert similarities.shape == (5, 5)
    np.testing.assert_allclose(np.diag(similarities), 1, atol=1e-5)
    assert similarities[0, 1] == pytest.approx(
        float(study.vectors[study.modalities[0]][3] @ study.vectors[study.modalities[1]][3]), abs=1e-6
    )
    assert len(study.alignment) == len(study.gap) == len(study.levels) == 10
    for vectors in study.centered.values():
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(study.ensemble, axis=1), 1, atol=1e-5)


def test_a_model_without_some_modalities_is_studied_on_those_it_has(atlas, model):
    encoders = {name: CITY_CONFIG.encoders[name] for name in ("location", "aerial")}
    less = UniGeoCLIP(ModelConfig(dim=16, encoders=encoders)).eval()
    study = study_modalities(less, atlas)
    assert study.modalities == ("location", "aerial")
    assert set(study.found) == {"location->aerial", "aerial->location"}
    alone = UniGeoCLIP(ModelConfig(dim=16, encoders={"location": CITY_CONFIG.encoders["location"]})).eval()
    with pytest.raises(InputError, match="two modalities are needed"):
        study_modalities(alone, atlas)


def test_too_few_places_with_all_modalities_are_told(atlas, model):
    with pytest.raises(InputError, match=r"Only 2 held-out places .* 3 are needed"):
        study_modalities(model, without_most_photos(atlas, 2))


def test_a_model_that_names_no_split_or_saw_other_data_is_refused(tmp_path, monkeypatch):
    use_hashed_sentences(monkeypatch)
    atlas = load_atlas(write_explorable_atlas(tmp_path / "tiny"))
    record, file = {"data": atlas.data_hash}, atlas.model_path / "metrics.json"
    write_json(file, record)
    with pytest.raises(InputError, match="names no split"):
        study_modalities(load_model(atlas.model_path), atlas)
    write_json(file, read_json(file) | {"data": "other", "split": "random"})
    with pytest.raises(AtlasError, match="Train again"):
        study_modalities(load_model(atlas.model_path), atlas)


def test_the_interval_of_a_share_is_wilsons():
    low, high = share_interval(50.0, 100)
    assert (low, high) == pytest.approx((40.38, 59.62), abs=0.01)
    assert share_interval(0.0, 30)[0] == 0
    assert share_interval(100.0, 30)[1] == pytest.approx(100)
