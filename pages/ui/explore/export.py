"""What a visitor of page Explore can export: a link, GIS files, a table, a web map, code for all of it."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import numpy as np
import streamlit as st

from pages.ui import atlas_scale, query_string
from pages.ui.explore import display
from pages.ui.formatting import coordinates, similarity, title, weight
from pages.ui.modality_styles import COLORS
from pages.ui.services import services
from pages.ui.services.answers.heatmaps import LOW_OPACITY
from pages.ui.widgets import downloads
from pages.ui.widgets.components import component, stylesheet
from pages.ui.widgets.popovers import popover

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pages.ui.explore.model import Answer
    from pages.ui.explore.session import Session
    from unigeoclip.export.page import Marker
    from unigeoclip.search.explorer import Explorer

_BEST, _QUERY = "#ffffff", "#d55e00"
_CODE_LENGTH = 1000  # characters of an address; with more its code is too fine for print

_HTML = f"""
{stylesheet("components/share/share.css")}
<div class="ugc-share">
  <button type="button" class="ugc-share-button" disabled>Copy link</button>
  <span role="status" class="ugc-share-said"></span>
  <input class="ugc-share-address" aria-label="Address of this page" readonly hidden>
</div>
"""
_component = partial(component, "share", _HTML)


def offer(explorer: Explorer, session: Session) -> None:
    """A popover with the link and a button for each format; needs an answer."""
    from unigeoclip.export.results import results_csv, results_geojson
    from unigeoclip.export.snippets import command_lines, query_lines

    with popover("Export", icon=":material/download:", key="take") as is_open:
        answer = session.answer
        if answer is None or not is_open:
            return
        atlas, drawn = explorer.atlas.name, _drawn(explorer, session)
        stem = _stem(atlas, answer)
        _component()(key="copy-link")
        st.caption(_about_link(session))
        st.caption("The heatmap:")
        with st.container(horizontal=True):
            downloads.button("PNG", _png, answer, drawn, file=f"{stem}.png")
            downloads.button("GeoTIFF", answer.heatmap.geotiff, file=f"{stem}.tif")
        st.caption(f"The closest {session.count} of each modality:")
        with st.container(horizontal=True):
            downloads.button("GeoJSON", results_geojson, answer.matches, file=f"{stem}.geojson")
            downloads.button("CSV", results_csv, answer.matches, file=f"{stem}.csv")
        st.caption("Both on a web map that works offline:")
        downloads.button("Map page", _page, explorer, answer, drawn, file=f"{stem}.html")
        st.caption("A postcard with the map, the query and a code of this address, for a screen and for print (A6):")
        with st.container(horizontal=True):
            for form in ("png", "pdf"):
                draw = partial(_postcard, explorer, answer, drawn, _address(), form)
                downloads.button(f"Postcard ({form.upper()})", draw, file=f"{stem}-postcard.{form}")
        # Of an index, which may be larger than any file, there are no places to take home; a page asks with one vector.
        if not explorer.searched and answer.query.combine == "sum":
            st.caption("An interactive map that works without this server or a network (the first one takes a while):")
            take_home = services().take_home.page
            downloads.button("Take-home map (HTML)", take_home, explorer, answer.items, file=f"{stem}-take-home.html")
        scope = {"combine": answer.query.combine, "area": answer.query.area}
        st.caption("The same in Python, and on the command line:")
        st.code(query_lines(atlas, answer.items, session.count, drawn, explorer.source, scope), language="python")
        st.code(command_lines(atlas, answer.items, session.count, explorer.source, scope), language="bash")


def _about_link(session: Session) -> str:
    if any(query_string.write(item) is None for item in session.pending):
        return f"The link leaves out texts of more than {query_string.MAX_LENGTH} characters."
    return "The link holds the query, its pictures as embeddings, and what the map shows."


def _drawn(explorer: Explorer, session: Session) -> dict[str, Any]:
    """Options of the heatmap's picture as it is shown."""
    assert session.answer is not None
    colors = display.draw(explorer, session.answer, session.display).colors
    return {"low_opacity": LOW_OPACITY, **{name: value for name, value in colors.items() if value is not None}}


def _png(answer: Answer, drawn: dict[str, Any]) -> bytes:
    return answer.heatmap.png(**drawn, describe=True)


