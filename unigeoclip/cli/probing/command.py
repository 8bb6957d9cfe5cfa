"""The command that probes embeddings on a task or on a person's own labels."""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import click

from unigeoclip.cli.console import Progress, print_json, print_lines, remark
from unigeoclip.cli.options import as_json, opened_atlas
from unigeoclip.cli.outputs import check_new_file
from unigeoclip.cli.parser import FILE, SEED, Command, one_of, whole_number, words
from unigeoclip.cli.probing.outputs import ProbeOutputs, Source, output_options
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.evaluation.probing.results import ProbeReport
    from unigeoclip.tasks.label_table import LabelTable

__all__ = ["COMMANDS", "ProbeOptions"]

KINDS = ("auto", "regression", "classification")


def _listed(text: str) -> tuple[str, ...]:
    """Names with commas between them."""
    names = tuple(dict.fromkeys(name.strip() for name in words(text).split(",") if name.strip()))
    if not names:
        raise click.BadParameter("names nothing")
    return names


_listed.__name__ = "names"  # how help calls such a value
_OPTIONS = (
    click.option("--task", type=words, metavar="NAME", help="A built-in task; 'tasks' lists them."),
    click.option("--csv", "--file", "csv", type=FILE, metavar="F",
                 help="Labels of your own: CSV, Parquet, GeoJSON, GeoPackage or a zipped shapefile."),
    click.option("--lat", type=words, metavar="COL", help="Its column of latitudes, degrees.  [default: by its name]"),
    click.option("--lon", type=words, metavar="COL", help="Its column of longitudes.  [default: by its name]"),
    click.option("--target", type=words, metavar="COL", help="Its column to predict."),
    click.option("--kind", type=one_of(*KINDS), default="auto", metavar="|".join(KINDS), show_default=True,
                 help="What the target is."),
    click.option("--layer", type=words, metavar="NAME", help="Its layer, if there are several."),
    click.option("--crs", type=words, metavar="EPSG:N",
                 help="Its coordinate reference system, if that is not WGS84 degrees and the file does not say it."),
    click.option("--folds-column", type=words, metavar="COL", help="Its column of groups that stay in one fold."),
    click.option("--atlas", type=words, metavar="NAME",
                 help="Name or folder of an atlas.  [default: the smallest that holds the points]"),
    click.option("--own-model", type=FILE, metavar="DIR", help="Folder of a model in place of the atlas's."),
    click.option("--embedders", type=_listed, metavar="A,B",
                 help="Also aerial, street, surface, text, ensemble, and A+B.  [default: all of locations]"),
    click.option("--splits", type=_listed, metavar="A,B", help="Of random, blocks, groups.  [default: all]"),
    click.option("--model", type=one_of("auto", "ridge", "logistic", "knn"), default="auto", show_default=True,
                 metavar="auto|ridge|logistic|knn", help="The simple model that is fitted; auto is ridge."),
    click.option("--protocol", type=one_of("nested", "coordbench"), default="nested", show_default=True,
                 metavar="nested|coordbench", help="How penalties are chosen: inside of folds, or as CoordBench."),
    click.option("--folds", type=whole_number(3, 20), default=5, show_default=True, metavar="K", help="How many."),
    click.option("--cell", type=words, metavar="SIZE", help="Of blocks: degrees, or s2:LEVEL.  [default: by extent]"),
    click.option("--baseline", type=words, metavar="NAME", help="Compare with it.  [default: the best not ours]"),
    click.option("--learning-curve", is_flag=True, help="Score with fewer training rows, too."),
    click.option("--seed", type=SEED, default=0, show_default=True, metavar="N", help="Of folds and intervals."),
    click.option("--out", type=FILE, metavar="REPORT.json", help="Write the report, too."),
)  # fmt: skip


