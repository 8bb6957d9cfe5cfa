"""Figures about embedders on a region, each with its standard error: what they are made of, where or what they know."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.compare.block_bootstrap import DRAWS, SEED, Blocks, blocks_of
from unigeoclip.compare.projection import principal_components
from unigeoclip.errors import StoppedError
from unigeoclip.evaluation import structure
from unigeoclip.geo import EARTH_RADIUS_M

if TYPE_CHECKING:
    from collections.abc import Callable

    from libpysal.weights import W
    from numpy.typing import NDArray

    Report = Callable[[int, int], bool]

__all__ = ["NEIGHBORS", "STEPS", "Sample", "agreement", "figures"]

NEIGHBORS = 10  # that two models have in common or not
STEPS = 5  # of `figures`, for progress
_SHARES = 6  # leading components whose shares are kept
_LEAST_BLOCKS = 10  # for a probe that is tested on a fifth of them
_DECOMPOSED = 64  # leading components whose variance is computed in each draw
_LEADING = 3  # whose sum has a standard error


@dataclass(frozen=True, eq=False)
class Sample:
    """The cells that figures are computed on, the same for all embedders.

    Attributes:
        latlon: (n, 2) degrees.
        side_m: Shorter side of the region.
        edges: Edges of the rings of distance, meters.
        rings: Weights of each ring, see `structure.rings`.
    """

    latlon: NDArray[np.float64]
    side_m: float
    edges: NDArray[np.float64]
    rings: list[W | None]

    @cached_property
    def blocks(self) -> Blocks:
        """The blocks that are drawn again and again, and those that the probe of position is tested on."""
        return blocks_of(self.latlon, self.side_m)


def figures(vectors: NDArray[np.float32], sample: Sample, report: Report | None = None) -> dict[str, Any]:
    """Figures about one embedder; see `evaluation.structure`.

    Args:
        vectors: (n, dim) of the sample.
        sample: Where.
        report: Called with how many of the steps are done and how many there are; stops the work by returning False.

    Returns:
        "variance"; "shares" of the leading components; "effective_rank"; "smooth_share"; "position_r2" and
        "position_error_m" (median) of a linear probe in blocks; "moran", a list of [meters, I], the outer edges of
        rings of distance. What is not defined, for a constant model say, is None. "errors" has the standard errors of
        these by the same names, and of "first_three", the sum of the three first shares. "n" cells, "blocks", "draws",
        "seed".

    Raises:
        StoppedError: ``report`` returned False.
    """

    def done(count: int) -> None:
        if report is not None and not report(count, STEPS):
            raise StoppedError("Stopped.")

    spectrum = structure.spectrum(vectors)
    errors: dict[str, Any] = _spectrum_errors(vectors, sample.blocks) if spectrum.variance else {}
    done(1)
    smooth, errors["smooth_share"] = _share(*structure.smooth_errors(vectors, sample.latlon), sample.blocks)
    done(2)
    position, errors["position_r2"], error_m = _position(vectors, sample) if spectrum.variance else (None, None, None)
    done(3)
    values = structure.morans_i(vectors, sample.rings)
    done(4)
    terms = structure.moran_terms(vectors, sample.rings)
    errors["moran"] = [None if each is None else _or_none(sample.blocks.error_of_ratio(*each)) for each in terms]
    done(5)
    return {
        "variance": spectrum.variance,
        "shares": spectrum.shares[:_SHARES].tolist(),
        "effective_rank": spectrum.effective_rank,
        "smooth_share": smooth,
        "position_r2": position,
        "position_error_m": error_m,
        "moran": [[float(edge), _or_none(value)] for edge, value in zip(sample.edges[1:], values, strict=True)],
        "errors": errors,
        "n": len(vectors), "blocks": int(sample.blocks.counts.shape[1]), "draws": DRAWS, "seed": SEED,
    }  # fmt: skip


def _position(vectors: NDArray[np.float32], sample: Sample) -> tuple[float | None, float | None, float | None]:
    """R2 of a linear probe of position with its standard error, and the median error in meters."""
    if sample.blocks.counts.shape[1] < _LEAST_BLOCKS:
        return None, None, None
    off, total = structure.position_errors(vectors, sample.latlon, sample.blocks.of_points)
    return *_share(off, total, sample.blocks), float(np.median(np.sqrt(off)) * EARTH_RADIUS_M)


def _share(error: NDArray[np.float64], total: NDArray[np.float64], blocks: Blocks) -> tuple[float | None, float | None]:
    """1 - the sum of the errors over that of the totals, with its standard error."""
    if not total.sum():
        return None, None
    return float(1 - error.sum() / total.sum()), _or_none(blocks.error_of_ratio(error, total))


def _spectrum_errors(vectors: NDArray[np.float32], blocks: Blocks) -> dict[str, float]:
    """Standard errors of the variance and of its shares.

    The eigenvalues of a draw are those within the leading components of all points; the rest of its variance is shared
    as that of all points is. Two hundred decompositions in all dimensions would take minutes.
    """
    components = principal_components(vectors, min(vectors.shape[1], _DECOMPOSED))
    centered = vectors - components.mean
    tail = np.clip(np.linalg.eigvalsh(centered.T @ centered / len(centered))[::-1], 0, None)[_DECOMPOSED:]
    tail_entropy = _entropy(tail / tail.sum()) if tail.sum() else 0.0
    mean_squares = blocks.counts @ blocks.sums((centered**2).sum(axis=1)) / (sizes := blocks.counts @ blocks.sizes)
    sums = np.zeros((len(blocks.sizes), centered.shape[1]))
    np.add.at(sums, blocks.of_points, centered)
    totals = mean_squares - ((blocks.counts @ sums / sizes[:, None]) ** 2).sum(axis=1)
    scores = components.scores(vectors)
    found = []
    for total, moments in zip(totals, blocks.moments(scores, scores), strict=True):
        shares = np.clip(np.linalg.eigvalsh(moments.astype(np.float64))[::-1], 0, None) / max(total, 1e-30)
        left = max(1 - shares.sum(), 0.0)
        entropy = _entropy(shares) + (left * (tail_entropy - np.log(left)) if left and len(tail) else 0.0)
        found.append((total, shares[:_LEADING].sum(), np.exp(entropy)))
    errors = np.std(found, axis=0, ddof=1)
    return dict(zip(("variance", "first_three", "effective_rank"), errors.tolist(), strict=True))


def _entropy(shares: NDArray[np.float64]) -> float:
    used = shares[shares > 0]
    return float(-(used * np.log(used)).sum())


def agreement(one: NDArray[np.float32], other: NDArray[np.float32], sample: Sample) -> dict[str, Any]:
    """How alike two embedders see a sample.

    Args:
        one: (n, a).
        other: (n, b).
        sample: Where.

    Returns:
        "cka"; "neighbors", the share of the ten most similar cells in common; "errors" with their standard errors. What
        is not defined for a constant model is None.
    """
    shared = structure.shared_neighbors(one, other, min(NEIGHBORS, len(one) - 1))
    value = _or_none(structure.linear_cka(one, other))
    return {
        "cka": value,
        "neighbors": float(shared.mean()),
        "errors": {
            "cka": None if value is None else _cka_error(one, other, sample.blocks),
            "neighbors": _or_none(sample.blocks.error_of_ratio(shared, np.ones(len(shared)))),
        },
    }


def _cka_error(one: NDArray[np.float32], other: NDArray[np.float32], blocks: Blocks) -> float:
    pairs = ((one, other), (one, one), (other, other))
    both, first, second = (
        np.array([np.linalg.norm(moments) for moments in blocks.moments(x, y)], np.float64) for x, y in pairs
    )
    return float(np.std(both**2 / (first * second), ddof=1))


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None
