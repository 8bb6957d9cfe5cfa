"""An explorer whose places are those of a store: more than memory holds, searched on disk or in an object store.

Queries are encoded and heatmaps are computed as by `Explorer`; what asks for places asks the store. Places are ranked
by similarity alone: what is subtracted of hubs (`search.hubs`) is known of an atlas's own gallery only.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.errors import InputError, excerpt
from unigeoclip.geo import as_latlon, distance_m
from unigeoclip.search.composing.alternatives import best_of_any
from unigeoclip.search.explorer import Explorer
from unigeoclip.search.gallery_embeddings import VectorCache, land_grid, mean_over_waves
from unigeoclip.search.results import Match, Place, Results
from unigeoclip.stores.filters import within

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.atlas.street_views import View
    from unigeoclip.geo import Bounds
    from unigeoclip.model import UniGeoCLIP
    from unigeoclip.search.query import Query
    from unigeoclip.search.query_items import GalleryItem
    from unigeoclip.similarity.grid import Grid
    from unigeoclip.stores.base import EmbeddingStore
    from unigeoclip.stores.places import PlaceTable

__all__ = ["EVERY_ITEM", "MOST_SHOWN", "StoreExplorer"]

EVERY_ITEM = 100_000  # rows of a modality up to which all are read for `item_similarities`
MOST_SHOWN = 10_000  # the most similar, where there are more
_SAME_M = 1.0  # a place of the store this near to the atlas's place of the same id is that place


class StoreExplorer(Explorer):
    """An atlas with its model, which answers with the places of a store."""

    def __init__(
        self,
        atlas: Atlas,
        model: UniGeoCLIP,
        grid: Grid,
        cells: NDArray[np.float32],
        store: EmbeddingStore,
        places: PlaceTable | None = None,
        *,
        address: str = "a store",
        places_path: Path | None = None,
    ) -> None:
        """Put the parts together; ``StoreExplorer.over`` makes them.

        Args:
            atlas: The atlas, for its model and its grid; its places need not be those of the store.
            model: Its model.
            grid: The land grid.
            cells: As `Explorer` takes them.
            store: Vectors of that model.
            places: What the places are called; without, they are called by their ids.
            address: What the store is called, for people and in commands.
            places_path: File of ``places`` where it is not the atlas's.

        Raises:
            InputError: The store's vectors have another length than the model's, or it is empty.
        """
        super().__init__(atlas, model, grid, cells, {})
        self.store, self._places = store, places
        self.address, self.places_path = address, places_path
        self._modalities = tuple(name for name in model.modalities if name in store.modalities)
        if not self._modalities:
            raise InputError(f"{address} has nothing that the model of the atlas {atlas.name!r} encodes.")
        for modality in self._modalities:
            if store.dim(modality) != model.dim:
                raise InputError(
                    f"The store has vectors of {store.dim(modality)} numbers, the model of the atlas {atlas.name!r} "
                    f"makes {model.dim}: they are another model's."
                )

    @classmethod
    def over(
        cls,
        store: str | Path,
        atlas: str | Path | Atlas,
        *,
        places: str | Path | None = None,
        model: str | Path | None = None,
        cache_dir: Path | None = None,
        progress: Callable[[str, float], None] | None = None,
    ) -> StoreExplorer:
        """Open a store that `unigeoclip index` wrote.

        Args:
            store: Folder, or address s3://, gs:// or az://.
            atlas: The atlas whose model encoded it, or its name or folder.
            places: GeoParquet with the names of its places; the table of the atlas by default.
            model: Folder of another model than the atlas's.
            cache_dir: Where the vectors of the grid are kept.
            progress: Called with what is being done and the share of it that is, 0 to 1.

        Raises:
            AtlasError: The atlas cannot be used.
            CheckpointError: The model cannot be used.
            InputError: The store or the table cannot be used, or the store is another model's.
            MissingPackageError: The extra `scale` is not installed.
        """
        from unigeoclip.atlas import schema
        from unigeoclip.atlas.models import load_fitting
        from unigeoclip.atlas.store import load_atlas
        from unigeoclip.checkpoint import checkpoint_id
        from unigeoclip.stores.lance import LanceStore
        from unigeoclip.stores.places import PlaceTable

        opened_store = LanceStore.open(store)
        opened = load_atlas(atlas) if isinstance(atlas, str | Path) else atlas
        opened = opened if model is None else opened.with_model(model)
        table = PlaceTable(opened.path / schema.PLACES if places is None else places)
        theirs, ours = opened_store.manifest.emb.get("model_id"), checkpoint_id(opened.model_path)
        if theirs not in (None, ours):
            raise InputError(
                f"{store} was encoded by the model {excerpt(theirs)}, not by {ours} of the atlas {opened.name!r}: give "
                "that model, or encode it again."
            )
        loaded, grid = load_fitting(opened), land_grid(opened)
        cells = VectorCache(opened, loaded, grid, cache_dir).load_grid(progress)
        named = None if places is None else Path(places)
        averaged = mean_over_waves(loaded, grid, cells)
        return cls(opened, loaded, grid, averaged, opened_store, table, address=str(store), places_path=named)

    @property
    def modalities(self) -> tuple[str, ...]:
        """Modalities of the store that the model has, in its order."""
        return self._modalities

    @property
    def searched(self) -> str:
        """Which places are searched: how many, and of which store."""
        return f"{max(map(self.store.count, self.modalities)):,} places of {self.address}"

    @property
    def has_words(self) -> bool:
        """See `Explorer.has_words`: never, see `descriptions`."""
        return False

    @property
    def source(self) -> dict[str, str]:
        """See `Explorer.source`."""
        return {"store": self.address} | ({} if self.places_path is None else {"places": str(self.places_path)})

    def search(
        self,
        query: Query,
        k: int = 10,
        modalities: Sequence[str] | None = None,
        *,
        bbox: Bounds | None = None,
        where: Mapping[str, str | bool | int | float | tuple[float, float]] | None = None,
    ) -> Results:
        """The places of the store whose items are most similar to a query, by modality.

        Args:
            query: From ``query``.
            k: How many of each modality.
            modalities: Which; all by default.
            bbox: See `EmbeddingStore.search`; by default the area of the query.
            where: See `EmbeddingStore.search`.

        Returns:
            Modality name -> matches, the most similar first. A place is named once, by its most similar item.

        Raises:
            InputError: k, a modality or a filter cannot be used.
        """
        wanted = self.modalities if modalities is None else tuple(modalities)
        found = {}
        for modality in wanted:
            rows, similarities = self._best_rows(query, modality, k, query.area if bbox is None else bbox, where)
            found[modality] = self._matches_of(modality, rows, similarities, query)
        return Results(found, self.provenance(query, "search"))

    def _best_rows(
        self,
        query: Query,
        modality: str,
        top: int,
        bbox: Bounds | None = None,
        where: Mapping[str, str | bool | int | float | tuple[float, float]] | None = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """At most ``top`` rows most similar to a query, and their similarities."""
        asked = np.stack([each.vector for each in query.alternatives])
        found = self.store.search(asked, modality, top, bbox=bbox, where=where)
        rows, similarities = best_of_any(found, [each.offset for each in query.alternatives])
        return rows[:top], similarities[:top]

    def _matches_of(
        self, modality: str, rows: NDArray[np.int64], similarities: NDArray[np.float32], query: Query
    ) -> list[Match]:
        items = self.store.items(modality, rows)
        names = {} if self._places is None else self._places.named(items.place_ids, items.latlon)
        matches: dict[str, Match] = {}
        for place_id, at, similarity in zip(items.place_ids, items.latlon.tolist(), similarities.tolist(), strict=True):
            name = names[place_id].name if place_id in names else place_id
            match = self._match_of(modality, place_id, name, (at[0], at[1]), similarity, query)
            matches.setdefault(place_id, replace(match, score=similarity))
        return list(matches.values())

    def _match_of(
        self, modality: str, place_id: str, name: str, at: tuple[float, float], similarity: float, query: Query
    ) -> Match:
        view = self._view(place_id, at) if modality == "street" else None
        at = at if view is None else (view.lat, view.lon)
        meters = None if query.origin is None else float(distance_m(query.origin, at))
        heading = None if view is None else view.heading_deg
        return Match(modality, place_id, name, *at, min(max(similarity, -1.0), 1.0), meters, heading)

    def _known_row(self, place_id: str, at: tuple[float, float]) -> int | None:
        """Row of a place in the atlas's own table, if it is one of those: the same id at the same position."""
        row = self._row_of.get(place_id)
        if row is None or float(distance_m(self._records[row][2:4], at)) > _SAME_M:
            return None
        return row

    def _view(self, place_id: str, at: tuple[float, float]) -> View | None:
        """The street view of a place of the atlas."""
        if self.streets is None or self._known_row(place_id, at) is None:
            return None
        return self.streets.of_place(place_id)

    def captions(self, match: Match) -> tuple[tuple[str, str], ...]:
        """See `Gallery.captions`; none of a place that the atlas does not have."""
        row = self._known_row(match.place_id, (match.lat, match.lon))
        return () if row is None else tuple(self.atlas.captions(row))

    def pictured(self, match: Match) -> str:
        """See `Gallery.pictured`: where the atlas has rasters, and the street views of its own places.

        Where there are only points, the aerial image shows them.
        """
        bare = match.modality == "location" and "aerial" not in self.modalities
        kind = super().pictured(replace(match, modality="aerial") if bare else match)
        if kind in ("", "street"):
            return kind if match.heading_deg is not None else ""
        south, west, north, east = self.atlas.manifest.bounds
        inside = south <= match.lat <= north and (match.lon - west) % 360 <= east - west
        return kind if inside and self.atlas.present_at(kind, (match.lat, match.lon))[0] else ""

    def place_vectors(self, place_id: str, *, encode: bool = True) -> dict[str, NDArray[np.float32]]:
        """Vectors of a place, modality -> (dim,), of its first item; what is not in the store is missing.

        Raises:
            InputError: There is no such place.
        """
        rows = {name: self.store.rows_of(name, place_id) for name in self.modalities}
        found = {name: self.store.vectors(name, each[:1])[0] for name, each in rows.items() if len(each)}
        if not found:
            raise InputError(f"There is no place '{excerpt(place_id)}' in the store.")
        return found

    def item_vector(self, item: GalleryItem) -> NDArray[np.float32]:
        """See `Gallery.item_vector`.

        Raises:
            InputError: There is no such place, or it has no such item.
        """
        rows = self.store.rows_of(item.modality, item.place_id) if item.modality in self.modalities else ()
        if item.window >= len(rows):
            raise InputError(f"The store has no such item of {excerpt(item.modality)!r} of '{excerpt(item.place_id)}'.")
        found: NDArray[np.float32] = self.store.vectors(item.modality, rows[item.window : item.window + 1])[0]
        return found

    def place_matches(self, query: Query, place_id: str, *, encode: bool = True) -> dict[str, Match]:
        """See `Gallery.place_matches`; what is not in the store is missing, and nothing is encoded.

        Raises:
            InputError: There is no such place.
        """
        place = self.place(place_id)
        return {
            name: self._match_of(
                name, place_id, place.name, (place.lat, place.lon), float(query.similarities(vector[None])[0]), query
            )
            for name, vector in self.place_vectors(place_id).items()
        }

    def place(self, place_id: str) -> Place:
        """A place of the store by its id; with captions if it is one of the atlas's.

        Raises:
            InputError: There is no such place.
        """
        for modality in self.modalities:
            if len(rows := self.store.rows_of(modality, place_id)):
                return self._place_of(modality, rows[:1])
        raise InputError(f"There is no place '{excerpt(place_id)}' in the store.")

    def _place_of(self, modality: str, row: NDArray[np.int64]) -> Place:
        items = self.store.items(modality, row)
        place_id, (lat, lon) = items.place_ids[0], items.latlon[0].tolist()
        names = {} if self._places is None else self._places.named([place_id], items.latlon)
        name, country = names.get(place_id, (place_id, ""))
        known = self._known_row(place_id, (lat, lon))
        return Place(place_id, name, lat, lon, country, () if known is None else tuple(self.atlas.captions(known)))

    def nearest_place(self, lat: float, lon: float) -> tuple[Place, float]:
        """The place of the store nearest to a point, and its distance in meters.

        Raises:
            InputError: The coordinates are not a point on the globe.
        """
        point = as_latlon((lat, lon))[0]
        modality = max(self.modalities, key=self.store.count)
        place = self._place_of(modality, self.store.nearest(modality, *point.tolist()))
        return place, float(distance_m(point, (place.lat, place.lon)))

    def item_similarities(self, query: Query, modality: str) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """How like a query the items of a modality are: (n, 2) degrees and (n,) similarities.

        Up to `EVERY_ITEM` rows all of them, read chunk by chunk; of more, the `MOST_SHOWN` most similar.

        Raises:
            InputError: The store has no such modality.
        """
        if self.store.count(modality) > EVERY_ITEM:
            rows, similarities = self._best_rows(query, modality, MOST_SHOWN, query.area)
            return self.store.items(modality, rows).latlon, similarities
        parts = [(each.items.latlon, query.similarities(each.vectors)) for each in self.store.chunks(modality)]
        latlon = np.concatenate([positions for positions, _ in parts])
        inside = within(query.area, latlon)
        return latlon[inside], np.concatenate([values for _, values in parts])[inside]

    def vectors(self, modality: str) -> NDArray[np.float32]:
        """Refused: all vectors of a store may exceed memory; ``store.chunks`` reads them in parts.

        Raises:
            InputError: Always.
        """
        raise InputError("A store is read in parts (EmbeddingStore.chunks), not as one array.")

    @cached_property
    def descriptions(self) -> Any:
        """Refused: words are measured against all places of an atlas's own gallery.

        Raises:
            InputError: Always.
        """
        raise InputError("Answers out of a store are not described in words: ask the atlas itself.")
