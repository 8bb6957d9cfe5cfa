"""What embedders of coordinates have learned of a region, side by side on one grid.

A region is embedded once by each embedder, a coarse part of it first, and kept on disk. Everything that is shown of it,
colours, similarities, figures, follows from the kept vectors.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.compare import figures, projection
from unigeoclip.compare.derived import DerivedCache
from unigeoclip.errors import InputError, StoppedError
from unigeoclip.evaluation import structure
from unigeoclip.files.cache import cache_array, cache_folder, cached_array
from unigeoclip.geo import METERS_PER_DEGREE
from unigeoclip.search.gallery_embeddings import land_grid
from unigeoclip.similarity.compact import FORMAT as COMPACT_FORMAT
from unigeoclip.similarity.compact import CompactGrid
from unigeoclip.similarity.grid import Grid
from unigeoclip.similarity.heatmap import Heatmap

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.embedders.base import Embedder
    from unigeoclip.geo import Bounds

    Report = Callable[[int, int], bool]

__all__ = ["Comparison", "Embedded", "Region", "cached_region", "embed_coarsely", "embed_region"]

CELLS_ACROSS = 200
COARSE = 4  # every so many rows and columns come first
COMPONENTS = 6  # that can be shown
KEPT = 32  # components of each cell that are kept: clusters are made of them
SAMPLE = 3000  # cells that figures are computed on
LAYOUT = 10_000  # cells that UMAP lays out
RINGS = 8  # of distance, for Moran's I
_CHUNK = 4096
_FIGURES = "figures-2"  # name of the file of them; the number changes with what is in it
_FORMAT = 2  # of the kept files


@dataclass(frozen=True, eq=False)
class Region:
    """A part of the Earth as a grid of cells.

    Attributes:
        name: "atlas" for all of one, else the bounds.
        grid: Its land cells.
    """

    name: str
    grid: Grid

    @classmethod
    def whole(cls, atlas: Atlas) -> Region:
        """The land of an atlas, on the grid of its heatmaps."""
        return cls("atlas", land_grid(atlas))

    @classmethod
    def rectangle(cls, atlas: Atlas, bounds: Bounds, across: int = CELLS_ACROSS) -> Region:
        """The land inside a rectangle of an atlas.

        Args:
            atlas: What is cut from.
            bounds: South, west, north, east, degrees; what lies outside the atlas is cut off.
            across: Cells along the longer side, measured on the ground.

        Raises:
            InputError: The rectangle is turned round, lies outside the atlas, or holds no land.
        """
        south, west, north, east = bounds
        if not (south < north and west < east):
            raise InputError(f"South, west, north, east of a rectangle rise: {south:g}, {west:g}, {north:g}, {east:g}.")
        low, high = atlas.manifest.bounds[:2], atlas.manifest.bounds[2:]
        south, west, north, east = max(south, low[0]), max(west, low[1]), min(north, high[0]), min(east, high[1])
        if not (south < north and west < east):
            raise InputError(f"The rectangle lies outside the atlas {atlas.title!r}: choose one inside its map.")
        squeeze = float(np.cos(np.radians((south + north) / 2)))
        step = max(north - south, (east - west) * squeeze) / across
        rows = max(2, round((north - south) / step))
        columns = max(2, round((east - west) * squeeze / step))
        full = Grid((south, west, north, east), np.ones((rows, columns), bool))
        land = atlas.is_land(full.cells).reshape(rows, columns)
        if land.sum() < 2:
            raise InputError("There is no land in this rectangle: choose another one.")
        name = ",".join(f"{value:.5f}" for value in (south, west, north, east))
        return cls(name, Grid((south, west, north, east), land))

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """Cells in the order in which they are embedded: those of every fourth row and column first."""
        rows, columns = np.nonzero(self.grid.mask)
        coarse = (rows % COARSE == COARSE // 2) & (columns % COARSE == COARSE // 2)
        return np.concatenate([np.flatnonzero(coarse), np.flatnonzero(~coarse)])

    @cached_property
    def n_coarse(self) -> int:
        """How many of `order` belong to the coarse part."""
        rows, columns = np.nonzero(self.grid.mask)
        return int(((rows % COARSE == COARSE // 2) & (columns % COARSE == COARSE // 2)).sum())

    @property
    def side_m(self) -> float:
        """The shorter side of the region on the ground, meters; a parallel is measured in its middle."""
        south, west, north, east = self.grid.bounds
        return METERS_PER_DEGREE * min(north - south, (east - west) * math.cos(math.radians((south + north) / 2)))

    @cached_property
    def figure_sample(self) -> figures.Sample:
        """The cells that figures are computed on, the same for all embedders, and how far they lie apart.

        Rings of distance: each twice as far as the one before, the last at a quarter of the region's side.
        """
        latlon = self.grid.cells[self.sample(SAMPLE)]
        edges = np.concatenate([[0.0], self.side_m / 4 / 2.0 ** np.arange(RINGS - 1, -1, -1)])
        return figures.Sample(latlon, self.side_m, edges, structure.rings(latlon, edges.tolist()))

    def forget_figure_sample(self) -> None:
        """Free the memory of `figure_sample`, some 100 MB; it is computed again when it is needed."""
        self.__dict__.pop("figure_sample", None)

    def sample(self, most: int) -> NDArray[np.int64]:
        """So many cells at most, drawn by area, always the same ones, rising."""
        count = len(self.grid)
        if count <= most:
            return np.arange(count)
        share = self.grid.area_km2 / self.grid.area_km2.sum()
        return np.sort(np.random.default_rng(0).choice(count, most, replace=False, p=share))


@dataclass(frozen=True, eq=False)
class Embedded:
    """A region under one embedder.

    Attributes:
        embedder: Which.
        region: Where.
        vectors: (n, dim) float32 unit vectors of the region's cells.
        kept: File of the vectors, beside which what follows from them is kept; None for a coarse look.
    """

    embedder: Embedder
    region: Region
    vectors: NDArray[np.float32]
    kept: Path | None = None

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
        embedder: Of coordinates.
        region: The cells.
        report: Called with how many cells are done and how many there are; stops the work by returning False.
        cache_dir: Where kept vectors lie; by default in the cache folder.
        coarse: What `embed_coarsely` found; its cells are not embedded again.

    Raises:
        StoppedError: ``report`` returned False.
    """
    if (kept := cached_region(embedder, region, cache_dir)) is not None:
        return kept
    path, shape = _path(embedder, region, cache_dir), (len(region.grid), embedder.dim)
    vectors = np.empty(shape, np.float32)
    known = region.order[:0] if coarse is None else _coarse_rows(region)
    if coarse is not None:
        vectors[known] = coarse.vectors[known]
    for start in range(len(known), shape[0], _CHUNK):
        rows = region.order[start : start + _CHUNK]
        vectors[rows] = embedder.embed(region.grid.cells[rows])
        if report is not None and not report(min(start + _CHUNK, shape[0]), shape[0]):
            raise StoppedError("Stopped.")
    cache_array(path, vectors)
    return Embedded(embedder, region, vectors, path)


