"""Resampling of rasters, compiled: bilinear, averaging where the source is finer than the output.

An output pixel is the mean of ``subs`` x ``subs`` bilinear samples spread over its area. That is a linear filter along
rows after one along columns, so each output row is summed out of source rows first (long runs of memory), then
narrowed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]
    Taps: TypeAlias = tuple[Array, Array, Array]  # first source pixel, weights, whether inside

MAX_SUBSAMPLES = 8  # samples per output pixel and axis; a coarser level of the source must take over beyond
_EDGE_PX = 0.5001  # positions up to the outer edge of the last pixel are inside


@njit(cache=True, nogil=True)
def _taps(
    positions: Array, step_px: float, size: int, wraps: bool, first: Array, weights: Array, inside: Array
) -> None:  # pragma: no cover - compiled
    """Filter of one axis: output i is the sum over t of weights[i, t] * source[first[i] + t].

    Positions are those of pixel centres (0 = centre of the first source pixel) and ascend. An output that reaches
    beyond the source is marked as not inside, unless the axis wraps round the globe.
    """
    subs = min(max(round(step_px), 1), MAX_SUBSAMPLES)
    weights[:] = 0
    for i in range(len(positions)):
        inside[i] = True
        for sub in range(subs):
            at = positions[i] + ((sub + 0.5) / subs - 0.5) * step_px
            if not wraps:
                if at < -_EDGE_PX or at > size - 1 + _EDGE_PX:
                    inside[i] = False
                at = min(max(at, 0.0), size - 1.0)
            below = int(np.floor(at))
            if sub == 0:
                first[i] = below
            weights[i, below - first[i]] += (1.0 - (at - below)) / subs
            if at > below:
                weights[i, below - first[i] + 1] += (at - below) / subs


@njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def _filter(
    source: Array, row_taps: Taps, col_taps: Taps, wraps: bool, outside: float, rounding: float, out: Array
) -> None:  # pragma: no cover - compiled
    """Fill out (c, h, w) from source (c, H, W) with the taps of rows and columns."""
    row_first, row_weights, row_inside = row_taps
    col_first, col_weights, col_inside = col_taps
    width = source.shape[2]
    start, stop = col_first[0], col_first[-1] + col_weights.shape[1]
    if not wraps:
        stop = min(stop, width)
    counts = np.empty(out.shape[2], np.int64)  # taps that are used: a loop without a branch is faster
    for x in range(out.shape[2]):
        counts[x] = col_weights.shape[1]
        while col_weights[x, counts[x] - 1] == 0:
            counts[x] -= 1
    line = np.empty(stop - start + col_weights.shape[1], np.float32)
    for band in range(out.shape[0]):
        for y in range(out.shape[1]):
            if not row_inside[y]:
                out[band, y, :] = outside
                continue
            line[:] = 0
            for tap in range(row_weights.shape[1]):
                weight = row_weights[y, tap]
                if weight == 0:
                    continue
                row = source[band, row_first[y] + tap]
                done = 0
                while done < stop - start:  # once, or in pieces where the window crosses the date line
                    at = (start + done) % width
                    run = min(width - at, stop - start - done)
                    for i in range(run):
                        line[done + i] += weight * row[at + i]
                    done += run
            for x in range(out.shape[2]):
                if not col_inside[x]:
                    out[band, y, x] = outside
                    continue
                total = np.float32(rounding)
                offset = col_first[x] - start
                for tap in range(counts[x]):
                    total += col_weights[x, tap] * line[offset + tap]
                out[band, y, x] = total


@njit(cache=True, nogil=True)
def sample_windows(
    source: Array, centers: Array, sizes_px: Array, wraps: bool, outside: float, rounding: float, out: Array
) -> None:  # pragma: no cover - compiled
    """Cut windows.

    Args:
        source: (c, H, W) uint8 or float32.
        centers: (n, 2) row and column positions of the window centres.
        sizes_px: (n, 2) rows and columns of source pixels that a window covers.
        wraps: Whether the last column is followed by the first.
        outside: Value of outputs that reach beyond the source.
        rounding: Added before the value is stored: 0.5 for whole numbers, else 0.
        out: (n, c, px, px), filled.
    """
    px = out.shape[2]
    steps = np.arange(px) + 0.5 - px / 2
    first, inside = np.empty((2, px), np.int64), np.empty((2, px), np.bool_)
    for i in range(out.shape[0]):
        row_step, col_step = sizes_px[i, 0] / px, sizes_px[i, 1] / px
        row_weights = np.empty((px, int(row_step) + 3), np.float32)
        col_weights = np.empty((px, int(col_step) + 3), np.float32)
        _taps(centers[i, 0] + steps * row_step, row_step, source.shape[1], False, first[0], row_weights, inside[0])
        _taps(centers[i, 1] + steps * col_step, col_step, source.shape[2], wraps, first[1], col_weights, inside[1])
        _filter(
            source,
            (first[0], row_weights, inside[0]),
            (first[1], col_weights, inside[1]),
            wraps,
            outside,
            rounding,
            out[i],
        )


@njit(cache=True, nogil=True)
def sample_grid(
    source: Array, rows: Array, cols: Array, wraps: bool, outside: float, rounding: float, out: Array
) -> None:  # pragma: no cover - compiled
    """Fill out (c, len(rows), len(cols)) with bilinear values at the crossings of ascending rows and columns."""
    row_taps = (np.empty(len(rows), np.int64), np.empty((len(rows), 2), np.float32), np.empty(len(rows), np.bool_))
    col_taps = (np.empty(len(cols), np.int64), np.empty((len(cols), 2), np.float32), np.empty(len(cols), np.bool_))
    _taps(rows, 1.0, source.shape[1], False, row_taps[0], row_taps[1], row_taps[2])
    _taps(cols, 1.0, source.shape[2], wraps, col_taps[0], col_taps[1], col_taps[2])
    _filter(source, row_taps, col_taps, wraps, outside, rounding, out)
