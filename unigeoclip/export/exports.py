"""Answers and compared maps to take away: GeoTIFF, GeoParquet, GeoJSON, CSV, a page of maps, lines that do the same."""

from __future__ import annotations

import base64
import html
import io
import json
import math
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from unigeoclip.errors import InputError
from unigeoclip.extras import needs_extra
from unigeoclip.files.atomic import write_bytes
from unigeoclip.geo import web_mercator
from unigeoclip.paths import LEAFLET
from unigeoclip.search.query_items import PackedVector, write_item
from unigeoclip.similarity.grid_files import geotiff

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.compare.regions import Comparison, Region
    from unigeoclip.geo import Bounds
    from unigeoclip.search.explorer import Match
    from unigeoclip.search.query_items import QueryItem
    from unigeoclip.similarity.grid import Grid

__all__ = [
    "Marker",
    "Pane",
    "check_results_ending",
    "colors_geotiff",
    "command_lines",
    "geoparquet",
    "map_page",
    "python_lines",
    "query_lines",
    "results_csv",
    "results_geojson",
    "results_table",
    "save_results",
]

BASE_WIDTH_PX = 1024  # of the picture below the colours, at least
PRINTED = 3  # matches of each modality
_TILE_PX = 256
_MERCATOR_HALF_M = math.pi * 6_378_137.0


@dataclass(frozen=True)
class Marker:
    """A point on a map page.

    Attributes:
        lat: Degrees.
        lon: Degrees.
        label: What is shown beside the pointer.
        group: What it is one of; named once, with the colour, above the map.
        color: As CSS writes it.
    """

    lat: float
    lon: float
    label: str
    group: str = ""
    color: str = "#ffffff"


@dataclass(frozen=True)
class Pane:
    """One map of a map page: a model, or a query.

    Attributes:
        title: Its name.
        picture: PNG in Web Mercator over the mercator bounds of the region's grid.
        note: Below the name: where the model is from, or the range of similarity.
        markers: Points above the picture, the last on top.
        legend: What the colours mean, as the app's maps take it: "title"; "stops", [fraction, similarity, colour],
            "ticks", [fraction, text], "low" and "high" of a bar; "swatches", [colour, text, figure]; "words".
    """

    title: str
    picture: bytes
    note: str = ""
    markers: tuple[Marker, ...] = ()
    legend: Mapping[str, Any] | None = None


def colors_geotiff(grid: Grid, rgb: NDArray[np.uint8], describe: str = "") -> bytes:
    """Colours of cells as a GeoTIFF: red, green, blue and alpha, EPSG:4326, one pixel a cell, transparent off the grid.

    Args:
        grid: The cells.
        rgb: (n, 3) sRGB.
        describe: What they mean, for the file's description.

    Raises:
        InputError: The number of colours is not that of the cells.
    """
    if rgb.shape != (len(grid), 3):
        raise InputError(f"{len(grid)} cells need as many colours, (n, 3); got {rgb.shape}.")
    pixels = np.zeros((4, *grid.shape), np.uint8)
    pixels[:, grid.mask] = np.column_stack([rgb, np.full(len(rgb), 255, np.uint8)]).T
    return geotiff(grid, pixels, tags={"TIFFTAG_IMAGEDESCRIPTION": describe})


def geoparquet(comparison: Comparison, describe: dict[str, Any] | None = None) -> bytes:
    """The cells of a region with the vectors of every model, as GeoParquet.

    Args:
        comparison: The models, embedded completely or coarsely.
        describe: More columns, name -> (n, ...) values of the cells.

    Returns:
        A file with a point a row, in EPSG:4326: "area_km2", the columns of ``describe``, and one column a model, named
        like it, of ``dim`` float32 numbers.
    """
    import geopandas

    grid = comparison.region.grid
    columns: dict[str, Any] = {"area_km2": grid.area_km2} | (describe or {})
    columns |= {name.replace("-", "_"): list(embedded.vectors) for name, embedded in comparison.embedded.items()}
    points = geopandas.points_from_xy(grid.cells[:, 1], grid.cells[:, 0])
    file = io.BytesIO()
    geopandas.GeoDataFrame(columns, geometry=points, crs="EPSG:4326").to_parquet(file, compression="zstd")
    return file.getvalue()


