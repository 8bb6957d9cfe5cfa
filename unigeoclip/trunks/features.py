"""Features of pictures, computed once: cached by what the pictures are, the trunk, and its input size."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.files.cache import cache_array, cache_folder, cached_array
from unigeoclip.parallel import parallel_map

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from unigeoclip.trunks.base import Trunk

__all__ = ["cached_features"]

PART = 256  # pictures of one file of the cache: what an interruption costs


def cached_features(
    trunk: Trunk, pictures: NDArray[np.uint8], progress: Callable[[int], None] | None = None
) -> NDArray[np.float16]:
    """Features of pictures, from the cache folder as far as they are there.

    Args:
        trunk: The frozen trunk.
        pictures: (n, 3, px, px) uint8.
        progress: Called with how many pictures were done since the last call.

    Returns:
        (n, features) float16.

    Raises:
        InputError: Pictures of another shape or type than the trunk takes.
    """

    def part(some: NDArray[np.uint8]) -> NDArray[np.float16]:
        name = hashlib.sha256(np.ascontiguousarray(some).tobytes()).hexdigest()[:32]
        path = cache_folder() / "features" / f"{trunk.name}-{trunk.fingerprint}" / f"{name}.npy"
        kept = cached_array(path, (len(some), trunk.features), np.float16)
        if kept is not None:
            return np.array(kept)
        made = trunk.embed(some)
        cache_array(path, made)
        return made

    out = np.empty((len(pictures), trunk.features), np.float16)
    done = 0
    for found in parallel_map(part, (pictures[start : start + PART] for start in range(0, len(pictures), PART))):
        out[done : done + len(found)] = found
        done += len(found)
        if progress is not None:
            progress(len(found))
    return out
