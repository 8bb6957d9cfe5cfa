"""Result cards: one strip per modality, as a Streamlit component; "Use as query" comes back, the rest stays there."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui import routes
from pages.ui.words import coordinates, distance, similarity, title

if TYPE_CHECKING:
    from collections.abc import Callable

    from pages.ui.state import Answer
    from unigeoclip.atlas import Atlas
    from unigeoclip.search import Explorer, Match

ORIGINS = {
    "photographed": "photographed",
    "measured": "measured",
    "rendered": "rendered from OpenStreetMap",
}

_LOADER = """
let cards;
export default async function (component) {
  cards ??= await import(new URL("/web/cards.js", window.location.origin).href);
  return cards.render(component);
}
"""
_HTML = '<link rel="stylesheet" href="/web/cards.css"><div class="ugc-cards"></div>'


@cache
def _component() -> Any:
    return st.components.v2.component("unigeoclip_cards", html=_HTML, js=_LOADER, isolate_styles=False)


def show(groups: list[dict[str, Any]], *, key: str, on_use: Callable[[], None]) -> None:
    """Draw the cards; "Use as query" calls ``on_use``, which finds the card by `used`."""
    _component()(key=key, data={"groups": groups}, on_use_change=on_use)


def used(key: str) -> dict[str, Any] | None:
    """The card that caused this run: {"place_id", "modality", "name"}."""
    value = getattr(st.session_state.get(key), "use", None)
    return dict(value) if value else None


def groups(explorer: Explorer, answer: Answer) -> list[dict[str, Any]]:
    """Cards of an answer, by modality in the order of the atlas's manifest."""
    atlas = explorer.atlas
    order = [name for name in atlas.manifest.modalities if answer.matches.get(name)]
    return [
        {
            "title": title(name),
            "note": ORIGINS.get(atlas.manifest.pictures.get(name, ""), ""),
            "cards": [_card(explorer, name, match) for match in answer.matches[name]],
        }
        for name in sorted(order, key=lambda name: name == "location")  # pictures first, bare points last
    ]


def _card(explorer: Explorer, modality: str, match: Match) -> dict[str, Any]:
    atlas: Atlas = explorer.atlas
    card = {
        "id": f"{modality}-{match.place_id}",
        "place_id": match.place_id,
        "modality": modality,
        "name": match.name,
        "lat": match.lat,
        "lng": match.lon,
        "similarity": similarity(match.similarity),
        "distance": distance(match.distance_m),
    }
    if modality in atlas.manifest.pictures:
        picture = routes.picture_url(atlas, modality, match.lat, match.lon)
        card |= {"picture": picture, "alt": f"{title(modality)}: {match.name}"}
    elif modality == "text":
        card["text"] = " · ".join(text for _, text in explorer.place(match.place_id).captions)
    else:
        card["text"] = coordinates(match.lat, match.lon)
    return card
