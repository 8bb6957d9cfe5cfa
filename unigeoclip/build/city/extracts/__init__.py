"""Maps that are not cut into tiles, OpenStreetMap and Overture, as the same layers as vector tiles give."""
