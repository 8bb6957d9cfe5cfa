"""GeoJSON, GeoPackage and shapefiles, by GDAL with the driver of that format alone."""

from __future__ import annotations

import json
import os
import warnings
from typing import Any

import pyarrow as pa

from unigeoclip.errors import InputError, excerpt
from unigeoclip.uploads.tables.file_table import (
    MAX_LAYERS,
    MAX_ROWS,
    FileTable,
    TableRequest,
    check_counts,
    unique_names,
)
from unigeoclip.uploads.tables.formats import GEOJSON, GEOPACKAGE, SHAPEFILE
from unigeoclip.uploads.tables.parquet import as_agreed, usable

__all__ = ["DRIVERS", "read_vector", "skip_other_drivers"]

DRIVERS = {GEOJSON: "GeoJSON", GEOPACKAGE: "GPKG", SHAPEFILE: "ESRI Shapefile"}
SKIP = "OGR_SKIP"  # variable of the environment: the drivers that GDAL does not register
_COLLECTIONS = ("FeatureCollection", "Feature")
_OTHER_JSON = {
    "Topology": "TopoJSON: convert it to GeoJSON",
    "GeometryCollection": "a geometry without columns: a GeoJSON FeatureCollection has them",
}


def skip_other_drivers() -> bool:
    """Set the environment so that GDAL registers our drivers alone when it is loaded the next time.

    A file can then reach no driver that opens other files, servers or databases that its content names.

    Returns:
        Whether anything was changed; False if it was set already.
    """
    if SKIP in os.environ:
        return False
    import pyogrio

    others = set(pyogrio.list_drivers()) - set(DRIVERS.values()) - {"MEM"}
    os.environ[SKIP] = ",".join(sorted(others))
    return True


def read_vector(form: str, data: bytes, request: TableRequest) -> FileTable:
    """Read one layer of a file.

    Args:
        form: A key of `DRIVERS`.
        data: Content of the file; of a shapefile a ZIP archive of its parts.
        request: What is wanted of it.

    Raises:
        InputError: It is damaged, too large, or of another kind; or it has several layers, and which is wanted is not
            said.
    """
    import pyogrio

    if form == GEOJSON:
        _check_json(data)
    try:
        with warnings.catch_warnings(action="ignore"):  # of names without an ending, which are GDAL's own
            return _read(form, data, request)
    except pyogrio.errors.DataSourceError as error:
        raise InputError(f"The file is damaged, or is no {form}: export or download it again.") from error


def _read(form: str, data: bytes, request: TableRequest) -> FileTable:
    import pyogrio

    layers = [str(name) for name in pyogrio.list_layers(data)[:MAX_LAYERS, 0]]
    if form == GEOJSON:  # has one layer; unless the file names it, GDAL does by the place in memory, anew each time
        layers = [GEOJSON] * len(layers)
    layer = _layer(data, layers, request)
    number = layers.index(layer)
    info = pyogrio.read_info(data, layer=number, force_feature_count=True)
    if info["driver"] != DRIVERS[form]:
        raise InputError(f"The file is not a {form} but {excerpt(info['driver'], 30)}: save it as {form}.")
    check_counts(int(info["features"]), len(info["fields"]))
    fields = [str(name) for name in info["fields"]]
    wanted = fields if request.columns is None else [name for name in fields if name in request.columns]
    rows = int(info["features"])
    if request.sample is not None and rows > request.sample and request.columns is None:
        frame = _spread(data, number, rows, request.sample, wanted)
    else:
        frame = pyogrio.read_dataframe(data, layer=number, columns=wanted, max_features=MAX_ROWS + 1, use_arrow=False)
    return _as_table(form, frame, wanted, rows, layer, layers, request)


def _spread(data: bytes, layer: int, rows: int, sample: int, columns: list[str]) -> Any:
    """Some rows, evenly spread in parts of a hundred: skipping is cheap, and a file is often sorted."""
    import geopandas
    import pandas as pd
    import pyogrio

    parts = max(sample // 100, 1)
    frames = [
        pyogrio.read_dataframe(
            data, layer=layer, columns=columns, skip_features=rows * part // parts, max_features=sample // parts
        )
        for part in range(min(parts, 10))
    ]
    return geopandas.GeoDataFrame(pd.concat(frames, ignore_index=True))


def _check_json(data: bytes) -> None:
    """Refuse JSON that is no GeoJSON, before GDAL looks for other meanings of it."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(f"The file is not GeoJSON: {excerpt(error)}. Save it as GeoJSON again.") from error
    kind = document.get("type") if isinstance(document, dict) else None
    if kind in _COLLECTIONS:
        features = document.get("features") if kind == "FeatureCollection" else [document]
        if not isinstance(features, list):
            raise InputError("The GeoJSON has no list of features. Save it as GeoJSON again.")
        check_counts(len(features), 0)
        return
    if isinstance(document, dict) and "spatialReference" in document:
        raise InputError("The file is JSON of Esri: save it as GeoJSON (f=geojson in its address).")
    what = _OTHER_JSON.get(str(kind), "JSON, but no GeoJSON FeatureCollection")
    raise InputError(f"The file is {what}.")


def _layer(data: bytes, layers: list[str], request: TableRequest) -> str:
    """Which layer is meant: the one named, the only one, of a sample the first, or the one with the columns."""
    import pyogrio

    if not layers:
        raise InputError("The file has no layer with rows.")
    shown = ", ".join(repr(excerpt(name, 40)) for name in layers[:10])
    if request.layer is not None:
        if request.layer not in layers:
            raise InputError(f"The file has no layer {excerpt(request.layer, 40)!r}; its layers are {shown}.")
        return request.layer
    if len(layers) == 1 or request.sample is not None:
        return layers[0]
    if request.columns:
        have = [name for name in layers if set(request.columns) <= set(pyogrio.read_info(data, layer=name)["fields"])]
        if len(have) == 1:
            return have[0]
    raise InputError(f"The file has {len(layers)} layers: say which to read, layer= or --layer, of {shown}.")


def _as_table(
    form: str, frame: Any, fields: list[str], rows: int, layer: str, layers: list[str], request: TableRequest
) -> FileTable:
    import pandas as pd

    columns, names, left_out = [], [], []
    for name in fields:
        values = pa.chunked_array([pa.Array.from_pandas(_plain(frame[name]))])
        if pa.types.is_null(values.type):
            values = values.cast(pa.string())
        if usable(values.type):
            names.append(name)
            columns.append(as_agreed(values))
        else:
            left_out.append(name)
    unique, notes = unique_names(names)
    table = pa.table(columns, names=unique)
    if not columns:
        table = pa.table({"row": pa.array(range(len(frame)), pa.float64())})
    shown = {"layer": layer, "layers": tuple(layers), "left_out": tuple(left_out)}
    if not isinstance(frame, pd.DataFrame) or getattr(frame, "_geometry_column_name", None) is None:
        return FileTable(form, rows, table, notes=tuple(notes), **shown)  # type: ignore[arg-type]
    from unigeoclip.uploads.tables.geometries import positions

    geometries = frame.geometry.set_crs(request.crs, allow_override=True) if request.crs else frame.geometry
    latlon, kind, crs, said = positions(geometries)
    return FileTable(form, rows, table, latlon, kind, crs, notes=(*notes, *said), **shown)  # type: ignore[arg-type]


def _plain(values: Any) -> Any:
    """A column of mixed values, lists or objects as text."""
    if values.dtype != object:
        return values
    return values.map(lambda value: None if value is None or value != value else str(value))
