"""A small file of labels to try page Probe with, made of the atlas's own data."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from unigeoclip.atlas import Atlas

NAME = "example.csv"
ROWS = 600
_THIRDS = ("low", "middle", "high")
_WINDOW_PX = 8


def about(atlas: Atlas) -> str:
    """What the example file holds, in a sentence."""
    return (
        f"{ROWS} places of {atlas.title} with the mean height of their surface model, a number and a class. Our "
        "encoder was trained with that surface model: this shows the page, and nothing about the encoder."
    )


def csv(atlas: Atlas) -> bytes:
    """The file: latitude, longitude, height_m, and height_class by thirds."""
    places = atlas.places
    rows = np.sort(np.random.default_rng(0).permutation(len(places))[:ROWS])
    latlon = places[["lat", "lon"]].to_numpy(np.float64)[rows]
    heights = atlas.raster("surface").windows(latlon, atlas.window_m, _WINDOW_PX)
    mean_m = np.nanmean(heights.reshape(len(rows), -1), axis=1)
    known = np.isfinite(mean_m)
    third = np.searchsorted(np.quantile(mean_m[known], [1 / 3, 2 / 3]), mean_m)
    table = pd.DataFrame(
        {
            "latitude": latlon[:, 0].round(6),
            "longitude": latlon[:, 1].round(6),
            "height_m": mean_m.round(2),
            "height_class": np.array(_THIRDS)[np.minimum(third, 2)],
        }
    )
    out = io.StringIO()
    table[known].to_csv(out, index=False)
    return out.getvalue().encode()
