"""Places at which two models disagree: a list with pictures, and one of them on the maps."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from pages.ui.formatting import distance, similarity
from pages.ui.http.urls import urls
from pages.ui.widgets.templating import render

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pages.ui.compare.model import ColorScheme
    from pages.ui.compare.panes import ComparePane
    from pages.ui.compare.state import CompareState
    from pages.ui.protocol import Marker, Pane
    from pages.ui.services.compare_jobs import Job
    from unigeoclip.compare.disagreement import Example, Neighbor
    from unigeoclip.compare.regions import Region
    from unigeoclip.geo import Bounds

_TOLD = ("setting", "fabric", "climate", "terrain")  # kinds of sentences that say what a place is like
_SENTENCES = 2
_MARGIN = 0.15  # of the extent of an example, around it on the maps
_BELOW = 0.6  # the same below it, where the legends are
_LEAST_MARGIN = 0.01  # of the region's height


def _of_pair(job: Job, scheme: ColorScheme) -> list[Example]:
    """Examples of the two models, none where they are not known or there can be none."""
    if not scheme.shows_disagreement or not job.disagrees(*scheme.pair):
        return []
    first, second = scheme.pair
    return job.work[second].examples.get(first, [])


def chosen(job: Job, panes: Mapping[str, ComparePane], scheme: ColorScheme, number: int | None) -> Example | None:
    """The example of a number, from 0, that the maps show; None if there is none."""
    found = _of_pair(job, scheme) if panes else []
    return found[number] if number is not None and number < len(found) else None


def mark(panes: Sequence[Pane], region: Region, example: Example | None, scheme: ColorScheme) -> Bounds | None:
    """Mark an example on the maps: the place on all, and on the map of each model what that one finds similar.

    Returns:
        The part of the map that holds all of it: south, west, north, east.
    """
    if example is None:
        return None
    cells = region.grid.cells[[example.cell, example.first.cell, example.second.cell]]
    similar = dict(zip(scheme.pair, (example.first, example.second), strict=True))
    for pane in panes:
        pane["markers"] = [_marker("query", cells[0], "The place")]
        if pane["id"] in similar:
            neighbor = similar[pane["id"]]
            words = f"Similar under {pane.get('title', pane['id'])}, {distance(neighbor.distance_m)} away"
            pane["markers"].append(_marker("best", region.grid.cells[neighbor.cell], words))
    (south, west), (north, east) = cells.min(axis=0).tolist(), cells.max(axis=0).tolist()
    least = _LEAST_MARGIN * (region.grid.bounds[2] - region.grid.bounds[0])
    more_lat, more_lon = max(_MARGIN * (north - south), least), max(_MARGIN * (east - west), least)
    south, west = south - max(_BELOW * (north - south), 2 * least), west - more_lon
    return max(south, -85.0), max(west, -180.0), min(north + more_lat, 85.0), min(east + more_lon, 180.0)


def _marker(kind: Any, at: Any, words: str) -> Marker:
    lat, lon = (float(each) for each in at)
    return {"id": f"{kind}-0", "kind": kind, "lat": lat, "lng": lon, "label": words, "sign": ""}


def show(job: Job, panes: Mapping[str, ComparePane], scheme: ColorScheme, state: CompareState) -> None:
    """The list, with a button that shows an example on the maps."""
    found = _of_pair(job, scheme)
    if not found:
        if scheme.shows_disagreement and job.disagrees(*scheme.pair):
            st.caption("No place of this region that has texts is similar under one of these models and not the other.")
        return
    titles = [panes[name].title for name in scheme.pair]
    st.subheader(f"Where {titles[0]} and {titles[1]} differ most", anchor=False)
    st.caption(
        "Each row is a place, one that only the first model finds similar to it, and one that only the second does: of "
        "the ten most similar under a model the one that the other ranks lowest. The rank is the share of the region "
        "that is more similar."
    )
    for number, example in enumerate(found):
        with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"example-{number}"):
            st.html(_row(job, example, titles))
            on_maps = state.example == number
            st.button(
                "Hide on the maps" if on_maps else "Show on the maps", key=f"show-example-{number}",
                on_click=partial(setattr, state, "example", None if on_maps else number),
            )  # fmt: skip


def _row(job: Job, example: Example, titles: Sequence[str]) -> str:
    sides = (example.first, example.second)
    return render(
        "compare/templates/example.html",
        place=_place(job, example.cell),
        disagreement=f"{example.disagreement:.2f}",
        sides=[
            {"title": titles[side], "place": _place(job, neighbor.cell), "away": distance(neighbor.distance_m),
             "figures": _figures(neighbor, titles)}
            for side, neighbor in enumerate(sides)
        ],
    )  # fmt: skip


def _figures(neighbor: Neighbor, titles: Sequence[str]) -> list[tuple[str, str, str]]:
    """Title, similarity and rank under both models."""
    return [
        (title, similarity(value), f"{100 * rank:.1f} %" if rank < 0.1 else f"{100 * rank:.0f} %")
        for title, value, rank in zip(titles, neighbor.similarity, neighbor.rank, strict=True)
    ]


def _place(job: Job, cell: int) -> dict[str, str]:
    """Name, text and picture of the first place of a cell."""
    atlas = job.atlas
    row = int(np.flatnonzero(job.places == cell)[0])
    place = atlas.places.iloc[row]
    said = atlas.sentences.iloc[np.asarray(place["sentences"], np.int64)]
    told = [str(said.loc[said["kind"] == kind, "text"].iloc[0]) for kind in _TOLD if (said["kind"] == kind).any()]
    picture = ""
    if "aerial" in atlas.manifest.modalities:
        picture = urls.picture(atlas, "aerial", float(place["lat"]), float(place["lon"]))
    return {"name": str(place["name"]), "text": ", ".join(told[:_SENTENCES]), "picture": picture}
