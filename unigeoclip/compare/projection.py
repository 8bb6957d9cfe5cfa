"""Embeddings of a region as colours: principal components, clusters, UMAP; alike where models agree.

Colour is never stretched: what varies less than a stated floor stays grey, so that a model which is constant over a
region looks constant, and noise of the last bits looks like nothing.
"""

from __future__ import annotations

import threading
import warnings
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from tqdm.auto import tqdm

from unigeoclip.errors import InputError, StoppedError
from unigeoclip.extras import needs_extra

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    Rows = NDArray[np.integer]

__all__ = [
    "COMPONENT_FLOOR",
    "Components",
    "aligned_scores",
    "cluster_colors",
    "clusters",
    "compile_umap",
    "component_rgb",
    "is_umap_compiled",
    "matched_labels",
    "principal_components",
    "spread_over",
    "umap_layout",
    "umap_rgb",
]

COMPONENT_FLOOR = 0.02  # standard deviation of a component along unit vectors that gets half of the full colour
_SATURATION = 2.0  # standard deviations from the mean to the edge of the colours
_GRAY = 0.5
_CONSTANT = 1e-9  # variance below which all points are one: what float32 leaves of equal vectors
_NEIGHBORS = 15  # of UMAP (McInnes, Healy & Melville, arXiv 1802.03426)
_EPOCHS = 200
_NEAREST = 3  # points of a layout whose mean a point outside of it takes
_CHUNK = 4096
_GOLDEN_DEG = 137.508  # hues that far apart never come close again
_UMAP_LOCK = threading.Lock()  # numba's simplest threading layer ends the process where two threads run its kernels


@dataclass(frozen=True)
class Components:
    """Principal components of a region's embeddings.

    Attributes:
        mean: (dim,).
        axes: (k, dim) orthonormal, by falling variance.
        variances: Mean squared distance of the vectors from their mean, and its parts along the axes, (1 + k,).
    """

    mean: NDArray[np.float64]
    axes: NDArray[np.float64]
    variances: NDArray[np.float64]

    def scores(self, vectors: ArrayLike) -> NDArray[np.float64]:
        """Coordinates along the axes, in the length of unit vectors: (n, dim) -> (n, k)."""
        array = np.asarray(vectors)
        scores = np.empty((len(array), len(self.axes)))
        for start in range(0, len(array), _CHUNK):  # a large region in float64 would not fit the processor's cache
            scores[start : start + _CHUNK] = (array[start : start + _CHUNK] - self.mean) @ self.axes.T
        return scores


def principal_components(vectors: ArrayLike, k: int = 6) -> Components:
    """Fit principal components.

    Signs are such that the largest entry of an axis is positive, so the same vectors give the same colours anywhere.

    Args:
        vectors: (n, dim) unit vectors, n >= 2.
        k: Components at most.

    Raises:
        InputError: Fewer than two points.
    """
    array = np.asarray(vectors, np.float64)
    if array.ndim != 2 or len(array) < 2:
        raise InputError(f"Principal components need two or more points, (n, dim), not {array.shape}.")
    mean = array.mean(axis=0)
    centered = array - mean
    values, axes = np.linalg.eigh(centered.T @ centered / len(array))
    values, axes = np.clip(values[::-1], 0, None), axes[:, ::-1].T[:k]
    axes = axes * np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])[:, None]
    return Components(mean, axes, np.concatenate([[values.sum()], values[:k]]))


def aligned_scores(
    scores: NDArray[np.float64], reference: NDArray[np.float64], shared: tuple[Rows, Rows] | None = None
) -> NDArray[np.float64]:
    """Turn the scores of one model so that they agree best with those of another on the same points.

    An orthogonal Procrustes rotation, reflections included: distances within the model stay as they are, only which
    colour a direction gets is chosen. Where the models agree, a place then has like colours in both.

    Args:
        scores: (n, k).
        reference: (m, k).
        shared: Rows of the same points in either; by default all rows, in order. Without any, nothing is turned.

    Raises:
        InputError: Shapes differ.
    """
    parts = (scores, reference) if shared is None else (scores[shared[0]], reference[shared[1]])
    if parts[0].shape != parts[1].shape:
        raise InputError(
            f"Scores of the same points and components are aligned, not {parts[0].shape}, {parts[1].shape}."
        )
    if not len(parts[0]):
        return scores
    spread = [np.maximum(part.std(axis=0).max(), 1e-12) for part in parts]
    left, _, right = np.linalg.svd((parts[0] / spread[0]).T @ (parts[1] / spread[1]))
    turned: NDArray[np.float64] = scores @ (left @ right)
    return turned


