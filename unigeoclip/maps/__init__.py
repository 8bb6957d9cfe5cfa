"""Maps for notebooks: what a map shows as plain data, drawn by leafmap with ipyleaflet or folium."""

from unigeoclip.maps.contents import Legend, LegendMark, MapContents, Marker, Overlay
from unigeoclip.maps.drawing import BACKENDS, draw_map

__all__ = ["BACKENDS", "Legend", "LegendMark", "MapContents", "Marker", "Overlay", "draw_map"]
