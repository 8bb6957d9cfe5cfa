"""What poster mode plays: states of Explore and Compare, each with a title and a caption that a person wrote.

Captions say what can be seen and nothing that the shipped models do not show.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from pages.ui import query_string
from pages.ui.atlas_titles import atlas_title
from unigeoclip.atlas.examples import of_atlas

if TYPE_CHECKING:
    from collections.abc import Sequence

PAGES = {"explore": "/", "compare": "/compare"}  # path of each page that can be played


@dataclass(frozen=True)
class Scene:
    """One state of a page.

    Attributes:
        page: One of `PAGES`.
        atlas: Name of the atlas it needs.
        link: The rest of its address: keys with their values.
        title: What is asked, in large type.
        caption: One or two sentences on what is to be seen.
    """

    page: str
    atlas: str
    link: tuple[tuple[str, str], ...]
    title: str
    caption: str

    @property
    def parameters(self) -> dict[str, list[str]]:
        """Its address as Streamlit takes it."""
        found: dict[str, list[str]] = {query_string.ATLAS: [self.atlas]}
        for key, value in self.link:
            found.setdefault(key, []).append(value)
        return found

    @property
    def address(self) -> str:
        """Its address below the origin: a link that anybody can open."""
        return f"{PAGES[self.page]}?{urlencode(self.parameters, doseq=True)}"

    @property
    def fragment(self) -> str:
        """What follows "#" in the address of a static site that shows the same or the like."""
        asked = tuple(value for key, value in self.link if key == query_string.KEY)
        examples = [example.link for example in of_atlas(self.atlas, is_city=False)]
        if asked in examples:
            return f"{self.atlas}/{examples.index(asked) + 1}"
        point = dict(self.link).get(query_string.AT, "")
        return f"{self.atlas}/{point}" if point else self.atlas

    @property
    def place(self) -> str:
        """Where it plays, in small type."""
        return f"{self.page.capitalize()} · {atlas_title(self.atlas)}"


def _asks(*items: str) -> tuple[tuple[str, str], ...]:
    return tuple((query_string.KEY, item) for item in items)


_SCENES = (
    Scene(
        "explore", "world", _asks("text:hot desert"), "“hot desert”",
        "Two words, searched on the whole Earth. Bright areas are the most similar; the pictures are the closest "
        "matches.",
    ),
    Scene(
        "explore", "boston", _asks("text:downtown towers"), "“downtown towers”",
        "The same kind of query, now for one city. The words alone lead to its center, in pictures from above and "
        "from the street.",
    ),
    Scene(
        "compare", "world", ((query_string.COLOR, "components"),), "What has each model learned of the Earth?",
        "Similar colors are places that a model finds similar. “Retrained” is a published design that we trained on "
        "our own small data set; the published model may do better.",
    ),
    Scene(
        "explore", "world", _asks("text:Switzerland", "-1.5*text:mountains", "1.5*text:sea"),
        "Switzerland − mountains + sea",
        "Words can be added and subtracted. Switzerland without its mountains and with the sea is most similar to "
        "the Netherlands.",
    ),
    Scene(
        "explore", "boston", _asks("at:42.3734,-71.119"), "More like Harvard Square",
        "One click on the map queries a point and nothing else. Bright is every part of the city that the model "
        "finds similar.",
    ),
    Scene(
        "compare", "boston", ((query_string.COLOR, "clusters:8"),), "Eight kinds of Boston",
        "Each model sorts the city into eight groups by itself. Some follow streets and shores, others see little more "
        "than where a place lies.",
    ),
    Scene(
        "explore", "world", _asks("at:40.85,14.27"), "Where on Earth is it like Naples?",
        "The query is latitude and longitude alone. Colors show the rank, so that distant places that are a little "
        "similar stand out as well.",
    ),
    Scene(
        "explore", "boston", _asks("text:airport"), "“airport”",
        "No label is looked up. Words, pictures and places share one space, so a word can be compared with every spot "
        "on the map.",
    ),
    Scene(
        "compare", "world", ((query_string.COLOR, "components"), (query_string.AT, "0,22")),
        "What is like the Congo rainforest?",
        "Every model is queried with the same point in the Congo basin. Each map shows what that model finds similar.",
    ),
)  # fmt: skip


def scenes(atlases: Sequence[str]) -> list[Scene]:
    """The scenes whose atlas is at hand, in the order in which they play."""
    return [scene for scene in _SCENES if scene.atlas in atlases]