def component_rgb(scores: NDArray[np.float64], floor: float = COMPONENT_FLOOR) -> NDArray[np.uint8]:
    """Colours of points: one channel a component, grey in the middle.

    All channels share one scale, that of the widest component: a component with little variance is seen as such.

    Args:
        scores: (n, 1) for a grey scale, or (n, 3) for red, green and blue; mean zero over the region.
        floor: Standard deviation that the scale never goes below twice of.

    Returns:
        (n, 3) sRGB.

    Raises:
        InputError: Another number of components.
    """
    if scores.ndim != 2 or scores.shape[1] not in (1, 3):
        raise InputError(f"One component or three make a colour, not {scores.shape}.")
    spread = max(float(scores.std(axis=0).max()), 2 * floor, 1e-12)
    level = np.clip(_GRAY + scores / (2 * _SATURATION * spread), 0, 1)
    rgb: NDArray[np.uint8] = np.rint(255 * np.broadcast_to(level, (len(scores), 3))).astype(np.uint8)
    return rgb


def clusters(vectors: ArrayLike, count: int, seed: int = 0, sample: int = 10_000) -> NDArray[np.int64]:
    """k-means, numbered by falling size.

    Args:
        vectors: (n, dim).
        count: Clusters, 2 or more.
        seed: Of the first centres and of the sample.
        sample: Points that the centres are fitted to.

    Returns:
        (n,) labels from 0.

    Raises:
        InputError: Fewer points than clusters.
    """
    with needs_extra("compare"):
        from sklearn.cluster import MiniBatchKMeans

    array = np.asarray(vectors, np.float32)
    if not 2 <= count <= len(array):
        raise InputError(f"{len(array)} points cannot make {count} clusters; choose from 2.")
    rows = np.random.default_rng(seed).permutation(len(array))[:sample]
    fitted = MiniBatchKMeans(count, random_state=seed, n_init=1, batch_size=2048).fit(array[rows])
    labels = fitted.predict(array)
    order = np.argsort(-np.bincount(labels, minlength=count), kind="stable")
    rank = np.empty(count, np.int64)
    rank[order] = np.arange(count)
    found: NDArray[np.int64] = rank[labels]
    return found


def matched_labels(
    labels: NDArray[np.int64], reference: NDArray[np.int64], shared: tuple[Rows, Rows] | None = None
) -> NDArray[np.int64]:
    """Rename the clusters of one model so that they share most points with those of another of the same name.

    Args:
        labels: (n,) from 0.
        reference: (m,) from 0.
        shared: Rows of the same points in either; by default all rows, in order.
    """
    from scipy.optimize import linear_sum_assignment

    count = int(max(labels.max(), reference.max())) + 1
    counts = np.zeros((count, count))
    np.add.at(counts, (labels, reference) if shared is None else (labels[shared[0]], reference[shared[1]]), 1)
    rows, columns = linear_sum_assignment(-counts)
    names = np.empty(count, np.int64)
    names[rows] = columns
    return names[labels]


def cluster_colors(count: int) -> NDArray[np.uint8]:
    """So many colours of like lightness and of hues far apart, (count, 3) sRGB."""
    number = np.arange(count)
    lightness = np.array([0.72, 0.58, 0.82])[number % 3]
    return _oklch(lightness, np.full(count, 0.13), 25 + number * _GOLDEN_DEG)


def umap_layout(
    vectors: ArrayLike, seed: int = 0, report: Callable[[int, int], bool] | None = None
) -> NDArray[np.float32]:
    """Lay points out on a plane with UMAP, neighbours by cosine similarity.

    Args:
        vectors: (n, dim) unit vectors; ten thousand take some seconds.
        seed: Of the layout; the same seed gives the same picture.
        report: Called with epochs done and all epochs; stops the work by returning False.

    Returns:
        (n, 2) float32, centred; all zero where all points are one.

    Raises:
        InputError: Too few points.
        StoppedError: ``report`` returned False.
    """
    with needs_extra("compare"):
        import umap

    array = np.asarray(vectors, np.float32)
    if len(array) <= _NEIGHBORS + 1:
        raise InputError(f"UMAP needs more than {_NEIGHBORS + 1} points, not {len(array)}.")
    if array.var(axis=0).sum() < _CONSTANT:  # a model that sees no difference has no layout
        return np.zeros((len(array), 2), np.float32)
    bar = None if report is None else {"disable": False, "file": _Reporter(report), "mininterval": 0.2, "miniters": 1}
    reducer = umap.UMAP(
        n_neighbors=_NEIGHBORS,
        metric="cosine",
        n_epochs=_EPOCHS,
        random_state=seed,
        n_jobs=1,
        init="pca",
        tqdm_kwds=bar,
        verbose=bar is not None,
        # Exact ones from FAISS take half a second; UMAP's own search takes most of a minute, compiling included.
        precomputed_knn=_nearest(array),
        force_approximation_algorithm=True,  # or UMAP would measure few points itself
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "precomputed_knn", UserWarning)  # no point is added to a layout later
        with _UMAP_LOCK:
            layout = reducer.fit_transform(array)
    found: NDArray[np.float32] = (layout - layout.mean(axis=0)).astype(np.float32)
    return found


