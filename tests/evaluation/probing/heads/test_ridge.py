import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut, PredefinedSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.evaluation.probing.made_up import made_up_table
from unigeoclip.evaluation.probing.heads.nested import standardized
from unigeoclip.evaluation.probing.heads.ridge import CLASS_ALPHAS, REGRESSION_ALPHAS, Moments, fit_ridge, nested_ridge
from unigeoclip.evaluation.probing.heads.targets import Target


def folds_of(n, k=5):
    return np.random.default_rng(1).permutation(n) % k


@pytest.mark.parametrize(("n", "dim"), [(300, 6), (60, 40), (40, 90)])
def test_nested_ridge_is_a_grid_search_of_scikit_learn_inside_each_fold(n, dim):
    table, features = made_up_table(n, noise=2.0, dim=dim)
    target, folds = Target.of(table), folds_of(n)
    outputs, alphas = nested_ridge(features, target, folds)
    for fold in range(5):
        train, test = folds != fold, folds == fold
        pipeline = make_pipeline(StandardScaler(), Ridge())
        inner = PredefinedSplit(folds[train])
        # The loss is the sum over all rows; scikit-learn weighs folds, which are of one size here.
        search = GridSearchCV(pipeline, {"ridge__alpha": REGRESSION_ALPHAS}, scoring="neg_mean_squared_error", cv=inner)
        search.fit(features[train].astype(float), table.target[train])
        assert alphas[fold] == pytest.approx(search.best_params_["ridge__alpha"])
        theirs = search.predict(features[test].astype(float))
        np.testing.assert_allclose(target.decoded(outputs)[test], theirs, atol=1e-5)


def test_classes_are_chosen_by_the_largest_of_ridges_on_one_hot_columns():
    table, features = made_up_table(240, "classification", noise=1.0)
    target, folds = Target.of(table), folds_of(240)
    outputs, alphas = nested_ridge(features, target, folds)
    assert set(alphas) <= set(CLASS_ALPHAS)
    for fold, alpha in enumerate(alphas):
        train = folds != fold
        model = make_pipeline(StandardScaler(), Ridge(alpha=alpha)).fit(features[train], target.matrix[train])
        np.testing.assert_allclose(outputs[~train], model.predict(features[~train]), atol=1e-5)
    assert (target.decoded(outputs) == table.target).mean() > 0.6


def test_the_penalty_of_a_fold_does_not_depend_on_its_targets():
    table, features = made_up_table(200, noise=3.0, dim=30)
    target, folds = Target.of(table), folds_of(200)
    _, before = nested_ridge(features, target, folds)
    target.matrix[folds == 2] = np.random.default_rng(9).normal(size=((folds == 2).sum(), 1)) * 5
    outputs, after = nested_ridge(features, target, folds)
    assert before[2] == after[2]
    again, _ = nested_ridge(features, Target.of(table), folds)
    np.testing.assert_allclose(outputs[folds == 2], again[folds == 2])


def test_moments_of_parts_add_up_to_those_of_the_whole():
    _, features = made_up_table(50)
    targets = np.arange(50.0)[:, None]
    whole, first, second = (
        Moments.of(features[some], targets[some]) for some in (slice(None), slice(20), slice(20, 50))
    )
    for name in ("x", "y", "xx", "xy"):
        np.testing.assert_allclose(getattr(first + second, name), getattr(whole, name), atol=1e-9)
        np.testing.assert_allclose(getattr(whole - second, name), getattr(first, name), atol=1e-9)


def test_constant_columns_are_left_out():
    table, features = made_up_table(100)
    padded = np.concatenate([features, np.full((100, 2), 7, np.float32)], axis=1)
    target, folds = Target.of(table), folds_of(100)
    with_them, _ = nested_ridge(standardized(padded)[0], target, folds)
    without, _ = nested_ridge(standardized(features)[0], target, folds)
    np.testing.assert_allclose(with_them, without, atol=1e-9)
    nothing, _ = nested_ridge(np.zeros((100, 1), np.float32), target, folds)
    for fold in range(5):
        np.testing.assert_allclose(nothing[folds == fold], target.matrix[folds != fold].mean())


def test_a_ridge_on_all_rows_takes_the_penalty_of_a_grid_search():
    table, features = made_up_table(100, noise=2.0, dim=40)
    target, folds = Target.of(table), folds_of(100)
    linear, alpha = fit_ridge(features, target, folds)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), Ridge()),
        {"ridge__alpha": REGRESSION_ALPHAS},
        scoring="neg_mean_squared_error",
        cv=LeaveOneGroupOut(),
    ).fit(features, table.target, groups=folds)
    assert alpha == pytest.approx(search.best_params_["ridge__alpha"])
    np.testing.assert_allclose(target.decoded(linear.outputs(features)), search.predict(features), atol=1e-4)
