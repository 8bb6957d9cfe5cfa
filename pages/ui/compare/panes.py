"""The panes of page Compare: the colors of each model on the region, and their legends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from pages.ui.compare import disagreement
from pages.ui.compare.explanation import SIMILARITY_SPAN, explanation
from pages.ui.compare.live import live_grid
from pages.ui.compare.model import ColorScheme, UnavailableError
from pages.ui.formatting import coordinates, similarity
from pages.ui.map import legend as map_legend
from pages.ui.overlays import overlay_url
from unigeoclip.embedders.base import spelling_of
from unigeoclip.errors import InputError
from unigeoclip.similarity.levels import levels_of_modality

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pages.ui.protocol import Legend, Pane
    from pages.ui.services.compare_jobs import GroupName, Job
    from unigeoclip.atlas.provenance import Provenance
    from unigeoclip.compare.region import Region
    from unigeoclip.compare.regions import Comparison, Embedded
    from unigeoclip.embedders import Embedder
    from unigeoclip.similarity.heatmap import Heatmap
    from unigeoclip.similarity.levels import Levels

Swatch = tuple[str, str] | tuple[str, str, str]  # color, label, and a share where there is one
_EVEN: dict[str, Any] = {"floor_percentile": 0.0, "least_span": SIMILARITY_SPAN}  # how similarity is drawn
_GROUPS = ("clusters", "umap")  # color schemes that would tell places apart however similar they are
_DIM = 0.22  # of the colors outside a lasso


@dataclass(frozen=True)
class ComparePane:
    """One model on the region that is compared.

    Attributes:
        job: Whose region it is.
        comparison: The models that are compared, this one among them.
        name: Of the model.
        scheme: How its map is colored.
    """

    job: Job
    comparison: Comparison
    name: str
    scheme: ColorScheme

    @property
    def embedded(self) -> Embedded:
        """The region's embeddings by this model."""
        return self.comparison.embedded[self.name]

    @property
    def title(self) -> str:
        """Of the model."""
        return self.embedded.embedder.title

    @property
    def is_final(self) -> bool:
        """Whether every cell has a vector of its own; at first it has that of a coarser cell."""
        return self.job.is_final(self.comparison, self.name)

    @property
    def is_reference(self) -> bool:
        """Whether the other models are compared with this one."""
        return self.name == self.comparison.reference.embedder.name

    @cached_property
    def heatmap(self) -> Heatmap:
        """Similarity of every cell to the query, as this model sees it.

        Raises:
            UnavailableError: The model does not support this query.
        """
        if self.scheme.image is not None:
            embedding = self.scheme.image.embedding(self.embedded.embedder)
            return self.comparison.similarity_to(self.name, embedding)
        if self.scheme.point is None:
            raise UnavailableError("Nothing is queried: click a map, or search by image.")
        try:
            return self.comparison.similarity(self.name, self.scheme.point)
        except InputError as error:  # a point for which the model has no vector
            raise UnavailableError(str(error)) from error

    @property
    def region(self) -> Region:
        """The cells that have a color: those for which the model has vectors, of a disagreement both."""
        if not self.scheme.shows_disagreement or self.unavailable:
            return self.embedded.region
        return self.embedded.region.shared_with(self.comparison.embedded[self.scheme.other_model(self.name)].region)

    @cached_property
    def cells(self) -> NDArray[np.int32]:
        """Numbers of these cells in the region that is compared, (n,)."""
        return self.job.region.grid.rows_of(self.region.grid)

    @property
    def coverage(self) -> str:
        """For how much of the region the model has vectors, in words; empty for all of it."""
        own, all_of_it = self.embedded.region.grid, self.job.region.grid
        if len(own) == len(all_of_it):
            return ""
        share = 100 * own.area_km2.sum() / all_of_it.area_km2.sum()
        return (
            f"has vectors for {share:.0f} % of this region"
            if share >= 1
            else "has vectors for under 1 % of this region"
        )

    @cached_property
    def unavailable(self) -> str:
        """Why this model has no map, in a sentence; empty if it has one."""
        if self.scheme.shows_disagreement and not self.job.disagrees(self.name, self.scheme.other_model(self.name)):
            common = self.job.cells_in_common(self.name, self.scheme.other_model(self.name))
            return disagreement.reason_for_none(common, len(self.job.region.grid))
        if self.scheme.shows_similarity:
            try:
                _ = self.heatmap
            except UnavailableError as error:
                return str(error)
        return ""

    @property
    def colors(self) -> NDArray[np.uint8]:
        """One color a cell of `region`, (n, 3); computed once, but for similarity, whose query soon is another."""
        if self.unavailable:  # points of this model are colored as without a query
            return replace(self, scheme=self.scheme.without_query()).colors
        if self.scheme.shows_similarity:
            return self.heatmap.cell_colors(**self._drawing[0])
        cache, key = self._cache
        if key not in cache:
            cache[key] = self._compute_colors()
        colors: NDArray[np.uint8] = cache[key]
        return colors

    @property
    def _cache(self) -> tuple[dict[Any, Any], tuple[Any, ...]]:
        """Where colors of the model are cached, and under what: they depend on the first model too."""
        first = self.comparison.reference.embedder.name
        finals = self.is_final, self.job.is_final(self.comparison, first)
        kind, number = self.scheme.kind, self.scheme.number
        other = self.scheme.other_model(self.name) if self.scheme.shows_disagreement else ""
        return self.job.work[self.name].pictures, (kind, number, other, first, finals)

    def _compute_colors(self) -> NDArray[np.uint8]:
        from unigeoclip.compare.projection import cluster_colors

        kind, number = self.scheme.kind, self.scheme.number
        if kind in _GROUPS and not self.embedded.varies:
            return np.full((len(self.region.grid), 3), 128, np.uint8)
        if kind == "disagreement":
            return disagreement.colors_of(self.disagreement)
        if kind == "clusters":
            return cluster_colors(number)[self.comparison.cluster_labels(self.name, number)]
        if kind == "umap":
            return self.comparison.layout_colors(self.name)
        return self.comparison.component_colors(self.name, (number,) if kind == "component" else (0, 1, 2))

    @property
    def disagreement(self) -> NDArray[np.float32]:
        """How far each cell's neighbors are not those under the other model of the color scheme, 0 to 1."""
        from unigeoclip.compare.disagreement import disagreement as compute

        return compute(self.embedded, self.comparison.embedded[self.scheme.other_model(self.name)])

    def for_map(self, lasso: NDArray[np.bool_] | None = None) -> Pane:
        """The pane as the map takes it; outside of the lasso, (cells of the compared region,), colors are dimmed."""
        pane, point = empty_pane(self.embedded.embedder), self.scheme.point
        if self.coverage:
            pane["note"] = self.coverage
        if self.is_final:
            pane["live"] = live_grid(
                self.job.atlas, self.embedded, ranked=self.scheme.scale == "rank",
                levels=self.levels_of("location"), fixed=not self.is_reference,
            )  # fmt: skip
        if point is not None:
            pane["markers"] = [{"id": "query-0", "kind": "query", "lat": point[0], "lng": point[1], "sign": "",
                                "label": f"The point: {coordinates(*point, 4)}"}]  # fmt: skip
        if self.unavailable:
            pane["legend"] = {"title": "No result", "words": self.unavailable, "fixed": not self.is_reference}
            return pane
        if self.scheme.shows_similarity:
            heatmap = self.heatmap
            low, high = float(heatmap.values.min()), float(heatmap.values.max())
            said = f"similarity {similarity(low)} to {similarity(high)} in this region"
            pane["note"] = f"{said}; {self.coverage}" if self.coverage else said
            overlay, bounds = overlay_url(heatmap.png(**self._drawing[0])), heatmap.bounds
        else:
            overlay, bounds = overlay_url(self._picture(lasso), "webp"), self.job.region.grid.mercator_bounds
        pane["overlay"], pane["legend"] = {"url": overlay, "bounds": bounds}, self.legend()
        return pane

    def _picture(self, lasso: NDArray[np.bool_] | None) -> bytes:
        """The colors as a picture; the plain one is encoded once."""
        from unigeoclip.similarity.grid_files import colored_picture

        grid, blend, rgb = self.region.grid, self.scheme.blends, self.colors
        if lasso is not None:
            gray = rgb.mean(axis=1, keepdims=True)
            dimmed = np.where(lasso[self.cells, None], rgb, _DIM * gray + (1 - _DIM) * 128).astype(np.uint8)
            return colored_picture(grid, dimmed, blend=blend)
        cache, key = self._cache
        if (key, "picture") not in cache:
            cache[key, "picture"] = colored_picture(grid, rgb, blend=blend)
        picture: bytes = cache[key, "picture"]
        return picture

    def png(self) -> bytes:
        """The map as a lossless picture."""
        from unigeoclip.similarity.grid_files import colored_picture

        grid, origin = self.region.grid, self.provenance()
        if self.scheme.shows_similarity:
            return replace(self.heatmap, provenance=origin).png(**self._drawing[0], describe=True)
        return colored_picture(grid, self.colors, blend=self.scheme.blends, form="PNG", provenance=origin)

    def geotiff(self) -> bytes:
        """The colors, or the values where they stand for one: similarity, disagreement; as a GeoTIFF."""
        from unigeoclip.export.gis import colors_geotiff
        from unigeoclip.similarity.grid_files import geotiff

        origin = self.provenance()
        if self.scheme.shows_similarity:
            return replace(self.heatmap, provenance=origin).geotiff()
        if self.scheme.shows_disagreement:
            grid = self.region.grid
            raster = np.full(grid.shape, np.nan, np.float32)
            raster[grid.mask] = self.disagreement
            return geotiff(grid, raster, band="disagreement", tags=origin.tags())
        about = f"{self.title}: {explanation([self.title], self.scheme)}"
        return colors_geotiff(self.region.grid, self.colors, about, origin)

    def provenance(self, names: Sequence[str] = ()) -> Provenance:
        """Where the map comes from: model, atlas, query, and lines of Python that compute it again.

        Args:
            names: Models of a file that shows several maps; this one alone by default.
        """
        from unigeoclip.export.gis import comparison_provenance
        from unigeoclip.export.snippets import python_lines
        from unigeoclip.search.query_items import QueryItem, write_item

        atlas, region, scheme = self.job.atlas, self.job.region, self.scheme
        image = None if scheme.image is None else (scheme.image.name, scheme.image.kind)
        if image is not None:
            query = [f"{image[1]}: {image[0]}"]
        else:
            query = [] if scheme.point is None else [write_item(QueryItem("location", scheme.point)) or ""]
        models = list(names or [self.name])
        if scheme.shows_disagreement:
            models = list(dict.fromkeys([*models, self.name, scheme.other_model(self.name)]))
        lines = python_lines(
            atlas.name,
            region,
            self.spelled(models),
            scheme.kind,
            scheme.number,
            scheme.point,
            image,
            scheme.pair and self.spelled((self.name, scheme.other_model(self.name))),
        )
        return comparison_provenance(atlas, self.comparison, models, query=query, command=lines)

    def spelled(self, names: Sequence[str]) -> list[str]:
        """Models as the package takes them: a file by its own name."""
        return [spelling_of(self.comparison.embedded[name].embedder) for name in names]

    def levels_of(self, modality: str) -> Levels | None:
        """What similarities to queries of a modality mean, if an absolute scale is wanted and was measured."""
        from unigeoclip.similarity.calibration import calibration  # brings torch along

        if self.scheme.scale != "absolute" or self.name != "unigeoclip":
            return None
        return levels_of_modality(calibration(self.job.atlas), modality)

    @cached_property
    def _is_flat(self) -> bool:
        """Whether similarities hardly vary: colors of their ranks would tell places apart however similar they are."""
        return float(np.ptp(self.heatmap.values)) < SIMILARITY_SPAN

    @cached_property
    def _drawing(self) -> tuple[dict[str, Any], Levels | None]:
        """Options of the heatmap's picture, and what its similarities mean where that was measured: for our model."""
        if self.scheme.scale == "rank" and not self._is_flat:
            return {"scale": "percentile", "floor_percentile": 0.0}, None
        levels = self.levels_of(self.scheme.image.kind if self.scheme.image else "location")
        return (_EVEN, None) if levels is None else ({"scale": "absolute", "limits": levels.limits}, levels)

    def legend(self) -> Legend:
        """The legend of the map; one opacity slider serves all panes.

        Raises:
            UnavailableError: The model does not support the query.
        """
        shown = self._similarity_legend() if self.scheme.shows_similarity else self._color_legend()
        return {**shown, "fixed": not self.is_reference}

    def _similarity_legend(self) -> Legend:
        options, levels = self._drawing
        heading = f"Similarity to the {'image' if self.scheme.image else 'point'}"
        bar = map_legend.color_bar(self.heatmap.legend(**options, stops=17))
        if levels is not None:
            return {**bar, **map_legend.absolute_legend(heading, levels, self.heatmap.best().similarity)}
        ranked = options.get("scale") == "percentile"
        unmeasured = "No absolute scale was measured for this model." if self.scheme.scale == "absolute" else ""
        return {
            "stops": bar["stops"], "ticks": bar["ticks"],
            "title": f"{heading}, {'by rank' if ranked else 'its own range'}", "low": "least similar",
            "high": "most similar", "words": "This model hardly varies here." if self._is_flat else unmeasured,
        }  # fmt: skip

    def _color_legend(self) -> Legend:
        kind, number = self.scheme.kind, self.scheme.number
        shares = [f"{100 * share:.0f} %" for share in self.embedded.shares]
        if kind == "component":
            share = shares[number] if number < len(shares) else "0 %"
            return self._component_legend(number, f"Component {number + 1}: {share} of the variance")
        if kind == "disagreement":
            other = self.comparison.embedded[self.scheme.other_model(self.name)]
            return disagreement.legend_of(self.disagreement, other.embedder.title)
        if kind in _GROUPS and not self.embedded.varies:
            return {"title": "One color: this model hardly varies here"}
        if kind == "clusters":
            return self._cluster_legend()
        if kind == "umap":
            return {"title": "UMAP: similar colors, similar places"}
        swatches: list[Swatch] = [
            (color, f"{word}: {share}") for color, word, share in
            zip(("#d33", "#2a2", "#46f"), ("1st", "2nd", "3rd"), shares, strict=False)
        ]  # fmt: skip
        return {"title": "Components, share of the variance", "swatches": swatches}

    def _component_legend(self, number: int, heading: str) -> Legend:
        ends = self.job.component_ends(self.comparison, self.name, number) if self.embedded.varies else ("", "")
        low, high = (f"{end}: {words}" if words else end for end, words in zip(("low", "high"), ends, strict=True))
        swatches: list[Swatch] = [("#111", low), ("#808080", "mean"), ("#eee", high)]
        words = "In words: UniGeoCLIP’s vectors of the cells at either end." if any(ends) else ""
        return {"title": heading, "swatches": swatches, "named": any(ends), "words": words}

    def _cluster_legend(self) -> Legend:
        from unigeoclip.compare.projection import cluster_colors

        rgb, count = self.colors, self.scheme.number
        colors, counts = np.unique(rgb, axis=0, return_counts=True)
        share_of = {tuple(color): cells / len(rgb) for color, cells in zip(colors.tolist(), counts, strict=True)}
        names = self.job.cluster_names(self.comparison, self.name, count)
        swatches: list[Swatch] = []
        for number, color in enumerate(cluster_colors(count).tolist()):
            label = f"{number + 1}: {names[number].text}" if names[number].text else f"{number + 1}"
            swatches.append((f"rgb{tuple(color)}", label, f"{100 * share_of.get(tuple(color), 0):.0f} %"))
        return {
            "title": "Clusters, share of the cells",
            "swatches": swatches,
            "named": any(name.text for name in names),
            "words": _how_named(names),
        }


