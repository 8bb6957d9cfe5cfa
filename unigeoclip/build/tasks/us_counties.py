"""Figures of the counties of the United States, whose embeddings are means over points inside."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from shapely.geometry import shape

from unigeoclip.build.tasks.areas import centers, points_inside
from unigeoclip.build.tasks.point_tables import read_csv
from unigeoclip.errors import DownloadError
from unigeoclip.tasks.stored import PackTable
from unigeoclip.tasks.us_tasks import COUNTY_COLUMNS, ELECTION

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["make", "read_outlines"]

_SEED = 0
_NOT_STATES = ("72",)  # Puerto Rico has outlines but no figures


def make(files: Mapping[str, Path]) -> PackTable:
    """Counties with outlines and figures, joined by their code of five digits (FIPS)."""
    outlines = read_outlines(files["county outlines"], ("STATE", "COUNTY"))
    codes = [state + county for (state, county), _ in outlines]
    health = _by_code(read_csv(files["county health"], {"FIPS": "code", **{key: key for key in COUNTY_COLUMNS}}))
    election = _by_code(
        read_csv(files["county election"], {"county_fips": "code", "per_point_diff": "margin", "state_name": "state"})
    )
    election = election[election["state"] != "Alaska"]  # districts of its house, whose numbers look like counties'
    health, election = health.reindex(codes), election.reindex(codes)
    wanted = np.array([code[:2] not in _NOT_STATES for code in codes])
    wanted &= health[list(COUNTY_COLUMNS)].notna().any(axis=1).to_numpy() | election["margin"].notna().to_numpy()
    shapes = [outline for (_, outline), use in zip(outlines, wanted, strict=True) if use]
    targets = {}
    for column, (name, _, unit) in COUNTY_COLUMNS.items():
        values = health[column].to_numpy(np.float64)[wanted]
        targets[name] = np.log10(1 + values) if unit.startswith("log10") else values
    targets[ELECTION] = 100 * election["margin"].to_numpy(np.float64)[wanted]
    return PackTable(
        centers(shapes),
        targets,
        groups=np.array([code[:2] for code, use in zip(codes, wanted, strict=True) if use]),
        areas=points_inside(shapes, _SEED),
        notes=[
            "Outlines of 2010: counties that were divided or joined since have no figures.",
            "Alaska votes by districts of its house and has no margin by county.",
        ],
    )


def read_outlines(path: Path, names: tuple[str, ...]) -> list[tuple[tuple[Any, ...], Any]]:
    """Named properties and the polygon of every feature of a GeoJSON; other properties are not looked at.

    Raises:
        DownloadError: The file is not such a GeoJSON.
    """
    try:
        features = json.loads(path.read_text(encoding="utf-8", errors="replace"))["features"]
        return [
            (tuple(feature["properties"][name] for name in names), shape(feature["geometry"]).buffer(0))
            for feature in features
        ]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise DownloadError(
            f"{path} is not the expected GeoJSON ({error!r}). Delete it to have it fetched again."
        ) from error


def _by_code(table: pd.DataFrame) -> pd.DataFrame:
    codes = pd.Series(table["code"]).astype(int).map("{:05d}".format)
    return table.assign(code=codes.to_numpy()).drop_duplicates("code").set_index("code")
