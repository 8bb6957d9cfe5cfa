"""Pretrained image trunks, frozen: pictures -> features, on top of which a small head is trained.

A new trunk is one new file and one line in :data:`TRUNKS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from unigeoclip.errors import InputError
from unigeoclip.trunks.dinov2 import Dinov2Small
from unigeoclip.trunks.efficientnet import EfficientNetLite0

if TYPE_CHECKING:
    from collections.abc import Callable

    from unigeoclip.trunks.base import Trunk

__all__ = ["TRUNKS", "Entry", "open_trunk"]


@dataclass(frozen=True)
class Entry:
    """A trunk that can be chosen by name.

    Attributes:
        title: As people read it.
        open: Reads its weights from the cache folder, for pictures of so many pixels a side; never from the network.
        license: Of the weights, and what is not known of them.
    """

    title: str
    open: Callable[[int], Trunk]
    license: str


TRUNKS: dict[str, Entry] = {
    "dinov2-small": Entry("DINOv2 ViT-S/14", Dinov2Small.from_cache, Dinov2Small.LICENSE),
    "efficientnet-lite0": Entry("EfficientNet-Lite0", EfficientNetLite0.from_cache, EfficientNetLite0.LICENSE),
}


def open_trunk(name: str, px: int) -> Trunk:
    """Read a trunk from the cache folder.

    Args:
        name: A key of `TRUNKS`.
        px: Side of the pictures, pixels.

    Raises:
        InputError: There is no such trunk.
        CheckpointError: It was not downloaded, or its files are damaged; the message says how to get it.
    """
    if name not in TRUNKS:
        raise InputError(f"There is no trunk {name!r}; choose {', '.join(TRUNKS)}.")
    return TRUNKS[name].open(px)
