"""Packs of tasks as files: Parquet, a row a position, a column a target."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from unigeoclip.errors import DownloadError, InputError
from unigeoclip.files.atomic import atomic

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["PackTable", "read_column", "read_pictures", "read_rows", "write_pack"]

_TARGET = "target:"
_KEY = b"unigeoclip.task_pack"


@dataclass(eq=False)
class PackTable:
    """The rows of a pack.

    Attributes:
        latlon: (n, 2) degrees.
        targets: Task -> (n,) float64 with NaN, or (n,) object of str with None, where a row has no value.
        groups: (n,) str, or None.
        areas: (n, k, 2) degrees, rows with fewer points padded with NaN; or None.
        pictures: (n,) encoded pictures, or None.
        notes: Sentences on what was left out, for all tasks of the pack.
    """

    latlon: NDArray[np.float64]
    targets: Mapping[str, NDArray[Any]]
    groups: NDArray[np.str_] | None = None
    areas: NDArray[np.float64] | None = None
    pictures: Sequence[bytes] | None = None
    notes: list[str] = field(default_factory=list)


def write_pack(path: Path, table: PackTable, about: Mapping[str, Any]) -> None:
    """Write a pack whole or not at all.

    Args:
        path: The file; its folder exists.
        table: The rows.
        about: Plain JSON values: name and version of the pack, checksums of what it was made of.

    Raises:
        DownloadError: The file cannot be written.
    """
    columns: dict[str, Any] = {"lat": table.latlon[:, 0], "lon": table.latlon[:, 1]}
    if table.groups is not None:
        columns["group"] = pa.array([str(group) for group in table.groups], pa.string())
    if table.areas is not None:
        flat = [row[np.isfinite(row[:, 0])].ravel() for row in table.areas]
        columns["area"] = pa.array(flat, pa.list_(pa.float64()))
    if table.pictures is not None:
        columns["picture"] = pa.array(list(table.pictures), pa.binary())
    for name, values in table.targets.items():
        kind = pa.float64() if np.issubdtype(values.dtype, np.floating) else pa.string()
        columns[_TARGET + name] = pa.array(values.tolist(), kind, from_pandas=True)
    note = json.dumps({**about, "notes": table.notes}).encode()
    stored = pa.table(columns).replace_schema_metadata({_KEY: note})
    with atomic(path, error=DownloadError, failures=(pa.ArrowException,)) as temporary:
        pq.write_table(stored, temporary, compression="zstd")


def read_column(path: Path, name: str, version: int) -> tuple[PackTable, list[str]]:
    """Read one task of a pack, rows without a value left out.

    Args:
        path: The file.
        name: Of the task.
        version: Of the pack that is understood.

    Returns:
        The rows, with one target and without pictures, and the notes of the pack.

    Raises:
        InputError: The file is missing, damaged, of another version, or does not hold the task.
    """
    try:
        stored = pq.ParquetFile(path)
        about = json.loads(stored.schema_arrow.metadata[_KEY])
        if about["version"] != version:
            raise InputError(f"{path} was made by another version of this package.")
        names = set(stored.schema_arrow.names)
        wanted = ["lat", "lon", _TARGET + name, *(key for key in ("group", "area") if key in names)]
        table = stored.read(columns=wanted)
        target = table.column(_TARGET + name)
        table = table.filter(target.is_valid())
        target = table.column(_TARGET + name)
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist.") from error
    except (OSError, pa.ArrowException, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} is damaged, or does not hold {name!r}.") from error
    latlon = np.stack([table.column("lat").to_numpy(), table.column("lon").to_numpy()], axis=1)
    numeric = pa.types.is_floating(target.type)
    values: NDArray[Any] = target.to_numpy() if numeric else np.array(target.to_pylist(), np.str_)
    groups = np.array(table.column("group").to_pylist(), np.str_) if "group" in names else None
    areas = _padded(table.column("area").to_pylist()) if "area" in names else None
    return PackTable(latlon, {name: values}, groups, areas), [str(note) for note in about["notes"]]


def read_rows(path: Path) -> tuple[PackTable, dict[str, NDArray[np.bool_]]]:
    """Read all rows of a pack, whatever they have a value of.

    Returns:
        Their positions and areas, without targets, groups and pictures; task -> (n,) which of the rows `read_column`
        gives.

    Raises:
        InputError: The file is missing or damaged.
    """
    try:
        stored = pq.ParquetFile(path)
        names = stored.schema_arrow.names
        targets = [name for name in names if name.startswith(_TARGET)]
        table = stored.read(columns=["lat", "lon", *(["area"] if "area" in names else []), *targets])
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise InputError(f"{path} is missing or damaged.") from error
    latlon = np.stack([table.column("lat").to_numpy(), table.column("lon").to_numpy()], axis=1)
    areas = _padded(table.column("area").to_pylist()) if "area" in names else None
    valid = {name.removeprefix(_TARGET): table.column(name).is_valid().to_numpy() for name in targets}
    return PackTable(latlon, {}, areas=areas), valid


def read_pictures(path: Path, name: str) -> list[bytes]:
    """The encoded pictures of the rows that `read_column` gives.

    Raises:
        InputError: The file is missing, damaged, or has no pictures.
    """
    try:
        table = pq.read_table(path, columns=["picture", _TARGET + name])
        return list(table.filter(table.column(_TARGET + name).is_valid()).column("picture").to_pylist())
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        raise InputError(f"{path} is missing, damaged, or holds no pictures of {name!r}.") from error


def _padded(rows: list[list[float]]) -> NDArray[np.float64]:
    longest = max((len(row) for row in rows), default=0)
    out = np.full((len(rows), longest), np.nan)
    for values, row in zip(out, rows, strict=True):
        values[: len(row)] = row
    return out.reshape(len(rows), -1, 2)
