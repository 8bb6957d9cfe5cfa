"""Aerial photographs of four Californian cities with the number of trees in each, counted by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.build.tasks.point_tables import read_csv
from unigeoclip.tasks.stored import PackTable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["make"]


def make(files: Mapping[str, Path]) -> PackTable:
    """The photographs with their counts; of the three years of a spot all, in the same group."""
    folder = files["socal trees"]
    columns = ("file", "city", "lat", "lon", "trees")
    table = read_csv(folder / "chips.csv", {name: name for name in columns})
    return PackTable(
        table[["lat", "lon"]].to_numpy(np.float64),
        {"socal-trees": table["trees"].to_numpy(np.float64)},
        groups=table["city"].to_numpy(str),
        pictures=[(folder / "aerial" / name).read_bytes() for name in table["file"]],
        notes=["Each spot was photographed in 2016, 2018 and 2020: random folds would test on spots seen in training."],
    )
