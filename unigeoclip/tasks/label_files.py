"""A person's own labels: what a file holds, and the table that a probe learns from.

A file is CSV, Parquet, GeoParquet, GeoJSON, GeoPackage or a zipped shapefile. :func:`inspect` guesses which columns are
the position and which may be the target; :func:`read_labels` reads them. Whatever is wrong with a file is said in
sentences: of rows that cannot be used in the notes of the table, of the file as a whole as `InputError`.
"""

from __future__ import annotations

import difflib
import io
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.errors import InputError, excerpt
from unigeoclip.files.atomic import read_bytes
from unigeoclip.tasks.columns import Column, describe, guess_positions
from unigeoclip.tasks.label_positions import position_notes, positions_of_columns, positions_of_geometries
from unigeoclip.tasks.label_table import Kind, LabelTable
from unigeoclip.tasks.targets import as_groups, as_target, check_target
from unigeoclip.tasks.values import plural
from unigeoclip.uploads.tables import MAX_TABLE_BYTES, FileTable, read_table

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MIN_ROWS", "LabelFile", "inspect", "read_labels"]

MIN_ROWS = 10
SAMPLE_ROWS = 20_000
_SAMPLE_CELLS = 2_000_000
_PARTS = (".shp", ".dbf", ".shx", ".prj", ".cpg")  # of a shapefile, which may be given by its .shp


@dataclass(frozen=True, eq=False)
class LabelFile:
    """What a file holds, guessed from up to `SAMPLE_ROWS` of its rows.

    Attributes:
        name: Of the file, without folder.
        format: "CSV", "Parquet", "GeoJSON", "GeoPackage" or "shapefile".
        rows: How many there are.
        columns: The columns with what they hold.
        lat: Column that seems to hold latitudes; None if there is none, or the file has geometries.
        lon: Column that seems to hold longitudes.
        geometry: "points", "polygons", "lines" or "mixed" if positions come from geometries, else empty. Polygons are
            represented by their centroids, lines by their midpoints.
        crs: Coordinate reference system of the geometries; empty for none.
        layer: The layer that was looked at, of a file with layers.
        layers: All layers.
        targets: Columns that can be a target, the likeliest first.
        groups: Columns that can be folds: of few values.
        notes: What to know before a column is chosen, in sentences.
    """

    name: str
    format: str
    rows: int
    columns: tuple[Column, ...]
    lat: str | None
    lon: str | None
    geometry: str
    crs: str
    layer: str
    layers: tuple[str, ...]
    targets: tuple[str, ...]
    groups: tuple[str, ...]
    notes: tuple[str, ...]

    def column(self, name: str) -> Column:
        """A column by its name.

        Raises:
            InputError: There is none.
        """
        for each in self.columns:
            if each.name == name:
                return each
        raise _no_column(name, [each.name for each in self.columns])


def inspect(source: str | Path | bytes, filename: str = "", *, layer: str | None = None) -> LabelFile:
    """What a file of labels holds.

    Args:
        source: Path of the file, or its content.
        filename: Name of the file, for content.
        layer: Which layer, of a file with several; the first by default.

    Raises:
        InputError: It cannot be read, has no rows, or is too large.
    """
    name, data = _content(source, filename)
    return _inspected(name, data, layer)


