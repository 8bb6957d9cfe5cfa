"""What every trunk offers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Trunk", "check_pictures"]


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


def check_pictures(pictures: NDArray[np.uint8], px: int) -> None:
    """Check that pictures are what a trunk takes.

    Args:
        pictures: Should be uint8 (n, 3, px, px).
        px: Side of the pictures.

    Raises:
        InputError: They are not.
    """
    if pictures.ndim != 4 or pictures.shape[1:] != (3, px, px) or pictures.dtype != np.uint8:
        raise InputError(f"This trunk takes uint8 (n, 3, {px}, {px}); these are {pictures.dtype} {pictures.shape}.")