@dataclass(frozen=True)
class ProbeOptions:
    """What is probed and how, as the command line has it; the names are those of the options."""

    task: str | None
    csv: Path | None
    lat: str | None
    lon: str | None
    target: str | None
    kind: str
    layer: str | None
    crs: str | None
    folds_column: str | None
    atlas: str | None
    own_model: Path | None
    embedders: tuple[str, ...] | None
    splits: tuple[str, ...] | None
    model: str
    protocol: str
    folds: int
    cell: str | None
    baseline: str | None
    learning_curve: bool
    seed: int
    out: Path | None

    def check(self) -> None:
        """Refuse options that contradict each other, before anything is read.

        Raises:
            InputError: They do.
        """
        if (self.task is None) == (self.csv is None):
            raise InputError("Say what to probe on: --task NAME for a built-in task, or --csv F for your own labels.")
        given = [name for name, value in self.columns().items() if value is not None]
        if self.csv is None and given:
            option = {"groups": "folds-column"}.get(given[0], given[0])
            raise InputError(f"--{option} is an option of a file; leave it out with --task.")
        if self.own_model is not None and self.atlas is None:
            raise InputError("--own-model replaces the model of an atlas: name it with --atlas.")
        if self.out is not None:
            check_new_file(self.out, self.csv)

    def table(self) -> LabelTable:
        """Read the labels."""
        if self.csv is None:
            from unigeoclip.tasks.catalog import load_task

            return load_task(str(self.task))
        from unigeoclip.tasks.label_files import read_labels

        return read_labels(self.csv, **{name: value for name, value in self.columns().items() if value is not None})

    def columns(self) -> dict[str, Any]:
        """Options of `read_labels`; None for those that were not given."""
        kind = None if self.kind == "auto" else self.kind
        return {
            "lat": self.lat, "lon": self.lon, "target": self.target, "groups": self.folds_column, "kind": kind,
            "layer": self.layer, "crs": self.crs,
        }  # fmt: skip

    def opened_atlas(self, table: LabelTable) -> Atlas:
        """The atlas whose models are probed."""
        if self.atlas is not None:
            return opened_atlas(self.atlas, self.own_model)
        if self._is_of_pictures:
            from unigeoclip.evaluation.picture_probe import PICTURE_ATLAS

            return opened_atlas(PICTURE_ATLAS, None)
        from unigeoclip.evaluation.probing.run import atlas_of

        return atlas_of(table)

    def run(self, table: LabelTable, atlas: Atlas) -> ProbeReport:
        """Probe every encoder under every split."""
        if self._is_of_pictures:
            return self._run_on_pictures(atlas)
        from unigeoclip.evaluation.probing.run import run_probe

        arguments = {"splits": self._splits(table), **self.arguments()}
        return run_probe(table, atlas, self.embedders, **arguments, seen=self._seen(atlas), progress=Progress())

    def arguments(self) -> dict[str, Any]:
        """Options of `run_probe`, those that were given."""
        everything = {
            "splits": self.splits, "model": self.model, "folds": self.folds, "seed": self.seed, "cell": self.cell,
            "protocol": self.protocol, "baseline": self.baseline, "learning_curve": self.learning_curve,
        }  # fmt: skip
        defaults = {"model": "auto", "folds": 5, "seed": 0, "protocol": "nested", "learning_curve": False}
        return {name: value for name, value in everything.items() if value is not None and value != defaults.get(name)}

    @property
    def _is_of_pictures(self) -> bool:
        from unigeoclip.tasks.catalog import find_task

        return self.task is not None and find_task(self.task).input != "location"

    def _splits(self, table: LabelTable) -> tuple[str, ...]:
        """Those that are probed unless asked otherwise."""
        if self.task is not None:
            from unigeoclip.tasks.catalog import find_task

            return find_task(self.task).splits
        from unigeoclip.evaluation.probing.folds import split_names

        return split_names(table)

    def _run_on_pictures(self, atlas: Atlas) -> ProbeReport:
        """Probe the aerial encoder and its floors on a task whose rows are pictures."""
        from unigeoclip.evaluation.picture_probe import probe_pictures

        if self.embedders is not None or self.learning_curve:
            raise InputError(f"The rows of {self.task!r} are pictures: leave out --embedders and --learning-curve.")
        return probe_pictures(str(self.task), atlas, Progress(), **self.arguments())

    def _seen(self, atlas: Atlas) -> Callable[[str], str | None] | None:
        """Why a built-in task counts as seen in the training of an encoder, by its name."""
        if self.task is None:
            return None
        from unigeoclip.tasks.catalog import find_task, seen_in_training

        task = find_task(self.task)
        return lambda encoder: seen_in_training(task, encoder, atlas.name)


def probe_options(command: Callable[..., None]) -> Callable[..., Any]:
    """The options of a probe; the command takes them as one argument, ``options``."""

    @functools.wraps(command)
    def with_options(**given: Any) -> None:
        own = {each.name: given.pop(each.name) for each in fields(ProbeOptions)}
        command(options=ProbeOptions(**own), **given)

    decorated: Callable[..., Any] = with_options
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


@click.command("probe", cls=Command)
@probe_options
@output_options
@as_json
def probe(options: ProbeOptions, outputs: ProbeOutputs, as_json: bool) -> None:
    """Measure what embeddings know: a simple model on frozen vectors."""
    options.check()
    outputs.check(options.csv, options.out, probed=options.embedders)
    table = options.table()
    atlas = options.opened_atlas(table)
    report = options.run(table, atlas)
    from unigeoclip.evaluation.probing.report_json import to_json

    values = to_json(report)
    if options.out is not None:
        from unigeoclip.config import write_json

        write_json(options.out, values)
    name = str(options.csv or options.task)
    columns = None if options.csv is None else options.columns()
    source = Source(name, options.atlas or atlas.name, columns, options.arguments())
    remark(*outputs.write(report, atlas, source))
    if as_json:
        print_json(values)
        return
    from unigeoclip.cli.printing import probe_lines

    remark(*report.notes)
    print_lines(*probe_lines(values))


COMMANDS: tuple[click.Command, ...] = (probe,)
