"""Files for visitors to take home: the content of an atlas is put together once, the visitor's query is added to it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unigeoclip.search.explorer import Explorer, QueryItem
    from unigeoclip.site.content import AtlasContent

__all__ = ["TakeHome"]

_MOST = 3  # contents that are kept, of 10 MB each


class TakeHome:
    """Makes files with a visitor's query; thread-safe. Models encode the map for the first one of an atlas."""

    def __init__(self) -> None:
        """Start without contents."""
        self._contents: dict[tuple[str, str, str], AtlasContent] = {}
        self._lock = threading.Lock()

    def page(self, explorer: Explorer, items: Sequence[QueryItem]) -> bytes:
        """One file of an atlas that shows a query first, see `builder.site_page`.

        Raises:
            InputError: The query cannot be encoded.
        """
        from unigeoclip.site.builder import page_of  # brings torch along, which the app does not wait for at its start
        from unigeoclip.site.content import with_query

        with self._lock:  # it needs all cores: who comes second finds the content ready
            content = self._content(explorer)
            return page_of([with_query(content, explorer, items)])

    def _content(self, explorer: Explorer) -> AtlasContent:
        from unigeoclip.site.builder import single_contents
        from unigeoclip.site.content import Material
        from unigeoclip.site.grids import chosen_embedders

        key = (explorer.atlas.name, explorer.atlas.data_hash, explorer.model_id)
        if key not in self._contents:
            while len(self._contents) >= _MOST:
                del self._contents[next(iter(self._contents))]
            self._contents[key] = single_contents([Material(explorer, chosen_embedders(explorer.atlas, None))])[0]
        return self._contents[key]