def _inspected(name: str, data: bytes, layer: str | None) -> LabelFile:
    table = read_table(data, sample=SAMPLE_ROWS, layer=layer)
    if table.columns.num_columns * table.columns.num_rows > _SAMPLE_CELLS:
        table_rows = max(_SAMPLE_CELLS // table.columns.num_columns, 100)
        columns = table.columns.slice(0, table_rows)
    else:
        columns = table.columns
    described = tuple(describe(each, columns.column(each)) for each in columns.column_names)
    lat, lon = (None, None) if table.latlon is not None else guess_positions(described)
    taken = {lat, lon}
    targets = sorted((each for each in described if each.kind and each.name not in taken), key=lambda each: each.rank)
    groups = [each.name for each in described if each.can_be_folds and each.name not in taken]
    notes = list(table.notes)
    if table.left_out:
        some = ", ".join(repr(excerpt(each, 40)) for each in table.left_out[:5])
        notes.append(f"{plural(len(table.left_out), 'column')} of lists, objects or bytes were left out: {some}.")
    if len(table.layers) > 1 and layer is None:
        notes.append(f"The file has {len(table.layers)} layers; this is {excerpt(table.layer, 40)!r}.")
    if table.latlon is None and lat is None:
        notes.append("No columns were recognized as latitude and longitude: choose them.")
    return LabelFile(
        name, table.format, table.rows, described, lat, lon, table.geometry if table.latlon is not None else "",
        table.crs, table.layer, table.layers, tuple(each.name for each in targets), tuple(groups), tuple(notes),
    )  # fmt: skip


def read_labels(
    source: str | Path | bytes,
    *,
    lat: str | None = None,
    lon: str | None = None,
    target: str | None = None,
    groups: str | None = None,
    kind: Kind | None = None,
    filename: str = "",
    layer: str | None = None,
    crs: str = "",
) -> LabelTable:
    """Read the labels of a file.

    Rows without a position, a target or a group are left out and counted in the notes of the table.

    Args:
        source: Path of the file, or its content: CSV, Parquet, GeoParquet, GeoJSON, GeoPackage, a zipped shapefile, or
            the path of its .shp; at most 200,000 rows and 100 MB.
        lat: Column of the latitudes, degrees; by default geometries are taken, or a column with such a name.
        lon: Column of the longitudes.
        target: Column to predict; needed if more than one column can be.
        groups: Column of folds: rows of one value stay together.
        kind: "regression" or "classification"; guessed from the values by default.
        filename: Name of the file, for content.
        layer: Which layer, of a file with several.
        crs: Coordinate reference system of the positions, "EPSG:25832" say, where the file does not say it; columns
            ``lat`` and ``lon`` are then northing and easting.

    Raises:
        InputError: The file cannot be read, a column is missing or cannot be used, or fewer than `MIN_ROWS` rows are
            left; says what to do.
    """
    name, data = _content(source, filename)
    if (lat is None) != (lon is None):
        raise InputError("Give both columns of the position, latitude and longitude, or neither.")
    wanted = [each for each in (lat, lon, target, groups) if each is not None]
    if len(set(wanted)) < len(wanted):
        raise InputError("One column was named twice; latitude, longitude, target and folds are different columns.")
    if target is None:
        seen = _inspected(name, data, layer)
        if layer is None and len(seen.layers) > 1:
            raise InputError(f"The file has several layers: say which to read, of {_listed(seen.layers)}.")
        target = _only_target(seen, lat or seen.lat, lon or seen.lon, groups)
    wanted = [each for each in (lat, lon, target, groups) if each is not None]
    table = read_table(data, columns=wanted, layer=layer, crs=crs if lat is None else "")
    if table.latlon is None and lat is None:
        seen = _inspected(name, data, layer)
        lat, lon = seen.lat, seen.lon
        if lat is None or lon is None:
            raise InputError(
                f"{name} has no geometries, and no columns were recognized as latitude and longitude: name them, of"
                f" {_listed([each.name for each in seen.columns])}."
            )
        table = read_table(data, columns=[*wanted, lat, lon], layer=layer)
    for each in (lat, lon, target, groups):
        if each is not None and each not in table.columns.column_names:
            raise _no_column(each, [column.name for column in _inspected(name, data, layer).columns])
    return _label_table(name, table, lat, lon, target, groups, kind, crs)


def _label_table(
    name: str,
    table: FileTable,
    lat: str | None,
    lon: str | None,
    target: str,
    groups: str | None,
    kind: Kind | None,
    crs: str,
) -> LabelTable:
    notes = list(table.notes)
    if lat is None or lon is None:
        assert table.latlon is not None
        latlon, said = positions_of_geometries(table.latlon)
    else:
        columns = [table.columns.column(each).combine_chunks() for each in (lat, lon)]
        latlon, said = positions_of_columns(columns[0], columns[1], lat, lon, crs)
    notes += said
    column = table.columns.column(target).combine_chunks()
    values, found, said = as_target(column, target, kind)
    notes += said
    keep = np.isfinite(latlon).all(axis=1)
    keep &= values != "" if found == "classification" else np.isfinite(values)
    members = None
    if groups is not None:
        members, said = as_groups(table.columns.column(groups).combine_chunks(), groups, keep)
        keep &= members != ""
        notes += said
    left = int(keep.sum())
    if left < MIN_ROWS:
        why = " ".join(notes)
        raise InputError(
            f"{plural(left, 'row')} of {len(keep):,} in {name} have a position and a target, and a probe needs at least"
            f" {MIN_ROWS}. {why}".rstrip()
        )
    if left < len(keep):
        notes.append(f"{plural(left, 'row')} of {len(keep):,} are used.")
    kept = LabelTable(
        Path(name).stem, latlon[keep], values[keep], found, target, groups=None if members is None else members[keep],
        group_name=groups or "", notes=tuple(notes),
    )  # fmt: skip
    return replace(kept, notes=(*notes, *check_target(kept), *position_notes(kept.latlon)))


def _only_target(seen: LabelFile, *taken: str | None) -> str:
    free = [name for name in seen.targets if name not in taken]
    if len(free) == 1:
        return free[0]
    if not free:
        raise InputError(f"{seen.name} has no column that can be predicted, beside those of the position.")
    raise InputError(f"Name the column to predict, of {_listed(free)}.")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(excerpt(name, 40) for name in names[:15])
    return f"{shown} and {len(names) - 15:,} more" if len(names) > 15 else shown


def _no_column(name: str, names: Sequence[str]) -> InputError:
    near = difflib.get_close_matches(name.lower(), [each.lower() for each in names[:1000]], 1)
    meant = next((each for each in names if near and each.lower() == near[0]), None)
    hint = f" Did you mean {meant!r}?" if meant else ""
    return InputError(f"There is no column {excerpt(name, 40)!r}.{hint} The columns are {_listed(names)}.")


def _content(source: str | Path | bytes, filename: str) -> tuple[str, bytes]:
    """Name and content of a file."""
    if isinstance(source, bytes):
        return excerpt(Path(filename).name or "labels", 80), source
    path = Path(source)
    if path.suffix.lower() == ".shp" and path.is_file():
        return path.name, _zipped(path)
    return excerpt(path.name, 80), read_bytes(path, MAX_TABLE_BYTES)


def _zipped(path: Path) -> bytes:
    """A shapefile on disk as the archive that uploads bring."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for suffix in _PARTS:
            part = next(
                (each for each in (path.with_suffix(suffix), path.with_suffix(suffix.upper())) if each.is_file()), None
            )
            if part is not None:
                archive.writestr(f"table{suffix}", read_bytes(part, MAX_TABLE_BYTES))
    return file.getvalue()
