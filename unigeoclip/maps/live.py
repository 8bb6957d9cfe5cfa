"""Maps as widgets of a live notebook: leafmap with ipyleaflet, whose clicks reach Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unigeoclip.errors import UniGeoError
from unigeoclip.extras import needs_extra
from unigeoclip.geo import wrap_lon_deg
from unigeoclip.maps.cards import DOT_PX, card, dot, escaped, legend_html, popup
from unigeoclip.maps.contents import ZOOM_STEP, MapContents, Marker, Overlay

with needs_extra("notebook"):
    import ipyleaflet
    import ipywidgets

__all__ = ["OnPoint", "live_map"]

OnPoint = Callable[[float, float], MapContents]


def live_map(contents: MapContents, tiles: str | None, on_point: OnPoint | None, height_px: int) -> Any:
    """A ``leafmap.leafmap.Map`` that shows the contents; see `unigeoclip.maps.drawing.draw_map`."""
    with needs_extra("notebook"):
        import leafmap.leafmap as leafmap

    # leafmap draws OpenStreetMap below all else unless it is given a layer, and needs at least one that has
    # a name.
    ground = [ipyleaflet.LayerGroup(name="Background")]
    if contents.base is not None:
        ground = [_image(contents.base)]
    shown = leafmap.Map(
        center=contents.center,
        zoom=contents.zoom,
        zoom_snap=ZOOM_STEP,
        height=f"{height_px}px",
        toolbar_control=False,
        draw_control=False,
        fullscreen_control=False,
        **({"layers": ground} if tiles is None else {"basemap": tiles}),
    )
    if tiles is not None and contents.base is not None:
        shown.add(ground[0])
    # leafmap names the first layer itself.
    shown.layers[0].name = tiles or ("Background" if contents.base is None else escaped(contents.base.name))
    drawing = _Drawing(shown)
    drawing.show(contents)
    shown.add(ipyleaflet.LayersControl(position="topleft"))
    if on_point is not None:
        shown.default_style = {"cursor": "crosshair"}
        shown.on_interaction(_click_handler(drawing, on_point))
    return shown


def _click_handler(drawing: _Drawing, on_point: OnPoint) -> Callable[..., None]:
    """What ipyleaflet calls for every movement and click of the pointer."""

    def handle(**event: Any) -> None:
        if event.get("type") != "click":
            return
        lat, lon = event["coordinates"]
        try:
            contents = on_point(float(lat), float(wrap_lon_deg(lon)))
        except UniGeoError as error:
            drawing.explain(str(error))
        else:
            drawing.show(contents)

    return handle


class _Drawing:
    """The parts of a map that change: overlay, markers, legend and card."""

    def __init__(self, shown: Any) -> None:
        self._map = shown
        self._overlay: Any = None
        self._markers = ipyleaflet.LayerGroup(name="Results")
        self._legend, self._card = ipywidgets.HTML(), ipywidgets.HTML()
        shown.add(self._markers)
        shown.add(ipyleaflet.WidgetControl(widget=self._legend, position="bottomleft", transparent_bg=True))
        shown.add(ipyleaflet.WidgetControl(widget=self._card, position="topright", transparent_bg=True))

    def show(self, contents: MapContents) -> None:
        """Replace what is shown; where the map looks stays, and so does the opacity that was chosen."""
        if contents.overlay is not None:
            if self._overlay is None:
                self._add_overlay(contents.overlay)
            self._overlay.bounds, self._overlay.url = contents.overlay.corners, contents.overlay.url
        self._markers.layers = tuple(_marker(each, contents) for each in contents.markers)
        self._legend.value, self._card.value = legend_html(contents.legend), card(contents)

    def explain(self, message: str) -> None:
        """Say on the card why there is no answer; the rest of the map stays."""
        self._card.value = card(MapContents(bounds=(0, 0, 0, 0), title="No answer", notes=(message,)))

    def _add_overlay(self, overlay: Overlay) -> None:
        self._overlay = _image(overlay)
        self._map.add(self._overlay)
        slider = ipywidgets.FloatSlider(
            overlay.opacity, min=0, max=1, step=0.05, description="Opacity", readout=False,
            layout=ipywidgets.Layout(width="210px"),
        )  # fmt: skip
        ipywidgets.jslink((slider, "value"), (self._overlay, "opacity"))  # in the browser, without asking Python
        self._map.add(ipyleaflet.WidgetControl(widget=slider, position="bottomleft"))


def _image(overlay: Overlay) -> Any:
    return ipyleaflet.ImageOverlay(
        url=overlay.url,
        bounds=overlay.corners,
        opacity=overlay.opacity,
        name=escaped(overlay.name),
        attribution=escaped(overlay.attribution),
    )


def _marker(marker: Marker, contents: MapContents) -> Any:
    """A marker with its card. Not a circle, through which Leaflet hands clicks on to the map below."""
    return ipyleaflet.Marker(
        location=(marker.lat, contents.on_this_map(marker.lon)),
        title=marker.title,
        draggable=False,
        icon=ipyleaflet.DivIcon(html=dot(marker), icon_size=[DOT_PX, DOT_PX], icon_anchor=[DOT_PX // 2, DOT_PX // 2]),
        popup=ipywidgets.HTML(popup(marker)),
    )