@cache
def compile_umap() -> None:
    """Compile what `umap_layout` runs, once a process: it takes longer than to lay out thousands of points."""
    umap_layout(np.eye(2 * _NEIGHBORS, dtype=np.float32))


def is_umap_compiled() -> bool:
    """Whether `compile_umap` has been called in this process."""
    return compile_umap.cache_info().currsize > 0


def _nearest(vectors: NDArray[np.float32]) -> tuple[NDArray[np.int32], NDArray[np.float32], None]:
    """Numbers and cosine distances of the points nearest to each, itself first, as UMAP takes them."""
    import faiss

    points = np.ascontiguousarray(vectors)
    index = faiss.IndexFlatIP(points.shape[1])
    index.add(points)
    similarity, near = index.search(points, _NEIGHBORS)
    return near.astype(np.int32), np.clip(1 - similarity, 0, None), None


class _Reporter:
    """Where UMAP's progress bar writes: each line becomes a report of how far it is."""

    def __init__(self, report: Callable[[int, int], bool]) -> None:
        self.report = report
        self.stopped = False

    def write(self, text: str) -> None:
        done = text.rpartition("/")[0].rpartition(" ")[2]
        if self.stopped or not done.isdigit() or self.report(int(done), _EPOCHS):
            return
        if int(done) < _EPOCHS:
            self.stopped = True
            # A bar writes while it holds the lock of all bars, and keeps it when writing fails: without this, the next
            # layout of another thread would wait for ever.
            tqdm.get_lock().release()
            raise StoppedError("Stopped.")

    def flush(self) -> None:
        pass


def spread_over(
    layout: NDArray[np.float32], sample: NDArray[np.float32], vectors: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Positions of all points on a layout of a sample: the mean over the nearest of the sample.

    Args:
        layout: (m, 2) of the sample.
        sample: (m, dim) unit vectors.
        vectors: (n, dim) unit vectors.

    Returns:
        (n, 2) float32.
    """
    import faiss

    index = faiss.IndexFlatIP(sample.shape[1])
    index.add(np.ascontiguousarray(sample))
    out = np.empty((len(vectors), 2), np.float32)
    for start in range(0, len(vectors), _CHUNK):
        _, near = index.search(np.ascontiguousarray(vectors[start : start + _CHUNK]), min(_NEAREST, len(sample)))
        out[start : start + _CHUNK] = layout[near].mean(axis=1)
    return out


def umap_rgb(layout: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Colours of positions on a plane: hue by direction from the middle, more colour further out. (n, 2) -> (n, 3)."""
    radius = np.hypot(layout[:, 0], layout[:, 1])
    out = radius / max(float(np.percentile(radius, 98)), 1e-12) if len(radius) else radius
    hue = np.degrees(np.arctan2(layout[:, 1], layout[:, 0]))
    return _oklch(0.66 + 0.08 * np.cos(np.pi * np.clip(out, 0, 1)), 0.16 * np.clip(out, 0, 1), hue)


def _oklch(
    lightness: NDArray[np.floating], chroma: NDArray[np.floating] | Sequence[float], hue_deg: NDArray[np.floating]
) -> NDArray[np.uint8]:
    """Colours of Oklab (Ottosson, 2020) in polar form -> (n, 3) sRGB; what leaves the gamut is clipped."""
    hue, chroma = np.radians(hue_deg), np.asarray(chroma, np.float64)
    a, b = chroma * np.cos(hue), chroma * np.sin(hue)
    cones = np.stack([
        lightness + 0.3963377774 * a + 0.2158037573 * b,
        lightness - 0.1055613458 * a - 0.0638541728 * b,
        lightness - 0.0894841775 * a - 1.2914855480 * b,
    ]) ** 3  # fmt: skip
    linear = np.clip(np.array([
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]) @ cones, 0, 1)  # fmt: skip
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    rgb: NDArray[np.uint8] = np.rint(255 * np.clip(encoded, 0, 1)).astype(np.uint8).T
    return rgb
