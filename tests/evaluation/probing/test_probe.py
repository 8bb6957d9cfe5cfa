import json

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, mean_absolute_error, r2_score

from tests.evaluation.probing.made_up import as_encoders, made_up_table
from unigeoclip.errors import InputError, StoppedError
from unigeoclip.evaluation.probing.probe import probe
from unigeoclip.evaluation.probing.report_json import to_json


def noise(n, dim=6):
    return np.random.default_rng(77).normal(size=(n, dim)).astype(np.float32)


def test_scores_of_numbers_are_those_of_scikit_learn():
    table, features = made_up_table(200)
    report = probe(table, as_encoders(unigeoclip=features, geoclip=noise(200)))
    assert report.metric == "r2"
    assert list(report.results) == ["random", "blocks"]
    for split, folds in report.folds.items():
        result = report.results[split]["unigeoclip"]
        for fold in range(5):
            truth, given = table.target[folds == fold], result.predictions[folds == fold]
            assert result.scores["r2"].folds[fold] == pytest.approx(r2_score(truth, given))
            assert result.scores["mae"].folds[fold] == pytest.approx(mean_absolute_error(truth, given))
        assert result.scores["r2"].mean == pytest.approx(np.mean(result.scores["r2"].folds))
        assert result.pooled == pytest.approx(r2_score(table.target, result.predictions))
        assert result.scores["r2"].mean > 0.9 > 0.2 > report.results[split]["geoclip"].scores["r2"].mean


def test_scores_of_classes_are_those_of_scikit_learn():
    table, features = made_up_table(200, "classification")
    report = probe(table, as_encoders(unigeoclip=features, geoclip=noise(200)), splits=["random"])
    assert report.metric == "accuracy"
    result, folds = report.results["random"]["unigeoclip"], report.folds["random"]
    for fold in range(5):
        truth, given = table.target[folds == fold], result.predictions[folds == fold]
        assert result.scores["accuracy"].folds[fold] == pytest.approx(accuracy_score(truth, given))
        assert result.scores["macro_f1"].folds[fold] == pytest.approx(f1_score(truth, given, average="macro"))


def test_others_are_compared_with_the_best_encoder_that_is_not_ours():
    table, features = made_up_table(300)
    blurred = features + noise(300)
    report = probe(table, as_encoders(unigeoclip=features, satclip=noise(300), geoclip=blurred), splits=["random"])
    found = report.results["random"]
    assert found["geoclip"].difference is None
    ours = found["unigeoclip"].difference
    assert ours.baseline == "geoclip"
    assert ours.mean == pytest.approx(found["unigeoclip"].scores["r2"].mean - found["geoclip"].scores["r2"].mean)
    assert 0 < ours.low < ours.mean < ours.high
    assert found["satclip"].difference.high < 0
    named = probe(table, as_encoders(unigeoclip=features, geoclip=blurred), splits=["random"], baseline="unigeoclip")
    assert named.results["random"]["geoclip"].difference.mean == pytest.approx(-ours.mean)


def test_the_same_seed_gives_the_same_report_and_json_keeps_the_promised_keys():
    table, features = made_up_table(120)
    encoders = as_encoders(unigeoclip=features, mean=np.zeros((120, 1), np.float32))
    first, second = (to_json(probe(table, encoders, seed=3)) for _ in range(2))
    assert json.dumps(first, allow_nan=False) == json.dumps(second, allow_nan=False)
    assert (first["task"], first["n"], first["metric"]) == ("made up", 120, "r2")
    ours = first["results"]["blocks"]["unigeoclip"]
    assert ours["mean"] == pytest.approx(np.mean(ours["folds"]))
    assert ours["std"] == pytest.approx(np.std(ours["folds"]))
    assert len(ours["folds"]) == 5


def test_rows_that_an_encoder_lacks_are_left_out_for_all_and_said():
    table, features = made_up_table(100)
    lacking = features.copy()
    lacking[:7] = np.nan
    report = probe(table, as_encoders(unigeoclip=features, aerial=lacking), splits=["random"])
    assert len(report.table) == 93
    assert "7 of 100 rows are left out for all encoders: 'aerial' has nothing there." in report.notes
    np.testing.assert_array_equal(report.table.target, table.target[7:])


def test_it_stops_when_it_is_not_wanted_and_tells_how_far_it_is():
    table, features = made_up_table(100)
    shares = []
    probe(table, as_encoders(unigeoclip=features), progress=lambda words, share: shares.append(share))
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    assert len(shares) > 20
    with pytest.raises(StoppedError):
        probe(table, as_encoders(unigeoclip=features), cancelled=lambda: True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"splits": ["moon"]}, "Unknown split 'moon'. This table has random, blocks."),
        ({"splits": ["groups"]}, "no groups to hold out"),
        ({"splits": []}, "Name a split"),
        ({"model": "forest"}, "Unknown model 'forest'"),
        ({"model": "logistic"}, "this target is a number"),
        ({"folds": 2}, "3 to 20, not 2"),
        ({"cell": "wide"}, "number of degrees, like 2"),
        ({"cell": 90, "splits": ["blocks"], "folds": 15}, "too few for 15 folds"),
        ({"protocol": "best"}, "Unknown protocol 'best'"),
        ({"baseline": "satclip"}, "'satclip' is not among the encoders"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(options, message):
    table, features = made_up_table(100)
    with pytest.raises(InputError, match=message):
        probe(table, as_encoders(unigeoclip=features), **options)
