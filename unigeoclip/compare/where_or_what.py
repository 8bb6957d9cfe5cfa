"""Where or what: does an embedder know positions, or what is there? The figures of all embedders on an atlas."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.compare.block_bootstrap import DRAWS, SEED
from unigeoclip.compare.figure_table import Row, table_rows
from unigeoclip.compare.figures import agreement, figures
from unigeoclip.compare.regions import SAMPLE, Region
from unigeoclip.embedders import EMBEDDERS, PartialEmbedder, load_embedder
from unigeoclip.errors import CheckpointError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.embedders.base import Embedder

    Progress = Callable[[str, float], None]

__all__ = ["FORMAT", "report_json", "rows_of", "where_or_what"]

FORMAT = 1
_AT_ONCE = 4096  # cells that are looked up together
REFERENCE = "unigeoclip"
_SPLITS = {
    "smooth_share": "random: 5 folds of single cells, so it measures how smooth the embeddings are",
    "position_r2": "blocks: 5 folds of whole square blocks, an eighth of the shorter side wide",
}


def where_or_what(atlas: Atlas, names: Sequence[str] | None = None, progress: Progress | None = None) -> dict[str, Any]:
    """Figures of embedders on the cells of an atlas, with intervals.

    Args:
        atlas: Where.
        names: Embedders; all that can be used by default. Ours is always the one that others are compared with.
        progress: Called with what is being done and the share that is done, 0 to 1.

    Returns:
        "format", "atlas", "data" (checksum), "n", "share" (of the area for which all embedders have vectors),
        "blocks", "draws", "seed", "interval", "splits"; "figures": key ->
        "title", "meaning", "unit"; "embedders": name -> "title", "source", "figures": key -> "value", "low", "high",
        null where it is not defined; "unavailable": name -> why it cannot be used on this machine.

    Raises:
        InputError: An embedder is unknown, or has vectors for too little of the atlas.
        CheckpointError: An embedder that was asked for by name, or ours, cannot be used.
    """
    embedders, unavailable = _load(atlas, names)
    whole = Region.whole(atlas)
    region = _common(whole, embedders, progress)
    sample, latlon = region.figure_sample, region.grid.cells[region.sample(SAMPLE)]
    found, alike, vectors = {}, {}, {}
    for number, (name, embedder) in enumerate(embedders.items()):
        if progress is not None:
            progress(embedder.title, number / len(embedders))
        vectors[name] = embedder.embed(latlon)
        found[name] = figures(vectors[name], sample)
        alike[name] = agreement(vectors[name], vectors[REFERENCE], sample)
    if progress is not None:
        progress("Done", 1.0)
    made = found[REFERENCE]
    rows = table_rows(found, alike, embedders[REFERENCE].title)
    return {
        "format": FORMAT, "atlas": atlas.name, "data": atlas.data_hash,
        "n": made["n"], "share": _rounded(float(region.grid.area_km2.sum() / whole.grid.area_km2.sum())),
        "blocks": made["blocks"], "draws": DRAWS, "seed": SEED,
        "interval": "95 %: 1.96 standard errors of a bootstrap of square blocks to either side", "splits": _SPLITS,
        "figures": {row.key: {"title": row.title, "meaning": row.meaning, "unit": ""} for row in rows},
        "embedders": {
            name: {
                "title": embedder.title, "source": embedder.provenance.source,
                "position_error_m": _rounded(found[name]["position_error_m"]),
                "figures": {row.key: _json(row, number) for row in rows},
            }
            for number, (name, embedder) in enumerate(embedders.items())
        },
        "unavailable": unavailable,
    }  # fmt: skip


def _common(whole: Region, embedders: dict[str, Embedder], progress: Progress | None) -> Region:
    """The cells for which all embedders have vectors."""
    keep = np.ones(len(whole.grid), bool)
    for embedder in embedders.values():
        if isinstance(embedder, PartialEmbedder):
            if progress is not None:
                progress(f"Reading {embedder.title}", 0.0)
            for start in range(0, len(keep), _AT_ONCE):
                cells = slice(start, start + _AT_ONCE)
                keep[cells] &= np.isfinite(embedder.embed(whole.grid.cells[cells])[:, 0])
    return whole.part(keep)


def _load(atlas: Atlas, names: Sequence[str] | None) -> tuple[dict[str, Embedder], dict[str, str]]:
    """Embedders by name, ours first, and why others cannot be used; those asked for by name must be usable."""
    wanted = list(dict.fromkeys([REFERENCE, *(EMBEDDERS if names is None else names)]))
    found: dict[str, Embedder] = {}
    unavailable: dict[str, str] = {}
    for name in wanted:
        try:
            found[name] = load_embedder(name, atlas)
        except CheckpointError as error:
            if names is not None or name == REFERENCE:
                raise
            unavailable[name] = str(error)
    return found, unavailable


def _json(row: Row, number: int) -> dict[str, float | None] | None:
    each = row.values[number]
    if each is None:
        return None
    low, high = row.interval(number) or (None, None)
    return {"value": _rounded(each.value), "low": _rounded(low), "high": _rounded(high)}


def _rounded(value: float | None) -> float | None:
    """Six digits: more are not the same on every machine."""
    return None if value is None else float(f"{value:.6g}")


def rows_of(report: dict[str, Any]) -> tuple[list[Row], dict[str, str]]:
    """The rows of a report as `figure_table` writes them, and titles of the embedders by name.

    Raises:
        InputError: It is of another format.
    """
    from unigeoclip.compare.figure_table import Estimate

    if report.get("format") != FORMAT:
        raise InputError(f"This report has format {report.get('format')!r}, not {FORMAT}: compute it again.")
    embedders = report["embedders"]

    def estimate(figure: dict[str, float] | None) -> Estimate | None:
        if figure is None:
            return None
        return Estimate(figure["value"], None if figure["low"] is None else figure["value"] - figure["low"])

    rows = [
        Row(
            key, told["title"], told["meaning"], 2, tuple(estimate(each["figures"][key]) for each in embedders.values())
        )
        for key, told in report["figures"].items()
    ]
    return rows, {name: each["title"] for name, each in embedders.items()}


def report_json(report: dict[str, Any]) -> bytes:
    """A report as JSON in UTF-8, the same bytes for the same figures."""
    return (json.dumps(report, ensure_ascii=False, indent=1) + "\n").encode()
