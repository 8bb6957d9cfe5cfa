"""Records of measurements: where those of an atlas lie, and whether they are of the data that it holds now."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from unigeoclip.atlas.store import Atlas

__all__ = ["data_state", "new_records_folder", "records_folder"]


def records_folder(model: Path, atlas: str) -> Path:
    """The folder with what was measured of a model on an atlas: ``metrics.json``, ``calibration.json``.

    That is the folder of the model, and for all but the first of several atlases that it was trained on one beside its
    files, ``atlases/NAME``.

    Args:
        model: Folder of the model.
        atlas: Name of the atlas.
    """
    own = _own_folder(model, atlas)
    return own if own.is_dir() else model


def new_records_folder(model: Path, atlas: str) -> None:
    """Make the folder of an atlas beside a model's files: from now on it is what `records_folder` gives."""
    _own_folder(model, atlas).mkdir(parents=True, exist_ok=True)


def _own_folder(model: Path, atlas: str) -> Path:
    return model / "atlases" / re.sub(r"[^\w-]", "-", atlas)


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
