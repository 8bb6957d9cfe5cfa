"""Poster mode: the app plays its examples by itself, on a large screen, until somebody takes over.

The loop runs in the browser (``assets/web/components/poster``), which keeps time and notices touches. What comes here
is which scene is to be shown next; it becomes the page and its address, as if a visitor had followed a link.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import query_string
from pages.ui.poster.playlist import PAGES, scenes
from pages.ui.services import services
from pages.ui.widgets.components import component, stylesheet

if TYPE_CHECKING:
    from streamlit.navigation.page import StreamlitPage

    from pages.ui.poster.playlist import Scene
    from pages.ui.protocol import PosterGo, PosterProps, PosterScene

_KEY = "poster"
_AT, _WANTED = "poster-at", "poster-wanted"

_HTML = f"""
{stylesheet("components/poster/poster.css")}
<div class="ugc-poster"></div>
"""
_component = partial(component, "poster", _HTML)


def show(page: StreamlitPage) -> None:
    """Offer poster mode on a page, and follow it to the scene that it wants next.

    Args:
        page: The one that is about to run; if the scene is on another, that one runs instead.
    """
    playing = scenes(services().explorers.names())
    data: PosterProps = {
        "scenes": [_told(scene) for scene in playing],
        "at": st.session_state.get(_AT),
        "origin": services().origin(),
    }
    _component()(key=_KEY, data=data, on_go_change=_go, on_leave_change=_leave)
    wanted = st.session_state.pop(_WANTED, None)
    if wanted is not None and wanted < len(playing):
        for name in {scene.atlas for scene in playing}:
            services().explorers.opening(name)  # no later scene need wait for its atlas
        _follow(playing[wanted], page)


def _told(scene: Scene) -> PosterScene:
    """What the browser needs to know of a scene."""
    return {
        "page": scene.page,
        "atlas": scene.atlas,
        "place": scene.place,
        "title": scene.title,
        "caption": scene.caption,
        "address": scene.address,
        "site": f"{services().site}#{scene.fragment}" if services().site else "",
    }


def _go() -> None:
    value: PosterGo | None = st.session_state[_KEY].go
    if value:
        st.session_state[_AT] = st.session_state[_WANTED] = int(value["at"])


def _leave() -> None:
    query_string.leave_mode()


def _follow(scene: Scene, page: StreamlitPage) -> None:
    address = scene.parameters | {query_string.MODE: [query_string.POSTER]}
    if f"/{page.url_path}" == PAGES[scene.page]:
        query_string.open_link(address)
    else:
        st.switch_page(f"pages/{scene.page}.py", query_params=address)
