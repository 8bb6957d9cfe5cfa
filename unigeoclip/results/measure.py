"""Measure the figures that probes give, all of them by one command, and keep each among the results that ship.

Tasks whose rows are the same are encoded once. What has been measured of the same data, model and settings stays, so
that a run which was interrupted continues where it was.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial
from itertools import product
from typing import TYPE_CHECKING, Any

from unigeoclip.checkpoint import checkpoint_id, encoder_id
from unigeoclip.embedders import load_all
from unigeoclip.embedders.taught import NAME as TAUGHT
from unigeoclip.embedders.taught import taught_folder
from unigeoclip.errors import InputError, UniGeoError
from unigeoclip.evaluation.picture_probe import PICTURE_ATLAS, probe_pictures
from unigeoclip.evaluation.probing.encoders import ENSEMBLE, Features, features
from unigeoclip.evaluation.probing.heads.shifted import Decompositions
from unigeoclip.evaluation.probing.report_json import to_json
from unigeoclip.evaluation.probing.run import atlas_of, run_probe
from unigeoclip.paths import RESULTS
from unigeoclip.results.probe_reports import NEIGHBORHOODS, PLAIN, is_kept, keep_report
from unigeoclip.results.studies import STUDIES, measure_study
from unigeoclip.tasks.catalog import (
    TASKS,
    WITHOUT_TEXT,
    is_available,
    load_positions,
    load_task,
    seen_in_training,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.embedders.base import Embedder
    from unigeoclip.evaluation.probing.work import Progress
    from unigeoclip.tasks.label_table import LabelTable
    from unigeoclip.tasks.task import Pack, Task

__all__ = ["Measurement", "Outcome", "choose", "measure"]

OURS = "unigeoclip"
_WITH_PICTURES = "boston"  # the scope whose rows have pictures at the scale of the task
_RADII = ("1km", "2km")  # chosen on these very tasks, which the figures say
# Whose neighborhoods are averaged: ours, and the encoders that have to be beaten on the same terms.
_SPREAD = (OURS, "geoclip", "satclip-retrained-city")


@dataclass(frozen=True)
class Measurement:
    """What is measured.

    Attributes:
        tasks: Built-in tasks.
        studies: Of `STUDIES`.
        seeds: Of the folds; every task is probed once with each.
        without_text: Folder of a model of the world that was trained without text, probed beside ours.
        neighborhoods: Probe vectors joined with their means around each place, too, in Boston.
        again: Measure what has been measured, too.
    """

    tasks: tuple[Task, ...]
    studies: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0,)
    without_text: Path | None = None
    neighborhoods: bool = False
    again: bool = False


@dataclass
class Outcome:
    """What became of a measurement.

    Attributes:
        added: Files that were written.
        kept: How many had been measured already.
        not_here: Tasks that are not on this machine.
        failed: Task or study -> why it could not be measured.
    """

    added: list[Path] = field(default_factory=list)
    kept: int = 0
    not_here: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def choose(patterns: Sequence[str]) -> tuple[tuple[Task, ...], tuple[str, ...]]:
    """Tasks and studies by name or pattern, such as "boston-*"; "all" for all of them.

    Raises:
        InputError: A pattern fits none.
    """
    if not patterns:
        raise InputError("Name tasks to measure, separated by commas, or 'all'.")
    known = [*TASKS, *STUDIES]
    wanted = set(known) if "all" in patterns else set()
    for pattern in patterns:
        found = [name for name in known if fnmatchcase(name, pattern)]
        if not found and pattern != "all":
            raise InputError(
                f"No task is called {pattern[:60]!r}, nor {' or '.join(STUDIES)}; see: unigeoclip tasks. "
                "Patterns such as 'boston-*' are understood."
            )
        wanted.update(found)
    return tuple(task for name, task in TASKS.items() if name in wanted), tuple(s for s in STUDIES if s in wanted)


def measure(
    wanted: Measurement,
    say: Callable[[str], None],
    progress: Progress | None = None,
    folder: Path = RESULTS,
) -> Outcome:
    """Measure tasks and studies, and keep each result as soon as it is there.

    Args:
        wanted: What.
        say: Called with a sentence on everything that is done.
        progress: Called with what is being done, and the share of one step that is.
        folder: Where results are kept.

    Raises:
        UniGeoError: An atlas or its model cannot be read.
    """
    outcome = Outcome(not_here=[task.name for task in wanted.tasks if not is_available(task)])
    packs = dict.fromkeys(task.pack.name for task in wanted.tasks if task.name not in outcome.not_here)
    variants = (PLAIN, NEIGHBORHOODS) if wanted.neighborhoods else (PLAIN,)
    for variant, pack in product(variants, packs):  # what takes long comes last
        tasks = [task for task in wanted.tasks if task.pack.name == pack]
        run = _PackRun(tasks, wanted, outcome, say, progress, folder)
        if tasks[0].input == "location":
            run.of_positions(variant)
        elif variant == PLAIN:
            run.of_pictures()
    for study in wanted.studies:
        try:
            added, kept = measure_study(study, say, progress, folder, again=wanted.again)
        except UniGeoError as error:
            outcome.failed[study] = str(error)
            continue
        outcome.added += added
        outcome.kept += kept
    return outcome


class _PackRun:
    """The tasks of one pack, whose rows are encoded once for all."""

    def __init__(
        self,
        tasks: list[Task],
        wanted: Measurement,
        outcome: Outcome,
        say: Callable[[str], None],
        progress: Progress | None,
        folder: Path,
    ) -> None:
        self._tasks, self._wanted, self._outcome = tasks, wanted, outcome
        self._say, self._progress, self._folder = say, progress, folder
        self._pack: Pack = tasks[0].pack

    def of_pictures(self) -> None:
        """Probe the aerial encoder on tasks whose rows are pictures."""
        from unigeoclip.atlas.store import load_atlas

        atlas = load_atlas(PICTURE_ATLAS)

        def report(task: Task, seed: int) -> dict[str, Any]:
            return to_json(probe_pictures(task.name, atlas, self._progress, seed=seed, errors=False))

        for task, seed in product(self._tasks, self._wanted.seeds):
            self._keep(task, seed, PLAIN, self._inputs(atlas, ["aerial"]), partial(report, task, seed))

    def of_positions(self, variant: str) -> None:
        """Probe the encoders of an atlas on tasks whose rows are positions."""
        if variant == NEIGHBORHOODS and self._pack.scope != _WITH_PICTURES:
            return
        rows, of_task = load_positions(self._pack)
        atlas = atlas_of(rows)
        loaded, missing = load_all(atlas)
        if missing and variant == PLAIN:
            self._say(f"Not on this machine, and left out: {', '.join(missing)}.")
        folder = self._wanted.without_text
        if folder is not None and atlas.name == "world":
            loaded[WITHOUT_TEXT] = _without_text(atlas, folder)
        tasks = [task for task in self._tasks if variant == PLAIN or not _is_seen(task, atlas)]
        if tasks:
            names = _names(self._pack, variant, list(loaded))
            self._probe(tasks, variant, atlas, _SharedFeatures(rows, of_task, atlas, names, loaded, self._progress))

    def _probe(self, tasks: list[Task], variant: str, atlas: Atlas, shared: _SharedFeatures) -> None:
        inputs, decompositions = self._inputs(atlas, shared.names), Decompositions()

        def report(task: Task, seed: int) -> dict[str, Any]:
            def seen(name: str) -> str | None:
                return seen_in_training(task, name, atlas.name)

            found = run_probe(
                load_task(task.name), atlas, encoded=shared.of(task.name), seen=seen, progress=self._progress,
                splits=task.splits, seed=seed, errors=False, kept=decompositions,
            )  # fmt: skip
            return to_json(found)

        for seed, task in product(self._wanted.seeds, tasks):  # tasks of one seed share rows, folds and decompositions
            self._keep(task, seed, variant, inputs, partial(report, task, seed))

    def _inputs(self, atlas: Atlas, names: Sequence[str]) -> dict[str, Any]:
        """What a result depends on: if it is the same, it need not be measured again."""
        found = {"data": atlas.data_hash, "model": _model_of(atlas, names), "pack": self._pack.version}
        if WITHOUT_TEXT in names and self._wanted.without_text is not None:
            found["without_text"] = checkpoint_id(self._wanted.without_text)
        if TAUGHT in names:
            found["taught"] = checkpoint_id(taught_folder(atlas))
        return {**found, "encoders": list(names)}

    def _keep(
        self, task: Task, seed: int, variant: str, inputs: dict[str, Any], make: Callable[[], dict[str, Any]]
    ) -> None:
        """Measure one task with one seed, unless it has been."""
        kept = is_kept(self._folder, inputs, task=task.name, seed=seed, variant=variant)
        if kept and not self._wanted.again:
            self._outcome.kept += 1
            return
        try:
            report = make()
            command = f"python -m unigeoclip results --measure {task.name}" + (f" --seed {seed}" if seed else "")
            path = keep_report({**report, "command": command, "inputs": inputs, "variant": variant}, self._folder)
        except UniGeoError as error:
            self._outcome.failed[task.name] = str(error)
            self._say(f"{task.name}: {error}")
            return
        self._outcome.added.append(path)
        self._say(f"Measured {task.name}, seed {seed}{', neighborhoods' if variant else ''}")


def _model_of(atlas: Atlas, names: Sequence[str]) -> str:
    """The part of an atlas's model that encoders with these names use: the rest may be trained further."""
    if any(name.startswith(ENSEMBLE) for name in names):
        return checkpoint_id(atlas.model_path)
    pictures = [name for name in names if name in atlas.manifest.modalities]
    return encoder_id(atlas.model_path, pictures or ["location"])


