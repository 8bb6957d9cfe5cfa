"""Queries whose weights a browser may try out: it fetches the heatmaps of the items and adds them up itself."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

from pages.ui.services.errors import NotFoundError

if TYPE_CHECKING:
    from unigeoclip.search.explorer import Explorer, Query

MOST = 256  # of some 30 kB at most


class WeighedQueries:
    """Queries by a key that does not depend on their weights; the least recently kept go first. Thread-safe."""

    def __init__(self) -> None:
        """Make it, empty."""
        self._kept: OrderedDict[str, tuple[Explorer, Query]] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, explorer: Explorer, query: Query) -> str:
        """Keep a query of an explorer; returns its key."""
        parts = (explorer.atlas.name, explorer.model_id, query.area, query.scales, query.offsets)
        vectors = b"" if query.vectors is None else query.vectors.tobytes()
        key = hashlib.sha256(repr(parts).encode() + vectors).hexdigest()[:24]
        with self._lock:
            self._kept[key] = explorer, query
            self._kept.move_to_end(key)
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return key

    def heatmaps(self, atlas: str, key: str) -> bytes:
        """The heatmaps of the items of a query, see `Explorer.heatmaps_of_terms`, as a browser reads them.

        Args:
            atlas: Name of the explorer's atlas.
            key: As `keep` returned it.

        Raises:
            NotFoundError: There is none, or it is no longer kept.
        """
        with self._lock:
            kept = self._kept.get(key)
        if kept is None or kept[0].atlas.name != atlas:
            raise NotFoundError("This query is no longer kept; repeat it.")
        explorer, query = kept
        return explorer.heatmaps_of_terms(query).to_bytes()
