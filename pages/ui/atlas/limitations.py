"""What the model of an atlas cannot do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages.ui import atlas_scale
from pages.ui.widgets.templating import render
from unigeoclip.atlas.origins import NAMES, RENDERED, made, map_name
from unigeoclip.geo import in_round_figures

if TYPE_CHECKING:
    from unigeoclip.atlas.schema import Manifest


def limits(manifest: Manifest) -> str:
    """The limits as a list in HTML; each kind of picture of a city has its own, whatever holds of the others."""
    return render(
        "atlas/templates/limitations.html",
        is_city=atlas_scale.of(manifest).is_city,
        title=manifest.title,
        window=in_round_figures(manifest.window_m),
        drawn=[name for name in made(manifest, RENDERED) if name != NAMES["surface"]],
        photographed=made(manifest, "photographed"),
        heights_drawn=manifest.pictures.get("surface") == RENDERED,
        map=map_name(manifest),
        notes=manifest.notes,
    )
