"""Growth measured: every step at every size in a process of its own, and the figures as a picture."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unigeoclip.errors import InputError, UniGeoError
from unigeoclip.files.json_files import write_json
from unigeoclip.growth.made import DIM
from unigeoclip.growth.steps import steps_of
from unigeoclip.parallel import processor_name
from unigeoclip.paths import IMPORT_ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["DEFAULT_SIZES", "MOST_PLACES", "measure_growth"]

DEFAULT_SIZES = (10_000, 100_000, 1_000_000)
MOST_PLACES = 100_000_000
_BYTES_PER_PLACE = 2800  # of disk, while a size is measured: vectors in float32, their index, a grid and its pyramid


def measure_growth(
    sizes: Sequence[int] = DEFAULT_SIZES,
    out: str | Path | None = None,
    say: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Measure time, memory and recall against the number of places.

    Args:
        sizes: Numbers of places.
        out: Folder for growth.json and growth.html, and for what the steps write, which is removed; a temporary one
            by default, and then nothing is kept.
        say: Told what is being done.

    Returns:
        "machine"; "dim"; "sizes", a list with "places" and, by step, its figures with "peak_mb" (see
        `unigeoclip.growth.steps`).

    Raises:
        InputError: A size out of range, or the disk has too little room.
        MissingPackageError: The extras `scale`, or for a picture `plot`, are not installed.
        UniGeoError: A step failed; the message is the last line it wrote.
    """
    if not sizes or any(not 1000 <= size <= MOST_PLACES for size in sizes):
        raise InputError(f"Sizes are numbers of places from 1,000 to {MOST_PLACES:,}.")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary if out is None else out)
        folder.mkdir(parents=True, exist_ok=True)
        _check_room(folder, max(sizes))
        if out is not None:
            from unigeoclip.growth.figure import growth_figure

            growth_figure({"sizes": []})  # fails before hours of measuring if plotly is missing
        report: dict[str, Any] = {"machine": _machine(), "dim": DIM, "sizes": []}
        for size in sorted(set(sizes)):
            report["sizes"].append(_measure_size(size, folder, say))
            if out is not None:  # what takes hours is kept as it comes
                from unigeoclip.growth.figure import save_figure

                write_json(folder / "growth.json", report)
                save_figure(report, folder / "growth.html")
    return report


def _measure_size(size: int, folder: Path, say: Callable[[str], None] | None) -> dict[str, Any]:
    figures: dict[str, Any] = {"places": size}
    with tempfile.TemporaryDirectory(dir=folder, prefix=f"{size}-") as work:
        for name in steps_of(size):
            if say is not None:
                say(f"{size:,} places: {name}")
            figures[name] = _step(name, size, Path(work))
            if name in ("query", "heatmap"):  # the last step that reads them
                shutil.rmtree(Path(work) / ("index" if name == "query" else "pyramid"))
    return figures


def _step(name: str, size: int, folder: Path) -> dict[str, Any]:
    code = "import sys; from unigeoclip.growth.steps import run_step; run_step(*sys.argv[1:])"
    path = os.pathsep.join(filter(None, [str(IMPORT_ROOT), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-c", code, name, str(size), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path})
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        raise UniGeoError(f"The step {name} with {size:,} places failed: {said[-1]}")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _check_room(folder: Path, size: int) -> None:
    free, needed = shutil.disk_usage(folder).free, size * _BYTES_PER_PLACE
    if free < needed:
        raise InputError(
            f"{size:,} places need {needed / 1e9:.0f} GB in {folder}, where {free / 1e9:.0f} GB are free: "
            "choose smaller --sizes or another --out."
        )


def _machine() -> dict[str, Any]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return {"processor": processor_name(), "cores": cores, "load": round(load, 1)}
