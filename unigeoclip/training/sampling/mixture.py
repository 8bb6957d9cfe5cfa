"""Batches of several atlases: each step draws all its places from one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.atlas import schema
from unigeoclip.training.sampling.sampler import WHOLE, PlaceSampler, Share
from unigeoclip.training.sampling.street_sampler import StreetSampler

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import ExitStack

    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.model import UniGeoCLIP
    from unigeoclip.training.sampling.draws import DrawConfig

__all__ = ["Mixture", "sampler_of"]

_SEED = 17  # beside that of the training: draws of its own


class Mixture:
    """Draw the batch of a step from one of several atlases; a pure function of (seed, step), as each of them is.

    A batch is of one atlas, so that every negative is a place of the same territory: places of two atlases are told
    apart by the look of their pictures alone, which would teach nothing about places.
    """

    share = 1.0  # see `PlaceSampler.share`

    def __init__(self, samplers: Sequence[PlaceSampler], weights: Sequence[float], seed: int) -> None:
        """Take the samplers over.

        Args:
            samplers: Of the atlases; each is told its share.
            weights: How often each is drawn from, relative to the others; above 0.
            seed: Of the training.
        """
        self.samplers = tuple(samplers)
        self._chances = np.asarray(weights, np.float64) / np.sum(weights)
        self._seed = seed
        for sampler, chance in zip(self.samplers, self._chances, strict=True):
            sampler.share = float(chance)

    def at(self, step: int) -> PlaceSampler:
        """The sampler whose atlas a step draws from."""
        rng = np.random.default_rng((self._seed, _SEED, step))
        return self.samplers[rng.choice(len(self.samplers), p=self._chances)]

    def batch(self, step: int, size: int, share: Share = WHOLE) -> dict[str, Any]:
        """The batch of a step, see `PlaceSampler.batch`; modalities that its atlas lacks are not in it."""
        return self.at(step).batch(step, size, share)


def sampler_of(
    atlas: Atlas,
    split: str,
    vectors: NDArray[Any],
    model: UniGeoCLIP,
    seed: int,
    draws: DrawConfig,
    stack: ExitStack,
) -> PlaceSampler:
    """The sampler of an atlas, of the modalities that it and a model have.

    Args:
        atlas: The atlas.
        split: What is held out of it.
        vectors: What the text encoder reads of its sentences, a row each.
        model: Says how large pictures are.
        seed: Of the draws.
        draws: What is done to a batch.
        stack: What lets go of decoded rasters again, when the training is over.
    """
    names = [name for name in model.modalities if name in atlas.manifest.modalities]
    windows = {name: model.window_px(name) for name in schema.RASTERS if name in names}
    for name in windows:
        stack.enter_context(atlas.raster(name).whole())
    if "street" not in names:
        return PlaceSampler(atlas, split, vectors, windows, seed, draws)
    width, height = model.input_size("street")
    return StreetSampler(atlas, split, vectors, windows, (height, width), seed, draws, stack=stack)
