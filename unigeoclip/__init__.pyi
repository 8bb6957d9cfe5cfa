# The public interface as type checkers see it; __init__.py imports the same names when they are first used.
from unigeoclip.atlas.store import list_atlases, load_atlas
from unigeoclip.embedders import Embedder, load_embedder
from unigeoclip.errors import UniGeoError
from unigeoclip.model import UniGeoCLIP, load_model
from unigeoclip.search.explorer import Explorer, Query
from unigeoclip.search.query_items import QueryItem
from unigeoclip.similarity.heatmap import Heatmap

__version__: str

__all__ = [
    "Embedder",
    "Explorer",
    "Heatmap",
    "Query",
    "QueryItem",
    "UniGeoCLIP",
    "UniGeoError",
    "__version__",
    "list_atlases",
    "load_atlas",
    "load_embedder",
    "load_model",
]
