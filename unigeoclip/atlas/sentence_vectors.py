"""Sentence vectors as they are stored: the largest table of an atlas, packed.

Many vectors are product-quantised: cut into pieces of four numbers, each replaced by the nearest of 256 pieces of a
codebook, 96 bytes a vector. Few are whole numbers of eight bits with one scale a row, since a codebook needs many
vectors to be learned from. Either form gives unit vectors; a place's text is the mean of a dozen of them, so what the
codebook misses of one hardly shows.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors.numpy

from unigeoclip.errors import AtlasError
from unigeoclip.files.atomic import atomic
from unigeoclip.files.cache import cache_array, cache_folder, cached_array
from unigeoclip.sentences import SENTENCE_DIM

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

PIECES = 96
WORDS = 256  # of the codebook of each piece: one byte
_ENCODER = "all-MiniLM-L6-v2, mean, 128 tokens"  # what made the vectors that are kept
LEAST_FOR_CODES = 40 * WORDS  # what k-means wants to see per word to learn one


def pack_vectors(vectors: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    """Pack unit vectors (m, 384).

    Returns:
        Many: "codes" (m, 96) uint8 and "codebook" (96, 256, 4) float16. Few: "vectors" (m, 384) int8 and "scale" (m,)
        float32.
    """
    if len(vectors) < LEAST_FOR_CODES:
        scale = np.abs(vectors).max(axis=1) / 127
        return {"vectors": np.round(vectors / scale[:, None]).astype(np.int8), "scale": scale.astype(np.float32)}
    import faiss

    quantizer = faiss.ProductQuantizer(SENTENCE_DIM, PIECES, 8)
    quantizer.train(np.ascontiguousarray(vectors, dtype=np.float32))
    codebook = faiss.vector_to_array(quantizer.centroids).reshape(PIECES, WORDS, -1)
    return {"codes": quantizer.compute_codes(np.ascontiguousarray(vectors)), "codebook": codebook.astype(np.float16)}


def write_vectors(path: Path, vectors: NDArray[np.float32]) -> None:
    """Write packed vectors under a temporary name, then rename."""
    with atomic(path, error=AtlasError, failures=(safetensors.SafetensorError,)) as temporary:
        safetensors.numpy.save_file(pack_vectors(vectors), temporary)


def unpack_vectors(stored: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
    """Unit vectors (m, 384) float32 from either form."""
    if "codes" in stored:
        codes, codebook = stored["codes"], stored["codebook"].astype(np.float32)
        pieces = codebook[np.arange(len(codebook)), codes]  # (m, pieces, 384 / pieces)
        vectors: NDArray[np.float32] = pieces.reshape(len(codes), SENTENCE_DIM)
    else:
        vectors = stored["vectors"].astype(np.float32) * stored["scale"][:, None]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def are_vectors(shapes: Mapping[str, tuple[int, ...]]) -> bool:
    """Whether tensors of these names and shapes are one of the two forms."""
    if set(shapes) == {"codes", "codebook"}:
        (count, pieces), codebook = shapes["codes"], shapes["codebook"]
        return codebook == (pieces, WORDS, SENTENCE_DIM // pieces) and pieces * codebook[2] == SENTENCE_DIM
    count = shapes.get("scale", (0,))[0]
    return dict(shapes) == {"scale": (count,), "vectors": (count, SENTENCE_DIM)}


def count_vectors(shapes: Mapping[str, tuple[int, ...]]) -> int:
    """How many vectors tensors of these shapes hold."""
    return shapes["codes" if "codes" in shapes else "vectors"][0]


def cache_sentence_vectors(texts: Sequence[str], vectors: NDArray[np.floating[Any]]) -> None:
    """Keep the vectors of sentences in the cache folder as float16, unpacked, for a training that follows the build."""
    cache_array(_kept_path(texts), vectors.astype(np.float16))


def cached_sentence_vectors(texts: Sequence[str]) -> NDArray[np.float16] | None:
    """What `cache_sentence_vectors` kept of these very sentences, (m, 384); None if there is nothing."""
    return cached_array(_kept_path(texts), (len(texts), SENTENCE_DIM), np.float16)


def _kept_path(texts: Sequence[str]) -> Path:
    key = hashlib.sha256(json.dumps([_ENCODER, *texts]).encode()).hexdigest()
    return cache_folder() / "sentences" / f"{key[:32]}.npy"
