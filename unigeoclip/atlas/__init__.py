"""Atlases: folders that hold one explorable part of the Earth."""

from unigeoclip.atlas.rasters import Raster
from unigeoclip.atlas.schema import Manifest, Source
from unigeoclip.atlas.store import Atlas, LandGrid, list_atlases, load_atlas
from unigeoclip.files.cache import cache_folder

__all__ = ["Atlas", "LandGrid", "Manifest", "Raster", "Source", "cache_folder", "list_atlases", "load_atlas"]
