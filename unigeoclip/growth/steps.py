"""What is measured at each size; each step runs in a process of its own, whose memory is that of the step alone."""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.errors import InputError
from unigeoclip.growth.made import DIM, MODALITY, chunks, made_batches, made_queries, row_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from unigeoclip.geo import Bounds
    from unigeoclip.stores.base import EmbeddingStore

__all__ = ["MOST", "STEPS", "run_step"]

QUERIES, WARM = 100, 10  # timed, and asked before them
TOP = 10
BOX: Bounds = (30.0, -10.0, 60.0, 40.0)  # most of Europe: one place in 30
ENCODED = 100_000  # points at most; the rate does not depend on the number
# Sizes up to which a step is run; above, it would need all vectors in memory, which is what this is about.
MOST = {"flat": 1_000_000, "colors": 100_000}


def encode(size: int, folder: Path) -> dict[str, Any]:
    """Points per second of the location encoder of the shipped world, in batches that are forgotten."""
    from unigeoclip.atlas.store import load_atlas
    from unigeoclip.embedders import load_embedder
    from unigeoclip.geo import random_on_sphere

    embedder = load_embedder("unigeoclip", load_atlas("world"))
    points = random_on_sphere(min(size, ENCODED), np.random.default_rng(0))
    embedder.embed(points[:512])
    seconds = _seconds(lambda: [embedder.embed(points[first : first + 4096]) for first in range(0, len(points), 4096)])
    rate = len(points) / seconds
    return {"points": len(points), "points_per_s": round(rate), "total_s": round(size / rate, 1)}


def index(size: int, folder: Path) -> dict[str, Any]:
    """Write vectors and index them; making them up is timed apart."""
    from unigeoclip.stores.lance_folder import LanceFolder
    from unigeoclip.stores.lance_writer import write_batches

    made = 0.0

    def timed() -> Iterator[Any]:
        nonlocal made
        batches = made_batches(size)
        while True:
            started = time.perf_counter()
            batch = next(batches, None)
            made += time.perf_counter() - started
            if batch is None:
                return
            yield batch

    store = folder / "index"
    seconds = _seconds(lambda: write_batches(LanceFolder(store), {MODALITY: timed()}, row_schema()))
    written = sum(path.stat().st_size for path in store.rglob("*") if path.is_file())
    return {"index_s": round(seconds - made, 1), "made_up_s": round(made, 1), "disk_mb": round(written / 1e6)}


def truth(size: int, folder: Path) -> dict[str, Any]:
    """The best rows of every query by comparing it with all of them, chunk by chunk; written for `query`."""
    from unigeoclip.stores.lance import LanceStore

    queries = made_queries(QUERIES + WARM)[:QUERIES]
    ids, best = np.full((QUERIES, TOP), "", object), np.full((QUERIES, TOP), -np.inf, np.float32)
    started = time.perf_counter()
    for chunk in LanceStore.open(folder / "index").chunks(MODALITY):
        scores = np.concatenate([best, queries @ chunk.vectors.T], axis=1)
        # Ids follow the scores: those known so far, then those of the chunk, of the few that are kept.
        order = np.argsort(-scores, axis=1)[:, :TOP]
        names = chunk.items.place_ids
        ids = np.array([[ids[q, n] if n < TOP else names[n - TOP] for n in order[q]] for q in range(QUERIES)], object)
        best = np.take_along_axis(scores, order, axis=1)
    (folder / "truth.json").write_text(json.dumps(ids.tolist()))
    return {"scan_s": round(time.perf_counter() - started, 1)}


def query(size: int, folder: Path) -> dict[str, Any]:
    """Latencies of the index, without and with a bounding box, and how many of the best it finds."""
    from unigeoclip.stores.lance import LanceStore

    store = LanceStore.open(folder / "index")
    found = _ask(store)
    expected = json.loads((folder / "truth.json").read_text())
    ids = [store.items(MODALITY, rows[rows >= 0]).place_ids for rows in found.pop("rows")]
    shared = [len(set(ours) & set(best)) / len(best) for ours, best in zip(ids, expected, strict=True)]
    boxed = {f"bbox_{name}": value for name, value in _ask(store, BOX).items() if name != "rows"}
    return {"recall_at_10": round(statistics.mean(shared), 4), **found, **boxed}


