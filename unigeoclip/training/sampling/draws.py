"""What is done to a batch after it was drawn: pictures turned together, modalities taken away, neighbors brought in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from unigeoclip.atlas.street_views import HEADINGS
from unigeoclip.errors import InputError
from unigeoclip.modalities.street import StreetBatch
from unigeoclip.training.sampling.recolor import Recoloring, drawn_recoloring, recolored

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from scipy.spatial import cKDTree

NEIGHBORS = 24  # a neighbor is one of so many places closest to another of the batch
_TURNS = range(1, 8)  # the symmetries of a square but the identity: quarter turns, each also mirrored


@dataclass(frozen=True)
class DrawConfig:
    """Shares of each batch, 0 to 1.

    Attributes:
        turned: Have all pictures from above turned or mirrored alike, and neither location nor street view nor text.
            Pictures that are always north up are recognized; these have to be compared.
        unlocated: Of the others, have no location, so that the other modalities cannot meet through it alone.
        near: Are neighbors of others in the batch: what is hard to tell apart.
        recolored: Have aerial pictures and street views in other colors and less sharp, see `recolor`.
    """

    turned: float = 0.0
    unlocated: float = 0.0
    near: float = 0.0
    recolored: float = 0.0

    def __post_init__(self) -> None:
        """Check the shares.

        Raises:
            InputError: One is not 0 to 1.
        """
        for name, share in vars(self).items():
            if not 0 <= share <= 1:
                raise InputError(f"draws.{name} is a share of a batch, 0 to 1, not {share}.")


def with_neighbors(rows: NDArray[np.int64], tree: cKDTree, share: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Replace the last rows of a draw by neighbors of the first.

    Args:
        rows: (n,) places that were drawn; row numbers of the tree.
        tree: Of all places that can be drawn.
        share: How many are replaced, 0 to 1.
        rng: Of the draws.

    Returns:
        (n,) row numbers.
    """
    count = min(round(share * len(rows)), len(rows) - 1)
    closest = min(NEIGHBORS, tree.n - 1)
    if count < 1 or closest < 1:
        return rows
    anchors = rows[rng.integers(len(rows) - count, size=count)]
    near = tree.query(tree.data[anchors], k=closest + 1)[1]
    picked = near[np.arange(count), rng.integers(1, closest + 1, size=count)]
    return np.concatenate([rows[: len(rows) - count], picked])


@dataclass(frozen=True)
class Changes:
    """What is done to each of the n places of a batch.

    Attributes:
        turn: (n,) symmetry of a square that the pictures from above are brought to, 0 for none: see `_turned`.
        unlocated: (n,) whether it has no location.
        aerial: Of each place's aerial picture, if pictures are recolored.
        street: Of each place's street views, `HEADINGS` a place.
    """

    turn: NDArray[np.int64]
    unlocated: NDArray[np.bool_]
    aerial: Recoloring | None = None
    street: Recoloring | None = None

    def part(self, rows: slice) -> Changes:
        """Those of some of the places."""
        views = np.arange(len(self.turn) * HEADINGS).reshape(-1, HEADINGS)[rows].ravel()
        return Changes(
            self.turn[rows],
            self.unlocated[rows],
            None if self.aerial is None else self.aerial[rows],
            None if self.street is None else self.street[views],
        )


def drawn_changes(size: int, draws: DrawConfig, pictures: Sequence[str], rng: np.random.Generator) -> Changes:
    """Draw what is done to a batch.

    Args:
        size: Number of places.
        draws: Shares of the batch.
        pictures: Names of the square pictures from above; fewer than two are not turned.
        rng: Of the draws.
    """
    turn, unlocated = np.zeros(size, np.int64), np.zeros(size, bool)
    order = rng.permutation(size) if draws.turned or draws.unlocated else np.arange(size)
    turned, others = np.split(order, [round(draws.turned * size)]) if len(pictures) > 1 else (order[:0], order)
    unlocated[others[: round(draws.unlocated * len(others))]] = True
    turn[turned] = rng.choice(_TURNS, size=len(turned))
    if not draws.recolored:
        return Changes(turn, unlocated)
    aerial, street = (drawn_recoloring(count, draws.recolored, rng) for count in (size, size * HEADINGS))
    return Changes(turn, unlocated, aerial, street)


def changed(inputs: dict[str, Any], changes: Changes, pictures: Sequence[str]) -> dict[str, Any]:
    """Turn pictures and take modalities away.

    Args:
        inputs: A batch: ``"location"`` (n, 2), the pictures (n, ..., side, side), and ``"present"``.
        changes: Of its places.
        pictures: Names of the square pictures from above.

    Returns:
        The batch; what is taken away is False in ``"present"``, and pictures are turned in place.
    """
    for name in pictures:
        for turn in _TURNS:
            rows = changes.turn == turn
            inputs[name][rows] = _turned(inputs[name][rows], turn)
    _recolor(inputs, changes)
    present, turned = inputs["present"], changes.turn > 0
    for name, without in (("location", turned | changes.unlocated), ("text", turned), ("street", turned)):
        if name in inputs and without.any():
            present[name] = present.get(name, torch.tensor(True)) & torch.from_numpy(~without)
    return inputs


def _recolor(inputs: dict[str, Any], changes: Changes) -> None:
    """Change the colors of aerial pictures and of street views in place."""
    if changes.aerial is not None and "aerial" in inputs:
        _recolor_some(inputs["aerial"], changes.aerial)
    if changes.street is not None and isinstance(street := inputs.get("street"), StreetBatch):
        lengths = street.lengths.numpy()
        spot = np.repeat(np.arange(len(lengths)), lengths)
        nth = np.arange(len(spot)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        _recolor_some(street.pictures.numpy(), changes.street[spot * HEADINGS + nth])


def _recolor_some(pictures: NDArray[np.uint8], how: Recoloring) -> None:
    pictures[how.chosen] = recolored(pictures[how.chosen], how[how.chosen])


def _turned(windows: NDArray[Any], turn: int) -> NDArray[Any]:
    """One of the eight symmetries of a square, by number, of the last two axes."""
    mirrored = windows[..., ::-1] if turn >= 4 else windows
    return np.rot90(mirrored, turn % 4, axes=(-2, -1))
