"""Heatmaps of grids larger than memory: in tiles, or at the resolution of a screen from a pyramid of means.

A similarity is linear in the vector of a cell. So the similarity to the mean vector of a block of cells is the mean of
their similarities, and a coarse heatmap out of mean vectors is exact: it is the fine one, averaged.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.errors import InputError
from unigeoclip.files.atomic import atomic, read_bytes, reason, write_bytes
from unigeoclip.similarity.grid import Grid
from unigeoclip.similarity.heatmap import Heatmap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from unigeoclip.geo import Bounds

__all__ = ["CELLS_AT_ONCE", "Pyramid", "tiled_similarities"]

CELLS_AT_ONCE = 65_536  # 64 MB at 256 dimensions in float32
SCREEN_PX = 1024
_MANIFEST = "pyramid.json"
_FORMAT = 1
_MAX_MANIFEST_BYTES = 100_000


def tiled_similarities(
    grid: Grid,
    embed: Callable[[NDArray[np.float64]], NDArray[np.float32]],
    vector: NDArray[np.float32],
    cells_at_once: int = CELLS_AT_ONCE,
) -> Heatmap:
    """A heatmap whose cells are encoded tile by tile, whole rows at a time, and forgotten.

    Args:
        grid: The cells.
        embed: Turns (n, 2) degrees into (n, dim) vectors.
        vector: (dim,) of the query.
        cells_at_once: Size of a tile; a row is never divided.

    Returns:
        The same values as ``embed(grid.cells) @ vector``; besides them one tile is in memory.
    """
    rows = max(1, cells_at_once // grid.shape[1])
    tiles = (grid.cells_of_rows(first, first + rows) for first in range(0, grid.shape[0], rows))
    return Heatmap(grid, np.concatenate([embed(cells) @ vector for cells in tiles if len(cells)]).astype(np.float32))


@dataclass(frozen=True, eq=False)
class Pyramid:
    """Vectors of a grid on disk, and of ever coarser ones: each cell the mean of up to 2 x 2 cells of the one before.

    Attributes:
        folder: Where they are.
        grids: Of each level, the finest first.
    """

    folder: Path
    grids: tuple[Grid, ...]

    @classmethod
    def build(cls, folder: str | Path, grid: Grid, tiles: Iterable[NDArray[np.floating]]) -> Pyramid:
        """Write the vectors of a grid, then its coarser levels, until one is no wider than a screen.

        Args:
            folder: Where; made, or replaced.
            grid: The cells.
            tiles: Their vectors in the grid's order, (n, dim) arrays whose lengths add up to the number of cells. The
                finest level is stored in their type, the others in float32.

        Raises:
            InputError: Too few or too many vectors, or the folder cannot be written.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / _MANIFEST).unlink(missing_ok=True)  # until it is written again, there is no pyramid
        _write_matrix(folder / "level0.npy", int(grid.mask.sum()), tiles)
        counts, grids = grid.mask.astype(np.int32), [grid]
        _write_array(folder / "counts0.npy", counts)
        while grids[-1].shape[1] > SCREEN_PX and (bounds := _coarser_bounds(grids[-1])) is not None:
            level = len(grids)
            finer = _opened(folder / f"level{level - 1}.npy")
            coarse = _pooled(counts.astype(np.int64)).astype(np.int32)
            pooled = _pooled_rows(finer, counts)
            _write_matrix(folder / f"level{level}.npy", int((coarse > 0).sum()), pooled)
            counts = coarse
            _write_array(folder / f"counts{level}.npy", counts)
            grids.append(Grid(bounds, counts > 0))
        said = {"format": _FORMAT, "bounds": [each.bounds for each in grids]}
        write_bytes(folder / _MANIFEST, json.dumps(said).encode())
        return cls(folder, tuple(grids))

    @classmethod
    def open(cls, folder: str | Path) -> Pyramid:
        """Open what `build` wrote.

        Raises:
            InputError: It is none, or damaged.
        """
        folder = Path(folder)
        try:
            said = json.loads(read_bytes(folder / _MANIFEST, _MAX_MANIFEST_BYTES))
            masks = [_opened(folder / f"counts{level}.npy") > 0 for level in range(len(said["bounds"]))]
            return cls(folder, tuple(Grid(tuple(each), mask) for each, mask in zip(said["bounds"], masks, strict=True)))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{folder} holds no usable pyramid ({reason(error)}): build it again.") from error

    def level_for(self, width_px: int = SCREEN_PX) -> int:
        """The coarsest level that has at least a cell for each pixel of that width; the finest if none has."""
        fitting = [level for level, grid in enumerate(self.grids) if grid.shape[1] >= width_px]
        return fitting[-1] if fitting else 0

    def heatmap(self, vector: NDArray[np.float32], level: int | None = None) -> Heatmap:
        """Similarity of a query to every cell of a level, the vectors read tile by tile.

        Args:
            vector: (dim,).
            level: 0 is the finest; by default the one for a screen.

        Raises:
            InputError: There is no such level, the query has another length, or a file is damaged.
        """
        level = self.level_for() if level is None else level
        if not 0 <= level < len(self.grids):
            raise InputError(f"The pyramid in {self.folder} has the levels 0 to {len(self.grids) - 1}, not {level}.")
        matrix, grid = _opened(self.folder / f"level{level}.npy"), self.grids[level]
        if matrix.shape != (grid.mask.sum(), len(vector)):
            raise InputError(f"{self.folder} holds vectors of the shape {matrix.shape}, not those of this query.")
        values = np.empty(len(matrix), np.float32)
        for first in range(0, len(matrix), CELLS_AT_ONCE):
            values[first : first + CELLS_AT_ONCE] = matrix[first : first + CELLS_AT_ONCE].astype(np.float32) @ vector
        return Heatmap(grid, values)


