"""Hubs: items of a gallery that are similar to nearly every query, and what is subtracted so that they do not win.

In a space of many dimensions some items are among the nearest of very many queries (Radovanovic et al. 2010, "Hubs in
space"): one empty road is in the top ten of most words. Results are therefore ranked by the inverted softmax (Smith et
al. 2017, "Offline bilingual word vectors, orthogonal transformations and the inverted softmax", section 2.3): an item
is judged by how probable the query is among other queries that ask for it. In logarithms, for a query q and an item g,

    score(q, g) = q . g - offset(g),    offset(g) = log(mean over reference queries r of exp(beta r . g)) / beta

so that much is subtracted of an item that is like everything. The references are vectors of the query's own kind,
taken from places that no split holds out. A sum of terms is scored by the sum of their scores. Nothing is subtracted
where an item is asked for by its own modality: a picture finds itself first.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.atlas.schema import SPLITS
from unigeoclip.files.cache import cache_array, cached_array
from unigeoclip.search.gallery_embeddings import sentence_inputs, text_batch
from unigeoclip.search.gallery_windows import gallery_rows
from unigeoclip.search.query_items import PLACE, space_of
from unigeoclip.search.texts import PHRASE, is_phrase

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.model import UniGeoCLIP
    from unigeoclip.search.query_items import QueryItem

__all__ = ["BETA", "PHRASE", "hub_offsets", "kinds_of_item", "offsets_of", "reference_queries", "reference_rows"]

BETA = 15.0  # chosen by figures, see docs: lower ones correct all items alike, higher ones only near duplicates
REFERENCES = 1000  # queries of each kind
_ROWS = 2000  # items compared with the references at once: 8 MB
_SEED = 0


def kinds_of_item(item: QueryItem, modalities: tuple[str, ...]) -> tuple[str, ...]:
    """Of which kinds of query a term is: one, but for a place, which is the mean of its modalities."""
    if item.modality == PLACE:
        return modalities
    if item.modality == "text":
        return (PHRASE if is_phrase(item.value) else "text",)
    return (space_of(item),)


def offsets_of(items: NDArray[np.float32], references: NDArray[np.float32]) -> NDArray[np.float32]:
    """What is subtracted from the similarity of each item to a query, see the head of this file.

    Args:
        items: (n, dim) unit vectors.
        references: (r, dim) unit vectors of other queries.

    Returns:
        (n,) float32: between the mean and the maximum of the similarities to the references.
    """
    parts = [items[start : start + _ROWS] @ references.T for start in range(0, len(items), _ROWS)]
    return np.concatenate([np.log(np.exp(BETA * part).mean(axis=1)) / BETA for part in parts]).astype(np.float32)


def reference_queries(
    model: UniGeoCLIP, atlas: Atlas, vectors: Mapping[str, NDArray[np.float32]]
) -> dict[str, NDArray[np.float32]]:
    """Queries of each kind that a gallery can be asked by: its own items, and single sentences of its captions.

    Args:
        model: The model.
        atlas: The atlas.
        vectors: Modality -> (n, dim) of the gallery's places, in the order of ``gallery_rows``.

    Returns:
        Kind -> (at most `REFERENCES`, dim) unit vectors.
    """
    found = {}
    for name in vectors:
        rows = gallery_rows(atlas, name)
        found[name] = vectors[name][reference_rows(atlas, rows)]
    if "text" in vectors:
        rng = np.random.default_rng(_SEED)
        rows = gallery_rows(atlas, "text")
        rows = rows[reference_rows(atlas, rows)]
        said = atlas.places["sentences"].to_numpy()[rows]
        single = [rng.choice(np.asarray(sentences, np.int64), 1) for sentences in said]
        texts = text_batch(single, sentence_inputs(model, atlas, rows))
        found[PHRASE] = model.encode({"text": texts})["text"].cpu().numpy()
    return found


def reference_rows(atlas: Atlas, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers of at most `REFERENCES` of these places, none that a split holds out unless it holds out all."""
    places = atlas.places.iloc[rows]
    seen = np.ones(len(rows), bool)
    for split in SPLITS:
        if split in places:
            seen &= (places[split] != "held_out").to_numpy()
    numbers = np.flatnonzero(seen) if seen.any() else np.arange(len(rows))
    return np.sort(np.random.default_rng(_SEED).permutation(numbers)[:REFERENCES])


def hub_offsets(
    model: UniGeoCLIP, atlas: Atlas, places: Mapping[str, NDArray[np.float32]], folder: Path | None = None
) -> dict[str, dict[str, NDArray[np.float32]]]:
    """The offsets of all items of a gallery, for every kind of query.

    Args:
        model: The model.
        atlas: The atlas.
        places: As `VectorCache.load` returns them.
        folder: Where they are kept; None to keep them nowhere.

    Returns:
        Modality of the item -> kind of the query, but for that modality itself -> (n,) float32.
    """
    names = [name for name, vectors in places.items() if len(vectors)]
    all_kinds = [*names, PHRASE] if "text" in names else names
    kinds = {name: [kind for kind in all_kinds if kind != name] for name in names}
    paths = {name: None if folder is None else folder / f"offsets_{_digest(kinds[name])}_{name}.npy" for name in names}
    found: dict[str, NDArray[np.float32]] = {}
    for name, path in paths.items():
        shape = (len(kinds[name]), len(places[name]))
        stored = None if path is None else cached_array(path, shape, np.float32)
        if stored is not None:
            found[name] = np.array(stored)
    if missing := [name for name in names if kinds[name] and name not in found]:
        references = reference_queries(model, atlas, {name: places[name] for name in names})
        for name in missing:
            found[name] = np.stack([offsets_of(places[name], references[kind]) for kind in kinds[name]])
            if (path := paths[name]) is not None:
                cache_array(path, found[name])
    return {name: dict(zip(kinds[name], found.get(name, ()), strict=True)) for name in names}


def _digest(kinds: list[str]) -> str:
    """What tells offsets apart that were computed in another way."""
    return hashlib.sha256(repr((kinds, BETA, REFERENCES)).encode()).hexdigest()[:8]