def flat(size: int, folder: Path) -> dict[str, Any]:
    """The same of the flat store, which holds everything in memory."""
    from unigeoclip.stores.base import Items
    from unigeoclip.stores.flat import FlatStore

    vectors, latlon, done = np.empty((size, DIM), np.float32), np.empty((size, 2)), 0
    for some, where in chunks(size):
        vectors[done : done + len(some)], latlon[done : done + len(some)] = some, where
        done += len(some)
    store = FlatStore({MODALITY: vectors}, {MODALITY: Items([""] * size, latlon)})
    del vectors
    boxed = {f"bbox_{name}": value for name, value in _ask(store, BOX).items() if name != "rows"}
    return {**{name: value for name, value in _ask(store).items() if name != "rows"}, **boxed}


def heatmap(size: int, folder: Path) -> dict[str, Any]:
    """A grid of so many cells: building its pyramid, the whole heatmap out of it, and the one that a screen shows."""
    from unigeoclip.similarity.grid import Grid
    from unigeoclip.similarity.pyramid import Pyramid

    height = round((size / 2) ** 0.5)
    grid = Grid((-60.0, -180.0, 60.0, 180.0), np.ones((height, 2 * height), bool))
    vector = made_queries(1)[0]
    tiles = (vectors.astype(np.float16) for vectors, _ in chunks(grid.mask.size))
    built = _seconds(lambda: Pyramid.build(folder / "pyramid", grid, tiles))
    pyramid = Pyramid.open(folder / "pyramid")
    whole = _seconds(lambda: pyramid.heatmap(vector, 0))
    pyramid.heatmap(vector)
    screen = statistics.median(_seconds(lambda: pyramid.heatmap(vector)) for _ in range(5))
    shown = pyramid.grids[pyramid.level_for()].shape
    return {"cells": grid.mask.size, "pyramid_s": round(built, 1), "whole_ms": round(1000 * whole),
            "screen_ms": round(1000 * screen), "screen_cells": shown[0] * shown[1]}  # fmt: skip


def colors(size: int, folder: Path) -> dict[str, Any]:
    """What page Compare colors its maps by: three principal components of all vectors."""
    from unigeoclip.compare.projection import component_rgb, principal_components

    vectors = np.concatenate([some for some, _ in chunks(size)])

    def color() -> NDArray[np.uint8]:
        fitted = principal_components(vectors, 3)
        return component_rgb(fitted.scores(vectors))

    return {"colors_s": round(_seconds(color), 2)}


STEPS: dict[str, Callable[[int, Path], dict[str, Any]]] = {
    step.__name__: step for step in (encode, index, truth, query, flat, heatmap, colors)
}


def _ask(store: EmbeddingStore, bbox: Bounds | None = None) -> dict[str, Any]:
    """Milliseconds of single queries, on the clock and of the processor, in JSON; "rows" is what they found."""
    times, work, rows = [], [], []
    for number, each in enumerate(made_queries(QUERIES + WARM)):
        began, worked = time.perf_counter(), time.process_time()
        found = store.search(each[None], MODALITY, TOP, bbox=bbox)
        store.items(MODALITY, found.rows[0][found.rows[0] >= 0])
        if number >= WARM:
            times.append(1000 * (time.perf_counter() - began))
            work.append(1000 * (time.process_time() - worked))
        rows.append(found.rows[0])
    return {
        "median_ms": round(statistics.median(times), 1),
        "p95_ms": round(float(np.percentile(times, 95)), 1),
        "processor_ms": round(statistics.median(work), 1),
        "rows": rows[:QUERIES],
    }


def _seconds(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def _peak_mb() -> float:
    """Most memory that this process has had resident, MB of 1,000,000 bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # what `getrusage` reports on Linux begins with the peak of the process that started this one
        (line,) = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        return round(int(line.split()[1]) * 1024 / 1e6)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6)


def run_step(name: str, size: str, folder: str) -> None:
    """Measure a step and print its figures and "peak_mb" as JSON; for a process of its own.

    Args:
        name: One of `STEPS`.
        size: Number of places.
        folder: Where the steps of a size leave files for each other.
    """
    if name not in STEPS:
        raise InputError(f"There is no step {name!r}; choose among {', '.join(STEPS)}.")
    figures = STEPS[name](int(size), Path(folder))
    sys.stdout.write(json.dumps({**figures, "peak_mb": _peak_mb()}) + "\n")


def steps_of(size: int) -> Sequence[str]:
    """The steps of a size, in order; those that would hold too much in memory are left out."""
    return [name for name in STEPS if size <= MOST.get(name, size)]
