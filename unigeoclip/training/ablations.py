"""Ablations in kind with the paper's: what modalities, loss, depth and scales are each worth, on one small budget.

Every row is a whole training with the same steps, seed, batch and data, measured on the same held-out cameras. The base
is the configuration of a city with all its modalities and the all-to-all loss; every other row differs from it in one
respect. Depth counts transformer blocks of the location encoder: the residual MLPs on its pooled vector stay in every
row, so that depth 0 is more than plain Fourier features.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.config import from_dict, read_json, to_dict, write_json
from unigeoclip.devices import machine
from unigeoclip.errors import InputError
from unigeoclip.evaluation.report import ABLATIONS_FILE
from unigeoclip.evaluation.retrieval import TOO_FEW
from unigeoclip.training.configs import TrainConfig, centered, named_config
from unigeoclip.training.loop import train
from unigeoclip.training.runs import Run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from unigeoclip.atlas.store import Atlas

__all__ = ["STEPS", "Row", "ablate", "ablation_rows"]

BASE = "city"
STEPS = 250  # about 8 minutes a row on two cores
SPLIT = "views"
SEED = 0
PIVOT = "aerial"
DEPTHS = (0, 2, 4)
SCALES = (1, 2, 4, 8)
# In the order of the paper's table: what each row adds to the one before.
MODALITIES = (
    ("street", "location"),
    ("street", "aerial"),
    ("street", "aerial", "location"),
    ("street", "aerial", "location", "surface"),
    ("street", "aerial", "location", "surface", "text"),
)
PAIRS = ("street->aerial", "street->location", "street->ensemble", "photo->aerial", "location->aerial")
FIGURES = ("recall@1", "recall@10", "acc@100m", "n")
_CHECKPOINTS = 5  # of a row: an interrupted one loses a fifth at most
_BUDGET = "budget.json"


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        group: "modalities", "loss", "depth" or "scales": what the row is compared in.
        name: As it stands in the table.
        config: The training; rows with equal ones are trained once.
    """

    group: str
    name: str
    config: TrainConfig


def ablation_rows(base: TrainConfig) -> list[Row]:
    """All rows, in the order of the table; some stand in several groups.

    Args:
        base: The training with all modalities that every group is compared with.

    Raises:
        InputError: The base lacks a modality.
    """
    encoders = base.model.encoders
    if missing := [name for name in MODALITIES[-1] if name not in encoders]:
        raise InputError(f"The ablations start from all five modalities; this configuration lacks {missing[0]!r}.")
    rows = []
    for names in MODALITIES:
        whole = set(names) == set(encoders)
        name = "all five" if whole else " + ".join(names)
        rows.append(Row("modalities", name, base if whole else base.with_only(names)))
    rows.append(Row("loss", "all-to-all", base))
    rows.append(Row("loss", f"{PIVOT} as pivot", replace(base, pivot=PIVOT)))
    for depth in sorted({*DEPTHS, _location(base)["depth"]}):
        rows.append(Row("depth", f"depth {depth}", _with_location(base, depth=depth)))
    for count in SCALES:
        some = spread(_location(base)["scales"], count)
        rows.append(Row("scales", f"{count} scale{'s'[: count > 1]}", _with_location(base, scales=some)))
    return rows


def spread(scales: list[float], count: int) -> list[float]:
    """So many scales, evenly spread in the logarithm over the range of the given ones; a single one is the middle."""
    if count == len(scales):
        return list(scales)
    low, high = min(scales), max(scales)
    chosen = np.geomspace(low, high, count) if count > 1 else np.array([np.sqrt(low * high)])
    return [float(f"{scale:.3g}") for scale in chosen]


def _location(config: TrainConfig) -> dict[str, Any]:
    options: dict[str, Any] = config.model.encoders["location"]
    return options


def _with_location(base: TrainConfig, **options: Any) -> TrainConfig:
    encoders = base.model.encoders | {"location": _location(base) | options}
    return replace(base, model=replace(base.model, encoders=encoders))


