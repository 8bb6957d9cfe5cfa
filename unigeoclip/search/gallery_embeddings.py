"""Vectors of an atlas: every land cell and every gallery place, encoded once and kept in a cache folder.

The folder is named after the data and the checkpoint, so that neither can change under it:
``<cache>/<atlas>-<data hash>-<checkpoint id>/`` with ``grid.npy`` and one ``places_<modality>.npy`` each, or
``windows<most>_<modality>.npy`` where a place has several windows (`gallery_windows`), float16.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from unigeoclip.checkpoint import checkpoint_id
from unigeoclip.errors import CheckpointError, InputError
from unigeoclip.files.cache import cache_array, cache_folder, cached_array
from unigeoclip.geo import EARTH_RADIUS_M, METERS_PER_DEGREE, unit_xyz
from unigeoclip.modalities import text as text_modality
from unigeoclip.modalities.street import street_batch
from unigeoclip.modalities.text import TextBatch
from unigeoclip.modalities.towers.text import TextTower
from unigeoclip.parallel import parallel_map, read_ahead
from unigeoclip.search.gallery_windows import MOST_WINDOWS, gallery_rows, gallery_windows
from unigeoclip.similarity.grid import Grid

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.modalities.location import LocationEncoder
    from unigeoclip.model import UniGeoCLIP

__all__ = [
    "VectorCache",
    "encode_cells",
    "encode_places",
    "gallery_rows",
    "land_grid",
    "mean_over_waves",
    "sentence_inputs",
    "sentence_vectors_of",
    "text_batch",
    "wave_radius_m",
]

_GRID = "grid"
_FORMAT = 1  # of the cached files: raise it when what they hold changes
# Activations of so many items stay in the processor's cache.
_BATCH = {"location": 512, "text": 512, "aerial": 128, "surface": 128, "street": 64}
# Rough cost of encoding one item, in location encodings: only the progress bar depends on it.
_COST = {"grid": 1.0, "location": 1.0, "text": 0.7, "aerial": 4.0, "surface": 2.0, "street": 14.0}
MOST_ROWS = 3  # of the grid that a mean over waves reaches up or down, however long the waves are
_AHEAD = 4  # batches that wait for the model while a thread cuts the next
_MANY = 200  # windows or views from which on whole rasters are held while they are cut
_MAX_NORM_ERROR = 0.01  # a cached vector further than this from norm 1 is damaged; float16 itself errs by 0.0005

_log = logging.getLogger(__name__)


def land_grid(atlas: Atlas) -> Grid:
    """The grid on which heatmaps of an atlas are computed: its land cells."""
    land = atlas.land_grid()
    return Grid(land.bounds, land.mask)


def encode_cells(
    model: UniGeoCLIP, latlon: NDArray[np.float64], report: Callable[[int], None] | None = None
) -> NDArray[np.float32]:
    """Encode points in batches, (n, 2) degrees -> (n, dim) unit vectors; reports how many were done since last."""
    batches = (latlon[rows] for rows in _batches(len(latlon), "location"))
    return _encode(model, "location", batches, len(latlon), report)


def wave_radius_m(model: UniGeoCLIP, grid: Grid) -> float:
    """Half of the location encoder's finest wave, meters, but no more than some rows of a grid."""
    wave_m = min(cast("LocationEncoder", model.encoders["location"]).wavelengths_m())
    return min(wave_m / 2, MOST_ROWS * METERS_PER_DEGREE * grid.step_deg[0])


