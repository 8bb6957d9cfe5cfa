"""What the panes of page Compare show: colours of each model on the region, their legends, and the figures below."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

import numpy as np

from pages.ui.formatting import coordinates, distance, similarity
from pages.ui.map import legend as map_legend
from pages.ui.overlays import overlay_url
from unigeoclip.similarity.levels import levels_of_modality

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from pages.ui.compare.image_query import Picture
    from pages.ui.protocol import Legend, Overlay, Pane
    from pages.ui.services.compare_jobs import Job
    from unigeoclip.compare.regions import Comparison
    from unigeoclip.embedders import Embedder
    from unigeoclip.similarity.heatmap import Heatmap
    from unigeoclip.similarity.levels import Levels

SIMILARITY_SPAN = 0.1  # colours of similarity reach over that much at least
_EVEN: dict[str, Any] = {"floor_percentile": 0.0, "least_span": SIMILARITY_SPAN}  # how similarity is drawn
_GROUPS = ("clusters", "umap")  # colourings that would tell places apart however alike they are
_DIM = 0.22  # of the colours outside a lasso


class Answered(TypedDict):
    """The part of a `Pane` that shows a model's answer, or says why there is none."""

    legend: Legend
    note: NotRequired[str]
    overlay: NotRequired[Overlay]


@dataclass(frozen=True)
class ColorScheme:
    """How maps are coloured.

    Attributes:
        kind: "components", "component", "clusters" or "umap".
        number: Which component from 0, or how many clusters.
        point: Latitude and longitude; similarity to it is shown in place of all that.
        picture: The same for a picture.
        scale: What colours of similarity stand for, one of ``view_options.SCALES``.
    """

    kind: str = "components"
    number: int = 0
    point: tuple[float, float] | None = None
    picture: Picture | None = None
    scale: str = "absolute"

    @property
    def asks(self) -> bool:
        """Whether similarity is shown."""
        return self.point is not None or self.picture is not None


def similarities(comparison: Comparison, name: str, how: ColorScheme) -> Heatmap | str:
    """How like what is asked a model finds every cell, or why it cannot say, in a sentence."""
    if how.picture is None:
        assert how.point is not None
        return comparison.similarity(name, how.point)
    vector = how.picture.of(comparison.embedded[name].embedder)
    return vector if isinstance(vector, str) else comparison.similarity_to(name, vector)


def colors(job: Job, comparison: Comparison, name: str, how: ColorScheme) -> NDArray[np.uint8]:
    """One colour a cell, (n, 3); computed once. Similarity, which is soon another, is not kept."""
    if how.asks:
        heat = similarities(comparison, name, how)
        if not isinstance(heat, str):
            return heat.cell_colors(**_drawing(job, comparison, name, how, heat)[0])
        how = ColorScheme(how.kind, how.number)  # this model has no answer: its points are shown as without a question
    kept, key = _kept(job, comparison, name, how)
    if key not in kept:
        kept[key] = _colors(comparison, name, how)
    found: NDArray[np.uint8] = kept[key]
    return found


def _kept(job: Job, comparison: Comparison, name: str, how: ColorScheme) -> tuple[dict[Any, Any], tuple[Any, ...]]:
    """Where colours of a model are kept, and under what: they depend on the first model too."""
    first = job.work[comparison.reference.embedder.name]
    return job.work[name].pictures, (how.kind, how.number, first.name, first.complete)


def _colors(comparison: Comparison, name: str, how: ColorScheme) -> NDArray[np.uint8]:
    from unigeoclip.compare.projection import cluster_colors

    if how.kind in _GROUPS and not comparison.embedded[name].varies:
        return np.full((len(comparison.region.grid), 3), 128, np.uint8)
    if how.kind == "clusters":
        return cluster_colors(how.number)[comparison.cluster_labels(name, how.number)]
    if how.kind == "umap":
        return comparison.layout_colors(name)
    return comparison.component_colors(name, (how.number,) if how.kind == "component" else (0, 1, 2))


def pane(job: Job, comparison: Comparison, name: str, how: ColorScheme, lasso: NDArray[np.bool_] | None = None) -> Pane:
    """A pane of the map for one model; outside of the lasso, cells that it does not hold, colours are dimmed."""
    shown = empty_pane(comparison.embedded[name].embedder)
    if how.point is not None:
        shown["markers"] = [{"id": "query-0", "kind": "query", "lat": how.point[0], "lng": how.point[1], "sign": "",
                             "label": f"The point: {coordinates(*how.point, 4)}"}]  # fmt: skip
    if how.asks:
        return {**shown, **_similarity(job, comparison, name, how)}
    picture = _picture(job, comparison, name, how, lasso)
    legend = _legend(job, comparison, name, how, colors(job, comparison, name, how))
    address, bounds = overlay_url(picture, "webp"), job.region.grid.mercator_bounds
    return {**shown, "overlay": {"url": address, "bounds": bounds}, "legend": legend}


