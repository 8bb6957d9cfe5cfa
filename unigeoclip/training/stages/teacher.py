"""A teacher: the vectors of a frozen embedder, as one more view that the location encoder is asked to explain.

GeoCLIP learned from millions of photographs what no map says. A linear function of our vectors has to predict its
vectors (their first principal components, half-whitened, so that the few that hold most of the variance do not decide
alone); what it says of a place thereby enters the space, and all that is thrown away is the linear function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.embedders.base import Embedder

COMPONENTS = 384
_POWER = -0.25  # of a component's variance: half of whitening
_LENGTH = 16.0  # that unit vectors are brought to, so that the linear function starts at a sensible scale


class Teacher(nn.Module):
    """The targets of an embedder, and the linear function that predicts them."""

    def __init__(self, embedder: Embedder, dim: int, positions: NDArray[np.float64]) -> None:
        """Find the principal components.

        Args:
            embedder: Frozen, of coordinates.
            dim: Of the vectors that learn.
            positions: (n, 2) degrees to find the components from; more than components.
        """
        super().__init__()
        self._embedder = embedder
        vectors = embedder.embed(positions).astype(np.float64)
        self._mean = vectors.mean(axis=0)
        variances, directions = np.linalg.eigh(np.cov(vectors - self._mean, rowvar=False))
        largest = np.argsort(variances)[::-1][:COMPONENTS]
        largest = largest[variances[largest] > 1e-9 * variances[largest[0]]]
        self._directions = directions[:, largest] * variances[largest] ** _POWER
        self._scale = float(np.sqrt(np.mean(((vectors - self._mean) @ self._directions) ** 2) * len(largest)))
        self.readout = nn.Linear(dim, len(largest))

    def targets(self, latlon: NDArray[np.float64]) -> Tensor:
        """What the embedder says of positions (n, 2): (n, components) float32, of mean square length one."""
        vectors = (self._embedder.embed(latlon) - self._mean) @ self._directions / self._scale
        return torch.from_numpy(vectors.astype(np.float32)).to(self.readout.weight.device)

    def loss(self, vectors: Tensor, targets: Tensor) -> Tensor:
        """Share of the targets' variance that a linear function of unit vectors (n, dim) does not explain yet; ()."""
        error: Tensor = (self.readout(vectors * _LENGTH) - targets).pow(2).sum(dim=1).mean()
        return error
