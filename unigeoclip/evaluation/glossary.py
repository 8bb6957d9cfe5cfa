"""What the names in a table of figures mean: said beside them, since a figure without it says little."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unigeoclip.atlas.store import Atlas

OF_SPLITS = {
    "random": "held-out points among training points, whose windows overlap theirs: recognition of known territory",
    "blocks": "whole S2 cells of level 3 never seen, 3 degrees buffer",
}
OF_SPLITS_OF_A_CITY = {
    "views": "new camera positions and views in known territory; it holds out nothing for pairs without street views, "
    "whose windows, locations and texts are those of trained territory",
    "blocks": "whole S2 cells of level 12 never seen, 300 m buffer",
}
ELSEWHERE = "a whole city never seen; location is left out, since its encoder knows nothing there"


def of_split(atlas: Atlas, split: str) -> str:
    """What a split of an atlas holds out, in words; empty for a name that is none."""
    known = OF_SPLITS_OF_A_CITY if "street" in atlas.manifest.modalities else OF_SPLITS
    return known.get(split, "")


def of_items(atlas: Atlas) -> dict[str, str]:
    """What is asked with and found beside plain modalities: name -> words; empty in an atlas without street views."""
    if "street" not in atlas.manifest.modalities:
        return {}
    ensemble = {"ensemble": "mean of all modalities of the place but the street view"}
    if atlas.manifest.pictures.get("street") != "rendered":
        return {"street": "one photo, compass known", "photo": "one photo, compass unknown"} | ensemble
    return {
        "street": "panorama of four headings with known compass",
        "photo": "one 90-degree view, compass unknown",
    } | ensemble
