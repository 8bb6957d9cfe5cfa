"""What page Probe needs of the package: tasks, files of labels, encoders, probes, maps of predictions.

One object, so that tests can put another in its place; every import is made when it is needed, in the worker's thread
where it takes long.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np

from pages.ui.services.compare_service import load_embedders, scales_of
from pages.ui.services.probe.limits import MOST_AT_FIRST, check_size
from pages.ui.services.probe.requests import Encoders, Everywhere
from unigeoclip.embedders.files.address import PREFIX
from unigeoclip.embedders.files.named import NAMED
from unigeoclip.errors import InputError, excerpt

if TYPE_CHECKING:
    from collections.abc import Callable

    from pages.ui.services.compare_service import Embedders
    from pages.ui.services.probe.requests import Columns, Request
    from unigeoclip.atlas import Atlas
    from unigeoclip.evaluation.probing.results import ProbeReport
    from unigeoclip.tasks.label_files import LabelFile
    from unigeoclip.tasks.label_table import Kind, LabelTable
    from unigeoclip.tasks.task import Task

    Step = Callable[[str, float], None]

WORLD_SCOPES = ("world", "us", "california")  # of tasks whose rows lie in an atlas of the whole Earth
WHOLE_EARTH_DEG = 359.0
PAIR = ("unigeoclip", "geoclip")  # offered in one click: what the two know together
ENSEMBLE = "ensemble"
PLAIN = ("coordinates", "fourier")  # weak on their own, and inside of the floors: not chosen at first


class Library:
    """The package's own functions."""

    def __init__(self, load_embedders: Callable[[Atlas], Embedders] = load_embedders) -> None:
        """Make it.

        Args:
            load_embedders: Returns the embedders of an atlas that are in memory already, or loads them.
        """
        self._load_embedders = load_embedders

    def tasks(self, atlas: Atlas) -> list[Task]:
        """The built-in tasks whose rows lie in an atlas."""
        from unigeoclip.tasks.catalog import TASKS

        _, west, _, east = atlas.manifest.bounds
        scopes = WORLD_SCOPES if east - west >= WHOLE_EARTH_DEG else (atlas.name,)
        return [task for task in TASKS.values() if task.scope in scopes and task.input == "location"]

    def is_here(self, task: Task) -> bool:
        """Whether the labels of a task are on this machine."""
        from unigeoclip.tasks.catalog import is_available

        return is_available(task)

    def load(self, name: str) -> LabelTable:
        """The labels of a task."""
        from unigeoclip.tasks.catalog import load_task

        return load_task(name)

    def encoders(self, atlas: Atlas) -> Encoders:
        """What can be probed on an atlas; takes seconds when its models are not in memory yet."""
        from unigeoclip.modalities import MODALITIES

        found, missing = self._load_embedders(atlas)
        scales = scales_of(found)
        titles = {name: each.title for name, each in found.items() if name not in scales}
        # Rows for which a file has no vector are left out for all encoders: one is chosen by intent only.
        first = [name for name in titles if name not in PLAIN and not name.startswith(NAMED)][:MOST_AT_FIRST]
        others = [name for name in MODALITIES if name in atlas.manifest.modalities and name != "location"]
        ours = titles.get(PAIR[0], "")
        dims = {name: found[name].dim for name in titles}
        if ours and others:
            titles |= {name: f"{ours}, {MODALITIES[name].title.lower()}" for name in others}
            titles[ENSEMBLE] = f"{ours}, mean of all modalities"
            dims |= dict.fromkeys([*others, ENSEMBLE], dims[PAIR[0]])
        if all(name in titles for name in PAIR):
            titles["+".join(PAIR)] = " + ".join(titles[name] for name in PAIR)
            dims["+".join(PAIR)] = sum(dims[name] for name in PAIR)
        return Encoders(titles, tuple(first), missing, dims)

    def inspect(self, data: bytes, name: str, layer: str = "") -> LabelFile:
        """What a file of a visitor holds."""
        from unigeoclip.tasks.label_files import inspect

        return inspect(data, name, layer=layer or None)

    def read(self, data: bytes, name: str, columns: Columns) -> LabelTable:
        """The table of the chosen columns of a file."""
        from unigeoclip.tasks.label_files import read_labels

        return read_labels(
            data, filename=name, lat=columns.lat or None, lon=columns.lon or None, target=columns.target,
            kind=cast("Kind | None", columns.kind or None), groups=columns.groups or None,
            layer=columns.layer or None, crs=columns.crs,
        )  # fmt: skip

    def probe(self, table: LabelTable, atlas: Atlas, request: Request, task: str, step: Step) -> ProbeReport:
        """Probe a table.

        Args:
            table: Positions and targets.
            atlas: Whose encoders are probed.
            request: Which of them, and how.
            task: Name of the built-in task; empty for a visitor's own labels.
            step: Called with what is being done and how much is done; raises `StoppedError` to end it.
        """
        from unigeoclip.evaluation.probing.run import run_probe

        table = sample_of(table, request.rows)
        check_size(table, request, self.encoders(atlas).dims)
        return run_probe(
            table, atlas, request.encoders, splits=request.splits, model=request.model,
            learning_curve=request.learning_curve, seen=self._seen(task, atlas), progress=step,
        )  # fmt: skip

    def _seen(self, task: str, atlas: Atlas) -> Callable[[str], str | None] | None:
        """Says why a built-in task counts as seen in the training of an encoder."""
        if not task:
            return None
        from unigeoclip.tasks.catalog import find_task, seen_in_training

        return lambda encoder: seen_in_training(find_task(task), encoder, atlas.name)

    def everywhere(self, table: LabelTable, atlas: Atlas, encoder: str, request: Request, step: Step) -> Everywhere:
        """Fit a probe to all rows of a table and predict every land cell of an atlas.

        Args:
            table: Positions and targets, as they were probed.
            atlas: Whose encoder it is, and whose cells are predicted.
            encoder: Its name.
            request: How the table was probed; its strictest split chooses the penalty.
            step: See `probe`.
        """
        if PREFIX in encoder:  # a link may say anything; a file is one of this server's
            raise InputError(f"The encoder {excerpt(encoder)!r} is not one of this atlas.")
        from unigeoclip.atlas.provenance import ModelSource, provenance_of
        from unigeoclip.checkpoint import checkpoint_id
        from unigeoclip.evaluation.probing.encoders import features
        from unigeoclip.evaluation.probing.everywhere import predict_atlas
        from unigeoclip.evaluation.probing.fitted import fit

        found = features([encoder], table, atlas, _part(step, 0, 0.3), floors=False)[encoder]
        fitted = fit(
            table, found.vectors, encoder=encoder, atlas=atlas.name, atlas_data=atlas.data_hash,
            model=checkpoint_id(atlas.model_path), split=request.splits[-1], progress=_part(step, 0.3, 0.5),
        )  # fmt: skip
        origin = provenance_of(atlas, [ModelSource(encoder, "probe by ridge", "")])
        layer = predict_atlas(fitted, encoder, table, atlas, provenance=origin, progress=_part(step, 0.5, 1))
        return Everywhere(found.title, layer, fitted)


def _part(step: Step, low: float, high: float) -> Step:
    """Steps of a part of the work."""
    return lambda words, share: step(words, low + share * (high - low))


def sample_of(table: LabelTable, rows: int) -> LabelTable:
    """A random sample of a table, in its order; all of it where it is no larger, or for 0 rows."""
    if not 0 < rows < len(table):
        return table
    chosen = np.sort(np.random.default_rng(0).permutation(len(table))[:rows])
    note = f"A random sample of {rows:,} of the {len(table):,} rows was probed."
    return replace(table.take(chosen), notes=(*table.notes, note))
