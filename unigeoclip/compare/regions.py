"""What embedders of coordinates have learned of a region, side by side on one grid.

An embedder that has no vector for some cells is embedded on a part of the region: the cells for which it has one. What
is shown of one embedder is of its own part; what compares several is of the cells that all of them have.

A region is embedded once by each embedder, a coarse part of it first, and kept on disk. Everything that is shown of it,
colours, similarities, figures, follows from the kept vectors.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.compare import figures, projection
from unigeoclip.compare.derived import DerivedCache
from unigeoclip.compare.region import CELLS_ACROSS, RINGS, SAMPLE, Region
from unigeoclip.embedders.base import EncodingEmbedder, is_private
from unigeoclip.errors import InputError, StoppedError
from unigeoclip.files.cache import cache_array, cache_folder, cached_array
from unigeoclip.similarity.browser.compact import FORMAT as COMPACT_FORMAT
from unigeoclip.similarity.browser.compact import CompactGrid
from unigeoclip.similarity.browser.point_encoder import FORMAT as ENCODER_FORMAT
from unigeoclip.similarity.browser.point_encoder import encoder_bytes, is_small
from unigeoclip.similarity.heatmap import Heatmap

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from unigeoclip.embedders.base import Embedder
    from unigeoclip.modalities.location import LocationEncoder

    Report = Callable[[int, int], bool]

__all__ = [
    "CELLS_ACROSS",
    "RINGS",
    "SAMPLE",
    "Comparison",
    "Embedded",
    "Region",
    "cached_region",
    "embed_coarsely",
    "embed_region",
]

COMPONENTS = 6  # that can be shown
KEPT = 32  # components of each cell that are kept: clusters are made of them
LAYOUT = 10_000  # cells that UMAP lays out
_CHUNK = 4096
_FIGURES = "figures-2"  # name of the file of them; the number changes with what is in it
_FORMAT = 2  # of the kept files


@dataclass(frozen=True, eq=False)
class Embedded:
    """A region under one embedder.

    Attributes:
        embedder: Which.
        region: Where: the cells for which the embedder has vectors.
        vectors: (n, dim) float32 unit vectors of the region's cells.
        kept: File of the vectors, beside which what follows from them is kept; None for a coarse look.
    """

    embedder: Embedder
    region: Region
    vectors: NDArray[np.float32]
    kept: Path | None = None

    def within(self, region: Region) -> Embedded:
        """The same on a part of the region; the same object for the same part."""
        if region is self.region:
            return self
        if region not in self._within:
            kept = self.kept and self.kept.with_name(f"{self.kept.stem}-in-{_key(self.embedder, region)}.npy")
            rows = self.region.grid.rows_of(region.grid)
            self._within[region] = Embedded(self.embedder, region, self.vectors[rows], kept)
        return self._within[region]

    @cached_property
    def _within(self) -> dict[Region, Embedded]:
        return {}

    @cached_property
    def derived(self) -> DerivedCache:
        """What follows from the vectors and is slow to compute."""
        return DerivedCache(self.kept)

    @cached_property
    def variances(self) -> NDArray[np.float64]:
        """Mean squared distance of the vectors from their mean, and its parts along the components, (1 + k,)."""
        return self.derived.array("variances", (1 + self._k,), np.float64, lambda: self._components.variances)

    @cached_property
    def shares(self) -> NDArray[np.float64]:
        """Share of the variance along each component, (k,)."""
        return self.variances[1:] / max(float(self.variances[0]), 1e-30)

    @cached_property
    def scores(self) -> NDArray[np.float32]:
        """(n, k) coordinates of all cells along the components, in the length of unit vectors."""
        shape = (len(self.vectors), self._k)
        return self.derived.array("scores", shape, np.float32, lambda: self._components.scores(self.vectors))

    @property
    def varies(self) -> bool:
        """Whether places differ by more than the floor of the colours; if not, there is nothing to group."""
        return bool(self.variances[0] > projection.COMPONENT_FLOOR**2)

    @property
    def _k(self) -> int:
        return min(KEPT, self.embedder.dim)

    @cached_property
    def _components(self) -> projection.Components:
        """Fitted on a sample by area: the poles count no more than the tropics."""
        return projection.principal_components(self.vectors[self.region.sample(LAYOUT)], self._k)

    def clusters(self, count: int) -> NDArray[np.int64]:
        """k-means clusters of all cells, (n,), computed once for each number of them; all 0 if nothing varies."""
        if count not in self._clusters:
            flat = np.zeros(len(self.vectors), np.int64)
            self._clusters[count] = projection.clusters(self.scores, count) if self.varies else flat
        return self._clusters[count]

    @cached_property
    def _clusters(self) -> dict[int, NDArray[np.int64]]:
        return {}

    @property
    def layout(self) -> NDArray[np.float32]:
        """UMAP positions of all cells, (n, 2): of a sample laid out, of the others by their nearest in it."""
        return self.compute_layout()

    def compute_layout(self, report: Report | None = None) -> NDArray[np.float32]:
        """`layout`, with progress where it is computed.

        Raises:
            StoppedError: ``report`` returned False.
        """
        return self.derived.array("umap", (len(self.vectors), 2), np.float32, lambda: self._compute_layout(report))

    @property
    def key(self) -> str:
        """Of the vectors: changes with the weights of the embedder and with the cells; 16 hexadecimal digits."""
        return _key(self.embedder, self.region)

    def compact_grid(self) -> CompactGrid:
        """The region, compressed for a browser: its heatmaps approximate those of `Comparison.similarity`."""
        return CompactGrid.fit(self.region.grid, self.vectors)

    def compact_bytes(self) -> bytes:
        """`compact_grid` as a browser reads it, see `CompactGrid.to_bytes`; takes a second or two, once."""
        return self.derived.data(f"compact-{COMPACT_FORMAT}", lambda: self.compact_grid().to_bytes())

    @property
    def browser_encoder(self) -> LocationEncoder | None:
        """What a browser can encode points by; None where it interpolates."""
        encoder = self.embedder.location_encoder if isinstance(self.embedder, EncodingEmbedder) else None
        return encoder if encoder is not None and is_small(encoder) else None

    def encoder_bytes(self) -> bytes:
        """`browser_encoder` as a browser reads it, to go with `compact_bytes`, see `point_encoder.encoder_bytes`.

        Raises:
            InputError: There is none.
        """
        encoder = self.browser_encoder
        if encoder is None:
            raise InputError(f"{self.embedder.title} has no location encoder that a browser can use.")
        name = f"encoder-{COMPACT_FORMAT}-{ENCODER_FORMAT}"
        return self.derived.data(name, lambda: encoder_bytes(encoder, self.compact_grid()))

    @property
    def is_laid_out(self) -> bool:
        """Whether `layout` is known without computing it."""
        return self.derived.has_array("umap", (len(self.vectors), 2), np.float32)

    def _compute_layout(self, report: Report | None) -> NDArray[np.float32]:
        rows = self.region.sample(LAYOUT)
        sample = self.vectors[rows]
        return projection.spread_over(projection.umap_layout(sample, report=report), sample, self.vectors)


def embed_region(
    embedder: Embedder,
    region: Region,
    report: Report | None = None,
    cache_dir: Path | None = None,
    *,
    coarse: Embedded | None = None,
) -> Embedded:
    """Embed the cells of a region, or read them if that was done before.

    Args:
        embedder: Of coordinates; a `PartialEmbedder` gives the part of the region for which it has vectors.
        region: The cells.
        report: Called with how many cells are done and how many there are; stops the work by returning False.
        cache_dir: Where kept vectors lie; by default in the cache folder.
        coarse: What `embed_coarsely` found; its cells are not embedded again.

    Raises:
        StoppedError: ``report`` returned False.
        InputError: The embedder has vectors for too few of the cells.
    """
    if (kept := cached_region(embedder, region, cache_dir)) is not None:
        return kept
    path, shape = _path(embedder, region, cache_dir), (len(region.grid), embedder.dim)
    vectors = np.empty(shape, np.float32)
    known = region.order[:0]
    if coarse is not None and coarse.region is region:
        known = _coarse_rows(region)
        vectors[known] = coarse.vectors[known]
    for start in range(len(known), shape[0], _CHUNK):
        rows = region.order[start : start + _CHUNK]
        vectors[rows] = embedder.embed(region.grid.cells[rows])
        if report is not None and not report(min(start + _CHUNK, shape[0]), shape[0]):
            raise StoppedError("Stopped.")
    there = np.isfinite(vectors[:, 0])
    part = _part_of(region, there, embedder)
    if part is not region:
        vectors = vectors[there]
    if is_private(embedder):
        return Embedded(embedder, part, vectors)
    if part is not region:
        cache_array(_cells_path(path), there)
    cache_array(path, vectors)
    return Embedded(embedder, part, vectors, path)


def cached_region(embedder: Embedder, region: Region, cache_dir: Path | None = None) -> Embedded | None:
    """A region that `embed_region` embedded before, mapped from its file rather than read; else None."""
    path = _path(embedder, region, cache_dir)
    there = cached_array(_cells_path(path), (len(region.grid),), np.bool_)
    part = region if there is None else _part_of(region, there, embedder)
    vectors = cached_array(path, (len(part.grid), embedder.dim), np.float32)
    return None if vectors is None else Embedded(embedder, part, vectors, path)


def embed_coarsely(embedder: Embedder, region: Region) -> Embedded:
    """A first look: every cell has the vector of the nearest one of the coarse part, which alone is embedded.

    Raises:
        InputError: The embedder has vectors for too few of the cells.
    """
    from scipy.spatial import cKDTree

    from unigeoclip.geo import unit_xyz

    rows = _coarse_rows(region)
    some = embedder.embed(region.grid.cells[rows])
    _, nearest = cKDTree(unit_xyz(region.grid.cells[rows])).query(unit_xyz(region.grid.cells))
    there = np.isfinite(some[:, 0])[nearest]
    return Embedded(embedder, _part_of(region, there, embedder), some[nearest[there]])


def _part_of(region: Region, there: NDArray[np.bool_], embedder: Embedder) -> Region:
    """The cells of a region for which an embedder has vectors."""
    try:
        return region.part(there)
    except InputError as error:
        raise InputError(f"{embedder.title}: {error}") from error


def _coarse_rows(region: Region) -> NDArray[np.int64]:
    return region.order[: max(2, region.n_coarse)]


def _path(embedder: Embedder, region: Region, cache_dir: Path | None) -> Path:
    return (cache_dir or cache_folder() / "compare") / f"{embedder.name}-{_key(embedder, region)}.npy"


def _cells_path(path: Path) -> Path:
    """Which of the region's cells have vectors, beside these, where not all have."""
    return path.with_name(f"{path.stem}-cells.npy")


