"""Progress of what is being done: the browser asks for it from time to time, and reruns the page when there is more.

A run of the page that waited would let no click through. A fragment that Streamlit repeats would leave on the page what
is gone from it, whenever one of its runs follows another run at once.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.http.urls import urls
from pages.ui.services import services
from pages.ui.services.topics import Progress, Topic
from pages.ui.widgets.components import component, stylesheet

if TYPE_CHECKING:
    from collections.abc import Callable

    from pages.ui.protocol import ProgressProps

__all__ = ["Progress", "follow"]

_HTML = stylesheet("components/progress/progress.css") + '<div class="ugc-progress"></div>'
_component = partial(component, "progress", _HTML)


def follow(
    report: Callable[[], Progress],
    seen: str,
    key: str,
    *,
    on_news: Callable[[], None] | None = None,
    time_left: bool = False,
) -> None:
    """Show how far something is, and rerun the page when there is more of it to see.

    Args:
        report: Returns the progress; called on the server's event loop, so it must not block.
        seen: The version that the page shows.
        key: The component's own.
        on_news: Called in the run that is caused.
        time_left: Whether to say how long it will take.
    """
    topics: dict[str, Topic] = st.session_state.setdefault("progress-topics", {})
    topic = topics.setdefault(key, Topic(report))
    topic.report = report
    services().topics.add(topic)
    data: ProgressProps = {
        "url": urls.progress(topic.name),
        "seen": seen,
        "time_left": time_left,
        "progress": report().props(),
    }
    _component()(key=key, data=data, on_update_change=on_news or (lambda: None))
