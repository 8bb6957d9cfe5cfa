"""What every trunk offers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Trunk"]


class Trunk(Protocol):
    """A frozen image encoder.

    Attributes:
        name: Key of the table of trunks.
        px: Side of the pictures it takes, pixels.
        features: How many numbers it makes of one.
        groups: How many of these belong together, in their order: what they tell is of different kinds.
        fingerprint: Changes with its weights and with how the numbers are made: names cached features.
    """

    name: str
    px: int
    features: int
    groups: tuple[int, ...]
    fingerprint: str

    def embed(self, pictures: NDArray[np.uint8]) -> NDArray[np.float16]:
        """Pictures (n, 3, px, px) uint8 RGB, north up -> (n, features) float16.

        Raises:
            InputError: Another shape or type.
        """
        ...
