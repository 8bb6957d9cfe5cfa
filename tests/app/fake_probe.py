"""A made-up library of page Probe: two tasks, encoders of a few numbers, ridge regression, in milliseconds."""

import io
import threading
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pandas as pd

from pages.ui.services.probe.library import Library, sample_of
from pages.ui.services.probe.limits import check_size
from pages.ui.services.probe.requests import Encoders, Everywhere
from unigeoclip.errors import InputError
from unigeoclip.evaluation.probing.everywhere import predict_everywhere
from unigeoclip.evaluation.probing.results import Difference, EncoderResult, ErrorPattern, ProbeReport, Score
from unigeoclip.geo import unit_xyz
from unigeoclip.tasks.label_table import LabelTable

SOURCE = SimpleNamespace(name="Waves", url="https://example.org/", license="CC0-1.0", date="2026")


def make_task(name, kind, **changes):
    pack = SimpleNamespace(name="waves", title="Waves on a sphere", splits=("random", "blocks"), group_name="")
    fields = {
        "name": name, "title": name.title(), "kind": kind, "unit": "m" if kind == "regression" else "", "n": 300,
        "what": f"The {name} of a made-up sphere.", "reading": "1 is perfect.", "pack": pack, "sources": (SOURCE,),
        "license": "CC0-1.0", "download_bytes": 1_200_000, "input": "location", "scope": "world",
        "splits": ("random", "blocks"),
    }  # fmt: skip
    return SimpleNamespace(**fields | changes)


TASKS = [make_task("height", "regression"), make_task("climate", "classification"), make_task("rain", "regression")]
DIMS = {"fourier": 48, "coordinates": 3, "constant": 1}
TITLES = {"fourier": "Random Fourier features", "coordinates": "Plain coordinates", "constant": "Constant"}


def positions(n=300, seed=0):
    rng = np.random.default_rng(seed)
    return np.stack([rng.uniform(-60, 60, n), rng.uniform(-170, 170, n)], axis=1)


def table_of(name, kind, latlon=None):
    latlon = positions() if latlon is None else latlon
    wave = 300 + 250 * np.sin(np.radians(latlon[:, 0] * 2)) * np.cos(np.radians(latlon[:, 1]))
    target = wave if kind == "regression" else np.array(["dry", "humid", "polar"])[np.digitize(wave, [220, 420])]
    return LabelTable(name, latlon, target, kind, name, "m" if kind == "regression" else "")


def folds_of(table, split):
    if split == "blocks":
        return (np.floor(table.latlon[:, 1] / 30).astype(int) % 5).astype(np.int64)
    if split == "groups":
        return np.unique(table.groups, return_inverse=True)[1].astype(np.int64) % 5
    return np.random.default_rng(0).permutation(len(table)) % 5


def features(name, latlon):
    xyz = unit_xyz(latlon)
    if name == "fourier":
        waves = xyz @ np.random.default_rng(1).normal(size=(3, 24)) * 2
        return np.concatenate([np.sin(waves), np.cos(waves)], axis=1)
    return xyz if name in ("coordinates", "sincos") else np.ones((len(latlon), 1))


def predict(name, table, rows, latlon):
    x, at = (np.hstack([features(name, each), np.ones((len(each), 1))]) for each in (table.latlon, latlon))
    classes = np.unique(table.target)
    y = table.target[:, None] if table.kind == "regression" else (table.target[:, None] == classes).astype(float)
    weights = np.linalg.solve(x[rows].T @ x[rows] + 1e-3 * np.eye(x.shape[1]), x[rows].T @ y[rows])
    return (at @ weights)[:, 0] if table.kind == "regression" else classes[(at @ weights).argmax(axis=1)]


