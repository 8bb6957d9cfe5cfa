"""What the builder needs of a map that is no set of tiles."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from unigeoclip.build.city.extracts.feature_tables import FeatureTables
from unigeoclip.build.city.tile_sources import tiles_touching
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    from unigeoclip.atlas.schema import Source
    from unigeoclip.build.city.tile_sources import Progress
    from unigeoclip.city.layers import CityLayers
    from unigeoclip.geo import Bounds

    Features = tuple[NDArray[Any], Sequence[Mapping[str, str]]]

__all__ = ["Extract"]


@dataclass
class Extract(ABC):
    """The map of one city, in files that are not cut into tiles.

    Attributes:
        source: Where it comes from, as the person gave it.
        bounds_deg: South, west, north, east in degrees of what is read.
        files: What is read, in a fixed order.
        areas: As `TileSet.areas`: an extract is one city.
        missing: As `TileSet.missing`.
        broken: As `TileSet.broken`: an extract is read whole or not at all.
        counts: What was counted while it was read, for the manifest; an interrupted build finds it again.
    """

    source: str
    bounds_deg: Bounds
    files: tuple[Path, ...]
    areas: tuple[Bounds, ...] = ()
    missing: list[str] = field(default_factory=list)
    broken: dict[str, str] = field(default_factory=dict)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        tiles_touching(self.bounds_deg)  # no larger than what tiles may cover

    @abstractmethod
    def features(self, report: Progress) -> Iterator[Features]:
        """Geometries in degrees (lon, lat) and their tags of OpenStreetMap, in batches.

        Raises:
            InputError: A file is damaged.
        """

    @abstractmethod
    def sources(self, size: int, sha256: str) -> list[Source]:
        """What the manifest says of the map.

        Args:
            size: Bytes of the files.
            sha256: Of them, one after the other.
        """

    def read_layers(self, report: Progress) -> CityLayers:
        """All layers that the city is drawn from.

        Raises:
            InputError: A file is damaged, holds nothing in the area, or too much.
        """
        tables = FeatureTables(self.bounds_deg)
        for geometry, tags in self.features(report):
            tables.add(geometry, tags)
        layers = tables.layers()
        if layers["transportation"].empty:
            box = ", ".join(f"{edge:g}" for edge in self.bounds_deg)
            raise InputError(f"{self.source} has no street in the box {box}. Check the file, or the order of --bbox.")
        return layers
