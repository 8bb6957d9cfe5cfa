"""The app over made-up atlases, whose queries wait while a file is there, and which writes a file without end."""

import os
import threading
import time
from pathlib import Path

import streamlit as st

from pages.ui import shell
from pages.ui.http import server
from pages.ui.services.explorers import Explorers
from pages.ui.services.priority import Priority
from tests.app import fake
from unigeoclip.files.atomic import atomic

WAIT, WRITE = "SLOW_APP_WAITS_FOR", "SLOW_APP_WRITES"  # environment variables: paths


def open_slow(atlas, progress):
    explorer = fake.open_explorer(atlas, progress)
    query = explorer.query

    def wait(items, **scope):
        while Path(os.environ[WAIT]).exists():
            time.sleep(0.01)
        return query(items, **scope)

    explorer.query = wait
    return explorer


def write_without_end():
    with atomic(os.environ[WRITE]):
        threading.Event().wait()


if __name__ != "__main__" and WAIT in os.environ:  # not for the test, which imports the names
    atlases = fake.atlases(["world"])
    shell.own_navigation()
    shell.stay_home()
    fake.put_titles(setattr, ["world"])
    explorers = Explorers(
        Priority(), list_atlases=lambda: ["world"], load_atlas=atlases.__getitem__, open_explorer=open_slow
    )
    threading.Thread(target=write_without_end, daemon=True).start()
    app = st.App(fake.ROOT / "app.py", **server.options(fake.services(["world"], explorers=explorers)))
