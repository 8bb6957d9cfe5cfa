"""Which atlases answer from a store of vectors instead of their own gallery: two environment variables."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from unigeoclip.errors import InputError, excerpt

if TYPE_CHECKING:
    from collections.abc import Collection

STORES, PLACES = "UNIGEOCLIP_STORES", "UNIGEOCLIP_STORE_PLACES"  # environment variables


@dataclass(frozen=True)
class StoreSource:
    """Where an atlas's answers come from.

    Attributes:
        address: Folder of an index, or s3://, gs:// or az://.
        places: GeoParquet with the names of its places; None for the atlas's own table.
    """

    address: str
    places: Path | None = None


def stores_from_environment(atlases: Collection[str]) -> dict[str, StoreSource]:
    """Atlas -> store, as ``UNIGEOCLIP_STORES`` and ``UNIGEOCLIP_STORE_PLACES`` have them; nothing is opened.

    Args:
        atlases: Names of the atlases at hand.

    Raises:
        InputError: A variable is no list of NAME=WHERE, or names an atlas that is not there, or one twice.
    """
    addresses, places = _pairs(STORES, atlases), _pairs(PLACES, atlases)
    if alone := next((name for name in places if name not in addresses), None):
        raise InputError(f"{PLACES} names the atlas '{alone}', which has no store: name one in {STORES}.")
    return {
        name: StoreSource(where, Path(places[name]) if name in places else None) for name, where in addresses.items()
    }


def _pairs(variable: str, atlases: Collection[str]) -> dict[str, str]:
    given = os.environ.get(variable, "")
    try:
        words = shlex.split(given)
    except ValueError as error:
        raise InputError(f"{variable} is '{excerpt(given)}': a quotation mark is not closed.") from error
    found: dict[str, str] = {}
    for word in words:
        name, _, where = word.partition("=")
        if not name or not where:
            raise InputError(
                f"{variable} has '{excerpt(word)}'; it takes NAME=WHERE with spaces between them, such as "
                "boston=indexes/boston."
            )
        if name not in atlases:
            known = ", ".join(sorted(atlases)) or "none"
            raise InputError(
                f"{variable} names the atlas '{excerpt(name)}', which is not installed; there are: {known}."
            )
        if name in found:
            raise InputError(f"{variable} names the atlas '{name}' twice.")
        found[name] = where
    return found
