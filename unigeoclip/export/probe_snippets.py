"""Lines of Python and the command that probe again."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["probe_command", "probe_lines"]


def probe_lines(
    source: str,
    atlas: str,
    encoders: Sequence[str],
    *,
    columns: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
) -> str:
    """The Python lines that probe again, with this package.

    Args:
        source: Name of a built-in task, or of a file if ``columns`` are given.
        atlas: Name of the atlas.
        encoders: Names of the encoders.
        columns: Of a file, the options of `read_labels`: "lat", "lon", "target" ...; None for a built-in task.
        options: Of `run_probe`, those that are not the default.
    """
    given = {name: value for name, value in (columns or {}).items() if value not in (None, "")}
    reader = "from unigeoclip.tasks.label_files import read_labels"
    table = f"read_labels({_literal(source)}{_keywords(given)})"
    if columns is None:
        reader = "from unigeoclip.tasks.catalog import load_task"
        table = f"load_task({_literal(source)})"
    lines = [
        "from unigeoclip.atlas import load_atlas",
        "from unigeoclip.evaluation.probing.run import run_probe",
        reader,
        "",
        f"table = {table}",
        f"encoders = [{', '.join(map(_literal, encoders))}]",
        f"report = run_probe(table, load_atlas({_literal(atlas)}), encoders{_keywords(options or {})})",
        "",
        "for split, results in report.results.items():",
        "    for encoder, result in results.items():",
        "        score = result.scores[report.metric]",
        '        print(f"{split:10} {encoder:24} {report.metric} {score.mean:.3f} ± {score.std_error:.3f}")',
    ]
    return "\n".join(lines) + "\n"


def probe_command(source: str, atlas: str, encoders: Sequence[str], columns: Mapping[str, Any] | None = None) -> str:
    """The command that probes again, for a POSIX shell; arguments as of `probe_lines`."""
    words = ["python", "-m", "unigeoclip", "probe", *(["--task", source] if columns is None else [f"--csv={source}"])]
    names = {"groups": "folds-column"}
    for name, value in (columns or {}).items():
        if value not in (None, ""):
            words.append(f"--{names.get(name, name)}={value}")
    words += [f"--atlas={atlas}", f"--embedders={','.join(encoders)}", "--json"]
    return shlex.join(words) + "\n"


def _keywords(options: Mapping[str, Any]) -> str:
    return "".join(f", {name}={_literal(value)}" for name, value in options.items())


def _literal(value: Any) -> str:
    """A value as Python writes it; texts with double quotation marks."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
