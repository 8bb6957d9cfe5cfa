"""State of page Compare in one atlas."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

import streamlit as st

from pages.ui import query_string
from pages.ui.query_string import COMPARE_KEYS, CompareLink
from pages.ui.view_options import DEFAULT_KIND, DEFAULT_SCALE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pages.ui.compare.image_query import Picture
    from unigeoclip.geo import Bounds


@dataclass
class CompareState:
    """What a visitor looks at in one atlas.

    Attributes:
        models: Names of the embedders; empty for those that are shown at first.
        kind: One of ``view_options.KINDS``.
        number: Which component from 1, or how many clusters; 0 for other kinds.
        bounds: South, west, north, east of the part that is compared; None for all of it.
        point: Latitude and longitude that every model is asked about.
        picture: That every model is asked by, in place of a point; not part of the address.
        scale: What colours of similarity stand for, one of ``view_options.SCALES``.
        compared: The bounds that could be compared last; the maps show them when they are new.
        revision: Counts clicks; the map uses it to know that one is answered.
        problem: What is wrong with the address or with what was typed; shown until the next choice.
        link: The address as it was read or written last.
        visitor: Tells the visitor from others.
    """

    models: tuple[str, ...] = ()
    kind: str = DEFAULT_KIND
    number: int = 0
    bounds: Bounds | None = None
    point: tuple[float, float] | None = None
    picture: Picture | None = None
    scale: str = DEFAULT_SCALE
    compared: Bounds | None = None
    revision: int = 0
    problem: str = ""
    link: dict[str, str] = field(default_factory=dict)
    visitor: str = field(default_factory=lambda: uuid4().hex)

    def read_link(self, known: Sequence[str]) -> bool:
        """Take over what the page's address says, when it was opened or changed there (a link, the back button).

        Args:
            known: Names of the embedders that can be shown.

        Returns:
            Whether there was something new.
        """
        values = query_string.selected(COMPARE_KEYS)
        if not values or values == self.link:
            return False
        self.link = values
        link, self.problem = query_string.parse_compare(values, known)
        self.models, self.kind, self.number = link.models, link.kind, link.number
        self.bounds, self.point, self.picture, self.scale = link.bounds, link.point, None, link.scale
        self.revision += 1
        return True

    def write_link(self, atlas: str) -> None:
        """Make the page's address that of what is shown."""
        link = CompareLink(self.models, self.kind, self.number, self.bounds, self.point, self.scale)
        self.link = query_string.compare_parameters(link)
        query_string.write_compare(atlas, self.link)


def compare_state(atlas: str) -> CompareState:
    """The visitor's state for an atlas."""
    states: dict[str, CompareState] = st.session_state.setdefault("compare", {})
    return states.setdefault(atlas, CompareState())
