"""Suggestions for the words of a query: short sentences of the atlas and the plain queries that are judged by rules."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from unigeoclip.atlas.schema import RULES_FOLDER
from unigeoclip.config import read_json

if TYPE_CHECKING:
    from unigeoclip.atlas import Atlas

MAX_CHARACTERS = 40  # what is longer is a caption, not a query
# Kinds of sentences that make good queries, the most telling first; streets and shops are too many to choose from.
KINDS = (
    "setting", "fabric", "climate", "terrain", "pattern", "water", "continent", "country", "natural_region", "town",
    "neighbourhood", "park", "landmark", "university", "transit",
)  # fmt: skip


class Suggestions:
    """Suggestions of each atlas as JSON, made once."""

    def __init__(self) -> None:
        self._made: dict[str, bytes] = {}

    def json(self, atlas: Atlas) -> bytes:
        """All suggestions of an atlas, JSON: a list of texts, those that are judged by rules first."""
        key = f"{atlas.name}-{atlas.data_hash}"
        if key not in self._made:
            self._made[key] = json.dumps(suggestions(atlas), ensure_ascii=False).encode()
        return self._made[key]


def suggestions(atlas: Atlas) -> list[str]:
    """Texts to suggest for an atlas, without repetition."""
    rules = atlas.path / RULES_FOLDER / "rules.json"
    judged = [rule["query"] for rule in read_json(rules)["queries"]] if rules.is_file() else []
    table = atlas.sentences
    short = table[(table["text"].str.len() <= MAX_CHARACTERS) & ~table["text"].str.contains(",|:")]
    texts = [text for kind in KINDS for text in short.loc[short["kind"] == kind, "text"]]
    return list(dict.fromkeys([*judged, *texts]))
