"""Systems of one symmetric matrix plus multiples of the identity, which ridges of different penalties solve."""

from __future__ import annotations

import hashlib
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Decompositions", "ShiftedSystem", "product"]

_ROWS = 8192  # at once: float64 copies of these fit in memory whatever the table


class Decompositions:
    """Eigendecompositions that are kept: probes of several targets on the same rows and folds need the same ones.

    Thread-safe. What does not fit any more is computed each time: every target needs all of them in turn, so that
    making room for the newest would drop each before it is needed again.
    """

    def __init__(self, most_bytes: int = 1_500_000_000) -> None:
        """Make it.

        Args:
            most_bytes: That are kept.
        """
        self._free = most_bytes
        self._known: dict[bytes, tuple[torch.Tensor, torch.Tensor]] = {}
        self._lock = Lock()

    def of(self, matrix: NDArray[np.float64]) -> tuple[torch.Tensor, torch.Tensor]:
        """Eigenvalues (dim,), rising, and eigenvectors (dim, dim) of a symmetric matrix; not to be changed."""
        key = hashlib.blake2b(np.ascontiguousarray(matrix).tobytes(), digest_size=16).digest()
        with self._lock:
            if (known := self._known.get(key)) is not None:
                return known
        values, vectors = torch.linalg.eigh(torch.from_numpy(matrix))
        size = (values.numel() + vectors.numel()) * values.element_size()
        with self._lock:
            if key not in self._known and size <= self._free:
                self._known[key] = (values, vectors)
                self._free -= size
        return values, vectors


class ShiftedSystem:
    """Solves (matrix + shift * identity) x = right for any shifts, after one eigendecomposition.

    In PyTorch, so that `parallel.parallel_map` has one system on each core: its threads and those of NumPy's library
    wait for each other at every step of a decomposition, which beside another busy process takes ten times as long.
    """

    def __init__(
        self, matrix: NDArray[np.float64], right: NDArray[np.float64], kept: Decompositions | None = None
    ) -> None:
        """Decompose.

        Args:
            matrix: (dim, dim) symmetric, positive semidefinite.
            right: (dim, outputs).
            kept: Where the decomposition may be found, and is kept.
        """
        values, self._vectors = (kept or Decompositions(0)).of(matrix)
        self._values = values.clamp_min(0)  # rounding leaves some a little below
        self._right = self._vectors.T @ torch.from_numpy(right)

    def solutions(self, shifts: Sequence[float]) -> NDArray[np.float64]:
        """(dim, shifts, outputs); every shift is positive."""
        shrunk = 1 / (self._values[:, None] + torch.tensor(list(shifts), dtype=torch.float64))
        turned = shrunk[:, :, None] * self._right[:, None, :]
        solved: NDArray[np.float64] = (self._vectors @ turned.flatten(1)).reshape(turned.shape).numpy()
        return solved


def product(features: NDArray[np.float32], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Features (n, dim) times weights (dim, m) in float64, part by part."""
    out = torch.empty((len(features), weights.shape[1]), dtype=torch.float64)
    right = torch.from_numpy(weights)
    for start in range(0, len(features), _ROWS):
        out[start : start + _ROWS] = torch.from_numpy(features[start : start + _ROWS]).double() @ right
    found: NDArray[np.float64] = out.numpy()
    return found