def cached_region(embedder: Embedder, region: Region, cache_dir: Path | None = None) -> Embedded | None:
    """A region that `embed_region` embedded before, mapped from its file rather than read; else None."""
    path = _path(embedder, region, cache_dir)
    vectors = cached_array(path, (len(region.grid), embedder.dim), np.float32)
    return None if vectors is None else Embedded(embedder, region, vectors, path)


def embed_coarsely(embedder: Embedder, region: Region) -> Embedded:
    """A first look: every cell has the vector of the nearest one of the coarse part, which alone is embedded."""
    from scipy.spatial import cKDTree

    from unigeoclip.geo import unit_xyz

    rows = _coarse_rows(region)
    some = embedder.embed(region.grid.cells[rows])
    _, nearest = cKDTree(unit_xyz(region.grid.cells[rows])).query(unit_xyz(region.grid.cells))
    return Embedded(embedder, region, some[nearest])


def _coarse_rows(region: Region) -> NDArray[np.int64]:
    return region.order[: max(2, region.n_coarse)]


def _path(embedder: Embedder, region: Region, cache_dir: Path | None) -> Path:
    return (cache_dir or cache_folder() / "compare") / f"{embedder.name}-{_key(embedder, region)}.npy"


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

    def component_colors(self, name: str, which: tuple[int, ...] = (0, 1, 2)) -> NDArray[np.uint8]:
        """Principal components as colours, (n, 3): three as red, green and blue, or one as grey.

        Three components are turned towards those of the reference, so that a colour means the same where the models
        agree; one component alone is as it is.

        Raises:
            InputError: Not one or three components, or one that is not computed.
        """
        scores = self._scores(self.embedded[name], which)
        if len(which) == 3 and self.embedded[name] is not self.reference:
            scores = projection.aligned_scores(scores, self._scores(self.reference, which))
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
        return projection.matched_labels(labels, self.reference.clusters(count))

    def layout_colors(self, name: str) -> NDArray[np.uint8]:
        """Positions in a UMAP of the region as colours, (n, 3)."""
        return projection.umap_rgb(self.embedded[name].layout)

    def positions(self, name: str, *, umap: bool) -> NDArray[np.floating]:
        """The plane that a scatter shows, (n, 2): UMAP, or the first two components."""
        return self.embedded[name].layout if umap else self._scores(self.embedded[name], (0, 1))

    def similarity(self, name: str, latlon: tuple[float, float]) -> Heatmap:
        """How like a point each cell is to one embedder."""
        return self.similarity_to(name, self.embedded[name].embedder.embed([latlon])[0])

    def similarity_to(self, name: str, vector: NDArray[np.float32]) -> Heatmap:
        """How like a vector of an embedder's space, (dim,), each cell is: that of a picture, say."""
        return Heatmap(self.region.grid, np.asarray(self.embedded[name].vectors @ vector, np.float32))

    def figures(self, name: str, report: Report | None = None) -> dict[str, Any]:
        """Numbers about one embedder on this region, of a sample of cells: see `figures.figures`.

        Args:
            name: Of the embedder.
            report: Called with how many of the steps are done and how many there are; stops the work by returning
                False.
        """
        embedded, rows = self.embedded[name], self.region.sample(SAMPLE)
        return embedded.derived.numbers(
            _FIGURES, lambda: figures.figures(embedded.vectors[rows], self.region.figure_sample, report)
        )

    def is_measured(self, name: str) -> bool:
        """Whether `figures` of an embedder and its `agreement` with the reference are kept, and need no computing."""
        derived = self.embedded[name].derived
        return derived.has_numbers(_FIGURES) and derived.has_numbers(_agreement_with(self.reference))

    def agreement(self, one: str, other: str) -> dict[str, Any]:
        """How alike two embedders see this region: see `figures.agreement`."""
        first, second, rows = self.embedded[one], self.embedded[other], self.region.sample(SAMPLE)
        return first.derived.numbers(
            _agreement_with(second),
            lambda: figures.agreement(first.vectors[rows], second.vectors[rows], self.region.figure_sample),
        )


def _agreement_with(embedded: Embedded) -> str:
    return f"agreement-{embedded.kept.stem if embedded.kept else ''}"
