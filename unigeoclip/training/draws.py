"""What is done to a batch after it was drawn: pictures turned together, modalities taken away, neighbors brought in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from unigeoclip.errors import InputError
from unigeoclip.modalities.street import StreetBatch
from unigeoclip.training.recolor import recolored

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


def changed(
    inputs: dict[str, Any], draws: DrawConfig, pictures: Sequence[str], rng: np.random.Generator
) -> dict[str, Any]:
    """Turn pictures and take modalities away.

    Args:
        inputs: A batch: ``"location"`` (n, 2), the pictures (n, ..., side, side), and ``"present"``.
        draws: Shares of the batch.
        pictures: Names of the square pictures from above.
        rng: Of the draws.

    Returns:
        The batch; what is taken away is False in ``"present"``, and pictures are turned in place.
    """
    size = len(inputs["location"])
    order = rng.permutation(size) if draws.turned or draws.unlocated else np.arange(size)
    turned, others = np.split(order, [round(draws.turned * size)]) if len(pictures) > 1 else (order[:0], order)
    unlocated = others[: round(draws.unlocated * len(others))]
    which = rng.choice(_TURNS, size=len(turned))
    for name in pictures:
        for turn in _TURNS:
            rows = turned[which == turn]
            inputs[name][rows] = _turned(inputs[name][rows], turn)
    if draws.recolored:
        _recolor(inputs, draws.recolored, rng)
    present = inputs["present"]
    for name, rows in (("location", np.concatenate([turned, unlocated])), ("text", turned), ("street", turned)):
        if len(rows) and name in inputs:
            here = present.get(name, torch.ones(size, dtype=torch.bool)).clone()
            here[torch.from_numpy(rows)] = False
            present[name] = here
    return inputs


def _recolor(inputs: dict[str, Any], share: float, rng: np.random.Generator) -> None:
    """Change the colors of a share of the aerial pictures, and of the street views, in place."""
    pictures = [inputs["aerial"]] if "aerial" in inputs else []
    if isinstance(street := inputs.get("street"), StreetBatch):
        pictures.append(street.pictures.numpy())
    for some in pictures:
        rows = rng.permutation(len(some))[: round(share * len(some))]
        some[rows] = recolored(some[rows], rng)


def _turned(windows: NDArray[Any], turn: int) -> NDArray[Any]:
    """One of the eight symmetries of a square, by number, of the last two axes."""
    mirrored = windows[..., ::-1] if turn >= 4 else windows
    return np.rot90(mirrored, turn % 4, axes=(-2, -1))
