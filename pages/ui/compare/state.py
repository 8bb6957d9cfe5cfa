"""State of page Compare in one atlas."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

from pages.ui import query_string
from pages.ui.compare.model import ColorScheme
from pages.ui.query_string import COMPARE_KEYS, CompareLink
from pages.ui.session_state import SessionValue
from pages.ui.view_options import DEFAULT_KIND, DEFAULT_SCALE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pages.ui.compare.model import ImageQuery
    from unigeoclip.embedders.files.upload import UploadedEmbedder  # noqa: F401  # named in a string below
    from unigeoclip.geo import Bounds


class Widgets:
    """Values of the widgets of page Compare, which all its atlases share."""

    color_by = SessionValue("color-by", DEFAULT_KIND)
    similarity_scale = SessionValue("similarity-scale", DEFAULT_SCALE)
    typed_region = SessionValue("typed-region", "")
    typed_for = SessionValue["Bounds | tuple[()] | None"]("typed-for", ())  # the region that this field shows
    upload_turn = SessionValue("compare-upload-turn", 0)  # an uploader can only be emptied by giving it another key
    scatter_model = SessionValue("scatter-of", "")
    files = SessionValue["tuple[UploadedEmbedder, ...]"]("compare-files", ())
    files_turn = SessionValue("compare-files-turn", 0)  # as upload_turn
    pair = SessionValue["tuple[str, ...]"]("compared-pair", ())
    states = SessionValue["dict[str, CompareState] | None"]("compare", None)


widgets = Widgets()


@dataclass
class CompareState:
    """What page Compare shows of one atlas to one visitor.

    Attributes:
        models: Names of the embedders; empty for those that are shown at first.
        kind: One of ``view_options.KINDS``.
        number: Which component from 1, or how many clusters; 0 for other kinds.
        pair: Names of the two models whose disagreement is shown; empty for the first two.
        example: Which place at which they disagree the maps show, from 0; None for none.
        bounds: South, west, north, east of the part that is compared; None for all of it.
        point: Latitude and longitude that every model is queried with.
        image: That every model is queried with, in place of a point; not part of the address.
        scale: What colors of similarity stand for, one of ``view_options.SCALES``.
        compared: The bounds that could be compared last; the maps show them when they are new.
        revision: Counts clicks; the map uses it to know that one is answered.
        problem: What is wrong with the address or with what was typed; shown until the next choice.
        link: The address as it was read or written last.
        visitor: Tells the visitor from others.
        maps_painted: Whether the browser has shown pictures of maps; what is below them comes only then, since drawing
            a scatter for the first time keeps a browser busy for a second.
    """

    models: tuple[str, ...] = ()
    kind: str = DEFAULT_KIND
    number: int = 0
    pair: tuple[str, ...] = ()
    example: int | None = None
    bounds: Bounds | None = None
    point: tuple[float, float] | None = None
    image: ImageQuery | None = None
    scale: str = DEFAULT_SCALE
    compared: Bounds | None = None
    revision: int = 0
    problem: str = ""
    link: dict[str, str] = field(default_factory=dict)
    visitor: str = field(default_factory=lambda: uuid4().hex)
    maps_painted: bool = False

    def note_painted(self) -> None:
        """Note that the browser has shown the pictures of the maps."""
        self.maps_painted = True

    @property
    def shows_similarity(self) -> bool:
        """Whether the maps show similarity to a query."""
        return self.point is not None or self.image is not None

    def pair_of(self, models: Sequence[str]) -> tuple[str, ...]:
        """The two models whose disagreement is shown, of those that are compared: those chosen, or the first two."""
        return self.pair if self.pair and set(self.pair) <= set(models) else tuple(models[:2])

    def scheme(self, models: Sequence[str]) -> ColorScheme:
        """How the maps of these models are colored."""
        number = self.number - 1 if self.kind == "component" else self.number
        pair = self.pair_of(models) if self.kind == "disagreement" and not self.shows_similarity else ()
        return ColorScheme(self.kind, number, self.point, self.image, self.scale, pair)

    def query(self, point: tuple[float, float] | None = None, image: ImageQuery | None = None) -> None:
        """Query the models with a point or an image, or with neither."""
        self.point, self.image, self.problem, self.example = point, image, "", None
        self.revision += 1

    def choose_region(self, bounds: Bounds | None) -> None:
        """Compare another part of the atlas, or None for all of it."""
        self.bounds, self.problem, self.example = bounds, "", None

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
        self.bounds, self.point, self.image, self.scale = link.bounds, link.point, None, link.scale
        self.pair, self.example = link.pair, None
        self.revision += 1
        return True

    def write_link(self, atlas: str) -> None:
        """Make the page's address that of what is shown."""
        pair = self.pair if self.kind == "disagreement" else ()
        link = CompareLink(self.models, self.kind, self.number, pair, self.bounds, self.point, self.scale)
        self.link = query_string.compare_parameters(link)
        query_string.write_page(query_string.COMPARE_KEYS, atlas, self.link)


def state_of(atlas: str) -> CompareState:
    """The visitor's state in an atlas."""
    if widgets.states is None:
        widgets.states = {}
    return widgets.states.setdefault(atlas, CompareState())
