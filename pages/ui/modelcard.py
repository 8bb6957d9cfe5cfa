"""What page Atlas says of data and model, as HTML: facts, sources, training, measured retrieval, limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from pages.ui import scale
from pages.ui.words import file_size, origin, title
from unigeoclip.atlas.schema import SPLITS
from unigeoclip.config import read_json
from unigeoclip.geo import in_round_figures

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from unigeoclip.atlas import Atlas
    from unigeoclip.atlas.schema import Manifest, Source

SPLIT_TITLES = {
    "random": "Held-out points among training points (random split)",
    "blocks": "Whole regions never seen (block split)",
    "views": "New positions and views in known territory (views split)",
}
SPLIT_WORDS = {
    "random": "Each held-out place lies among places that were trained on. This is the model that answers here.",
    "blocks": "Places in S2 cells that a second, shorter training never saw, with a buffer as wide as the "
    "model's input: what to expect far from anything it knows.",
    "views": "Places that were trained on, seen from positions that were not.",
}
UPPER_BOUND = "Five renderings of one map; an upper bound, not comparable with the paper's figures."
# Rows and columns of retrieval tables beside the modalities.
_OTHERS = {"photo": "Single street view", "ensemble": "Ensemble"}


@dataclass(frozen=True)
class ModelCard:
    """What is known of a model: its figures by split, its queries, how it was trained.

    Attributes:
        metrics: Content of ``metrics.json``.
        config: Content of ``config.json``.
        retrieval: Split -> "query->target" -> figures.
        queries: Plain text queries with their precision.
    """

    metrics: dict[str, Any]
    config: dict[str, Any]
    retrieval: dict[str, dict[str, dict[str, float]]]
    queries: list[dict[str, Any]] = field(default_factory=list)


def read(atlas: Atlas) -> ModelCard | None:
    """The card of an atlas's model; None while there is no model.

    Raises:
        UniGeoError: A file of the model cannot be read.
    """
    folder = atlas.model_path
    if not (folder / "metrics.json").is_file():
        return None
    retrieval: dict[str, dict[str, dict[str, float]]] = {}
    # Each training writes its own figures; that of the model which answers here comes first.
    for path in sorted(folder.glob("metrics*.json"), key=lambda path: (path.name != "metrics.json", path.name)):
        metrics = read_json(path)
        if metrics.get("retrieval"):
            retrieval.setdefault(metrics.get("split", path.stem), metrics["retrieval"])
        for split, figures in metrics.get("splits", {}).items():
            if figures.get("retrieval"):
                retrieval.setdefault(split, figures["retrieval"])
    config = read_json(folder / "config.json") if (folder / "config.json").is_file() else {}
    own = read_json(folder / "metrics.json")
    return ModelCard(own, config, retrieval, own.get("queries", []))


def facts(atlas: Atlas) -> str:
    """The atlas in figures."""
    manifest, places = atlas.manifest, atlas.places
    made = ((name, origin(manifest.pictures, name)) for name in manifest.pictures)
    pictures = "; ".join(f"{title(name).lower()}: {how}" for name, how in made if how)
    split = next((name for name in SPLITS if name in places), None)
    held_out = f", of which {int((places[split] == 'held_out').sum()):,} held out for measuring" if split else ""
    size = sum(entry.bytes for entry in manifest.files.values())
    south, west, north, east = manifest.bounds
    return _pairs(
        ("Places", f"{len(places):,}{held_out}"),
        ("Modalities", ", ".join(title(name) for name in manifest.modalities)),
        ("Pictures", f"{pictures}; from above each {in_round_figures(manifest.window_m)} across"),
        *((f"{name[:1].upper()}{name[1:]}", f"{100 * share:.0f} %") for name, share in manifest.shares.items()),
        ("Extent", f"{_lat(south)} to {_lat(north)}, {_lon(west)} to {_lon(east)}"),
        ("On disk", f"{file_size(size)} in {len(manifest.files)} files, listed with checksums in atlas.json"),
    )


def sources(listed: Iterable[Source]) -> str:
    """Sources with licence and attribution."""
    rows = [
        (
            f"{escape(source.name)}<br><small>{escape(_origin(source))}</small>",
            escape(source.what),
            escape(source.licence),
            escape(source.attribution),
        )
        for source in listed
    ]
    return table(("Source", "What it gives", "Licence", "Attribution"), rows)


def _origin(source: Source) -> str:
    """Package, version and date, as far as they are known."""
    named = " ".join(part for part in (source.package, source.version) if part)
    return ", ".join(part for part in (named, source.date) if part)


def training(card: ModelCard) -> str:
    """How the model was trained, in figures."""
    run = card.metrics.get("training", {})
    pairs = []
    if seconds := run.get("seconds"):
        pairs.append(("Training", f"{_duration(seconds)} on {run.get('machine', 'an unnamed machine')}"))
    if "steps" in run and "batch" in run:
        steps = run["steps"] + run.get("restart_steps", 0)
        pairs.append(("Steps", f"{steps:,} of {run['batch']:,} places, drawn afresh at every step"))
        if text := run.get("text_steps"):
            pairs.append(("Then", f"{text:,} steps of the head of text alone, on short texts"))
    if dim := card.config.get("dim") or run.get("model", {}).get("dim"):
        pairs.append(("Shared space", f"{dim} dimensions"))
    loss = "all pairs of modalities" if run.get("pivot") is None else f"pairs with {run['pivot']} only"
    pairs.append(("Loss", f"contrastive (InfoNCE) over {loss}"))
    pairs += [
        (label, str(card.metrics[key]))
        for key, label in (("seed", "Seed"), ("data", "Data checksum"))
        if key in card.metrics
    ]
    return _pairs(*pairs)


def retrieval_table(pairs: dict[str, dict[str, float]]) -> str:
    """Recall at 1 and 10 of every pair, and what lies within 100 m where that is known: rows ask, columns are found."""
    count = int(next(iter(pairs.values())).get("n", 0)) if pairs else 0
    shown = _pair_table(pairs, ("recall@1", "recall@10")) + (
        f"<p><small>recall@1 / recall@10 in %, among {count:,} places: how often the place's own item comes first, or "
        "is among the first ten.</small></p>"
    )
    if any("acc@100m" in figures for figures in pairs.values()):
        shown += _pair_table(pairs, ("acc@100m",)) + (
            "<p><small>Accuracy within 100 m in %: how often the item that comes first lies at most 100 m from the "
            "point or camera that was asked with.</small></p>"
        )
    return shown


def _pair_table(pairs: dict[str, dict[str, float]], keys: Sequence[str]) -> str:
    """One cell for every pair, with its figures; a figure that was not measured is a dash."""
    ends = [pair.split("->", 1) for pair in pairs if "->" in pair]
    queries, targets = (list(dict.fromkeys(names)) for names in zip(*ends, strict=True)) if ends else ([], [])
    targets.sort(key=lambda name: queries.index(name) if name in queries else len(queries))  # the diagonal stays one
    rows = []
    for query in queries:
        cells = [f"<b>{escape(named(query))}</b>"]
        for target in targets:
            figures = pairs.get(f"{query}->{target}")
            shown = [f"{figures[key]:.0f}" if key in figures else "–" for key in keys] if figures else []
            cells.append(" / ".join(shown))
        rows.append(cells)
    return table(("asked with ↓, found →", *(escape(named(name)) for name in targets)), rows, figures=True)


def named(row: str) -> str:
    """What is asked or found, as people read it: a modality, or an ensemble of its items."""
    return _OTHERS.get(row) or title(row)


def split_words(split: str, manifest: Manifest) -> str:
    """What a split measures; where pictures are drawn, the reservation stands with every table."""
    words = SPLIT_WORDS.get(split, "")
    return f"{words} *{UPPER_BOUND}*" if is_drawn(manifest) else words


def is_drawn(manifest: Manifest) -> bool:
    """Whether pictures are drawn from a map, so that figures say less than they seem to."""
    return "rendered" in manifest.pictures.values()


def query_table(queries: Sequence[dict[str, Any]]) -> str:
    """Precision of plain text queries against their independent rules."""
    mean = sum(query["precision"] for query in queries) / len(queries)
    rows = [
        (escape(query["query"]), escape(str(query["rule"])), f"{query['precision']:.0f}", f"{query['chance']:.1f}")
        for query in sorted(queries, key=lambda query: -query["precision"])
    ]
    words = (
        f"<p>Mean precision {mean:.0f} % over {len(queries)} queries: the share of the hottest land that a rule from "
        "another source, fixed before the training, counts as right.</p>"
    )
    return words + table(("Query", "Rule", "Precision %", "By chance %"), rows, figures=True)


def commands(manifest: Manifest) -> str:
    """The commands that make an atlas and its model again."""
    name = manifest.name
    build = f"build city --name {name} --tiles TILES" if scale.of(manifest).is_city else f"build {name}"
    lines = (build, f"train --atlas {name} --config mini", f"evaluate --atlas {name} --json")
    return "\n".join(f"python -m unigeoclip {line}" for line in lines)


def _pairs(*pairs: tuple[str, str]) -> str:
    return '<dl class="ugc-facts">' + "".join(f"<dt>{escape(a)}</dt><dd>{escape(b)}</dd>" for a, b in pairs) + "</dl>"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, figures: bool = False) -> str:
    """A table in HTML, from cells in HTML; figures stand in columns of digits of one width."""
    columns = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    kind = "ugc-table is-figures" if figures else "ugc-table"
    written = f'<table class="{kind}"><thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table>'
    return f'<div class="ugc-scroll" tabindex="0">{written}</div>'


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes} minutes" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def _lat(degrees: float) -> str:
    return f"{abs(round(degrees, 3)):g}° {'N' if degrees >= 0 else 'S'}"


def _lon(degrees: float) -> str:
    return f"{abs(round(degrees, 3)):g}° {'E' if degrees >= 0 else 'W'}"