class _SharedFeatures:
    """Features of all rows of a pack, made when the first task asks for them; those of a task are some of them."""

    def __init__(
        self,
        rows: LabelTable,
        of_task: dict[str, NDArray[np.bool_]],
        atlas: Atlas,
        names: list[str],
        loaded: dict[str, Embedder],
        progress: Progress | None,
    ) -> None:
        self.names = names
        self._rows, self._of_task, self._atlas = rows, of_task, atlas
        self._loaded, self._progress = loaded, progress
        self._found: dict[str, Features] = {}

    def of(self, task: str) -> dict[str, Features]:
        """Features of the rows that `load_task` gives, without floors."""
        if not self._found:
            self._found = features(
                self.names, self._rows, self._atlas, self._progress, floors=False, loaded=self._loaded
            )
        taken = self._of_task[task]
        return {name: Features(each.title, each.vectors[taken]) for name, each in self._found.items()}


def _names(pack: Pack, variant: str, loaded: list[str]) -> list[str]:
    """The encoders that are probed on the tasks of a pack."""
    if variant == PLAIN:
        return [*loaded, "aerial", "surface", ENSEMBLE] if pack.scope == _WITH_PICTURES else loaded
    around = {name: "+".join(f"{name}@{radius}" for radius in _RADII) for name in _SPREAD if name in loaded}
    return [*(f"{name}+{means}" for name, means in around.items()), f"{ENSEMBLE}+{around[OURS]}"]


def _is_seen(task: Task, atlas: Atlas) -> bool:
    return seen_in_training(task, OURS, atlas.name) is not None


def _without_text(atlas: Atlas, folder: Path) -> Embedder:
    """The location encoder of a model that was trained without text, by a name of its own.

    Raises:
        InputError: It was trained with text.
        CheckpointError: It cannot be loaded, or does not fit the atlas.
    """
    from unigeoclip.embedders.unigeoclip import UniGeoCLIPEmbedder

    embedder = UniGeoCLIPEmbedder.from_atlas(atlas.with_model(folder))
    if "text" in embedder.model.modalities:
        raise InputError(f"The model in {folder} was trained with text: give one of --modalities without it.")
    embedder.name, embedder.title = WITHOUT_TEXT, "UniGeoCLIP without text"
    return embedder
