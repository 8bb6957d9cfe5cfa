"""A fitted probe applied to every cell of a grid, or of an atlas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from unigeoclip.errors import InputError, StoppedError
from unigeoclip.evaluation.probing.encoders import features as encoded
from unigeoclip.evaluation.probing.encoders import is_floor
from unigeoclip.evaluation.probing.everywhere.prediction_map import PredictionMap
from unigeoclip.geo import EARTH_RADIUS_M, arc_rad, unit_xyz
from unigeoclip.search.gallery_embeddings import land_grid
from unigeoclip.similarity.grid import Grid
from unigeoclip.tasks.label_table import LabelTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from unigeoclip.atlas.provenance import Provenance
    from unigeoclip.atlas.store import Atlas

    Encode = Callable[[NDArray[np.float64]], NDArray[np.float32]]

__all__ = ["Predictor", "check_anywhere", "near_km", "predict_atlas", "predict_everywhere"]

CELLS_AT_ONCE = 8192
_ATLAS_CELLS = 50_000  # whose features are kept at once: 4,096 dimensions are 0.8 GB
_SPACINGS = 3.0  # from a labeled position, in spacings of the labels, that still counts as near
_TYPICAL = 95  # percent of the labels are no farther than the spacing from their nearest neighbor


class Predictor(Protocol):
    """What predicts: a fitted probe."""

    def predict(self, features: NDArray[np.float32]) -> NDArray[Any]:
        """(n, dim) features -> (n,) float64 amounts or str names of classes."""


def near_km(latlon: NDArray[np.float64]) -> float:
    """How far from a label predictions are no extrapolations: three times the spacing of the labels.

    The spacing is the distance to the nearest other labeled position that 95 % of the positions keep to. It says
    nothing of the features, only that what lies between labels was looked at more closely than what lies far off.

    Args:
        latlon: (n, 2) degrees of the labels.
    """
    from scipy.spatial import cKDTree

    points = unit_xyz(np.unique(latlon, axis=0))
    if len(points) < 2:
        return 0.0
    distance, _ = cKDTree(points).query(points, k=2)
    return float(_SPACINGS * _km(np.percentile(distance[:, 1], _TYPICAL)))


def check_anywhere(encoder: str) -> None:
    """Refuse an encoder whose features are made for the positions of one table, and mean nothing elsewhere.

    Raises:
        InputError: It is the mean, or waves of the extent of a table.
    """
    if is_floor(encoder) and encoder != "sincos" and not encoder.startswith("harmonics"):
        raise InputError(f"The baseline {encoder!r} is made for the positions of one table: choose another embedder.")


def predict_atlas(
    probe: Predictor,
    encoder: str,
    table: LabelTable,
    atlas: Atlas,
    *,
    raw: bool = False,
    provenance: Provenance | None = None,
    progress: Callable[[str, float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> PredictionMap:
    """Predict the target of a table at every land cell of an atlas.

    Args:
        probe: Fitted on the features of the table by that encoder.
        encoder: Its name, see `encoders`.
        table: What the probe was fitted on.
        atlas: Where the cells are, and where models, pictures and texts come from.
        raw: Whether the features of the table were not brought to length one.
        provenance: Written into files of the map.
        progress: Called with what is being done, and the share of all that is done.
        cancelled: Asked between batches.

    Raises:
        InputError: The encoder has no features of its own at other positions, or has none here.
        CheckpointError: Weights are missing or damaged.
        StoppedError: It was cancelled.
    """
    check_anywhere(encoder)
    grid = land_grid(atlas)
    done = 0

    def encode(latlon: NDArray[np.float64]) -> NDArray[np.float32]:
        nonlocal done
        cells = LabelTable("cells", latlon, np.zeros(len(latlon)), "regression", "cell")
        share, begun = len(latlon) / len(grid), done / len(grid)
        told = None if progress is None else lambda words, part: progress(words, begun + part * share)
        found = encoded([encoder], cells, atlas, told, cancelled, raw=raw, floors=False)[encoder].vectors
        done += len(latlon)
        return found

    return predict_everywhere(
        probe, encode, grid, table, provenance=provenance, cancelled=cancelled, batch=_ATLAS_CELLS
    )


def predict_everywhere(
    probe: Predictor,
    encode: Encode,
    grid: Grid,
    table: LabelTable,
    *,
    provenance: Provenance | None = None,
    progress: Callable[[str, float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    batch: int = CELLS_AT_ONCE,
) -> PredictionMap:
    """Predict the target of a table at every cell of a grid.

    Args:
        probe: Fitted on the features of the table.
        encode: (m, 2) degrees -> (m, dim) features as the probe was fitted on; NaN rows where there are none.
        grid: The cells, such as `gallery_embeddings.land_grid` of an atlas.
        table: What the probe was fitted on.
        provenance: Written into files of the map.
        progress: Called with what is being done, and the share of it that is done.
        cancelled: Asked between batches.
        batch: Cells that are encoded at once.

    Returns:
        The map, without cells that have no features.

    Raises:
        InputError: No cell has features.
        StoppedError: It was cancelled.
    """
    cells = grid.cells
    parts: list[NDArray[Any]] = []
    known = np.zeros(len(cells), bool)
    for start in range(0, len(cells), batch):
        if cancelled is not None and cancelled():
            raise StoppedError("The predictions were stopped.")
        rows = slice(start, start + batch)
        features = encode(cells[rows])
        known[rows] = np.isfinite(features).all(axis=1)
        if known[rows].any():
            parts.append(probe.predict(features[known[rows]]))
        if progress is not None:
            progress("Predicting the map", min(rows.stop, len(cells)) / len(cells))
    if not parts:
        raise InputError("No cell of the map has what this encoder encodes: choose another encoder.")
    predicted = np.concatenate(parts)
    if not known.all():
        mask = grid.mask.copy()
        mask[grid.mask] = known
        grid = Grid(grid.bounds, mask)
    values, classes = predicted, ()
    if table.kind == "classification":
        names = np.unique(table.target)
        values, classes = np.searchsorted(names, predicted).astype(np.int64), tuple(names.tolist())
    return PredictionMap(
        grid, values, classes, table.target_name, table.unit, _distance_km(grid.cells, _labeled(table)),
        near_km(table.latlon), provenance,
    )  # fmt: skip


def _labeled(table: LabelTable) -> NDArray[np.float64]:
    """All positions that a label stands for, (m, 2) degrees."""
    if table.areas is None:
        return table.latlon
    inside = table.areas.reshape(-1, 2)
    return np.concatenate([table.latlon, inside[np.isfinite(inside[:, 0])]])


def _distance_km(cells: NDArray[np.float64], labeled: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.spatial import cKDTree

    distance, _ = cKDTree(unit_xyz(labeled)).query(unit_xyz(cells))
    return _km(distance)


def _km(chord: Any) -> NDArray[np.float64]:
    """Distance on the ground of a straight distance of the unit sphere."""
    return arc_rad(chord) * EARTH_RADIUS_M / 1000
