"""Speed: location encoders against each other, whole queries, and what a fresh start costs in time and memory.

All of it is measured on the machine it runs on, in float32, with as many threads as PyTorch is set to.
"""

from __future__ import annotations

import io
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.compare.projection import cluster_colors, compile_umap
from unigeoclip.errors import UniGeoError
from unigeoclip.geo import random_on_sphere
from unigeoclip.paths import IMPORT_ROOT
from unigeoclip.similarity.grid_files import colored_picture

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.compare.regions import Comparison, Embedded, Region
    from unigeoclip.embedders.base import Embedder
    from unigeoclip.search.explorer import Explorer, QueryItem

__all__ = ["measure_compare", "measure_embedders", "measure_queries", "measure_start", "run_bench"]

BATCH, SMALL_BATCH = 4096, 512
GEMM_SIDE = 1536
REFERENCE = "geoclip"
TOP = 10
PICTURE_PX = 256  # of the uploads that are simulated
VIEW_PX = (224, 160)  # width and height of the street views that are timed
VIEWS = 200
CLUSTERS = 8
TEXTS = (
    "hot desert",
    "rainforest by a wide river",
    "big city by the sea",
    "snow and ice",
    "green farmland in a mild climate",
    "quiet streets with houses and gardens",
    "park by the river",
    "high mountains",
    "islands in a warm sea",
    "cold coniferous forest",
    "dry grassland",
)

Clock = Callable[[], float]


def run_bench(atlas: str | Path | Atlas, *, quick: bool = False) -> dict[str, Any]:
    """Measure everything.

    Args:
        atlas: Name or folder of an atlas, or the atlas, perhaps with another model (`Atlas.with_model`); its model,
            grid and places are used.
        quick: Fewer rounds: figures in seconds, less steady ones.

    Returns:
        Plain values for JSON, medians: "machine"; "batch"; "location_points_per_s" and "ratio_to_geoclip" by embedder,
        at that batch; "not_here", why an embedder was not measured, by name; "small_batch", the first three for a small
        one; "location_of_gemm", see `measure_gemm_share`; "location_bf16", see `measure_bf16`; "query_ms" by kind of
        query; "street_view_ms", one view of 224 x 160 px, if the atlas draws street views; "compare_s", see
        `measure_compare`; "start_s", from launching Python to an atlas that can be asked; "first_answers_s", its first
        query of every kind, which loads the sentence encoder; "memory_mb", resident after that (1 MB is 1,000,000
        bytes).

    Raises:
        AtlasError: The atlas cannot be used.
        CheckpointError: A model cannot be used.
    """
    from unigeoclip.atlas.store import load_atlas
    from unigeoclip.embedders import first_compared, load_all
    from unigeoclip.search.explorer import Explorer

    opened = load_atlas(atlas) if isinstance(atlas, str | Path) else atlas
    embedders, missing = load_all(opened)
    rounds = 5 if quick else 15
    # First of all, while this process has done little; and it needs the cache that opening an explorer fills.
    explorer = Explorer.open(opened)
    start = measure_start(opened.path, None if opened.has_shipped_model else opened.model_path)
    return {
        "machine": _machine(),
        **measure_embedders(embedders, BATCH, rounds),
        "not_here": missing,
        "small_batch": measure_embedders(embedders, SMALL_BATCH, 3 * rounds),
        "location_of_gemm": _location_of_gemm(explorer, rounds),
        "location_bf16": measure_bf16(explorer, rounds),
        "query_ms": measure_queries(explorer, rounds),
        **measure_views(explorer),
        "compare_s": measure_compare(opened, {name: embedders[name] for name in first_compared(list(embedders))}),
        **start,
    }


def _location_of_gemm(explorer: Explorer, rounds: int) -> dict[str, float]:
    encoder = explorer.model.encoders["location"]
    points = random_on_sphere(BATCH, np.random.default_rng(0))
    return measure_gemm_share(encoder, explorer.model.prepare({"location": points})["location"], rounds)


