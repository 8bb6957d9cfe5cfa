"""Page Explore: ask by a click, words, coordinates or a picture; see where the map is like it and what is closest."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import atlas_scale, atlas_switch, progress, query_string
from pages.ui.explore import cards, composer, display, examples, export, introduction, session, suggestions
from pages.ui.formatting import coordinates, distance, similarity
from pages.ui.map import component
from unigeoclip.errors import InputError
from unigeoclip.geo import distance_m

if TYPE_CHECKING:
    from unigeoclip.search.explorer import Explorer


def _clicked(visitor: session.Session, explorer: Explorer | None, key: str, digits: int) -> None:
    click = component.clicked(key)
    if click is None:
        return
    if click.get("by") == "place" and explorer is not None:
        try:
            place, _ = explorer.nearest_place(click["lat"], click["lng"])
        except InputError as error:
            visitor.problem = str(error)
            return
        session.add(visitor, query_string.place(place.place_id, place.name), join=composer.join())
    else:
        composer.take_point(visitor, round(click["lat"], digits), round(click["lng"], digits))


def _used(visitor: session.Session, key: str) -> None:
    used = cards.used(key)
    if used is None:
        return
    pose = used.get("pose")
    if pose:
        item = query_string.view(pose["lat"], pose["lng"], pose["heading"], used["name"])
    else:
        item = query_string.place(used["place_id"], used["name"])
    session.add(visitor, item, join=composer.join())


def _best(answer: session.Answer, digits: int) -> None:
    """The best match: how alike, where, and how far from what was asked about."""
    best, near = answer.best, html.escape(answer.best_near.name)
    origin = answer.query.origin
    away = "" if origin is None else f", {distance(float(distance_m(origin, best[:2])))} away"
    st.html(f'<p class="ugc-best">Best match <b>{similarity(best.similarity)}</b>, '
            f"{coordinates(best.lat, best.lon, digits)}{away}<br>{near}</p>")  # fmt: skip


def _follow(visitor: session.Session, explorer: Explorer) -> None:
    """Draw the page anew when what the answer lacks has been found; until then its cards show dots."""
    answer = visitor.answer
    if answer is None or not session.lacks(answer):
        return

    def keep_problem() -> None:  # nobody has done anything: what the page says still stands
        visitor.problem = visitor.problem or visitor.told

    sought = f"{visitor.revision}, sought"  # another one for every question
    progress.follow(
        lambda: progress.Progress("found" if session.seek(visitor, explorer, answer) else sought), sought,
        f"place-{explorer.atlas.name}", on_news=keep_problem,
    )  # fmt: skip


@st.fragment
def explore() -> None:
    """The page proper, a fragment: what happens here reruns nothing else."""
    head = st.container(horizontal=True, vertical_alignment="bottom", key="composer")
    with head:
        name = atlas_switch.chosen_atlas()
    opening = atlas_switch.for_atlas(name)
    if opening.atlas is None:
        return
    atlas, explorer, visitor = opening.atlas, opening.explorer, session.session(name)
    size = atlas_scale.of(atlas.manifest)
    modalities = () if explorer is None else explorer.modalities
    session.read_link(visitor, atlas.manifest.modalities)
    if explorer is not None:
        session.settle(visitor, explorer)
        session.complete(visitor)
    session.write_link(visitor)

    with head:
        composer.compose(visitor, atlas.manifest, explorer)
    composer.problem(visitor)
    with st.container(horizontal=True, vertical_alignment="center", key="asked"):
        composer.chips(visitor, atlas.manifest)
        if visitor.answer is not None:
            display.offer(visitor, modalities)
            if explorer is not None:
                export.offer(explorer, visitor)
    suggestions.attach(atlas)
    left, right = st.columns([size.map_share, 1], gap="medium")
    # Each atlas has a map and cards of its own: nothing of one is left when the other is shown.
    map_key, cards_key = f"map-{name}", f"cards-{name}"
    with left:
        answer, how = visitor.answer, visitor.display
        drawn = None if answer is None or explorer is None else display.draw(explorer, answer, how)
        pane = component.answer_pane(answer, size, drawn, how)
        component.show(
            atlas, [pane], nonce=visitor.revision, key=map_key, ask_by=True,
            on_click=lambda: _clicked(visitor, explorer, map_key, size.click_digits),
        )  # fmt: skip
    with right, st.container(key="results"):
        if explorer is None:
            if opening.error is None:
                atlas_switch.for_explorer(opening, asked=bool(visitor.wanted))
        elif visitor.answer is None:
            introduction.show(size.where, asked=False)
            examples.tiles(atlas, lambda example: composer.take_example(visitor, example))
        else:
            introduction.show(size.where, asked=True)
            composer.notes(visitor)
            _best(visitor.answer, size.best_digits)
            cards.show(explorer, visitor.answer, key=cards_key, on_use=lambda: _used(visitor, cards_key))
            if visitor.count < session.MOST_MATCHES:
                st.button("Show more", key="more", type="tertiary", on_click=session.more, args=(visitor,))
    if explorer is not None:
        _follow(visitor, explorer)


explore()
