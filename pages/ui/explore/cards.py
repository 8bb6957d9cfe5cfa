"""Result cards: a strip for each modality, as a Streamlit component; the browser only reports "Use as query"."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import atlas_scale
from pages.ui.formatting import coordinates, distance, facing, origin, similarity, street_origin, title
from pages.ui.http.urls import urls
from pages.ui.widgets.components import component, stylesheet
from unigeoclip.atlas.schema import credits_of
from unigeoclip.search.composing.rocchio import DOWN, UP, vote_of
from unigeoclip.search.query_items import GalleryItem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pages.ui.explore.model import Answer
    from pages.ui.protocol import Camera, Card, CardGroup, CardsProps, CardUse, CardVote, Outlook
    from unigeoclip.atlas import Atlas
    from unigeoclip.search.explorer import Explorer, Match

_HTML = f"""
{stylesheet("components/cards/cards.css")}
{stylesheet("components/street/viewer.css")}
<div class="ugc-cards"></div>
<dialog class="ugc-viewer"></dialog>
"""
_component = partial(component, "cards", _HTML)


def show(
    explorer: Explorer,
    answer: Answer,
    *,
    key: str,
    on_use: Callable[[CardUse], None],
    on_vote: Callable[[CardVote], None],
) -> None:
    """Draw the cards of an answer.

    Args:
        explorer: Whose answer it is.
        answer: What the cards show.
        key: The component's own, one for each atlas.
        on_use: Called with what "Use as query" was pressed on, in the run that this causes.
        on_vote: The same of a thumb.
    """

    def used() -> None:
        value: CardUse | None = getattr(st.session_state.get(key), "use", None)
        if value:
            on_use(value)

    def voted() -> None:
        value: CardVote | None = getattr(st.session_state.get(key), "vote", None)
        if value:
            on_vote(value)

    data: CardsProps = {"groups": groups(explorer, answer), "outlooks": outlooks(explorer, answer)}
    _component()(key=key, data=data, on_use_change=used, on_vote_change=voted)


def groups(explorer: Explorer, answer: Answer) -> list[CardGroup]:
    """Cards of an answer, by modality in the order of the atlas's manifest."""
    atlas = explorer.atlas
    order = [name for name in atlas.manifest.modalities if answer.matches.get(name)]
    by_modality: list[CardGroup] = [
        {
            "title": title(name),
            "note": _origin_and_credit(atlas, name),
            "cards": [_votable(_card(explorer, name, match), match, answer) for match in answer.matches[name]],
        }
        for name in sorted(order, key=lambda name: name == "location")  # pictures first, bare points last
    ]
    return [*_here(explorer, answer), *by_modality]


def _origin_and_credit(atlas: Atlas, modality: str) -> str:
    """How the pictures of a modality came about, and whose they are."""
    parts = (origin(atlas.manifest, modality), *credits_of(atlas.manifest, modality))
    return " · ".join(part for part in parts if part)


def _here(explorer: Explorer, answer: Answer) -> list[CardGroup]:
    """The place that was queried, in all its modalities."""
    here = [(name, answer.here[name]) for name in explorer.atlas.manifest.modalities if name in answer.here]
    if not here:
        return []
    cards: list[Card] = [
        {**_card(explorer, name, match), "id": f"here-{name}", "kind": title(name)} for name, match in here
        if name != "location"
    ]  # fmt: skip
    nearest = here[0][1]
    away = distance(nearest.distance_m) if nearest.distance_m else ""
    note = f"{nearest.name}, {away} from your point" if away else nearest.name
    if lacking := [title(name).lower() for name in explorer.modalities if name not in answer.here]:
        note += f" · no {' and no '.join(lacking)} here"
    return [{"title": "This place", "note": note, "cards": cards}]


def _card(explorer: Explorer, modality: str, match: Match) -> Card:
    atlas: Atlas = explorer.atlas
    where = coordinates(match.lat, match.lon, atlas_scale.of(atlas.manifest).digits)
    card: Card = {
        "id": f"{modality}-{match.place_id}",
        "place_id": match.place_id,
        "modality": modality,
        "name": match.name,
        "lat": match.lat,
        "lng": match.lon,
        "similarity": similarity(match.similarity),
        "distance": distance(match.distance_m),
    }
    kind = explorer.pictured(match)
    if modality == "text":
        card["text"] = " · ".join(_telling(explorer.captions(match))) or where
    elif kind == "street":
        heading = match.heading_deg or 0.0
        card = {**card, **_camera(explorer, match.lat, match.lon, heading)}
        card["picture"] = urls.street(atlas, match.lat, match.lon, heading)
        card["alt"] = f"{title(kind)}: {match.name}, looking {facing(heading)}"
    elif kind:
        picture = urls.picture(atlas, kind, match.lat, match.lon)
        card["picture"], card["alt"] = picture, f"{title(kind)}: {match.name}"
        if kind == "surface":
            card["heights"] = urls.heights(atlas, match.lat, match.lon)
    else:
        card["text"] = where
    return card


def _votable(card: Card, match: Match, answer: Answer) -> Card:
    """A card with its thumbs, pressed or not."""
    vote = vote_of(answer.items, GalleryItem(match.modality, match.place_id, match.window))
    return {**card, "window": match.window, "vote": "up" if vote == UP else "down" if vote == DOWN else ""}


def outlooks(explorer: Explorer, answer: Answer) -> list[Outlook]:
    """Where one may look around besides the cards: at the points of the query, and at the best match."""
    if explorer.streets is None:
        return []
    spots = [(_SPOTS.get(spot.item.modality, "your point"), spot.lat, spot.lon) for spot in answer.spots]
    named = dict.fromkeys([*spots, ("the best match", answer.best.lat, answer.best.lon)])
    cameras: list[Outlook] = []
    for label, lat, lon in named:
        camera = explorer.streets.nearest(lat, lon)
        looking = _camera(explorer, camera.lat, camera.lon, camera.heading_deg)
        cameras.append({**looking, "label": label, "name": camera.street or f"Near {label}"})
    return cameras


_SPOTS = {"place": "your place", "view": "your view"}


def _camera(explorer: Explorer, lat: float, lon: float, heading_deg: float) -> Camera:
    """A camera, and where the viewer gets its pictures and its next steps."""
    atlas = explorer.atlas
    streets = explorer.streets
    turns = streets is not None and streets.is_rendered
    said = {} if streets is None else streets.photo_of(lat, lon, heading_deg)
    return {
        "pose": {"lat": lat, "lng": lon, "heading": heading_deg},
        "views": urls.street_templates(atlas),
        "turns": turns,
        "origin": street_origin(atlas.manifest, said),
    }


def _telling(captions: Sequence[tuple[str, str]]) -> list[str]:
    """Sentences in the order in which they tell most: the longest of each kind, then the others."""
    first: dict[str, str] = {}
    for kind, text in captions:
        first[kind] = max(first.get(kind, ""), text, key=len)
    return list(dict.fromkeys([*first.values(), *(text for _, text in captions)]))
