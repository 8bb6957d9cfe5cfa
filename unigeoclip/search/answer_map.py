"""The answer to a query as the contents of a map: heatmap, legend, results with their pictures, and a card."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from unigeoclip.atlas.base_picture import base_overlay
from unigeoclip.geo import in_round_figures
from unigeoclip.maps.contents import MapContents, Marker
from unigeoclip.search.query_items import QueryItem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.maps.contents import Overlay
    from unigeoclip.similarity.grid import Grid
    from unigeoclip.similarity.heatmap import Heatmap

__all__ = ["AnswerMap"]

# Colors that are told apart with any color vision (Okabe and Ito 2008).
_COLORS = {"location": "#f0e442", "aerial": "#56b4e9", "street": "#e69f00", "surface": "#009e73", "text": "#cc79a7"}
_QUERY_COLOR = "#ffffff"
_PICTURE_PX = 160


class Searchable(Protocol):
    """What an answer needs of an explorer."""

    atlas: Atlas
    grid: Grid

    def query(self, items: Sequence[QueryItem]) -> Any:
        """Encode a query."""

    def search(self, query: Any, k: int, modalities: Sequence[str] | None) -> dict[str, list[Any]]:
        """Its matches by modality."""

    def heatmap(self, query: Any) -> Heatmap:
        """Its similarity to every cell of the grid."""

    def place(self, place_id: str) -> Any:
        """A place with its captions."""

    def picture(self, modality: str, latlon: Sequence[float], px: int) -> Image.Image:
        """The aerial or surface picture round a point."""


class AnswerMap:
    """Makes the contents of maps out of queries, always with the same options.

    Args:
        explorer: What is asked.
        base: Whose picture lies below the answers; None for none.
        k: How many results of each modality.
        modalities: Which are searched; all by default.
        opacity: Of the heatmap.
        drawn: Options of ``Heatmap.png``.
    """

    def __init__(
        self,
        explorer: Searchable,
        base: Atlas | None,
        k: int,
        modalities: Sequence[str] | None,
        opacity: float,
        drawn: dict[str, Any],
    ) -> None:
        self._explorer, self._base = explorer, base
        self._k, self._modalities, self._opacity, self._drawn = k, modalities, opacity, drawn

    def empty(self) -> MapContents:
        """The atlas before anything is asked."""
        atlas, bounds = self._explorer.atlas, self._explorer.grid.mercator_bounds
        return MapContents(bounds, self._ground, title=atlas.title, notes=("Click the map to query a point.",))

    @cached_property
    def _ground(self) -> Overlay | None:
        return None if self._base is None else base_overlay(self._base, self._explorer.grid.mercator_bounds)

    def at(self, lat: float, lon: float) -> MapContents:
        """The answer to a point in degrees, as a click asks for it."""
        return self.of(self._explorer.query([QueryItem("location", (lat, lon))]))

    def of(self, query: Any) -> MapContents:
        """The answer to a query."""
        heatmap = self._explorer.heatmap(query)
        results = self._explorer.search(query, self._k, self._modalities)
        best = heatmap.best()
        markers = [self._marker(match) for found in results.values() for match in found]
        if query.origin is not None:
            lat, lon = query.origin
            markers.append(Marker(lat, lon, "Query", color=_QUERY_COLOR))
        return replace(
            heatmap.map_contents(opacity=self._opacity, **self._drawn),
            base=self._ground,
            markers=tuple(markers),
            title=" ".join(_term(item) for item in query.items),
            notes=(
                *(note.text for note in query.notes),
                f"Most similar cell: {best.similarity:.2f} at {best.lat:.4f}, {best.lon:.4f}",
            ),
        )

    def _marker(self, match: Any) -> Marker:
        lines = [f"{match.modality.capitalize()}, similarity {match.similarity:.2f}"]
        if match.distance_m is not None:
            lines.append(f"{in_round_figures(match.distance_m)} away")
        if match.modality == "text":
            lines += [sentence for _, sentence in self._explorer.place(match.place_id).captions[:2]]
        title = match.name or match.place_id
        color = _COLORS.get(match.modality, _QUERY_COLOR)
        return Marker(match.lat, match.lon, title, tuple(lines), self._picture(match), color)

    def _picture(self, match: Any) -> bytes | None:
        """The picture of a match as JPEG; a text has none."""
        if match.modality == "street":
            streets = self._explorer.atlas.streets
            picture = streets.picture(match.lat, match.lon, match.heading_deg, _PICTURE_PX, _PICTURE_PX * 3 // 4)
        elif match.modality in ("aerial", "surface"):
            picture = self._explorer.picture(match.modality, (match.lat, match.lon), _PICTURE_PX)
        else:
            return None
        file = io.BytesIO()
        picture.convert("RGB").save(file, "JPEG", quality=82)
        return file.getvalue()


def _term(item: QueryItem) -> str:
    """A term of a query in a few words, with its sign."""
    value = item.value
    words = item.label or (value if isinstance(value, str) else "")
    if not words and item.modality == "location":
        words = "{:.4f}, {:.4f}".format(*value)
    sign = "" if item.weight == 1 else f"{item.weight:+g} × "
    return f"{sign}{words or item.modality}"
