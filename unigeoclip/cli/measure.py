"""Commands that measure: held-out retrieval and queries, speed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unigeoclip.cli.console import Progress, print_json, print_lines, remark
from unigeoclip.cli.data import STEPS
from unigeoclip.cli.options import as_json, atlas_option, device_option, model_option, opened_atlas
from unigeoclip.cli.outputs import check_new_folder
from unigeoclip.cli.parser import FILE, SEED, Command, whole_number, words
from unigeoclip.errors import InputError
from unigeoclip.parsing.numbers import bounded_float

if TYPE_CHECKING:
    from unigeoclip.atlas.store import Atlas

__all__ = ["COMMANDS"]

_TYPED = click.core.ParameterSource.COMMANDLINE
_OF_REAL = ("real", "trunk", "px")


@click.command(cls=Command)
@atlas_option
@model_option
@device_option
@click.option("--elsewhere", metavar="NAME", help="Measure in a city never seen, too: name or folder.")
@click.option("--record", is_flag=True, help="Keep what was measured in the model's folder.")
@click.option("--calibrate", is_flag=True, help="Measure how similar matches are, and write calibration.json.")
@click.option("--real", type=FILE, metavar="DIR", help="Measure on photographs of cities never seen: folder of them.")
@click.option(
    "--trunk", type=words, metavar="NAME", help="Of --real: frozen trunk of its heads.  [default: dinov2-small]"
)
@click.option("--px", type=click.IntRange(32, 518), help="Of --real: side of the trunk's pictures.  [default: 224]")
@click.option("--words", is_flag=True, help="Measure descriptions in words on held-out places.")
@click.option("--compact", is_flag=True, help="Measure the live heatmaps of the browser against the exact ones.")
@click.option("--ablations", is_flag=True, help="Train and measure rows of modalities, loss, scales.")
@click.option("--steps", type=STEPS, help="Of every row of --ablations.  [default: 250]")
@click.option(
    "--out",
    type=FILE,
    metavar="DIR",
    help="Folder of --ablations, which continues there.  [default: runs/ablations-ATLAS]",
)
@as_json
def evaluate(atlas: str, as_json: bool, **options: Any) -> None:
    """Measure held-out retrieval and plain queries."""
    _check_evaluate(options)
    if options["real"] is not None:
        _print_real(atlas, options["real"], options["trunk"], options["px"], as_json)
        return
    report = _report(atlas, **{name: value for name, value in options.items() if name not in _OF_REAL})
    if as_json:
        print_json(report)
        return
    from unigeoclip.cli.printing import evaluation_lines

    print_lines(*evaluation_lines(report))


def _print_real(atlas: str, folder: Path, trunk: str | None, px: int | None, as_json: bool) -> None:
    from unigeoclip.atlas.store import load_atlas
    from unigeoclip.photographs.printing import real_lines
    from unigeoclip.photographs.report import ATLAS, PX, TRUNK, evaluate_real

    chosen = click.get_current_context().get_parameter_source("atlas") is click.core.ParameterSource.COMMANDLINE
    opened = load_atlas(atlas if chosen else ATLAS)
    report = evaluate_real(folder, opened, trunk=trunk or TRUNK, px=px or PX, say=remark)
    if as_json:
        print_json(report)
        return
    print_lines(*real_lines(report))


def _check_evaluate(options: dict[str, Any]) -> None:
    """Refuse options that would do nothing where they stand."""
    if options["real"] is not None and any(value for name, value in options.items() if name not in _OF_REAL):
        raise InputError("--real measures nothing else; leave out the other options but --trunk, --px and --json.")
    if options["real"] is None and any(options[name] is not None for name in _OF_REAL):
        raise InputError("--trunk and --px belong to --real; add it, or leave them out.")
    elsewhere = options["elsewhere"] is not None
    if options["ablations"] and (options["model"] is not None or elsewhere or options["record"]):
        raise InputError("--ablations trains models of its own; leave out --model, --elsewhere and --record.")
    if not options["ablations"] and (options["steps"] is not None or options["out"] is not None):
        raise InputError("--steps and --out belong to --ablations; add it, or leave them out.")
    if options["calibrate"] and (options["ablations"] or elsewhere or options["record"]):
        raise InputError("--calibrate measures nothing else; leave out --ablations, --elsewhere and --record.")
    if options["words"] and (options["ablations"] or options["calibrate"] or elsewhere or options["record"]):
        raise InputError("--words measures nothing else; leave out --ablations, --calibrate, --elsewhere and --record.")
    others = ("ablations", "calibrate", "words", "record")
    if options["compact"] and (elsewhere or any(options[name] for name in others)):
        raise InputError("--compact measures nothing else; leave out the other options but --model and --json.")


def _report(
    atlas: str,
    *,
    model: Path | None,
    elsewhere: str | None,
    record: bool,
    calibrate: bool,
    words: bool,
    compact: bool,
    ablations: bool,
    steps: int | None,
    out: Path | None,
) -> dict[str, Any]:
    from unigeoclip.atlas.store import load_atlas
    from unigeoclip.evaluation import evaluate

    opened = load_atlas(atlas)
    if ablations:
        from unigeoclip.training.ablations import STEPS as ROW_STEPS
        from unigeoclip.training.ablations import ablate

        out = out or Path("runs") / f"ablations-{opened.name}"
        check_new_folder(out)
        return {"ablations": ablate(opened, out, steps=steps or ROW_STEPS, say=remark)}
    if calibrate:
        from unigeoclip.evaluation.report import recalibrate

        return {"calibration": recalibrate(opened, model)}
    if words:
        from unigeoclip.evaluation.report import describe_held_out

        return {"words": describe_held_out(opened, model)}
    if compact:
        return _compact(opened, model)
    other = None if elsewhere is None else load_atlas(elsewhere)
    return evaluate(opened, model, elsewhere=other, record=record)


def _compact(atlas: Atlas, model: Path | None) -> dict[str, Any]:
    """What the compact grids cost: of page Explore, and, unless a model is given, of every model of page Compare."""
    from unigeoclip.compare.compact_errors import region_errors
    from unigeoclip.compare.regions import Region, embed_region
    from unigeoclip.embedders import load_all
    from unigeoclip.evaluation.compact import compact_errors
    from unigeoclip.search.explorer import Explorer

    found: dict[str, Any] = {"compact": compact_errors(Explorer.open(atlas, model=model))}
    if model is None:
        region = Region.whole(atlas)
        embedders = load_all(atlas)[0].items()
        found["compare"] = {name: region_errors(embed_region(each, region)) for name, each in embedders}
    return found


def _sizes(text: str) -> tuple[int, ...]:
    """Numbers of places with commas between them; 1e6 is one, too."""
    return tuple(int(bounded_float(part, 1, 1e9, "A size")) for part in words(text).split(","))


_sizes.__name__ = "numbers"  # how help calls such a value


@click.command(cls=Command)
@atlas_option
@model_option
@click.option("--quick", is_flag=True, help="Fewer rounds, less steady figures.")
@click.option("--config", type=words, help="Instead, one step of a training at true size, such as base-city.")
@click.option("--places", type=whole_number(2, 4096), default=8, show_default=True, help="In the batch of --config.")
@click.option("--growth", is_flag=True, help="Instead, made-up atlases: time, memory and recall against their size.")
@click.option("--sizes", type=_sizes, metavar="N,N", help="Places, of --growth.  [default: 1e4,1e5,1e6]")
@click.option("--out", type=FILE, metavar="DIR", help="Folder for growth.json and growth.html, of --growth.")
@as_json
def bench(
    atlas: str, model: Path | None, quick: bool, config: str | None, places: int, growth: bool,
    sizes: tuple[int, ...] | None, out: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Measure speed: location encoders, whole queries; or what a step of a training costs; or growth."""
    if not growth and (sizes is not None or out is not None):
        raise InputError("--sizes and --out belong to --growth; add it, or leave them out.")
    if growth and config is not None:
        raise InputError("--growth and --config measure different things: give one of them.")
    if growth:
        report = _growth(model, quick, sizes, out)
    elif config is not None:
        from unigeoclip.training.configs import opened_config
        from unigeoclip.training.fine_tuning.cost import step_cost

        report = step_cost(opened_config(config, city=False), places)
    else:
        from unigeoclip.bench import run_bench

        report = run_bench(atlas if model is None else opened_atlas(atlas, model), quick=quick)
    if as_json:
        print_json(report)
        return
    from unigeoclip.cli.printing import nested_lines

    print_lines(*nested_lines(report))


