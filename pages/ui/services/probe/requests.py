"""What visitors of page Probe ask for, and what they get beside a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from unigeoclip.evaluation.probing.everywhere import PredictionMap
    from unigeoclip.evaluation.probing.fitted import FittedProbe


@dataclass(frozen=True)
class Request:
    """What is probed.

    Attributes:
        encoders: Names, see `evaluation.probing.encoders`.
        splits: "random", "blocks", "groups".
        model: "auto", "ridge", "logistic" or "knn".
        learning_curve: Whether the score is computed for fewer training rows as well.
        rows: Size of the random sample of the table that is probed; 0 for all of it.
    """

    encoders: tuple[str, ...]
    splits: tuple[str, ...]
    model: str = "auto"
    learning_curve: bool = False
    rows: int = 0


@dataclass(frozen=True)
class Columns:
    """Which columns of a file are used.

    Attributes:
        lat: Of the latitude; empty where the file has geometries.
        lon: Of the longitude; likewise.
        target: What is predicted.
        kind: "regression", "classification", or empty to guess.
        groups: Column of the folds; empty for none.
        layer: Of a file with several.
        crs: Coordinate reference system of the positions, where the file does not say it; empty for degrees.
    """

    lat: str = ""
    lon: str = ""
    target: str = ""
    kind: str = ""
    groups: str = ""
    layer: str = ""
    crs: str = ""


@dataclass(frozen=True)
class Encoders:
    """What can be probed on an atlas.

    Attributes:
        titles: Name -> title, in the order in which they are offered; floors, which are always computed, left out.
        default: Names of those that are chosen at first.
        missing: Name -> why it cannot be used.
        dims: Name -> length of its vectors.
    """

    titles: Mapping[str, str]
    default: Sequence[str]
    missing: Mapping[str, str]
    dims: Mapping[str, int]


@dataclass(frozen=True, eq=False)
class Everywhere:
    """What a probe of all rows says of every cell of an atlas.

    Attributes:
        title: Of the encoder.
        layer: The predictions.
        fitted: The probe.
    """

    title: str
    layer: PredictionMap
    fitted: FittedProbe
