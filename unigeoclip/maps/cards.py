"""HTML of the cards and legends of maps. All text from outside is escaped."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from unigeoclip.maps.contents import picture_url

if TYPE_CHECKING:
    from unigeoclip.maps.contents import Legend, MapContents, Marker

__all__ = ["DOT_PX", "card", "dot", "escaped", "legend_html", "popup"]

DOT_PX = 16
_BOX = "background:#fff;color:#16232b;font:12px/1.4 system-ui,sans-serif;padding:6px 10px;border-radius:5px"


def escaped(text: str) -> str:
    """Text as HTML that is neither a tag nor a Jinja expression: folium renders what it is given as a template."""
    return html.escape(text).replace("{", "&#123;").replace("}", "&#125;")


def dot(marker: Marker) -> str:
    """A marker on the map."""
    return (
        f"<div style='box-sizing:border-box;width:{DOT_PX}px;height:{DOT_PX}px;border-radius:50%;"
        f"border:2px solid #10212a;background:{escaped(marker.color)}'></div>"
    )


def popup(marker: Marker) -> str:
    """The card of a marker: its picture, title and lines."""
    picture = "" if marker.picture is None else _picture(marker.picture, marker.title, 200)
    lines = "".join(f"<div>{escaped(line)}</div>" for line in marker.lines)
    title = escaped(marker.title)
    return f"<div style='width:200px;font:12px/1.4 system-ui,sans-serif'>{picture}<b>{title}</b>{lines}</div>"


def card(contents: MapContents) -> str:
    """The card beside the map: title, notes, and the results with their pictures. Empty without a title."""
    if not contents.title:
        return ""
    notes = "".join(f"<div>{escaped(note)}</div>" for note in contents.notes)
    rows = "".join(_row(marker) for marker in contents.markers if marker.lines)
    return (
        f"<div style='{_BOX};width:230px;max-height:420px;overflow:auto'>"
        f"<b>{escaped(contents.title)}</b>{notes}{rows}</div>"
    )


def _row(marker: Marker) -> str:
    picture = "" if marker.picture is None else _picture(marker.picture, marker.title, 56)
    return (
        f"<div style='display:flex;gap:8px;margin-top:6px;border-left:4px solid {escaped(marker.color)};"
        f"padding-left:6px'>{picture}<div><b>{escaped(marker.title)}</b><br>{escaped(marker.lines[0])}</div></div>"
    )


def _picture(picture: bytes, title: str, width_px: int) -> str:
    return (
        f"<img src='{picture_url(picture)}' alt='{escaped(title)}' "
        f"style='width:{width_px}px;height:auto;align-self:flex-start;flex:none;display:block'>"
    )


def legend_html(legend: Legend | None) -> str:
    """A color bar with the values at its ends and in the middle; empty for None."""
    if legend is None:
        return ""
    colors = ", ".join(f"{escaped(mark.color)} {100 * mark.fraction:.1f}%" for mark in legend.marks)
    shown = (legend.marks[0], legend.marks[len(legend.marks) // 2], legend.marks[-1])
    values = "".join(f"<span>{mark.value:.2f}</span>" for mark in shown)
    return (
        f"<div style='{_BOX};width:190px'><b>{escaped(legend.title)}</b>"
        f"<div style='height:10px;margin:3px 0;background:linear-gradient(90deg, {colors})'></div>"
        f"<div style='display:flex;justify-content:space-between'>{values}</div></div>"
    )