def _stem(atlas: str, answer: Answer) -> str:
    """Name of the files: the atlas and the query, in characters that every system accepts."""
    words = "-".join(re.findall(r"\w+", " ".join(item.label or item.modality for item in answer.items)))
    return f"{atlas}-{words[:40].strip('-').lower() or 'query'}"


def _page(explorer: Explorer, answer: Answer, drawn: dict[str, Any]) -> bytes:
    from unigeoclip.export.page import Pane, map_page

    words = " ".join(f"{weight(item.weight)} {item.label or item.modality}" for item in answer.items)
    words = f"Any of: {words}" if answer.query.any_of else words
    atlas = explorer.atlas
    stops = answer.heatmap.legend(**{name: value for name, value in drawn.items() if name != "low_opacity"})
    explanation = (
        f"Colors: similarity to the query by UniGeoCLIP, from {similarity(stops[0].similarity)} or less to "
        f"{similarity(stops[-1].similarity)}. Dots: the closest places, in the color of the modality in which each is "
        "closest; hover over one for its name."
    )
    origin = answer.heatmap.provenance
    pane = Pane(words, _png(answer, drawn), markers=_markers(explorer, answer), provenance=origin)
    page = map_page(atlas, answer.heatmap.bounds, [pane], title=atlas.title, explanation=explanation)
    return page.encode()


def _address() -> str:
    """The address of this page as others reach it; empty if they cannot."""
    origin = services().origin()
    return f"{origin}/?{urlencode(query_string.present(), doseq=True)}" if origin else ""


def _postcard(explorer: Explorer, answer: Answer, drawn: dict[str, Any], address: str, form: str) -> bytes:
    from unigeoclip.export.postcard import Postcard, draw_postcard

    size, best = atlas_scale.of(explorer.atlas.manifest), answer.best
    caption = (
        f"Colors: {size.where} is like this; the brighter, the more similar. White: the best match, "
        f"{coordinates(best.lat, best.lon, size.best_digits)}, similarity {similarity(best.similarity)}."
    )
    if answer.query.is_foreign:
        caption = f"Nothing here is like that. {caption}"
    points = ((best.lat, best.lon),)
    card = Postcard(_words(answer), caption, _png(answer, drawn), answer.heatmap.bounds, points, _code_of(address))
    return draw_postcard(explorer.atlas, card, form)


def _code_of(address: str) -> NDArray[np.bool_] | None:
    """The modules of a QR code, (n, n), True for dark, without its quiet zone; None without an address, or too long."""
    import segno

    if not address or len(address.encode()) > _CODE_LENGTH:
        return None
    return np.array([list(row) for row in segno.make_qr(address, error="m").matrix], bool)


def _words(answer: Answer) -> str:
    """The query as people read it; a single term without its weight."""
    labels = [item.label or item.modality for item in answer.items]
    if len(labels) == 1 and answer.items[0].weight == 1:
        return labels[0]
    return " ".join(f"{weight(item.weight)} {label}" for item, label in zip(answer.items, labels, strict=True))


def _markers(explorer: Explorer, answer: Answer) -> tuple[Marker, ...]:
    """The closest places, the best last, each in the color of the modality it is closest in; then the query."""
    from unigeoclip.export.page import Marker

    by_place: dict[tuple[float, float], list[tuple[float, str, str]]] = {}
    for name, matches in answer.matches.items():
        for match in matches:
            by_place.setdefault((match.lat, match.lon), []).append((match.similarity, name, match.name))
    markers = []
    for (lat, lon), hits in sorted(by_place.items(), key=lambda entry: max(entry[1])):
        hits = sorted(hits, reverse=True)
        where = ", ".join(f"{title(name)} {similarity(value)}" for value, name, _ in hits)
        _, first, place = hits[0]
        markers.append(Marker(lat, lon, f"{place}: {where}", title(first), COLORS.get(first, _BEST)))
    best, digits = answer.best, atlas_scale.of(explorer.atlas.manifest).best_digits
    where = f"Best match, {similarity(best.similarity)}: {coordinates(best.lat, best.lon, digits)}"
    query = [Marker(spot.lat, spot.lon, spot.item.label, "Query", _QUERY) for spot in answer.spots]
    return (*markers, Marker(best.lat, best.lon, where, "Best match", _BEST), *query)
