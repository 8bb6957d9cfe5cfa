"""The app over made-up atlases, as ``app.py`` is over real ones; `serve_fake` runs it."""

import os

import streamlit as st

from pages.ui import shell
from pages.ui.http import server
from pages.ui.services.priority import Priority
from pages.ui.services.probe import ProbeService
from tests.app import fake, fake_probe

NAMES = "UNIGEOCLIP_FAKE_ATLASES"  # environment variable: names with commas between them

if __name__ != "__main__":
    names = os.environ[NAMES].split(",")
    shell.own_navigation()
    shell.stay_home()
    fake.put_titles(setattr, names)
    probe = ProbeService(Priority(), library=fake_probe.ReadingLibrary())
    made = fake.services(names, origin=lambda: fake.ORIGIN, probe=probe)
    app = st.App(fake.ROOT / "app.py", **server.options(made))