def empty_pane(embedder: Embedder) -> Pane:
    """The pane of a model that nothing is known of yet: its name, and the map below."""
    return {
        "id": embedder.name, "title": embedder.title, "meaning": embedder.provenance.made_by,
        "label": f"Map of {embedder.title}. Arrow keys move it, plus and minus zoom, Enter asks about its centre.",
        "markers": [],
        "legend": {"title": "Not computed yet", "words": "Colours come when the model is done.", "fixed": True},
    }  # fmt: skip


def _picture(job: Job, comparison: Comparison, name: str, how: ColorScheme, lasso: NDArray[np.bool_] | None) -> bytes:
    """The colours as a picture; the plain one is encoded once."""
    from unigeoclip.similarity.grid_files import colored_picture

    rgb, blend = colors(job, comparison, name, how), how.kind != "clusters"
    if lasso is not None:
        gray = rgb.mean(axis=1, keepdims=True)
        dimmed = np.where(lasso[:, None], rgb, _DIM * gray + (1 - _DIM) * 128).astype(np.uint8)
        return colored_picture(job.region.grid, dimmed, blend=blend)
    kept, key = _kept(job, comparison, name, how)
    if (key, "picture") not in kept:
        kept[key, "picture"] = colored_picture(job.region.grid, rgb, blend=blend)
    picture: bytes = kept[key, "picture"]
    return picture


def png(job: Job, comparison: Comparison, name: str, how: ColorScheme) -> bytes:
    """The map of a model as an exact picture."""
    from unigeoclip.similarity.grid_files import colored_picture

    if how.asks:
        heat = heatmap(comparison, name, how)
        return heat.png(**_drawing(job, comparison, name, how, heat)[0])
    return colored_picture(
        job.region.grid, colors(job, comparison, name, how), blend=how.kind != "clusters", form="PNG"
    )


def geotiff(job: Job, comparison: Comparison, name: str, how: ColorScheme) -> bytes:
    """The colours of a model, or its similarities to the point, as a GeoTIFF."""
    from unigeoclip.export.gis import colors_geotiff

    if how.asks:
        return heatmap(comparison, name, how).geotiff()
    title = comparison.embedded[name].embedder.title
    return colors_geotiff(job.region.grid, colors(job, comparison, name, how), f"{title}: {explanation([title], how)}")


def columns(comparison: Comparison, how: ColorScheme) -> dict[str, NDArray[Any]]:
    """What the maps show of every cell, by a name for a table: similarities, or numbers of clusters from 1."""
    shown: dict[str, NDArray[Any]] = {}
    for name in answering(comparison, how):
        column = name.replace("-", "_")
        if how.asks:
            shown[f"similarity_{column}"] = heatmap(comparison, name, how).values
        elif how.kind == "clusters":
            shown[f"cluster_{column}"] = comparison.cluster_labels(name, how.number) + 1
    return shown


def answering(comparison: Comparison, how: ColorScheme) -> list[str]:
    """The models that have something to show: all, unless some cannot be asked by the picture."""
    if how.picture is None:
        return list(comparison.embedded)
    picture, models = how.picture, comparison.embedded.items()
    return [name for name, embedded in models if not isinstance(picture.of(embedded.embedder), str)]


def heatmap(comparison: Comparison, name: str, how: ColorScheme) -> Heatmap:
    """Of one of the models that `answering` names."""
    heat = similarities(comparison, name, how)
    assert not isinstance(heat, str), heat
    return heat


def _drawing(
    job: Job, comparison: Comparison, name: str, how: ColorScheme, heat: Heatmap
) -> tuple[dict[str, Any], Levels | None]:
    """Options of a heatmap's picture, and what its similarities mean where that was measured: for our model."""
    from unigeoclip.similarity.calibration import calibration  # brings torch along

    flat = float(np.ptp(heat.values)) < SIMILARITY_SPAN
    if how.scale == "rank" and not flat:  # ranks would tell places apart however alike they are
        return {"scale": "percentile", "floor_percentile": 0.0}, None
    levels = None
    if how.scale == "absolute" and name == "unigeoclip":
        levels = levels_of_modality(calibration(job.atlas), how.picture.kind if how.picture else "location")
    return (_EVEN, None) if levels is None else ({"scale": "absolute", "limits": levels.limits}, levels)


