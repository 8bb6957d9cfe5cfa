"""Extracts of OpenStreetMap: files .osm.pbf and .osm, read by GDAL.

GDAL keeps the positions of nodes in a temporary file above 100 MB, so that the memory needed does not grow with the
file. Each kind of geometry takes a pass over the whole file, whatever the box is.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyogrio
import shapely

from unigeoclip.atlas import schema
from unigeoclip.build.city.extracts.base import Extract
from unigeoclip.build.city.extracts.feature_tables import around
from unigeoclip.build.city.extracts.osm_files import check_osm_file
from unigeoclip.build.city.extracts.osm_tags import AREA_KEYS
from unigeoclip.build.city.tile_sources import UNREADABLE
from unigeoclip.errors import InputError
from unigeoclip.files.atomic import reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from unigeoclip.build.city.extracts.base import Features
    from unigeoclip.build.city.tile_sources import Progress
    from unigeoclip.geo import Bounds

__all__ = ["ENDINGS", "OsmExtract", "open_osm"]

ENDINGS = (".pbf", ".osm")
MOST_BYTES = 2_000_000_000  # each of four passes reads all of it, whatever the box is
CUT_OUT = "Cut the city out first: osmium extract --bbox WEST,SOUTH,EAST,NORTH FILE -o city.osm.pbf"
_LAYERS = ("points", "lines", "multipolygons", "multilinestrings")
_BATCH = 65_536


@dataclass
class OsmExtract(Extract):
    """An extract of OpenStreetMap."""

    def features(self, report: Progress) -> Iterator[Features]:
        """See `Extract.features`."""
        path = self.files[0]
        south, west, north, east = around(self.bounds_deg)
        with tempfile.TemporaryDirectory() as folder:
            config = Path(folder) / "osmconf.ini"
            config.write_text(_configuration(), encoding="utf-8")
            for number, layer in enumerate(_LAYERS):
                report(f"Reading {layer} of {path.name}", number / len(_LAYERS))
                # By SQL, GDAL knows that no other layer is wanted and does not gather their features meanwhile.
                options: dict[str, Any] = {"sql": f"SELECT all_tags FROM {layer}", "CONFIG_FILE": str(config)}
                try:
                    with pyogrio.open_arrow(
                        path, bbox=(west, south, east, north), batch_size=_BATCH, use_pyarrow=True, **options
                    ) as (meta, reader):
                        for batch in reader:
                            wkb = batch.column(meta["geometry_name"] or "wkb_geometry").to_numpy(zero_copy_only=False)
                            said = batch.column("all_tags").cast("string").to_pylist()
                            yield shapely.from_wkb(wkb, on_invalid="ignore"), [_tags(text) for text in said]
                except (*UNREADABLE, OSError, ValueError, RuntimeError) as error:
                    raise InputError(f"{path} cannot be read as OpenStreetMap data: {reason(error)}.") from error
        report(f"{path.name} is read", 1.0)

    def sources(self, size: int, sha256: str) -> list[schema.Source]:
        """See `Extract.sources`."""
        return [
            schema.Source(
                name="OpenStreetMap",
                package=self.files[0].name,
                version="",
                url="https://www.openstreetmap.org/copyright",
                what="streets, buildings, water, vegetation, names: an extract of OpenStreetMap",
                licence="ODbL 1.0",
                attribution="© OpenStreetMap contributors (ODbL)",
                date="",
                bytes=size,
                sha256=sha256,
            )
        ]


def open_osm(path: Path, bbox: Bounds | None, progress: Progress) -> OsmExtract:
    """An extract and the part of it that is wanted.

    Args:
        path: File .osm.pbf or .osm.
        bbox: South, west, north, east in degrees; what the file says it covers by default.

        progress: Called with what is being done and the share done.

    Raises:
        InputError: It is none, is damaged or too large, or does not say what it covers.
    """
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise InputError(f"{path} has {size / 1e9:.1f} GB; at most {MOST_BYTES / 1e9:.0f} GB are read. {CUT_OUT}")
    # Before GDAL sees it, which would open whatever the content is, other files and servers included.
    check_osm_file(path, lambda share: progress(f"checking {path.name}", share))
    if bbox is None:
        try:
            bounds = pyogrio.read_info(path, layer="points", force_total_bounds=True)["total_bounds"]
        except (*UNREADABLE, OSError, ValueError) as error:
            raise InputError(f"{path} cannot be read as OpenStreetMap data: {reason(error)}.") from error
        if bounds is None or not np.isfinite(bounds).all():
            raise InputError(f"{path} does not say which area it covers. Choose with --bbox SOUTH,WEST,NORTH,EAST.")
        west, south, east, north = (float(edge) for edge in bounds)
        bbox = south, west, north, east
    return OsmExtract(str(path), bbox, (path,))


def _configuration() -> str:
    """For GDAL: all tags of a feature as one JSON text, and which closed ways are areas."""
    layers = "".join(f"[{name}]\nosm_id=no\nall_tags=yes\n" for name in (*_LAYERS, "other_relations"))
    return f"closed_ways_are_polygons={','.join(AREA_KEYS)}\ntags_format=json\n{layers}"


def _tags(text: str | None) -> dict[str, str]:
    said = json.loads(text) if text else {}
    return {key: value for key, value in said.items() if isinstance(value, str)}
