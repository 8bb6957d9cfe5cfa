"""Fitted probes: linear models on the features of one encoder that predict anywhere, and their files.

A file holds numbers and what they mean, as safetensors or as JSON; reading one runs no code.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.errors import InputError, excerpt
from unigeoclip.evaluation.probing.folds import RANDOM, make_folds
from unigeoclip.evaluation.probing.heads.nested import standardized
from unigeoclip.evaluation.probing.heads.ridge import fit_ridge
from unigeoclip.evaluation.probing.heads.shifted import product
from unigeoclip.evaluation.probing.heads.targets import MAX_CLASSES, Target
from unigeoclip.evaluation.probing.work import Work
from unigeoclip.files.atomic import read_bytes, write_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.evaluation.probing.work import Cancelled, Progress
    from unigeoclip.tasks.label_table import LabelTable

__all__ = ["FittedProbe", "ProbeFacts", "fit", "load_probe"]

FORMAT = "unigeoclip-probe-1"
ENDINGS = (".safetensors", ".json")
MAX_DIM = 8192
MAX_BYTES = 100_000_000  # 500 classes of 8,192 features are 33 MB, as JSON up to three times that
_MAX_TEXT = 400
_ARRAYS = ("weights", "intercept", "mean", "scale")


@dataclass(frozen=True)
class ProbeFacts:
    """What a fitted probe is of.

    Attributes:
        task: Name of the task or file.
        target: What is predicted.
        unit: Its unit; empty for none.
        kind: "regression" or "classification".
        encoder: Name of the encoder whose features it takes, see `encoders`.
        atlas: Name of the atlas whose models and data the encoder used; empty for none.
        atlas_data: Hash of that data; empty for none.
        model: Id of that atlas's checkpoint; empty for none.
        rows: Training rows.
        hyperparameter: What was chosen, as text.
    """

    task: str
    target: str
    unit: str
    kind: str
    encoder: str
    atlas: str = ""
    atlas_data: str = ""
    model: str = ""
    rows: int = 0
    hyperparameter: str = ""


@dataclass(frozen=True, eq=False)
class FittedProbe:
    """A linear probe: outputs = (features - mean) / scale @ weights + intercept.

    Attributes:
        weights: (dim, outputs) float64; one output, or one for each class.
        intercept: (outputs,) float64; in the unit of the target.
        mean: (dim,) float64 of the training features.
        scale: (dim,) float64, standard deviation of the training features; 1 for a constant one, whose weights are 0.
        classes: Names of the classes, sorted; empty for a regression.
        facts: What it is of.
    """

    weights: NDArray[np.float64]
    intercept: NDArray[np.float64]
    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    classes: tuple[str, ...]
    facts: ProbeFacts

    def outputs(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """(n, dim) features -> (n, outputs): the target, or how much each class is voted for.

        Raises:
            InputError: Features of another length.
        """
        dim = len(self.mean)
        if features.ndim != 2 or features.shape[1] != dim:
            raise InputError(
                f"This probe takes {dim} features of {self.facts.encoder!r} a row, not an array of {features.shape}."
            )
        weights = self.weights / self.scale[:, None]
        return product(np.ascontiguousarray(features, np.float32), weights) + (self.intercept - self.mean @ weights)

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.float64] | NDArray[np.str_]:
        """(n, dim) features -> (n,) numbers, or names of classes; NaN, or "", where a row has a NaN.

        Raises:
            InputError: Features of another length.
        """
        outputs = self.outputs(features)
        if not self.classes:
            numbers: NDArray[np.float64] = outputs[:, 0]
            return numbers
        names: NDArray[np.str_] = np.array(self.classes)[outputs.argmax(axis=1)]
        return np.where(np.isfinite(outputs).all(axis=1), names, "")

    def save(self, path: str | Path) -> None:
        """Write a .safetensors or .json file, whole or not at all.

        Raises:
            InputError: Another ending, or the file cannot be written.
        """
        path = Path(path)
        _check_ending(path)
        write_bytes(path, self.to_bytes(path.suffix))

    def to_bytes(self, ending: str) -> bytes:
        """Content of a file.

        Args:
            ending: ".safetensors" or ".json".

        Raises:
            InputError: Another ending.
        """
        _check_ending(Path(f"probe{ending}"))
        head = {"format": FORMAT, "classes": list(self.classes), "facts": asdict(self.facts)}
        arrays = {name: np.ascontiguousarray(getattr(self, name)) for name in _ARRAYS}
        if ending == ".json":
            listed = {name: array.tolist() for name, array in arrays.items()}
            return json.dumps({**head, **listed}, ensure_ascii=False, allow_nan=False).encode()
        from safetensors.numpy import save

        return save(arrays, metadata={"format": FORMAT, "probe": json.dumps(head, ensure_ascii=False)})


def fit(
    table: LabelTable,
    features: NDArray[np.float32],
    *,
    encoder: str,
    atlas: str = "",
    atlas_data: str = "",
    model: str = "",
    split: str = "blocks",
    folds: int = 5,
    seed: int = 0,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> FittedProbe:
    """Fit a ridge, or a ridge classifier, on all rows of a table; its penalty is chosen by cross-validation.

    Args:
        table: Positions with a target.
        features: (n, dim) float32 of the encoder; rows with a NaN are left out.
        encoder: Its name.
        atlas: Name of the atlas it used.
        atlas_data: Hash of that atlas's data.
        model: Id of that atlas's checkpoint.
        split: Of the folds that choose the penalty: "random", "blocks" or "groups"; random where there are too few
            blocks.
        folds: Number of folds.
        seed: Of the folds.
        progress: Called with what is being done, and the share of it that is done.
        cancelled: Asked between the steps.

    Raises:
        InputError: Lengths differ, or the target cannot be probed.
        StoppedError: It was cancelled.
    """
    if features.ndim != 2 or len(features) != len(table) or not 1 <= features.shape[1] <= MAX_DIM:
        raise InputError(f"{len(table)} rows need (n, 1 to {MAX_DIM}) features, not an array of {features.shape}.")
    known: NDArray[np.bool_] = np.isfinite(features.sum(axis=1))
    if not known.all():
        table, features = table.take(known), features[known]
    target = Target.of(table)
    try:
        divided = make_folds(table, split, folds=folds, seed=seed)
    except InputError:
        divided = make_folds(table, RANDOM, folds=folds, seed=seed)
    work = Work(divided.count, progress, cancelled)
    work.begin(f"Fitting the probe of {encoder}")
    scaled, mean, scale = standardized(features)
    linear, alpha = fit_ridge(scaled, target, divided.numbers, work)
    facts = ProbeFacts(
        table.name, table.target_name, table.unit, table.kind, encoder, atlas, atlas_data, model, len(table),
        f"alpha={alpha:.3g}",
    )  # fmt: skip
    weights = linear.weights * target.scale
    intercept = linear.intercept * target.scale + target.center
    return FittedProbe(weights, intercept, mean, np.where(np.isfinite(scale), scale, 1.0), target.classes, facts)


def load_probe(path: str | Path) -> FittedProbe:
    """Read a fitted probe that `FittedProbe.save` wrote.

    Raises:
        InputError: The file is missing, too large, damaged, or no fitted probe; says what is wrong with it.
    """
    path = Path(path)
    _check_ending(path)
    data = read_bytes(path, MAX_BYTES)
    try:
        head, arrays = _from_json(data) if path.suffix == ".json" else _from_safetensors(data)
        return _checked(head, arrays)
    except _NotAProbeError as error:
        raise InputError(f"{path} is not a fitted probe: {error}. Save it again.") from error


class _NotAProbeError(Exception):
    """What is wrong with a file."""


def _check_ending(path: Path) -> None:
    if path.suffix not in ENDINGS:
        raise InputError(f"A fitted probe is a file .safetensors or .json, not {excerpt(path.name)!r}.")


def _from_json(data: bytes) -> tuple[Any, dict[str, NDArray[Any]]]:
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _NotAProbeError("it is no JSON") from error
    if not isinstance(content, dict):
        raise _NotAProbeError("it is no object of JSON")
    arrays = {}
    for name in _ARRAYS:
        try:
            arrays[name] = np.array(content.get(name), np.float64)
        except (TypeError, ValueError) as error:
            raise _NotAProbeError(f"{name!r} is not an array of numbers") from error
    return content, arrays


def _from_safetensors(data: bytes) -> tuple[Any, dict[str, NDArray[Any]]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        arrays = load(data)
        size = int.from_bytes(data[:8], "little")
        head = json.loads(json.loads(data[8 : 8 + size])["__metadata__"]["probe"])
    except (SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _NotAProbeError("it is no safetensors file of one") from error
    return head, arrays


def _checked(head: Any, arrays: dict[str, NDArray[Any]]) -> FittedProbe:
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise _NotAProbeError(f"its format is not {FORMAT!r}")
    facts, classes = _checked_facts(head.get("facts")), head.get("classes")
    if not isinstance(classes, list) or not all(isinstance(name, str) and len(name) <= _MAX_TEXT for name in classes):
        raise _NotAProbeError("its classes are not a list of names")
    if facts.kind not in ("regression", "classification") or (facts.kind == "classification") != bool(classes):
        raise _NotAProbeError("its kind and its classes do not fit")
    if len(classes) == 1 or len(classes) > MAX_CLASSES or len(set(classes)) < len(classes):
        raise _NotAProbeError(f"it has {len(classes)} classes, and 2 to {MAX_CLASSES} different ones can be")
    if set(_ARRAYS) - set(arrays) or any(not np.issubdtype(arrays[name].dtype, np.floating) for name in _ARRAYS):
        raise _NotAProbeError(f"it lacks arrays of numbers {', '.join(_ARRAYS)}")
    found = {name: np.asarray(arrays[name], np.float64) for name in _ARRAYS}
    outputs = max(1, len(classes))
    dim = found["mean"].shape[0] if found["mean"].ndim == 1 else 0
    shapes = {"weights": (dim, outputs), "intercept": (outputs,), "mean": (dim,), "scale": (dim,)}
    if not 1 <= dim <= MAX_DIM or any(found[name].shape != shape for name, shape in shapes.items()):
        raise _NotAProbeError("the shapes of its arrays do not fit")
    if not all(np.isfinite(array).all() for array in found.values()) or not (found["scale"] > 0).all():
        raise _NotAProbeError("it holds numbers that are infinite, or scales that are not positive")
    return FittedProbe(**found, classes=tuple(classes), facts=facts)


def _checked_facts(facts: Any) -> ProbeFacts:
    names = {each.name for each in fields(ProbeFacts)}
    if not isinstance(facts, dict) or set(facts) != names:
        raise _NotAProbeError("what it is of is not described")
    for name, value in facts.items():
        kind = int if name == "rows" else str
        if type(value) is not kind or len(str(value)) > _MAX_TEXT:
            raise _NotAProbeError(f"{name!r} of its description cannot be")
    return ProbeFacts(**facts)
