"""The app over made-up atlases, as ``app.py`` is over real ones; `serve_fake` runs it."""

import os

import streamlit as st

from pages.ui import shell
from pages.ui.http import server
from tests.app import fake

NAMES = "UNIGEOCLIP_FAKE_ATLASES"  # environment variable: names with commas between them

if __name__ != "__main__":
    names = os.environ[NAMES].split(",")
    shell.own_navigation()
    shell.stay_home()
    fake.put_titles(setattr, names)
    app = st.App(fake.ROOT / "app.py", **server.options(fake.services(names, origin=lambda: fake.ORIGIN)))