def _how_named(names: Sequence[GroupName]) -> str:
    """Where the names of clusters come from, in a sentence; empty if none has one."""
    in_words, said = (any(name.text and name.in_words is kind for name in names) for kind in (True, False))
    if in_words and said:
        return (
            "In words: UniGeoCLIP’s vectors of their cells; where these are not known, the texts most characteristic "
            "of their places."
        )
    if in_words:
        return "In words: UniGeoCLIP’s vectors of their cells."
    return "Named by the texts most characteristic of their places." if said else ""


def empty_pane(embedder: Embedder) -> Pane:
    """The pane of a model that has no colors yet: its name, and the base map."""
    return {
        "id": embedder.name, "title": embedder.title, "meaning": embedder.provenance.made_by,
        "label": f"Map of {embedder.title}. Arrow keys move it, plus and minus zoom, Enter queries its center.",
        "markers": [],
        "legend": {"title": "Not computed yet", "words": "Colors appear when the model is done.", "fixed": True},
    }  # fmt: skip


def make_panes(job: Job, comparison: Comparison, scheme: ColorScheme) -> dict[str, ComparePane]:
    """The panes of all models that have embeddings of the region, by name."""
    return {name: ComparePane(job, comparison, name, scheme) for name in comparison.embedded}


def columns(panes: dict[str, ComparePane]) -> dict[str, Any]:
    """What the maps show of every cell, by a name for a table: similarities, disagreements, clusters from 1.

    A cell without a vector has NaN, or no cluster.
    """
    shown: dict[str, Any] = {}
    for name, pane in panes.items():
        column = name.replace("-", "_")
        if pane.unavailable:
            continue
        if pane.scheme.shows_similarity:
            shown[f"similarity_{column}"] = _of_all_cells(pane, pane.heatmap.values)
        elif pane.scheme.shows_disagreement:
            shown[f"disagreement_{column}"] = _of_all_cells(pane, pane.disagreement)
        elif pane.scheme.kind == "clusters":
            labels = pane.comparison.cluster_labels(name, pane.scheme.number) + 1
            shown[f"cluster_{column}"] = _of_all_cells(pane, labels)
    return shown


def _of_all_cells(pane: ComparePane, values: NDArray[Any]) -> Any:
    """Values of a pane's cells as a column for all cells of the region, null where it has none."""
    import pandas as pd

    count = len(pane.job.region.grid)
    if len(values) == count:
        return values
    kind = pd.Series(values[:0]).convert_dtypes().dtype
    return pd.Series(values, index=pane.cells).reindex(range(count)).astype(kind).array
