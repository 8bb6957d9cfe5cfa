"""Suggestions for the words of a query: short sentences of the atlas and the plain queries that are judged by rules."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.components import component
from pages.ui.http.responses import version
from unigeoclip.atlas.schema import RULES_FOLDER
from unigeoclip.config import read_json

if TYPE_CHECKING:
    from pages.ui.protocol import SuggestProps
    from unigeoclip.atlas import Atlas

LONGEST = 40  # characters: what is longer is a caption, not a query
# Kinds of sentences that make good queries, the most telling first; streets and shops are too many to choose from.
KINDS = (
    "setting", "fabric", "climate", "terrain", "pattern", "water", "continent", "country", "natural_region", "town",
    "neighbourhood", "park", "landmark", "university", "transit",
)  # fmt: skip
LABEL = "Describe a place"
_component = partial(component, "suggest", '<datalist id="ugc-suggestions"></datalist>')


def attach(atlas: Atlas) -> None:
    """Let the field `LABEL` suggest as one types; the list is fetched when somebody first does."""
    with st.container(key="suggestions"):  # nothing to see: the style sheet takes it out of the layout
        address = f"/data/{atlas.name}/suggestions?{version(atlas)}"
        data: SuggestProps = {"url": address, "label": LABEL}
        _component()(key=f"suggest-{atlas.name}", data=data)


_listed: dict[str, bytes] = {}


def listed(atlas: Atlas) -> bytes:
    """All suggestions of an atlas, JSON: a list of texts, those that are judged by rules first."""
    key = f"{atlas.name}-{atlas.data_hash}"
    if key not in _listed:
        _listed[key] = _list(atlas)
    return _listed[key]


def _list(atlas: Atlas) -> bytes:
    rules = atlas.path / RULES_FOLDER / "rules.json"
    judged = [rule["query"] for rule in read_json(rules)["queries"]] if rules.is_file() else []
    table = atlas.sentences
    short = table[(table["text"].str.len() <= LONGEST) & ~table["text"].str.contains(",|:")]
    said = [text for kind in KINDS for text in short.loc[short["kind"] == kind, "text"]]
    return json.dumps(list(dict.fromkeys([*judged, *said])), ensure_ascii=False).encode()
