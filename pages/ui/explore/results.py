"""The answer beside the map of page Explore, and what clicks on map and cards add to the query."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import query_string
from pages.ui.explore import cards, composer, description
from pages.ui.explore.composing import controls
from pages.ui.explore.online import panel as online
from pages.ui.formatting import coordinates, distance, similarity, title
from pages.ui.view_options import MOST_MATCHES
from pages.ui.widgets import progress
from pages.ui.widgets.templating import render
from unigeoclip.errors import InputError
from unigeoclip.geo import distance_m

if TYPE_CHECKING:
    from pages.ui.atlas_scale import Scale
    from pages.ui.explore.model import Answer
    from pages.ui.explore.session import Session
    from pages.ui.protocol import CardUse, MapClick
    from unigeoclip.search.explorer import Explorer


def show(explorer: Explorer, session: Session, answer: Answer, size: Scale) -> None:
    """Draw the notes, the best match and the result cards of an answer."""
    composer.notes(session)
    if session.hides_results:
        st.button("Show the closest anyway", key="closest-anyway", on_click=session.show_closest)
        online.show(explorer, session, answer)
        return
    st.html(_best(answer, size.best_digits))
    description.show(answer.description)
    online.show(explorer, session, answer)
    _scarce(answer)
    cards.show(
        explorer, answer, key=f"cards-{session.atlas}", on_use=lambda card: use_card(session, card),
        on_vote=lambda vote: controls.vote(session, vote),
    )  # fmt: skip
    if session.count < MOST_MATCHES and any(len(found) == answer.count for found in answer.matches.values()):
        st.button("Show more", key="more", type="tertiary", on_click=session.show_more)


def _scarce(answer: Answer) -> None:
    """Say of which modalities an area holds fewer places than are shown of each."""
    if answer.scope.area is None:
        return
    if not any(answer.matches.values()):
        st.info("No place with samples lies in the area. The heatmap shows what in it is like your query.")
    elif few := [
        f"{title(name)} ({len(found)})" for name, found in answer.matches.items() if len(found) < answer.count
    ]:
        st.caption(f"Fewer than {answer.count} in the area: {', '.join(few)}.")


def _best(answer: Answer, digits: int) -> str:
    """The best match: its similarity, where it is, and how far from the query."""
    best, origin = answer.best, answer.query.origin
    return render(
        "explore/templates/best.html",
        similarity=similarity(best.similarity),
        position=coordinates(best.lat, best.lon, digits),
        distance="" if origin is None else distance(float(distance_m(origin, best[:2]))),
        near=answer.best_near.name,
    )


def use_click(session: Session, explorer: Explorer | None, click: MapClick, digits: int) -> None:
    """Query the point that was clicked, or the full place nearest to it."""
    if click["by"] == "point" or explorer is None:
        composer.take_point(session, round(click["lat"], digits), round(click["lng"], digits))
        return
    try:
        place, _ = explorer.nearest_place(click["lat"], click["lng"])
    except InputError as error:
        session.problem = str(error)
        return
    session.add(query_string.place(place.place_id, place.name), join=composer.join())


def use_card(session: Session, card: CardUse) -> None:
    """Query what a card shows: a place, or a camera in the street viewer."""
    pose = card.get("pose")
    if pose:
        item = query_string.view(pose["lat"], pose["lng"], pose["heading"], card["name"])
    else:
        item = query_string.place(card["place_id"], card["name"])
    session.add(item, join=composer.join())


def complete(session: Session, explorer: Explorer) -> None:
    """Rerun the page when what is missing of the answer has been computed; until then its cards show dots."""
    answer = session.answer
    if answer is None or not answer.missing:
        return

    def keep_problem() -> None:  # the visitor has done nothing: what the page says still holds
        session.problem = session.problem or session.shown_problem

    waiting = f"{session.revision}, waiting"  # another one for every query
    progress.follow(
        lambda: progress.Progress("complete" if session.autocomplete(explorer, answer) else waiting), waiting,
        f"place-{explorer.atlas.name}", on_news=keep_problem,
    )  # fmt: skip
