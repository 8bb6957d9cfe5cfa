"""Commands that compare embedders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from unigeoclip.cli.console import Progress, print_json, print_lines
from unigeoclip.cli.options import as_json, atlas_option, model_option, opened_atlas
from unigeoclip.cli.outputs import check_new_file
from unigeoclip.cli.parser import FILE, Command, words
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["COMMANDS"]

_ENDINGS = (".json", ".csv", ".tex")


@click.command("where-or-what", cls=Command)
@atlas_option
@model_option
@click.option("--embedders", type=words, metavar="A,B", help="Which to compare with ours.  [default: all at hand]")
@click.option("--out", type=FILE, metavar="FILE", help="Write the table, too: F.json, F.csv or F.tex (LaTeX).")
@as_json
def where_or_what(atlas: str, model: Path | None, embedders: str | None, out: Path | None, as_json: bool) -> None:
    """Measure whether embedders know positions or what is there."""
    if out is not None:
        if out.suffix.lower() not in _ENDINGS:
            raise InputError(f"--out takes a file ending in {', '.join(_ENDINGS)}; not {out.name!r}.")
        check_new_file(out)
    names = None if embedders is None else [name.strip() for name in embedders.split(",") if name.strip()]
    if names == []:
        raise InputError("--embedders takes names separated by commas, such as geoclip,coordinates.")
    from unigeoclip.compare.where_or_what import where_or_what as measure

    report = measure(opened_atlas(atlas, model), names, Progress())
    if out is not None:
        from unigeoclip.files.atomic import write_bytes

        write_bytes(out, _file(report, out.suffix.lower()))
    if as_json:
        print_json(report)
    else:
        print_lines(*_lines(report))


def _file(report: dict[str, Any], ending: str) -> bytes:
    from unigeoclip.compare.figure_table import table_csv, table_latex
    from unigeoclip.compare.where_or_what import report_json, rows_of

    if ending == ".json":
        return report_json(report)
    rows, titles = rows_of(report)
    return table_csv(rows, titles, report) if ending == ".csv" else table_latex(rows, titles, report, report["atlas"])


def _lines(report: dict[str, Any]) -> list[str]:
    """A block an embedder, a line a figure with its interval."""
    share = "" if report["share"] == 1 else f" ({100 * report['share']:.0f} % of its area, where all have vectors)"
    sample = f"{report['n']} cells of {report['atlas']}{share}, {report['blocks']} blocks"
    lines = [f"{sample}; intervals of {report['interval']}."]
    for each in report["embedders"].values():
        lines += ["", each["title"]]
        for key, told in report["figures"].items():
            figure = each["figures"][key]
            if figure is None:
                shown = "not defined"
            elif figure["low"] is None:
                shown = f"{figure['value']:.3f}"
            else:
                shown = f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"
            lines.append(f"  {told['title']}: {shown}")
    return [*lines, "", *(f"Not available: {name}. {why}" for name, why in report["unavailable"].items())]


COMMANDS: tuple[click.Command, ...] = (where_or_what,)
