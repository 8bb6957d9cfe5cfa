"""What the embeddings of a region are made of: how many directions, how smooth, how alike between models.

All functions take arrays and give numbers. Rows are points of one region, (n, dim) unit vectors of one embedder; a
sample of some thousand points is enough for each of them.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

from unigeoclip.errors import InputError
from unigeoclip.extras import needs_extra
from unigeoclip.geo import EARTH_RADIUS_M, arc_rad, as_latlon, chord, unit_xyz

if TYPE_CHECKING:
    from collections.abc import Sequence

    from libpysal.weights import W
    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "MORAN_COMPONENTS",
    "Spectrum",
    "linear_cka",
    "moran_terms",
    "morans_i",
    "neighbor_overlap",
    "position_errors",
    "rings",
    "shared_neighbors",
    "smooth_errors",
    "smooth_share",
    "spectrum",
]

CONSTANT = 1e-9  # variance below which all points are one: what float32 leaves of equal vectors
SMOOTH_LENGTHS = 4  # smooth functions of position change over a quarter of the region's diagonal or more
_FEATURES, _FOLDS = 200, 5
_LEAST_PAIRS = 200
_RIDGES = (1e-4, 1e-2, 1.0, 100.0)
MORAN_COMPONENTS = 3  # leading components whose Moran's I is averaged


@dataclass(frozen=True)
class Spectrum:
    """How the variance of a region's embeddings is spread over directions.

    Attributes:
        variance: Mean squared distance of the unit vectors from their mean, 0 (all points are one) to 1.
        shares: Share of it along each principal component, falling, sum 1; all 0 where there is no variance.
        effective_rank: exp of the entropy of the shares: how many directions are really used (Roy & Vetterli,
            EUSIPCO 2007), from 1; 0 where there is no variance.
    """

    variance: float
    shares: NDArray[np.float64]
    effective_rank: float


def spectrum(vectors: ArrayLike) -> Spectrum:
    """Principal components of a region's embeddings.

    Args:
        vectors: (n, dim), n >= 2.

    Raises:
        InputError: Fewer than two points.
    """
    centered = _centerd(vectors)
    eigenvalues = np.clip(np.linalg.eigvalsh(centered.T @ centered / len(centered))[::-1], 0, None)
    variance = float(eigenvalues.sum())
    if variance < CONSTANT:
        return Spectrum(0.0, np.zeros(len(eigenvalues)), 0.0)
    shares = eigenvalues / variance
    used = shares[shares > 0]
    return Spectrum(variance, shares, float(np.exp(-(used * np.log(used)).sum())))


def smooth_share(vectors: ArrayLike, latlon: ArrayLike, seed: int = 0) -> float:
    """Share of the variance that a smooth function of position explains, cross-validated: R2, at most 1.

    The functions are ridge regressions on random Fourier features of the position whose kernel is as wide as a quarter
    of the region. What they leave is detail: parks, coasts, districts; or noise.

    Args:
        vectors: (n, dim), n >= 20.
        latlon: (n, 2) degrees.
        seed: Of features and folds.

    Returns:
        1 where position gives everything, 0 or a little less where it gives nothing; NaN where all points are one.

    Raises:
        InputError: Lengths differ, too few points, or bad coordinates.
    """
    error, total = smooth_errors(vectors, latlon, seed)
    return float(1 - error.sum() / total.sum()) if total.sum() else float("nan")


def smooth_errors(
    vectors: ArrayLike, latlon: ArrayLike, seed: int = 0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What `smooth_share` is made of: of each point the squared error, and the squared distance from the mean.

    Args:
        vectors: (n, dim), n >= 20.
        latlon: (n, 2) degrees.
        seed: Of features and folds.

    Returns:
        (n,) each; both are 0 where all points are one.

    Raises:
        InputError: Lengths differ, too few points, or bad coordinates.
    """
    with needs_extra("compare"):
        from sklearn.linear_model import RidgeCV
        from sklearn.model_selection import KFold, cross_val_predict

    centered, xyz = _centerd(vectors), _positions(latlon, len(np.asarray(vectors)))
    if len(centered) < 4 * _FOLDS:
        raise InputError(f"A cross-validated share needs {4 * _FOLDS} points or more, not {len(centered)}.")
    total: NDArray[np.float64] = (centered**2).sum(axis=1)
    if total.mean() < CONSTANT:
        return np.zeros(len(centered)), np.zeros(len(centered))
    extent = float(np.linalg.norm(xyz.max(0) - xyz.min(0)))
    rng = np.random.default_rng(seed)
    phase = xyz @ (rng.normal(size=(3, _FEATURES // 2)) * SMOOTH_LENGTHS / max(extent, 1e-12))
    features = np.concatenate([np.cos(phase), np.sin(phase)], axis=1)
    folds = KFold(_FOLDS, shuffle=True, random_state=seed)
    predicted = cross_val_predict(RidgeCV(_RIDGES), features, centered, cv=folds)
    return ((centered - predicted) ** 2).sum(axis=1), total


def position_errors(
    vectors: ArrayLike, latlon: ArrayLike, blocks: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How well a linear probe reads the position off the embeddings, in blocks that it was not fitted on.

    A ridge regression from the embedding to the point on the unit sphere, five folds of whole blocks, its strength by
    leave-one-out on the blocks of the training folds. R2 is 1 - errors / totals, summed over the points.

    Args:
        vectors: (n, dim).
        latlon: (n, 2) degrees.
        blocks: (n,) number of the block that each point lies in; five different ones or more.

    Returns:
        Of each point the squared distance between the predicted and the true position, and between the mean of the
        positions and the true one, (n,) each, in units of the Earth's radius.

    Raises:
        InputError: Lengths differ, too few blocks, or bad coordinates.
    """
    with needs_extra("compare"):
        from sklearn.linear_model import RidgeCV
        from sklearn.model_selection import GroupKFold, cross_val_predict

    centered, xyz = _centerd(vectors), _positions(latlon, len(np.asarray(vectors)))
    groups = np.asarray(blocks)
    if len(groups) != len(xyz) or len(np.unique(groups)) < _FOLDS:
        raise InputError(f"Positions are predicted in {_FOLDS} blocks or more of {len(xyz)} points.")
    scaled = centered / max(float(np.sqrt((centered**2).sum(axis=1).mean())), 1e-12)  # strengths mean the same for all
    predicted = cross_val_predict(RidgeCV(_RIDGES), scaled, xyz, groups=groups, cv=GroupKFold(_FOLDS))
    return ((xyz - predicted) ** 2).sum(axis=1), ((xyz - xyz.mean(axis=0)) ** 2).sum(axis=1)


def rings(latlon: ArrayLike, bands_m: Sequence[float]) -> list[W | None]:
    """Which points lie how far apart, as binary spatial weights (PySAL): what Moran's I needs of positions.

    Args:
        latlon: (n, 2) degrees.
        bands_m: Edges of the rings of distance, metres, rising; ring i is from edge i to edge i + 1.

    Returns:
        Weights of each ring; None for one with fewer than 200 pairs, which say nothing.

    Raises:
        InputError: Edges do not rise, or bad coordinates.
    """
    with needs_extra("compare"):
        from libpysal.weights import W

    edges = np.asarray(bands_m, np.float64)
    if len(edges) < 2 or (np.diff(edges) <= 0).any():
        raise InputError(f"The edges of the rings must rise, not {[*bands_m]}.")
    xyz = unit_xyz(as_latlon(latlon))
    pairs = cKDTree(xyz).query_pairs(float(chord(edges[-1] / EARTH_RADIUS_M)), output_type="ndarray")
    apart_m = EARTH_RADIUS_M * arc_rad(np.linalg.norm(xyz[pairs[:, 0]] - xyz[pairs[:, 1]], axis=1))
    found = []
    for low, high in itertools.pairwise(edges):
        ring = pairs[(apart_m > low) & (apart_m <= high)]
        neighbors = _neighbors(ring, len(xyz)) if len(ring) >= _LEAST_PAIRS else None
        found.append(None if neighbors is None else W(neighbors, silence_warnings=True))
    return found


def _neighbors(pairs: NDArray[np.int64], count: int) -> dict[int, list[int]]:
    """The points that each of ``count`` is paired with."""
    ends = np.concatenate([pairs, pairs[:, ::-1]])
    ends = ends[np.argsort(ends[:, 0], kind="stable")]
    cuts = np.searchsorted(ends[:, 0], np.arange(1, count))
    return {point: others.tolist() for point, others in enumerate(np.split(ends[:, 1], cuts))}


def morans_i(vectors: ArrayLike, weights: Sequence[W | None], components: int = MORAN_COMPONENTS) -> list[float]:
    """Moran's I of the leading principal components against distance: a correlogram (PySAL's esda).

    Scaled by the variance of the points that have neighbors, each as often as it has some, in place of that of all
    points: with binary weights Moran's I can exceed 1 where few points have neighbors; so scaled, it is a correlation.

    Args:
        vectors: (n, dim).
        weights: Of each ring of distance between the points, from `rings`.
        components: How many are averaged, weighted by their variance.

    Returns:
        One figure a ring, from -1 to 1: near 1 where points so far apart are alike, near 0 where they are as any two.
        NaN for a ring without weights, or where all points are one.

    Raises:
        InputError: Lengths differ.
    """
    with needs_extra("compare"):
        from esda import Moran

    centered = _centerd(vectors)
    if any(ring is not None and ring.n != len(centered) for ring in weights):
        raise InputError(f"The weights are not those of {len(centered)} points.")
    scores, variance = _leading(centered, components)
    if not len(scores):
        return [float("nan")] * len(weights)
    return [
        float("nan") if ring is None else float(np.average(
            [Moran(score, ring, transformation="B", permutations=0).I * _scale(score, ring) for score in scores],
            weights=variance,
        ))
        for ring in weights
    ]  # fmt: skip


def moran_terms(
    vectors: ArrayLike, weights: Sequence[W | None], components: int = MORAN_COMPONENTS
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]] | None]:
    """What `morans_i` is made of: the sum of the first over the sum of the second.

    Args:
        vectors: (n, dim).
        weights: Of each ring of distance between the points, from `rings`.
        components: How many are averaged.

    Returns:
        For each ring, None for one without weights: of each point its products with its neighbors, and its square for
        each neighbor, both averaged over components, (n,) each; zeros where all points are one.
    """
    centered = _centerd(vectors)
    scores, variance = _leading(centered, components)
    if not len(scores):
        return [None if ring is None else (np.zeros(len(centered)), np.zeros(len(centered))) for ring in weights]
    return [None if ring is None else _moran_terms(scores, variance, ring) for ring in weights]


def _moran_terms(
    scores: NDArray[np.float64], variance: NDArray[np.float64], ring: W
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    degree = np.asarray(ring.sparse.sum(axis=1)).ravel()
    products = np.stack([score * (ring.sparse @ score) for score in scores])
    squares = np.stack([degree * score**2 for score in scores])
    share = variance / variance.sum() / squares.sum(axis=1)  # so that each component's ratio counts by its variance
    return share @ products, share @ squares


def _leading(centered: NDArray[np.float64], components: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores along the leading components, (k, n), and their variances up to a factor, (k,); none where all are one."""
    left, singular, _ = np.linalg.svd(centered, full_matrices=False)
    if (singular**2).sum() / len(centered) < CONSTANT:
        return np.zeros((0, len(centered))), np.zeros(0)
    return left[:, :components].T, singular[:components] ** 2


def _scale(score: NDArray[np.float64], ring: W) -> float:
    """Variance of all points over that of the points that have neighbors, each as often as it has some."""
    degree = np.asarray(ring.sparse.sum(axis=1)).ravel()
    return float((score**2).mean() * degree.sum() / (degree * score**2).sum())


def linear_cka(one: ArrayLike, other: ArrayLike) -> float:
    """Linear centred kernel alignment of two embedders on the same points (Kornblith et al., ICML 2019, equation 3).

    Args:
        one: (n, a).
        other: (n, b).

    Returns:
        0 (nothing in common) to 1 (equal up to rotation and scale); NaN where either gives one vector for all points.

    Raises:
        InputError: The numbers of points differ.
    """
    x, y = _centerd(one), _centerd(other)
    if len(x) != len(y):
        raise InputError(f"Two embedders are compared on the same points, not on {len(x)} and {len(y)}.")
    if min((x**2).sum(), (y**2).sum()) / len(x) < CONSTANT:
        return float("nan")
    return float(np.linalg.norm(x.T @ y) ** 2 / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y)))


def neighbor_overlap(one: ArrayLike, other: ArrayLike, k: int = 10) -> float:
    """Mean share of the k most similar points that two embedders agree on; see `shared_neighbors`."""
    return float(shared_neighbors(one, other, k).mean())


def shared_neighbors(one: ArrayLike, other: ArrayLike, k: int = 10) -> NDArray[np.float64]:
    """Share of the k most similar points that two embedders agree on, of each point.

    Args:
        one: (n, a) unit vectors.
        other: (n, b) unit vectors of the same points.
        k: Neighbours, fewer than n.

    Returns:
        (n,) from 0 to 1; k / (n - 1) by chance.

    Raises:
        InputError: The numbers of points differ, or there are too few.
    """
    x, y = np.asarray(one, np.float32), np.asarray(other, np.float32)
    if len(x) != len(y) or not 0 < k < len(x):
        raise InputError(f"{k} neighbours cannot be compared among {len(x)} and {len(y)} points.")
    nearest = []
    for vectors in (x, y):
        similarity = vectors @ vectors.T
        np.fill_diagonal(similarity, -np.inf)
        nearest.append(np.sort(np.argpartition(-similarity, k - 1, axis=1)[:, :k], axis=1))
    common = [len(np.intersect1d(a, b, assume_unique=True)) for a, b in zip(*nearest, strict=True)]
    return np.array(common, np.float64) / k


def _centerd(vectors: ArrayLike) -> NDArray[np.float64]:
    array = np.asarray(vectors, dtype=np.float64)
    if array.ndim != 2 or len(array) < 2:
        raise InputError(f"Embeddings of two or more points are needed, (n, dim), not {array.shape}.")
    centered: NDArray[np.float64] = array - array.mean(axis=0)
    return centered


def _positions(latlon: ArrayLike, count: int) -> NDArray[np.float64]:
    points = as_latlon(latlon)
    if len(points) != count:
        raise InputError(f"{count} embeddings, but {len(points)} points.")
    return unit_xyz(points)
