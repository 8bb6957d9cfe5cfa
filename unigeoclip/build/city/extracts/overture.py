"""Overture Maps: GeoParquet of buildings, places, land, water, streets and divisions, in a folder.

The folder is one of Overture's own form, theme=THEME/type=TYPE/*.parquet, or has a file for each type whose name
ends in it, such as boston_building.parquet, as the program overturemaps writes them.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from shapely.ops import substring

from unigeoclip.atlas import schema
from unigeoclip.build.city.extracts.base import Extract
from unigeoclip.build.city.extracts.feature_tables import around
from unigeoclip.build.city.extracts.overture_tags import COLUMNS, THEMES, tags_of
from unigeoclip.errors import InputError
from unigeoclip.files.atomic import reason
from unigeoclip.sources.parquet.row_groups import check_groups, groups_touching

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from unigeoclip.build.city.extracts.base import Features
    from unigeoclip.build.city.tile_sources import Progress
    from unigeoclip.geo import Bounds

__all__ = ["SCHEME", "OvertureTables", "open_overture"]

SCHEME = "overture:"
URL = "https://docs.overturemaps.org/attribution/"
_LICENSES = {
    "places": "CDLA-Permissive-2.0 and others"
}  # ODbL for the other themes, for they hold OpenStreetMap's data
_WHAT = {
    "base": "land, water, vegetation",
    "buildings": "outlines and heights of buildings",
    "divisions": "names of places, boundaries",
    "places": "shops, schools and other places to go",
    "transportation": "streets, paths and rails",
}
_BATCH = 20_000
_MOST_DATASETS = 8  # named in a credit
_RELEASE = re.compile(r"\d{4}-\d{2}-\d{2}\.\d+")
_RULES = ("road_flags", "rail_flags", "level_rules", "road_surface", "subclass_rules")


@dataclass
class OvertureTables(Extract):
    """Tables of Overture in one folder.

    Attributes:
        kinds: Type of each file. ``counts`` says how many features of a theme come from which data set.
    """

    kinds: tuple[str, ...] = ()

    def features(self, report: Progress) -> Iterator[Features]:
        """See `Extract.features`."""
        for number, (path, kind) in enumerate(zip(self.files, self.kinds, strict=True)):
            report(f"Reading {kind}", number / len(self.files))
            try:
                yield from self._of_file(path, kind)
            except (pa.ArrowException, OSError, ValueError, TypeError, AttributeError, KeyError) as error:
                raise InputError(f"{path} cannot be read as {kind} of Overture: {reason(error)}.") from error
        report(f"{len(self.files)} files are read", 1.0)

    def _of_file(self, path: Path, kind: str) -> Iterator[Features]:
        bounds = around(self.bounds_deg)
        south, west, north, east = bounds
        with pq.ParquetFile(path) as file:
            columns = ["geometry", *(name for name in COLUMNS[kind] if name in file.schema_arrow.names)]
            groups = groups_touching(file.metadata, bounds)
            check_groups(file.metadata, groups, columns, str(path))
            for batch in file.iter_batches(_BATCH, row_groups=groups, columns=columns):
                wkb = batch.column("geometry").cast(pa.binary()).to_numpy(zero_copy_only=False)
                geometry = shapely.from_wkb(wkb, on_invalid="ignore")
                left, lower, right, upper = shapely.bounds(geometry).T
                here = (left <= east) & (right >= west) & (lower <= north) & (upper >= south)
                rows = batch.drop_columns("geometry").take(pa.array(np.flatnonzero(here))).to_pylist()
                seen = self.counts.setdefault(THEMES[kind], {})
                for name, count in Counter(_data_set(row) for row in rows).items():
                    seen[name] = seen.get(name, 0) + count
                yield _pieces(geometry[here], rows) if kind == "segment" else _whole(geometry[here], rows, kind)

    def sources(self, size: int, sha256: str) -> list[schema.Source]:
        """See `Extract.sources`."""
        found = _RELEASE.search(str(self.files[0].resolve()))
        themes = dict.fromkeys(THEMES[kind] for kind in self.kinds)
        return [
            schema.Source(
                name=schema.OVERTURE,
                package=f"{Path(self.source.removeprefix(SCHEME)).name}, theme={theme}",
                version=found[0] if found else "",
                url=URL,
                what=f"{_WHAT[theme]}: Overture Maps",
                licence=_LICENSES.get(theme, "ODbL 1.0"),
                attribution=self._credit(theme),
                date="",
                bytes=size,
                sha256=sha256,
            )
            for theme in themes
        ]  # fmt: skip

    def _credit(self, theme: str) -> str:
        names = [name for name, _ in Counter(self.counts.get(theme, {})).most_common(_MOST_DATASETS) if name]
        osm = [] if theme == "places" else ["© OpenStreetMap contributors (ODbL)"]
        return "; ".join([*osm, ", ".join(["Overture Maps Foundation", *(n for n in names if n != "OpenStreetMap")])])


def open_overture(word: str, bbox: Bounds | None) -> OvertureTables:
    """The tables in a folder, or in one file.

    Args:
        word: overture:PATH.
        bbox: South, west, north, east in degrees.

    Raises:
        InputError: There is no such folder, it lacks streets, or there is no box.
    """
    path = Path(word.removeprefix(SCHEME))
    if not path.is_dir():
        raise InputError(f"{word}: {path} is no folder. Give the folder with files of Overture, or overture: alone.")
    files: dict[Path, str] = {}
    for file in sorted(path.rglob("*.parquet")):
        if (kind := _kind(file)) is not None:
            files[file] = kind
    if "segment" not in files.values():
        raise InputError(
            f"{word} has no streets: no file type=segment/*.parquet or *segment.parquet in {path}. The types that are "
            f"read: {', '.join(COLUMNS)}."
        )
    if bbox is None:
        raise InputError(f"{word} does not say which city is meant. Choose with --bbox SOUTH,WEST,NORTH,EAST.")
    return OvertureTables(word, bbox, tuple(files), kinds=tuple(files.values()))


def _kind(path: Path) -> str | None:
    """Type of a file by the name of its folder, or by how its own name ends."""
    said = next((part.removeprefix("type=") for part in path.parts if part.startswith("type=")), None)
    if said is not None:
        return said if said in COLUMNS else None
    fitting = [kind for kind in COLUMNS if re.search(rf"(^|[^a-z]){kind}$", path.stem)]
    return max(fitting, key=len, default=None)


def _data_set(row: Mapping[str, Any]) -> str:
    said = row.get("sources") or [{}]
    return str(said[0].get("dataset") or "")


def _whole(geometry: NDArray[Any], rows: list[dict[str, Any]], kind: str) -> Features:
    lines = shapely.get_dimensions(geometry) == 1
    return geometry, [tags_of(kind, row, bool(line)) for row, line in zip(rows, lines, strict=True)]


def _pieces(geometry: NDArray[Any], rows: list[dict[str, Any]]) -> Features:
    """Segments, cut where a rule begins or ends: a bridge may be a part of one."""
    shapes, tags = [], []
    for line, row in zip(geometry, rows, strict=True):
        cuts = {0.0, 1.0}
        for name in _RULES:
            for rule in row.get(name) or ():
                cuts.update(min(max(float(share), 0.0), 1.0) for share in rule.get("between") or ())
        for begin, end in itertools.pairwise(sorted(cuts)):
            shapes.append(line if end - begin == 1 else substring(line, begin, end, normalized=True))
            tags.append(tags_of("segment", _at(row, (begin + end) / 2), True))
    return np.array(shapes, dtype=object), tags


def _at(row: Mapping[str, Any], share: float) -> dict[str, Any]:
    """The columns of a segment as they are at a share of its length."""

    def there(name: str) -> list[Mapping[str, Any]]:
        return [rule for rule in row.get(name) or () if not rule.get("between")
                or rule["between"][0] <= share <= rule["between"][1]]  # fmt: skip

    flags = [flag for name in ("road_flags", "rail_flags") for rule in there(name) for flag in rule.get("values") or ()]
    columns = {"level_rules": "level", "road_surface": "surface", "subclass_rules": "subclass"}
    values = {to: next((rule.get("value") for rule in there(name)), None) for name, to in columns.items()}
    values["subclass"] = values["subclass"] or row.get("subclass")
    return {**row, **values, "flags": flags}
