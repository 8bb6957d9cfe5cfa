import contextlib
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.evaluation.probing.made_up import made_up_table
from unigeoclip.errors import InputError, StoppedError
from unigeoclip.evaluation.probing.fitted import fit, load_probe


@pytest.mark.parametrize("ending", [".safetensors", ".json"])
@pytest.mark.parametrize("kind", ["regression", "classification"])
def test_a_probe_predicts_what_it_was_fitted_to_and_survives_its_file(tmp_path, kind, ending):
    table, features = made_up_table(300, kind, unit="°C")
    probe = fit(table, features, encoder="unigeoclip", atlas="world", atlas_data="abc", model="def")
    predicted = probe.predict(features)
    if kind == "regression":
        assert np.corrcoef(predicted, table.target)[0, 1] > 0.95
    else:
        assert (predicted == table.target).mean() > 0.75
    path = tmp_path / f"probe{ending}"
    probe.save(path)
    back = load_probe(path)
    assert back.facts == probe.facts
    assert (back.facts.unit, back.facts.encoder, back.facts.rows) == ("°C", "unigeoclip", 300)
    assert back.classes == probe.classes
    np.testing.assert_array_equal(back.predict(features), predicted)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_it_is_the_ridge_of_scikit_learn_in_units_of_the_target():
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    table, features = made_up_table(200)
    probe = fit(table, features * 1e-3 + 7, encoder="geoclip")
    alpha = float(probe.facts.hyperparameter.removeprefix("alpha="))
    expected = make_pipeline(StandardScaler(), Ridge(alpha)).fit(features, table.target).predict(features)
    np.testing.assert_allclose(probe.predict(features * 1e-3 + 7), expected, atol=1e-2)


def test_huge_targets_constant_columns_and_rows_without_features():
    table, features = made_up_table(200, dim=4)
    huge = replace(table, target=table.target * 1e300)  # its squares overflow
    padded = np.concatenate([features, np.ones((200, 1), np.float32)], axis=1)
    padded[3, 0] = np.nan
    probe = fit(huge, padded, encoder="geoclip")
    assert probe.facts.rows == 199
    predicted = probe.predict(padded)
    assert np.isnan(predicted[3])
    known = np.delete(np.arange(200), 3)
    assert np.corrcoef(predicted[known] / 1e300, table.target[known])[0, 1] > 0.95
    with pytest.raises(InputError, match="takes 5 features of 'geoclip'"):
        probe.predict(features)


def test_a_class_is_missing_where_features_are():
    table, features = made_up_table(100, "classification")
    probe = fit(table, features, encoder="geoclip")
    features[0] = np.nan
    assert probe.predict(features)[0] == ""


def test_few_blocks_are_no_hindrance_and_it_can_be_stopped():
    table, features = made_up_table(60, bounds=(42.3, -71.1, 42.3001, -71.0999))
    assert fit(table, features, encoder="geoclip").facts.rows == 60
    with pytest.raises(StoppedError):
        fit(table, features, encoder="geoclip", cancelled=lambda: True)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """The content of a good JSON file, and its folder."""
    table, features = made_up_table(60, "classification")
    folder = tmp_path_factory.mktemp("probes")
    fit(table, features, encoder="geoclip").save(folder / "good.json")
    fit(table, features, encoder="geoclip").save(folder / "good.safetensors")
    return folder


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "its format"),
        ({"classes": "abc"}, "not a list of names"),
        ({"classes": []}, "do not fit"),
        ({"classes": ["a", "a", "b"]}, "different ones"),
        ({"weights": [["a"]]}, "'weights' is not an array"),
        ({"weights": None}, "lacks|shapes|array"),
        ({"mean": [[1.0]]}, "shapes"),
        ({"scale": [0.0] * 6}, "not positive"),
        ({"facts": {"task": "x"}}, "not described"),
    ],
)
def test_a_changed_file_is_refused(good, tmp_path, change, message):
    content = json.loads((good / "good.json").read_text())
    (tmp_path / "bad.json").write_text(json.dumps({**content, **change}))
    with pytest.raises(InputError, match=message):
        load_probe(tmp_path / "bad.json")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_bytes_are_worse_than_a_sentence(good, tmp_path_factory, data):
    name = data.draw(st.sampled_from(["good.json", "good.safetensors"]))
    content = bytearray((good / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("bytes") / name
    path.write_bytes(bytes(content[: data.draw(st.integers(0, len(content)))]))
    with contextlib.suppress(InputError):  # anything else fails the test
        probe = load_probe(path)
        assert np.isfinite(probe.weights).all()


def test_other_files_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"\.safetensors or \.json"):
        load_probe(tmp_path / "probe.pkl")
    with pytest.raises(InputError, match="no.json"):
        load_probe(tmp_path / "no.json")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    with pytest.raises(InputError, match="is not a fitted probe"):
        load_probe(tmp_path / "deep.json")
