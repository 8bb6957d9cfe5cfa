"""What page Atlas says of a city's model beyond its splits: ablations, cities never seen, and names of items.

Everything comes from the dictionaries that ``evaluate --json`` shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pages.ui.atlas import ablations
from pages.ui.atlas.retrieval import WITHIN, named, retrieval_tables, rounded
from pages.ui.formatting import literal
from pages.ui.widgets.templating import render
from unigeoclip.atlas.origins import upper_bound

if TYPE_CHECKING:
    from unigeoclip.atlas import Atlas


def sections(atlas: Atlas) -> list[tuple[str, str]]:
    """Headings in Markdown and HTML of all that was written down beside the model; empty where nothing was.

    Raises:
        UniGeoError: A file cannot be read.
    """
    from unigeoclip.evaluation.out_of_distribution import recorded_elsewhere
    from unigeoclip.evaluation.report import recorded_ablations

    bound = upper_bound(atlas.manifest)
    found = [
        (f"{literal(entry['title'])}, never seen in training", elsewhere(entry, atlas.title, bound=bound))
        for entry in recorded_elsewhere(atlas.model_path, atlas).values()
    ]
    table = recorded_ablations(atlas.model_path, atlas)
    return found + ([] if table is None else ablations.sections(table, bound=bound))


def meanings(atlas: Atlas) -> str:
    """What the kinds of street views and the ensemble are, as a list; empty for an atlas without street views."""
    from unigeoclip.evaluation.glossary import of_items

    items = {named(name): words for name, words in of_items(atlas).items()}
    return render("atlas/templates/names.html", meanings=items) if items else ""


def elsewhere(entry: dict[str, Any], home: str, *, bound: str) -> str:
    """What a model finds in a city that it never saw, as HTML.

    Args:
        entry: Of ``evaluate()["elsewhere"]``.
        home: Title of the atlas it was trained on.
        bound: The reservation of `origins.upper_bound`, empty where it does not hold.
    """
    figures = entry["retrieval"].get("street->aerial", {})
    return render(
        "atlas/templates/other_city.html",
        home=home,
        title=entry["title"],
        means=entry["means"],
        within=rounded(figures[WITHIN]) if WITHIN in figures else None,
        count=int(figures.get("n", 0)),
        outdated=entry.get("outdated", False),
        data=entry.get("data"),
        data_now=entry.get("data_now"),
        bound=bound,
        tables=retrieval_tables(entry["retrieval"]),
    )
