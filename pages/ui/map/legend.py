"""The legend of a heatmap: its color bar, and the absolute scale in words and with marks."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from pages.ui.formatting import similarity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pages.ui.protocol import Legend
    from unigeoclip.similarity.heatmap import LegendStop
    from unigeoclip.similarity.levels import Levels

MARKS_APART = 0.2  # of the legend's width, so that the names of two marks do not overlap


class ColorBar(TypedDict):
    """The part of a `Legend` that is its bar and the figures below."""

    stops: list[tuple[float, float, str]]
    ticks: list[tuple[float, str]]


def color_bar(stops: Sequence[LegendStop]) -> ColorBar:
    """The bar of a legend, and five figures below it."""
    return {
        "stops": list(stops),
        "ticks": [(stop.fraction, similarity(stop.similarity)) for stop in stops[::4]],
    }


def absolute_legend(heading: str, levels: Levels, best: float, *more: str) -> Legend:
    """What colors of the absolute scale mean, in words and with marks.

    Args:
        heading: Of the legend.
        levels: What similarities mean.
        best: The highest similarity of the map.
        more: Further sentences.
    """
    return {
        "title": f"{heading}, absolute",
        "marks": marks(levels),
        "low": "as unrelated places",
        "high": high_end(levels),
        "words": " ".join(part for part in (verdict(levels, best), *more) if part),
        "weak": levels.separates and levels.is_chance(best),
    }


def high_end(levels: Levels) -> str:
    """What the highest color of the absolute scale means."""
    return "as held-out matches" if levels.separates else "as the best of 1,000 unrelated"


def marks(levels: Levels) -> list[tuple[float, str]]:
    """Where on the color bar chance ends and an ordinary match is; one name for both where two would overlap."""
    both = sorted([(levels.fraction(levels.chance), "chance"), (levels.fraction(levels.match), "match")])
    (first, one), (second, other) = both
    return both if second - first > MARKS_APART else [(first, f"{one}, {other}"), (second, "")]


def verdict(levels: Levels, best: float) -> str:
    """How good the best similarity of a map is, in a sentence or two."""
    said, chance, match = (similarity(value) for value in (best, levels.chance, levels.match))
    if not levels.separates:  # right answers can be as low as this: nothing is said of the one that is shown
        return (
            f"Best {said}. One of 1,000 unrelated places reaches {chance}, half of held-out matches only {match}: for "
            "queries of this kind the height of a similarity tells little."
        )
    if levels.is_chance(best):
        return f"Best {said}: no more than chance; one of 1,000 unrelated places reaches {chance}."
    if levels.is_match(best):
        return f"Best {said}: as similar as held-out matches, of which half reach {match}; chance ends at {chance}."
    return f"Best {said}: more than chance, which ends at {chance}; half of held-out matches reach {match}."
