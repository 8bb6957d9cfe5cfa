"""What an embedder is: anything that turns coordinates into vectors that can be compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from unigeoclip.geo import as_latlon
from unigeoclip.parallel import parallel_map

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from unigeoclip.geo import Bounds
    from unigeoclip.modalities.location import LocationEncoder

__all__ = [
    "WITHOUT",
    "Embedder",
    "EncodingEmbedder",
    "PartialEmbedder",
    "PictureEmbedder",
    "Provenance",
    "embed_in_batches",
    "is_private",
    "spelling_of",
]

WITHOUT = "unigeoclip-without-"  # names ours with a spatial scale switched off; its number from 1 follows
# Activations of this many rows stay in the processor's cache: larger batches are no faster, whole ones slower.
BATCH_ROWS = 512


@dataclass(frozen=True)
class Provenance:
    """Where an embedder comes from, in words for people.

    Attributes:
        made_by: Who designed and trained it, on what.
        source: Where its weights are from: a package with its version, a model folder; or that it has none.
        licence: Licence of the weights.
    """

    made_by: str
    source: str
    licence: str


class Embedder(Protocol):
    """Turns (lat, lon) into vectors; all embedders are used alike and none depends on what else is in the batch."""

    @property
    def name(self) -> str:
        """Key in the table of embedders, as the command line spells it."""

    @property
    def title(self) -> str:
        """Name for people."""

    @property
    def dim(self) -> int:
        """Length of its vectors."""

    @property
    def provenance(self) -> Provenance:
        """Where it comes from."""

    def embed(self, latlon: ArrayLike) -> NDArray[np.float32]:
        """Embed points.

        Args:
            latlon: (n, 2) degrees, or one (lat, lon); any n, it is cut into batches inside.

        Returns:
            (n, dim) float32, C-contiguous, each row of L2 norm 1; of a `PartialEmbedder` rows of NaN as well.

        Raises:
            InputError: Not coordinates; the message names the first bad row.
        """


@runtime_checkable
class PartialEmbedder(Protocol):
    """An embedder that has vectors for a part of the Earth only: rows of NaN elsewhere, and in gaps."""

    @property
    def coverage(self) -> Bounds:
        """South, west, north, east of a rectangle that holds all its vectors, degrees; east may exceed 180."""


@runtime_checkable
class PictureEmbedder(Protocol):
    """An embedder whose space holds pictures as well."""

    @property
    def picture_kinds(self) -> tuple[str, ...]:
        """Which kinds it reads, of "aerial", "street" and "surface"."""

    def embed_picture(self, data: bytes, kind: str) -> NDArray[np.float32]:
        """Embed one picture.

        Args:
            data: Content of its file.
            kind: What it is: "aerial", "street" or "surface".

        Returns:
            (dim,) float32 of L2 norm 1.

        Raises:
            InputError: No picture, or of a kind that this embedder does not read.
            CheckpointError: What reads pictures is not on this machine.
        """


@runtime_checkable
class EncodingEmbedder(Protocol):
    """An embedder whose vectors are those of a location encoder of this project, normalized."""

    @property
    def location_encoder(self) -> LocationEncoder | None:
        """The encoder; None where something else is done to its vectors."""


def is_private(embedder: Embedder) -> bool:
    """Whether vectors of an embedder are one visitor's own, and are not kept on disk."""
    return getattr(embedder, "is_private", False)


def spelling_of(embedder: Embedder) -> str:
    """How `load_embedder` takes an embedder: its name, or of a file "file:" and the name of the file."""
    return getattr(embedder, "spelling", embedder.name)


def embed_in_batches(
    latlon: ArrayLike, dim: int, encode: Callable[[NDArray[np.float64]], NDArray[np.float32]], rows: int = BATCH_ROWS
) -> NDArray[np.float32]:
    """Check coordinates, encode them batch by batch, and bring every row to length one.

    Args:
        latlon: (n, 2) degrees, or one (lat, lon).
        dim: Length of the vectors.
        encode: (b, 2) float64 degrees -> (b, dim), of any length but zero; called from several threads.
        rows: The largest b.

    Returns:
        (n, dim) float32 unit vectors, C-contiguous.

    Raises:
        InputError: Not coordinates; the message names the first bad row of all n.
    """
    points = as_latlon(latlon)
    vectors = np.empty((len(points), dim), dtype=np.float32)
    starts = range(0, len(points), rows)
    done = parallel_map(lambda start: encode(points[start : start + rows]), starts)
    for start, some in zip(starts, done, strict=True):
        vectors[start : start + rows] = some
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors
