"""What a site holds of an atlas: what the page is told of it, and files that it reads when they are looked at."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.atlas.base_picture import base_picture
from unigeoclip.atlas.examples import of_atlas
from unigeoclip.search.query_items import parse_item
from unigeoclip.search.query_levels import levels_of_query
from unigeoclip.similarity.calibration import calibration
from unigeoclip.similarity.colormaps import hex_color, palette
from unigeoclip.similarity.levels import levels_of_modality
from unigeoclip.site.gallery import SiteGallery
from unigeoclip.site.grids import OURS, Detail, ModelGrid, model_grids

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from unigeoclip.search.explorer import Explorer, QueryItem
    from unigeoclip.similarity.browser.compact import CompactGrid
    from unigeoclip.similarity.levels import Levels

__all__ = ["AtlasContent", "Material", "atlas_content", "color_scale", "with_query"]

COLORS = 64
LOW_OPACITY = 0.25  # where nothing is like the query, the map below shows through
_CITY_WINDOW_M = 2_000.0  # pictures narrower than this show streets, not landscapes


@dataclass(frozen=True)
class AtlasContent:
    """An atlas in a site.

    Attributes:
        about: What the page is told, plain values; names of parts stand in it.
        parts: Name of a part -> its bytes. A name ends as a file of its kind does.
        compact: The grid of our model, onto whose components queries are turned.
    """

    about: dict[str, Any]
    parts: dict[str, bytes]
    compact: CompactGrid

    @property
    def nbytes(self) -> int:
        """Of all parts."""
        return sum(map(len, self.parts.values()))


@dataclass(eq=False)
class Material:
    """What is put into a site of one atlas, and what has been computed for it already.

    Attributes:
        explorer: The atlas.
        models: Names of embedders, ours first.
        known: Vectors of the grid by embedder.
        drawn: Sprites by `Sprite.key`.
    """

    explorer: Explorer
    models: Sequence[str]
    known: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    drawn: dict[tuple[object, ...], bytes] = field(default_factory=dict)


def atlas_content(material: Material, detail: Detail, report: Callable[[str], None] = lambda _: None) -> AtlasContent:
    """Put an atlas together.

    Args:
        material: What goes into it.
        detail: How finely vectors are kept.
        report: Called with what is being done.

    Raises:
        InputError: The visitor's query cannot be encoded.
    """
    explorer = material.explorer
    manifest = explorer.atlas.manifest
    grids = model_grids(explorer, material.models, detail, material.known, report)
    ours = grids[0].compact
    gallery = SiteGallery(explorer, ours)
    report(f"Answering the examples of {manifest.title}")
    examples = [
        _example(explorer, ours, gallery, each.title, [parse_item(link) for link in each.link])
        for each in of_atlas(manifest.name, is_city=manifest.window_m < _CITY_WINDOW_M)
    ]
    parts: dict[str, bytes] = {}

    def keep(stem: str, data: bytes, ending: str) -> str:
        return _keep(parts, f"{manifest.name}-{stem}", data, ending)

    bounds = explorer.grid.mercator_bounds
    picture, within = base_picture(explorer.atlas, bounds)
    places = gallery.members()
    for name, sprite in gallery.sprites.items():
        if sprite.key not in material.drawn:
            report(f"Drawing {len(sprite)} pictures of {manifest.title}: {name}")
            material.drawn[sprite.key] = sprite.webp()
        places[name]["sprite"] = keep(name, material.drawn[sprite.key], "webp")
    lines = explorer.atlas.line_layers()
    shown = [source for source in manifest.sources if not source.what.startswith("rules")]
    about = {
        "name": manifest.name,
        "title": manifest.title,
        "summary": manifest.summary,
        "bounds": bounds,
        "isCity": manifest.window_m < _CITY_WINDOW_M,
        "attribution": list(dict.fromkeys(source.attribution for source in shown if source.attribution)),
        "base": {"part": keep("base", picture, "webp"), "bounds": within},
        "lines": [{"kind": kind, "part": keep(kind, path.read_bytes(), "geojson.gz")} for kind, path in lines.items()],
        "models": [_model(grid, explorer, keep) for grid in grids],
        "examples": examples,
        "gallery": {"codes": keep("codes", gallery.codes(), "bin"), "modalities": places},
    }
    return AtlasContent(about, parts, ours)


def with_query(content: AtlasContent, explorer: Explorer, items: Sequence[QueryItem]) -> AtlasContent:
    """The same content with a visitor's own query, which the page shows first.

    Args:
        content: Of the explorer's atlas.
        explorer: Of the atlas.
        items: The query.

    Raises:
        InputError: It cannot be encoded.
    """
    gallery = SiteGallery(explorer, content.compact, sample=0)
    own = _example(explorer, content.compact, gallery, _words(items), items) | {"own": True}
    parts = dict(content.parts)
    own["sprites"] = {
        name: _keep(parts, f"{explorer.atlas.name}-own-{name}", sprite.webp(), "webp")
        for name, sprite in gallery.sprites.items()
    }
    return AtlasContent({**content.about, "examples": [own, *content.about["examples"]]}, parts, content.compact)


def _keep(parts: dict[str, bytes], stem: str, data: bytes, ending: str) -> str:
    """Put a part among others under a name that changes with its content."""
    name = f"{stem}-{hashlib.sha256(data).hexdigest()[:8]}.{ending}"
    parts[name] = data
    return name


def _model(grid: ModelGrid, explorer: Explorer, keep: Callable[[str, bytes, str], str]) -> dict[str, Any]:
    measured = calibration(explorer.atlas) if grid.name == OURS else None
    return {
        "id": grid.name,
        "title": grid.title,
        "source": grid.source,
        "part": keep(grid.name, grid.compact.to_bytes(), "bin"),
        "encoder": None if grid.encoder is None else keep(f"{grid.name}-encoder", grid.encoder, "bin"),
        "dim": grid.dim,
        "components": len(grid.compact.codes),
        "errors": grid.errors,
        "turn": np.round(grid.turn, 9).tolist(),
        "limits": _limits(levels_of_modality(measured, "location")),
    }


def _limits(levels: Levels | None) -> list[float] | None:
    """Similarities of the lowest and the highest color, and where chance ends; None where that was not measured."""
    return None if levels is None else [round(value, 4) for value in (*levels.limits, levels.chance)]


def _words(items: Sequence[QueryItem]) -> str:
    return " ".join(
        ("" if number == 0 and item.weight == 1 else f"{'−' if item.weight < 0 else '+'} ")
        + ("" if abs(item.weight) == 1 else f"{abs(item.weight):g} × ")
        + (item.label or str(item.modality))
        for number, item in enumerate(items)
    )


def _example(
    explorer: Explorer, compact: CompactGrid, gallery: SiteGallery, title: str, items: Sequence[QueryItem]
) -> dict[str, Any]:
    query = explorer.query(items)
    vector = query.vector.astype(np.float64)
    alone = items[0] if len(items) == 1 and items[0].modality == "location" and items[0].weight > 0 else None
    return {
        "title": title,
        "at": None if alone is None else [round(float(value), 6) for value in alone.value],
        "along": np.round(compact.basis.T @ vector, 6).tolist(),
        "constant": round(float(compact.mean @ vector), 6),
        "limits": _limits(levels_of_query(calibration(explorer.atlas), items)),
        "notes": [note.text for note in query.notes],
        "results": gallery.results(query),
    }


def color_scale(name: str) -> list[str]:
    """The colors of a color map as CSS writes them, from low to high."""
    return [hex_color(rgb) for rgb in palette(name, COLORS)]
