import json

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, jaccard_score, mean_absolute_error, r2_score

from tests.evaluation.probing.made_up import as_encoders, made_up_table
from unigeoclip.errors import InputError, StoppedError
from unigeoclip.evaluation.probing.probe import probe
from unigeoclip.evaluation.probing.report_json import to_json
from unigeoclip.tasks import LabelTable


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
        assert result.scores["mean_iou"].folds[fold] == pytest.approx(jaccard_score(truth, given, average="macro"))


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


def test_a_learning_curve_rises_and_ends_below_all_training_rows():
    table, features = made_up_table(400, dim=20, noise=2.0)
    report = probe(table, as_encoders(unigeoclip=features), splits=["random"], learning_curve=True, errors=False)
    curve = report.results["random"]["unigeoclip"].learning_curve
    assert [rows for rows, _, _ in curve] == [25, 50, 100, 200]
    means = [mean for _, mean, _ in curve]
    assert means[0] < means[1] < means[3] < report.results["random"]["unigeoclip"].scores["r2"].mean + 0.02
    assert all(error > 0 for _, _, error in curve)


def test_ten_rows_are_enough():
    table, features = made_up_table(10)
    report = probe(table, as_encoders(unigeoclip=features), splits=["random"], learning_curve=True)
    assert len(report.results["random"]["unigeoclip"].scores["r2"].folds) == 5
    json.dumps(to_json(report), allow_nan=False)


def test_a_baseline_that_has_seen_the_target_in_training_is_not_the_best_one():
    table, features = made_up_table(200)
    encoders = as_encoders(unigeoclip=features, satclip=features, geoclip=noise(200))
    report = probe(table, encoders, splits=["random"], seen_by={"satclip": "it was an input"})
    assert report.results["random"]["unigeoclip"].difference.baseline == "geoclip"
    assert report.seen_by == {"satclip": "it was an input"}


def test_classes_in_one_fold_only_and_shared_positions_are_noted():
    table, features = made_up_table(100, "classification")
    target = table.target.astype("U20")
    target[0] = "seen once"
    latlon = table.latlon.copy()
    latlon[50:] = latlon[:50]
    changed = LabelTable("x", latlon, target, "classification", "y")
    report = probe(changed, as_encoders(unigeoclip=features), splits=["random"])
    assert any(note.startswith("1 of 4 classes are in one fold of 'random' only") for note in report.notes)
    assert any("share their position" in note for note in report.notes)
