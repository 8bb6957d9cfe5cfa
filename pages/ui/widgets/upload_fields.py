"""What the fields for uploads of pages Explore and Compare have in common: kinds of pictures, and their files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.formatting import title

if TYPE_CHECKING:
    from unigeoclip.atlas.schema import Manifest

PICTURE_FILES = ["png", "jpg", "jpeg", "webp", "gif", "bmp", "tif", "tiff"]
HEIGHT_FILES = ["tif", "tiff", "png", "npy"]
GUESS = "guess"


def chooser(manifest: Manifest, key: str) -> str:
    """Ask for the modality of the image; by default it is detected. Returns `GUESS` or a modality."""
    kinds = [GUESS, *kinds_of(manifest)]
    chosen: str = st.segmented_control(
        "Modality", kinds, format_func=lambda kind: "Detect" if kind == GUESS else title(kind), default=GUESS,
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
    """Accepted file extensions."""
    if kind == GUESS:
        return list(dict.fromkeys([*PICTURE_FILES, *HEIGHT_FILES]))
    return HEIGHT_FILES if kind == "surface" else PICTURE_FILES
