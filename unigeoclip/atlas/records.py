"""Whether a record of measurements is of the data that an atlas holds now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from unigeoclip.atlas.store import Atlas


def data_state(atlas: Atlas, record: Mapping[str, Any]) -> dict[str, Any]:
    """Compare the data that a record names with those of an atlas.

    Args:
        atlas: The atlas.
        record: With the checksum of its data under "data"; a record without it counts as one of other data. One of a
            model without text has `Atlas.pictures_hash` under "pictures": then sentences do not matter.

    Returns:
        ``{"data": checksum in the record or None, "data_now": checksum of the atlas}``, and ``"outdated": true`` where
        they differ: what is recorded was then measured on another state of the atlas.
    """
    state: dict[str, Any] = {"data": record.get("data"), "data_now": atlas.data_hash}
    pictures = record.get("pictures")
    if state["data"] == atlas.data_hash or (pictures is not None and pictures == atlas.pictures_hash):
        return state
    return state | {"outdated": True}