def results_table(results: Mapping[str, Sequence[Match]]) -> Any:
    """The matches of all modalities as one table.

    Args:
        results: From ``Explorer.search``: modality name -> matches, the most similar first.

    Returns:
        A GeoDataFrame in EPSG:4326, a row a match in the same order: "place_id", "modality", "name", "lat" and "lon"
        (degrees; of a street view, where the camera stands), "similarity" in [-1, 1], "distance_m" (metres from the
        query's point, if it has one) and "heading_deg" (of a street view, clockwise from north).
    """
    import geopandas

    matches = [match for found in results.values() for match in found]
    columns: dict[str, Any] = {name: [getattr(match, name) for match in matches] for name in _RESULT_COLUMNS}
    for name, digits in _RESULT_DIGITS.items():
        columns[name] = np.round(np.array(columns[name], np.float64), digits)
    points = geopandas.points_from_xy(columns["lon"], columns["lat"])
    return geopandas.GeoDataFrame(columns, geometry=points, crs="EPSG:4326")


_RESULT_COLUMNS = ("place_id", "modality", "name", "lat", "lon", "similarity", "distance_m", "heading_deg")
_RESULT_DIGITS = {"lat": 7, "lon": 7, "similarity": 6, "distance_m": 1, "heading_deg": 1}


def results_geojson(results: Mapping[str, Sequence[Match]]) -> bytes:
    """`results_table` as GeoJSON (RFC 7946), a point a match, in UTF-8; figures that are missing are null."""
    text: str = results_table(results).to_json(drop_id=True, na="null", ensure_ascii=False)
    return text.encode()


def results_csv(results: Mapping[str, Sequence[Match]]) -> bytes:
    """`results_table` as CSV with a header, in UTF-8; figures that are missing are empty."""
    text: str = results_table(results).drop(columns="geometry").to_csv(index=False, lineterminator="\n")
    return text.encode()


def save_results(results: Mapping[str, Sequence[Match]], path: str | Path) -> None:
    """Write results in the form that the ending of the file's name says: .geojson or .csv.

    Raises:
        InputError: Another ending, or the file cannot be written.
    """
    check_results_ending(path)
    write_bytes(path, _RESULT_WRITERS[Path(path).suffix.lower()](results))


def check_results_ending(path: str | Path) -> None:
    """Check that results can be written to a file of that name, before the work is done.

    Raises:
        InputError: The ending is unknown, or the folder does not exist.
    """
    path = Path(path)
    if path.suffix.lower() not in _RESULT_WRITERS:
        raise InputError(f"{path.name}: results are written as .geojson or .csv.")
    if not path.parent.is_dir():
        raise InputError(f"{path} cannot be written: the folder {path.parent} does not exist.")


_RESULT_WRITERS = {".geojson": results_geojson, ".csv": results_csv}


def map_page(atlas: Atlas, bounds: Bounds, panes: Sequence[Pane], *, title: str, explanation: str) -> str:
    """A page of maps side by side that move together: one file that opens without a network.

    Args:
        atlas: Whose picture lies below the colours.
        bounds: Of the pictures: south, west, north, east, degrees, within the Web Mercator square.
        panes: The models or queries, at least one.
        title: Of the page.
        explanation: What the colours mean.
    """
    with needs_extra("export"):
        import folium
        from branca.element import Element, Figure

    south, west, north, east = bounds
    corners = [[south, west], [north, east]]
    base, within = _base_picture(atlas, bounds)
    figure = Figure(title=html.escape(title))  # branca puts it between the tags as it is
    maps = []
    for number, pane in enumerate(panes):
        share = 100 / len(panes)
        shown = folium.Map(
            location=[(south + north) / 2, (west + east) / 2], tiles=None, attributionControl=False, zoomSnap=0.25,
            width=f"{share}%", left=f"{share * number}%", position="absolute",
        )  # fmt: skip
        shown.default_js, shown.default_css = [], []  # the page brings its own Leaflet; nothing is fetched
        folium.raster_layers.ImageOverlay(base, [within[:2], within[2:]], opacity=0.9).add_to(shown)
        folium.raster_layers.ImageOverlay(_data_url("image/png", pane.picture), corners, opacity=0.8).add_to(shown)
        for marker in pane.markers:
            _dot(marker, west).add_to(shown)
        shown.fit_bounds(corners)
        figure.add_child(shown)
        maps.append(shown.get_name())
    figure.header.add_child(Element(f"<style>{(LEAFLET / 'leaflet.css').read_text('utf-8')}{_STYLE}</style>"))
    figure.header.add_child(Element(f"<script>{(LEAFLET / 'leaflet.js').read_text('utf-8')}</script>"))
    figure.html.add_child(Element(_heading(panes, title, explanation, atlas) + _legends(panes)), index=0)
    figure.script.add_child(Element(_SYNC % json.dumps(maps).replace('"', "")))
    rendered: str = figure.render()
    return rendered


