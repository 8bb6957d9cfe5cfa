"""Where an exported file comes from: written into every file, so that it can be judged and made again."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unigeoclip import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unigeoclip.atlas.store import Atlas

__all__ = ["ModelSource", "Provenance", "provenance_of"]


@dataclass(frozen=True)
class ModelSource:
    """A model behind a file.

    Attributes:
        name: As the command line spells it: "unigeoclip", "geoclip" ...
        source: Which weights: the checkpoint id of a model of ours, the package and version of another.
        licence: Of the weights.
    """

    name: str
    source: str
    licence: str


@dataclass(frozen=True)
class Provenance:
    """Where an exported file comes from. No date: the same input gives the same bytes.

    Attributes:
        query: Items of the query, spelled as in links; empty where nothing was asked.
        models: Which models computed it.
        atlas: Name of the atlas.
        data: Checksum of the atlas's data (`Atlas.data_hash`).
        attribution: Whom to name for the data, and its licence, a line a source.
        command: Command or lines of Python that compute it again; empty where there are none.
        software: This package with its version.
    """

    query: tuple[str, ...]
    models: tuple[ModelSource, ...]
    atlas: str
    data: str
    attribution: tuple[str, ...]
    command: str
    software: str

    def members(self) -> dict[str, str | list[str]]:
        """What is known, by name, in a fixed order, without what is empty: members of a JSON object."""
        models = [" · ".join(filter(None, (each.name, each.source, each.licence))) for each in self.models]
        everything: dict[str, str | list[str]] = {
            "query": list(self.query), "model": models, "atlas": self.atlas, "data": self.data,
            "attribution": list(self.attribution), "command": self.command, "software": self.software,
        }  # fmt: skip
        return {name: value for name, value in everything.items() if value}

    def lines(self) -> list[tuple[str, str]]:
        """(name, value) pairs without line breaks: for headers of text files and tags of pictures."""
        pairs = []
        for name, value in self.members().items():
            pairs += [(name, " ".join(each.split())) for each in ([value] if isinstance(value, str) else value)]
        return pairs

    def json(self) -> str:
        """`members` as JSON in one line."""
        return json.dumps(self.members(), ensure_ascii=False)

    def tags(self) -> dict[str, str]:
        """Tags of a TIFF: baseline ones that every viewer shows, and PROVENANCE, which is `json`."""
        return {
            "PROVENANCE": self.json(),
            "TIFFTAG_SOFTWARE": self.software,
            "TIFFTAG_COPYRIGHT": "; ".join(self.attribution),
        }


def provenance_of(
    atlas: Atlas | None, models: Sequence[ModelSource], *, query: Sequence[str] = (), command: str = ""
) -> Provenance:
    """The provenance of a file made from an atlas.

    Args:
        atlas: The atlas, whose sources are named except those that only judge models; None where no atlas is used.
        models: Which models computed what is in the file.
        query: Items of the query, spelled as in links.
        command: What computes it again.
    """
    software = f"unigeoclip {__version__}"
    if atlas is None:
        return Provenance(tuple(query), tuple(models), "", "", (), command, software)
    shown = [source for source in atlas.manifest.sources if not source.what.startswith("rules")]
    named = dict.fromkeys(
        " · ".join(filter(None, (source.attribution or source.name, source.licence))) for source in shown
    )
    return Provenance(tuple(query), tuple(models), atlas.name, atlas.data_hash, tuple(named), command, software)