def measure_gemm_share(
    encoder: Callable[[Tensor], Tensor], inputs: Tensor, rounds: int, clock: Clock = time.perf_counter
) -> dict[str, float]:
    """How close an encoder comes to the rate at which this machine multiplies large matrices.

    Args:
        encoder: Of tensors, such as a location encoder.
        inputs: A batch on the encoder's device.
        rounds: Of both, in turn.
        clock: Seconds.

    Returns:
        "gemm_gflops", of two float32 matrices of `GEMM_SIDE`; "encoder_gflops", the encoder's own matrix products over
        all of its time; "share", the median of the ratios within a round.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        encoder(inputs)
    work = {"gemm": 2.0 * GEMM_SIDE**3, "encoder": float(counter.get_total_flops())}
    side = torch.ones(GEMM_SIDE, GEMM_SIDE, device=inputs.device)
    calls: dict[str, Callable[[], Tensor]] = {"gemm": lambda: side @ side, "encoder": lambda: encoder(inputs)}
    rates: dict[str, list[float]] = {name: [] for name in calls}
    with torch.inference_mode():
        for round_number in range(rounds + 1):
            for name, call in calls.items():
                started = clock()
                float(call().flatten()[0])  # on a GPU, waits for the result
                seconds = clock() - started
                if round_number:
                    rates[name].append(work[name] / seconds / 1e9)
    medians = {f"{name}_gflops": round(statistics.median(values), 2) for name, values in rates.items()}
    shares = np.divide(rates["encoder"], rates["gemm"]).tolist()
    return {**medians, "share": round(statistics.median(shares), 3)}


def measure_bf16(explorer: Explorer, rounds: int, clock: Clock = time.perf_counter) -> dict[str, float]:
    """Speed and retrieval of the location encoder in bfloat16 beside float32; empty if the device is no faster in it.

    Args:
        explorer: Whose model and atlas are measured.
        rounds: Of both precisions, in turn.
        clock: Seconds.

    Returns:
        "encoding" and "training" (forward and backward), how many times as fast as in float32, medians over rounds of
        `SMALL_BATCH` points; "recall_float32" and "recall_bf16", % of ``n`` aerial images found first by location.
    """
    import torch

    from unigeoclip.devices import autocast, computes_bf16
    from unigeoclip.evaluation.held_out import encode_items, held_out
    from unigeoclip.evaluation.retrieval import retrieval

    model, device = explorer.model, explorer.model.log_scale.device
    if not computes_bf16(device):
        return {}
    inputs = model.prepare({"location": random_on_sphere(SMALL_BATCH, np.random.default_rng(0))})
    ratios: dict[str, list[float]] = {"encoding": [], "training": []}
    for _ in range(rounds + 1):
        for act, times in ratios.items():
            seconds = []
            for wanted in (False, True):
                started = clock()
                with autocast(device, wanted), torch.inference_mode(act == "encoding"):
                    vectors = model(inputs)["location"]
                if act == "training":
                    vectors.sum().backward()
                    model.zero_grad()
                seconds.append(clock() - started)
            times.append(seconds[0] / seconds[1])
    gains = {name: round(statistics.median(times[1:]), 2) for name, times in ratios.items()}
    if "aerial" not in explorer.modalities:
        return gains
    items = held_out(explorer.atlas, None, having=["aerial"])
    aerial = encode_items(model, explorer.atlas, "aerial", items)
    batches = np.array_split(items.latlon, max(1, len(items) // SMALL_BATCH))
    for name, wanted in (("recall_float32", False), ("recall_bf16", True)):
        with autocast(device, wanted):
            parts = [model.encode({"location": some})["location"].cpu().numpy() for some in batches]
        figures = retrieval(np.concatenate(parts), aerial, items.latlon)
        if "recall@1" in figures:  # there are enough to tell
            gains[name] = round(figures["recall@1"], 2)
    return gains | {"n": len(items)}


def measure_embedders(
    embedders: Mapping[str, Embedder], batch: int, rounds: int, clock: Clock = time.perf_counter
) -> dict[str, Any]:
    """Points per second of embedders, in rounds A B C, A B C, ..., so that what slows the machine slows all alike.

    The weights of GeoCLIP's published file include subnormal numbers, which processors multiply slowly; ours of it
    (see ``embedders.geoclip``) have none, so the reference is GeoCLIP at its fastest.

    Args:
        embedders: By name.
        batch: Points handed to ``embed`` at once; each embedder cuts them as suits it.
        rounds: At least one; a round before them is not counted.
        clock: Seconds.

    Returns:
        "batch"; "location_points_per_s" by embedder, the median of its rounds; "ratio_to_geoclip" by embedder, the
        median of the ratios within a round; empty if GeoCLIP is not among them.
    """
    points = random_on_sphere(batch, np.random.default_rng(0))
    rates: dict[str, list[float]] = {name: [] for name in embedders}
    for round_number in range(rounds + 1):
        for name, embedder in embedders.items():
            started = clock()
            embedder.embed(points)
            if round_number:
                rates[name].append(batch / (clock() - started))
    ratios = {}
    if REFERENCE in rates:
        for name, values in rates.items():
            ratios[name] = round(statistics.median(np.divide(values, rates[REFERENCE]).tolist()), 3)
    return {
        "batch": batch,
        "location_points_per_s": {name: round(statistics.median(values)) for name, values in rates.items()},
        "ratio_to_geoclip": ratios,
    }


def measure_queries(explorer: Explorer, rounds: int, clock: Clock = time.perf_counter) -> dict[str, float]:
    """Milliseconds from a question to its finished answer: encoded, heatmap as PNG, top 10 of every modality.

    Every round asks something new, one question of each kind in turn; a picture begins as a PNG file.

    Args:
        explorer: What is asked.
        rounds: At least one; a round before them is not counted.
        clock: Seconds.

    Returns:
        Kind of query ("location", "text", "image", "street", as far as the atlas can be asked by it) -> median.
    """
    places = _some_places(explorer, rounds + 1)
    times: dict[str, list[float]] = {}
    for round_number, latlon in enumerate(places):
        for kind, question in _questions(explorer, latlon, round_number).items():
            started = clock()
            _answer(explorer, question())
            if round_number:
                times.setdefault(kind, []).append(1000 * (clock() - started))
    return {kind: round(statistics.median(values), 1) for kind, values in times.items()}


def _some_places(explorer: Explorer, count: int) -> NDArray[np.float64]:
    """(count, 2) degrees of places of the atlas, the same at every run."""
    table = explorer.atlas.places[["lat", "lon"]].to_numpy(np.float64)
    rows = np.random.default_rng(0).integers(len(table), size=count)
    places: NDArray[np.float64] = table[rows]
    return places


def _questions(explorer: Explorer, latlon: NDArray[np.float64], number: int) -> dict[str, Callable[[], QueryItem]]:
    """Kind of query -> what a person's input becomes a query item by; the file of the picture is made here."""
    from unigeoclip.search.explorer import QueryItem
    from unigeoclip.uploads import decode_picture

    point = (float(latlon[0]), float(latlon[1]))
    questions: dict[str, Callable[[], QueryItem]] = {"location": lambda: QueryItem("location", point)}
    if "text" in explorer.modalities:
        text = f"{TEXTS[number % len(TEXTS)]} {number}"  # the number keeps it from being remembered
        questions["text"] = lambda: QueryItem("text", text)
    if "aerial" in explorer.modalities:
        file = io.BytesIO()
        explorer.picture("aerial", point, PICTURE_PX).save(file, "PNG")
        px = explorer.input_px("aerial")
        questions["image"] = lambda: QueryItem("aerial", decode_picture(file.getvalue(), px))
    if "street" in explorer.modalities and explorer.streets is not None:
        photo, view = io.BytesIO(), explorer.streets.nearest(*point)
        explorer.streets.picture(view.lat, view.lon, view.heading_deg).save(photo, "PNG")
        size = explorer.input_size("street")
        questions["street"] = lambda: QueryItem("street", decode_picture(photo.getvalue(), *size))
    return questions


