"""Ours after it was taught: the location encoder that ``train --teacher geoclip`` wrote for an atlas.

Part of what it knows is GeoCLIP's. So it says so in its title, and is no model that stands for ours in a comparison
with GeoCLIP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unigeoclip.checkpoint import checkpoint_id
from unigeoclip.config import read_json
from unigeoclip.embedders.base import Provenance
from unigeoclip.embedders.unigeoclip import UniGeoCLIPEmbedder
from unigeoclip.errors import CheckpointError, InputError
from unigeoclip.model import load_model

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.modalities.location import LocationEncoder

__all__ = ["NAME", "RECORD", "TEACHERS", "TaughtEmbedder", "taught_folder"]

NAME = "unigeoclip-taught"
RECORD = "taught.json"
TEACHERS = {"geoclip": "GeoCLIP"}  # embedders that teach, and their titles


def taught_folder(atlas: Atlas) -> Path:
    """Where the taught location encoder of an atlas lies."""
    return atlas.path / "taught"


def _record(atlas: Atlas) -> dict[str, Any] | None:
    """What `training.taught.teach` recorded; None where the atlas has no taught encoder.

    Raises:
        InputError: It cannot be read, or names no teacher.
    """
    path = taught_folder(atlas) / RECORD
    if not path.is_file():
        return None
    record: dict[str, Any] = read_json(path)
    if not isinstance(record, dict) or not isinstance(record.get("teacher"), str):
        raise InputError(f"{path} names no teacher: restore it, or teach the model again.")
    return record


class TaughtEmbedder:
    """A location encoder that learned from another embedder, too."""

    def __init__(self, location: UniGeoCLIPEmbedder, teacher: str, provenance: Provenance) -> None:
        """Wrap an encoder; `from_atlas` reads one.

        Args:
            location: Of a model of location alone.
            teacher: Name of the embedder it learned from.
            provenance: Where its weights come from.
        """
        self._location = location
        self.name = NAME
        self.title = f"UniGeoCLIP (taught by {TEACHERS.get(teacher, teacher)})"
        self.dim = location.dim
        self.provenance = provenance

    @classmethod
    def from_atlas(cls, atlas: Atlas) -> TaughtEmbedder:
        """The one that ships with an atlas.

        Raises:
            CheckpointError: There is none, or it is damaged.
        """
        folder = taught_folder(atlas)
        try:
            record = _record(atlas)
        except InputError as error:
            raise CheckpointError(str(error)) from error
        if record is None:
            raise CheckpointError(
                f"{NAME!r} is not trained for this atlas; 'train --teacher geoclip' does it, and the model it writes "
                f"belongs in the atlas's folder {folder.name!r}."
            )
        teacher = record["teacher"]
        provenance = Provenance(
            made_by=f"This project, trained on the atlas {atlas.title!r} and on the vectors of "
            f"{TEACHERS.get(teacher, teacher)}; architecture of arXiv 2604.11668.",
            source=f"Model {checkpoint_id(folder)}, which went on from {record.get('student', 'an unknown one')}",
            licence="MIT",
        )
        return cls(UniGeoCLIPEmbedder(load_model(folder), provenance), teacher, provenance)

    @property
    def location_encoder(self) -> LocationEncoder | None:
        """See `unigeoclip.embedders.base.EncodingEmbedder`."""
        return self._location.location_encoder

    def embed(self, latlon: ArrayLike) -> NDArray[np.float32]:
        """See :meth:`unigeoclip.embedders.base.Embedder.embed`."""
        return self._location.embed(latlon)