def _similarity(job: Job, comparison: Comparison, name: str, how: ColorScheme) -> Answered:
    heat, fixed = similarities(comparison, name, how), name != comparison.reference.embedder.name
    if isinstance(heat, str):
        return {"legend": {"title": "No answer", "words": heat, "fixed": fixed}}
    low, high = float(heat.values.min()), float(heat.values.max())
    options, _ = _drawing(job, comparison, name, how, heat)
    return {
        "note": f"similarity {similarity(low)} to {similarity(high)} in this region",
        "overlay": {"url": overlay_url(heat.png(**options)), "bounds": heat.bounds},
        "legend": {**_similarity_legend(job, comparison, name, how, heat), "fixed": fixed},
    }


def _similarity_legend(job: Job, comparison: Comparison, name: str, how: ColorScheme, heat: Heatmap) -> Legend:
    options, levels = _drawing(job, comparison, name, how, heat)
    stops, heading = heat.legend(**options, stops=17), f"Similarity to the {'picture' if how.picture else 'point'}"
    bar = map_legend.color_bar(stops)
    if levels is not None:
        return {**bar, **map_legend.absolute_legend(heading, levels, heat.best().similarity)}
    flat = float(np.ptp(heat.values)) < SIMILARITY_SPAN
    ranked = options.get("scale") == "percentile"
    unmeasured = "No absolute scale was measured for this model." if how.scale == "absolute" else ""
    return {
        "stops": bar["stops"], "ticks": bar["ticks"],
        "title": f"{heading}, {'by rank' if ranked else 'its own range'}",
        "low": "least alike", "high": "most alike",
        "words": "This model hardly varies here." if flat else unmeasured,
    }  # fmt: skip


def legend(job: Job, comparison: Comparison, name: str, how: ColorScheme) -> Legend | None:
    """The legend of a model's map; None where the model has no answer."""
    if not how.asks:
        return _legend(job, comparison, name, how, colors(job, comparison, name, how))
    heat = similarities(comparison, name, how)
    return None if isinstance(heat, str) else _similarity_legend(job, comparison, name, how, heat)


def _legend(job: Job, comparison: Comparison, name: str, how: ColorScheme, rgb: NDArray[np.uint8]) -> Legend:
    from unigeoclip.compare.projection import cluster_colors

    shares = [f"{100 * share:.0f} %" for share in comparison.embedded[name].shares]
    # One slider moves all panes.
    fixed = name != comparison.reference.embedder.name
    if how.kind == "component":
        share = shares[how.number] if how.number < len(shares) else "0 %"
        return {"title": f"Component {how.number + 1}: {share} of the variance", "fixed": fixed,
                "swatches": [("#111", "low"), ("#808080", "mean"), ("#eee", "high")]}  # fmt: skip
    if how.kind in _GROUPS and not comparison.embedded[name].varies:
        return {"title": "One colour: this model hardly varies here", "fixed": fixed}
    if how.kind == "clusters":
        names, counts = np.unique(rgb, axis=0, return_counts=True)
        share_of = {tuple(color): count / len(rgb) for color, count in zip(names.tolist(), counts, strict=True)}
        named = job.cluster_names(comparison, name, how.number)
        clusters: list[tuple[str, str] | tuple[str, str, str]] = []
        for number, color in enumerate(cluster_colors(how.number).tolist()):
            share = f"{100 * share_of.get(tuple(color), 0):.0f} %"
            what = f"{number + 1}: {named[number]}" if named[number] else f"{number + 1}"
            clusters.append((f"rgb{tuple(color)}", what, share))
        return {
            "title": "Clusters, share of the cells",
            "fixed": fixed,
            "swatches": clusters,
            "named": any(named),
            "words": "Named by what is said of their places more than of others." if any(named) else "",
        }
    if how.kind == "umap":
        return {"title": "UMAP: like colours, like places", "fixed": fixed}
    swatches: list[tuple[str, str] | tuple[str, str, str]] = [
        (color, f"{word}: {share}") for color, word, share in
        zip(("#d33", "#2a2", "#46f"), ("1st", "2nd", "3rd"), shares, strict=False)
    ]  # fmt: skip
    return {"title": "Components, share of the variance", "fixed": fixed, "swatches": swatches}


