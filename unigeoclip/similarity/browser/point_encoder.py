"""A location encoder, compressed for a browser, which encodes the point under the pointer itself.

Between the centers of the cells of a compact grid the vector of a point can only be interpolated, and the location
encoder sees waves as fine as a cell. With its weights the browser has the vector itself: matrices are rounded to whole
numbers of eight bits, with a step for each row. Affine parts of normalizations are merged into the matrices that
follow, and the outputs are turned onto the components of the compact grid, so that no basis need be sent.
"""

from __future__ import annotations

import copy
import json
import struct
import zlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import scipy.linalg
import torch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray
    from torch import Tensor, nn

    from unigeoclip.modalities.location import LocationEncoder
    from unigeoclip.similarity.browser.compact import CompactGrid

__all__ = ["FORMAT", "encoder_bytes", "is_small", "rounded"]

FORMAT = 1  # of the bytes: raise it when they change
MOST_WEIGHTS = 6_000_000  # of an encoder for browsers: as many bytes to fetch, and two operations each a point
_MOST = 127  # of a number of eight bits


def is_small(encoder: LocationEncoder) -> bool:
    """Whether an encoder is small enough for a browser."""
    return sum(parameter.numel() for parameter in encoder.parameters()) <= MOST_WEIGHTS


def encoder_bytes(encoder: LocationEncoder, compact: CompactGrid) -> bytes:
    """What ``point-encoder.js`` reads.

    The length of a header, 4 bytes, little-endian; the header, JSON; then, compressed (zlib), numbers of 32 bits and,
    after them, numbers of eight bits. The former are the frequencies, the registers, the mean vector of the grid along
    all outputs, and of each matrix the steps and the bias of its rows; the latter the matrices, row by row, in the
    order in which they are used.

    The header names the grid that it belongs to: the components of another, made on another machine, may be turned
    against those of this one.

    Args:
        encoder: The location encoder.
        compact: A grid of its vectors. The first outputs are along its components, the others along some orthonormal
            rest, so that lengths and products stay what they are.
    """
    turned = _turned(compact)
    layers = [layer.merged(turned) for layer in _layers(encoder)]
    codes = [_rounded(matrix) for matrix, _ in layers]
    numbers = [
        _array(encoder.frequencies),
        _array(encoder.registers),
        turned.T @ compact.mean,
        *(part for (_, steps), (_, bias) in zip(codes, layers, strict=True) for part in (steps, bias)),
    ]
    config = asdict(encoder.config)
    header: dict[str, Any] = {
        "format": FORMAT,
        "grid": compact.id,
        "components": compact.basis.shape[1],
        "dim": len(turned),
        "coarsest": encoder.coarsest,
        "matrices": [matrix.shape for matrix, _ in layers],
        "scales": len(encoder.config.scales),
        **{name: config[name] for name in ("width", "heads", "depth", "registers", "pooled_blocks", "centre")},
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    body = b"".join(part.astype("<f4").tobytes() for part in numbers) + b"".join(part.tobytes() for part, _ in codes)
    return struct.pack("<I", len(text)) + text + zlib.compress(body, 6)


def rounded(encoder: LocationEncoder, compact: CompactGrid) -> LocationEncoder:
    """A copy of an encoder with the weights that `encoder_bytes` leaves it, to measure what the rounding costs."""
    copied, turned = copy.deepcopy(encoder).cpu(), _turned(compact)
    for layer in _layers(copied):
        matrix, bias = layer.merged(turned)
        codes, steps = _rounded(matrix)
        matrix = codes * steps[:, None]
        if layer.is_output:
            matrix, bias = turned @ matrix, turned @ bias
        layer.replace(matrix, bias)
    return copied


@dataclass(frozen=True)
class _Layer:
    """A matrix of an encoder.

    Attributes:
        linear: It.
        norm: The normalization before it, if there is one.
        is_output: Whether its rows are outputs of the encoder.
    """

    linear: nn.Linear
    norm: nn.LayerNorm | None = None
    is_output: bool = False

    def merged(self, turned: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Matrix (rows, columns) and bias (rows,) that also do what is affine in the normalization; outputs turned."""
        matrix = _array(self.linear.weight)
        bias = np.zeros(len(matrix)) if self.linear.bias is None else _array(self.linear.bias)
        if self.norm is not None:
            matrix, bias = matrix * _array(self.norm.weight), bias + matrix @ _array(self.norm.bias)
        return (turned.T @ matrix, turned.T @ bias) if self.is_output else (matrix, bias)

    def replace(self, matrix: NDArray[np.float64], bias: NDArray[np.float64]) -> None:
        """Take over what `merged` has returned, but for the turn."""
        self.linear.weight.data = torch.from_numpy(matrix).float()
        if self.linear.bias is not None:
            self.linear.bias.data = torch.from_numpy(bias).float()
        if self.norm is not None:
            torch.nn.init.ones_(self.norm.weight)
            torch.nn.init.zeros_(self.norm.bias)


def _layers(encoder: LocationEncoder) -> Iterator[_Layer]:
    """The matrices of an encoder in the order in which they are used."""
    for block in cast("Iterable[Any]", encoder.blocks):
        yield _Layer(block.attention.qkv, block.norm_attention)
        yield _Layer(block.attention.out)
        yield _Layer(block.expand, block.norm_mlp)
        yield _Layer(block.contract)
    for pooled in cast("Iterable[Any]", encoder.pooled):
        norm, expand, _, contract = pooled.mlp
        yield _Layer(expand, norm)
        yield _Layer(contract)
    yield _Layer(encoder.head, encoder.norm, is_output=True)
    if encoder.coarse is not None:
        yield _Layer(encoder.coarse, is_output=True)


def _turned(compact: CompactGrid) -> NDArray[np.float64]:
    """The components of a grid and an orthonormal rest, side by side, (dim, dim)."""
    return np.concatenate([compact.basis, scipy.linalg.null_space(compact.basis.T)], axis=1)


def _array(tensor: Tensor) -> NDArray[np.float64]:
    array: NDArray[np.float64] = tensor.detach().cpu().double().numpy()
    return array


def _rounded(matrix: NDArray[np.float64]) -> tuple[NDArray[np.int8], NDArray[np.float64]]:
    """Whole numbers (rows, columns), and what a step is worth in each row (rows,)."""
    steps = np.maximum(np.abs(matrix).max(axis=1), 1e-12) / _MOST
    return np.rint(matrix / steps[:, None]).astype(np.int8), steps
