"""News of what is on its way: the browser asks for them from time to time, and has the page drawn anew when there are.

A run of the page that waited would let no click through. A fragment that Streamlit repeats would leave on the page what
is gone from it, whenever one of its runs follows another run at once.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

import streamlit as st
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pages.ui.components import component
from pages.ui.http.responses import NotFoundError, at_once

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from pages.ui.protocol import Progress, ProgressProps

_HTML = '<link rel="stylesheet" href="/web/components/progress/progress.css"><div class="ugc-progress"></div>'
_component = partial(component, "progress", _HTML)


@dataclass(frozen=True)
class News:
    """How far something is.

    Attributes:
        version: Changes when there is more to see.
        words: What is being done, beside a bar; empty for no bar.
        share: How much of it is done, 0 to 1.
    """

    version: str
    words: str = ""
    share: float = 0.0


@dataclass(eq=False)
class _Topic:
    """What one visitor follows; it is gone with the visitor's session."""

    tell: Callable[[], News]
    name: str = field(default_factory=lambda: secrets.token_urlsafe(12))


_topics: WeakValueDictionary[str, _Topic] = WeakValueDictionary()


def follow(
    tell: Callable[[], News], seen: str, key: str, *, on_news: Callable[[], None] | None = None, time_left: bool = False
) -> None:
    """Show how far something is, and draw the page anew when there is more of it to see.

    Args:
        tell: Gives the news; called by the server itself, which nothing may hold up.
        seen: The version that the page shows.
        key: The component's own.
        on_news: Called in the run that draws the page anew.
        time_left: Whether to say how long it will take.
    """
    topics: dict[str, _Topic] = st.session_state.setdefault("news", {})
    topic = topics.setdefault(key, _Topic(tell))
    topic.tell = tell
    _topics[topic.name] = topic
    data: ProgressProps = {
        "url": f"/data/news/{topic.name}",
        "seen": seen,
        "time_left": time_left,
        "progress": _told(tell()),
    }
    _component()(key=key, data=data, on_update_change=on_news or (lambda: None))


def _told(news: News) -> Progress:
    return {"version": news.version, "words": news.words, "share": news.share}


def _news(request: Request) -> Response:
    topic = _topics.get(request.path_params["name"])
    if topic is None:
        raise NotFoundError("Nothing of that name is on its way any more; reload the page.")
    return JSONResponse(_told(topic.tell()), headers={"Cache-Control": "no-store"})


ROUTE = Route("/data/news/{name}", at_once(_news))
