"""Page Explore: ask by a click, words, coordinates or a picture; see where the map is like it and what is closest."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import cards, composer, links, mapview, scale, state, waiting
from pages.ui.words import coordinates, similarity

if TYPE_CHECKING:
    from unigeoclip.search import Explorer


def _clicked(visitor: state.Session, explorer: Explorer | None, key: str, digits: int) -> None:
    click = mapview.clicked(key)
    if click is None:
        return
    if click.get("by") == "place" and explorer is not None:
        place, _ = explorer.nearest_place(click["lat"], click["lng"])
        state.add(visitor, links.place(place.place_id, place.name), join=composer.join())
    else:
        composer.take_point(visitor, round(click["lat"], digits), round(click["lng"], digits))


def _used(visitor: state.Session, key: str) -> None:
    used = cards.used(key)
    if used is None:
        return
    pose = used.get("pose")
    if pose:
        item = links.view(pose["lat"], pose["lng"], pose["heading"], used["name"])
    else:
        item = links.place(used["place_id"], used["name"])
    state.add(visitor, item, join=composer.join())


@st.fragment
def explore() -> None:
    """The page proper, a fragment: what happens here reruns nothing else."""
    head = st.container(horizontal=True, vertical_alignment="bottom", key="composer")
    with head:
        name = waiting.chosen_atlas()
    opening = waiting.for_atlas(name)
    if opening.atlas is None:
        return
    atlas, explorer, visitor = opening.atlas, opening.explorer, state.session(name)
    size = scale.of(atlas.manifest)
    state.read_link(visitor)
    if explorer is not None:
        state.settle(visitor, explorer)
    state.write_link(visitor)

    with head:
        composer.compose(visitor, atlas.manifest, explorer)
    composer.chips(visitor, atlas.manifest)
    composer.problem(visitor)
    left, right = st.columns([2.15, 1], gap="medium")
    # Each atlas has a map and cards of its own: nothing of one is left when the other is shown.
    map_key, cards_key = f"map-{name}", f"cards-{name}"
    with left:
        pane = mapview.answer_pane(visitor.answer, size)
        mapview.show(
            atlas, [pane], nonce=visitor.revision, key=map_key, ask_by=True,
            on_click=lambda: _clicked(visitor, explorer, map_key, size.click_digits),
        )  # fmt: skip
    with right, st.container(key="results"):
        if explorer is None:
            waiting.for_explorer(opening)
        elif visitor.answer is None:
            st.html(_INVITATION.format(where=html.escape(size.where)))
        else:
            composer.notes(visitor)
            best, near = visitor.answer.best, html.escape(visitor.answer.best_near.name)
            st.html(f'<p class="ugc-best">Best match <b>{similarity(best.similarity)}</b>, '
                    f"{coordinates(best.lat, best.lon, size.best_digits)}<br>{near}</p>")  # fmt: skip
            cards.show(explorer, visitor.answer, key=cards_key, on_use=lambda: _used(visitor, cards_key))


_INVITATION = """<div class="ugc-empty"><h2>Ask the map</h2>
<p>Click a point, type a few words or drop in a picture. The map then shows {where} is like it, and here stand
the places that are closest.</p></div>"""

explore()
