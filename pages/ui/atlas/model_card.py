"""What page Atlas says of data and model, as HTML: facts, sources, training, measured retrieval, limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from pages.ui import atlas_scale
from pages.ui.formatting import file_size, origin, title
from unigeoclip.atlas.origins import upper_bound
from unigeoclip.atlas.records import data_state
from unigeoclip.atlas.schema import SPLITS
from unigeoclip.config import read_json
from unigeoclip.geo import in_round_figures

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from unigeoclip.atlas import Atlas
    from unigeoclip.atlas.schema import Manifest, Source

SPLIT_TITLES = {
    "random": "Held-out points among training points (random split)",
    "blocks": "Whole regions never seen (block split)",
    "views": "New positions and views in known territory (views split)",
}
SPLIT_WORDS = {
    "random": "Each held-out place lies among places that were trained on: known territory is recognized. This is the "
    "model that answers here.",
    "blocks": "Places in S2 cells that a second, shorter training never saw, with a buffer as wide as the "
    "model's input: what to expect far from anything it knows.",
    "views": "Places that were trained on, seen from positions that were not. Pairs without street views are not held "
    "out at all: their windows, locations and texts are those of trained territory.",
}
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
    if not (folder / "metrics.json").is_file():
        return None
    retrieval: dict[str, dict[str, dict[str, float]]] = {}
    held_out: dict[str, dict[str, float]] = {}
    outdated: dict[str, dict[str, Any]] = {}
    for metrics in _records(folder):
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
    own = read_json(folder / "metrics.json")
    groups = own.get("query_groups", {})
    return ModelCard(own, config, retrieval, own.get("queries", []), groups, held_out, outdated)


def _records(folder: Path) -> list[dict[str, Any]]:
    """What each training of a model wrote down; that of the model which answers here comes first."""
    paths = sorted(folder.glob("metrics*.json"), key=lambda path: (path.name != "metrics.json", path.name))
    return [{"split": path.stem, **read_json(path)} for path in paths]


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
    shown = _pair_table(pairs, ("recall@1", "recall@10")) + (
        f"<p><small>recall@1 / recall@10 in %, {_among(pairs)}: how often the place's own item comes first, or is "
        "among the first ten.</small></p>"
    )
    if any("acc@100m" in figures for figures in pairs.values()):
        shown += _pair_table(pairs, ("acc@100m",)) + (
            f"<p><small>Accuracy within 100 m in %, {_among(pairs)}: how often the item that comes first lies at most "
            "100 m from the point or camera that was asked with.</small></p>"
        )
    return shown + _gallery_table(pairs)


def _among(pairs: dict[str, dict[str, float]]) -> str:
    """Among how many places the items of all pairs are looked for, in words."""
    counts = _counts(pairs)
    return f"among {counts[0]:,} places" if len(counts) == 1 else "among as many places as each figure says (n)"


def _counts(pairs: dict[str, dict[str, float]]) -> list[int]:
    return sorted({int(figures["n"]) for figures in pairs.values() if "n" in figures})


def _pair_table(pairs: dict[str, dict[str, float]], keys: Sequence[str]) -> str:
    """One cell for every pair, with its figures; a figure that was not measured is a dash."""
    ends = [pair.split("->", 1) for pair in pairs if "->" in pair]
    queries, targets = (list(dict.fromkeys(names)) for names in zip(*ends, strict=True)) if ends else ([], [])
    targets.sort(key=lambda name: queries.index(name) if name in queries else len(queries))  # the diagonal stays one
    count = len(_counts(pairs)) > 1
    rows = [
        [f"<b>{escape(named(query))}</b>"]
        + [_cell(pairs.get(f"{query}->{target}"), keys, count=count) for target in targets]
        for query in queries
    ]
    return table(("asked with ↓, found →", *(escape(named(name)) for name in targets)), rows, figures=True)


def _cell(figures: dict[str, float] | None, keys: Sequence[str], *, count: bool) -> str:
    """The figures of a pair, with their number of items where that differs between pairs."""
    if not figures:
        return ""
    number = int(figures.get("n", 0))
    if figures.get("too_few"):
        return f"<small>too few: n = {number:,}</small>"
    shown = " / ".join(f"{figures[key]:.0f}" if key in figures else "–" for key in keys)
    return f"{shown}<br><small>n = {number:,}</small>" if count else shown


def _gallery_table(pairs: dict[str, dict[str, float]]) -> str:
    """What street views find within 100 m among all places of a city; empty where that was not measured."""
    measured = {pair: figures for pair, figures in pairs.items() if "n_gallery_cells" in figures}
    if not measured:
        return ""
    rows = []
    for pair, figures in measured.items():
        query, target = (escape(named(end)) for end in pair.split("->"))
        galleries = ("", "_gallery_cameras", "_gallery_cells")
        cells = [f"{figures[f'acc@100m{where}']:.1f} <small>of {figures[f'n{where}']:,}</small>" for where in galleries]
        rows.append([f"<b>{query} → {target}</b>", *cells])
    head = ("", "held-out places alone", "all places, at a camera", "all places, at the center of their cell")
    return table(head, rows, figures=True) + (
        "<p><small>Accuracy within 100 m in % (and among how many), the more there is to mistake it for. Places are "
        "searched on page Explore at the centers of their cells, up to 100 m from the camera.</small></p>"
    )


def warning(card: ModelCard, split: str) -> str:
    """That a split was measured on another state of the data, in Markdown; empty if it was not."""
    state = card.outdated.get(split)
    if state is None:
        return ""
    return (
        f"**Outdated:** measured on an earlier state of the data (checksum {state['data'] or 'not recorded'}; the "
        f"atlas is {state['data_now']} now)."
    )


def distance_words(card: ModelCard, split: str) -> str:
    """How far held-out items are from the training, beside the width of a window; empty where it was not recorded."""
    facts = card.held_out.get(split, {})
    near, window = facts.get("median_distance_to_training_km"), facts.get("window_km")
    if near is None or window is None:
        return ""
    camera = facts.get("median_distance_to_training_camera_km")
    of_camera = f" ({_distance(camera)} from the nearest camera)" if camera is not None else ""
    overlap = "so that the windows of both overlap" if near < window else "so that their windows share nothing"
    return (
        f"In the median a held-out item lies {_distance(near)} from the nearest position that was trained on{of_camera}"
        f"; a window is {_distance(window)} wide, {overlap}."
    )


def _distance(kilometers: float) -> str:
    return in_round_figures(1000 * kilometers)


def named(row: str) -> str:
    """What is asked or found, as people read it: a modality, or an ensemble of its items."""
    return _OTHERS.get(row) or title(row)


def split_words(split: str, manifest: Manifest) -> str:
    """What a split measures; where modalities come from one map, the reservation stands with every table."""
    words, bound = SPLIT_WORDS.get(split, ""), upper_bound(manifest)
    return f"{words} *{bound[:1].upper()}{bound[1:]}.*" if bound else words


def query_table(queries: Sequence[dict[str, Any]], groups: dict[str, dict[str, Any]] | None = None) -> str:
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
    return (
        words + groups_words(groups or {}) + table(("Query", "Rule", "Precision %", "By chance %"), rows, figures=True)
    )


def groups_words(groups: dict[str, dict[str, Any]]) -> str:
    """Mean precision of the queries that captions say word for word, and of the others."""
    said = {
        "in_captions": "sentences of the captions, word for word, which the training read",
        "not_in_captions": "in the words of no caption",
    }
    points = []
    for name, words in said.items():
        if figures := groups.get(name):
            low, high = figures["interval_95"]
            points.append(
                f"<li>{figures['n']} queries are {words}: {figures['mean_precision']:.0f} % "
                f"(95 % interval {low:.0f} to {high:.0f}).</li>"
            )
    return f"<ul>{''.join(points)}</ul>" if points else ""


def commands(manifest: Manifest, trainings: Sequence[str] = ()) -> str:
    """The commands that make an atlas and its model again.

    Args:
        manifest: Of the atlas.
        trainings: From `trainings`; by default that of a first model.
    """
    name = manifest.name
    build = f"build city --name {name} --tiles TILES" if atlas_scale.of(manifest).is_city else f"build {name}"
    first, last = f"python -m unigeoclip {build}", f"python -m unigeoclip evaluate --atlas {name} --json"
    return "\n".join((first, *(trainings or (f"python -m unigeoclip train --atlas {name} --config mini",)), last))


def trainings(atlas: Atlas) -> list[str]:
    """The commands that repeat the recorded trainings of an atlas's models and baselines.

    Raises:
        UniGeoError: A record cannot be read.
    """
    from unigeoclip.embedders.retrained import recorded_baselines
    from unigeoclip.training.commands import train_command

    found = [
        train_command(atlas, metrics) or f"# options of its own: see model/ for the training of the split {split}"
        for metrics in (_records(atlas.model_path) if atlas.model_path.is_dir() else [])
        if metrics.get("training") and (split := metrics["split"])
    ]
    for name, record in recorded_baselines(atlas).items():
        found.append(train_command(atlas, record, name) or f"# options of its own: {name}")
    return found


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