def _answer(explorer: Explorer, item: QueryItem) -> None:
    query = explorer.query([item])
    explorer.heatmap(query).png()
    explorer.search(query, TOP)


def measure_views(explorer: Explorer, clock: Clock = time.perf_counter) -> dict[str, float]:
    """Milliseconds to draw one street view, the whole city being held; empty where none are drawn.

    Returns:
        "street_view_ms", the median over `VIEWS` cameras of the atlas.
    """
    streets = explorer.streets
    if streets is None or not streets.is_rendered:
        return {}
    rows = np.random.default_rng(0).integers(len(streets), size=VIEWS + 1)
    times = []
    with streets.held():
        for row in rows:
            started = clock()
            streets.draw(streets.latlon[[row]], streets.headings_deg[[row], None], *VIEW_PX)
            times.append(1000 * (clock() - started))
    return {"street_view_ms": round(statistics.median(times[1:]), 2)}


def measure_compare(
    atlas: Atlas, embedders: Mapping[str, Embedder], clock: Clock = time.perf_counter
) -> dict[str, float]:
    """Seconds that what page Compare shows of some models takes, without server and browser; each once.

    Args:
        atlas: The atlas, all of it, and a rectangle of 200 cells in its middle, of half its height and width.
        embedders: The models, by name.
        clock: Seconds.

    Returns:
        "first_opening", all vectors, pictures of three components; "opening", the same once they are kept;
        "clusters"; "click", similarities and pictures; "umap_compiled", once a process, and "umap" of the first model;
        "rectangle_coarse", the first pictures of the rectangle; "rectangle", its complete ones.
    """
    from unigeoclip.compare.regions import Region, embed_coarsely, embed_region

    def seconds(act: Callable[[], object]) -> float:
        started = clock()
        act()
        return round(clock() - started, 2)

    models = list(embedders.values())
    south, west, north, east = atlas.manifest.bounds
    inner = ((3 * south + north) / 4, (3 * west + east) / 4, (south + 3 * north) / 4, (west + 3 * east) / 4)
    whole, part = Region.whole(atlas), Region.rectangle(atlas, inner)
    with tempfile.TemporaryDirectory() as folder:
        kept = partial(embed_region, cache_dir=Path(folder))
        figures = {"first_opening": seconds(lambda: _draw(whole, models, kept))}
        figures["opening"] = seconds(lambda: _draw(whole, models, kept))
        comparison = _draw(whole, models, kept)
        figures["clusters"] = seconds(lambda: _draw_clusters(comparison))
        figures["click"] = seconds(lambda: _draw_similarity(comparison))
        figures["umap_compiled"] = seconds(compile_umap)
        figures["umap"] = seconds(comparison.reference.compute_layout)
        figures["rectangle_coarse"] = seconds(lambda: _draw(part, models, embed_coarsely))
        figures["rectangle"] = seconds(lambda: _draw(part, models, kept))
    return figures


