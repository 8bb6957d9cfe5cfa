"""What the colors of page Compare mean, in a sentence or two."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pages.ui.compare.model import ColorScheme

from pages.ui.compare.disagreement import explanation_of

SIMILARITY_SPAN = 0.1  # colors of similarity reach over that much at least

_OWN = f"its own range, which reaches over {SIMILARITY_SPAN} at least: a model that hardly varies looks uniform."
_SCALES_MEAN = {
    "absolute": "Colors of UniGeoCLIP reach from the similarity of unrelated places to that of held-out matches, "
    f"measured on the averaged cells of page Explore; no other model has such a calibration, and each shows {_OWN}",
    "similarity": f"Each pane shows {_OWN}",
    "rank": f"Colors are shares of the area, however similar; only a model that varies by less than {SIMILARITY_SPAN} "
    "looks uniform.",
}


def explanation(titles: Sequence[str], scheme: ColorScheme) -> str:
    """What the colors of all panes mean, in a sentence or two; ``titles`` are those of the models."""
    from unigeoclip.compare.projection import COMPONENT_FLOOR

    first, *others = titles

    gray = (
        "Gray is the mean of the region; a model reaches full color where it deviates by two of its standard "
        f"deviations, but never by less than {4 * COMPONENT_FLOOR:.2f}, so what hardly varies stays gray."
    )
    colors = {
        "components": f"Three principal components as red, green and blue. {gray} Colors are rotated towards those "
        f"of {first}: they mean the same as far as the models agree.",
        "component": f"One principal component of each model. {gray}",
        "clusters": "k-means on each model's embeddings. A number and its color stand for the cells that the models "
        "group together, as far as they agree. A model that deviates by less than "
        f"{COMPONENT_FLOOR:.2f} over the region has one color.",
        "umap": "UMAP projects each model's embeddings to a plane; hue is the direction from its center. The "
        "projections of different models are not aligned.",
        "disagreement": explanation_of(),
    }[scheme.kind]
    if scheme.shows_similarity:
        query = "image" if scheme.image else "point"
        colors = f"Cosine similarity of every cell to the {query}, as each model sees it. {_SCALES_MEAN[scheme.scale]}"
    if any(title.startswith(f"{first} without ") for title in others):
        return f"One spatial scale of {first} is switched off in each other map: what changes is what it adds. {colors}"
    return colors
