"""Popovers whose content is created when they are opened, so that closed ones do not slow down every click."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def popover(label: str, *, key: str, **look: Any) -> Iterator[bool]:
    """A popover as a context; skip its content while it is closed.

    Args:
        label: Of its button.
        key: Of its state (open or closed) in the session.
        look: Further options of ``streamlit.popover``.

    Yields:
        Whether it is open.
    """
    container = st.popover(label, key=key, on_change="rerun", **look)
    with container:
        yield bool(container.open)