def _draw(region: Region, models: list[Embedder], compute: Callable[[Embedder, Region], Embedded]) -> Comparison:
    """Embed a region and draw three components of every model."""
    from unigeoclip.compare.regions import Comparison

    comparison = Comparison(region, {each.name: compute(each, region) for each in models})
    for name in comparison.embedded:
        colored_picture(region.grid, comparison.component_colors(name))
    return comparison


def _draw_clusters(comparison: Comparison) -> None:
    for name in comparison.embedded:
        rgb = cluster_colors(CLUSTERS)[comparison.cluster_labels(name, CLUSTERS)]
        colored_picture(comparison.region.grid, rgb, blend=False)


def _draw_similarity(comparison: Comparison) -> None:
    lat, lon = comparison.region.grid.cells[len(comparison.region.grid) // 2].tolist()
    for name in comparison.embedded:
        comparison.similarity(name, (lat, lon)).png()


def measure_start(atlas: Path, model: Path | None = None) -> dict[str, float]:
    """Time and resident memory of a fresh Python process that opens an atlas and answers one query of every kind.

    Args:
        atlas: Its folder; opened before, so that the cache folder holds its vectors, as at every start but the first.
        model: Folder of another model than the atlas's.

    Returns:
        "start_s", "first_answers_s", "memory_mb".

    Raises:
        UniGeoError: The process failed; the message is the last line it wrote.
    """
    code = "import sys; from unigeoclip.bench import report_fresh_start; report_fresh_start(*sys.argv[1:])"
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, [str(IMPORT_ROOT), os.environ.get("PYTHONPATH")]))
    }
    launched = time.time()
    try:
        command = [sys.executable, "-c", code, str(atlas), *([] if model is None else [str(model)])]
        output = subprocess.run(command, capture_output=True, text=True, env=environment, check=True).stdout
    except subprocess.CalledProcessError as error:
        said = error.stderr.strip().splitlines() or ["it said nothing"]
        raise UniGeoError(f"A fresh start with {atlas} failed: {said[-1]}") from error
    report = json.loads(output.splitlines()[-1])
    return {"start_s": round(report.pop("ready_at") - launched, 2), **report}


def report_fresh_start(atlas: str, model: str | None = None) -> None:
    """Open an atlas, ask it one query of every kind, and print what that took as JSON; for a process of its own.

    Args:
        atlas: Its folder.
        model: Folder of another model than the atlas's.

    Prints:
        "ready_at", seconds since the epoch; "first_answers_s"; "memory_mb".
    """
    import psutil

    from unigeoclip.search.explorer import Explorer

    explorer = Explorer.open(Path(atlas), model=model)
    ready_at = time.time()
    for question in _questions(explorer, _some_places(explorer, 1)[0], 0).values():
        _answer(explorer, question())
    report = {
        "ready_at": ready_at,
        "first_answers_s": round(time.time() - ready_at, 2),
        "memory_mb": round(psutil.Process().memory_info().rss / 1e6),
    }
    sys.stdout.write(json.dumps(report) + "\n")


def _machine() -> dict[str, Any]:
    import torch

    from unigeoclip.parallel import processor_name

    return {
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "precision": "float32",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
