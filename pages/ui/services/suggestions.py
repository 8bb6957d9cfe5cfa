"""What fields suggest: words for queries, and names of places."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

from unigeoclip.atlas.schema import RULES_FOLDER
from unigeoclip.config import read_json
from unigeoclip.gazetteer import Gazetteer, names_of

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


class PlaceNames:
    """The gazetteer of each atlas by its name, made once; thread-safe."""

    def __init__(self) -> None:
        self._made: dict[str, Gazetteer] = {}
        self._making = threading.Lock()

    def is_ready(self, name: str) -> bool:
        """Whether `of` takes no time for the atlas of this name."""
        return name in self._made

    def of(self, atlas: Atlas) -> Gazetteer:
        """The gazetteer of an atlas; the first time that takes a few seconds."""
        with self._making:
            if atlas.name not in self._made:
                self._made[atlas.name] = Gazetteer(names_of(atlas))
            return self._made[atlas.name]


def suggestions(atlas: Atlas) -> list[str]:
    """Texts to suggest for an atlas, without repetition."""
    rules = atlas.path / RULES_FOLDER / "rules.json"
    judged = [rule["query"] for rule in read_json(rules)["queries"]] if rules.is_file() else []
    table = atlas.sentences
    short = table[(table["text"].str.len() <= MAX_CHARACTERS) & ~table["text"].str.contains(",|:")]
    texts = [text for kind in KINDS for text in short.loc[short["kind"] == kind, "text"]]
    return list(dict.fromkeys([*judged, *texts]))
