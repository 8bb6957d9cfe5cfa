"""What the model of an atlas cannot do, in plain words."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from pages.ui import atlas_scale
from unigeoclip.atlas.origins import NAMES, RENDERED, made
from unigeoclip.geo import in_round_figures

if TYPE_CHECKING:
    from unigeoclip.atlas.schema import Manifest

_NOT_PROBABILITY = (
    "Similarity is not probability. The colours compare places for one query; the same figure for another query, or for"
    " another modality, need not mean the same."
)


def limits(manifest: Manifest) -> str:
    """The limits as a list in HTML."""
    points = _of_a_city(manifest) if atlas_scale.of(manifest).is_city else _of_the_earth(manifest)
    return "<ul>" + "".join(f"<li>{escape(point)}</li>" for point in points) + "</ul>"


def _of_the_earth(manifest: Manifest) -> list[str]:
    across = in_round_figures(manifest.window_m)
    return [
        f"It sees its pictures in squares of {across}. What is much smaller than that, it does not see; a picture "
        "of another scale gets an answer that means little.",
        "It was trained on land inside the extent above. In the sea and outside it answers too, and the page says so.",
        "It reads English, in the words of its captions: names, climate, terrain, water, settlement. It does not "
        "count, compare or understand negation; use an item with a negative weight for “not”.",
        _NOT_PROBABILITY,
        "Names, borders and climate classes are those of the sources; they take no side.",
    ]


def _of_a_city(manifest: Manifest) -> list[str]:
    return [
        *_of_its_pictures(manifest),
        *manifest.notes,
        f"From above it sees squares of {in_round_figures(manifest.window_m)}; a picture of another scale gets "
        "an answer that means little.",
        f"It was trained on land inside the extent above, in {manifest.title} and nowhere else. On water and outside "
        "it answers too, and the page says so.",
        "It reads English, in the words of its texts: names, kinds of streets and buildings, parks, water, shops and "
        "what else is around the corner. It does not count, compare or understand negation; use an item with a "
        "negative weight for “not”.",
        _NOT_PROBABILITY,
    ]


def _of_its_pictures(manifest: Manifest) -> list[str]:
    """How each kind of picture of a city came about: what holds of one need not hold of the others."""
    drawn = [name for name in made(manifest, RENDERED) if name != NAMES["surface"]]
    real = made(manifest, "photographed")
    found = []
    if drawn:
        found.append(
            f"Its {' and '.join(drawn)} are drawn, not photographed. What the map does not know, they do not show; a "
            "real photo gets a rougher answer than a drawn one."
        )
    if real:
        found.append(f"Its {' and '.join(real)} are photographs of one time each; another season looks different.")
    if manifest.pictures.get("surface") == RENDERED:
        found.append("Heights and uses are those of OpenStreetMap, with its gaps; most heights are estimates.")
    else:
        found.append("Its heights are measured; uses and names are those of OpenStreetMap, with its gaps.")
    return found
