"""Names of places out of GeoParquet by DuckDB: the rows that are asked for, never the whole table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from unigeoclip.errors import InputError
from unigeoclip.extras import needs_extra
from unigeoclip.files.atomic import reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["PlaceNames", "PlaceTable"]

_MEMORY = "512MB"
_NEAR_DEG = 0.1


class PlaceNames(NamedTuple):
    """What a place is called."""

    name: str
    country: str


class PlaceTable:
    """GeoParquet with the columns "place_id", "name" and perhaps "country"; its methods may run in any thread.

    A file in spatial order with the column "bbox" of GeoParquet 1.1 is read only where the places are.
    """

    def __init__(self, path: str | Path) -> None:
        """Look at the columns.

        Args:
            path: A file, or a folder of files that end in .parquet.

        Raises:
            InputError: It is none, is damaged, or lacks a column.
            MissingPackageError: The extra `scale` is not installed.
        """
        with needs_extra("scale"):
            import duckdb
        path = Path(path)
        files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
        self._files = [str(file) for file in files if file.is_file()]
        if not self._files:
            raise InputError(f"{path} is no GeoParquet file, and no folder of such files.")
        if any(sign in file for file in self._files for sign in "*?["):
            raise InputError(f"{path}: DuckDB takes * ? and [ in a name for a pattern; rename it.")
        self._error: type[Exception] = duckdb.Error
        # Nothing is fetched, and a table cannot make DuckDB read anything but these files.
        options: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": _MEMORY,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        self._connection = duckdb.connect(":memory:", config=options)
        self._columns = [row[0] for row in self._run("DESCRIBE SELECT * FROM read_parquet($files)", {})]
        if missing := [name for name in ("place_id", "name") if name not in self._columns]:
            raise InputError(f"{path} has no column {missing[0]!r}, so it is no table of places.")

    def named(self, place_ids: Sequence[str], latlon: NDArray[np.float64] | None = None) -> dict[str, PlaceNames]:
        """Names of places; those that are not in the table are missing.

        Args:
            place_ids: Ids.
            latlon: (n, 2) degrees, where the places are or within 10 km of it: lets DuckDB skip the rest of the table.
        """
        country = "country" if "country" in self._columns else "''"
        wanted = "list_contains($ids, place_id)"
        values: dict[str, object] = {"ids": list(dict.fromkeys(place_ids))}
        if latlon is not None and len(latlon) and "bbox" in self._columns:
            low, high = latlon.min(axis=0) - _NEAR_DEG, latlon.max(axis=0) + _NEAR_DEG
            wanted += " AND bbox.ymax >= $south AND bbox.ymin <= $north AND bbox.xmax >= $west AND bbox.xmin <= $east"
            values |= {"south": low[0], "west": low[1], "north": high[0], "east": high[1]}
        sql = f"SELECT place_id, name, {country} FROM read_parquet($files) WHERE {wanted}"
        return {place: PlaceNames(str(name or ""), str(land or "")) for place, name, land in self._run(sql, values)}

    def _run(self, sql: str, values: dict[str, object]) -> list[tuple[str, ...]]:
        try:
            with self._connection.cursor() as cursor:
                return cursor.execute(sql, {"files": self._files, **values}).fetchall()
        except self._error as error:
            raise InputError(f"{self._files[0]} cannot be read as GeoParquet ({reason(error)}).") from error
