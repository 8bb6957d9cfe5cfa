"""The upload of page Compare: an image as a query to all models that support images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.compare.model import ImageQuery, UnavailableError
from pages.ui.compare.state import widgets
from pages.ui.formatting import file_size
from pages.ui.widgets import upload_fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from unigeoclip.atlas import Atlas
    from unigeoclip.embedders import Embedder


def panel(atlas: Atlas, query: Callable[[ImageQuery], None], refuse: Callable[[str], None], first: Embedder) -> None:
    """Draw the upload.

    Args:
        atlas: Which kinds of pictures there are.
        query: Called with an image that the first model can read.
        refuse: Called with what is wrong with one that it cannot.
        first: The model that decides.
    """
    kind = upload_fields.chooser(atlas.manifest, "compare-upload-kind")
    key = f"compare-upload-{kind}-{widgets.upload_turn}"
    arguments = (atlas, kind, key, query, refuse, first)
    st.file_uploader("File", type=upload_fields.files_of(kind), key=key, on_change=_take, args=arguments)
    st.caption("Every model that supports images shows the places it finds similar. An image is not part of the link.")


def _take(
    atlas: Atlas,
    chosen: str,
    key: str,
    query: Callable[[ImageQuery], None],
    refuse: Callable[[str], None],
    first: Embedder,
) -> None:
    file = st.session_state[key]
    if file is None:
        return
    widgets.upload_turn += 1  # good or bad, the field is ready for the next
    data = file.getvalue()
    image = ImageQuery(file.name, upload_fields.kind_of(chosen, data, atlas.manifest), data)
    try:
        image.embedding(first)
    except UnavailableError as error:
        refuse(f"{file.name} ({file_size(file.size)}): {error}")
    else:
        query(image)