def _coarser_bounds(grid: Grid) -> Bounds | None:
    """Bounds of a grid of cells twice as wide and high; None where its last row or column would leave the globe."""
    (south, west, north, east), (rows, columns), (lat_step, lon_step) = grid.bounds, grid.shape, grid.step_deg
    south, east = south - rows % 2 * lat_step, east + columns % 2 * lon_step
    return (south, west, north, east) if south >= -90 and east <= west + 360 else None


def _pooled(array: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sums of blocks of 2 x 2, (h, w) -> (ceil(h / 2), ceil(w / 2))."""
    padded = np.pad(array, [(0, size % 2) for size in array.shape])
    sums: NDArray[np.int64] = padded.reshape(padded.shape[0] // 2, 2, -1, 2).sum(axis=(1, 3))
    return sums


def _pooled_rows(matrix: NDArray[np.floating], counts: NDArray[np.int32]) -> Iterator[NDArray[np.float32]]:
    """Mean vectors of the blocks of 2 x 2 cells, a row of blocks at a time; a cell weighs as much as it holds."""
    starts = np.concatenate([[0], np.cumsum((counts > 0).sum(axis=1))])
    for top in range(0, len(counts), 2):
        weights = counts[top : top + 2]
        columns = np.nonzero(weights > 0)[1] // 2
        weight = weights[weights > 0].astype(np.float32)
        vectors = matrix[starts[top] : starts[min(top + 2, len(counts))]].astype(np.float32) * weight[:, None]
        totals = np.zeros(((counts.shape[1] + 1) // 2, matrix.shape[1]), np.float32)
        np.add.at(totals, columns, vectors)
        shares = np.bincount(columns, weight, len(totals)).astype(np.float32)
        means: NDArray[np.float32] = (totals[shares > 0] / shares[shares > 0, None]).astype(np.float32)
        yield means


def _write_matrix(path: Path, count: int, tiles: Iterable[NDArray[np.floating]]) -> None:
    """Write tiles as one .npy file of ``count`` rows, whole or not at all."""
    with atomic(path) as temporary:
        done, matrix = 0, None
        for tile in tiles:
            if matrix is None:
                shape = (count, tile.shape[1])
                matrix = np.lib.format.open_memmap(temporary, mode="w+", dtype=tile.dtype, shape=shape)
            if done + len(tile) > count:
                raise InputError(f"{path}: there are more vectors than the {count:,} cells.")
            matrix[done : done + len(tile)] = tile
            done += len(tile)
        if matrix is None or done != count:
            raise InputError(f"{path}: {done:,} vectors for {count:,} cells.")
        matrix.flush()


def _write_array(path: Path, array: NDArray[np.int32]) -> None:
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.save(file, array)


def _opened(path: Path) -> NDArray[np.floating]:
    try:
        array: NDArray[np.floating] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({reason(error)}): build the pyramid again.") from error
    return array
