"""An explorer whose places are those of a store: more than memory holds, searched on disk or in an object store.

Queries are encoded and heatmaps are computed as by `Explorer`; what asks for places asks the store. Places are ranked
by similarity alone: what is subtracted of hubs (`search.hubs`) is known of an atlas's own gallery only.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.errors import InputError, excerpt
from unigeoclip.geo import distance_m
from unigeoclip.search.explorer import Explorer
from unigeoclip.search.gallery_embeddings import VectorCache, land_grid, mean_over_waves
from unigeoclip.search.results import Match, Place, Results

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.geo import Bounds
    from unigeoclip.model import UniGeoCLIP
    from unigeoclip.search.query import Query
    from unigeoclip.similarity.grid import Grid
    from unigeoclip.stores.base import EmbeddingStore
    from unigeoclip.stores.places import PlaceTable

__all__ = ["StoreExplorer"]


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
    ) -> None:
        """Put the parts together; ``StoreExplorer.over`` makes them.

        Args:
            atlas: The atlas, for its model and its grid; its places need not be those of the store.
            model: Its model.
            grid: The land grid.
            cells: As `Explorer` takes them.
            store: Vectors of that model.
            places: What the places are called; without, they are called by their ids.

        Raises:
            InputError: The store's vectors have another length than the model's.
        """
        super().__init__(atlas, model, grid, cells, {})
        self.store, self._places = store, places
        for modality in store.modalities:
            if store.dim(modality) != model.dim:
                raise InputError(
                    f"The store has vectors of {store.dim(modality)} numbers, the model of the atlas {atlas.name!r} "
                    f"makes {model.dim}: they are another model's."
                )

    @classmethod
    def over(
        cls,
        store: str | Path,
        atlas: str | Path,
        *,
        places: str | Path | None = None,
        model: str | Path | None = None,
        cache_dir: Path | None = None,
        progress: Callable[[str, float], None] | None = None,
    ) -> StoreExplorer:
        """Open a store that `unigeoclip index` wrote.

        Args:
            store: Folder, or address s3://, gs:// or az://.
            atlas: Name or folder of the atlas whose model encoded it.
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
        opened = load_atlas(atlas) if model is None else load_atlas(atlas).with_model(model)
        table = PlaceTable(opened.path / schema.PLACES if places is None else places)
        theirs, ours = opened_store.manifest.emb.get("model_id"), checkpoint_id(opened.model_path)
        if theirs not in (None, ours):
            raise InputError(
                f"{store} was encoded by the model {excerpt(theirs)}, not by {ours} of the atlas {opened.name!r}: give "
                "that model, or encode it again."
            )
        loaded, grid = load_fitting(opened), land_grid(opened)
        cells = VectorCache(opened, loaded, grid, cache_dir).load_grid(progress)
        return cls(opened, loaded, grid, mean_over_waves(loaded, grid, cells), opened_store, table)

    @property
    def modalities(self) -> tuple[str, ...]:
        """Modalities of the store."""
        return self.store.modalities

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
            bbox: See `EmbeddingStore.search`.
            where: See `EmbeddingStore.search`.

        Returns:
            Modality name -> matches, the most similar first. A place is named once, by its most similar item.

        Raises:
            InputError: k, a modality or a filter cannot be used.
        """
        wanted = self.modalities if modalities is None else tuple(modalities)
        found = {}
        for modality in wanted:
            rows, similarities = self.store.search(query.vector[None], modality, k, bbox=bbox, where=where)
            known = rows[0] >= 0
            found[modality] = self._matches_of(modality, rows[0][known], similarities[0][known], query)
        return Results(found, self.provenance(query, "search"))

    def _matches_of(
        self, modality: str, rows: NDArray[np.int64], similarities: NDArray[np.float32], query: Query
    ) -> list[Match]:
        items = self.store.items(modality, rows)
        names = {} if self._places is None else self._places.named(items.place_ids, items.latlon)
        matches: dict[str, Match] = {}
        for place_id, at, similarity in zip(items.place_ids, items.latlon.tolist(), similarities.tolist(), strict=True):
            name = names[place_id].name if place_id in names else place_id
            meters = None if query.origin is None else float(distance_m(query.origin, at))
            bounded = min(max(similarity, -1.0), 1.0)
            match = Match(modality, place_id, name, at[0], at[1], bounded, meters, score=similarity)
            matches.setdefault(place_id, match)
        return list(matches.values())

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

    def place(self, place_id: str) -> Place:
        """A place by its id; without captions, which are the atlas's.

        Raises:
            InputError: There is no such place.
        """
        for modality in self.modalities:
            if len(rows := self.store.rows_of(modality, place_id)):
                lat, lon = self.store.items(modality, rows[:1]).latlon[0].tolist()
                names = {} if self._places is None else self._places.named([place_id], np.array([(lat, lon)]))
                name, country = names.get(place_id, (place_id, ""))
                return Place(place_id, name, lat, lon, country, ())
        raise InputError(f"There is no place '{excerpt(place_id)}' in the store.")

    def item_similarities(self, query: Query, modality: str) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """How like a query every item of a modality is: (n, 2) degrees and (n,) similarities, read chunk by chunk.

        Raises:
            InputError: The store has no such modality.
        """
        parts = [(each.items.latlon, each.vectors @ query.vector) for each in self.store.chunks(modality)]
        return np.concatenate([latlon for latlon, _ in parts]), np.concatenate([values for _, values in parts])

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
