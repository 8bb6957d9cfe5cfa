"""Lines of Python and commands that compute again what is shown."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from unigeoclip.errors import InputError
from unigeoclip.search.query import SUM
from unigeoclip.search.query_items import GalleryItem, PackedVector, write_item

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from unigeoclip.compare.regions import Region
    from unigeoclip.search.query_items import QueryItem

__all__ = ["command_lines", "python_lines", "query_lines"]

PRINTED = 3  # matches of each modality


def query_lines(
    atlas: str,
    items: Sequence[QueryItem],
    k: int = 10,
    drawn: Mapping[str, Any] | None = None,
    source: Mapping[str, str] | None = None,
    scope: Mapping[str, Any] | None = None,
) -> str:
    """The Python lines that ask a query and write its heatmap, with this package.

    Args:
        atlas: Name of the atlas.
        items: Terms of the query; pictures packed, see ``Explorer.packed``.
        k: How many results of each modality.
        drawn: Options of ``Heatmap.png`` for the picture.
        source: Where results come from, see ``Explorer.source``.
        scope: Options of ``Explorer.query``.

    Raises:
        InputError: A picture is not packed.
    """
    named = [
        kind.__name__ for kind in (GalleryItem, PackedVector) if any(isinstance(item.value, kind) for item in items)
    ]
    options = "".join(f", {name}={value!r}" for name, value in (drawn or {}).items())
    asked = "".join(f", {name}={value!r}" for name, value in _chosen(scope).items())
    lines = [
        *([f"from unigeoclip.search.query_items import {', '.join(named)}"] if named else []),
        *_opening_lines(atlas, dict(source or {})),
        "query = explorer.query([",
        *(f"    {_item_line(item)}," for item in items),
        f"]{asked})",
        f"results = explorer.search(query, k={k})  # modality -> matches",
        "heatmap = explorer.heatmap(query)",
        'heatmap.to_geotiff("heatmap.tif")',
        f'heatmap.to_png("heatmap.png"{options})',
        "",
        "for modality, matches in results.items():",
        "    print(modality)",
        f"    for match in matches[:{PRINTED}]:",
        '        print(f"  {match.similarity:.2f}  {match.lat:.4f}, {match.lon:.4f}  {match.name}")',
        "best = heatmap.best()",
        'print(f"best on the map: {best.similarity:.2f} at {best.lat:.4f}, {best.lon:.4f}")',
        'print("written: heatmap.tif, heatmap.png")',
    ]
    return "\n".join(lines) + "\n"


def _opening_lines(atlas: str, source: dict[str, str]) -> list[str]:
    name = json.dumps(atlas)
    if not source:
        return ["from unigeoclip.search.explorer import Explorer, QueryItem", "", f"explorer = Explorer.open({name})"]
    places = f", places={json.dumps(source['places'])}" if "places" in source else ""
    return [
        "from unigeoclip.search.explorer import QueryItem",
        "from unigeoclip.search.store_explorer import StoreExplorer",
        "",
        f"explorer = StoreExplorer.over({json.dumps(source['store'])}, {name}{places})",
    ]


def _item_line(item: QueryItem) -> str:
    if isinstance(item.value, PackedVector):
        value = f"PackedVector.from_text({json.dumps(item.value.text)})"
    elif isinstance(item.value, GalleryItem):
        value = repr(item.value)
    elif isinstance(item.value, str):
        value = json.dumps(item.value, ensure_ascii=False)
    elif write_item(item) is None:
        raise InputError(_NOT_PACKED.format(item.label or item.modality))
    else:
        value = _tuple(item.value)
    weight = "" if item.weight == 1 else f", weight={item.weight!r}"
    return f"QueryItem({json.dumps(item.modality)}, {value}{weight})"


def _chosen(scope: Mapping[str, Any] | None) -> dict[str, Any]:
    """Options of ``Explorer.query`` that differ from the default."""
    return {name: value for name, value in (scope or {}).items() if value not in (None, SUM)}


def command_lines(
    atlas: str,
    items: Sequence[QueryItem],
    k: int = 10,
    source: Mapping[str, str] | None = None,
    scope: Mapping[str, Any] | None = None,
) -> str:
    """The commands that ask a query and write its results and its heatmap, for a POSIX shell.

    Args:
        atlas: Name of the atlas.
        items: Terms of the query; pictures packed, see ``Explorer.packed``.
        k: How many results of each modality.
        source: Where results come from, see ``Explorer.source``.
        scope: Options of ``Explorer.query``.

    Raises:
        InputError: A picture is not packed.
    """
    query = [f"--atlas {shlex.quote(atlas)}"]
    for item in items:
        spelling = write_item(item)
        if spelling is None:
            raise InputError(_NOT_PACKED.format(item.label or item.modality))
        query.append(f"--item {shlex.quote(spelling)}")
    for name, value in _chosen(scope).items():
        query.append(f"--bbox={','.join(map(repr, value))}" if name == "area" else f"--{name} {value}")
    asked = " ".join(query)
    where = "".join(f" --{name} {shlex.quote(value)}" for name, value in (source or {}).items())
    return (
        f"python -m unigeoclip search {asked}{where} --top {k} --out results.geojson\n"
        f"python -m unigeoclip heatmap {asked} --out heatmap.tif\n"
    )


_NOT_PACKED = "The picture {!r} has no spelling yet: give it as explorer.packed(item)."


_IMPORTED = {
    "clusters": "from unigeoclip.compare.projection import cluster_colors",
    "disagreement": "from unigeoclip.compare.disagreement import disagreement",
}


def python_lines(
    atlas: str,
    region: Region,
    models: Sequence[str],
    kind: str,
    number: int = 0,
    point: tuple[float, float] | None = None,
    picture: tuple[str, str] | None = None,
    pair: Sequence[str] = (),
) -> str:
    """The Python lines that compute what is shown, with this package.

    Args:
        atlas: Name of the atlas.
        region: What is compared.
        models: Names of the embedders, the first of which the others' colors are turned towards.
        kind: "components", "component", "clusters", "umap" or "disagreement".
        number: Which component from 0, or how many clusters.
        point: Latitude and longitude; similarity to it in place of colors.
        picture: Name of a file and what it shows ("street", say); similarity to it in place of colors.
        pair: The two of the models whose disagreement is shown, for that kind.
    """
    rectangle = f"Region.rectangle(atlas, {_tuple(region.grid.bounds)})"
    asks = point is not None or picture is not None
    colors = {
        "disagreement": "comparison.component_colors(name)",
        "components": "comparison.component_colors(name)",
        "component": f"comparison.component_colors(name, ({number},))",
        "clusters": f"cluster_colors({number})[comparison.cluster_labels(name, {number})]",
        "umap": "comparison.layout_colors(name)",
    }[kind]
    shown = f"colors = {{name: {colors} for name in models}}  # (cells, 3) sRGB, of region.grid.cells"
    if point is not None:
        shown = f"similarity = {{name: comparison.similarity(name, {_tuple(point)}) for name in models}}  # heatmaps"
    elif picture is not None:
        asked = f"embedded[name].embedder.embed_picture(picture, {json.dumps(picture[1])})"
        shown = f"picture = Path({json.dumps(picture[0])}).read_bytes()\n"
        shown += f"similarity = {{name: comparison.similarity_to(name, {asked}) for name in models}}  # heatmaps"
    elif kind == "disagreement":
        one, other = (f"embedded[{json.dumps(name)}]" for name in pair)
        shown = f"values = disagreement({one}, {other})  # (cells,) from 0 to 1, of region.grid.cells"
    lines = [
        *(["from pathlib import Path", ""] if picture is not None else []),
        "from unigeoclip.atlas import load_atlas",
        *([_IMPORTED[kind]] if kind in _IMPORTED and not asks else []),
        "from unigeoclip.compare.regions import Comparison, Region, embed_region",
        "from unigeoclip.embedders import load_embedder",
        "",
        f"atlas = load_atlas({json.dumps(atlas)})",
        f"region = {'Region.whole(atlas)' if region.name == 'atlas' else rectangle}",
        f"models = [{', '.join(json.dumps(name) for name in models)}]",
        "embedded = {name: embed_region(load_embedder(name, atlas), region) for name in models}",
        "comparison = Comparison(region, embedded)",
        shown,
        "",
        *_printed("similarity" if asks else kind),
    ]
    return "\n".join(lines) + "\n"


def _printed(kind: str) -> list[str]:
    """Lines that print what a comparison came to: best places, mean disagreement, or what there is of each model."""
    if kind == "disagreement":
        return ['print(f"mean disagreement: {values.mean():.3f}")']
    if kind == "similarity":
        return [
            "for name, heatmap in similarity.items():",
            "    best = heatmap.best()",
            '    print(f"{name}: {best.similarity:.2f} at {best.lat:.4f}, {best.lon:.4f}")',
        ]
    return [
        "for name, rgb in colors.items():",
        '    print(f"{name}: {len(rgb)} cells, {embedded[name].vectors.shape[1]} dimensions")',
    ]


def _tuple(degrees: Sequence[float]) -> str:
    """In full, so that the very same cells come out."""
    return f"({', '.join(repr(float(value)) for value in degrees)})"
