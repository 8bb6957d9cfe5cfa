"""The towns of GeoNames that ship with this package: names, other spellings, positions, inhabitants."""

from __future__ import annotations

import pandas as pd

from unigeoclip.errors import AtlasError
from unigeoclip.paths import GAZETTEER

__all__ = ["FILE", "SEPARATOR", "STEPS", "read_towns"]

FILE = GAZETTEER / "towns.parquet"  # written by `unigeoclip.build.world.town_names`
SEPARATOR = "|"  # of the spellings in a cell of the file
STEPS = 100  # of a degree: a kilometer is enough to find a town


def read_towns() -> pd.DataFrame:
    """Columns name, country, lat and lon in degrees, population, and others: a list of spellings.

    Raises:
        AtlasError: The file is damaged or missing.
    """
    try:
        table = pd.read_parquet(FILE)
    except (OSError, ValueError) as error:
        raise AtlasError(
            f"The table of towns {FILE} cannot be read ({error}). Get it from the repository again."
        ) from error
    return pd.DataFrame(
        {
            "name": table["name"],
            "country": table["country"].astype(str),
            "lat": table["lat"] / STEPS,
            "lon": table["lon"] / STEPS,
            "population": table["population"],
            "others": table["others"].map(lambda text: text.split(SEPARATOR) if text else []),
        }
    )
