"""The app over a small atlas of `tests.explorable`, for what made-up explorers cannot answer: it has a model.

Streamlit runs it; the environment variable ``UNIGEOCLIP_SMALL_ATLAS`` names the folder of the atlas.
"""

import os
from pathlib import Path

import pytest
import streamlit as st

from pages.ui import shell
from pages.ui.http import server
from pages.ui.services.explorers import Explorers
from pages.ui.services.priority import Priority
from tests.app import fake
from tests.explorable import use_hashed_sentences
from unigeoclip.atlas import load_atlas

if __name__ != "__main__":
    folder = Path(os.environ["UNIGEOCLIP_SMALL_ATLAS"])
    use_hashed_sentences(pytest.MonkeyPatch())
    shell.own_navigation()
    shell.stay_home()
    fake.put_titles(setattr, [folder.name])
    explorers = Explorers(Priority(), list_atlases=lambda: [folder.name], load_atlas=lambda _: load_atlas(folder))
    made = fake.services((folder.name,), explorers=explorers)
    app = st.App(fake.ROOT / "app.py", **server.options(made))
