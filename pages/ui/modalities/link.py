"""What page Modalities shows, and how a link spells it; `query_string` reads and writes the address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pages.ui.link_values import parse_values
from pages.ui.query_string import degrees, parse_at
from pages.ui.rectangles import parse_box
from unigeoclip.errors import InputError, excerpt
from unigeoclip.parsing.numbers import bounded_int

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from unigeoclip.geo import Bounds

SELECTIONS = {"random": "Random", "cluster": "Cluster", "map": "On the map"}
METHODS = {"tsne": "t-SNE", "umap": "UMAP"}
LEAST_COUNT, MOST_COUNT, DEFAULT_COUNT = 12, 120, 36  # places in the scatter
MOST_SEED = 9999
DEFAULT_FIGURE = "recall@1"
_MOST_ID = 80  # characters


@dataclass(frozen=True)
class View:
    """What page Modalities shows.

    Attributes:
        selection: How places are chosen, one of `SELECTIONS`.
        cluster: Which cluster, from 0.
        point: Latitude and longitude whose nearest places are shown, with the selection "map".
        bounds: South, west, north, east that they are drawn from instead.
        seed: Of places drawn at random.
        count: Places at most.
        method: Of the layout, one of `METHODS`.
        centered: Whether each modality is moved to the middle.
        place: Id of the place that is open; empty for the first.
        pair: Whose examples are shown: "street->aerial"; empty for the first.
        figure: That the matrix shows, see ``matrix.figures_of``.
    """

    selection: str = "random"
    cluster: int = 0
    point: tuple[float, float] | None = None
    bounds: Bounds | None = None
    seed: int = 0
    count: int = DEFAULT_COUNT
    method: str = "tsne"
    centered: bool = False
    place: str = ""
    pair: str = ""
    figure: str = DEFAULT_FIGURE


def parameters(view: View) -> dict[str, str]:
    """What of a view differs from the default, by key of ``query_string.MODALITIES_KEYS``."""
    default = View()
    values = {}
    if places := _places(view):
        values["places"] = places
    for key, name in (("seed", "seed"), ("count", "count"), ("layout", "method"), ("place", "place"),
                      ("pair", "pair"), ("figure", "figure")):  # fmt: skip
        value = getattr(view, name)
        if value != getattr(default, name):
            values[key] = str(value)
    if view.centered:
        values["centered"] = "1"
    return values


def _places(view: View) -> str:
    if view.selection == "cluster":
        return f"cluster:{view.cluster + 1}"
    if view.selection == "map" and view.bounds is not None:
        return f"box:{','.join(map(degrees, view.bounds))}"
    if view.selection == "map" and view.point is not None:
        return f"near:{','.join(map(degrees, view.point))}"
    return "map" if view.selection == "map" else ""


def parse(
    values: Mapping[str, str], *, clusters: int, places: Sequence[str], pairs: Sequence[str], figures: Sequence[str]
) -> tuple[View, str]:
    """What a link to page Modalities says.

    Args:
        values: By key of ``query_string.MODALITIES_KEYS``.
        clusters: How many clusters there are.
        places: Ids of the places that can be opened.
        pairs: Names of the pairs that can be shown.
        figures: That the matrix can show.

    Returns:
        What it says, defaults where it cannot be read, and a sentence on the last such part; empty if there is none.
    """
    parsers: dict[str, Callable[[str], dict[str, Any]]] = {
        "places": lambda text: _parse_places(text, clusters),
        "seed": lambda text: {"seed": bounded_int(text, 0, MOST_SEED, "The seed")},
        "count": lambda text: {"count": bounded_int(text, LEAST_COUNT, MOST_COUNT, "The number of places")},
        "layout": lambda text: {"method": _one_of(text, tuple(METHODS), "layout")},
        "centered": lambda text: {"centered": _one_of(text, ("0", "1"), "value") == "1"},
        "place": lambda text: {"place": _known_place(text, places)},
        "pair": lambda text: {"pair": _one_of(text, pairs, "pair of modalities")},
        "figure": lambda text: {"figure": _one_of(text, figures, "figure")},
    }
    valid, problem = parse_values(values, parsers)
    return View(**valid), problem


def _parse_places(text: str, clusters: int) -> dict[str, Any]:
    kind, _, rest = text.partition(":")
    if text in ("random", "map"):
        return {"selection": text}
    if kind == "cluster":
        return {"selection": kind, "cluster": bounded_int(rest, 1, clusters, "The number of the cluster") - 1}
    if kind == "near":
        return {"selection": "map", "point": parse_at(rest)}
    if kind == "box":
        return {"selection": "map", "bounds": parse_box(rest)}
    raise InputError(
        f"'{excerpt(text, 40)}' selects no places: write random, cluster:1, near:42.36,-71.06 or "
        "box:42.33,-71.10,42.38,-71.03."
    )


def _one_of(text: str, options: Sequence[str], what: str) -> str:
    if text not in options:
        raise InputError(f"Unknown {what} '{excerpt(text, 40)}'. Available: {', '.join(options)}.")
    return text


def _known_place(text: str, places: Sequence[str]) -> str:
    if text not in places:
        raise InputError(f"There is no held-out place '{excerpt(text, _MOST_ID)}' in this atlas.")
    return text
