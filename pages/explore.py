"""Page Explore: ask by a click, words, coordinates or a picture; see where the map is like it and what is closest."""

import html

import streamlit as st

from pages.ui import cards, composer, links, mapview, state, waiting
from pages.ui.words import coordinates, similarity

MAP, CARDS = "map", "cards"


def _clicked(visitor: state.Session) -> None:
    if click := mapview.clicked(MAP):
        composer.take_point(visitor, round(click["lat"], 4), round(click["lng"], 4))


def _used(visitor: state.Session) -> None:
    if card := cards.used(CARDS):
        state.add(visitor, links.place(card["place_id"], card["name"]), join=composer.join())


@st.fragment
def explore(atlas_name: str) -> None:
    """The page proper, a fragment: what happens here reruns nothing else."""
    opening = waiting.for_atlas(atlas_name)
    if opening.atlas is None:
        return
    atlas, visitor = opening.atlas, state.session(atlas_name)
    state.read_link(visitor)
    if opening.explorer is not None:
        state.settle(visitor, opening.explorer)
    state.write_link(visitor)

    composer.compose(visitor, opening.explorer)
    composer.chips(visitor, atlas_name)
    composer.problem(visitor)
    left, right = st.columns([2.15, 1], gap="medium")
    with left:
        pane = mapview.answer_pane(visitor.answer)
        mapview.show(atlas, [pane], nonce=visitor.revision, key=MAP, on_click=lambda: _clicked(visitor))
    with right, st.container(key="results"):
        if opening.explorer is None:
            waiting.for_explorer(opening)
        elif visitor.answer is None:
            st.html(_INVITATION)
        else:
            composer.notes(visitor)
            best, near = visitor.answer.best, html.escape(visitor.answer.best_near.name)
            st.html(f'<p class="ugc-best">Best match <b>{similarity(best.similarity)}</b>, '
                    f"{coordinates(best.lat, best.lon, 1)}<br>{near}</p>")  # fmt: skip
            shown = cards.groups(opening.explorer, visitor.answer)
            cards.show(shown, key=CARDS, on_use=lambda: _used(visitor))


_INVITATION = """<div class="ugc-empty"><h2>Ask the map</h2>
<p>Click a point, type a few words or drop in a picture. The map then shows where on Earth is like it, and here stand
the places that are closest.</p></div>"""

explore(waiting.chosen_atlas())
