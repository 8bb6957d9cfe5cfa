"""What a search found: matches by modality, as tables and as a view for notebooks."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from unigeoclip.atlas.provenance import Provenance

__all__ = ["Match", "Place", "Results", "results_table"]

_COLUMNS = ("place_id", "modality", "name", "lat", "lon", "similarity", "distance_m", "heading_deg")
_DIGITS = {"lat": 7, "lon": 7, "similarity": 6, "distance_m": 1, "heading_deg": 1}
_SHOWN = 10  # matches of a modality in a notebook


@dataclass(frozen=True)
class Match:
    """A place found.

    Attributes:
        modality: Of the item found.
        place_id: The place.
        name: Of the place.
        lat: Degrees; of a street view, where the camera stands.
        lon: Degrees.
        similarity: In [-1, 1].
        distance_m: Metres from the query's origin, if it has one.
        heading_deg: Where a street view looks to, clockwise from north.
        score: What results are ranked by: the similarity less what the item reaches for queries of this kind in general
            (`search.hubs`); NaN of an item that no search found.
        window: Which item of the place it is, see `query_items.GalleryItem`.
    """

    modality: str
    place_id: str
    name: str
    lat: float
    lon: float
    similarity: float
    distance_m: float | None
    heading_deg: float | None = None
    score: float = math.nan
    window: int = 0


@dataclass(frozen=True)
class Place:
    """A place of the atlas and what is said of it, as (kind, sentence)."""

    place_id: str
    name: str
    lat: float
    lon: float
    country: str
    captions: tuple[tuple[str, str], ...]


class Results(dict[str, list[Match]]):
    """Modality name -> matches, the highest score first; a dictionary that knows where it comes from."""

    def __init__(self, matches: Mapping[str, list[Match]], provenance: Provenance | None = None) -> None:
        """Keep matches.

        Args:
            matches: By modality.
            provenance: Of the search; written into every file that these results are saved to.
        """
        super().__init__(matches)
        self.provenance = provenance

    def to_geodataframe(self) -> Any:
        """One table of all matches, see `results_table`; ``attrs`` of the table holds the provenance."""
        table = results_table(self)
        if self.provenance is not None:
            table.attrs["provenance"] = self.provenance.members()
        return table

    def _repr_html_(self) -> str:
        """The first matches of each modality as tables, for notebooks."""
        return "".join(_table(name, matches) for name, matches in self.items())


def results_table(results: Mapping[str, Sequence[Match]]) -> Any:
    """The matches of all modalities as one table.

    Args:
        results: From ``Explorer.search``: modality name -> matches, the highest score first.

    Returns:
        A GeoDataFrame in EPSG:4326, a row a match in the same order: "place_id", "modality", "name", "lat" and "lon"
        (degrees; of a street view, where the camera stands), "similarity" in [-1, 1], "distance_m" (metres from the
        query's point, if it has one) and "heading_deg" (of a street view, clockwise from north).
    """
    import geopandas

    matches = [match for found in results.values() for match in found]
    columns: dict[str, Any] = {name: [getattr(match, name) for match in matches] for name in _COLUMNS}
    for name, digits in _DIGITS.items():
        columns[name] = np.round(np.array(columns[name], np.float64), digits)
    points = geopandas.points_from_xy(columns["lon"], columns["lat"])
    return geopandas.GeoDataFrame(columns, geometry=points, crs="EPSG:4326")


def _table(modality: str, matches: Sequence[Match]) -> str:
    rows = "".join(
        f"<tr><td>{match.similarity:.3f}</td><td>{html.escape(match.name)}</td><td>{match.lat:.4f}, {match.lon:.4f}"
        f"</td><td>{_away(match.distance_m)}</td></tr>"
        for match in matches[:_SHOWN]
    )
    left = len(matches) - _SHOWN
    more = f"<p>and {left:,} more</p>" if left > 0 else ""
    return (
        f"<h4>{html.escape(modality)}</h4><table><thead><tr><th>similarity</th><th>place</th><th>lat, lon</th>"
        f"<th>distance</th></tr></thead><tbody>{rows}</tbody></table>{more}"
    )


def _away(meters: float | None) -> str:
    if meters is None:
        return ""
    return f"{meters:,.0f} m" if meters < 9_950 else f"{meters / 1000:,.0f} km"
