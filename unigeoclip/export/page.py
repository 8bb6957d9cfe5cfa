"""Answers and compared maps as one page of maps side by side, which opens without a network."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from unigeoclip.atlas.base_picture import base_picture
from unigeoclip.extras import needs_extra
from unigeoclip.maps.cards import escaped
from unigeoclip.paths import LEAFLET

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from unigeoclip.atlas.provenance import Provenance
    from unigeoclip.atlas.store import Atlas
    from unigeoclip.geo import Bounds

__all__ = ["Marker", "Pane", "map_page"]


@dataclass(frozen=True)
class Marker:
    """A point on a map page.

    Attributes:
        lat: Degrees.
        lon: Degrees.
        label: What is shown beside the pointer.
        group: What it is one of; named once, with the color, above the map.
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
        provenance: Where the picture comes from; in the page's head as ``<meta name="provenance">``, as JSON.
        legend: What the colors mean, as the app's maps take it: "title"; "stops", [fraction, similarity, color],
            "ticks", [fraction, text], "low" and "high" of a bar; "swatches", [color, text, figure]; "words".
    """

    title: str
    picture: bytes
    note: str = ""
    markers: tuple[Marker, ...] = ()
    legend: Mapping[str, Any] | None = None
    provenance: Provenance | None = None


def map_page(atlas: Atlas, bounds: Bounds, panes: Sequence[Pane], *, title: str, explanation: str) -> str:
    """A page of maps side by side that move together: one file that opens without a network.

    Args:
        atlas: Whose picture lies below the colors.
        bounds: Of the pictures: south, west, north, east, degrees, within the Web Mercator square.
        panes: The models or queries, at least one.
        title: Of the page.
        explanation: What the colors mean.
    """
    with needs_extra("export"):
        import folium
        from branca.element import Element, Figure

    south, west, north, east = bounds
    corners = [[south, west], [north, east]]
    base, within = base_picture(atlas, bounds)
    figure = Figure(title=escaped(title))  # branca puts it between the tags as it is
    maps = []
    for number, pane in enumerate(panes):
        share = 100 / len(panes)
        shown = folium.Map(
            location=[(south + north) / 2, (west + east) / 2], tiles=None, attributionControl=False, zoomSnap=0.25,
            width=f"{share}%", left=f"{share * number}%", position="absolute",
        )  # fmt: skip
        shown.default_js, shown.default_css = [], []  # the page brings its own Leaflet; nothing is fetched
        folium.raster_layers.ImageOverlay(_data_url("image/webp", base), [within[:2], within[2:]], opacity=0.9).add_to(
            shown
        )
        folium.raster_layers.ImageOverlay(_data_url("image/png", pane.picture), corners, opacity=0.8).add_to(shown)
        for marker in pane.markers:
            _dot(marker, west).add_to(shown)
        shown.fit_bounds(corners)
        figure.add_child(shown)
        maps.append(shown.get_name())
    figure.header.add_child(Element(f"<style>{(LEAFLET / 'leaflet.css').read_text('utf-8')}{_STYLE}</style>"))
    figure.header.add_child(Element(f"<script>{(LEAFLET / 'leaflet.js').read_text('utf-8')}</script>"))
    for origin in dict.fromkeys(pane.provenance.json() for pane in panes if pane.provenance is not None):
        figure.header.add_child(Element(f'<meta name="provenance" content="{escaped(origin)}">'))
    figure.html.add_child(Element(_heading(panes, title, explanation, atlas) + _legends(panes)), index=0)
    figure.script.add_child(Element(_SYNC % json.dumps(maps).replace('"', "")))
    rendered: str = figure.render()
    return rendered


def _dot(marker: Marker, west: float) -> Any:
    """A marker for folium, on a map whose western edge is at so many degrees."""
    with needs_extra("export"):
        import folium

    # Folium puts the text between backticks of a script: what would end them, or start code in them, becomes an entity.
    text = escaped(marker.label).replace("\\", "&#92;").replace("`", "&#96;").replace("$", "&#36;")
    lon = marker.lon if marker.lon >= west else marker.lon + 360
    return folium.CircleMarker(
        [marker.lat, lon], radius=6, color="#10212a", weight=1.5, fill=True, fill_color=marker.color, fill_opacity=1.0,
        tooltip=folium.Tooltip(text),
    )  # fmt: skip


def _data_url(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _heading(panes: Sequence[Pane], title: str, explanation: str, atlas: Atlas) -> str:
    cells = "".join(
        f"<div><b>{escaped(pane.title)}</b><small>{escaped(pane.note)}{_groups(pane)}</small></div>" for pane in panes
    )
    # What judges the model stands on no map.
    shown = [source for source in atlas.manifest.sources if not source.what.startswith("rules")]
    makers = " · ".join(dict.fromkeys(source.attribution for source in shown))
    return (
        f"<header><p><strong>{escaped(title)}</strong> {escaped(explanation)} "
        f"<small>{escaped(makers)}</small></p><div class='panes'>{cells}</div></header>"
    )


def _groups(pane: Pane) -> str:
    """The groups of a pane's markers, each with its color."""
    groups = {marker.group: marker.color for marker in pane.markers if marker.group}
    return "".join(
        f"<span class='group'><i style='background:{escaped(color)}'></i>{escaped(group)}</span>"
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
    parts = [f"<b>{escaped(legend['title'])}</b>"]
    if stops := legend.get("stops"):
        colors = ", ".join(f"{color} {100 * fraction:.1f}%" for fraction, _, color in stops)
        ticks = "".join(f"<span>{escaped(text)}</span>" for _, text in legend["ticks"])
        parts.append(f"<div class='bar' style='background:linear-gradient(90deg,{escaped(colors)})'></div>")
        parts.append(f"<div class='row'>{ticks}</div>")
        ends = "".join(f"<span>{escaped(legend[end])}</span>" for end in ("low", "high"))
        parts.append(f"<div class='row'>{ends}</div>")
    for color, *texts in legend.get("swatches", ()):
        label = ", ".join(escaped(text) for text in texts)
        parts.append(f"<div class='swatch'><i style='background:{escaped(color)}'></i>{label}</div>")
    if legend.get("words"):
        parts.append(f"<small>{escaped(legend['words'])}</small>")
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
