"""What page Atlas says of a city's model beyond its splits: ablations, cities never seen, and what the names mean.

Everything is HTML from the dictionaries that ``evaluate --json`` shows.
"""

from __future__ import annotations

from collections import Counter
from html import escape
from typing import TYPE_CHECKING, Any

from pages.ui.atlas import model_card
from pages.ui.formatting import title
from unigeoclip.atlas.origins import upper_bound

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from unigeoclip.atlas import Atlas

# Columns of the ablations: the pair and how it reads.
_PAIRS = {
    "street->aerial": "street → aerial",
    "street->location": "street → location",
    "street->ensemble": "street → ensemble",
    "photo->aerial": "single view → aerial",
    "location->aerial": "location → aerial",
}
_FIGURE_PAIRS = ("street->aerial", "street->location", "location->aerial")
_GROUPS = {
    "modalities": "What each modality adds",
    "loss": "All pairs of modalities, or one pivot",
    "depth": "How deep the location encoder is",
    "scales": "How many scales the location encoder sees",
}
_WITHIN = "acc@100m"
_TENTH = "recall@10"  # what rows are compared by: after so few steps the first one is hardly ever right


def sections(atlas: Atlas) -> list[tuple[str, str]]:
    """Headings and HTML of all that was written down beside the model; empty where nothing was.

    Raises:
        UniGeoError: A file cannot be read.
    """
    from unigeoclip.evaluation.out_of_distribution import recorded_elsewhere
    from unigeoclip.evaluation.report import recorded_ablations

    bound = upper_bound(atlas.manifest)
    found = [
        (f"In {entry['title']}, never seen", elsewhere(entry, atlas.title, bound=bound))
        for entry in recorded_elsewhere(atlas.model_path, atlas).values()
    ]
    table = recorded_ablations(atlas.model_path, atlas)
    return found + ([] if table is None else ablations(table, bound=bound))


def meanings(atlas: Atlas, splits: Iterable[str]) -> str:
    """What splits and kinds of street views mean, as a list; empty for an atlas without street views."""
    from unigeoclip.evaluation.glossary import of_items, of_split

    items = of_items(atlas)
    if not items:
        return ""
    said = {split: of_split(atlas, split) for split in splits}
    named = {"street": "Street view", "photo": "Single street view", "ensemble": "Ensemble"}
    said |= {named[name]: words for name, words in items.items()}
    points = "".join(f"<li><b>{escape(name)}</b>: {escape(words)}.</li>" for name, words in said.items() if words)
    return f"<ul>{points}</ul>"


def elsewhere(entry: dict[str, Any], home: str, *, bound: str) -> str:
    """What a model finds in a city that it never saw.

    Args:
        entry: Of ``evaluate()["elsewhere"]``.
        home: Title of the atlas it was trained on.
        bound: The reservation of `origins.upper_bound`, empty where it does not hold.
    """
    pairs, there = entry["retrieval"], entry["title"]
    words = [f"Trained in {home} alone and asked in {there}: {entry['means']}."]
    if "acc@100m" in pairs.get("street->aerial", {}):
        figures = pairs["street->aerial"]
        words.append(
            f"Of 100 street views there, {_figure(figures, _WITHIN)} find an aerial picture within 100 m first, among "
            f"{int(figures['n']):,} places."
        )
    if entry.get("outdated"):
        words.append(f"Measured with an earlier model than the one that answers here{_data(entry)}.")
    return _said(words, bound=bound, style="new city, same renderer") + model_card.retrieval_table(pairs)


def ablations(table: dict[str, Any], *, bound: str) -> list[tuple[str, str]]:
    """Headings and HTML of each group of a table of ablations; of a table without rows none.

    Args:
        table: ``evaluate()["ablations"]``.
        bound: The reservation of `origins.upper_bound`, empty where it does not hold.
    """
    rows: list[dict[str, Any]] = table["rows"]
    if not rows:
        return []
    base = Counter(row["run"] for row in rows).most_common(1)[0][0]
    shown: list[tuple[str, str]] = []
    for group, heading in _GROUPS.items():
        some = [row for row in rows if row["group"] == group]
        if not some:
            continue
        words = [_in_words(group, some)]
        if not shown:
            words.insert(0, _budget(table))
        body = _columns(some, base) if group in ("modalities", "loss") else _bars(some, base)
        shown.append((heading, _said(words, bound=bound) + body))
    return shown


