"""Uploading a picture as a query."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui import query_string
from pages.ui.explore import session
from pages.ui.formatting import file_size, origin, title
from unigeoclip.errors import UniGeoError
from unigeoclip.geo import in_round_figures

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pages.ui.explore.session import Session
    from unigeoclip.atlas.schema import Manifest
    from unigeoclip.search.explorer import Explorer, QueryItem

PICTURE_FILES = ["png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff"]
HEIGHT_FILES = ["tif", "tiff", "png", "npy"]
GUESS = "guess"
PREVIEW_PX = 224


@dataclass(frozen=True, eq=False)
class Upload:
    """The file last brought: it is shown, and can be read as something else.

    Attributes:
        name: Of the file.
        data: Its content.
        kind: The modality it was read as.
        item: The query item made of it.
        array: What the model sees of it, see ``uploads.Decoded``.
    """

    name: str
    data: bytes
    kind: str
    item: QueryItem
    array: NDArray[Any]


def chooser(manifest: Manifest, key: str) -> str:
    """Ask what kind of picture it will be; by itself it is guessed. Returns `GUESS` or a modality."""
    kinds = [GUESS, *kinds_of(manifest)]
    chosen: str = st.segmented_control(
        "What is it?", kinds, format_func=lambda kind: "Guess" if kind == GUESS else title(kind), default=GUESS,
        required=True, key=key,
    )  # fmt: skip
    return chosen


def kinds_of(manifest: Manifest) -> list[str]:
    """Modalities that an upload can be of."""
    return [name for name in manifest.modalities if name in manifest.pictures]


def kind_of(chosen: str, data: bytes, manifest: Manifest) -> str:
    """The modality chosen, or the one that the file looks like."""
    from unigeoclip.uploads import guess_modality

    return guess_modality(data, kinds_of(manifest)) if chosen == GUESS else chosen


def files_of(kind: str) -> list[str]:
    """Endings of files that may be brought."""
    if kind == GUESS:
        return list(dict.fromkeys([*PICTURE_FILES, *HEIGHT_FILES]))
    return HEIGHT_FILES if kind == "surface" else PICTURE_FILES


def panel(visitor: Session, explorer: Explorer, join: str) -> None:
    """Draw the upload panel; an accepted picture joins the wanted items and is shown here."""
    manifest = explorer.atlas.manifest
    kind = chooser(manifest, "upload-kind")
    st.caption(_guessed(manifest) if kind == GUESS else _wanted(manifest, kind))
    # An uploader can only be emptied by giving it a new key.
    turn = st.session_state.setdefault("upload-turn", 0)
    key = f"upload-{kind}-{turn}"
    st.file_uploader("File", type=files_of(kind), key=key, on_change=_take, args=(visitor, explorer, kind, key, join))
    if visitor.upload is not None and visitor.upload.item in visitor.wanted:
        _preview(visitor, explorer, visitor.upload)


def _preview(visitor: Session, explorer: Explorer, upload: Upload) -> None:
    """What the model sees of the file, and what it was taken for; another choice asks anew."""
    manifest = explorer.atlas.manifest
    if upload.array.shape[0] == 3:
        st.image(upload.array.transpose(1, 2, 0), width=PREVIEW_PX, caption=f"What the model sees of {upload.name}")
    st.session_state["read-as"] = upload.kind
    st.segmented_control(
        "Read as", kinds_of(manifest), format_func=title, required=True, key="read-as", on_change=_read_as,
        args=(visitor, explorer, upload),
    )  # fmt: skip
    st.caption(_wanted(manifest, upload.kind))


def _read_as(visitor: Session, explorer: Explorer, upload: Upload) -> None:
    read = _read(visitor, explorer, upload.name, upload.data, st.session_state["read-as"])
    if read is not None:
        at = visitor.wanted.index(upload.item)
        weighted = replace(read.item, weight=upload.item.weight)
        visitor.upload = replace(read, item=weighted)
        session.start(visitor, (*visitor.wanted[:at], weighted, *visitor.wanted[at + 1 :]))


def _guessed(manifest: Manifest) -> str:
    """How a file is told apart."""
    photo = "a photo for a street view, " if "street" in manifest.pictures else ""
    words = f"A square picture is taken for one from above, {photo}heights for a surface model."
    return f"{words} {_wanted(manifest, kinds_of(manifest)[0])}"


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


def _take(visitor: Session, explorer: Explorer, chosen: str, key: str, join: str) -> None:
    file = st.session_state[key]
    if file is None:
        return
    st.session_state["upload-turn"] += 1  # good or bad, the field is ready for the next
    data = file.getvalue()
    read = _read(visitor, explorer, file.name, data, kind_of(chosen, data, explorer.atlas.manifest))
    if read is not None:
        session.add(visitor, read.item, join=join)
        visitor.upload = replace(read, item=visitor.wanted[-1])


def _read(visitor: Session, explorer: Explorer, name: str, data: bytes, kind: str) -> Upload | None:
    """Read a file as a modality; None, and the visitor is told why, if it cannot be."""
    from unigeoclip.uploads import read_upload

    try:
        decoded = read_upload(kind, data, explorer.input_size(kind))
        # Packed at once, so that a link to this query asks the very same.
        item = explorer.packed(query_string.picture(kind, decoded.array, name))
    except UniGeoError as error:
        visitor.problem = f"{name} ({file_size(len(data))}): {error}"
        return None
    visitor.remarks = decoded.notes
    return Upload(name, data, kind, item, decoded.array)
