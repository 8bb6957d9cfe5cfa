"""Uploading an image as a query."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import query_string
from pages.ui.explore.model import Upload
from pages.ui.explore.session import Widgets, widgets
from pages.ui.formatting import file_size, origin, title
from pages.ui.widgets.upload_fields import GUESS, chooser, files_of, kind_of, kinds_of
from unigeoclip.errors import UniGeoError
from unigeoclip.geo import in_round_figures

if TYPE_CHECKING:
    from pages.ui.explore.session import Session
    from unigeoclip.atlas.schema import Manifest
    from unigeoclip.search.explorer import Explorer, QueryItem

PREVIEW_PX = 224


def panel(session: Session, explorer: Explorer, join: str) -> None:
    """Draw the upload panel; an accepted image joins the pending items and is shown here."""
    manifest = explorer.atlas.manifest
    kind = chooser(manifest, "upload-kind")
    st.caption(_guessed(manifest) if kind == GUESS else _wanted(manifest, kind))
    key = f"upload-{kind}-{widgets.upload_turn}"
    st.file_uploader("File", type=files_of(kind), key=key, on_change=_take, args=(session, explorer, kind, key, join))
    if session.upload is not None and session.upload.item in session.pending:
        _preview(session, explorer, session.upload)


def _preview(session: Session, explorer: Explorer, upload: Upload) -> None:
    """The file as the model sees it, and the modality it was read as; another choice queries again."""
    manifest = explorer.atlas.manifest
    if upload.array.shape[0] == 3:
        st.image(upload.array.transpose(1, 2, 0), width=PREVIEW_PX, caption=f"{upload.name} as the model sees it")
    widgets.read_as = upload.kind
    st.segmented_control(
        "Read as", kinds_of(manifest), format_func=title, required=True, key=Widgets.read_as.key, on_change=_read_as,
        args=(session, explorer, upload),
    )  # fmt: skip
    st.caption(_wanted(manifest, upload.kind))


def _read_as(session: Session, explorer: Explorer, upload: Upload) -> None:
    read = _read(session, explorer, upload.name, upload.data, widgets.read_as)
    if read is not None:
        at = session.pending.index(upload.item)
        weighted = replace(read.item, weight=upload.item.weight)
        session.upload = replace(read, item=weighted)
        session.start((*session.pending[:at], weighted, *session.pending[at + 1 :]))


def _guessed(manifest: Manifest) -> str:
    """How the modality of a file is detected."""
    photo = "a photo as a street view, " if "street" in manifest.pictures else ""
    words = f"A square image is read as an aerial image, {photo}heights as a surface model."
    return f"{words} {_wanted(manifest, kinds_of(manifest)[0])}"


def _wanted(manifest: Manifest, kind: str) -> str:
    """What kind of picture the model was trained on, in a sentence or two."""
    across = in_round_figures(manifest.window_m)
    wanted = {
        "street": "A photo along a street; its central 4:3 part is used.",
        "surface": f"Heights in meters, north up, about {across} across.",
    }.get(kind, f"North up, about {across} across.")
    if manifest.pictures.get(kind) == "rendered":
        things = "heights" if kind == "surface" else "pictures"
        return f"{wanted} The model was trained on {things} {origin(manifest, kind)}."
    return f"{wanted[:-1]}: what the model was trained on." if kind != "street" else wanted


def _take(session: Session, explorer: Explorer, chosen: str, key: str, join: str) -> None:
    file = st.session_state[key]
    if file is None:
        return
    widgets.upload_turn += 1  # good or bad, the field is ready for the next
    data = file.getvalue()
    bring(session, explorer, file.name, data, kind_of(chosen, data, explorer.atlas.manifest), join)


def bring(session: Session, explorer: Explorer, name: str, data: bytes, kind: str, join: str) -> QueryItem | None:
    """Join a picture to the pending items as one of a modality.

    Args:
        session: The visitor's; it says why, if the picture cannot be read.
        explorer: Whose model reads it.
        name: Of the picture.
        data: Content of its file.
        kind: The modality.
        join: See `Session.add`.

    Returns:
        The item, without its weight in a query; None if there is none.
    """
    read = _read(session, explorer, name, data, kind)
    if read is None:
        return None
    session.add(read.item, join=join)
    session.upload = replace(read, item=session.pending[-1])
    return read.item


def _read(session: Session, explorer: Explorer, name: str, data: bytes, kind: str) -> Upload | None:
    """Read a file as a modality; None if it cannot be read, and the session says why."""
    from unigeoclip.uploads import read_upload

    try:
        decoded = read_upload(kind, data, explorer.input_size(kind))
        # Packed at once, so that a link to this query asks the very same.
        item = explorer.packed(query_string.picture(kind, decoded.array, name))
    except UniGeoError as error:
        session.problem = f"{name} ({file_size(len(data))}): {error}"
        return None
    session.remarks = decoded.notes
    return Upload(name, data, kind, item, decoded.array)