def _budget(table: dict[str, Any]) -> str:
    budget, words = table["budget"], []
    seconds = sorted(row["seconds"] for row in table["rows"])
    middle = max(1, round(seconds[len(seconds) // 2] / 60))
    words.append(
        f"Every row is a training of its own with {budget['steps']:,} steps of {budget['batch']:,} places and seed "
        f"{budget['seed']}, about {middle} minutes, measured on the split {table['split']}: far shorter than that of "
        "the model that answers here, so compare rows with each other only. One seed: a few points can be chance."
    )
    if not table.get("complete", True):
        words.append("Not all rows are trained yet.")
    if table.get("outdated"):
        words.append(f"Trained on earlier data of this atlas{_data(table)}.")
    return " ".join(words)


def _data(record: dict[str, Any]) -> str:
    """Checksums of the data of a record and of those of the atlas now, where they differ."""
    data, now = record.get("data"), record.get("data_now")
    return f" (data {data or 'not recorded'}, now {now})" if now is not None and data != now else ""


def _in_words(group: str, rows: Sequence[dict[str, Any]]) -> str:
    """What a group of rows says, in a sentence."""
    if group == "modalities":
        pair = next((row for row in rows if set(row["modalities"]) == {"street", "aerial"}), None)
        return "From two modalities to all of them. " + _compared(
            pair, rows[-1], "trained on street views and aerial pictures alone", "with " + rows[-1]["name"]
        )
    if group == "loss":
        whole, pivot = (next((row for row in rows if (row["pivot"] is None) == none), None) for none in (True, False))
        with_pivot = "" if pivot is None else f"with the {title(pivot['pivot']).lower()} as the pivot of all pairs"
        return "All-to-all contrasts every modality with every other. " + _compared(
            pivot, whole, with_pivot, "with all pairs"
        )
    best = max(rows, key=lambda row: _value(row, "street->location"))
    if group == "depth":
        return (
            "Depth counts transformer blocks; the residual layers after them stay in every row, so that depth 0 is "
            f"more than plain Fourier features. From a street view the location is found best at {best['name']}."
        )
    return (
        "The scales lie evenly between the same coarsest and finest; a single one lies in their middle. From a street "
        f"view the location is found best with {best['name']}."
    )


def _compared(first: dict[str, Any] | None, last: dict[str, Any] | None, before: str, after: str) -> str:
    """Street view to aerial picture of two rows in a sentence; empty where one is missing."""
    if first is None or last is None or first is last or "street->aerial" not in last["retrieval"]:
        return ""
    a, b = (_rounded(_value(row, "street->aerial")) for row in (first, last))
    return f"Of 100 street views {a} have their aerial picture among the first ten {before}, {b} {after}."


def _value(row: dict[str, Any], pair: str) -> float:
    return float(row["retrieval"].get(pair, {}).get(_TENTH, 0.0))


def _columns(rows: Sequence[dict[str, Any]], base: str) -> str:
    """Within 100 m, and recall at 1 and 10 below it, of every pair."""
    pairs = [pair for pair in _PAIRS if any(pair in row["retrieval"] for row in rows)]
    body = [[_name(row, base), *(_cell(row["retrieval"].get(pair)) for pair in pairs)] for row in rows]
    legend = (
        "<p><small>Large: accuracy within 100 m in %, how often what comes first lies at most 100 m from the camera or "
        "point that was asked with. Small: recall@1 / recall@10 in %. A dash: the row has no such modality.</small></p>"
    )
    return _table(("trained on ↓, asked → found", *(_PAIRS[pair] for pair in pairs)), body) + legend


def _bars(rows: Sequence[dict[str, Any]], base: str) -> str:
    """Recall among the first ten as bars, one column a pair; the longest bar of the figure fills its cell."""
    pairs = [pair for pair in _FIGURE_PAIRS if any(pair in row["retrieval"] for row in rows)]
    longest = max((_value(row, pair) for row in rows for pair in pairs), default=0.0) or 1.0
    body = [
        [
            _name(row, base),
            *(
                f'<span class="ugc-bar" style="width:{100 * _value(row, pair) / longest:.1f}%"></span>'
                f"{_figure(row['retrieval'].get(pair), _TENTH)}"
                for pair in pairs
            ),
        ]
        for row in rows
    ]
    legend = "<p><small>How often the right one is among the first ten, in %.</small></p>"
    return _table(("", *(_PAIRS[pair] for pair in pairs)), body, kind="ugc-bars") + legend


def _name(row: dict[str, Any], base: str) -> str:
    return f"<b>{escape(row['name'])}</b>" + (" <small>(base)</small>" if row["run"] == base else "")


def _cell(figures: dict[str, float] | None) -> str:
    if figures is None:
        return "–"
    if figures.get("too_few"):
        return f"<small>too few: n = {int(figures['n']):,}</small>"
    recall = " / ".join(_figure(figures, key) for key in ("recall@1", "recall@10"))
    return f"{_figure(figures, _WITHIN)}<br><small>{recall}</small>"


def _figure(figures: dict[str, float] | None, key: str) -> str:
    return "–" if figures is None or key not in figures else _rounded(figures[key])


def _rounded(percent: float) -> str:
    """Whole numbers, small ones with a digit more."""
    return f"{percent:.0f}" if percent >= 9.95 else f"{percent:.1f}"


def _said(sentences: Iterable[str], *, bound: str, style: str = "") -> str:
    """Sentences above a table, and the reservation where it holds; ``style`` says how it holds of another city."""
    text = escape(" ".join(sentence for sentence in sentences if sentence), quote=False)
    said = f"{bound[:1].upper()}{bound[1:]}" + (f" ({style})" if style else "")
    return f"<p class='ugc-said'>{text}{f' <i>{escape(said, quote=False)}.</i>' if bound else ''}</p>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], kind: str = "") -> str:
    columns = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    names = " ".join(filter(None, ("ugc-table is-figures", kind)))
    table = f'<table class="{names}"><thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table>'
    return f'<div class="ugc-scroll" tabindex="0">{table}</div>'
