"""Measures what `similarity.calibration` reads: similarities of held-out queries to their own cell and to others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from unigeoclip.atlas.records import records_folder
from unigeoclip.checkpoint import checkpoint_id
from unigeoclip.config import write_json
from unigeoclip.errors import InputError
from unigeoclip.evaluation.certainty.fit import text_certainty
from unigeoclip.evaluation.certainty.pictures import picture_certainties
from unigeoclip.evaluation.held_out import MOST, PHOTO, encode_items, held_out
from unigeoclip.evaluation.plain_queries import searched_cells
from unigeoclip.geo import EARTH_RADIUS_M, unit_xyz
from unigeoclip.search.gallery_embeddings import land_grid, sentence_inputs, text_batch
from unigeoclip.similarity.calibration import FILE, FORMAT, MATCH_PERCENTILES, OTHER_PERCENTILES, Calibration, Spread

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.evaluation.held_out import HeldOut
    from unigeoclip.model import UniGeoCLIP
    from unigeoclip.similarity.grid import Grid

__all__ = ["calibrate", "record_calibration"]

SEED = 0
OTHERS = 200  # cells that each query is compared with beside its own: 400,000 pairs of 2,000 queries


def calibrate(model: UniGeoCLIP, atlas: Atlas, split: str, model_id: str) -> Calibration:
    """How similar queries of each modality are to the cell they were taken in, and to cells far from it.

    The queries are the held-out items of a split, 2,000 at most, asked as a person asks: a text is one sentence of the
    caption at random, a street view a single one whose heading is not told. Cells are those of the heatmap, averaged
    as the search does. Cells to compare with are drawn by area, at least a window away.

    Args:
        model: With location, or nothing can be measured.
        atlas: The atlas.
        split: Of the held-out items.
        model_id: Checksum of the model, `checkpoint.checkpoint_id`.

    Raises:
        InputError: The model does not know locations, or the atlas has no such split.
    """
    if "location" not in model.modalities:
        raise InputError("A model without the modality location has no map to calibrate; train one with it.")
    grid = land_grid(atlas)
    cells = searched_cells(model, atlas)
    names = [name for name in model.modalities if name in atlas.manifest.modalities]
    spreads = {}
    for number, name in enumerate(names):
        items = held_out(atlas, split, MOST, having=(name,))
        if not len(items):
            continue
        rng = np.random.default_rng((SEED, number))
        spread = _spread(_queries(model, atlas, name, items, rng), items, grid, cells, atlas.window_m, rng)
        if spread is not None:
            spreads[name] = spread
    texts = text_certainty(atlas) if "text" in names else None
    pictures = picture_certainties(model, atlas, split)
    return Calibration(FORMAT, atlas.data_hash, model_id, split, SEED, spreads, texts, pictures)


def record_calibration(model: UniGeoCLIP, atlas: Atlas, split: str, folder: Path) -> Calibration:
    """Measure a model that lies in a folder, and write ``calibration.json`` where `records_folder` says."""
    measured = calibrate(model, atlas, split, checkpoint_id(folder))
    write_json(records_folder(folder, atlas.name) / FILE, measured)
    return measured


def _queries(
    model: UniGeoCLIP, atlas: Atlas, name: str, items: HeldOut, rng: np.random.Generator
) -> NDArray[np.float32]:
    """What a person would ask with, (n, dim) unit vectors."""
    if name != "text":
        return encode_items(model, atlas, PHOTO if name == "street" else name, items)
    said = atlas.places["sentences"].to_numpy()[items.rows]
    single = [rng.choice(np.asarray(sentences, np.int64), 1) for sentences in said]
    texts = text_batch(single, sentence_inputs(model, atlas, items.rows))
    asked: NDArray[np.float32] = model.encode({"text": texts})["text"].cpu().numpy()
    return asked


def _spread(
    queries: NDArray[np.float32],
    items: HeldOut,
    grid: Grid,
    cells: NDArray[np.float32],
    window_m: float,
    rng: np.random.Generator,
) -> Spread | None:
    """The figures of one modality; None on a map no wider than a window, which has nothing to compare with."""
    own = cKDTree(unit_xyz(grid.cells)).query(unit_xyz(items.latlon))[1]
    match = np.einsum("nd,nd->n", queries, cells[own])
    area = np.cos(np.radians(grid.cells[:, 0]))
    drawn = rng.choice(len(cells), (len(queries), OTHERS), p=area / area.sum())
    where, other = unit_xyz(grid.cells), []
    for query, at, some in zip(queries, unit_xyz(items.latlon), drawn, strict=True):
        far = np.linalg.norm(where[some] - at, axis=1) * EARTH_RADIUS_M > window_m
        other.append(cells[some[far]] @ query)
    others = np.concatenate(other)
    if not len(others):
        return None
    return Spread(len(items), _percentiles(match, MATCH_PERCENTILES), _percentiles(others, OTHER_PERCENTILES))


def _percentiles(values: NDArray[np.float32], wanted: tuple[float, ...]) -> dict[str, float]:
    found = np.percentile(values.astype(np.float64), wanted)
    return {f"{percentile:g}": round(float(value), 4) for percentile, value in zip(wanted, found, strict=True)}
