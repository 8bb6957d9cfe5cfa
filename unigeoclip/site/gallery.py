"""Places of an atlas that a site can show: a sample of the gallery for any point, and the results of its examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.errors import excerpt
from unigeoclip.site.sprites import TILE_PX, Sprite

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.search.explorer import Explorer, Match, Query
    from unigeoclip.similarity.browser.compact import CompactGrid

__all__ = ["RESULTS", "SAMPLE", "SiteGallery"]

RESULTS = 4  # of each modality
SAMPLE = 128  # places whose pictures any point can be answered with
_CAPTION_CHARACTERS = 110
_SEED = 0


class SiteGallery:
    """Pictures, captions and vectors of some gallery places."""

    def __init__(self, explorer: Explorer, compact: CompactGrid, sample: int = SAMPLE) -> None:
        """Choose the places.

        Args:
            explorer: Of the atlas.
            compact: The grid onto whose components vectors are turned.
            sample: How many places.
        """
        self._explorer, self._compact = explorer, compact
        self.modalities = [name for name in explorer.modalities if name in TILE_PX or name == "text"]
        pictured = [name for name in self.modalities if name in TILE_PX]
        self.sprites = {name: Sprite(explorer, name) for name in pictured}
        self._rows = _spread_rows(explorer, self.modalities, sample)
        self._codes: list[bytes] = []
        self._sampled = {name: self._sample(name) for name in self.modalities}

    def _sample(self, modality: str) -> dict[str, Any]:
        """The sampled places of a modality; see ``gallery.js`` for how a browser ranks them."""
        explorer, compact = self._explorer, self._compact
        if not len(self._rows):
            return {}
        rows = explorer.item_rows(modality)
        items = np.searchsorted(rows, self._rows)
        vectors = explorer.vectors(modality)[items].astype(np.float64)
        # What of the mean lies along no component is part of every location's vector.
        rest = compact.mean - compact.basis @ (compact.basis.T @ compact.mean)
        along = vectors @ compact.basis
        step = float(np.abs(along).max()) / 127 or 1.0
        self._codes.append(np.rint(along / step).astype(np.int8).tobytes())
        offsets = explorer.hub_offsets(modality, "location")[items]
        places = [self._place(modality, int(row)) for row in self._rows]
        return {
            "step": step,
            "rest": np.round(vectors @ rest, 5).tolist(),
            "offsets": np.round(offsets, 5).tolist(),
            "items": places,
        }

    def _place(self, modality: str, row: int) -> list[Any]:
        table = self._explorer.atlas.places
        place_id, name = str(table["place_id"].iloc[row]), str(table["name"].iloc[row])
        lat, lon = float(table["lat"].iloc[row]), float(table["lon"].iloc[row])
        view = self._explorer.atlas.streets.of_place(place_id) if modality == "street" else None
        lat, lon = (lat, lon) if view is None else (view.lat, view.lon)
        return self._item(modality, place_id, name, lat, lon, None if view is None else view.heading_deg)

    def _item(
        self, modality: str, place_id: str, name: str, lat: float, lon: float, heading_deg: float | None
    ) -> list[Any]:
        """Name, degrees, and the number of a picture or the words of a caption."""
        shown = (
            self.sprites[modality].tile(lat, lon, heading_deg)
            if modality in self.sprites
            else excerpt(" · ".join(text for _, text in self._explorer.place(place_id).captions), _CAPTION_CHARACTERS)
        )
        return [name, round(lat, 5), round(lon, 5), shown]

    def results(self, query: Query) -> dict[str, list[list[Any]]]:
        """Exact results of a query among all places of the gallery: items as in the sample, and their similarity."""
        found = self._explorer.search(query, RESULTS, self.modalities)
        return {name: [self._result(match) for match in matches] for name, matches in found.items()}

    def _result(self, match: Match) -> list[Any]:
        item = self._item(match.modality, match.place_id, match.name, match.lat, match.lon, match.heading_deg)
        return [*item, round(match.similarity, 3)]

    def codes(self) -> bytes:
        """Vectors of the sample along the components, int8: modality by modality, place by place."""
        return b"".join(self._codes)

    def members(self) -> dict[str, Any]:
        """What the page is told of each modality, without names of files."""
        explorer = self._explorer
        return {
            name: {
                "count": len(explorer.item_rows(name)),
                **({"tile": TILE_PX[name], "columns": self.sprites[name].columns} if name in self.sprites else {}),
                **self._sampled[name],
            }
            for name in self.modalities
        }


def _spread_rows(explorer: Explorer, modalities: list[str], count: int) -> NDArray[np.int64]:
    """Rows of places that have all of these modalities, spread over what the model tells apart, rising."""
    import faiss

    rows = explorer.item_rows("location")
    for name in modalities:
        rows = np.intersect1d(rows, explorer.item_rows(name))
    if not count:
        return rows[:0]
    vectors = explorer.vectors("location")[np.searchsorted(explorer.item_rows("location"), rows)]
    if len(rows) <= count:
        return rows
    means = faiss.Kmeans(vectors.shape[1], count, niter=10, seed=_SEED, min_points_per_centroid=1)
    means.train(vectors)
    nearest = (np.asarray(means.centroids) @ vectors.T).argmax(axis=1)
    chosen: NDArray[np.int64] = rows[np.unique(nearest)]
    return chosen
