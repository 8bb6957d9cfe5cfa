"""What can be chosen on pages Explore and Compare: tables of choices, shared by widgets, links and services."""

from __future__ import annotations

from dataclasses import dataclass

from unigeoclip.similarity.colormaps import DEFAULT_COLORMAP

SCALES = {"absolute": "Absolute", "similarity": "Similarity", "rank": "Rank"}  # what colors of similarity stand for
DEFAULT_SCALE = "absolute"

# Page Explore.
SHARES = (0, 20, 5, 1)  # percent of the area that are painted, 0 for all of it
OUTLINES = (0, 20, 5, 1)
MATCHES, MOST_MATCHES = 10, 50
COUNTS = tuple(range(MATCHES, MOST_MATCHES + 1, MATCHES))  # results of each modality

# Page Compare: kinds of color schemes, and the lowest, highest and first number of those that have one.
KINDS = {"components": 0, "component": 6, "clusters": 16, "umap": 0, "disagreement": 0}
LEAST = {"component": 1, "clusters": 2}
DEFAULT_CLUSTERS = 8
DEFAULT_NUMBER = {"component": 1, "clusters": DEFAULT_CLUSTERS}
DEFAULT_KIND = "components"


@dataclass(frozen=True)
class Display:
    """How answers are shown on the map of page Explore.

    Attributes:
        best: Only this percentage of the area is painted, one of `SHARES`.
        outline: This percentage of the area, the best, is outlined, one of `OUTLINES`.
        colors: One of ``colormaps.COLORMAPS``.
        items: A modality whose items are drawn as dots in place of the heatmap; empty for the heatmap.
        scale: What colors of the heatmap stand for, one of `SCALES`. "absolute" needs measured levels; an answer
            without them is colored by "similarity", and its legend says so.
    """

    best: int = 0
    outline: int = 0
    colors: str = DEFAULT_COLORMAP
    items: str = ""
    scale: str = DEFAULT_SCALE
