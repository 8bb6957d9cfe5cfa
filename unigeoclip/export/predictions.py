"""Predictions of a probe, row by row, as CSV, GeoJSON and GeoParquet."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.errors import InputError, excerpt
from unigeoclip.files.atomic import write_bytes

if TYPE_CHECKING:
    from unigeoclip.atlas.provenance import Provenance
    from unigeoclip.evaluation.probing.results import EncoderResult, ProbeReport

__all__ = [
    "check_predictions_ending",
    "predictions_csv",
    "predictions_geojson",
    "predictions_geoparquet",
    "predictions_table",
    "result_of",
    "save_predictions",
]


def result_of(report: ProbeReport, split: str, encoder: str) -> EncoderResult:
    """What an encoder reached under a split.

    Raises:
        InputError: The report has no such split or encoder.
    """
    if split not in report.results:
        raise InputError(f"There is no split {excerpt(split, 40)!r}; there are {', '.join(report.results)}.")
    found = report.results[split]
    if encoder not in found:
        raise InputError(f"There is no encoder {excerpt(encoder, 40)!r}; there are {', '.join(found)}.")
    return found[encoder]


def predictions_table(report: ProbeReport, split: str, encoder: str) -> Any:
    """The rows of a report with their predictions by the probe that did not see them.

    Returns:
        A ``geopandas.GeoDataFrame`` of points in EPSG:4326: "lat", "lon", "truth", "prediction", "residual" (truth
        minus prediction) of a regression or "correct" of a classification, "fold" in which the row was tested, and
        "group" if the table has groups.

    Raises:
        InputError: The report has no such split or encoder.
    """
    import geopandas

    result, table = result_of(report, split, encoder), report.table
    lat, lon = table.latlon.T
    columns: dict[str, Any] = {"lat": lat, "lon": lon, "truth": table.target, "prediction": result.predictions}
    if table.kind == "regression":
        columns["residual"] = np.asarray(table.target, np.float64) - np.asarray(result.predictions, np.float64)
    else:
        columns["correct"] = table.target == result.predictions
    columns["fold"] = report.folds[split]
    if table.groups is not None:
        columns["group"] = table.groups
    return geopandas.GeoDataFrame(columns, geometry=geopandas.points_from_xy(lon, lat), crs="EPSG:4326")


def predictions_csv(report: ProbeReport, split: str, encoder: str, provenance: Provenance | None = None) -> bytes:
    """`predictions_table` as CSV with a header, in UTF-8.

    Lines ``# key: value`` before the header say what was predicted and where it comes from (pandas:
    ``read_csv(path, comment="#")``); texts are quoted, so that a "#" in a name is none of them.

    Raises:
        InputError: The report has no such split or encoder.
    """
    frame = predictions_table(report, split, encoder).drop(columns="geometry")
    text: str = frame.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    pairs = [(name, " ".join(value.split())) for name, value in _described(report, split, encoder).items()]
    pairs += [] if provenance is None else provenance.lines()
    return ("".join(f"# {name}: {value}\n" for name, value in pairs) + text).encode()


def predictions_geojson(report: ProbeReport, split: str, encoder: str, provenance: Provenance | None = None) -> bytes:
    """`predictions_table` as GeoJSON (RFC 7946), a point a row, in UTF-8.

    The foreign members "probe" and "provenance" say what was predicted and where it comes from.

    Raises:
        InputError: The report has no such split or encoder.
    """
    collection = json.loads(predictions_table(report, split, encoder).to_json(drop_id=True, na="null"))
    members = {"type": collection.pop("type"), "probe": _described(report, split, encoder)}
    if provenance is not None:
        members["provenance"] = provenance.members()
    return json.dumps({**members, **collection}, ensure_ascii=False).encode()


def predictions_geoparquet(
    report: ProbeReport, split: str, encoder: str, provenance: Provenance | None = None
) -> bytes:
    """`predictions_table` as GeoParquet 1.1; metadata "probe" and "provenance" are JSON.

    Raises:
        InputError: The report has no such split or encoder.
    """
    import pyarrow.parquet as pq

    file = io.BytesIO()
    predictions_table(report, split, encoder).to_parquet(file, index=False, schema_version="1.1.0")
    table = pq.read_table(file)
    metadata = {
        b"geo": table.schema.metadata[b"geo"],
        b"probe": json.dumps(_described(report, split, encoder)).encode(),
    }
    if provenance is not None:
        metadata[b"provenance"] = provenance.json().encode()
    written = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(metadata), written, compression="zstd")
    return written.getvalue()


_WRITERS = {
    ".csv": predictions_csv,
    ".geojson": predictions_geojson,
    ".parquet": predictions_geoparquet,
    ".geoparquet": predictions_geoparquet,
}


def check_predictions_ending(path: Path) -> None:
    """Check that predictions can be written to a file of that name, before the work is done.

    Raises:
        InputError: The ending is unknown.
    """
    if path.suffix.lower() not in _WRITERS:
        raise InputError(f"{path.name}: predictions are written as .csv, .geojson or .parquet.")


def save_predictions(
    report: ProbeReport, split: str, encoder: str, path: Path, provenance: Provenance | None = None
) -> None:
    """Write predictions in the form that the ending of the file's name says.

    Raises:
        InputError: Another ending, no such split or encoder, or the file cannot be written.
    """
    check_predictions_ending(path)
    write_bytes(path, _WRITERS[path.suffix.lower()](report, split, encoder, provenance))


def _described(report: ProbeReport, split: str, encoder: str) -> dict[str, str]:
    """What was predicted, by name."""
    score = result_of(report, split, encoder).scores[report.metric]
    described = {
        "table": report.table.name, "target": report.table.target_name, "unit": report.table.unit, "split": split,
        "encoder": encoder, report.metric: f"{score.mean:.4f} (mean of {len(score.folds)} folds)",
    }  # fmt: skip
    return {name: value for name, value in described.items() if value}
