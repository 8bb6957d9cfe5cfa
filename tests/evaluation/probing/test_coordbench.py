"""The protocol against a second implementation of its description, step by step and one penalty at a time."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.evaluation.probing.made_up import as_encoders, made_up_table
from unigeoclip import geo
from unigeoclip.errors import InputError
from unigeoclip.evaluation.probing.coordbench import ALPHAS, coordbench_folds, spatial_folds
from unigeoclip.evaluation.probing.encoders import features as encode
from unigeoclip.evaluation.probing.folds import parse_cell
from unigeoclip.evaluation.probing.probe import probe
from unigeoclip.tasks import LabelTable


def reference_folds(table, split, seed=0, cell_deg=10.0):
    """Row numbers of each fold, by loops."""
    n = len(table)
    if split == "random":
        order = np.random.default_rng(seed).permutation(n)
        return [order[i::5] for i in range(5)]
    keys = [int(np.floor(lat / cell_deg)) * 100003 + int(np.floor(lon / cell_deg)) for lat, lon in table.latlon]
    known = sorted(set(keys))
    order = np.random.default_rng(seed).permutation(len(known))
    fold_of = {key: order[i] % 5 for i, key in enumerate(known)}
    folds = [np.array([row for row in range(n) if fold_of[keys[row]] == fold]) for fold in range(5)]
    return [rows for rows in folds if len(rows)]


def reference_scores(features, labels, folds, *, classes=False):
    """Best mean over the alphas of scores, and the scores of the folds."""
    x = torch.tensor(features, dtype=torch.float32)
    codes = None
    if classes:
        codes = torch.tensor(np.unique(labels, return_inverse=True)[1])
        y = torch.nn.functional.one_hot(codes).float()
    else:
        y = torch.tensor(labels.astype(np.float64), dtype=torch.float32)[:, None]
    best = (-np.inf, None, None)
    for alpha in ALPHAS:
        scores = []
        for number, test in enumerate(folds):
            train = np.concatenate([rows for other, rows in enumerate(folds) if other != number])
            center, spread = x[train].mean(0), x[train].std(0).clamp(min=1e-6)
            a, b = ((x[train] - center) / spread).double(), ((x[test] - center) / spread).double()
            target = y[train].double()
            shift, offset = a.mean(0), target.mean(0)
            a, b = a - shift, b - shift
            weights = torch.linalg.solve(a.T @ a + alpha * torch.eye(a.shape[1]).double(), a.T @ (target - offset))
            predicted = b @ weights + offset
            if classes:
                scores.append(float((predicted.argmax(1) == codes[test]).double().mean()))
            else:
                truth = y[test].double()
                scores.append(float(1 - ((truth - predicted) ** 2).sum() / ((truth - truth.mean()) ** 2).sum()))
        if np.mean(scores) > best[0]:
            best = (np.mean(scores), scores, alpha)
    return best


def climate(n=400, seed=0):
    """A target that sine and cosine of the position know in part."""
    rng = np.random.default_rng(seed)
    latlon = geo.random_on_sphere(n, rng, (-60, -180, 75, 180))
    value = 30 - 0.6 * np.abs(latlon[:, 0]) + 4 * np.sin(np.radians(3 * latlon[:, 1])) + 2 * rng.normal(size=n)
    return LabelTable("climate", latlon, value, "regression", "temperature")


@pytest.mark.parametrize("split", ["random", "blocks"])
def test_ridge_of_numbers(split):
    table = climate()
    sincos = np.concatenate([f(np.radians(table.latlon)) for f in (np.sin, np.cos)], axis=1).astype(np.float32)
    report = probe(table, as_encoders(sincos=sincos), splits=[split], protocol="coordbench")
    result = report.results[split]["sincos"]
    mean, scores, alpha = reference_scores(sincos, table.target, reference_folds(table, split))
    assert result.hyperparameter == (f"alpha={alpha:.3g}",)
    assert result.scores["r2"].mean == pytest.approx(mean, abs=1e-6)
    assert result.scores["r2"].folds == pytest.approx(scores, abs=1e-6)
    assert 0.5 < mean < 1


@pytest.mark.parametrize("split", ["random", "blocks"])
@pytest.mark.parametrize(("rows", "dim"), [(300, 20), (60, 120)])
def test_ridge_of_many_features(split, rows, dim):
    table, features = made_up_table(rows, dim=dim, noise=3.0)
    features[:, 0] = 5.0  # constant, and nearly so
    features[:, 1] = 1e-7 * features[:, 1] + 3
    report = probe(table, as_encoders(geoclip=features), splits=[split], protocol="coordbench", errors=False)
    mean, scores, _ = reference_scores(features, table.target, reference_folds(table, split))
    assert report.results[split]["geoclip"].scores["r2"].folds == pytest.approx(scores, abs=2e-5)
    assert report.results[split]["geoclip"].scores["r2"].mean == pytest.approx(mean, abs=2e-5)


@pytest.mark.parametrize("split", ["random", "blocks"])
def test_ridge_of_classes(split):
    table, features = made_up_table(300, "classification", noise=1.5)
    report = probe(table, as_encoders(geoclip=features), splits=[split], protocol="coordbench")
    mean, scores, _ = reference_scores(features, table.target, reference_folds(table, split), classes=True)
    assert report.results[split]["geoclip"].scores["accuracy"].folds == pytest.approx(scores)
    assert report.results[split]["geoclip"].scores["accuracy"].mean == pytest.approx(mean)


def test_nearest_neighbors_are_five_on_standardized_features():
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    table, features = made_up_table(300, "classification")
    report = probe(table, as_encoders(geoclip=features), splits=["random"], protocol="coordbench", model="knn")
    expected = []
    for test in reference_folds(table, "random"):
        train = np.setdiff1d(np.arange(300), test)
        model = make_pipeline(StandardScaler(), KNeighborsClassifier(5)).fit(features[train], table.target[train])
        expected.append(model.score(features[test], table.target[test]))
    assert report.results["random"]["geoclip"].scores["accuracy"].folds == pytest.approx(expected)


def test_spatial_folds_are_cells_in_the_order_of_their_keys():
    table = climate()
    numbers = spatial_folds(*table.latlon.T)
    for fold, rows in enumerate(reference_folds(table, "blocks")):
        np.testing.assert_array_equal(np.flatnonzero(numbers == fold), rows)
    cells = np.floor(table.latlon / 10)
    for cell in np.unique(cells, axis=0):
        assert len(np.unique(numbers[(cells == cell).all(axis=1)])) == 1


def test_a_table_that_was_changed_says_that_folds_may_differ():
    rng = np.random.default_rng(0)
    latlon = np.column_stack([rng.uniform(-60, 60, 50), rng.uniform(-180, 180, 50)])
    table = LabelTable("a", latlon, latlon[:, 0], "regression", "latitude")
    assert coordbench_folds(table, "blocks").notes == ()
    changed = replace(table, notes=("The longitude of 3 rows was brought to -180 to 180 degrees.",))
    (note,) = coordbench_folds(changed, "blocks").notes
    assert "other folds" in note
    assert coordbench_folds(changed, "random").notes == ()


def test_the_sine_and_cosine_floor_is_that_of_the_benchmark():
    table = climate()
    given = encode(["sincos"], table, None, floors=False)["sincos"].vectors
    lat, lon = np.radians(table.latlon).T
    theirs = np.stack([np.sin(lat), np.cos(lat), np.sin(lon), np.cos(lon)], axis=1).astype(np.float32)
    np.testing.assert_array_equal(given, theirs)


def test_what_the_protocol_lacks_is_refused():
    table = climate(100)
    sincos = encode(["sincos"], table, None)
    with pytest.raises(InputError, match="CoordBench has ridge"):
        probe(table, sincos, protocol="coordbench", model="knn")
    with pytest.raises(InputError, match="learning curve"):
        probe(table, sincos, protocol="coordbench", learning_curve=True)
    with pytest.raises(InputError, match="cells in degrees"):
        coordbench_folds(table, "blocks", cell=parse_cell("s2:4"))
