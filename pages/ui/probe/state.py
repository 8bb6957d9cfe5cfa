"""State of page Probe: a visitor's own labels, and what is probed and shown in one atlas."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pages.ui import query_string
from pages.ui.probe.link import ProbeLink, parse_probe, probe_parameters
from pages.ui.query_string import PROBE_KEYS
from pages.ui.services.probe.requests import Columns
from pages.ui.session_state import SessionValue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pages.ui.services.probe import Job
    from pages.ui.services.probe.private_files import PrivateFile
    from pages.ui.services.probe.requests import Everywhere, Request
    from unigeoclip.evaluation.probing.results import EncoderResult, ProbeReport
    from unigeoclip.geo import Bounds
    from unigeoclip.tasks.label_files import LabelFile
    from unigeoclip.tasks.label_table import LabelTable

TASK, OWN = "task", "own"  # where labels come from
POINTS, EVERYWHERE = "points", "everywhere"  # what the map of predictions shows


@dataclass
class OwnLabels:
    """A visitor's file; it is in the visitor's session alone, and gone with it.

    Attributes:
        name: Of the file; empty without one.
        data: Its bytes.
        inspecting: Looks at its columns.
        file: Its columns, once they are known.
        columns: Which of them are used.
        reading: Reads the table of these columns.
        read_as: The columns that the table was read with, or is being read with.
        table: The labels, once they are read.
        problem: Why there are none, in a sentence.
    """

    name: str = ""
    data: bytes = b""
    inspecting: Job[LabelFile] | None = None
    file: LabelFile | None = None
    columns: Columns = field(default_factory=Columns)
    reading: Job[LabelTable] | None = None
    read_as: Columns | None = None
    table: LabelTable | None = None
    problem: str = ""


@dataclass
class Shown:
    """A report and what it was computed from.

    Attributes:
        request: Encoders, splits and options.
        report: The results.
        task: The built-in task; empty for a visitor's own labels.
    """

    request: Request
    report: ProbeReport
    task: str = ""


class Widgets:
    """Values of the widgets of page Probe, and what its atlases share."""

    upload_turn = SessionValue("probe-upload-turn", 0)  # an uploader can only be emptied by giving it another key
    own = SessionValue["OwnLabels | None"]("probe-own", None)
    states = SessionValue["dict[str, ProbeState] | None"]("probe", None)


widgets = Widgets()


@dataclass
class ProbeState:
    """What page Probe shows of one atlas to one visitor.

    Attributes:
        source: Where the labels come from, `TASK` or `OWN`.
        task: Name of the built-in task; empty for the first one.
        loading: Loads its labels.
        loaded: The task that these are of, or are being loaded of.
        table: Its labels.
        labels: The labels that are chosen, of the task or uploaded. Callbacks find them here: Streamlit keeps the
            arguments of callbacks until the session ends, and labels must be gone when their file is removed.
        job: Computes the probe.
        requested: What that was asked for.
        shown: The results that are shown.
        encoder: Whose predictions the map shows; empty for the best one.
        split: Of which split; empty for the strictest one.
        layer: What the map of predictions shows, `POINTS` or `EVERYWHERE`.
        mapping: Computes predictions everywhere.
        mapping_of: The report and the encoder that it was asked for.
        everywhere: They, for the encoder and the table they are of.
        near_only: Whether they are left out far from any label.
        focus: The part of the map to show.
        point: Latitude and longitude that were clicked last.
        row: The labeled point next to it; None where none is near.
        revision: Counts clicks; the map uses it to know that one is answered.
        problem: What could not be done, until the next choice.
        link: The address as it was read or written last.
        starts: Whether a link asks for results: they are computed without a press on the button.
        pictures: Of the maps, by what they show; private ones live as long as this does.
        earlier_pictures: Those before, for which the browser may still be asking.
        pictures_are_own: Whether the pictures show the visitor's own labels.
    """

    source: str = TASK
    task: str = ""
    loading: Job[LabelTable] | None = None
    loaded: str = ""
    table: LabelTable | None = None
    labels: LabelTable | None = None
    job: Job[ProbeReport] | None = None
    requested: Request | None = None
    shown: Shown | None = None
    encoder: str = ""
    split: str = ""
    layer: str = POINTS
    mapping: Job[Everywhere] | None = None
    mapping_of: Any = None
    everywhere: tuple[Any, Everywhere] | None = None
    near_only: bool = False
    focus: Bounds | None = None
    point: tuple[float, float] | None = None
    row: int | None = None
    revision: int = 0
    problem: str = ""
    link: dict[str, str] = field(default_factory=dict)
    starts: bool = False
    pictures: dict[Any, PrivateFile] = field(default_factory=dict)
    earlier_pictures: dict[Any, PrivateFile] = field(default_factory=dict)
    pictures_are_own: bool = False

    @property
    def is_own(self) -> bool:
        """Whether the visitor's own labels are probed."""
        return self.source == OWN

    def forget_results(self) -> None:
        """Drop what was computed from labels that are no longer chosen, and stop what is being computed."""
        for job in (self.job, self.mapping):
            if job is not None:
                job.stop()
        self.job = self.requested = self.shown = self.mapping = self.everywhere = self.focus = self.point = self.row = (
            None
        )
        self.labels = None
        self.encoder = self.split = self.problem = ""
        self.layer = POINTS
        self.replace_pictures(keep=not self.pictures_are_own)
        self.revision += 1

    def add_picture(self, key: Any, picture: PrivateFile) -> None:
        """Keep a picture of the labels that are chosen."""
        self.pictures[key] = picture
        self.pictures_are_own = self.is_own

    def replace_pictures(self, *, keep: bool) -> None:
        """Draw all maps again.

        Args:
            keep: Whether the browser can still have the pictures that it is being shown; never those of own labels that
                were removed.
        """
        self.earlier_pictures = self.pictures if keep else {}
        self.pictures = {}

    @property
    def shown_table(self) -> LabelTable | None:
        """The rows on the map: those of the results, or the labels that are chosen."""
        return self.shown.report.table if self.shown is not None else self.labels

    def result(self) -> EncoderResult | None:
        """The result whose predictions the map shows."""
        if self.shown is None:
            return None
        return self.shown.report.results[self.split].get(self.encoder)

    def choose_shown(self, best: Sequence[str]) -> None:
        """Make encoder and split of the map such as there are results of.

        Args:
            best: Encoders of the report, the one to show first at the front.
        """
        assert self.shown is not None
        splits = list(self.shown.report.results)
        if self.split not in splits:
            self.split = splits[-1]
        if self.encoder not in self.shown.report.results[self.split]:
            self.encoder = best[0]

    def read_link(self, known: Sequence[str], missing: Mapping[str, str]) -> None:
        """Take over what the page's address says, when it was opened or changed there (a link, the back button).

        Args:
            known: Names of the tasks whose labels are on this machine.
            missing: Other tasks, and what to download for each.
        """
        values = query_string.selected(PROBE_KEYS)
        if not values or values == self.link:
            return
        link, problem = parse_probe(values, known, missing)
        if link.task and (link.task != self.task or self.is_own):
            self.forget_results()
            self.source, self.task = TASK, link.task
        self.encoder, self.layer, self.link = link.encoder or self.encoder, link.layer, values
        self.problem, self.starts = problem, bool(link.task)

    def write_link(self, atlas: str) -> None:
        """Make the page's address that of what is shown; own labels are in no address."""
        shows = self.shown is not None and not self.is_own
        link = ProbeLink(self.task, self.encoder, self.layer) if shows else ProbeLink()
        if not shows and not self.is_own and self.link:
            return  # what the link asks for is still being computed
        self.link = probe_parameters(replace(link, layer=link.layer or POINTS))
        query_string.write_page(query_string.PROBE_KEYS, atlas, self.link)


def state_of(atlas: str) -> ProbeState:
    """The visitor's state in an atlas."""
    if widgets.states is None:
        widgets.states = {}
    return widgets.states.setdefault(atlas, ProbeState())


def own_labels() -> OwnLabels:
    """The visitor's file."""
    if widgets.own is None:
        widgets.own = OwnLabels()
    return widgets.own


def forget_own_labels() -> None:
    """Drop the visitor's file and everything computed from it, in all atlases."""
    own = own_labels()
    for job in (own.inspecting, own.reading):
        if job is not None:
            job.stop()
    widgets.own = None
    for state in (widgets.states or {}).values():
        if state.is_own:
            state.forget_results()
