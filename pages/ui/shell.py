"""What surrounds every page: title, navigation, type and colours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.network import machine_address

if TYPE_CHECKING:
    from streamlit.navigation.page import StreamlitPage

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "assets" / "web"
PRODUCT = "UniGeoCLIP Explorer"
# Address, file and title of each page; a new one is one file and one line here.
_PAGES = (
    ("/", "pages/explore.py", "Explore"),
    ("/compare", "pages/compare.py", "Compare"),
    ("/modalities", "pages/modalities.py", "Modalities"),
    ("/probe", "pages/probe.py", "Probe"),
    ("/atlas", "pages/atlas.py", "Atlas"),
)
PATHS = tuple(path for path, _, _ in _PAGES)


def dress() -> None:
    """Set title, layout and theme; the first call of every run."""
    st.set_page_config(page_title=PRODUCT, page_icon=str(WEB / "icon.svg"), layout="wide")
    st.logo(str(WEB / "logo.svg"), size="large")
    st.html(WEB / "theme.css")


def own_navigation() -> None:
    """Tell Streamlit that the folder ``pages`` is ours before anybody comes.

    It would else take the folder for its older kind of navigation until the script has run once, and show a first
    visitor who followed a link to a page that page alone, undressed.
    """
    from streamlit.runtime.pages_manager import PagesManager

    PagesManager.uses_pages_directory = False


def stay_home() -> None:
    """Keep Streamlit from asking the internet for this machine's address.

    It would at its start, and again whenever a page of another site tries to connect, in order to compare that site's
    address: a stranger could so have the server wait for the network, during which it answers nobody.
    """
    from streamlit import net_util

    net_util.get_external_ip = lambda: None
    net_util.get_internal_ip = lambda: machine_address() or "127.0.0.1"


def pages() -> list[StreamlitPage]:
    """The pages in the order of the navigation."""
    return [st.Page(file, title=title, default=path == "/") for path, file, title in _PAGES]
