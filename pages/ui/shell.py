"""What surrounds every page: title, navigation, type and colours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.navigation.page import StreamlitPage

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "assets" / "web"
PRODUCT = "UniGeoCLIP Explorer"


def dress() -> None:
    """Set title, layout and theme; the first call of every run."""
    st.set_page_config(page_title=PRODUCT, page_icon=str(WEB / "icon.svg"), layout="wide")
    st.logo(str(WEB / "logo.svg"), size="large")
    st.html(WEB / "theme.css")


def pages() -> list[StreamlitPage]:
    """The pages in the order of the navigation; a new page is one file and one line here."""
    return [
        st.Page("pages/explore.py", title="Explore", default=True),
        st.Page("pages/atlas.py", title="Atlas"),
    ]
