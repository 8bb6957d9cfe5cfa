"""The compact grid of an atlas under its model: made once, kept in the cache folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unigeoclip.files.cache import cache_folder, is_sound, write_cached
from unigeoclip.search.gallery_embeddings import VectorCache, wave_radius_m
from unigeoclip.similarity.compact import FORMAT, CompactGrid

if TYPE_CHECKING:
    from pathlib import Path

    from unigeoclip.search.explorer import Explorer

__all__ = ["compact_bytes", "compact_grid"]


def compact_grid(explorer: Explorer, cache_dir: Path | None = None) -> CompactGrid:
    """The vectors of the centers of an explorer's cells, few bytes a cell; takes some seconds.

    Args:
        explorer: Whose heatmaps it stands for.
        cache_dir: Where the explorer's vectors are kept; by default $UNIGEOCLIP_CACHE or ~/.cache/unigeoclip.
    """
    atlas, model, grid = explorer.atlas, explorer.model, explorer.grid
    vectors = VectorCache(atlas, model, grid, cache_dir).load_grid()
    return CompactGrid.fit(grid, vectors, wave_radius_m(model, grid))


def compact_bytes(explorer: Explorer, cache_dir: Path | None = None) -> bytes:
    """`compact_grid` as the browser reads it, see `CompactGrid.to_bytes`; read from the cache folder if it is there."""
    atlas, identity = explorer.atlas, explorer.model_id
    path = (cache_dir or cache_folder()) / "compact" / f"{atlas.name}-{atlas.data_hash}-{identity}-{FORMAT}.bin"
    if is_sound(path):
        return path.read_bytes()
    data = compact_grid(explorer, cache_dir).to_bytes()

    def write(temporary: Path) -> None:
        temporary.write_bytes(data)

    write_cached(path, write)
    return data
