"""Matches of a search as tables and files: GeoJSON and CSV."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

from unigeoclip.errors import InputError
from unigeoclip.files.atomic import write_bytes
from unigeoclip.search.results import results_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from unigeoclip.search.results import Match

__all__ = ["check_results_ending", "results_csv", "results_geojson", "results_table", "save_results"]


def results_geojson(results: Mapping[str, Sequence[Match]]) -> bytes:
    """`results_table` as GeoJSON (RFC 7946), a point a match, in UTF-8; figures that are missing are null.

    The foreign member "provenance" says what was asked of which model and atlas.
    """
    collection = json.loads(results_table(results).to_json(drop_id=True, na="null"))
    if (provenance := getattr(results, "provenance", None)) is not None:
        collection = {"type": collection.pop("type"), "provenance": provenance.members(), **collection}
    return json.dumps(collection, ensure_ascii=False).encode()


def results_csv(results: Mapping[str, Sequence[Match]]) -> bytes:
    """`results_table` as CSV with a header, in UTF-8; figures that are missing are empty.

    Lines ``# key: value`` before the header say what was asked of which model and atlas (pandas:
    ``read_csv(path, comment="#")``); texts are quoted, so that a "#" in a name is none of them.
    """
    provenance = getattr(results, "provenance", None)
    pairs = [] if provenance is None else provenance.lines()
    table = results_table(results).drop(columns="geometry")
    text: str = table.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    return ("".join(f"# {name}: {value}\n" for name, value in pairs) + text).encode()


def save_results(results: Mapping[str, Sequence[Match]], path: str | Path) -> None:
    """Write results in the form that the ending of the file's name says: .geojson or .csv.

    Raises:
        InputError: Another ending, or the file cannot be written.
    """
    check_results_ending(path)
    write_bytes(path, _RESULT_WRITERS[Path(path).suffix.lower()](results))


def check_results_ending(path: str | Path) -> None:
    """Check that results can be written to a file of that name, before the work is done.

    Raises:
        InputError: The ending is unknown, or the folder does not exist.
    """
    path = Path(path)
    if path.suffix.lower() not in _RESULT_WRITERS:
        raise InputError(f"{path.name}: results are written as .geojson or .csv.")
    if not path.parent.is_dir():
        raise InputError(f"{path} cannot be written: the folder {path.parent} does not exist.")


_RESULT_WRITERS = {".geojson": results_geojson, ".csv": results_csv}
