"""State of page Modalities in one atlas."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pages.ui import query_string
from pages.ui.modalities import link
from pages.ui.modalities.link import MOST_SEED, View
from pages.ui.query_string import MODALITIES_KEYS
from pages.ui.session_state import SessionValue

if TYPE_CHECKING:
    from collections.abc import Sequence


class Widgets:
    """Values of the widgets of page Modalities, which all its atlases share."""

    selection = SessionValue("modalities-selection", "random")
    cluster = SessionValue("modalities-cluster", 0)
    count = SessionValue("modalities-count", link.DEFAULT_COUNT)
    method = SessionValue("modalities-method", "tsne")
    centered = SessionValue("modalities-centered", False)
    place = SessionValue("modalities-place", "")
    figure = SessionValue("modalities-figure", link.DEFAULT_FIGURE)
    states = SessionValue["dict[str, ModalitiesState] | None"]("modalities", None)


widgets = Widgets()


@dataclass
class ModalitiesState:
    """What page Modalities shows of one atlas to one visitor.

    Attributes:
        view: What is shown; part of the address.
        examples: Seed of the examples of a pair.
        revision: Counts clicks; the map uses it to know that one is answered.
        problem: What is wrong with the address or with what was chosen; shown until the next choice.
        link: The address as it was read or written last.
        visitor: Tells the visitor from others.
    """

    view: View = field(default_factory=View)
    examples: int = 0
    revision: int = 0
    problem: str = ""
    link: dict[str, str] = field(default_factory=dict)
    visitor: str = field(default_factory=lambda: uuid4().hex)

    def show(self, **changes: Any) -> None:
        """Change what is shown."""
        self.view, self.problem = replace(self.view, **changes), ""
        self.revision += 1

    def select(self, **changes: Any) -> None:
        """Choose other places; none of them is open yet."""
        self.show(**{"place": "", **changes})

    def draw_again(self) -> None:
        """Draw other places at random."""
        self.select(seed=(self.view.seed + 1) % (MOST_SEED + 1))

    def open_pair(self, pair: str) -> None:
        """Show examples of a pair; asked for once more, other ones."""
        self.examples = self.examples + 1 if pair == self.view.pair else 0
        self.show(pair=pair)

    def read_link(self, *, clusters: int, places: Sequence[str], pairs: Sequence[str], figures: Sequence[str]) -> None:
        """Take over what the address says, when it was opened or changed there; see `link.parse` for the arguments."""
        values = query_string.selected(MODALITIES_KEYS)
        if not values or values == self.link:
            return
        self.link = values
        self.view, self.problem = link.parse(values, clusters=clusters, places=places, pairs=pairs, figures=figures)
        self.revision += 1

    def write_link(self, atlas: str) -> None:
        """Make the page's address that of what is shown."""
        self.link = link.parameters(self.view)
        query_string.write_page(query_string.MODALITIES_KEYS, atlas, self.link)


def state_of(atlas: str) -> ModalitiesState:
    """The visitor's state in an atlas."""
    if widgets.states is None:
        widgets.states = {}
    return widgets.states.setdefault(atlas, ModalitiesState())
