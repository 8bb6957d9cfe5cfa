"""What page Atlas says of data and model: facts, sources, training, and queries; each as data and as HTML."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pages.ui.formatting import file_size, origin, title
from pages.ui.widgets.tables import Cell, Table, table_html
from pages.ui.widgets.templating import render
from unigeoclip.atlas.records import data_state, records_folder
from unigeoclip.atlas.schema import SPLITS
from unigeoclip.config import read_json
from unigeoclip.geo import in_round_figures

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from unigeoclip.atlas import Atlas
    from unigeoclip.atlas.schema import Source


@dataclass(frozen=True)
class ModelCard:
    """What is known of a model: its figures by split, its queries, how it was trained.

    Attributes:
        metrics: Content of ``metrics.json``.
        config: Content of ``config.json``.
        retrieval: Split -> "query->target" -> figures.
        queries: Plain text queries with their precision.
        groups: Mean precision of the queries that captions say word for word, and of the others (`query_groups`).
        held_out: Split -> how far its items are from the training (`split_facts`), where that was recorded.
        outdated: Split -> checksums of the data it was measured on and of those of the atlas, where they differ.
    """

    metrics: dict[str, Any]
    config: dict[str, Any]
    retrieval: dict[str, dict[str, dict[str, float]]]
    queries: list[dict[str, Any]] = field(default_factory=list)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    held_out: dict[str, dict[str, float]] = field(default_factory=dict)
    outdated: dict[str, dict[str, Any]] = field(default_factory=dict)


def read(atlas: Atlas) -> ModelCard | None:
    """The card of an atlas's model; None while there is no model.

    Raises:
        UniGeoError: A file of the model cannot be read.
    """
    folder = atlas.model_path
    own_records = records_folder(folder, atlas.name)
    if not (own_records / "metrics.json").is_file():
        return None
    retrieval: dict[str, dict[str, dict[str, float]]] = {}
    held_out: dict[str, dict[str, float]] = {}
    outdated: dict[str, dict[str, Any]] = {}
    for metrics in records(own_records):
        split, state = metrics.get("split", ""), data_state(atlas, metrics)
        if metrics.get("retrieval") and split not in retrieval:
            retrieval[split] = metrics["retrieval"]
            held_out[split] = metrics.get("held_out", {})
            if state.get("outdated"):
                outdated[split] = state
        for name, figures in metrics.get("splits", {}).items():
            if figures.get("retrieval"):
                retrieval.setdefault(name, figures["retrieval"])
    config = read_json(folder / "config.json") if (folder / "config.json").is_file() else {}
    own = read_json(own_records / "metrics.json")
    groups = own.get("query_groups", {})
    return ModelCard(own, config, retrieval, own.get("queries", []), groups, held_out, outdated)


def records(folder: Path) -> list[dict[str, Any]]:
    """What each training of a model wrote down into its folder; that of the model which answers here comes first."""
    paths = sorted(folder.glob("metrics*.json"), key=lambda path: (path.name != "metrics.json", path.name))
    return [{"split": path.stem, **read_json(path)} for path in paths]


@dataclass(frozen=True)
class AtlasFacts:
    """An atlas in figures.

    Attributes:
        places: How many.
        held_out: How many of them are held out; None without a split.
        modalities: Their titles.
        pictures: Title of a modality and how its pictures came about.
        window: Side of what the pictures from above show.
        shares: Name -> share from 0 to 1.
        extent: South, north, west and east.
        size: Of all files.
        files: How many.
    """

    places: int
    held_out: int | None
    modalities: list[str]
    pictures: list[tuple[str, str]]
    window: str
    shares: dict[str, float]
    extent: tuple[str, str, str, str]
    size: str
    files: int


@dataclass(frozen=True)
class TrainingFacts:
    """How a model was trained, in figures; None for what was not recorded.

    Attributes:
        duration: How long.
        machine: On what.
        steps: Of the training, a restart included.
        batch: Places a step.
        text_steps: Of the head of text alone.
        start: Checksum of the model that the training began with.
        dim: Of the shared space.
        pivot: The one modality that all others were compared with; None for all pairs.
        seed: Of the random numbers.
        data: Checksum of the data.
    """

    duration: str | None
    machine: str | None
    steps: int | None
    batch: int | None
    text_steps: int | None
    start: str | None
    dim: int | None
    pivot: str | None
    seed: int | None
    data: str | None


def facts(atlas: Atlas) -> str:
    """The atlas in figures, as HTML."""
    return render("atlas/templates/facts.html", facts=atlas_facts(atlas))


def atlas_facts(atlas: Atlas) -> AtlasFacts:
    """The atlas in figures."""
    manifest, places = atlas.manifest, atlas.places
    split = next((name for name in SPLITS if name in places), None)
    south, west, north, east = manifest.bounds
    made = ((title(name), origin(manifest, name)) for name in manifest.pictures)
    return AtlasFacts(
        places=len(places),
        held_out=int((places[split] == "held_out").sum()) if split else None,
        modalities=[title(name) for name in manifest.modalities],
        pictures=[(modality, how) for modality, how in made if how],
        window=in_round_figures(manifest.window_m),
        shares=manifest.shares,
        extent=(_degrees(south, "NS"), _degrees(north, "NS"), _degrees(west, "EW"), _degrees(east, "EW")),
        size=file_size(sum(entry.bytes for entry in manifest.files.values())),
        files=len(manifest.files),
    )


def sources(listed: Iterable[Source]) -> str:
    """Sources with licence and attribution, as HTML."""
    rows = [
        [Cell(source.name, below=_origin(source)), Cell(source.what), Cell(source.licence), Cell(source.attribution)]
        for source in listed
    ]
    return table_html(Table(("Source", "Content", "License", "Attribution"), rows))


def _origin(source: Source) -> str:
    """Package, version and date, as far as they are known."""
    named = " ".join(part for part in (source.package, source.version) if part)
    return ", ".join(part for part in (named, source.date) if part)


def training(card: ModelCard) -> str:
    """How the model was trained, in figures, as HTML."""
    return render("atlas/templates/training.html", training=training_facts(card))


def training_facts(card: ModelCard) -> TrainingFacts:
    """How the model was trained, in figures."""
    run = card.metrics.get("training", {})
    return TrainingFacts(
        duration=_duration(run["seconds"]) if run.get("seconds") else None,
        machine=run.get("machine"),
        steps=run["steps"] + run.get("restart_steps", 0) if "steps" in run else None,
        batch=run.get("batch"),
        text_steps=run.get("text_steps"),
        start=card.metrics.get("start"),
        dim=card.config.get("dim") or run.get("model", {}).get("dim"),
        pivot=run.get("pivot"),
        seed=card.metrics.get("seed"),
        data=card.metrics.get("data"),
    )


def query_table(queries: Sequence[dict[str, Any]], groups: dict[str, dict[str, Any]] | None = None) -> str:
    """Precision of plain text queries against their independent rules, as HTML.

    Args:
        queries: Of ``metrics.json``; at least one.
        groups: Mean precision of the queries that captions say word for word, and of the others.
    """
    rows = [
        [Cell(query["query"]), Cell(str(query["rule"])), Cell(f"{query['precision']:.0f}"),
         Cell(f"{query['chance']:.1f}")]
        for query in sorted(queries, key=lambda query: -query["precision"])
    ]  # fmt: skip
    return render(
        "atlas/templates/queries.html",
        mean=sum(query["precision"] for query in queries) / len(queries),
        count=len(queries),
        in_captions=(groups or {}).get("in_captions"),
        not_in_captions=(groups or {}).get("not_in_captions"),
        queries=Table(("Query", "Rule", "Precision %", "Chance %"), rows, figures=True),
    )


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes} minutes" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def _degrees(value: float, sides: str) -> str:
    """A latitude or longitude; ``sides`` are the letters of its positive and negative side."""
    return f"{abs(round(value, 3)):g}° {sides[value < 0]}"
