"""Figures that others published, as facts with their source: CoordBench's results, and the paper's.

CoordBench's are of the same tasks and the same protocol as ours can be (`PublishedScores.protocol`). The paper's are of
data that were never released: they stand beside ours to show what was measured, not to be compared.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from unigeoclip.config import from_dict
from unigeoclip.files.json_files import read_json
from unigeoclip.paths import RESULTS

__all__ = ["PaperFigure", "PaperFigures", "PublishedScores", "PublishedTask", "coordbench", "paper"]

COORDBENCH_FILE = "coordbench-published.json"
PAPER_FILE = "paper.json"


@dataclass(frozen=True)
class PublishedTask:
    """What encoders reach on a task.

    Attributes:
        target: Column that is predicted.
        metric: "r2" or "accuracy".
        n: Rows of the task.
        results: Split ("random" or "spatial") -> model -> value and the ends of its interval, 1 for a perfect one.
    """

    target: str
    metric: str
    n: int
    results: dict[str, dict[str, tuple[float, float, float]]]


@dataclass(frozen=True)
class PublishedScores:
    """Scores of encoders of coordinates.

    Attributes:
        title: Whose they are.
        url: Of the very file that was read.
        commit: Its version.
        read: Date on which it was read.
        protocol: How they were measured.
        models: Name -> numbers in an embedding.
        tasks: By name.
    """

    title: str
    url: str
    commit: str
    read: str
    protocol: str
    models: dict[str, int]
    tasks: dict[str, PublishedTask]


@dataclass(frozen=True)
class PaperFigure:
    """A figure of the paper.

    Attributes:
        model: Whose it is.
        what: A pair as ours are named ("street->aerial"), or the group of regressions.
        where: Where it was measured.
        metric: "acc@100m" or "mean r2".
        value: Percent.
        like: Split of ours that holds out the same kind of thing, or "elsewhere"; None where ours has none.
    """

    model: str
    what: str
    where: str
    metric: str
    value: float
    like: str | None = None


@dataclass(frozen=True)
class PaperFigures:
    """The paper's figures, all of its own data.

    Attributes:
        title: Of the paper.
        url: Of the paper.
        note: What must be said wherever they are shown.
        figures: In the order of the paper.
    """

    title: str
    url: str
    note: str
    figures: list[PaperFigure]


@functools.cache
def coordbench() -> PublishedScores:
    """What other encoders reach on tasks of CoordBench.

    Raises:
        InputError: The file is missing or damaged.
    """
    return from_dict(PublishedScores, read_json(RESULTS / COORDBENCH_FILE), where=COORDBENCH_FILE)


@functools.cache
def paper() -> PaperFigures:
    """The paper's figures.

    Raises:
        InputError: The file is missing or damaged.
    """
    return from_dict(PaperFigures, read_json(RESULTS / PAPER_FILE), where=PAPER_FILE)
