"""Where two embedders disagree: cells whose most similar places under one model are not those under the other.

The neighborhood of a cell is the share `SHARE` of the region that a model finds most similar to it, leaving out what
lies near the cell: every model finds near cells similar, and they would decide. The disagreement of two models at a
cell is the share of one model's neighborhood that is not part of the other's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.errors import InputError, StoppedError
from unigeoclip.geo import EARTH_RADIUS_M, chord, distance_m, unit_xyz

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from unigeoclip.compare.regions import Embedded, Region

    Report = Callable[[int, int], bool]

__all__ = [
    "CANDIDATES",
    "EXCLUDED",
    "LEAST_CELLS",
    "SHARE",
    "Example",
    "Neighbor",
    "disagreement",
    "examples",
    "exclusion_m",
    "in_common",
    "is_known",
    "neighborhood_size",
    "neighborhoods",
    "overlap",
]

CANDIDATES = 5000  # cells, sampled by area, among which neighbors are looked for: bounds the work of the largest region
SHARE = 0.02  # of them that make a neighborhood
LEAST_CELLS = 500  # of a region: a neighborhood then has ten cells
EXCLUDED = 0.05  # of the shorter side of the region: radius around a cell in which there are no neighbors
_CHUNK = 512  # cells at a time: 10 MB of similarities
_LEADING = 10  # neighbors of a cell from which the one of an example is chosen
_TRIED = 400  # cells of the highest disagreement among which examples are looked for


@dataclass(frozen=True)
class Neighbor:
    """A cell that one model finds similar to another cell.

    Attributes:
        cell: Its number.
        similarity: Cosine similarity under the first and the second model.
        rank: Share of the region that is more similar than it, under the first and the second model, 0 to 1.
        distance_m: From the other cell.
    """

    cell: int
    similarity: tuple[float, float]
    rank: tuple[float, float]
    distance_m: float


@dataclass(frozen=True)
class Example:
    """A cell at which two models disagree.

    Attributes:
        cell: Its number.
        disagreement: There, 0 to 1.
        first: Similar to it under the first model, not under the second.
        second: The reverse.
    """

    cell: int
    disagreement: float
    first: Neighbor
    second: Neighbor

    def of(self, cells: NDArray[np.integer[Any]]) -> Example:
        """The same with other numbers of cells: ``cells`` has the new one of each, (n,)."""
        first, second = (replace(each, cell=int(cells[each.cell])) for each in (self.first, self.second))
        return replace(self, cell=int(cells[self.cell]), first=first, second=second)


def exclusion_m(region: Region) -> float:
    """Radius around a cell, in meters, in which its neighbors are not looked for."""
    return EXCLUDED * region.side_m


def neighborhood_size(region: Region) -> int:
    """How many of the candidates make a neighborhood.

    Raises:
        InputError: The region has too few cells.
    """
    count = len(region.grid)
    if count < LEAST_CELLS:
        raise InputError(
            f"Disagreement needs a region of {LEAST_CELLS} cells or more; this one has {count}. Choose a larger region."
        )
    return round(SHARE * min(count, CANDIDATES))


def neighborhoods(embedded: Embedded, report: Report | None = None) -> NDArray[np.uint16]:
    """The neighborhood of every cell under one model, computed once and kept beside the vectors.

    Similarities are exact. Not with faiss: it cannot leave out the cells near each query, which are most of the first.

    Args:
        embedded: The region under the model.
        report: Called with the number of cells done and of all; stops the work by returning False.

    Returns:
        (n, k) rows of ``region.sample(CANDIDATES)``, the most similar first.

    Raises:
        InputError: The region has too few cells.
        StoppedError: ``report`` returned False.
    """
    size = neighborhood_size(embedded.region)
    shape = (len(embedded.vectors), size)
    return embedded.derived.array("neighbors", shape, np.uint16, lambda: _neighborhoods(embedded, size, report))


def _neighborhoods(embedded: Embedded, size: int, report: Report | None) -> NDArray[np.uint16]:
    count = len(embedded.vectors)
    found = np.empty((count, size), np.uint16)
    for start in range(0, count, _CHUNK):
        rows = np.arange(start, min(start + _CHUNK, count))
        similarity = _similarities(embedded, rows)
        first = np.argpartition(-similarity, size - 1, axis=1)[:, :size]
        order = np.argsort(-np.take_along_axis(similarity, first, axis=1), axis=1, kind="stable")
        found[rows] = np.take_along_axis(first, order, axis=1)
        if report is not None and not report(int(rows[-1]) + 1, count):
            raise StoppedError("Stopped.")
    return found


def _similarities(embedded: Embedded, rows: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
    """Cosine similarity of cells to all candidates, (len(rows), candidates); -inf to those near the cell."""
    region = embedded.region
    candidates = region.sample(CANDIDATES)
    similarity: NDArray[np.float32] = embedded.vectors[rows] @ embedded.vectors[candidates].T
    xyz = unit_xyz(region.grid.cells)  # in float64: cosines of a city's angles are all 1 in float32
    near = 1 - float(chord(exclusion_m(region) / EARTH_RADIUS_M)) ** 2 / 2  # cosine of the angle of the radius
    similarity[xyz[rows] @ xyz[candidates].T > near] = -np.inf
    return similarity


def overlap(one: NDArray[np.integer[Any]], other: NDArray[np.integer[Any]], candidates: int) -> NDArray[np.float32]:
    """Share of neighbors in common, for each row.

    Args:
        one: (n, k) numbers of candidates, each once a row.
        other: (n, k), of the other model.
        candidates: How many there are.

    Returns:
        (n,) from 0 to 1.

    Raises:
        InputError: The shapes differ.
    """
    if one.shape != other.shape:
        raise InputError(f"Neighborhoods of the same cells and size are compared, not {one.shape}, {other.shape}.")
    shared = np.empty(len(one), np.float32)
    for start in range(0, len(one), _CHUNK):
        first, second = one[start : start + _CHUNK], other[start : start + _CHUNK]
        rows = np.arange(len(first))[:, None]
        member = np.zeros((len(first), candidates), bool)
        member[rows, first] = True
        shared[start : start + _CHUNK] = member[rows, second].mean(axis=1)
    return shared


def disagreement(one: Embedded, other: Embedded, report: Report | None = None) -> NDArray[np.float32]:
    """How far two models disagree on what is similar to each cell; the same in either order.

    Computed once for each pair, and kept beside the vectors.

    Args:
        one: The region under one model.
        other: The same region, or another part of it, under another.
        report: Called with the number of cells done and of all, of both models; stops the work by returning False.

    Returns:
        (n,) of the cells in common, see `in_common`; from 0 (the same neighborhood) to 1 (nothing in common); 1 -
        `SHARE` by chance.

    Raises:
        InputError: The region has too few cells.
        StoppedError: ``report`` returned False.
    """
    one, other = in_common(one, other)
    count = len(one.vectors)

    def of_both(before: int) -> Report | None:
        return None if report is None else lambda done, _: report(before + done, 2 * count)

    def compute() -> NDArray[np.float32]:
        first, second = neighborhoods(one, of_both(0)), neighborhoods(other, of_both(count))
        return 1 - overlap(first, second, min(count, CANDIDATES))

    keeper, name = _kept_with(one, other)
    return keeper.derived.array(name, (count,), np.float32, compute)


def in_common(one: Embedded, other: Embedded) -> tuple[Embedded, Embedded]:
    """Two models on the cells for which both have vectors.

    Raises:
        InputError: There are too few.
    """
    region = one.region.shared_with(other.region)
    return one.within(region), other.within(region)


def is_known(one: Embedded, other: Embedded) -> bool:
    """Whether `disagreement` needs no computing."""
    one, other = in_common(one, other)
    keeper, name = _kept_with(one, other)
    return keeper.derived.has_array(name, (len(one.vectors),), np.float32)


def _kept_with(one: Embedded, other: Embedded) -> tuple[Embedded, str]:
    """The model beside whose vectors the disagreement of a pair is kept, and its name there; in either order."""
    # With those that are not on disk, if there are such, so that nothing that follows from them is either.
    first, second = sorted((one, other), key=lambda each: (each.kept is not None, _stem(each)))
    return first, f"disagreement-{_stem(second)}"


def _stem(embedded: Embedded) -> str:
    return embedded.kept.stem if embedded.kept else embedded.embedder.name


def examples(
    one: Embedded, other: Embedded, cells: NDArray[np.integer[Any]] | None = None, most: int = 6
) -> list[Example]:
    """Places at which two models disagree most, each with what only one of the models finds similar to it.

    Of the ten cells most similar under one model, an example shows the one that the other model ranks lowest. Examples
    lie apart by twice the radius of exclusion, so that they do not show one spot again and again.

    Args:
        one: The region under the first model.
        other: The same region under the second.
        cells: Which of the cells in common can be shown, because there are pictures or texts of them; all by default.
        most: Examples at most.

    Returns:
        The most telling first, with numbers of the cells in common, see `in_common`; fewer than ``most`` where the
        models agree on the rest.

    Raises:
        InputError: The region has too few cells.
    """
    one, other = in_common(one, other)
    region = one.region
    values = disagreement(one, other)
    shown = np.arange(len(values)) if cells is None else np.unique(cells)
    tried = shown[np.argsort(-values[shown], kind="stable")][:_TRIED]
    candidates = region.sample(CANDIDATES)
    can_be_shown = np.isin(candidates, shown)
    similarities = [_similarities(each, tried) for each in (one, other)]
    ranks = [_ranks(each) for each in similarities]
    found = []
    for row, cell in enumerate(tried):
        sides = [_alike_for_one(row, similarities, ranks, side, can_be_shown) for side in (0, 1)]
        if -1 in sides:
            continue
        # As telling as its weaker half: how much lower the other model ranks the neighbor.
        telling = min(ranks[1 - side][row, number] - ranks[side][row, number] for side, number in enumerate(sides))
        found.append((float(telling), int(cell), row, sides))
    found.sort(key=lambda each: (-each[0], each[1]))
    chosen: list[Example] = []
    for _, cell, row, sides in found:
        if len(chosen) == most:
            break
        if not chosen or _apart(region, cell, [each.cell for each in chosen]):
            first, second = (_neighbor(region, cell, row, number, similarities, ranks) for number in sides)
            chosen.append(Example(cell, float(values[cell]), first, second))
    return chosen


def _ranks(similarity: NDArray[np.float32]) -> NDArray[np.float64]:
    """Share of the candidates that are more similar, in each row; those near the cell do not count."""
    order = np.argsort(-similarity, axis=1, kind="stable")
    ranks = np.empty(similarity.shape)
    np.put_along_axis(ranks, order, np.arange(similarity.shape[1], dtype=np.float64)[None], axis=1)
    share: NDArray[np.float64] = ranks / np.isfinite(similarity).sum(axis=1, keepdims=True)
    return share


def _alike_for_one(
    row: int,
    similarities: list[NDArray[np.float32]],
    ranks: list[NDArray[np.float64]],
    side: int,
    can_be_shown: NDArray[np.bool_],
) -> int:
    """Of the nearest candidates under one model the one that the other ranks lowest; -1 if both find it similar."""
    usable = np.flatnonzero(can_be_shown & np.isfinite(similarities[side][row]) & (ranks[side][row] <= SHARE))
    leading = usable[np.argsort(ranks[side][row, usable], kind="stable")[:_LEADING]]
    if not len(leading):
        return -1
    number = int(leading[np.argmax(ranks[1 - side][row, leading])])
    return number if ranks[1 - side][row, number] > SHARE else -1


def _apart(region: Region, cell: int, others: list[int]) -> bool:
    cells = region.grid.cells
    return bool((distance_m(cells[cell], cells[others]) > 2 * exclusion_m(region)).all())


def _neighbor(
    region: Region,
    cell: int,
    row: int,
    number: int,
    similarities: list[NDArray[np.float32]],
    ranks: list[NDArray[np.float64]],
) -> Neighbor:
    other = int(region.sample(CANDIDATES)[number])
    similarity = float(similarities[0][row, number]), float(similarities[1][row, number])
    rank = float(ranks[0][row, number]), float(ranks[1][row, number])
    return Neighbor(other, similarity, rank, float(distance_m(region.grid.cells[cell], region.grid.cells[other])))
