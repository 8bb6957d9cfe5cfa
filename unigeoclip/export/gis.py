"""Compared maps as files of geographic information systems: GeoTIFF and GeoParquet."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.atlas.provenance import ModelSource, Provenance, provenance_of
from unigeoclip.errors import InputError
from unigeoclip.geo import METERS_PER_DEGREE, unit_xyz
from unigeoclip.similarity.grid_files import geotiff

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.compare.regions import Comparison
    from unigeoclip.similarity.grid import Grid

__all__ = [
    "EMBEDDINGS_EXTENSION",
    "colors_geotiff",
    "column_name",
    "comparison_provenance",
    "embeddings_metadata",
    "geoparquet",
]


EMBEDDINGS_EXTENSION = "https://stac-extensions.github.io/embeddings/v0.0.1/schema.json"


def comparison_provenance(
    atlas: Atlas,
    comparison: Comparison,
    names: Sequence[str] | None = None,
    *,
    query: Sequence[str] = (),
    command: str = "",
) -> Provenance:
    """Where files of a comparison come from, see `provenance_of`.

    Args:
        atlas: Where the region lies.
        comparison: The models.
        names: Those in the file; all by default.
        query: What was asked, spelled as in links.
        command: Lines that compute it again.
    """
    models = [
        ModelSource(name, each.embedder.provenance.source, each.embedder.provenance.licence)
        for name, each in comparison.embedded.items()
        if names is None or name in names
    ]
    return provenance_of(atlas, models, query=query, command=command)


def colors_geotiff(
    grid: Grid, rgb: NDArray[np.uint8], describe: str = "", provenance: Provenance | None = None
) -> bytes:
    """Colours of cells as a GeoTIFF: red, green, blue and alpha, EPSG:4326, one pixel a cell, transparent off the grid.

    Args:
        grid: The cells.
        rgb: (n, 3) sRGB.
        describe: What they mean, for the file's description.
        provenance: Kept in the file's tags.

    Raises:
        InputError: The number of colours is not that of the cells.
    """
    if rgb.shape != (len(grid), 3):
        raise InputError(f"{len(grid)} cells need as many colours, (n, 3); got {rgb.shape}.")
    pixels = np.zeros((4, *grid.shape), np.uint8)
    pixels[:, grid.mask] = np.column_stack([rgb, np.full(len(rgb), 255, np.uint8)]).T
    tags = {"TIFFTAG_IMAGEDESCRIPTION": describe} | ({} if provenance is None else provenance.tags())
    return geotiff(grid, pixels, tags=tags)


def geoparquet(
    comparison: Comparison,
    describe: dict[str, Any] | None = None,
    *,
    atlas: Atlas | None = None,
    provenance: Provenance | None = None,
) -> bytes:
    """The cells of a region with the vectors of every model, as GeoParquet 1.1.

    Args:
        comparison: The models, embedded completely or coarsely.
        describe: More columns, name -> (n, ...) values of the cells: numbers of clusters, similarities.
        atlas: Whose places name the cells: column "place" is then the name of the place nearest to each.
        provenance: Kept in the file's metadata under "provenance", as JSON; by default that of ``atlas``.

    Returns:
        A file with a point a row, in EPSG:4326: "area_km2", "place", the columns of ``describe``, "geometry", the
        covering column "bbox", and one column a model, named like it, of ``dim`` float32 numbers, a fixed-size list;
        null where the model has no vector.
        File metadata: "geo" (GeoParquet 1.1), "emb" (see `embeddings_metadata`) and "provenance".
    """
    import geopandas
    import pyarrow as pa
    import pyarrow.parquet as pq

    grid = comparison.region.grid
    columns: dict[str, Any] = {"area_km2": grid.area_km2}
    if atlas is not None:
        columns["place"] = _nearest_names(atlas, grid.cells)
    points = geopandas.points_from_xy(grid.cells[:, 1], grid.cells[:, 0])
    frame = geopandas.GeoDataFrame(columns | (describe or {}), geometry=points, crs="EPSG:4326")
    file = io.BytesIO()
    frame.to_parquet(file, index=False, schema_version="1.1.0", write_covering_bbox=True)
    table = pq.read_table(file)
    for name, embedded in comparison.embedded.items():
        vectors, rows = np.ascontiguousarray(embedded.vectors, np.float32), embedded.region.grid.rows_of(grid)
        lacks = pa.array(rows < 0) if len(vectors) < len(grid) else None
        values = vectors if lacks is None else vectors[rows]
        column = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), vectors.shape[1], mask=lacks)
        table = table.append_column(pa.field(column_name(name), column.type, nullable=lacks is not None), column)
    if provenance is None and atlas is not None:
        provenance = comparison_provenance(atlas, comparison)
    metadata = {b"geo": table.schema.metadata[b"geo"], b"emb": json.dumps(embeddings_metadata(comparison)).encode()}
    if provenance is not None:
        metadata[b"provenance"] = provenance.json().encode()
    written = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(metadata), written, compression="zstd")
    return written.getvalue()


def column_name(model: str) -> str:
    """Name of a model's column: hyphens would need quotation marks in SQL."""
    return model.replace("-", "_")


def embeddings_metadata(comparison: Comparison) -> dict[str, Any]:
    """What the columns of vectors are, in the words of the STAC embeddings extension v0.0.1, a proposal.

    That extension describes collections and items, not files; here its fields stand by column. A vector stands for one
    cell of a regular grid, which the extension calls a chip.

    Returns:
        "stac_extensions", and "columns": name -> "emb:type", "emb:dimensions", "data_type", "gsd" (metres across a
        cell, north to south), "emb:chip_layout", and "links" with the relations "emb:model" and "emb:source-data".
    """
    columns = {}
    step_m = round(comparison.region.grid.step_deg[0] * METERS_PER_DEGREE, 1)
    for name, embedded in comparison.embedded.items():
        made = embedded.embedder.provenance
        columns[column_name(name)] = {
            "emb:type": "chip",
            "emb:dimensions": int(embedded.vectors.shape[1]),
            "data_type": "float32",
            "gsd": step_m,
            "emb:chip_layout": {"layout_type": "regular_grid"},
            "links": [
                {"rel": "emb:model", "href": f"urn:unigeoclip:model:{name}", "title": made.source},
                {
                    "rel": "emb:source-data",
                    "href": "urn:ogc:def:crs:OGC:1.3:CRS84",
                    "title": "Coordinates of the cells",
                },
            ],
        }
    return {"stac_extensions": [EMBEDDINGS_EXTENSION], "columns": columns}


def _nearest_names(atlas: Atlas, latlon: NDArray[np.float64]) -> list[str]:
    """Name of the place nearest to each point (n, 2) degrees."""
    from scipy.spatial import cKDTree

    places = atlas.places
    tree = cKDTree(unit_xyz(places[["lat", "lon"]].to_numpy(np.float64)))
    _, rows = tree.query(unit_xyz(latlon))
    names: list[str] = places["name"].to_numpy()[rows].tolist()
    return names
