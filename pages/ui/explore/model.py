"""Data of page Explore: an answer and its parts, the file last uploaded, the pictures that show an answer."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from pages.ui.explore.composing.scope import Scope

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pages.ui.view_options import Display
    from unigeoclip.search.explorer import Match, Place, Query, QueryItem
    from unigeoclip.similarity.heatmap import Best, Heatmap
    from unigeoclip.similarity.levels import Levels
    from unigeoclip.words.describer import Description


@dataclass(frozen=True)
class Spot:
    """Where an item of the query is: a point, a place or a camera (then with its heading); ``index`` counts items."""

    index: int
    item: QueryItem
    lat: float
    lon: float
    heading_deg: float | None = None


class Steps(NamedTuple):
    """A PNG that tells which step of similarity every cell reaches, and what the steps are."""

    png: bytes
    low: float
    step: float


@dataclass(frozen=True)
class Drawn:
    """Pictures of an answer.

    Attributes:
        overlay: PNG of the heatmap or of the items.
        percentiles: PNG that tells the percentile of every cell, see ``Heatmap.percentiles_png``.
        steps: Similarity of every cell in steps, see ``Heatmap.levels``.
        outline: Gzipped GeoJSON, if there is to be one.
        colors: Options of ``Heatmap.png`` and ``Heatmap.legend``.
        levels: What similarities mean for this query; None where that was not measured.
        dots: What the dots of items are, in words.
    """

    overlay: bytes
    percentiles: bytes
    steps: Steps
    outline: bytes | None
    colors: dict[str, Any]
    levels: Levels | None = None
    dots: str = ""


@dataclass(frozen=True)
class Answer:
    """The explorer's answer to one list of items.

    Attributes:
        items: What was queried.
        query: Their sum.
        heatmap: Similarity to it over the atlas.
        best: The most similar cell of the heatmap.
        best_near: The place nearest to that.
        matches: The most similar samples, by modality.
        count: How many of each modality were searched for.
        spots: Where the items are.
        here: The place that was queried, in all its modalities; a similarity of NaN is still to be computed.
        description: The query in words; None for a model that knows no words.
        scope: Where it was asked, and how its items count.
        drawn: Pictures of the answer, by display.
    """

    items: tuple[QueryItem, ...]
    query: Query
    heatmap: Heatmap
    best: Best
    best_near: Place
    matches: dict[str, list[Match]]
    count: int
    spots: tuple[Spot, ...] = ()
    here: dict[str, Match] = field(default_factory=dict)
    description: Description | None = None
    scope: Scope = field(default_factory=Scope)
    drawn: dict[Display, Drawn] = field(default_factory=dict)

    @property
    def missing(self) -> bool:
        """Whether similarities of the place that was queried are still to be computed."""
        return any(math.isnan(match.similarity) for match in self.here.values())


@dataclass(frozen=True, eq=False)
class Upload:
    """The file last uploaded: it is shown, and can be read as another modality.

    Attributes:
        name: Of the file.
        data: Its content.
        kind: The modality it was read as.
        item: The query item made of it.
        array: What the model sees of it, see ``uploads.Decoded``.
    """

    name: str
    data: bytes
    kind: str
    item: QueryItem
    array: NDArray[Any]
