"""UniGeoCLIP in the open: five views of a place in one embedding space, and what can be asked of it.

    >>> import unigeoclip
    >>> explorer = unigeoclip.Explorer.open("boston")
    >>> query = explorer.query([unigeoclip.QueryItem("text", "a park by the river")])
    >>> explorer.search(query, k=3)["aerial"]

The names below are the public interface. What they need is imported when they are first used, so ``import unigeoclip``
itself loads no other package.

    list_atlases, load_atlas    the atlases that come with the package, and one of them by name or folder
    Explorer                    an atlas with its model: query, search, heatmap
    QueryItem, Query            a text, a point, a picture or a vector with its weight; their weighted sum
    Heatmap                     similarity to a query over a grid of locations; writes GeoTIFF, PNG, GeoJSON
    load_embedder, Embedder     anything that turns (lat, lon) into vectors: ours, GeoCLIP, SatCLIP ...
    load_model, UniGeoCLIP      a model out of its folder, and its class
    UniGeoError                 base of every error that this package raises on purpose
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "Embedder": "unigeoclip.embedders",
    "Explorer": "unigeoclip.search.explorer",
    "Heatmap": "unigeoclip.similarity.heatmap",
    "Query": "unigeoclip.search.explorer",
    "QueryItem": "unigeoclip.search.query_items",
    "UniGeoCLIP": "unigeoclip.model",
    "UniGeoError": "unigeoclip.errors",
    "list_atlases": "unigeoclip.atlas.store",
    "load_atlas": "unigeoclip.atlas.store",
    "load_embedder": "unigeoclip.embedders",
    "load_model": "unigeoclip.model",
}

__all__ = ["__version__", *sorted(_HOME)]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'unigeoclip' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
