import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.evaluation.probing.made_up import made_up_table
from unigeoclip.errors import InputError
from unigeoclip.evaluation.probing.heads.nested import model_for, nested_predictions, standardized
from unigeoclip.evaluation.probing.heads.targets import Target, class_scores, r2
from unigeoclip.evaluation.probing.work import Work
from unigeoclip.tasks import LabelTable


def predicted(model, table, features, folds):
    target = Target.of(table)
    outputs, settings = nested_predictions(model, features, target, folds, Work(1))
    return target.decoded(outputs), settings


FOLDS = np.random.default_rng(3).permutation(240) % 4


@pytest.mark.parametrize(
    ("kind", "scikit"), [("regression", KNeighborsRegressor), ("classification", KNeighborsClassifier)]
)
def test_nearest_neighbors_are_those_of_scikit_learn(kind, scikit):
    table, features = made_up_table(240, kind)
    found, settings = predicted("knn", table, features, FOLDS)
    for fold, setting in enumerate(settings):
        train = fold != FOLDS
        model = make_pipeline(StandardScaler(), scikit(int(setting.removeprefix("k=")), algorithm="brute"))
        expected = model.fit(features[train], table.target[train]).predict(features[~train])
        if kind == "regression":
            np.testing.assert_allclose(found[~train], expected, atol=1e-5)
        else:
            assert (found[~train] == expected).mean() > 0.97  # ties are broken otherwise


def test_the_logistic_model_is_that_of_scikit_learn():
    table, features = made_up_table(240, "classification")
    found, settings = predicted("logistic", table, features, FOLDS)
    for fold, setting in enumerate(settings):
        train = fold != FOLDS
        model = make_pipeline(StandardScaler(), LogisticRegression(C=float(setting.removeprefix("C=")), max_iter=500))
        expected = model.fit(features[train], table.target[train]).predict(features[~train])
        assert (found[~train] == expected).mean() > 0.98


@pytest.mark.parametrize("model", ["ridge", "logistic", "knn"])
def test_classes_that_are_missing_in_folds_are_no_fault(model):
    features = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    folds = np.repeat([0, 1, 2], 20)
    latlon = np.zeros((60, 2))
    one = np.array(["a"] * 40 + ["b"] * 20)  # trained without the third fold there is one class only
    found, _ = predicted(model, LabelTable("x", latlon, one, "classification", "y"), features, folds)
    assert (found[40:] == "a").all()
    rare = np.array(["a", "b"] * 29 + ["c", "d"])
    found, _ = predicted(model, LabelTable("x", latlon, rare, "classification", "y"), features, folds)
    assert set(found[40:]) <= {"a", "b"}


@pytest.mark.parametrize("model", ["ridge", "knn"])
def test_huge_and_tiny_targets_are_predicted_as_well_as_others(model):
    table, features = made_up_table(240)
    plain, _ = predicted(model, table, features, FOLDS)
    for factor in (1e300, 1e-300):
        scaled = LabelTable("x", table.latlon, table.target * factor, "regression", "y")
        found, _ = predicted(model, scaled, features, FOLDS)
        np.testing.assert_allclose(found / factor, plain, rtol=1e-6, atol=1e-9)


def test_columns_that_differ_little_beside_their_mean_keep_their_digits():
    values = np.random.default_rng(0).normal(size=1000)
    features = np.stack([1000 + values, np.full(1000, 3.3), 1e-20 * values], axis=1).astype(np.float32)
    scaled, mean, scale = standardized(features)
    np.testing.assert_allclose(scaled[:, 0], (values - values.mean()) / values.std(), atol=1e-3)
    assert (scaled[:, 1] == 0).all()
    assert np.isinf(scale[1])
    np.testing.assert_allclose(scaled[:, 2], (values - values.mean()) / values.std(), atol=1e-4)
    assert mean[0] == pytest.approx(1000, abs=0.1)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (np.zeros(30), "All 30 rows of 'y' have the value 0"),
        (np.full(30, 1e308), "have the value 1e\\+308"),
        (np.array(["a"] * 30), "have the class 'a'"),
        (np.array([f"id{i}" for i in range(10_000)]), "10,000 classes in 10,000 rows, at most 500"),
    ],
)
def test_targets_without_anything_to_predict_are_refused_with_advice(target, message):
    kind = "regression" if target.dtype == float else "classification"
    with pytest.raises(InputError, match=message):
        Target.of(LabelTable("x", np.zeros((len(target), 2)), target, kind, "y"))


def test_large_tables_are_refused_by_slow_models():
    table = LabelTable("x", np.zeros((40_000, 2)), np.arange(40_000.0), "regression", "y")
    with pytest.raises(InputError, match="takes 30,000 rows at most"):
        model_for("knn", Target.of(table))
    assert model_for("auto", Target.of(table)) == "ridge"


def test_scores_of_folds_without_variance_and_without_classes():
    same = np.ones(5)
    assert r2(same, same) == 1.0
    assert r2(same, same + 0.1) == 0.0
    assert class_scores(np.array([2, 2]), np.array([2, 2]), 5) == {"accuracy": 1.0, "macro_f1": 1.0, "mean_iou": 1.0}
    halved = class_scores(np.array([2, 2]), np.array([1, 2]), 5)
    assert halved == {
        "accuracy": 0.5,
        "macro_f1": pytest.approx((0 + 2 / 3) / 2),
        "mean_iou": pytest.approx((0 + 1 / 2) / 2),
    }
