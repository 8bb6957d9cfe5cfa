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
