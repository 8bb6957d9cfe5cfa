"""The heatmap of a point that was clicked: what a browser fetches at once, while the page's run makes all the rest."""

from __future__ import annotations

import threading
from collections import OrderedDict
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from unigeoclip.search.query_items import QueryItem
from unigeoclip.search.query_levels import levels_of_query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pages.ui.view_options import Display
    from unigeoclip.search.explorer import Explorer, Query
    from unigeoclip.similarity.heatmap import Heatmap
    from unigeoclip.similarity.levels import Levels

    Found = tuple[Query, Heatmap]

LOW_OPACITY = 0.25  # where nothing is like the query, the map below shows through
FOREIGN_OPACITY = 0.35  # of the whole heatmap where nothing in the atlas is like the query
RANKED_FROM = 80.0  # percentile of the area at which ranked colors start
MOST = 16  # of some 300 kB


class PointHeatmaps:
    """Queries of single points and their heatmaps, computed once for the two that ask: map and page. Thread-safe."""

    def __init__(self) -> None:
        """Make it, empty."""
        # The explorer stands beside what it found, so that no other can get its id.
        self._found: OrderedDict[tuple[int, float, float], tuple[Explorer, Future[Found]]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, explorer: Explorer, point: tuple[float, float]) -> Found:
        """The query of a point, (lat, lon), and its heatmap; waits if another thread is about to have them.

        Raises:
            UniGeoError: As `Explorer.query` and `Explorer.heatmap` do.
        """
        key = (id(explorer), *point)
        with self._lock:
            known = self._found.get(key)
            future = known[1] if known else Future()
            self._found[key] = explorer, future
            self._found.move_to_end(key)
            while len(self._found) > MOST:
                self._found.popitem(last=False)
        if known is None:
            try:
                query = explorer.query((QueryItem("location", point),))
                future.set_result((query, explorer.heatmap(query)))
            except BaseException as error:
                future.set_exception(error)
                with self._lock:
                    self._found.pop(key, None)
        return future.result()


def is_point(items: Sequence[QueryItem]) -> bool:
    """Whether a query is what a click on the map asks: a single point."""
    return len(items) == 1 and items[0].modality == "location" and items[0].weight == 1


def levels_of(explorer: Explorer, items: Sequence[QueryItem]) -> Levels | None:
    """What similarities to a query mean, where that was measured."""
    from unigeoclip.similarity.calibration import calibration  # brings torch along

    return levels_of_query(calibration(explorer.atlas), items)


def coloring(scale: str, levels: Levels | None) -> dict[str, Any]:
    """Options of ``Heatmap.png`` for a scale; "absolute" without levels is "similarity"."""
    if scale == "rank":
        return {"scale": "percentile", "floor_percentile": RANKED_FROM}
    if scale == "absolute" and levels is not None:
        return {"scale": "absolute", "limits": levels.limits}
    return {"scale": "similarity", "floor_percentile": 50.0}


def colors_of(display: Display, levels: Levels | None) -> dict[str, Any]:
    """Options of ``Heatmap.png`` for a display."""
    return {**coloring(display.scale, levels), "colormap": display.colors, "top_share": display.best / 100 or None}


def heatmap_png(query: Query, heatmap: Heatmap, colors: dict[str, Any]) -> bytes:
    """The picture that lies over the map; faint where nothing in the atlas is like the query."""
    dimmed = FOREIGN_OPACITY if query.is_foreign else 1.0
    return heatmap.png(opacity=dimmed, low_opacity=LOW_OPACITY * dimmed, **colors)
