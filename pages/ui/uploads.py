"""Uploading a picture as a query."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import links, state
from pages.ui.words import file_size, origin, title
from unigeoclip.errors import UniGeoError
from unigeoclip.geo import in_round_figures

if TYPE_CHECKING:
    from pages.ui.state import Session
    from unigeoclip.atlas.schema import Manifest
    from unigeoclip.search import Explorer

PICTURE_FILES = ["png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff"]
HEIGHT_FILES = ["tif", "tiff", "png", "npy"]


def panel(visitor: Session, explorer: Explorer, join: str) -> None:
    """Draw the upload panel; an accepted picture joins the wanted items."""
    manifest = explorer.atlas.manifest
    kinds = [name for name in manifest.modalities if name in manifest.pictures]
    kind = st.segmented_control(
        "What is it?", kinds, format_func=title, default=kinds[0], required=True, key="upload-kind"
    )
    st.caption(_wanted(manifest, kind))
    # An uploader can only be emptied by giving it a new key.
    turn = st.session_state.setdefault("upload-turn", 0)
    key = f"upload-{kind}-{turn}"
    files = HEIGHT_FILES if kind == "surface" else PICTURE_FILES
    st.file_uploader("File", type=files, key=key, on_change=_take, args=(visitor, explorer, kind, key, join))


def _wanted(manifest: Manifest, kind: str) -> str:
    """What kind of picture the model was trained on, in a sentence or two."""
    across = in_round_figures(manifest.window_m)
    wanted = {
        "street": "A photo along a street; its central 4:3 part is used.",
        "surface": f"Heights in metres, north up, about {across} across.",
    }.get(kind, f"North up, about {across} across.")
    if manifest.pictures.get(kind) == "rendered":
        things = "heights" if kind == "surface" else "pictures"
        return f"{wanted} The model was trained on {things} {origin(manifest.pictures, kind)}."
    return f"{wanted[:-1]}: what the model was trained on." if kind != "street" else wanted


def _take(visitor: Session, explorer: Explorer, kind: str, key: str, join: str) -> None:
    file = st.session_state[key]
    if file is None:
        return
    st.session_state["upload-turn"] += 1  # good or bad, the field is ready for the next
    from unigeoclip.modalities.uploads import read_upload

    try:
        decoded = read_upload(kind, file.getvalue(), explorer.input_size(kind))
    except UniGeoError as error:
        visitor.problem = f"{file.name} ({file_size(file.size)}): {error}"
        return
    visitor.remarks = decoded.notes
    state.add(visitor, links.picture(kind, decoded.array, file.name), join=join)