def _key(embedder: Embedder, region: Region) -> str:
    """Changes with the weights and with the cells."""
    cells = hashlib.sha256(np.packbits(region.grid.mask).tobytes()).hexdigest()
    parts = [_FORMAT, embedder.name, embedder.title, embedder.dim, embedder.provenance.source, region.grid.bounds]
    return hashlib.sha256(json.dumps([*parts, region.grid.shape, cells]).encode()).hexdigest()[:16]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Several embedders on one region.

    Attributes:
        region: Where.
        embedded: By name of the embedder; the first one is the reference that the others' colours are turned towards.
    """

    region: Region
    embedded: dict[str, Embedded]

    @property
    def reference(self) -> Embedded:
        """The first embedder."""
        return next(iter(self.embedded.values()))

    @cached_property
    def common(self) -> Region:
        """The cells for which all embedders have vectors; the region itself where these are all.

        Raises:
            InputError: There are too few.
        """
        keep = np.ones(len(self.region.grid), bool)
        for each in self.embedded.values():
            keep &= each.region.grid.mask[self.region.grid.mask]
        return self.region.part(keep)

    @property
    def common_or_none(self) -> Region | None:
        """`common`; None where there are too few cells."""
        try:
            return self.common
        except InputError:
            return None

    @property
    def common_share(self) -> float:
        """Share of the region's area that `common` is, 0 to 1."""
        return float(self.common.grid.area_km2.sum() / self.region.grid.area_km2.sum())

    def _shared_rows(self, name: str) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Rows of the cells that an embedder has in common with the reference, in the vectors of either."""
        return self.embedded[name].region.grid.rows_in_common(self.reference.region.grid)

    def component_colors(self, name: str, which: tuple[int, ...] = (0, 1, 2)) -> NDArray[np.uint8]:
        """Principal components as colours, (n, 3): three as red, green and blue, or one as grey.

        Three components are turned towards those of the reference, so that a colour means the same where the models
        agree; one component alone is as it is.

        Raises:
            InputError: Not one or three components, or one that is not computed.
        """
        scores = self._scores(self.embedded[name], which)
        if len(which) == 3 and self.embedded[name] is not self.reference:
            scores = projection.aligned_scores(scores, self._scores(self.reference, which), self._shared_rows(name))
        return projection.component_rgb(scores)

    def _scores(self, embedded: Embedded, which: tuple[int, ...]) -> NDArray[np.float64]:
        if not all(0 <= number < COMPONENTS for number in which):
            raise InputError(f"Components 1 to {COMPONENTS} can be shown, not {[number + 1 for number in which]}.")
        missing = max(which) + 1 - embedded.scores.shape[1]  # plain coordinates have three dimensions
        scores = np.pad(embedded.scores[:, : max(which) + 1], ((0, 0), (0, max(0, missing))))
        return scores[:, list(which)].astype(np.float64)

    def cluster_labels(self, name: str, count: int) -> NDArray[np.int64]:
        """k-means clusters, (n,), named like those of the reference that they share most cells with."""
        labels = self.embedded[name].clusters(count)
        if self.embedded[name] is self.reference:
            return labels
        return projection.matched_labels(labels, self.reference.clusters(count), self._shared_rows(name))

    def layout_colors(self, name: str) -> NDArray[np.uint8]:
        """Positions in a UMAP of the region as colours, (n, 3)."""
        return projection.umap_rgb(self.embedded[name].layout)

    def positions(self, name: str, *, umap: bool) -> NDArray[np.floating]:
        """The plane that a scatter shows, (n, 2): UMAP, or the first two components."""
        return self.embedded[name].layout if umap else self._scores(self.embedded[name], (0, 1))

    def similarity(self, name: str, latlon: tuple[float, float]) -> Heatmap:
        """How like a point each cell is to one embedder.

        Raises:
            InputError: The embedder has no vector for the point.
        """
        vector = self.embedded[name].embedder.embed([latlon])[0]
        if np.isnan(vector).any():
            raise InputError(f"{self.embedded[name].embedder.title} has no vector at this point.")
        return self.similarity_to(name, vector)

    def similarity_to(self, name: str, vector: NDArray[np.float32]) -> Heatmap:
        """How like a vector of an embedder's space, (dim,), each cell is: that of a picture, say."""
        embedded = self.embedded[name]
        return Heatmap(embedded.region.grid, np.asarray(embedded.vectors @ vector, np.float32))

    def figures(self, name: str, report: Report | None = None) -> dict[str, Any]:
        """Numbers about one embedder on a sample of the cells in common, and their "share": see `figures.figures`.

        Args:
            name: Of the embedder.
            report: Called with how many of the steps are done and how many there are; stops the work by returning
                False.
        """
        common = self.common
        embedded, rows = self.embedded[name].within(common), common.sample(SAMPLE)
        found = embedded.derived.numbers(
            _FIGURES, lambda: figures.figures(embedded.vectors[rows], common.figure_sample, report)
        )
        return found | {"share": self.common_share}

    def is_measured(self, name: str) -> bool:
        """Whether `figures` of an embedder and its `agreement` with the reference are kept, and need no computing."""
        embedded, reference = self.embedded[name].within(self.common), self.reference.within(self.common)
        keeper, agreement = _agreement_kept_with(embedded, reference)
        return embedded.derived.has_numbers(_FIGURES) and keeper.derived.has_numbers(agreement)

    def agreement(self, one: str, other: str) -> dict[str, Any]:
        """How alike two embedders see the cells that all have in common: see `figures.agreement`."""
        common = self.common
        first, second, rows = (
            self.embedded[one].within(common),
            self.embedded[other].within(common),
            common.sample(SAMPLE),
        )
        keeper, name = _agreement_kept_with(first, second)
        return keeper.derived.numbers(
            name, lambda: figures.agreement(first.vectors[rows], second.vectors[rows], common.figure_sample)
        )


def _agreement_kept_with(first: Embedded, second: Embedded) -> tuple[Embedded, str]:
    """Beside whose vectors an agreement is kept, and its name there: with those that are not on disk, nowhere."""
    return (second, "agreement") if second.kept is None else (first, f"agreement-{second.kept.stem}")
