"""Features of our modalities at the positions of a table: the atlas's pictures, views, heights and texts there."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from unigeoclip.atlas.models import load_fitting
from unigeoclip.errors import InputError
from unigeoclip.geo import EARTH_RADIUS_M, chord, unit_xyz
from unigeoclip.search.gallery_embeddings import encode_places

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.evaluation.probing.work import Work
    from unigeoclip.model import UniGeoCLIP
    from unigeoclip.tasks.label_table import LabelTable

__all__ = ["ModalityFeatures"]

LEAST_SHARE = 0.5  # of the rows that must have a modality
MOST_ITEMS = 60_000  # pictures, views or texts to encode: minutes of work
_COST = {"location": 1.0, "text": 0.7, "aerial": 4.0, "surface": 2.0, "street": 14.0}  # in location encodings
_AT_ONCE = 512  # items between two looks at whether the work is still wanted


class ModalityFeatures:
    """Encodes what an atlas has at the positions, or the points of the areas, of one table."""

    def __init__(self, table: LabelTable, atlas: Atlas) -> None:
        """Load the atlas's model; nothing is encoded yet.

        Raises:
            CheckpointError: It is missing or damaged.
        """
        self._table, self._atlas = table, atlas
        self._model: UniGeoCLIP = load_fitting(atlas)
        self._vectors: dict[str, NDArray[np.float32]] = {}

    @property
    def dim(self) -> int:
        """Length of the vectors of every modality."""
        return self._model.dim

    @property
    def modalities(self) -> tuple[str, ...]:
        """Those that both the atlas and its model have."""
        return tuple(name for name in self._atlas.manifest.modalities if name in self._model.modalities)

    def check(self, name: str) -> None:
        """Refuse a modality that most rows lack.

        Args:
            name: A modality, or "ensemble".

        Raises:
            InputError: The atlas or its model lacks it, or most of the rows do, or there are too many items.
        """
        if name == "ensemble":
            return
        if name not in self.modalities:
            raise InputError(
                f"The atlas {self._atlas.name!r} has no {name!r} for its model to encode; it has "
                f"{', '.join(self.modalities)}."
            )
        known = int(self._has(name).sum())
        if known < LEAST_SHARE * len(self._table):
            raise InputError(
                f"Only {known:,} of {len(self._table):,} rows have a {name!r} in the atlas {self._atlas.name!r}: leave "
                f"{name!r} out, or use rows inside the atlas."
            )
        count = len(self._items(name)[0])
        if count > MOST_ITEMS:
            raise InputError(
                f"{count:,} {name} items would be encoded, at most {MOST_ITEMS:,} are: use fewer rows, or encoders of "
                "locations alone."
            )

    def _parts(self, name: str) -> list[str]:
        """The modalities of a name; an ensemble goes without those that most rows lack."""
        if name != "ensemble":
            return [name]
        return [each for each in self.modalities if self._has(each).mean() >= LEAST_SHARE]

    def cost(self, name: str) -> float:
        """Rough cost of what is still to be encoded, in location encodings."""
        return sum(_COST[part] * len(self._items(part)[0]) for part in self._parts(name) if part not in self._vectors)

    def vectors(self, name: str, work: Work) -> NDArray[np.float32]:
        """Vectors of the rows, (n, dim); NaN where a row has nothing to encode.

        Those of "ensemble" are the means of the unit vectors of the modalities that a row has.
        """
        parts = self._parts(name)
        for part in parts:
            if part not in self._vectors:
                self._vectors[part] = self._encode(part, work)
        if name != "ensemble":
            return self._vectors[name]
        total = np.zeros((len(self._table), self.dim), np.float32)
        count = np.zeros(len(self._table), np.float32)
        for part in parts:
            has = self._has(part)
            total[has] += self._vectors[part][has]
            count += has
        with np.errstate(invalid="ignore", divide="ignore"):
            means: NDArray[np.float32] = np.where(count[:, None] > 0, total / count[:, None], np.nan)
        return means

    def _encode(self, name: str, work: Work) -> NDArray[np.float32]:
        """Encode the items of a modality once each, and average those of each row."""
        items, of_point = self._items(name)
        work.begin(f"Encoding the rows: {name}", _COST[name])
        vectors = np.empty((len(items), self.dim), np.float32)
        for start in range(0, len(items), _AT_ONCE):
            some = items[start : start + _AT_ONCE]
            vectors[start : start + len(some)] = self._encoded(name, some)
            work.step(len(some))
        owner, _ = self._points
        known = of_point >= 0
        counts = np.bincount(owner[known], minlength=len(self._table))
        total = np.zeros((len(self._table), self.dim))
        np.add.at(total, owner[known], vectors[of_point[known]])
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(counts[:, None] > 0, total / counts[:, None], np.nan).astype(np.float32)

    def _encoded(self, name: str, items: NDArray[np.int64]) -> NDArray[np.float32]:
        if name == "text":
            return encode_places(self._model, self._atlas, name, items)  # of `_told_places`, whose vectors all ship
        if name == "street":
            rows = np.zeros(len(items), np.int64)  # which place a camera is of does not matter
            latlon = self._atlas.views[["lat", "lon"]].to_numpy(np.float64)[items]
            return encode_places(self._model, self._atlas, name, rows, latlon=latlon, cameras=items)
        _, latlon = self._points
        rows = np.zeros(len(items), np.int64)
        return encode_places(self._model, self._atlas, name, rows, latlon=latlon[items])

    # What is at a point

    @functools.cached_property
    def _points(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Row and position of each point: of the rows, or of the points of their areas."""
        return self._table.points()

    def _has(self, name: str) -> NDArray[np.bool_]:
        """Rows with a modality at one of their points, (n,)."""
        owner, _ = self._points
        found = np.zeros(len(self._table), bool)
        found[owner[self._items(name)[1] >= 0]] = True
        return found

    def _items(self, name: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Numbers of the items to encode, and of each point its item among them, -1 for none."""
        if name not in self._found:
            self._found[name] = self._find(name)
        return self._found[name]

    @functools.cached_property
    def _found(self) -> dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]]:
        return {}

    def _find(self, name: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        _, latlon = self._points
        if name == "text":
            return self._nearest(self._told_places, latlon)
        if name == "street":
            return self._nearest(np.arange(len(self._atlas.views)), latlon, self._atlas.views)
        known = np.ones(len(latlon), bool)
        if name != "location":
            south, west, north, east = self._atlas.manifest.bounds
            known = (latlon[:, 0] >= south) & (latlon[:, 0] <= north) & (latlon[:, 1] >= west) & (latlon[:, 1] <= east)
            known[known] = self._atlas.present_at(name, latlon[known])
        items = np.flatnonzero(known)
        of_point = np.full(len(latlon), -1)
        of_point[items] = np.arange(len(items))
        return items, of_point

    @functools.cached_property
    def _told_places(self) -> NDArray[np.int64]:
        """Rows of the places whose sentences all have a vector that ships: others would take minutes to embed."""
        shipped = len(self._atlas.sentence_vectors())
        told = [len(some) > 0 and max(some) < shipped for some in self._atlas.places["sentences"]]
        return np.flatnonzero(told)

    def _nearest(
        self, candidates: NDArray[np.int64], latlon: NDArray[np.float64], table: object = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The nearest candidate to each point within the width of a window, and each once as an item."""
        frame = self._atlas.places if table is None else self._atlas.views
        places = frame[["lat", "lon"]].to_numpy(np.float64)[candidates]
        limit = float(chord(self._atlas.window_m / EARTH_RADIUS_M))
        apart, which = cKDTree(unit_xyz(places)).query(unit_xyz(latlon), distance_upper_bound=limit)
        near = np.isfinite(apart)
        used, item = np.unique(candidates[which[near]], return_inverse=True)
        of_point = np.full(len(latlon), -1)
        of_point[near] = item
        return used, of_point
