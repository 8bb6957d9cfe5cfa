"""What a split holds out: where its items are met, and their embeddings in every modality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.errors import InputError
from unigeoclip.vectors import encode_places

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.model import UniGeoCLIP

MOST = 2000  # items of a city: as many places, each met at one of its held-out cameras
_SHUFFLE = 20_260  # seed of which camera of a place is taken


@dataclass(frozen=True)
class HeldOut:
    """Items to retrieve, one a place.

    Attributes:
        rows: (n,) of the places, whose sentences they have.
        latlon: (n, 2) degrees, where location, aerial picture and surface are taken.
        cameras: (n,) rows of the street views, or None in an atlas without.
    """

    rows: NDArray[np.int64]
    latlon: NDArray[np.float64]
    cameras: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, most: int) -> HeldOut:
        """At most so many items, evenly spread."""
        few = np.unique(np.rint(np.linspace(0, len(self) - 1, min(len(self), most))).astype(np.int64))
        return HeldOut(self.rows[few], self.latlon[few], None if self.cameras is None else self.cameras[few])


def held_out(atlas: Atlas, split: str, most: int | None = None) -> HeldOut:
    """The held-out items of a split.

    In an atlas without street views these are its held-out places. In a city each is a held-out camera, one a place,
    with windows and location where it stands: a new position in known territory (``views``), or in blocks that no
    training saw (``blocks``).

    Args:
        atlas: The atlas.
        split: ``random``, ``views`` or ``blocks``.
        most: Items at most; by default `MOST` in a city, and all elsewhere.

    Raises:
        InputError: The atlas has no such split.
    """
    if split not in atlas.places:
        raise InputError(f"The atlas {atlas.name} has no split {split!r}.")
    if "street" not in atlas.manifest.modalities:
        rows = np.flatnonzero((atlas.places[split] == "held_out").to_numpy())
        items = HeldOut(rows, atlas.places[["lat", "lon"]].to_numpy(np.float64)[rows])
        return items if most is None else items.take(most)
    return _one_a_place(atlas, np.flatnonzero((atlas.views[split] == "held_out").to_numpy()), most or MOST)


def all_cameras(atlas: Atlas, most: int = MOST) -> HeldOut:
    """Cameras of a whole city, one a place: the items of one that no training saw.

    Raises:
        InputError: The atlas has no street views.
    """
    return _one_a_place(atlas, np.arange(len(atlas.views)), most)


def _one_a_place(atlas: Atlas, cameras: NDArray[np.int64], most: int) -> HeldOut:
    """One of some cameras a place, the same each time, in the order of the places."""
    cameras = np.random.default_rng(_SHUFFLE).permutation(cameras)
    row_of = {place: row for row, place in enumerate(atlas.places["place_id"])}
    rows = np.array([row_of[place] for place in atlas.views["place_id"].iloc[cameras]], np.int64)
    rows, first = np.unique(rows, return_index=True)
    latlon = atlas.views[["lat", "lon"]].to_numpy(np.float64)[cameras[first]]
    return HeldOut(rows, latlon, cameras[first]).take(most)


def encode_items(
    model: UniGeoCLIP,
    atlas: Atlas,
    items: HeldOut,
    sentence_vectors: NDArray[np.floating[Any]] | None = None,
    *,
    without: Collection[str] = (),
) -> dict[str, NDArray[np.float32]]:
    """Embeddings of held-out items in every modality that model and atlas have: name -> (n, dim) unit vectors.

    A street view is the panorama of the camera, four headings with the compass known.

    Args:
        model: The model.
        atlas: The atlas.
        items: From `held_out`.
        sentence_vectors: Vectors of all sentences; by default those that ship, and what they lack is embedded now.
        without: Modalities to leave out.
    """
    return {
        name: encode_places(
            model, atlas, name, items.rows, sentence_vectors=sentence_vectors, latlon=items.latlon,
            cameras=items.cameras,
        )
        for name in model.modalities if name in atlas.manifest.modalities and name not in without
    }  # fmt: skip


def encode_photos(model: UniGeoCLIP, atlas: Atlas, items: HeldOut) -> NDArray[np.float32]:
    """Embeddings (n, dim) of what each camera sees straight on, as of a photo that does not tell its heading.

    Raises:
        InputError: The items have no cameras.
    """
    if items.cameras is None:
        raise InputError(f"The atlas {atlas.name} has no street views.")
    width, height = model.input_size("street")
    parts = []
    with atlas.streets.held():
        for cameras in np.array_split(items.cameras, max(1, len(items) // 128)):
            views, _ = atlas.streets.panoramas(cameras, width, height, count=1)
            parts.append(model.encode({"street": views})["street"].cpu().numpy())
    return np.concatenate(parts)
