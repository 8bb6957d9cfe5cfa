"""A fixed pool of drawn windows of an atlas: their trunk features, and what the atlas's model says of the same places.

Features of a frozen trunk are computed once, so windows are not drawn afresh at every step of a training: those of the
gallery are taken, whose sentence vectors ship with the atlas.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.geo import as_latlon, offset_m
from unigeoclip.photographs.map_views import PHOTO_WINDOW_M
from unigeoclip.search.gallery_embeddings import text_batch
from unigeoclip.trunks.features import cached_features

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.model import UniGeoCLIP
    from unigeoclip.trunks.base import Trunk

__all__ = ["Pool", "drawn_pool"]

JITTER_M = 15.0  # standard deviation of a window's distance from the center of its place
_ROWS_AT_ONCE = 256


@dataclass(frozen=True)
class Pool:
    """Pictures and the vectors that a head is trained towards, one row a place.

    Attributes:
        features: (n, f) float16 of the trunk.
        targets: Modality -> (n, dim) unit vectors of the frozen encoders, at the same place.
        latlon: (n, 2) degrees.
    """

    features: NDArray[np.float16]
    targets: dict[str, NDArray[np.float32]]
    latlon: NDArray[np.float64]


def drawn_pool(
    atlas: Atlas,
    model: UniGeoCLIP,
    trunk: Trunk,
    split: str | None = None,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Pool:
    """Encode what is drawn at the places of an atlas's gallery.

    Args:
        atlas: A city.
        model: Its model, whose encoders of location, aerial picture, surface and text set the targets.
        trunk: For the drawn picture over 150 m.
        split: Leave out the places that this split holds out; None takes all.
        seed: Of the positions round the centers of places.
        progress: Called with how many windows went through the trunk since the last call.
    """
    places = atlas.places[atlas.places["gallery"].to_numpy(bool)]
    if split is not None:
        places = places[places[split] == "train"]
    away = np.random.default_rng(seed).normal(scale=JITTER_M, size=(2, len(places)))
    latlon = as_latlon(offset_m(places[["lat", "lon"]].to_numpy(np.float64), away[0], away[1]))
    vectors = atlas.sentence_vectors()
    names = [name for name in model.modalities if name != "street"]
    parts: dict[str, list[NDArray[np.float32]]] = {name: [] for name in names}
    close = np.empty((len(places), 3, trunk.px, trunk.px), np.uint8)
    for start in range(0, len(places), _ROWS_AT_ONCE):
        some = slice(start, start + _ROWS_AT_ONCE)
        at = latlon[some]
        close[some] = atlas.raster("aerial").windows(at, PHOTO_WINDOW_M, trunk.px)
        inputs: dict[str, Any] = {
            name: atlas.raster(name).windows(at, atlas.window_m, model.window_px(name))
            for name in names
            if name in ("aerial", "surface")
        }
        inputs |= {"location": at, "text": text_batch(places["sentences"].iloc[some].tolist(), vectors)}
        for name, found in model.encode({name: inputs[name] for name in names}).items():
            parts[name].append(found.numpy())
    targets = {name: np.concatenate(found) for name, found in parts.items()}
    return Pool(cached_features(trunk, close, progress), targets, latlon)
