"""What frozen encoders say of spots and of other places of the same cities, each computed once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.atlas.sentence_vectors import cache_sentence_vectors, cached_sentence_vectors
from unigeoclip.modalities.text import sentence_encoder
from unigeoclip.photographs.map_views import Sides, map_views, places_between
from unigeoclip.search.gallery_embeddings import text_batch
from unigeoclip.trunks.features import cached_features
from unigeoclip.uploads.pictures import decode_picture

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from unigeoclip.modalities.text import TextBatch
    from unigeoclip.model import UniGeoCLIP
    from unigeoclip.photographs.spots import Photographs
    from unigeoclip.trunks.base import Trunk

__all__ = ["GALLERY", "MAP_MODALITIES", "City", "encode_city", "pictures_of", "turned"]

GALLERY = 300  # places of a city that an answer is looked for among: its spots, and others of its map
OTHERS = 600  # places drawn beside the spots, once: a gallery of another size needs no second drawing
MAP_MODALITIES = ("text", "surface", "aerial")
_ROWS_AT_ONCE = 128


@dataclass(frozen=True)
class City:
    """A city's gallery: the spots with photographs first, then other places of its map.

    Attributes:
        name: Of the city.
        spots: (s,) numbers of the spots with photographs, the first s rows of the gallery.
        vectors: Modality of the map -> (places, dim) unit vectors of the frozen encoders.
        drawn: (s, f) float16 trunk features of the drawn pictures of the spots.
    """

    name: str
    spots: NDArray[np.int64]
    vectors: Mapping[str, NDArray[np.float32]]
    drawn: NDArray[np.float16]


def encode_city(
    photographs: Photographs,
    name: str,
    model: UniGeoCLIP,
    trunk: Trunk,
    say: Callable[[str], None] | None = None,
    gallery: int = GALLERY,
) -> City:
    """Draw, describe and encode the spots of a city and other places of its map.

    Args:
        photographs: All photographs.
        name: Of the city.
        model: Whose encoders of text, surface and aerial picture are used.
        trunk: For the drawn pictures over 150 m.
        say: Called with what is being done.
        gallery: Places in all, fewer where the tiles have no room for more.
    """
    spots = np.flatnonzero(photographs.spot_city == name)
    at = photographs.latlon[spots]
    others = places_between(photographs.tiles, at, OTHERS)
    latlon = np.concatenate([at, others])
    names = [f"{name}-{row}" for row in range(len(latlon))]
    views = map_views(photographs.tiles, latlon, names, Sides(model.window_px("aerial"), trunk.px), say)
    count = min(max(gallery, len(spots)), len(latlon))
    if say is not None:
        say(f"Encoding {count} places of {name}")
    vectors = {"text": model.encode({"text": _texts(views.sentences[:count])})["text"].numpy()}
    for modality, pictures in (("surface", views.surface[:count]), ("aerial", views.aerial[:count])):
        vectors[modality] = encoded(model, modality, pictures)
    return City(name, spots, vectors, cached_features(trunk, views.close[: len(spots)]))


def encoded(model: UniGeoCLIP, modality: str, inputs: NDArray[np.generic]) -> NDArray[np.float32]:
    """Embeddings (n, dim) of inputs (n, ...) of a modality, some at a time."""
    parts = [
        model.encode({modality: inputs[start : start + _ROWS_AT_ONCE]})[modality].numpy()
        for start in range(0, len(inputs), _ROWS_AT_ONCE)
    ]
    return np.concatenate(parts)


def pictures_of(photographs: Photographs, px: int) -> NDArray[np.uint8]:
    """All photographs (n, 3, px, px), in the order of the table.

    Raises:
        InputError: One cannot be read.
    """
    return np.stack([decode_picture(photographs.read(row), px) for row in range(len(photographs.files))])


def turned(pictures: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """Pictures (n, 3, px, px) as they are, and mirrored from west to east, which leaves the sun where it is."""
    return [pictures, pictures[..., ::-1]]


def _texts(sentences: Sequence[Sequence[str]]) -> TextBatch:
    """All sentences of each place, every distinct one embedded once."""
    distinct = sorted({sentence for said in sentences for sentence in said})
    vectors = _sentence_vectors(distinct)
    row_of = {sentence: row for row, sentence in enumerate(distinct)}
    return text_batch([np.array([row_of[sentence] for sentence in said]) for said in sentences], vectors)


def _sentence_vectors(texts: Sequence[str]) -> NDArray[np.float16]:
    kept = cached_sentence_vectors(texts)
    if kept is not None:
        return kept
    vectors = sentence_encoder().embed(texts)
    cache_sentence_vectors(texts, vectors)
    return vectors.astype(np.float16)
