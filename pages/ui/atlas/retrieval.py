"""Retrieval figures of a model as page Atlas shows them: what a split holds out, and tables of all pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pages.ui.formatting import literal, title
from pages.ui.widgets.tables import Cell, Table
from pages.ui.widgets.templating import render
from unigeoclip.atlas.origins import upper_bound
from unigeoclip.geo import in_round_figures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pages.ui.atlas.model_card import ModelCard
    from unigeoclip.atlas.schema import Manifest

    Pairs = dict[str, dict[str, float]]

RECALLS = ("recall@1", "recall@10")
WITHIN = "acc@100m"
DASH = "–"
# Rows and columns beside the modalities.
_OTHERS = {"photo": "Single street view", "ensemble": "Ensemble"}
_GALLERIES = {
    "": "held-out places only",
    "_gallery_cameras": "all places, each at a camera",
    "_gallery_cells": "all places, each at the center of its cell",
    "_gallery_windows": "all places, each at its center and up to three cameras, as the app searches",
}


@dataclass(frozen=True)
class RetrievalTables:
    """Figures of all pairs: rows ask, columns are found.

    Attributes:
        recall: Recall at 1 and at 10.
        within: Accuracy within 100 m; None where it was not measured.
        gallery: What street views find among all places of a city; None where that was not measured.
        count: Among how many places, where that is the same for all pairs; else their cells say it.
    """

    recall: Table
    within: Table | None
    gallery: Table | None
    count: int | None


def retrieval_table(pairs: Pairs) -> str:
    """Recall at 1 and 10 of every pair, and what lies within 100 m where that is known, as HTML."""
    return render("atlas/templates/retrieval.html", tables=retrieval_tables(pairs))


def retrieval_tables(pairs: Pairs) -> RetrievalTables:
    """The same as data.

    Args:
        pairs: "query->target" -> figures in percent, with ``n`` or ``too_few``.
    """
    counts = {int(figures["n"]) for figures in pairs.values() if "n" in figures}
    within = any(WITHIN in figures for figures in pairs.values())
    return RetrievalTables(
        recall=_pair_table(pairs, RECALLS, count=len(counts) > 1),
        within=_pair_table(pairs, (WITHIN,), count=len(counts) > 1) if within else None,
        gallery=_gallery_table(pairs),
        count=counts.pop() if len(counts) == 1 else None,
    )


def named(row: str) -> str:
    """What is asked or found, as people read it: a modality, or an ensemble of its items."""
    return _OTHERS.get(row) or title(row)


def arrow(pair: str) -> str:
    """A pair as people read it: "Street view → Aerial image"."""
    return " → ".join(named(end) for end in pair.split("->"))


def too_few(figures: dict[str, float]) -> Cell:
    """The cell of a pair that has too few items for a figure."""
    return Cell(below=f"too few: n = {int(figures.get('n', 0)):,}")


def shares(figures: dict[str, float], keys: Sequence[str]) -> str:
    """Figures in whole percent; one that was not measured is a dash."""
    return " / ".join(f"{figures[key]:.0f}" if key in figures else DASH for key in keys)


def rounded(percent: float) -> str:
    """Whole numbers, small ones with a digit more."""
    return f"{percent:.0f}" if percent >= 9.95 else f"{percent:.1f}"


def _pair_table(pairs: Pairs, keys: Sequence[str], *, count: bool) -> Table:
    """One cell for every pair, with its figures, and with its number of items where that differs between pairs."""
    ends = [pair.split("->", 1) for pair in pairs if "->" in pair]
    queries, targets = (list(dict.fromkeys(names)) for names in zip(*ends, strict=True)) if ends else ([], [])
    targets.sort(key=lambda name: queries.index(name) if name in queries else len(queries))  # the diagonal stays one
    rows = [
        [
            Cell(named(query), strong=True),
            *(_cell(pairs.get(f"{query}->{target}"), keys, count=count) for target in targets),
        ]
        for query in queries
    ]
    return Table(("query ↓, target →", *map(named, targets)), rows, figures=True)


def _cell(figures: dict[str, float] | None, keys: Sequence[str], *, count: bool) -> Cell:
    if not figures:
        return Cell()
    if figures.get("too_few"):
        return too_few(figures)
    return Cell(shares(figures, keys), below=f"n = {int(figures.get('n', 0)):,}" if count else "")


def _gallery_table(pairs: Pairs) -> Table | None:
    """What street views find within 100 m among all places of a city; None where that was not measured."""
    rows = [
        [
            Cell(arrow(pair), strong=True),
            *(_gallery_cell(figures, among) for among in _GALLERIES),
        ]
        for pair, figures in pairs.items()
        if "n_gallery_cells" in figures
    ]
    return Table(("", *_GALLERIES.values()), rows, figures=True) if rows else None


def _gallery_cell(figures: dict[str, float], among: str) -> Cell:
    """A figure and the size of its gallery; a dash where records of earlier versions lack it."""
    if f"{WITHIN}{among}" not in figures:
        return Cell(DASH)
    return Cell(f"{figures[f'{WITHIN}{among}']:.1f}", aside=f"of {int(figures[f'n{among}']):,}")


def heading(split: str, manifest: Manifest) -> str:
    """Heading of a split's figures."""
    from unigeoclip.evaluation.glossary import split_of  # brings torch along, so not before it is needed

    known = split_of(manifest, split)
    return known.title if known else split


def split_words(split: str, manifest: Manifest, *, answers: bool = False) -> str:
    """What a split measures, as HTML; where modalities come from one map, the reservation stands with every table.

    Args:
        split: Its name.
        manifest: Of the atlas.
        answers: Whether its figures are those of the model that answers in the app.
    """
    from unigeoclip.evaluation.glossary import split_of

    bound = upper_bound(manifest)
    return render("atlas/templates/split.html", split=split_of(manifest, split), answers=answers, bound=bound)


def warning(card: ModelCard, split: str) -> str:
    """That a split was measured on another state of the data, in Markdown; empty if it was not."""
    state: dict[str, Any] | None = card.outdated.get(split)
    if state is None:
        return ""
    return (
        f"**Outdated:** measured on an earlier version of the data (checksum "
        f"{literal(state['data'] or 'not recorded')}; now {literal(state['data_now'])})."
    )


def distance_words(card: ModelCard, split: str) -> str:
    """How far held-out items are from the training, beside the width of a window, as HTML; empty if not recorded."""
    facts = card.held_out.get(split, {})
    near, window = facts.get("median_distance_to_training_km"), facts.get("window_km")
    if near is None or window is None:
        return ""
    camera = facts.get("median_distance_to_training_camera_km")
    return render(
        "atlas/templates/distance.html",
        near=_distance(near),
        camera=None if camera is None else _distance(camera),
        window=_distance(window),
        overlap=near < window,
    )


def _distance(kilometers: float) -> str:
    return in_round_figures(1000 * kilometers)
