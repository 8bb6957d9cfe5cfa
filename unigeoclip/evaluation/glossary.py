"""What the names in a table of figures mean; ``evaluate --json`` and page Atlas show these words beside the figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unigeoclip.atlas.schema import Manifest
    from unigeoclip.atlas.store import Atlas


@dataclass(frozen=True)
class Split:
    """A way to hold items out of the training.

    Attributes:
        title: Heading of its figures.
        means: What it holds out: a phrase.
        reading: What its figures tell of a model that answers for another split: a sentence, or empty.
    """

    title: str
    means: str
    reading: str = ""


_BLOCKS_TITLE = "Whole regions never seen (block split)"
_BLOCKS_READING = (
    "These are the figures of a second, shorter training that never saw these cells; the buffer is at least as wide as "
    "the model's input. They show what to expect far from all training data."
)
SPLITS = {
    "random": Split(
        "Held-out points among training points (random split)",
        "held-out points among training points, whose windows overlap theirs: recognition of known territory",
    ),
    "blocks": Split(_BLOCKS_TITLE, "whole S2 cells of level 3 never seen, 3 degrees buffer", _BLOCKS_READING),
}
SPLITS_OF_A_CITY = {
    "views": Split(
        "New positions and views in known territory (views split)",
        "new camera positions and views in known territory; pairs without street views are not held out: their "
        "windows, locations and texts are those of trained territory",
    ),
    "blocks": Split(_BLOCKS_TITLE, "whole S2 cells of level 12 never seen, 300 m buffer", _BLOCKS_READING),
}
ELSEWHERE = "a whole city never seen in training; location is left out, since its encoder was not trained there"


def split_of(manifest: Manifest, split: str) -> Split | None:
    """A split of an atlas; None for a name that is none."""
    known = SPLITS_OF_A_CITY if "street" in manifest.modalities else SPLITS
    return known.get(split)


def of_split(atlas: Atlas, split: str) -> str:
    """What a split of an atlas holds out, in words; empty for a name that is none."""
    known = split_of(atlas.manifest, split)
    return known.means if known else ""


def of_items(atlas: Atlas) -> dict[str, str]:
    """Queries and targets beside plain modalities: name -> meaning; empty in an atlas without street views."""
    if "street" not in atlas.manifest.modalities:
        return {}
    ensemble = {"ensemble": "mean of all modalities of the place except the street view"}
    if atlas.manifest.pictures.get("street") != "rendered":
        return {"street": "one photo, compass known", "photo": "one photo, compass unknown"} | ensemble
    return {
        "street": "panorama of four headings with known compass",
        "photo": "one 90-degree view, compass unknown",
    } | ensemble