def explanation(titles: Sequence[str], how: ColorScheme) -> str:
    """What the colours of all panes mean, in a sentence or two; ``titles`` are those of the models."""
    from unigeoclip.compare.projection import COMPONENT_FLOOR

    first, *others = titles

    gray = (
        "Grey is the mean of the region; a model reaches full colour where it deviates by two of its standard "
        f"deviations, but never by less than {4 * COMPONENT_FLOOR:.2f}, so what hardly varies stays grey."
    )
    colors = {
        "components": f"Three principal components as red, green and blue. {gray} Colours are turned towards those of "
        f"{first}: they mean the same as far as the models agree.",
        "component": f"One principal component of each model. {gray}",
        "clusters": "k-means on each model's vectors. A number and its colour stand for the cells that the models "
        "group alike, as far as they agree. A model that deviates by less than "
        f"{COMPONENT_FLOOR:.2f} over the region has one colour.",
        "umap": "UMAP lays each model's places out on a plane; hue is the direction from its middle. Layouts of "
        "different models have no directions in common.",
    }[how.kind]
    if how.asks:
        asked = "picture" if how.picture else "point"
        colors = f"Cosine similarity of every cell to the {asked}, as each model sees it. {_SCALES_MEAN[how.scale]}"
    if any(title.startswith(f"{first} without ") for title in others):
        return f"One spatial scale of {first} is switched off in each other map: what changes is what it adds. {colors}"
    return colors


_OWN = f"its own range, which reaches over {SIMILARITY_SPAN} at least: a model that hardly varies looks even."
_SCALES_MEAN = {
    "absolute": "Colours of UniGeoCLIP reach from the similarity of unrelated places to that of held-out matches, "
    f"measured on the averaged cells of page Explore; no other model has such a calibration, and each shows {_OWN}",
    "similarity": f"Each pane shows {_OWN}",
    "rank": f"Colours are shares of the area, however similar; only a model that varies by less than {SIMILARITY_SPAN} "
    "looks even.",
}


def figures_table(comparison: Comparison, figures: Mapping[str, dict[str, Any]], agreement: dict[str, Any]) -> str:
    """The numbers of all models as an HTML table, each with a sentence that says what it means."""
    names = list(figures)
    reference = comparison.reference.embedder.title
    heads = "".join(f"<th scope='col'>{html.escape(comparison.embedded[name].embedder.title)}</th>" for name in names)
    rows = [
        ("Variance", "how far the places of this region lie apart, 0 (all alike) to 1",
         [f"{figures[name]['variance']:.3f}" for name in names]),
        ("First three components", "share of that variance along them: what the colouring Components can show",
         [f"{100 * sum(figures[name]['shares'][:3]):.0f} %" for name in names]),
        ("Effective rank", "how many directions are really used",
         [f"{figures[name]['effective_rank']:.1f}" for name in names]),
        ("Smooth in position", "share of the variance that a smooth function of position explains, cross-validated; "
         "the rest is detail, such as parks, coasts and districts",
         [_percent(figures[name]["smooth_share"]) for name in names]),
        *_moran_rows(figures, names),
        (f"CKA with {reference}", "whether the models tell the same places apart, 0 to 1",
         [_number(agreement[name]["cka"]) for name in names]),
        (f"Neighbours in common with {reference}", "of the ten most similar places in a sample",
         [_percent(agreement[name]["neighbours"]) for name in names]),
    ]  # fmt: skip
    body = "".join(
        f"<tr><th scope='row'>{html.escape(title)}<br><small>{html.escape(meaning)}</small></th>"
        + "".join(f"<td>{value}</td>" for value in values)
        + "</tr>"
        for title, meaning, values in rows
    )
    return (
        "<div class='ugc-scroll' tabindex='0' role='region' aria-label='Figures'>"
        f"<table class='ugc-table is-figures'><thead><tr><td></td>{heads}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def _moran_rows(figures: Mapping[str, dict[str, Any]], names: Sequence[str]) -> list[tuple[str, str, list[str]]]:
    """Moran's I at a short, a middle and a long distance that all models have a figure for."""
    rings = [ring for ring in range(len(figures[names[0]]["moran"]))
             if any(figures[name]["moran"][ring][1] is not None for name in names)]  # fmt: skip
    chosen = sorted({rings[0], rings[len(rings) // 2], rings[-1]}) if rings else []
    return [
        (
            f"Moran's I up to {distance(figures[names[0]]['moran'][ring][0])}",
            "whether places so far apart are alike: 1 yes, 0 no more than any two",
            [_number(figures[name]["moran"][ring][1]) for name in names],
        )
        for ring in chosen
    ]


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.0f} %"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}".replace("-", "−")
