"""Folds: which rows a probe is tested on while it is trained on the others.

*random*: rows at random; says little of new places, as neighbors of a tested row were trained on. *blocks*: whole cells
of a grid. *groups*: whole groups of the table, such as countries, states, or the values of a fold column.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.errors import InputError, excerpt
from unigeoclip.s2_cells import cell_ids

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.tasks.label_table import LabelTable

__all__ = ["BLOCKS", "GROUPS", "RANDOM", "Cell", "Folds", "default_cell", "make_folds", "parse_cell", "split_names"]

RANDOM, BLOCKS, GROUPS = "random", "blocks", "groups"
LEAST_FOLDS, MOST_FOLDS = 3, 20  # two leave no fold to choose a penalty on
LEAST_ROWS = 2  # of a fold: R2 of a single row is no figure
COLUMN_FOLDS = 10  # so many groups or fewer are folds themselves, as those of a fold column
_LEAST_BLOCKS = 4  # for each fold, of a cell that is chosen by default
_KEY = 100_003  # more than the columns of any grid in degrees


@dataclass(frozen=True)
class Cell:
    """The cells of a grid that blocks are made of.

    Attributes:
        degrees: Side in degrees of latitude and longitude; 0 for cells of S2.
        level: Level of S2 cells where ``degrees`` is 0.
    """

    degrees: float = 0.0
    level: int = 0

    def __str__(self) -> str:
        return f"{self.degrees:g} degrees" if self.degrees else f"S2 level {self.level}"

    @property
    def option(self) -> str:
        """As `parse_cell` reads it."""
        return f"{self.degrees:g}" if self.degrees else f"s2:{self.level}"

    def numbers(self, latlon: NDArray[np.float64]) -> NDArray[np.int64]:
        """Number of the cell that holds each point, (n, 2) degrees -> (n,); cells begin at (0, 0)."""
        if not self.degrees:
            return cell_ids(latlon, self.level).view(np.int64)
        rows, columns = np.floor(latlon / self.degrees).astype(np.int64).T
        numbers: NDArray[np.int64] = rows * _KEY + columns
        return numbers


# From the whole Earth to a quarter of a town: the extent in degrees from which on a cell is taken by default.
_BY_EXTENT = (
    (60.0, Cell(degrees=10)),
    (8.0, Cell(degrees=2)),
    (2.0, Cell(level=8)),
    (0.5, Cell(level=10)),
    (0.0, Cell(level=12)),
)
_SMALLEST = (Cell(level=14), Cell(level=16))


def parse_cell(text: str | float | Cell | None) -> Cell | None:
    """A cell as people write it: "2" for 2 degrees, "s2:12" for S2 level 12; None stays None.

    Raises:
        InputError: It is neither, or out of range.
    """
    if text is None or isinstance(text, Cell):
        return text
    written = str(text).strip().lower()
    if found := re.fullmatch(r"s2[:\- ]?(\d{1,2})", written):
        if 1 <= int(found[1]) <= 20:
            return Cell(level=int(found[1]))
        raise InputError(f"S2 level {found[1]} is no size for blocks: choose 1 (4,000 km) to 20 (10 m).")
    try:
        degrees = float(written)
    except ValueError as error:
        raise InputError(
            f"A cell of blocks is a number of degrees, like 2, or a level of S2, like s2:12, not {excerpt(text)!r}."
        ) from error
    if not 1e-3 <= degrees <= 90:
        raise InputError(f"Blocks are 0.001 to 90 degrees wide, not {excerpt(text)}.")
    return Cell(degrees=degrees)


def extent_deg(latlon: NDArray[np.float64]) -> float:
    """The larger side of what holds the points: degrees of latitude, or of longitude times the cosine of latitude.

    The widest gap between longitudes is left out, so that points on both sides of 180 degrees lie together.
    """
    lat, lon = latlon[:, 0], np.sort(latlon[:, 1])
    gap = max(float(np.diff(lon).max(initial=0.0)), float(lon[0] + 360 - lon[-1]))
    return max(float(np.ptp(lat)), (360 - gap) * float(np.cos(np.radians(lat.mean()))))


def default_cell(latlon: NDArray[np.float64], folds: int = 5) -> Cell:
    """The cell of blocks that suits where points lie: 10 degrees for the world to S2 level 12 (2 km) for a city.

    Smaller cells are taken where the points would fill fewer than four of them for each fold.
    """
    extent = extent_deg(latlon)
    cells = [cell for least, cell in _BY_EXTENT if extent >= least]
    ladder = [*cells[:1], *(cell for _, cell in _BY_EXTENT[len(_BY_EXTENT) - len(cells) + 1 :]), *_SMALLEST]
    enough = (cell for cell in ladder if len(np.unique(cell.numbers(latlon))) >= _LEAST_BLOCKS * folds)
    return next(enough, ladder[0])


@dataclass(frozen=True, eq=False)
class Folds:
    """A division of the rows of a table.

    Attributes:
        split: Its name.
        numbers: (n,) fold of each row, 0 to k - 1, none empty.
        units: (n,) number of the block or group of each row; None where rows stand for themselves.
        words: What the units are: "10 degrees", "S2 level 12", "country"; empty without.
        notes: Sentences on it.
    """

    split: str
    numbers: NDArray[np.int64]
    units: NDArray[np.int64] | None = None
    words: str = ""
    notes: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """Number of folds."""
        return int(self.numbers.max()) + 1


def split_names(table: LabelTable) -> tuple[str, ...]:
    """The splits that a table allows: random, blocks, and that of its groups, by the name that the table has for it."""
    return (RANDOM, BLOCKS) if table.groups is None else (RANDOM, BLOCKS, table.group_name or GROUPS)


def make_folds(
    table: LabelTable, split: str, *, folds: int = 5, seed: int = 0, cell: str | float | Cell | None = None
) -> Folds:
    """Divide the rows of a table.

    Args:
        table: The table.
        split: "random", "blocks", or "groups" or the name of the table's groups.
        folds: Number of folds, 3 to 20. Of groups, up to ten are one fold each.
        seed: Of the shuffle.
        cell: Of blocks, see `parse_cell`; by default `default_cell`.

    Raises:
        InputError: Unknown split, no groups in the table, or too few rows, blocks or groups for the folds.
    """
    check_folds(len(table), folds)
    if split == RANDOM:
        numbers = np.empty(len(table), np.int64)
        numbers[np.random.default_rng(seed).permutation(len(table))] = np.arange(len(table)) % folds
        return Folds(split, numbers)
    if split == BLOCKS:
        chosen = parse_cell(cell) or default_cell(table.latlon, folds)
        return _blocks(table, chosen, folds, seed)
    if split not in split_names(table)[2:] and split != GROUPS:
        raise InputError(f"Unknown split {excerpt(split)!r}. This table has {', '.join(split_names(table))}.")
    if table.groups is None:
        raise InputError(f"{table.name!r} has no groups to hold out: name the column of folds, or split by blocks.")
    return _groups(table, split, table.groups, folds, seed)


def check_folds(rows: int, folds: int) -> None:
    """Refuse numbers of folds that cannot be.

    Raises:
        InputError: Too few or many folds, or too few rows for them.
    """
    if not LEAST_FOLDS <= folds <= MOST_FOLDS:
        raise InputError(f"The number of folds is {LEAST_FOLDS} to {MOST_FOLDS}, not {folds}.")
    if rows < LEAST_ROWS * folds:
        raise InputError(
            f"{rows} rows are too few for {folds} folds of {LEAST_ROWS} rows or more: use a larger table"
            + (f", or {rows // LEAST_ROWS} folds." if rows // LEAST_ROWS >= LEAST_FOLDS else ".")
        )


def _blocks(table: LabelTable, cell: Cell, folds: int, seed: int) -> Folds:
    cells, units = np.unique(cell.numbers(table.latlon), return_inverse=True)
    if len(cells) < folds:
        where = "one block" if len(cells) == 1 else f"{len(cells)} blocks"
        raise InputError(
            f"All {len(table)} rows lie in {where} of {cell}, too few for {folds} folds: choose smaller blocks with "
            "another cell, fewer folds, or the split 'random'."
        )
    numbers = _dealt(units, folds, seed)
    _check_sizes(numbers, f"blocks of {cell}")
    return Folds(BLOCKS, numbers, units.astype(np.int64), str(cell))


def _groups(table: LabelTable, split: str, groups: NDArray[np.str_], folds: int, seed: int) -> Folds:
    name = table.group_name or "the groups"
    names, units = np.unique(groups, return_inverse=True)
    if len(names) < LEAST_FOLDS:
        raise InputError(
            f"{name!r} has {len(names)} {'value' if len(names) == 1 else 'values'}, and folds by it need "
            f"{LEAST_FOLDS} or more: choose another column, or the split 'blocks'."
        )
    if len(names) <= max(folds, COLUMN_FOLDS):
        numbers = units.astype(np.int64)
        notes = (f"Each of the {len(names)} values of {name} is one fold.",) if len(names) != folds else ()
    else:
        numbers, notes = _dealt(units, folds, seed), ()
    _check_sizes(numbers, name)
    return Folds(split, numbers, units.astype(np.int64), name, notes)


def _dealt(units: NDArray[np.intp], folds: int, seed: int) -> NDArray[np.int64]:
    """Folds of rows whose units stay whole: the largest first, each to the fold with the fewest rows so far."""
    sizes = np.bincount(units)
    shuffled = np.random.default_rng(seed).permutation(len(sizes))
    fold_of = np.empty(len(sizes), np.int64)
    filled = np.zeros(folds)
    for unit in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
        fold_of[unit] = int(np.argmin(filled))
        filled[fold_of[unit]] += sizes[unit]
    return fold_of[units]


def _check_sizes(numbers: NDArray[np.int64], what: str) -> None:
    least = int(np.bincount(numbers).min())
    if least < LEAST_ROWS:
        raise InputError(
            f"A fold by {what} holds {least} row, and each needs {LEAST_ROWS} or more: merge small groups, or use "
            "fewer folds."
        )


def shared_positions(table: LabelTable, folds: Folds) -> int:
    """Rows tested on a position that another row, in another fold, has too: their place was trained on."""
    _, place = np.unique(np.round(table.latlon, 6), axis=0, return_inverse=True)
    place = place.ravel()
    lowest = np.full(place.max() + 1, np.iinfo(np.int64).max)
    highest = np.full(place.max() + 1, -1)
    np.minimum.at(lowest, place, folds.numbers)
    np.maximum.at(highest, place, folds.numbers)
    return int((lowest[place] != highest[place]).sum())
