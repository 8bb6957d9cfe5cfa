"""The gallery of an atlas: its places and the vectors of their items, searched by similarity."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from unigeoclip.errors import InputError, excerpt
from unigeoclip.geo import as_latlon, distance_m, unit_xyz
from unigeoclip.search.composing.alternatives import best_of_any
from unigeoclip.search.gallery_embeddings import encode_places
from unigeoclip.search.gallery_windows import MOST_WINDOWS, gallery_rows, gallery_windows
from unigeoclip.search.results import Match, Place
from unigeoclip.stores.base import Items
from unigeoclip.stores.filters import within
from unigeoclip.stores.flat import FlatStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.model import UniGeoCLIP
    from unigeoclip.search.query import Query
    from unigeoclip.search.query_items import GalleryItem

__all__ = ["Gallery"]


class Gallery:
    """Places of an atlas, those of the gallery with an index of vectors for each modality."""

    def __init__(
        self,
        atlas: Atlas,
        model: UniGeoCLIP,
        places: dict[str, NDArray[np.float32]],
        offsets: dict[str, dict[str, NDArray[np.float32]]] | None = None,
    ) -> None:
        """Build the indexes.

        Args:
            atlas: The atlas.
            model: Its model, which encodes places that are not in the gallery.
            places: Modality name -> (items, dim) unit vectors, in the order of ``gallery_windows``.
            offsets: Modality name -> kind of query -> (items,), from `hubs.hub_offsets`; without, items are ranked by
                their similarity alone.
        """
        self.atlas, self.model = atlas, model
        self._rows = gallery_rows(atlas)
        table = atlas.places.iloc[self._rows]
        self._ids, self._names = table["place_id"].tolist(), table["name"].tolist()
        self._row_of = {place_id: row for row, place_id in enumerate(atlas.places["place_id"].tolist())}
        # A modality that no place of the gallery has cannot be searched.
        self._windows = {name: gallery_windows(atlas, name) for name, vectors in places.items() if len(vectors)}
        # Of each index: the gallery place that its items belong to; and the item that is the center of a place.
        self._numbers = {name: np.searchsorted(self._rows, each.rows) for name, each in self._windows.items()}
        self._item_of = {
            name: {int(row): item for item, row in enumerate(each.rows[: each.places].tolist())}
            for name, each in self._windows.items()
        }
        # What is subtracted of an item is a number more for each kind of query: see `_asked`.
        subtracted = {name: (offsets or {}).get(name, {}) for name in self._windows}
        self._kinds = {name: tuple(each) for name, each in subtracted.items()}
        rows = {
            name: np.column_stack([places[name], *(-each for each in subtracted[name].values())])
            for name in self._windows
        }
        self._store = FlatStore(rows, {name: self._items(name) for name in self._windows})

    def _items(self, modality: str) -> Items:
        """Whose the items are, and where: a street view stands where its camera does."""
        ids, latlon = [self._ids[number] for number in self._numbers[modality].tolist()], self._windows[modality].latlon
        if modality == "street":
            views = [self.atlas.streets.of_place(place_id) for place_id in ids]
            latlon = np.array(
                [at if view is None else (view.lat, view.lon) for view, at in zip(views, latlon.tolist(), strict=True)]
            )
        return Items(ids, latlon)

    @property
    def modalities(self) -> tuple[str, ...]:
        """Modalities that can be searched."""
        return self._store.modalities

    def place_vectors(self, place_id: str, *, encode: bool = True) -> dict[str, NDArray[np.float32]]:
        """Vectors of the items that a place has, modality -> (dim,).

        Args:
            place_id: The place.
            encode: Whether items that are not in the gallery are encoded, which takes most of a second, or NaN.

        Raises:
            InputError: There is no such place.
        """
        row = self._row(place_id)
        vectors = {}
        for name in self._windows:
            item = self._item_of[name].get(row)
            if item is not None:
                vectors[name] = self._vectors(name, [item])[0]
            elif self.atlas.present(name)[row]:
                unknown = np.full(self.model.dim, np.nan, np.float32)
                vectors[name] = encode_places(self.model, self.atlas, name, np.array([row]))[0] if encode else unknown
        return vectors

    def item_vector(self, item: GalleryItem) -> NDArray[np.float32]:
        """Vector of one item of a place, (dim,).

        Raises:
            InputError: There is no such place, or it has no such item.
        """
        if item.modality in self.modalities:
            items = self._items_of(item.modality, self._row(item.place_id))
            if item.window < len(items):
                found: NDArray[np.float32] = self._vectors(item.modality, items[item.window : item.window + 1])[0]
                return found
        vector = None if item.window else self.place_vectors(item.place_id).get(item.modality)
        if vector is None:
            raise InputError(f"The place '{excerpt(item.place_id)}' has no such item of {excerpt(item.modality)!r}.")
        return vector

    def _items_of(self, modality: str, row: int) -> NDArray[np.int64]:
        """Items of a place in one modality, in rising order: its center, then its other windows."""
        return np.flatnonzero(self._windows[modality].rows == row)

    def vectors(self, modality: str) -> NDArray[np.float32]:
        """Unit vectors of a modality of all places of the gallery that have it, at their centers, (n, dim).

        Raises:
            InputError: The modality cannot be searched.
        """
        return self._vectors(modality, np.arange(self._windows[self._searchable(modality)].places))

    def hub_offsets(self, modality: str, kind: str) -> NDArray[np.float32]:
        """What is subtracted from the similarities of the items of `vectors` to queries of a kind, (n,).

        Args:
            modality: Of the items.
            kind: Of the query: a modality, or "phrase" for a short text; see `search.hubs`.

        Raises:
            InputError: The modality cannot be searched.
        """
        count = self._windows[self._searchable(modality)].places
        if kind not in self._kinds[modality]:
            return np.zeros(count, np.float32)
        column = self.model.dim + self._kinds[modality].index(kind)
        return -self._store.vectors(modality, np.arange(count))[:, column]

    def _vectors(self, modality: str, items: ArrayLike) -> NDArray[np.float32]:
        """Unit vectors of some items of a modality, (n, dim)."""
        return np.ascontiguousarray(self._store.vectors(modality, items)[:, : self.model.dim])

    def item_rows(self, modality: str) -> NDArray[np.int64]:
        """Row of the place, in the atlas, of each vector of `vectors`, (n,).

        Raises:
            InputError: The modality cannot be searched.
        """
        windows = self._windows[self._searchable(modality)]
        return windows.rows[: windows.places]

    def _searchable(self, modality: str) -> str:
        if modality not in self.modalities:
            raise InputError(f"{modality!r} cannot be searched here; choose among {', '.join(self.modalities)}.")
        return modality

    def _row(self, place_id: str) -> int:
        if place_id not in self._row_of:
            raise InputError(f"There is no place '{excerpt(place_id)}' in the atlas {self.atlas.name!r}.")
        return self._row_of[place_id]

    def _matches(self, query: Query, k: int, modalities: Sequence[str] | None) -> dict[str, list[Match]]:
        if k < 1:
            raise InputError(f"The number of matches must be at least 1, not {k}.")
        wanted = self.modalities if modalities is None else tuple(modalities)
        if unknown := [name for name in wanted if name not in self.modalities]:
            raise InputError(f"{unknown[0]!r} cannot be searched here; choose among {', '.join(self.modalities)}.")
        return {modality: self._best(query, k, modality) for modality in wanted}

    def _asked(self, query: Query, modality: str) -> NDArray[np.float32]:
        """A query as an index takes it, so that inner products are scores: (alternatives, dim + kinds of query)."""
        kinds = self._kinds[modality]
        shares = [[each.shares.get(kind, 0.0) for kind in kinds] for each in query.alternatives]
        return np.column_stack([np.stack([each.vector for each in query.alternatives]), np.array(shares, np.float32)])

    def _best(self, query: Query, k: int, modality: str) -> list[Match]:
        """The k places with the highest scores, each by its best window."""
        top = min(k * MOST_WINDOWS, self._store.count(modality))
        found = self._store.search(self._asked(query, modality), modality, top, bbox=query.area)
        items, scores = best_of_any(found, [each.offset for each in query.alternatives])
        first = np.sort(np.unique(self._numbers[modality][items], return_index=True)[1])[:k]
        return [
            self._match(modality, item, score, query)
            for item, score in zip(items[first].tolist(), scores[first].tolist(), strict=True)
        ]

    def _match(self, modality: str, item: int, score: float, query: Query) -> Match:
        number, (lat, lon) = int(self._numbers[modality][item]), self._windows[modality].latlon[item].tolist()
        view = self.atlas.streets.of_place(self._ids[number]) if modality == "street" else None
        heading = None if view is None else view.heading_deg
        lat, lon = (lat, lon) if view is None else (view.lat, view.lon)
        meters = None if query.origin is None else float(distance_m(query.origin, (lat, lon)))
        similarity = float(query.similarities(self._vectors(modality, [item]))[0])
        bounded = min(max(similarity, -1.0), 1.0)  # rounding can leave 1.0000001
        window = int(np.searchsorted(self._items_of(modality, int(self._rows[number])), item))
        name = self._names[number]
        return Match(modality, self._ids[number], name, lat, lon, bounded, meters, heading, score, window)

    def place_matches(self, query: Query, place_id: str, *, encode: bool = True) -> dict[str, Match]:
        """How like a query the items of one place are, by modality; modalities that the place lacks are missing.

        Args:
            query: From ``Explorer.query``.
            place_id: The place.
            encode: Whether items that are not in the gallery are encoded, which takes most of a second; if not, their
                similarity is NaN.

        Raises:
            InputError: There is no such place.
        """
        row = self._row(place_id)
        _, name, lat, lon, _ = self._records[row]
        found = {}
        for modality, vector in self.place_vectors(place_id, encode=encode).items():
            view = self.atlas.streets.of_place(place_id) if modality == "street" else None
            at = (lat, lon) if view is None else (view.lat, view.lon)
            meters = None if query.origin is None else float(distance_m(query.origin, at))
            similarity = float(np.clip(query.similarities(vector[None])[0], -1.0, 1.0))
            heading = None if view is None else view.heading_deg
            found[modality] = Match(modality, place_id, name, at[0], at[1], similarity, meters, heading)
        return found

    def item_similarities(self, query: Query, modality: str) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """How like a query every place of the gallery within its area is in one modality, by its most similar window.

        Returns:
            Latitude and longitude of these windows (n, 2) degrees, and their similarities (n,) in [-1, 1].

        Raises:
            InputError: The modality cannot be searched.
        """
        windows = self._windows[self._searchable(modality)]
        similarities = query.similarities(self._vectors(modality, np.arange(len(windows)))).astype(np.float32)
        order = np.lexsort((-similarities, windows.rows))
        order = order[within(query.area, self._store.items(modality, order).latlon)]
        best = order[np.unique(windows.rows[order], return_index=True)[1]]
        return windows.latlon[best], similarities[best]

    def place(self, place_id: str) -> Place:
        """A place by its id.

        Raises:
            InputError: There is no such place.
        """
        row = self._row(place_id)
        _, name, lat, lon, country = self._records[row]
        captions = tuple((str(kind), str(text)) for kind, text in self.atlas.captions(row))
        return Place(place_id, name, lat, lon, country, captions)

    @cached_property
    def _records(self) -> list[tuple[str, str, float, float, str]]:
        """Id, name, degrees and country of every place, quicker to look up than rows of a table."""
        columns = {"place_id": str, "name": str, "lat": float, "lon": float, "country": str}
        return list(zip(*(map(kind, self.atlas.places[name]) for name, kind in columns.items()), strict=True))

    def captions(self, match: Match) -> tuple[tuple[str, str], ...]:
        """What is said of the place of a match, as (kind, sentence)."""
        return self.place(match.place_id).captions

    def pictured(self, match: Match) -> str:
        """Which of the atlas's pictures shows what was found: "aerial", "surface" or "street", or empty for none."""
        is_picture = match.modality == "street" or match.modality in self.atlas.manifest.pictures
        return match.modality if is_picture else ""

    def nearest_place(self, lat: float, lon: float) -> tuple[Place, float]:
        """The place nearest to a point, and its distance in metres.

        Raises:
            InputError: The coordinates are not a point on the globe.
        """
        point = as_latlon((lat, lon))
        row = int(self._nearest.query(unit_xyz(point)[0])[1])
        place_id, _, lat, lon, _ = self._records[row]
        return self.place(place_id), float(distance_m(point[0], (lat, lon)))

    @cached_property
    def _nearest(self) -> cKDTree:
        return cKDTree(unit_xyz(self.atlas.places[["lat", "lon"]].to_numpy(np.float64)))
