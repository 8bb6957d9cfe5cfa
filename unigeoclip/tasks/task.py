"""What describes a built-in task: where its labels come from, how to read it, who was trained on the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from unigeoclip.tasks.rows import ROWS
from unigeoclip.tasks.sources import SOURCES

if TYPE_CHECKING:
    from unigeoclip.tasks.label_table import Kind
    from unigeoclip.tasks.sources import Source

__all__ = ["Leak", "Pack", "Scope", "Task"]

Scope = Literal["world", "us", "boston", "california"]


@dataclass(frozen=True)
class Pack:
    """Tasks that are made together and lie in one file.

    Attributes:
        name: Key.
        title: For people.
        scope: Where its rows lie.
        sources: Keys of `unigeoclip.tasks.sources.SOURCES`.
        maker: "module.function" of `unigeoclip.build.tasks` that makes its rows.
        splits: Under which folds it is probed unless asked otherwise.
        group_name: What its groups are, such as "state"; empty without.
        atlas: Name of the atlas whose own data it is made of; empty for none.
        version: Raised when the maker gives other rows, so that a file of an earlier one is not mistaken for it.
    """

    name: str
    title: str
    scope: Scope
    sources: tuple[str, ...]
    maker: str
    splits: tuple[str, ...] = ("random", "blocks")
    group_name: str = ""
    atlas: str = ""
    version: int = 1


@dataclass(frozen=True)
class Leak:
    """That the encoders of an atlas saw the answer, or what it follows from, in training.

    Attributes:
        atlas: Name of the atlas.
        modality: Whose input gives it away; "text:KIND" for one kind of sentences.
        why: The reason in one sentence.
    """

    atlas: str
    modality: str
    why: str


@dataclass(frozen=True)
class Task:
    """One thing to predict from the embedding of a position or a picture.

    Attributes:
        name: Key.
        title: For people, a few words.
        what: One sentence: what the target is.
        kind: "regression" or "classification".
        unit: Of the target, after the transformation that ``what`` names; empty for none.
        pack: The pack it belongs to.
        reading: One sentence: how to read a score.
        leaks: Which atlases' encoders have seen it.
        input: "location" for positions, "aerial" for tasks whose rows are pictures.
        also: Metrics that are published beside R2 or the accuracy, such as "mean_iou".
    """

    name: str
    title: str
    what: str
    kind: Kind
    unit: str
    pack: Pack
    reading: str
    leaks: tuple[Leak, ...] = ()
    input: Literal["location", "aerial"] = "location"
    also: tuple[str, ...] = ()

    @property
    def n(self) -> int:
        """Rows, counted when it was made; of what we could not fetch, as published."""
        return ROWS[self.name]

    @property
    def scope(self) -> Scope:
        """Where its rows lie."""
        return self.pack.scope

    @property
    def splits(self) -> tuple[str, ...]:
        """Under which folds it is probed unless asked otherwise."""
        return self.pack.splits

    @property
    def sources(self) -> tuple[Source, ...]:
        """Where its labels come from."""
        return tuple(SOURCES[key] for key in self.pack.sources)

    @property
    def license(self) -> str:
        """Of all its sources."""
        return "; ".join(dict.fromkeys(source.license for source in self.sources))

    @property
    def attribution(self) -> str:
        """Of all its sources."""
        return "; ".join(dict.fromkeys(source.attribution for source in self.sources))

    @property
    def download_bytes(self) -> int:
        """Size of all its sources."""
        return sum(source.size_bytes for source in self.sources)