def mean_over_waves(model: UniGeoCLIP, grid: Grid, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """What a cell of a heatmap stands for: the mean over all cells within half of the location encoder's finest wave.

    What changes within one wave is interpolation between what was learned; shown cell by cell it is noise.

    Args:
        model: One that encodes locations.
        grid: The cells.
        vectors: (n, dim) unit vectors of the cells.

    Returns:
        (n, dim) float32, none longer than 1: products with a unit vector are mean similarities.
    """
    radius_m = wave_radius_m(model, grid)
    tree = cKDTree(unit_xyz(grid.cells))
    pairs = tree.query_pairs(2 * np.sin(radius_m / (2 * EARTH_RADIUS_M)), output_type="ndarray")
    count = len(vectors)
    rows, columns = np.concatenate([pairs, pairs[:, ::-1], np.repeat(np.arange(count)[:, None], 2, axis=1)]).T
    shares = (1 / np.bincount(rows, minlength=count)).astype(np.float32)
    means: NDArray[np.float32] = csr_array((shares[rows], (rows, columns)), shape=(count, count)) @ vectors
    return means


def encode_places(
    model: UniGeoCLIP,
    atlas: Atlas,
    modality: str,
    rows: NDArray[np.int64],
    report: Callable[[int], None] | None = None,
    sentence_vectors: NDArray[Any] | None = None,
    *,
    latlon: NDArray[np.float64] | None = None,
    cameras: NDArray[np.int64] | None = None,
    bulk: bool = False,
) -> NDArray[np.float32]:
    """Encode one modality of places.

    Args:
        model: The model.
        atlas: Where the places, rasters and sentences come from.
        modality: One that both the atlas and the model have.
        rows: (n,) row numbers into ``atlas.places``.
        report: Called with the number of places done since the last call.
        sentence_vectors: What the text encoder reads of all sentences of the atlas, see `sentence_inputs`, which makes
            it by default.
        latlon: (n, 2) degrees, where locations and windows are taken instead of at the centres of the places.
        cameras: (n,) rows of ``atlas.views`` to look through instead of the cameras nearest to the centres.
        bulk: Cut windows in a thread of its own while the model encodes those before, and compute to the last bit the
            same on any number of threads.

    Returns:
        (n, dim) float32 unit vectors.

    Raises:
        InputError: The modality cannot be read from an atlas, or a place lacks it (`Atlas.present`).
    """
    if latlon is None:
        _check_present(atlas, modality, rows)
    latlon = atlas.places[["lat", "lon"]].to_numpy(np.float64)[rows] if latlon is None else latlon
    batches = _batches(len(rows), modality)
    if modality == "location":
        return _encode(model, modality, (latlon[batch] for batch in batches), len(rows), report, bulk)
    if modality in ("aerial", "surface"):
        raster, px = atlas.raster(modality), model.window_px(modality)
        with raster.whole() if len(rows) > _MANY else contextlib.nullcontext():
            windows = (raster.windows(latlon[batch], atlas.window_m, px) for batch in batches)
            return _encode(model, modality, windows, len(rows), report, bulk)
    if modality == "street":
        cameras = _cameras(atlas, rows) if cameras is None else cameras
        return _encode_streets(model, atlas, cameras, batches, report, bulk)
    if modality == "text":
        sentences = atlas.places["sentences"].to_numpy()[rows]
        vectors = sentence_inputs(model, atlas, rows) if sentence_vectors is None else sentence_vectors
        texts = (text_batch(sentences[batch], vectors) for batch in batches)
        return _encode(model, modality, texts, len(rows), report, bulk)
    raise InputError(f"Places of the atlas {atlas.name!r} have no {modality!r}.")


def _check_present(atlas: Atlas, modality: str, rows: NDArray[np.int64]) -> None:
    """A place without a picture must not be encoded as what fills the gap."""
    lacking = rows[~atlas.present(modality)[rows]]
    if len(lacking):
        place = atlas.places["place_id"].iloc[int(lacking[0])]
        raise InputError(
            f"The place {place!r} of the atlas {atlas.name!r} has no {modality!r}: nothing is known there."
        )


def _cameras(atlas: Atlas, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    places = atlas.places["place_id"].iloc[rows]
    views = [atlas.streets.of_place(place) for place in places]
    if None in views:
        raise InputError(
            f"The place {places.iloc[views.index(None)]!r} of the atlas {atlas.name!r} has no street view."
        )
    return np.array([view.row for view in views if view is not None], np.int64)


def _encode_streets(
    model: UniGeoCLIP,
    atlas: Atlas,
    cameras: NDArray[np.int64],
    batches: list[slice],
    report: Callable[[int], None] | None,
    bulk: bool,
) -> NDArray[np.float32]:
    """Panoramas of cameras, (n,) rows of views -> (n, dim)."""
    streets, (width, height) = atlas.streets, model.input_size("street")
    with streets.held() if len(cameras) > _MANY else contextlib.nullcontext():
        views = (street_batch(*streets.panoramas(cameras[batch], width, height)) for batch in batches)
        return _encode(model, "street", views, len(cameras), report, bulk)


def sentence_vectors_of(
    atlas: Atlas, rows: NDArray[np.int64], report: Callable[[int, int], None] | None = None
) -> NDArray[np.float32]:
    """Vectors of all sentences that some places use, (sentences, 384): those that ship, the others embedded now.

    Args:
        atlas: The atlas.
        rows: (n,) of the places.
        report: Called with the number of sentences embedded since the last call, and of all that are embedded now.
    """
    shipped = atlas.sentence_vectors()
    used = np.unique(np.concatenate([np.asarray(some, np.int64) for some in atlas.places["sentences"].iloc[rows]]))
    missing = used[used >= len(shipped)]
    if not len(missing):
        return shipped
    vectors = np.zeros((len(atlas.sentences), shipped.shape[1]), np.float32)
    vectors[: len(shipped)] = shipped
    texts = atlas.sentences["text"].iloc[missing].tolist()
    progress = None if report is None else partial(_report_of, report, len(texts))
    vectors[missing] = text_modality.sentence_encoder().embed(texts, progress=progress)
    return vectors


def sentence_inputs(
    model: UniGeoCLIP, atlas: Atlas, rows: NDArray[np.int64], report: Callable[[int, int], None] | None = None
) -> NDArray[Any]:
    """What the text encoder of a model reads of all sentences that some places use, a row each, see `TextBatch`.

    Args:
        model: With the modality text.
        atlas: The atlas.
        rows: (n,) of the places.
        report: See `sentence_vectors_of`.

    Returns:
        (sentences, 384) sentence vectors, or (sentences, tokens) token ids; what no place uses is zeros.
    """
    encoder = model.encoders["text"]
    if not isinstance(encoder, TextTower):
        return sentence_vectors_of(atlas, rows, report)
    used = np.unique(np.concatenate([np.asarray(some, np.int64) for some in atlas.places["sentences"].iloc[rows]]))
    ids = np.zeros((len(atlas.sentences), encoder.config.tokens), np.int32)
    ids[used] = encoder.embed(atlas.sentences["text"].iloc[used].tolist())
    return ids


def _report_of(report: Callable[[int, int], None], total: int, count: int) -> None:
    report(count, total)


def _batches(count: int, modality: str) -> list[slice]:
    size = _BATCH[modality]
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]


def text_batch(sentences: Sequence[NDArray[np.integer[Any]]], vectors: NDArray[Any]) -> TextBatch:
    """Bags of sentences: one array of row numbers a place, and the rows of all sentences, see `sentence_inputs`."""
    lengths = np.array([len(numbers) for numbers in sentences], dtype=np.int64)
    numbers = np.concatenate([np.asarray(numbers, dtype=np.int64) for numbers in sentences])
    kind = np.float32 if vectors.dtype.kind == "f" else np.int64
    return TextBatch(torch.from_numpy(vectors[numbers].astype(kind)), torch.from_numpy(lengths))


def _encode(
    model: UniGeoCLIP,
    modality: str,
    batches: Iterator[Any],
    count: int,
    report: Callable[[int], None] | None,
    bulk: bool = False,
) -> NDArray[np.float32]:
    out = np.empty((count, model.dim), dtype=np.float32)
    done = 0
    with contextlib.ExitStack() as stack:
        parts = stack.enter_context(contextlib.closing(read_ahead(batches, _AHEAD))) if bulk else batches
        encoded = parallel_map(
            lambda batch: model.encode({modality: batch})[modality].cpu().numpy(), parts, steady=bulk
        )
        for vectors in encoded:
            out[done : done + len(vectors)] = vectors
            done += len(vectors)
            if report is not None:
                report(len(vectors))
    return out


class VectorCache:
    """Vectors of one atlas under one model: read from the cache folder, or computed and put there."""

    def __init__(self, atlas: Atlas, model: UniGeoCLIP, grid: Grid, cache_dir: Path | None = None) -> None:
        """Name the folder; nothing is computed yet.

        Args:
            atlas: The atlas.
            model: The model of ``atlas.model_path``.
            grid: The land grid.
            cache_dir: Where cache folders lie; by default ``cache_folder()``.
        """
        self.atlas, self.model, self.grid = atlas, model, grid
        self.modalities = tuple(name for name in atlas.manifest.modalities if name in model.modalities)
        name = f"{atlas.name}-{_data_hash(atlas)}-{checkpoint_id(atlas.model_path)}"
        self.folder = (cache_dir or cache_folder()) / name
        self._windows = {name: gallery_windows(atlas, name) for name in self.modalities}

    def load(
        self, progress: Callable[[str, float], None] | None = None
    ) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
        """Read the vectors; compute and keep what is missing or damaged.

        They pass through float16 either way: the first start gives the same answers as every later one.

        Args:
            progress: Called with what is being computed and the share of it that is done, 0 to 1.

        Returns:
            Unit vectors, float32: of the grid's cells (n, dim) and, by modality, of the gallery's items (m, dim), in
            the order of `gallery_windows`: all places at their centers first.
        """
        counts = {_GRID: len(self.grid)} | {name: len(windows) for name, windows in self._windows.items()}
        vectors = self._load(counts, progress)
        return vectors.pop(_GRID), vectors

    def load_grid(self, progress: Callable[[str, float], None] | None = None) -> NDArray[np.float32]:
        """Vectors of the grid's cells alone, (n, dim), as `load` returns them."""
        return self._load({_GRID: len(self.grid)}, progress)[_GRID]

    def _load(
        self, counts: dict[str, int], progress: Callable[[str, float], None] | None
    ) -> dict[str, NDArray[np.float32]]:
        found = {name: self._read(name, count) for name, count in counts.items()}
        missing = [name for name, vectors in found.items() if vectors is None]
        total = sum(counts[name] * _COST[name] for name in missing)
        done = 0.0
        for name in missing:
            words = "Encoding the map" if name == _GRID else f"Encoding the places: {name}"

            def report(count: int, cost: float = _COST[name], words: str = words) -> None:
                nonlocal done
                done += cost * count
                if progress is not None:
                    progress(words, done / total)

            found[name] = self._keep(name, self._compute(name, report))
        return cast("dict[str, NDArray[np.float32]]", found)

    def _compute(self, name: str, report: Callable[[int], None]) -> NDArray[np.float32]:
        if name == _GRID:
            return encode_cells(self.model, self.grid.cells, report)
        windows = self._windows[name]
        latlon = windows.latlon if len(windows) > windows.places else None
        return encode_places(self.model, self.atlas, name, windows.rows, report, latlon=latlon)

    def _path(self, name: str) -> Path:
        if name == _GRID:
            return self.folder / f"{name}.npy"
        windows = self._windows[name]
        return self.folder / (
            f"windows{MOST_WINDOWS}_{name}.npy" if len(windows) > windows.places else f"places_{name}.npy"
        )

    def _read(self, name: str, count: int) -> NDArray[np.float32] | None:
        """The cached vectors; None if there are none, or not as many as there must be, or damaged ones."""
        path = self._path(name)
        stored = cached_array(path, (count, self.model.dim), np.float16)
        if stored is None:
            return None
        vectors = _restored(stored)
        if vectors is None:
            _log.warning("%s is damaged (vectors without unit length) and is computed again.", path)
        return vectors

    def _keep(self, name: str, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Write vectors as float16 under a temporary name, rename, and return what reading them would give."""
        stored = vectors.astype(np.float16)
        cache_array(self._path(name), stored)
        restored = _restored(stored)
        if restored is None:
            raise CheckpointError(
                f"The model in {self.atlas.model_path} gives no unit vectors for {name!r}: train it again."
            )
        return restored


def _restored(stored: NDArray[np.float16]) -> NDArray[np.float32] | None:
    """float16 -> float32 of exact unit length, or None if these cannot be unit vectors."""
    vectors = stored.astype(np.float32)
    norms = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))
    # Written so that NaN counts as damaged too.
    if not (np.abs(norms - 1) <= _MAX_NORM_ERROR).all():
        return None
    vectors /= norms[:, None]
    return vectors


def _data_hash(atlas: Atlas) -> str:
    """Eight hexadecimal digits that change with the data of an atlas: its files, window and grid."""
    manifest = atlas.manifest
    parts = [_FORMAT, atlas.files_hash, manifest.window_m, manifest.bounds, manifest.grid.step_deg, manifest.modalities]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:8]
