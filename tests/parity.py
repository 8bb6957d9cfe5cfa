"""Compare the answers of two checkouts: searches, heatmaps, embeddings, exports, evaluation and shipped figures.

    python -m tests.parity record CHECKOUT FOLDER   # runs CHECKOUT's command line, writes its answers to FOLDER
    python -m tests.parity compare FOLDER FOLDER    # prints what differs by more than 1e-6; exits with 1 then

A restructuring must not change an answer; this shows whether it did. Only the command line and the shipped files are
used, whose names stay the same, so that any two commits can be compared.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import rasterio
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterator

TOLERANCE = 1e-6
QUERIES: dict[str, list[list[str]]] = {
    "world": [
        ["--text", "hot desert with dunes"],
        ["--text", "rice paddies"],
        ["--text", "snow-covered mountains"],
        ["--latlon", "48.86,2.35"],
        ["--latlon=-33.87,151.21"],
        ["--latlon=-89.5,-180"],
        ["--item", "text:tropical rain forest", "--item=-0.5*text:big river"],
        ["--item", "at:35.68,139.69", "--item", "0.7*text:island"],
        ["--image", "picture.png", "--modality", "aerial"],
        ["--image", "heights.tif", "--modality", "surface"],
    ],
    "boston": [
        ["--text", "narrow brick row houses"],
        ["--text", "park beside the river"],
        ["--text", "container port"],
        ["--latlon", "42.3601,-71.0589"],
        ["--latlon", "42.31,-71.11"],
        ["--item", "text:wooden houses", "--item=-1*text:shops"],
        ["--item", "at:42.35,-71.07", "--item", "0.5*text:water"],
        ["--image", "picture.png", "--modality", "aerial"],
        ["--image", "picture.png", "--modality", "street"],
        ["--image", "heights.tif", "--modality", "surface"],
    ],
}
EMBEDDERS = {
    "world": ["unigeoclip", "geoclip", "satclip-retrained", "geoclip-retrained", "coordinates", "fourier"],
    "boston": ["unigeoclip", "satclip-retrained", "geoclip-retrained", "satclip-retrained-city"],
}
NUMBERED_BY_MACHINE = {"seconds", "steps_per_s", "machine", "ms"}  # keys of JSON that say how fast a machine was


def report(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


# Recording


def record(checkout: Path, folder: Path) -> None:
    """Run the commands of a checkout and keep what they print and write."""
    folder.mkdir(parents=True)
    _make_inputs(folder)
    for atlas, queries in QUERIES.items():
        for number, query in enumerate(queries):
            stem = f"{atlas}-{number:02d}"
            common = ["--atlas", atlas, *query]
            _run(checkout, folder, f"search-{stem}.json", ["search", *common, "--top", "20", "--json"])
            if number in (0, 3, 6, 8):
                _run(checkout, folder, None, ["search", *common, "--out", f"results-{stem}.csv"])
                _run(checkout, folder, None, ["search", *common, "--out", f"results-{stem}.geojson"])
                for ending in ("tif", "png", "geojson"):
                    _run(checkout, folder, None, ["heatmap", *common, "--out", f"heatmap-{stem}.{ending}"])
        for name in EMBEDDERS[atlas]:
            options = ["--embedder", name, "--atlas", atlas]
            columns = ["--csv", f"points-{atlas}.csv", "--lat", "lat", "--lon", "lon"]
            _run(checkout, folder, None, ["embed", *options, *columns, "--out", f"embed-{atlas}-{name}.parquet"])
            point = QUERIES[atlas][3]
            _run(checkout, folder, None, ["heatmap", *options, *point, "--out", f"heatmap-{atlas}-{name}.tif"])
        _run(checkout, folder, f"evaluate-{atlas}.json", ["evaluate", "--atlas", atlas, "--json"])
    _run(checkout, folder, "atlases.json", ["atlases", "--json"])
    for path in sorted((checkout / "assets").rglob("*.json")):
        if "web" not in path.parts:
            shutil.copyfile(path, folder / ("shipped-" + "-".join(path.relative_to(checkout / "assets").parts)))


def _make_inputs(folder: Path) -> None:
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[0:256, 0:256]
    picture = np.stack([rows, columns, 255 - (rows + columns) // 2], axis=2) + random.integers(-20, 20, (256, 256, 3))
    Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(folder / "picture.png")
    heights = (40 * np.sin(rows / 30) + 10 * (columns % 32 < 16) + random.normal(0, 1, (256, 256))).astype(np.float32)
    profile = {"driver": "GTiff", "width": 256, "height": 256, "count": 1, "dtype": "float32", "crs": "EPSG:3857"}
    transform = rasterio.transform.from_origin(-7_910_000, 5_220_000, 2, 2)
    with rasterio.open(folder / "heights.tif", "w", transform=transform, **profile) as raster:
        raster.write(heights, 1)
    for atlas, (south, west, north, east) in {
        "world": (-85, -180, 85, 180),
        "boston": (42.3, -71.15, 42.4, -71),
    }.items():
        table = {"lat": random.uniform(south, north, 300), "lon": random.uniform(west, east, 300)}
        pd.DataFrame(table).to_csv(folder / f"points-{atlas}.csv", index=False)


def _run(checkout: Path, folder: Path, printed: str | None, command: list[str]) -> None:
    """Run one command in the folder; what it prints goes to a file, a refusal is kept as the answer."""
    environment = {**os.environ, "PYTHONPATH": str(checkout.resolve())}
    whole = [sys.executable, "-m", "unigeoclip", *command]
    done = subprocess.run(whole, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    report(f"{done.returncode} {' '.join(command)}")
    if done.returncode != 0:
        name = printed or command[-1]
        (folder / f"{name}.refusal.txt").write_text(done.stderr.strip().splitlines()[-1], encoding="utf-8")
    elif printed is not None:
        (folder / printed).write_text(done.stdout, encoding="utf-8")


# Comparing


def compare(old: Path, new: Path) -> int:
    """Print every difference between two recordings, one line each.

    Returns:
        How many files differ.
    """
    differing = 0
    names = sorted({path.name for folder in (old, new) for path in folder.iterdir()})
    for name in names:
        lines = list(_differences(old / name, new / name))
        differing += bool(lines)
        for line in lines[:8]:
            report(f"{name}: {line}")
        if len(lines) > 8:
            report(f"{name}: and {len(lines) - 8} more")
    report(f"{len(names)} files compared, {differing} differ by more than {TOLERANCE}")
    return differing


def _differences(old: Path, new: Path) -> Iterator[str]:
    if not (old.exists() and new.exists()):
        yield f"only in {'the new' if new.exists() else 'the old'} recording"
        return
    if old.read_bytes() == new.read_bytes():
        return
    match old.suffix:
        case ".json" | ".geojson":
            yield from _of_values(json.loads(old.read_text()), json.loads(new.read_text()), "")
        case ".csv":
            yield from _of_tables(pd.read_csv(old, comment="#"), pd.read_csv(new, comment="#"))
        case ".parquet":
            yield from _of_tables(pq.read_table(old).to_pandas(), pq.read_table(new).to_pandas())
        case ".tif" | ".png":
            yield from _of_rasters(old, new)
        case _:
            yield f"{old.read_text()!r} became {new.read_text()!r}"


def _of_values(old: Any, new: Any, path: str) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            if key in NUMBERED_BY_MACHINE:
                continue
            if key not in old or key not in new:
                yield f"{path}.{key} {'added' if key in new else 'gone'}"
            else:
                yield from _of_values(old[key], new[key], f"{path}.{key}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, pair in enumerate(zip(old, new, strict=True)):
            yield from _of_values(*pair, f"{path}[{number}]")
    elif _is_number(old) and _is_number(new):
        if abs(old - new) > TOLERANCE:
            yield f"{path} {old} became {new}"
    elif old != new:
        yield f"{path} {str(old)[:80]!r} became {str(new)[:80]!r}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _of_tables(old: pd.DataFrame, new: pd.DataFrame) -> Iterator[str]:
    if len(old) != len(new):
        yield f"{len(old)} rows became {len(new)}"
        return
    for column in [*old, *(column for column in new if column not in old)]:
        if column not in old or column not in new:
            yield f"column {column} {'added' if column in new else 'gone'}"
            continue
        before, after = old[column], new[column]
        if isinstance(before.iloc[0], np.ndarray):
            worst = float(np.abs(np.stack(before.to_list()) - np.stack(after.to_list())).max())
        elif pd.api.types.is_numeric_dtype(before):
            worst = float((before - after).abs().max())
        else:
            worst = 0.0 if before.equals(after) else np.inf
        if worst > TOLERANCE:
            yield f"column {column} differs by up to {worst:.3g}"


def _of_rasters(old: Path, new: Path) -> Iterator[str]:
    with rasterio.open(old) as before, rasterio.open(new) as after:
        for what in ("crs", "transform", "shape", "count", "dtypes", "nodata"):
            if str(getattr(before, what)) != str(getattr(after, what)):  # as text, in which NaN equals itself
                yield f"{what} {getattr(before, what)} became {getattr(after, what)}"
                return
        one, other = before.read().astype(np.float64), after.read().astype(np.float64)
    if not np.array_equal(np.isnan(one), np.isnan(other)):
        yield "other pixels are without data"
    worst = float(np.nanmax(np.abs(one - other)))
    if worst > TOLERANCE:
        yield f"pixels differ by up to {worst:.3g}"


def main() -> int:
    """Record, or compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["record", "compare"])
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    arguments = parser.parse_args()
    if arguments.action == "record":
        record(arguments.first, arguments.second)
        return 0
    return 1 if compare(arguments.first, arguments.second) else 0


if __name__ == "__main__":
    sys.exit(main())
