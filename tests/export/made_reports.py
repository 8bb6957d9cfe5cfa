"""Reports of probes, made up, for tests of what is written of them."""

import numpy as np

from unigeoclip.evaluation.probing.results import Difference, EncoderResult, ErrorPattern, ProbeReport, Score
from unigeoclip.tasks import LabelTable

HOSTILE = '<script>alert(1)</script> $x^{ & "quoted" _50%'


def report(kind="regression", n=120, name="homes", target="rent", unit="USD", classes=("a", "b", "c"), groups=False):
    """A report on two encoders and a floor under two splits; "geoclip" has seen the task, "mean" is the baseline."""
    rng = np.random.default_rng(0)
    latlon = np.column_stack([rng.uniform(42.2, 42.4, n), rng.uniform(-71.2, -71.0, n)])
    truth = rng.normal(size=n) if kind == "regression" else np.array(classes)[np.arange(n) % len(classes)]
    members = np.array(["north", "south"])[np.arange(n) % 2] if groups else None
    unit = unit if kind == "regression" else ""
    notes = ("Left out: 3 rows without a position.",)
    table = LabelTable(
        name, latlon, truth, kind, target, unit=unit, groups=members, group_name="side" if groups else "", notes=notes
    )
    metrics = ("r2", "mae") if kind == "regression" else ("accuracy", "macro_f1")

    def result(encoder, title, folds, predictions, *, difference=None):
        scores = {metrics[0]: Score.of(folds), metrics[1]: Score.of([0.1 * fold for fold in folds])}
        curve = ((20, folds[0] / 2, 0.05), (100, folds[0], 0.02)) if difference else ()
        errors = ErrorPattern(0.31, 0.002, 0.2, ((42.3, -71.1, 12, 0.9), (42.25, -71.05, 8, 0.7)))
        return EncoderResult(
            encoder, title, 4, scores, predictions, hyperparameter=("1",) * 5, difference=difference, errors=errors,
            learning_curve=curve,
        )  # fmt: skip

    near = truth + 0.3 * rng.normal(size=n) if kind == "regression" else np.where(rng.random(n) < 0.8, truth, truth[0])
    far = np.full(n, truth.mean()) if kind == "regression" else np.full(n, truth[0])
    better = Difference("mean", 0.4, 0.3, 0.5)
    results = {
        split: {
            "mean": result("mean", "Mean of the training rows", [0.0, -0.02, 0.01, 0.0, 0.0], far),
            "unigeoclip": result("unigeoclip", "UniGeoCLIP", [0.4, 0.5, 0.45, 0.5, 0.4], near, difference=better),
            "geoclip": result("geoclip", HOSTILE, [0.6, 0.7, 0.6, 0.7, 0.6], near, difference=better),
        }
        for split in ("random", "blocks")
    }
    folds = {split: np.arange(n) % 5 for split in results}
    settings = {"model": "ridge", "protocol": "nested", "seed": 0, "folds": {"random": 5, "blocks": 5}}
    return ProbeReport(table, metrics[0], results, folds, settings, ("A note.",), {"geoclip": "its captions name it"})