def _growth(model: Path | None, quick: bool, sizes: tuple[int, ...] | None, out: Path | None) -> dict[str, Any]:
    from unigeoclip.growth.measure import DEFAULT_SIZES, measure_growth

    if model is not None or quick or click.get_current_context().get_parameter_source("atlas") is _TYPED:
        raise InputError("--growth measures made-up atlases; leave out --atlas, --model and --quick.")
    if out is not None:
        check_new_folder(out)
    return measure_growth(sizes or DEFAULT_SIZES, out, remark)


def _seeds(text: str) -> tuple[int, ...]:
    """Seeds with commas between them."""
    return tuple(dict.fromkeys(SEED(part.strip()) for part in words(text).split(",")))


_seeds.__name__ = "numbers"  # how help calls such a value


@click.command(cls=Command)
@click.option("--add", type=FILE, multiple=True, metavar="REPORT.json", help="A report of probe --json, once or more.")
@click.option(
    "--measure",
    "measured",
    type=words,
    metavar="TASK,TASK",
    help="Measure tasks, by name or pattern ('boston-*'), 'where-or-what', 'words', or 'all', and write.",
)
@click.option("--seed", "seeds", type=_seeds, default="0", show_default=True, metavar="N,N", help="Of its folds.")
@click.option(
    "--without-text",
    type=FILE,
    metavar="DIR",
    help="Model of the world that was trained without text, to probe beside ours.",
)
@click.option("--neighborhoods", is_flag=True, help="Also means of vectors around each place, in Boston.")
@click.option("--again", is_flag=True, help="Measure what has been measured, too.")
@click.option("--write", is_flag=True, help="Write assets/results/measured.json and the tables of docs/results.md.")
@as_json
def results(add: tuple[Path, ...], measured: str | None, write: bool, as_json: bool, **options: Any) -> None:
    """Collect all figures of the shipped models, with their intervals."""
    from unigeoclip.config import to_dict
    from unigeoclip.results.collect import collect, update_files
    from unigeoclip.results.probe_reports import add_report

    given = [name for name, value in options.items() if value not in (None, False, (0,))]
    if measured is None and given:
        option = given[0].replace("seeds", "seed").replace("_", "-")
        raise InputError(f"--{option} belongs to --measure; add it, or leave out --{option}.")
    failed = {} if measured is None else _measure(measured, **options)
    for report in add:
        remark(f"Added {add_report(report)}")
    found = update_files() if write or add or measured is not None else collect()
    if as_json:
        print_json(to_dict(found))
    elif measured is None:
        from unigeoclip.cli.printing import results_lines

        print_lines(*results_lines(found))
    if failed:
        raise InputError("Not measured: " + " ".join(f"{name}: {why}" for name, why in failed.items()))


def _measure(names: str, **options: Any) -> dict[str, str]:
    """Measure, say what was done, and return what could not be."""
    from unigeoclip.results.collect import check_writable
    from unigeoclip.results.measure import Measurement, choose, measure

    tasks, studies = choose([name.strip() for name in names.split(",") if name.strip()])
    check_writable()
    outcome = measure(Measurement(tasks, studies, **options), remark, Progress())
    remark(f"Measured {len(outcome.added)}, and {outcome.kept} had been measured before.")
    if outcome.not_here:
        remark(f"Not on this machine (unigeoclip tasks download NAME): {', '.join(outcome.not_here)}.")
    return outcome.failed


COMMANDS: tuple[click.Command, ...] = (evaluate, bench, results)