def ablate(
    atlas: Atlas,
    out: Path,
    *,
    steps: int = STEPS,
    base: TrainConfig | None = None,
    say: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Train and measure every row that is not finished yet, and write the table.

    ``out`` receives ``<row>.json`` of each finished row and the folder ``<row>/`` of its training. Stopped at any time,
    the same call goes on where it was. The table is written to ``ablations.json`` in ``out`` and in the atlas's model
    folder after every row, except that an unfinished one does not replace a complete one there.

    Args:
        atlas: A city.
        out: Folder of the rows; made if it does not exist.
        steps: Of every row.
        base: In place of the configuration "city".
        say: Called with a line about each row that is begun.

    Returns:
        ``{"atlas", "data", "split", "budget": {"steps", "batch", "seed"}, "machine", "complete": bool, "rows":
            [{"group", "name", "run", "modalities", "pivot", "depth", "scales", "steps", "seconds", "retrieval"}]}``;
            rows with the same ``run`` are one training.

    Raises:
        InputError: The atlas is no city, or ``out`` holds rows of another budget or other data.
    """
    if "street" not in atlas.manifest.modalities:
        raise InputError(f"The ablations ask with street views, and the atlas {atlas.name} has none. Give a city.")
    every = max(1, steps // _CHECKPOINTS)
    short = replace((base or named_config(BASE)).shortened(steps), text_steps=0)  # rows differ in what all learn
    config = replace(short, evaluate_every=steps, checkpoint_every=every)
    rows = ablation_rows(centered(config, atlas.manifest.bounds))
    budget = {"steps": steps, "batch": config.batch, "seed": SEED}
    table: dict[str, Any] = {
        "atlas": atlas.name,
        "data": atlas.data_hash,
        "split": SPLIT,
        "budget": budget,
        "machine": machine(),
    }
    _claim(out, {key: table[key] for key in ("atlas", "data", "split", "budget")})
    runs: dict[str, TrainConfig] = {}
    for row in rows:
        runs.setdefault(_run_name(rows, row), row.config)
    done: dict[str, dict[str, Any]] = {}
    for number, (name, row_config) in enumerate(runs.items(), start=1):
        if say is not None:
            say(f"Row {number} of {len(runs)}: {name}")
        done[name] = _finished(atlas, row_config, out, name, say)
        entries = [_entry(row, _run_name(rows, row), done) for row in rows if _run_name(rows, row) in done]
        table |= {"complete": len(done) == len(runs), "rows": entries}
        write_json(out / ABLATIONS_FILE, table)
        _publish(atlas.model_path / ABLATIONS_FILE, table)
    return table


def _run_name(rows: list[Row], row: Row) -> str:
    """Name of the training of a row: that of the first row with the same configuration, as a file name."""
    first = next(other for other in rows if other.config == row.config)
    return first.name.replace(" + ", "-").replace(" ", "-")


def _claim(out: Path, wanted: dict[str, Any]) -> None:
    """Make the folder, or check that its rows can be compared with those asked for."""
    path = out / _BUDGET
    if not path.is_file():
        out.mkdir(parents=True, exist_ok=True)
        write_json(path, wanted)
        return
    if (kept := read_json(path)) != wanted:
        differing = [key for key in wanted if not isinstance(kept, dict) or kept.get(key) != wanted[key]]
        there, here = ({key: part.get(key) for key in differing} for part in (dict(kept), wanted))
        raise InputError(
            f"{out} holds rows of another budget or other data ({_words(there)}) than asked for ({_words(here)}), and "
            "rows of two kinds cannot be compared. Give the same options, or another --out."
        )


def _words(parts: dict[str, Any]) -> str:
    flat = {key: value for part in parts.values() if isinstance(part, dict) for key, value in part.items()}
    plain = {key: value for key, value in parts.items() if not isinstance(value, dict)}
    return ", ".join(f"{key} {value}" for key, value in (plain | flat).items())


def _finished(
    atlas: Atlas, config: TrainConfig, out: Path, name: str, say: Callable[[str], None] | None
) -> dict[str, Any]:
    """The figures of one training: those in its file, or measured now."""
    path, folder = out / f"{name}.json", out / name
    run = Run(atlas.name, atlas.data_hash, SPLIT, SEED, config)
    if path.is_file():
        kept: dict[str, Any] = read_json(path)
        if kept.get("run") == to_dict(run):
            return kept
        if say is not None:
            say(f"{path} is of another configuration than this version's: that row is trained again")
        path.unlink()
    resume = _is_begun(folder, run)
    metrics = train(atlas, config, folder, split=SPLIT, seed=SEED, resume=resume, sentences=out, brief=True)
    found = {
        "run": to_dict(run),
        "seconds": metrics["training"]["seconds"],
        "retrieval": {
            pair: {key: figures[key] for key in (*FIGURES, TOO_FEW) if key in figures}
            for pair, figures in metrics["retrieval"].items()
            if pair in PAIRS
        },
    }
    write_json(path, found)
    (folder / "checkpoint.pt").unlink()  # 12 bytes a weight that nothing will read again
    return found


def _is_begun(folder: Path, run: Run) -> bool:
    """Whether this very training can go on; one of another configuration, or without a checkpoint, makes room.

    Raises:
        InputError: The folder is not of a training.
    """
    record = folder / "run.json"
    if not folder.exists():
        return False
    if not record.is_file():
        raise InputError(f"{folder} exists and is not the folder of a training; move it away, or give another --out.")
    same = (folder / "checkpoint.pt").is_file() and from_dict(Run, read_json(record)) == from_dict(Run, to_dict(run))
    if not same:
        shutil.rmtree(folder)
    return same


def _entry(row: Row, run: str, done: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A row as it stands in the table."""
    location = row.config.model.encoders.get("location", {})
    return {
        "group": row.group,
        "name": row.name,
        "run": run,
        "modalities": [name for name in MODALITIES[-1] if name in row.config.model.encoders],
        "pivot": row.config.pivot,
        "depth": location.get("depth"),
        "scales": location.get("scales"),
        "steps": row.config.steps,
        "seconds": done[run]["seconds"],
        "retrieval": done[run]["retrieval"],
    }


def _publish(path: Path, table: dict[str, Any]) -> None:
    """Put the table beside the atlas's model, unless a complete one would give way to an unfinished one."""
    if not table["complete"] and path.is_file() and read_json(path).get("complete"):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, table)
