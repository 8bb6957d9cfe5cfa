"""Popovers whose content is made when they are opened: what nobody looks at costs nothing at every click."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def popover(label: str, *, key: str, **look: Any) -> Iterator[bool]:
    """A popover; what is drawn in the context is drawn into it, and there is no need to where it is closed.

    Args:
        label: Of its button.
        key: Its name in the session's state, which says whether it is open.
        look: As ``streamlit.popover`` takes it.

    Yields:
        Whether it is open.
    """
    container = st.popover(label, key=key, on_change="rerun", **look)
    with container:
        yield bool(container.open)