def _dot(marker: Marker, west: float) -> Any:
    """A marker for folium, on a map whose western edge is at so many degrees."""
    with needs_extra("export"):
        import folium

    # Folium puts the text between backticks of a script: what would end them, or start code in them, becomes an entity.
    text = html.escape(marker.label).replace("\\", "&#92;").replace("`", "&#96;").replace("$", "&#36;")
    lon = marker.lon if marker.lon >= west else marker.lon + 360
    return folium.CircleMarker(
        [marker.lat, lon], radius=6, color="#10212a", weight=1.5, fill=True, fill_color=marker.color, fill_opacity=1.0,
        tooltip=folium.Tooltip(text),
    )  # fmt: skip


def query_lines(atlas: str, items: Sequence[QueryItem], k: int = 10, drawn: Mapping[str, Any] | None = None) -> str:
    """The Python lines that ask a query and write its heatmap, with this package.

    Args:
        atlas: Name of the atlas.
        items: Terms of the query; pictures packed, see ``Explorer.packed``.
        k: How many results of each modality.
        drawn: Options of ``Heatmap.png`` for the picture.

    Raises:
        InputError: A picture is not packed.
    """
    packed = any(isinstance(item.value, PackedVector) for item in items)
    options = "".join(f", {name}={value!r}" for name, value in (drawn or {}).items())
    lines = [
        *(["from unigeoclip.search.query_items import PackedVector"] if packed else []),
        "from unigeoclip.search.explorer import Explorer, QueryItem",
        "",
        f"explorer = Explorer.open({json.dumps(atlas)})",
        "query = explorer.query([",
        *(f"    {_item_line(item)}," for item in items),
        "])",
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


def _item_line(item: QueryItem) -> str:
    if isinstance(item.value, PackedVector):
        value = f"PackedVector.from_text({json.dumps(item.value.text)})"
    elif isinstance(item.value, str):
        value = json.dumps(item.value, ensure_ascii=False)
    elif write_item(item) is None:
        raise InputError(_NOT_PACKED.format(item.label or item.modality))
    else:
        value = _tuple(item.value)
    weight = "" if item.weight == 1 else f", weight={item.weight!r}"
    return f"QueryItem({json.dumps(item.modality)}, {value}{weight})"


def command_lines(atlas: str, items: Sequence[QueryItem], k: int = 10) -> str:
    """The commands that ask a query and write its results and its heatmap, for a POSIX shell.

    Args:
        atlas: Name of the atlas.
        items: Terms of the query; pictures packed, see ``Explorer.packed``.
        k: How many results of each modality.

    Raises:
        InputError: A picture is not packed.
    """
    query = [f"--atlas {shlex.quote(atlas)}"]
    for item in items:
        spelling = write_item(item)
        if spelling is None:
            raise InputError(_NOT_PACKED.format(item.label or item.modality))
        query.append(f"--item {shlex.quote(spelling)}")
    asked = " ".join(query)
    return (
        f"python -m unigeoclip search {asked} --top {k} --out results.geojson\n"
        f"python -m unigeoclip heatmap {asked} --out heatmap.tif\n"
    )


_NOT_PACKED = "The picture {!r} has no spelling yet: give it as explorer.packed(item)."


def python_lines(
    atlas: str,
    region: Region,
    models: Sequence[str],
    kind: str,
    number: int = 0,
    point: tuple[float, float] | None = None,
    picture: tuple[str, str] | None = None,
) -> str:
    """The Python lines that compute what is shown, with this package.

    Args:
        atlas: Name of the atlas.
        region: What is compared.
        models: Names of the embedders, the first of which the others' colours are turned towards.
        kind: "components", "component", "clusters" or "umap".
        number: Which component from 0, or how many clusters.
        point: Latitude and longitude; similarity to it in place of colours.
        picture: Name of a file and what it shows ("street", say); similarity to it in place of colours.
    """
    whole = region.name == "atlas"
    place = "Region.whole(atlas)" if whole else f"Region.rectangle(atlas, {_tuple(region.grid.bounds)})"
    colors = {
        "components": "comparison.component_colors(name)",
        "component": f"comparison.component_colors(name, ({number},))",
        "clusters": f"cluster_colors({number})[comparison.cluster_labels(name, {number})]",
        "umap": "comparison.layout_colors(name)",
    }[kind]
    shown = f"colours = {{name: {colors} for name in models}}  # (cells, 3) sRGB, of region.grid.cells"
    if point is not None:
        shown = f"similarity = {{name: comparison.similarity(name, {_tuple(point)}) for name in models}}  # heatmaps"
    elif picture is not None:
        asked = f"embedded[name].embedder.embed_picture(picture, {json.dumps(picture[1])})"
        shown = f"picture = Path({json.dumps(picture[0])}).read_bytes()\n"
        shown += f"similarity = {{name: comparison.similarity_to(name, {asked}) for name in models}}  # heatmaps"
    clusters = kind == "clusters" and point is None and picture is None
    lines = [
        *(["from pathlib import Path", ""] if picture is not None else []),
        "from unigeoclip.atlas import load_atlas",
        "from unigeoclip.compare.regions import Comparison, Region, embed_region",
        "from unigeoclip.embedders import load_embedder",
        *(["from unigeoclip.compare.projection import cluster_colors"] if clusters else []),
        "",
        f"atlas = load_atlas({json.dumps(atlas)})",
        f"region = {place}",
        f"models = [{', '.join(json.dumps(name) for name in models)}]",
        "embedded = {name: embed_region(load_embedder(name, atlas), region) for name in models}",
        "comparison = Comparison(region, embedded)",
        shown,
        "",
        *_printed(point is not None or picture is not None),
    ]
    return "\n".join(lines) + "\n"


def _printed(asks: bool) -> list[str]:
    """Lines that print what a comparison came to: the best places of each model, or how alike the models are."""
    if asks:
        return [
            "for name, heatmap in similarity.items():",
            "    best = heatmap.best()",
            '    print(f"{name}: {best.similarity:.2f} at {best.lat:.4f}, {best.lon:.4f}")',
        ]
    return [
        "for name, rgb in colours.items():",
        '    print(f"{name}: {len(rgb)} cells, {embedded[name].vectors.shape[1]} dimensions")',
    ]


def _tuple(degrees: Sequence[float]) -> str:
    """In full, so that the very same cells come out."""
    return f"({', '.join(repr(float(value)) for value in degrees)})"


def _data_url(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _base_picture(atlas: Atlas, bounds: Bounds) -> tuple[str, Bounds]:
    """The atlas's picture within bounds, put together from its tiles, as a URL; and its own bounds, cut at 180 E."""
    south, west, north, east = bounds
    east = min(east, 180.0)
    (left_m, top_m), (right_m, bottom_m) = web_mercator(np.array([[north, west], [south, east - 1e-9]])).tolist()
    zoom = math.log2(BASE_WIDTH_PX / _TILE_PX * 2 * _MERCATOR_HALF_M / (right_m - left_m))
    zoom = min(24, max(0, math.ceil(zoom)))
    px_m = 2 * _MERCATOR_HALF_M / 2**zoom / _TILE_PX
    left, right = ((x_m + _MERCATOR_HALF_M) / px_m for x_m in (left_m, right_m))
    top, bottom = ((_MERCATOR_HALF_M - y_m) / px_m for y_m in (top_m, bottom_m))
    across, down = (
        range(int(low) // _TILE_PX, min(math.ceil(high / _TILE_PX), 2**zoom))
        for low, high in ((left, right), (top, bottom))
    )
    raster = atlas.raster("aerial")
    rows = [np.concatenate([raster.tile(zoom, x, y, _TILE_PX) for x in across], axis=2) for y in down]
    picture = Image.fromarray(np.concatenate(rows, axis=1).transpose(1, 2, 0)[..., :3])
    corner_x, corner_y = across[0] * _TILE_PX, down[0] * _TILE_PX
    picture = picture.crop((left - corner_x, top - corner_y, right - corner_x, bottom - corner_y))
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=72, method=2)
    return _data_url("image/webp", file.getvalue()), (south, west, north, east)


def _heading(panes: Sequence[Pane], title: str, explanation: str, atlas: Atlas) -> str:
    cells = "".join(
        f"<div><b>{html.escape(pane.title)}</b><small>{html.escape(pane.note)}{_groups(pane)}</small></div>"
        for pane in panes
    )
    # What judges the model stands on no map.
    shown = [source for source in atlas.manifest.sources if not source.what.startswith("rules")]
    makers = " · ".join(dict.fromkeys(source.attribution for source in shown))
    return (
        f"<header><p><strong>{html.escape(title)}</strong> {html.escape(explanation)} "
        f"<small>{html.escape(makers)}</small></p><div class='panes'>{cells}</div></header>"
    )


def _groups(pane: Pane) -> str:
    """The groups of a pane's markers, each with its colour."""
    groups = {marker.group: marker.color for marker in pane.markers if marker.group}
    return "".join(
        f"<span class='group'><i style='background:{html.escape(color)}'></i>{html.escape(group)}</span>"
        for group, color in groups.items()
    )


def _legends(panes: Sequence[Pane]) -> str:
    """The legends of all panes, each over the lower left corner of its map."""
    share = 100 / len(panes)
    return "".join(
        f"<aside style='left:calc({share * number}% + 10px);max-width:calc({share}% - 34px)'>"
        f"{_legend(pane.legend)}</aside>"
        for number, pane in enumerate(panes)
        if pane.legend
    )


def _legend(legend: Mapping[str, Any]) -> str:
    parts = [f"<b>{html.escape(legend['title'])}</b>"]
    if stops := legend.get("stops"):
        colors = ", ".join(f"{color} {100 * fraction:.1f}%" for fraction, _, color in stops)
        ticks = "".join(f"<span>{html.escape(text)}</span>" for _, text in legend["ticks"])
        parts.append(f"<div class='bar' style='background:linear-gradient(90deg,{html.escape(colors)})'></div>")
        parts.append(f"<div class='row'>{ticks}</div>")
        ends = "".join(f"<span>{html.escape(legend[end])}</span>" for end in ("low", "high"))
        parts.append(f"<div class='row'>{ends}</div>")
    for color, *texts in legend.get("swatches", ()):
        label = ", ".join(html.escape(text) for text in texts)
        parts.append(f"<div class='swatch'><i style='background:{html.escape(color)}'></i>{label}</div>")
    if legend.get("words"):
        parts.append(f"<small>{html.escape(legend['words'])}</small>")
    return "".join(parts)


_STYLE = """
html, body { margin: 0; height: 100%; font: 14px/1.35 system-ui, sans-serif; color: #16232b; }
header { position: absolute; inset: 0 0 auto; max-height: 50%; overflow: auto; }
header p { margin: 0; padding: .4rem .7rem 0; }
header small { color: #55656f; margin-left: .5em; }
.panes { display: flex; } .panes div { flex: 1 1 0; min-width: 0; padding: .1rem .7rem .3rem; overflow-wrap: anywhere; }
.panes small { display: block; margin: 0; }
.group { margin-left: 1em; } .group i { display: inline-block; width: .7em; height: .7em; border-radius: 50%;
  margin-right: .35em; box-shadow: 0 0 0 1.5px #10212a; }
.folium-map { top: var(--head, 6rem) !important; height: calc(100% - var(--head, 6rem)) !important; }
aside { position: absolute; z-index: 1000; bottom: 10px; box-sizing: border-box; width: 17rem; max-height: 60%;
  overflow: auto; padding: .5rem .7rem; background: rgb(255 255 255 / 92%); border-radius: 5px; font-size: 12px; }
aside small { display: block; margin-top: .3rem; color: #55656f; } aside .bar { height: 10px; margin: .3rem 0 .1rem; }
aside .row { display: flex; justify-content: space-between; gap: .5em; }
aside .swatch { display: flex; gap: .5em; align-items: center; } aside i { flex: none; width: 11px; height: 11px; }
.folium-map { border-right: 2px solid #fff; box-sizing: border-box; background: #dfe7ea; }
"""
# Folium's own plugin for maps that move together knows two of them, and fetches its script. The scripts that make the
# maps follow this one.
_SYNC = """
addEventListener("load", () => {
  const panes = %s;
  let moving = false;
  const follow = (pane) => {
    if (moving) return;
    moving = true;
    const others = panes.filter((other) => other !== pane);
    others.forEach((other) => other.setView(pane.getCenter(), pane.getZoom(), { animate: false }));
    moving = false;
  };
  panes.forEach((pane) => pane.on("move", () => follow(pane)));
  const fit = () => { // the maps begin below the heading, however many lines it has
    document.documentElement.style.setProperty("--head", `${document.querySelector("header").offsetHeight}px`);
    panes.forEach((pane) => pane.invalidateSize({ animate: false }));
  };
  fit();
  addEventListener("resize", fit);
});
"""
