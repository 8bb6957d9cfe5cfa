"""Maps as pages of HTML: leafmap with folium, with Leaflet inside the page, so that it opens without a network."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from unigeoclip.extras import needs_extra
from unigeoclip.maps.cards import DOT_PX, card, dot, escaped, legend_html, popup
from unigeoclip.maps.contents import ZOOM_STEP, picture_url
from unigeoclip.paths import LEAFLET

with needs_extra("notebook"):
    import folium
    from branca.element import Element, MacroElement
    from folium.template import Template

if TYPE_CHECKING:
    from unigeoclip.maps.contents import MapContents, Marker, Overlay

__all__ = ["static_map"]

_SLIDER = (
    "<label style='display:block;background:#fff;padding:4px 10px;margin-top:4px;border-radius:5px;"
    "font:12px system-ui,sans-serif'>Opacity <input type='range' min='0' max='1' step='0.05' value='%g'></label>"
)


def static_map(contents: MapContents, tiles: str | None, height_px: int) -> Any:
    """A ``leafmap.foliumap.Map`` that shows the contents; see `unigeoclip.maps.drawing.draw_map`."""
    with needs_extra("notebook"):
        from leafmap import foliumap

    # leafmap's full screen button and folium's jQuery, Bootstrap and Font Awesome come from other servers.
    shown = foliumap.Map(
        center=list(contents.center),
        zoom=contents.zoom,
        zoom_snap=ZOOM_STEP,
        tiles=None,
        height=height_px,
        fullscreen_control=False,
        draw_control=False,
    )
    shown.default_js, shown.default_css = [], []
    south, west, north, east = contents.bounds
    shown.fit_bounds([[south, west], [north, east]])
    header = shown.get_root().header
    header.add_child(Element(f"<style>{_stylesheet()}</style>"))
    header.add_child(Element(f"<script>{(LEAFLET / 'leaflet.js').read_text('utf-8')}</script>"))
    if tiles is not None:
        shown.add_basemap(tiles)
    if contents.base is not None:
        _image(contents.base).add_to(shown)
    overlay = None
    if contents.overlay is not None:
        overlay = _image(contents.overlay).add_to(shown)
    group = folium.FeatureGroup("Results").add_to(shown)
    for marker in contents.markers:
        _marker(marker, contents).add_to(group)
    legend = legend_html(contents.legend)
    if contents.overlay is not None:
        legend += _SLIDER % contents.overlay.opacity
    _Panel("bottomleft", legend, overlay).add_to(shown)
    _Panel("topright", card(contents)).add_to(shown)
    return shown


def _stylesheet() -> str:
    """Leaflet's stylesheet with its icons inside."""
    css = (LEAFLET / "leaflet.css").read_text("utf-8")
    return re.sub(
        r"url\((images/[\w-]+\.png)\)", lambda found: f"url({picture_url((LEAFLET / found[1]).read_bytes())})", css
    )


def _image(overlay: Overlay) -> Any:
    return folium.raster_layers.ImageOverlay(
        overlay.url,
        overlay.corners,
        opacity=overlay.opacity,
        name=escaped(overlay.name),
        pixelated=False,
        attribution=escaped(overlay.attribution),
    )


def _marker(marker: Marker, contents: MapContents) -> Any:
    icon = folium.DivIcon(html=dot(marker), icon_size=(DOT_PX, DOT_PX), icon_anchor=(DOT_PX // 2, DOT_PX // 2))
    shown = folium.Marker([marker.lat, contents.on_this_map(marker.lon)], icon=icon)
    _Card(popup(marker), escaped(marker.title)).add_to(shown)
    return shown


class _Card(MacroElement):
    """A popup and a tooltip; folium's own need jQuery."""

    _template = Template("""
    {% macro script(this, kwargs) %}
      {{ this._parent.get_name() }}.bindPopup({{ this.popup|tojavascript }})
        .bindTooltip({{ this.tooltip|tojavascript }});
    {% endmacro %}
    """)

    def __init__(self, popup: str, tooltip: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Card"
        self.popup, self.tooltip = popup, tooltip


class _Panel(MacroElement):
    """HTML in a corner of the map; a slider in it sets the opacity of an overlay."""

    _template = Template("""
    {% macro script(this, kwargs) %}
      (() => {
        const panel = L.control({ position: {{ this.position|tojavascript }} });
        panel.onAdd = () => {
          const box = L.DomUtil.create("div");
          box.innerHTML = {{ this.content|tojavascript }};
          L.DomEvent.disableClickPropagation(box).disableScrollPropagation(box);
          {% if this.overlay %}
          const slider = box.querySelector("input");
          slider.addEventListener("input", () => {{ this.overlay.get_name() }}.setOpacity(Number(slider.value)));
          {% endif %}
          return box;
        };
        panel.addTo({{ this._parent.get_name() }});
      })();
    {% endmacro %}
    """)

    def __init__(self, position: str, content: str, overlay: Any = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Panel"
        self.position, self.content, self.overlay = position, content, overlay
