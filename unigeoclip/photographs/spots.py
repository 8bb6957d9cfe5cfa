"""Spots with aerial photographs of several years, as a folder holds them.

The folder has ``chips.csv`` with the columns file, city, year, lat, lon and, if they were counted, trees; the pictures
in ``aerial/``, north up; and OpenMapTiles vector tiles of the ground under them in ``vector-tiles/``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from unigeoclip.errors import InputError, excerpt
from unigeoclip.files.atomic import read_bytes

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Photographs", "read_photographs"]

TABLE, PICTURES, TILES = "chips.csv", "aerial", "vector-tiles"
MOST_ROWS = 100_000
MOST_TABLE_BYTES, MOST_PICTURE_BYTES = 20_000_000, 5_000_000
_COLUMNS = ("file", "city", "year", "lat", "lon")
_SAME_SPOT_DEG = 1e-5  # one metre: pictures of other years are cut at the very same place


@dataclass(frozen=True)
class Photographs:
    """Aerial photographs, one row each.

    Attributes:
        folder: Where they are.
        files: (n,) names in its folder ``aerial``.
        city: (n,) the city each was taken of.
        year: (n,) int64.
        spot: (n,) int64 number of the spot, the same for all years.
        latlon: (spots, 2) degrees of the centers of the spots.
        spot_city: (spots,) the city of each spot.
        trees: (n,) float64 counted trees, NaN where nobody counted.
    """

    folder: Path
    files: NDArray[np.object_]
    city: NDArray[np.object_]
    year: NDArray[np.int64]
    spot: NDArray[np.int64]
    latlon: NDArray[np.float64]
    spot_city: NDArray[np.object_]
    trees: NDArray[np.float64]

    @property
    def cities(self) -> list[str]:
        """Names of the cities, sorted."""
        return sorted(set(self.city))

    @property
    def tiles(self) -> Path:
        """Folder of the vector tiles."""
        return self.folder / TILES

    def read(self, row: int) -> bytes:
        """The file of a photograph.

        Raises:
            InputError: It is missing or larger than 5 MB.
        """
        return read_bytes(self.folder / PICTURES / self.files[row], MOST_PICTURE_BYTES)


def read_photographs(folder: str | Path) -> Photographs:
    """Read the table of a folder of photographs and check that the files are there.

    Args:
        folder: With ``chips.csv``, ``aerial/`` and ``vector-tiles/``.

    Raises:
        InputError: Something is missing, or a row is not what it should be; the message names the row.
    """
    folder = Path(folder)
    table = _table(folder / TABLE)
    if not (folder / TILES).is_dir():
        raise InputError(f"{folder / TILES} is missing: it must hold the vector tiles of the ground in the pictures.")
    _check_rows(folder, table)
    table = table.sort_values(["city", "lat", "lon", "year", "file"], kind="stable").reset_index(drop=True)
    keys = (table[["lat", "lon"]].to_numpy(np.float64) / _SAME_SPOT_DEG).round().astype(np.int64)
    _, first, spot = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    city = table["city"].to_numpy(object)
    for nth in np.flatnonzero(city != city[first][spot]):
        raise InputError(f"{folder / TABLE}: {table['file'][nth]} and another picture of its spot name two cities.")
    trees = table["trees"].to_numpy(np.float64) if "trees" in table else np.full(len(table), np.nan)
    return Photographs(
        folder,
        table["file"].to_numpy(object),
        city,
        table["year"].to_numpy(np.int64),
        spot.astype(np.int64),
        table[["lat", "lon"]].to_numpy(np.float64)[first],
        city[first],
        trees,
    )


def _table(path: Path) -> pd.DataFrame:
    """The table, with the types that its columns must have.

    Raises:
        InputError: It cannot be read, lacks a column, or is empty or too long.
    """
    import io

    data = read_bytes(path, MOST_TABLE_BYTES)
    try:
        table = pd.read_csv(io.BytesIO(data), dtype={"file": str, "city": str}, keep_default_na=False, na_values=[""])
    except (ValueError, pd.errors.ParserError) as error:
        raise InputError(f"{path} is no CSV table: {excerpt(error)}.") from error
    if absent := [name for name in _COLUMNS if name not in table]:
        raise InputError(f"{path} lacks the column {absent[0]!r}; it needs {', '.join(_COLUMNS)}, and may have trees.")
    if not 0 < len(table) <= MOST_ROWS:
        raise InputError(f"{path} has {len(table):,} rows; 1 to {MOST_ROWS:,} are read.")
    for name in [name for name in ("year", "lat", "lon", "trees") if name in table]:
        numbers = pd.to_numeric(table[name], errors="coerce")
        bad = ~np.isfinite(numbers) & (table[name].notna() if name == "trees" else True)
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise InputError(f"{path}, row {row + 1}: {name} is {excerpt(table[name].iloc[row])!r}, not a number.")
        table[name] = numbers
    return table


def _check_rows(folder: Path, table: pd.DataFrame) -> None:
    path = folder / TABLE
    where = {"latitude": table["lat"].abs() > 85, "longitude": table["lon"].abs() > 180}
    where |= {"file": table["file"].isna(), "city": table["city"].isna()}
    for what, bad in where.items():
        if bad.any():
            raise InputError(f"{path}, row {int(np.flatnonzero(bad)[0]) + 1}: the {what} is missing or out of range.")
    for row, name in enumerate(table["file"]):
        if Path(name).name != name or not (folder / PICTURES / name).is_file():
            raise InputError(f"{path}, row {row + 1}: there is no picture {excerpt(name)!r} in {folder / PICTURES}.")
