"""Draw the contents of a map with one of leafmap's backends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from unigeoclip.maps.contents import MapContents
    from unigeoclip.maps.live import OnPoint

__all__ = ["BACKENDS", "Backend", "draw_map"]

Backend = Literal["ipyleaflet", "folium"]
BACKENDS: tuple[Backend, ...] = ("ipyleaflet", "folium")


def draw_map(
    contents: MapContents,
    backend: Backend = "ipyleaflet",
    *,
    tiles: str | None = None,
    on_point: OnPoint | None = None,
    height_px: int = 600,
) -> Any:
    """Draw a map.

    Nothing is fetched from the network unless ``tiles`` names a tile server.

    Args:
        contents: What it shows.
        backend: "ipyleaflet", a widget of a live notebook whose clicks reach Python; or "folium", a page of HTML that
            needs no Python any more, can be saved by ``to_html`` and brings its own Leaflet.
        tiles: Name of one of leafmap's base maps, "OpenStreetMap" say, that is drawn below everything. The browser
            fetches its tiles from the network.
        on_point: What a click at (latitude, longitude) in degrees shows; needs the backend "ipyleaflet".
        height_px: Height of the map.

    Returns:
        A ``leafmap.leafmap.Map`` or a ``leafmap.foliumap.Map``.

    Raises:
        InputError: There is no such backend, or it cannot react to clicks.
        MissingPackageError: leafmap is not installed.
    """
    if backend == "ipyleaflet":
        from unigeoclip.maps.live import live_map

        return live_map(contents, tiles, on_point, height_px)
    if backend != "folium":
        raise InputError(f"There is no map backend {backend!r}; choose among {', '.join(BACKENDS)}.")
    if on_point is not None:
        raise InputError("A folium map is a page without Python, it cannot react to clicks: choose 'ipyleaflet'.")
    from unigeoclip.maps.static import static_map

    return static_map(contents, tiles, height_px)
