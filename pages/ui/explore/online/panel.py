"""The switch "Online pictures", and the pictures of the spot that was clicked, which can be queries.

The switch belongs to one open page: no link holds it, so that nobody's click on a link makes a server ask others.
Points of links, of examples and of poster mode are looked at when a button is pressed, not before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui import atlas_scale
from pages.ui.explore import composer, uploads
from pages.ui.explore.online import words
from pages.ui.formatting import coordinates, literal, title
from pages.ui.overlays import overlay_url
from pages.ui.services import services
from pages.ui.services.online import Look, Missing, Spot
from pages.ui.session_state import SessionValue
from pages.ui.widgets import progress
from pages.ui.widgets.templating import render
from pages.ui.widgets.upload_fields import kinds_of
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from pages.ui.explore.model import Answer
    from pages.ui.explore.session import Session
    from unigeoclip.search.explorer import Explorer
    from unigeoclip.sources.spot import SpotPicture

LABEL = "Online pictures of this spot"
CITY_REACH_M, REACH_M = 100.0, 1_000.0  # how far away a street photo may be
WIDTHS_PX = {"aerial": 150, "street": 199}  # square and 4:3; beside each other on a telephone
_SWITCH = "online-switch"


class Values:
    """What a page keeps of online pictures."""

    is_on = SessionValue("online", False)
    asked = SessionValue[Spot | None]("online-asked", None)  # by the button
    look = SessionValue[Look | None]("online-look", None)
    used = SessionValue[tuple[Any, ...]]("online-used", ())  # values of the queries that its pictures have become


values = Values()


def show(explorer: Explorer, session: Session, answer: Answer) -> None:
    """Draw the switch where the query has a point; if it is on, the pictures of that point as they arrive."""
    if not services().online.is_offered:
        return
    with st.container(key="online", gap="small"):
        spot = _spot(explorer, answer)
        if spot is None:
            return
        st.session_state[_SWITCH] = values.is_on
        manifest = explorer.atlas.manifest
        st.toggle(LABEL, key=_SWITCH, on_change=_switch, help=words.what_is_asked(manifest))
        if not values.is_on:
            return
        look = values.look
        if look is None or look.spot != spot:
            if (spot.lat, spot.lon) != session.form_point and spot != values.asked:
                st.button("Show pictures of this point", key="online-show", on_click=_ask, args=(spot,))
                return
            look = _begin(spot)
        if look is not None:
            _pictures(explorer, session, look)


def _switch() -> None:
    values.is_on = bool(st.session_state[_SWITCH])
    if not values.is_on:
        values.look = values.asked = None


def _ask(spot: Spot) -> None:
    values.asked, values.look = spot, None


def _spot(explorer: Explorer, answer: Answer) -> Spot | None:
    """The last point of the query; or the spot whose picture is queried."""
    manifest = explorer.atlas.manifest
    points = [spot for spot in answer.spots if spot.item.modality == "location"]
    if points:
        reach_m = CITY_REACH_M if atlas_scale.of(manifest).is_city else REACH_M
        return Spot(points[-1].lat, points[-1].lon, manifest.window_m, reach_m)
    look = values.look
    is_used = any(item.value == used for item in answer.items for used in values.used)
    return look.spot if is_used and look is not None else None


def _begin(spot: Spot) -> Look | None:
    """Begin to look at a spot; where that cannot be, say why."""
    try:
        values.look = services().online.look(spot, st.context.ip_address or "this machine")
    except InputError as error:
        st.caption(literal(str(error)))
        st.button("Try again", key="online-again", type="tertiary", on_click=_ask, args=(spot,))
        return None
    return values.look


def _pictures(explorer: Explorer, session: Session, look: Look) -> None:
    with st.container(horizontal=True, key="online-pictures"):
        for modality in look.parts:
            with st.container(width=WIDTHS_PX[modality], gap=None, key=f"online-{modality}"):
                part = look.part(modality)
                if part is None:
                    st.caption(f"{title(modality)}: being fetched…")
                elif isinstance(part, Missing):
                    st.caption(f"{title(modality)}: {literal(part.words)}")
                else:
                    _picture(explorer, session, part)
    if look.may_change and not look.awaited:
        st.button("Try again", key="online-again", type="tertiary", on_click=_ask, args=(look.spot,))
    if note := words.about_queries(explorer.atlas.manifest, [part for part in map(look.part, look.parts) if part]):
        st.caption(literal(note))
    if look.awaited:
        _follow(session, look)


def _picture(explorer: Explorer, session: Session, picture: SpotPicture) -> None:
    heading = title(picture.modality)
    lines = words.lines(picture)
    alt = f"{heading} of this spot: {', '.join(lines[:2])}"
    url = overlay_url(picture.preview, "webp")
    st.html(render("explore/online/templates/picture.html", url=url, alt=alt, heading=heading, lines=lines))
    if picture.modality in kinds_of(explorer.atlas.manifest):
        st.button(
            "Use as query", key=f"online-use-{picture.modality}", type="tertiary", on_click=_use,
            args=(explorer, session, picture),
        )  # fmt: skip


def _use(explorer: Explorer, session: Session, picture: SpotPicture) -> None:
    where = coordinates(picture.lat, picture.lon, atlas_scale.of(explorer.atlas.manifest).digits)
    name = f"{title(picture.modality)}, {where}"
    item = uploads.bring(session, explorer, name, picture.data, picture.modality, composer.join())
    if item is not None:
        values.used = (*values.used[-7:], item.value)


def _follow(session: Session, look: Look) -> None:
    """Rerun the page when the next picture has arrived."""

    def keep_problem() -> None:  # the visitor has done nothing: what the page says still holds
        session.problem = session.problem or session.shown_problem

    def version() -> str:
        return f"{look.begun}, {look.awaited} awaited"

    progress.follow(lambda: progress.Progress(version()), version(), "online-news", on_news=keep_problem)
