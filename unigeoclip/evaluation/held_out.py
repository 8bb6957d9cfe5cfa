"""What a split holds out: where its items are met, and their embeddings in every modality."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from scipy.spatial import cKDTree

from unigeoclip.atlas.schema import RASTERS
from unigeoclip.errors import InputError
from unigeoclip.geo import EARTH_RADIUS_M, unit_xyz
from unigeoclip.search.gallery_embeddings import encode_places
from unigeoclip.search.gallery_windows import gallery_windows

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.model import UniGeoCLIP

MOST = 2000  # items of a city: as many places, each met at one of its held-out cameras where it has one
MOST_ELSEWHERE = 20_000  # a bound, not a choice: every item is compared with every other; the world holds out 5,000
PHOTO = "photo"  # what the camera sees straight on, as of a photo that does not tell its heading
_SHUFFLE = 20_260  # seed of which camera of a place is taken


@dataclass(frozen=True)
class HeldOut:
    """Items to retrieve, one a place.

    Attributes:
        rows: (n,) of the places, whose sentences they have.
        latlon: (n, 2) degrees, where location, aerial picture and surface are taken.
        cameras: (n,) rows of the street views, below 0 where an item has none; None in an atlas without street views.
    """

    rows: NDArray[np.int64]
    latlon: NDArray[np.float64]
    cameras: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, most: int) -> HeldOut:
        """At most so many items, evenly spread."""
        few = np.unique(np.rint(np.linspace(0, len(self) - 1, min(len(self), most))).astype(np.int64))
        return self.chosen(few)

    def chosen(self, items: NDArray[Any]) -> HeldOut:
        """Some of the items, by their numbers or by truth values."""
        cameras = None if self.cameras is None else self.cameras[items]
        return HeldOut(self.rows[items], self.latlon[items], cameras)

    def keys(self) -> NDArray[np.int64]:
        """What tells items apart: place and camera, (n, 2)."""
        cameras = np.full(len(self), -1, np.int64) if self.cameras is None else self.cameras
        return np.stack([self.rows, cameras], axis=1)


def held_out(atlas: Atlas, split: str | None, most: int | None = None, having: Collection[str] = ()) -> HeldOut:
    """The held-out items of a split that have certain modalities.

    In an atlas without street views these are its held-out places. In a city each is a held-out camera, one a place,
    with windows and location where it stands: a new position in known territory (``views``), or in blocks that no
    training saw (``blocks``). Where a street view is not asked for and fewer than `MOST` places have a held-out
    camera, other places stand in at their centres: all of the territory with ``views``, which holds out cameras alone,
    and those in held-out blocks with ``blocks``.

    Args:
        atlas: The atlas.
        split: ``random``, ``views`` or ``blocks``; None for all cameras and places of an atlas that no training saw.
        most: Items at most; by default `MOST` in a city, and `MOST_ELSEWHERE` without street views.
        having: Modalities that every item has, see `Atlas.present_at`.

    Raises:
        InputError: The atlas has no such split, or none of the modalities that are asked for.
    """
    if split is not None and split not in atlas.places:
        raise InputError(f"The atlas {atlas.name} has no split {split!r}.")
    if "street" not in atlas.manifest.modalities:
        if "street" in having:
            raise InputError(f"The atlas {atlas.name} has no street views.")
        items = _centers(atlas, _held_out_places(atlas, split), having)
        return items.take(most or MOST_ELSEWHERE)
    most = most or MOST
    cameras = np.arange(len(atlas.views))
    if split is not None:
        cameras = np.flatnonzero((atlas.views[split] == "held_out").to_numpy())
    items = _one_a_place(atlas, cameras, having).take(most)
    if "street" in having or len(items) == most:
        return items
    others = np.setdiff1d(_held_out_places(atlas, split), items.rows)
    more = _centers(atlas, others, having).take(most - len(items))
    joined = HeldOut(
        np.concatenate([items.rows, more.rows]),
        np.concatenate([items.latlon, more.latlon]),
        np.concatenate([cast("NDArray[np.int64]", items.cameras), np.full(len(more), -1, np.int64)]),
    )
    return joined.chosen(np.argsort(joined.rows))


def _held_out_places(atlas: Atlas, split: str | None) -> NDArray[np.int64]:
    """Rows of the places whose centres a split allows to measure on."""
    if split in (None, "views"):
        return np.arange(len(atlas.places))
    return np.flatnonzero((atlas.places[split] == "held_out").to_numpy())


def _centers(atlas: Atlas, rows: NDArray[np.int64], having: Collection[str]) -> HeldOut:
    """Places at their centres: those that have the modalities."""
    for name in having:
        rows = rows[atlas.present(name)[rows]]
    cameras = np.full(len(rows), -1, np.int64) if "street" in atlas.manifest.modalities else None
    return HeldOut(rows, atlas.places[["lat", "lon"]].to_numpy(np.float64)[rows], cameras)


def _one_a_place(atlas: Atlas, cameras: NDArray[np.int64], having: Collection[str]) -> HeldOut:
    """One of some cameras a place, the same each time, in the order of the places; at it the modalities are known."""
    positions = atlas.views[["lat", "lon"]].to_numpy(np.float64)
    for name in having:
        if name != "street":
            cameras = cameras[atlas.present_at(name, positions[cameras])]
    cameras = np.random.default_rng(_SHUFFLE).permutation(cameras)
    row_of = {place: row for row, place in enumerate(atlas.places["place_id"])}
    rows = np.array([row_of[place] for place in atlas.views["place_id"].iloc[cameras]], np.int64)
    rows, first = np.unique(rows, return_index=True)
    return HeldOut(rows, positions[cameras[first]], cameras[first])


def split_facts(atlas: Atlas, split: str) -> dict[str, float]:
    """How far the held-out items of a split are from what a training on it sees, beside the width of a window.

    Returns:
        ``median_distance_to_training_km``: from a held-out item to the nearest place or camera of the training split;
        ``median_distance_to_training_camera_km``, of a city: to the nearest camera of it; ``window_km``.
    """
    city = "street" in atlas.manifest.modalities
    items = held_out(atlas, split, having=("street",) if city else ())
    trained = np.ones(len(atlas.places), bool) if split == "views" else (atlas.places[split] == "train").to_numpy()
    places = atlas.places[["lat", "lon"]].to_numpy(np.float64)[trained]
    facts = {"window_km": atlas.window_m / 1000}
    if city:
        known = (atlas.views["views"] == "train").to_numpy()
        if split == "blocks":
            known = known & (atlas.views["blocks"] == "train").to_numpy()
        cameras = atlas.views[["lat", "lon"]].to_numpy(np.float64)[known]
        if len(items) and len(cameras):
            facts["median_distance_to_training_camera_km"] = _median_km(items.latlon, cameras)
        places = np.concatenate([places, cameras])
    if len(items) and len(places):
        facts["median_distance_to_training_km"] = _median_km(items.latlon, places)
    return facts


def _median_km(points: NDArray[np.float64], others: NDArray[np.float64]) -> float:
    """Median distance from points to the nearest of others, kilometers."""
    chord = cKDTree(unit_xyz(others)).query(unit_xyz(points))[0]
    return float(np.median(2 * np.arcsin(chord / 2)) * EARTH_RADIUS_M / 1000)


def every_place(atlas: Atlas, items: HeldOut, having: Collection[str], *, at: str) -> HeldOut:
    """All places of an atlas that have certain modalities, as a gallery to find held-out items in.

    Args:
        atlas: A city.
        items: What is asked with.
        having: Modalities, without street views.
        at: "cameras": each place at the camera of its item, or at one of its cameras, or without any at its center;
            "cells": each at its center; "windows": each at its center and at some of its cameras, as the app searches
            (`gallery_windows`).
    """
    centers = _centers(atlas, np.arange(len(atlas.places)), having)
    if at == "cells":
        return centers
    if at == "windows":
        modality = next((name for name in having if name in RASTERS), "location")
        windows = gallery_windows(atlas, modality, centers.rows)
        # No cameras look through these windows: the numbers below zero only tell them apart.
        return HeldOut(windows.rows, windows.latlon, -1 - np.arange(len(windows)))
    latlon = atlas.places[["lat", "lon"]].to_numpy(np.float64).copy()
    known = np.zeros(len(latlon), bool)
    known[centers.rows] = True
    for some in (_one_a_place(atlas, np.arange(len(atlas.views)), having), items):
        latlon[some.rows], known[some.rows] = some.latlon, True
    rows = np.flatnonzero(known)
    return HeldOut(rows, latlon[rows], np.full(len(rows), -1, np.int64))


def encode_items(
    model: UniGeoCLIP,
    atlas: Atlas,
    kind: str,
    items: HeldOut,
    sentence_vectors: NDArray[np.floating[Any]] | None = None,
    report: Callable[[int], None] | None = None,
) -> NDArray[np.float32]:
    """Embeddings of held-out items in a modality, (n, dim) unit vectors.

    Args:
        model: The model.
        atlas: The atlas.
        kind: A modality that all items have, or `PHOTO`. "street" is the panorama of the camera, four headings with the
            compass known.
        items: From `held_out`.
        sentence_vectors: Vectors of all sentences; by default those that ship, and what they lack is embedded now.
        report: Called with the number of items done since the last call.
    """
    if kind == PHOTO:
        return encode_photos(model, atlas, items)
    return encode_places(
        model, atlas, kind, items.rows, report, sentence_vectors, latlon=items.latlon, cameras=items.cameras
    )


def encode_photos(model: UniGeoCLIP, atlas: Atlas, items: HeldOut) -> NDArray[np.float32]:
    """Embeddings (n, dim) of what each camera sees straight on, as of a photo that does not tell its heading.

    Raises:
        InputError: An item has no camera.
    """
    if items.cameras is None or (items.cameras < 0).any():
        raise InputError(f"The atlas {atlas.name} has no street views.")
    width, height = model.input_size("street")
    parts = []
    with atlas.streets.held():
        for cameras in np.array_split(items.cameras, max(1, len(items) // 128)):
            views, _ = atlas.streets.panoramas(cameras, width, height, count=1)
            parts.append(model.encode({"street": views})["street"].cpu().numpy())
    return np.concatenate(parts) if parts else np.empty((0, model.dim), np.float32)
