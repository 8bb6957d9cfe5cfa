"""Asking compared models by a picture: an upload, and what each model makes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui import upload_fields
from pages.ui.formatting import file_size
from unigeoclip.embedders import PictureEmbedder
from unigeoclip.errors import UniGeoError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from unigeoclip.atlas import Atlas
    from unigeoclip.embedders import Embedder


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture that models are asked by.

    Attributes:
        name: Of its file.
        kind: What it is: "aerial", "street" or "surface".
        data: Content of the file.
    """

    name: str
    kind: str
    data: bytes
    _answers: dict[str, NDArray[np.float32] | str] = field(default_factory=dict)

    def of(self, embedder: Embedder) -> NDArray[np.float32] | str:
        """The picture's vector in a model's space, or why there is none, in a sentence; found once."""
        if embedder.name not in self._answers:
            self._answers[embedder.name] = self._ask(embedder)
        return self._answers[embedder.name]

    def _ask(self, embedder: Embedder) -> NDArray[np.float32] | str:
        if not isinstance(embedder, PictureEmbedder):
            return "This model knows points only: it reads no pictures."
        try:
            return embedder.embed_picture(self.data, self.kind)
        except UniGeoError as error:
            return str(error)


def panel(atlas: Atlas, ask: Callable[[Picture], None], refuse: Callable[[str], None], first: Embedder) -> None:
    """Draw the upload.

    Args:
        atlas: Which kinds of pictures there are.
        ask: Called with a picture that the first model can read.
        refuse: Called with what is wrong with one that it cannot.
        first: The model that decides.
    """
    kind = upload_fields.chooser(atlas.manifest, "compare-upload-kind")
    # An uploader can only be emptied by giving it a new key.
    turn = st.session_state.setdefault("compare-upload-turn", 0)
    key = f"compare-upload-{kind}-{turn}"
    arguments = (atlas, kind, key, ask, refuse, first)
    st.file_uploader("File", type=upload_fields.files_of(kind), key=key, on_change=_take, args=arguments)
    st.caption("Every model that reads pictures shows where it finds the like. A picture is not part of the link.")


def _take(
    atlas: Atlas,
    chosen: str,
    key: str,
    ask: Callable[[Picture], None],
    refuse: Callable[[str], None],
    first: Embedder,
) -> None:
    file = st.session_state[key]
    if file is None:
        return
    st.session_state["compare-upload-turn"] += 1  # good or bad, the field is ready for the next
    data = file.getvalue()
    picture = Picture(file.name, upload_fields.kind_of(chosen, data, atlas.manifest), data)
    answer = picture.of(first)
    if isinstance(answer, str):
        refuse(f"{file.name} ({file_size(file.size)}): {answer}")
    else:
        ask(picture)