@dataclass
class FakeLibrary:
    """Answers as `Library` does; a probe waits until ``may_go`` is set."""

    here: tuple = ("height", "climate")

    def __post_init__(self):
        self.may_go = threading.Event()
        self.may_go.set()
        self.probed = []

    def tasks(self, atlas):
        return TASKS if atlas.name == "world" else []

    def is_here(self, task):
        return task.name in self.here

    def load(self, name):
        return table_of(name, next(task.kind for task in TASKS if task.name == name))

    def encoders(self, atlas):
        return Encoders(TITLES, ("fourier", "coordinates"), {"satclip": "Fetch it with 'baselines download'."}, DIMS)

    def inspect(self, data, name, layer=""):
        if not data.strip():
            raise InputError(f"{name} is empty.")
        frame = pd.read_csv(io.BytesIO(data))
        return SimpleNamespace(
            columns=[SimpleNamespace(name=each) for each in frame], geometry="", crs="", layer="", layers=(), notes=(),
            lat=frame.columns[0], lon=frame.columns[1], targets=tuple(frame.columns[2:]),
        )  # fmt: skip

    def read(self, data, name, columns):
        frame = pd.read_csv(io.BytesIO(data))
        latlon = frame[[columns.lat, columns.lon]].to_numpy(float)
        numeric = pd.api.types.is_numeric_dtype(frame[columns.target])
        kind = columns.kind or ("regression" if numeric else "classification")
        if not numeric and kind == "regression":
            raise InputError(f"The values of {columns.target!r} are no numbers.")
        target = frame[columns.target].to_numpy()
        target = target.astype(float) if kind == "regression" else target.astype(str)
        groups = frame[columns.groups].to_numpy().astype(str) if columns.groups else None
        return LabelTable(name, latlon, target, kind, columns.target, "", groups, columns.groups)

    def probe(self, table, atlas, request, task, step):
        while not self.may_go.wait(0.02):
            step("Encoding the positions", 0.1)
        table = sample_of(table, request.rows)
        check_size(table, request, DIMS)
        self.probed.append(request)
        results, folds = {}, {}
        metric = "r2" if table.kind == "regression" else "accuracy"
        for split in request.splits:
            step(f"Probing in {split}", 0.5)
            folds[split] = folds_of(table, split)
            names = [*request.encoders, "sincos", "mean"]
            results[split] = {name: _result(name, table, folds[split], request) for name in names}
        seen = {"fourier": "its waves are these waves"} if task == "height" else {}
        return ProbeReport(table, metric, results, folds, {"model": "ridge"}, (), seen)

    def everywhere(self, table, atlas, encoder, request, step):
        step("Predicting every cell", 0.5)
        grid = atlas.land_grid()

        def encode(latlon):
            return features(encoder, latlon).astype(np.float32)

        probe = SimpleNamespace(
            predict=lambda vectors: predict(encoder, table, np.arange(len(table)), grid.cells),
            to_bytes=lambda form: f"a probe as {form}".encode(),
        )
        return Everywhere(TITLES[encoder], predict_everywhere(probe, encode, grid, table), probe)


class ReadingLibrary(FakeLibrary):
    """The same, but files are really read."""

    inspect, read = Library.inspect, Library.read


def _result(name, table, folds, request):
    predictions = np.empty(len(table), table.target.dtype)
    scores = []
    for fold in range(5):
        test = folds == fold
        predictions[test] = predict(name, table, np.flatnonzero(~test), table.latlon[test])
        truth, found = table.target[test], predictions[test]
        if table.kind == "classification":
            scores.append(float((truth == found).mean()))
        else:
            scores.append(float(1 - ((truth - found) ** 2).sum() / max(1e-9, ((truth - truth.mean()) ** 2).sum())))
    second = "mae" if table.kind == "regression" else "macro_f1"
    metric = "r2" if table.kind == "regression" else "accuracy"
    curve = ((50, scores[0] - 0.1, 0.01), (100, scores[0] - 0.05, 0.01)) if request.learning_curve else ()
    difference = None if name == "sincos" else Difference("sincos", scores[0] - 0.1, scores[0] - 0.2, scores[0])
    pattern = ErrorPattern(0.34, 0.001, 0.2, ((10.0, 20.0, 12, 30.5), (-20.0, 60.0, 8, 20.0)))
    titles = TITLES | {"sincos": "Sine and cosine of the position", "mean": "Mean"}
    dim = features(name, table.latlon[:1]).shape[1]
    return EncoderResult(
        name, titles[name], dim, {metric: Score.of(scores), second: Score.of([1.0] * 5)}, predictions,
        hyperparameter=("alpha 1",) * 5, difference=difference, errors=pattern, learning_curve=curve,
    )  # fmt: skip
