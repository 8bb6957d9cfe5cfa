"""Buttons for downloads; a file is made when its button is pressed, and not before."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from collections.abc import Callable


def button(label: str, make: Callable[..., bytes], *arguments: Any, file: str) -> None:
    """A button that downloads ``make(*arguments)`` under the name ``file``, and changes nothing on the page."""
    st.download_button(label, partial(make, *arguments), file_name=file, on_click="ignore", key=f"take-{label}")
