"""Retrieval for every pair of modalities, each on the held-out items that have both; as in tables 1 and 5 of the paper.

Beside the modalities, "photo" is a single street view whose heading is not told, and "ensemble" the normalised mean of
all modalities of a place but its street view.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.evaluation.held_out import PHOTO, HeldOut, encode_items, every_place, held_out
from unigeoclip.evaluation.retrieval import FEWEST, WITHIN_M, ensemble, nearest, retrieval
from unigeoclip.geo import distance_m
from unigeoclip.search.gallery_windows import gallery_rows
from unigeoclip.search.hubs import offsets_of, reference_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.model import UniGeoCLIP

__all__ = ["ENSEMBLE", "GALLERIES", "EncodedItems", "Pair", "measured_pairs", "pairs_of"]

ENSEMBLE = "ensemble"
GALLERIES = ("cameras", "cells", "windows")  # see `every_place`

_Vectors = dict[str, "NDArray[np.float32]"]  # kind -> (n, dim)


@dataclass(frozen=True)
class Pair:
    """What asks and what is found.

    Attributes:
        query: A modality, or `PHOTO`.
        targets: The modality that is found, or several whose mean is.
    """

    query: str
    targets: tuple[str, ...]

    @property
    def name(self) -> str:
        """As in a report: "street->aerial"."""
        return f"{self.query}->{self.targets[0] if len(self.targets) == 1 else ENSEMBLE}"

    @property
    def kinds(self) -> tuple[str, ...]:
        """All that must be encoded."""
        return (self.query, *self.targets)

    @property
    def needs(self) -> frozenset[str]:
        """Modalities that an item must have."""
        return frozenset("street" if kind == PHOTO else kind for kind in self.kinds)


def pairs_of(names: Iterable[str]) -> list[Pair]:
    """All ordered pairs of some modalities; with street views also those of photos and ensembles."""
    names = list(names)
    pairs = [Pair(a, (b,)) for a, b in itertools.permutations(names, 2)]
    if "street" not in names:
        return pairs
    others = tuple(name for name in names if name != "street")
    pairs += [Pair(PHOTO, (name,)) for name in others]
    return pairs + ([Pair(PHOTO, others), Pair("street", others)] if len(others) > 1 else [])


def measured_pairs(
    model: UniGeoCLIP,
    atlas: Atlas,
    split: str | None,
    sentence_vectors: NDArray[np.floating[Any]] | None = None,
    *,
    without: Collection[str] = (),
    only: Collection[str] | None = None,
    most: int | None = None,
    galleries: bool = False,
) -> dict[str, dict[str, Any]]:
    """Retrieval of pairs of modalities, keyed ``"query->target"``: what `retrieval` returns, from full captions.

    Every pair is measured on the held-out items that have both its modalities, so that few photos shrink the pairs of
    street views alone.

    Args:
        model: The model.
        atlas: The atlas.
        split: As for `held_out`.
        sentence_vectors: Vectors of all sentences; by default those that ship, and what they lack is embedded now.
        without: Modalities to leave out.
        only: Names of pairs to measure; all by default.
        most: Items of a pair at most, as for `held_out`.
        galleries: Of a city, what street views and photos find is also looked for among all its places:
            ``acc@100m_gallery_cameras`` (each place at one of its cameras), ``acc@100m_gallery_cells`` (each at its
            center), ``acc@100m_gallery_windows`` (each at its center and some of its cameras, and ranked without
            hubs, as the app searches), with the sizes ``n_gallery_cameras``, ``n_gallery_cells`` and
            ``n_gallery_windows``.
    """
    names = [name for name in model.modalities if name in atlas.manifest.modalities and name not in without]
    pairs = [pair for pair in pairs_of(names) if only is None or pair.name in only]
    encoded = EncodedItems(_encoder(model, atlas, sentence_vectors))
    sets = {needs: held_out(atlas, split, most, having=needs) for needs in {pair.needs for pair in pairs}}
    for pair in pairs:
        encoded.want(pair, sets[pair.needs])
    report: dict[str, dict[str, Any]] = {}
    for pair in pairs:
        items = sets[pair.needs]
        vectors = encoded.of(pair, items)
        report[pair.name] = dict(retrieval(vectors[pair.query], _target(pair, vectors), items.latlon))
    if galleries and "street" in names:
        asking = [pair for pair in pairs if pair.query in (PHOTO, "street") and len(sets[pair.needs]) >= FEWEST]
        for at in GALLERIES:
            found = _among_all(model, atlas, asking, sets, encoded, at, sentence_vectors)
            for name, figures in found.items():
                report[name] |= figures
    return report


def _encoder(
    model: UniGeoCLIP, atlas: Atlas, sentence_vectors: NDArray[np.floating[Any]] | None
) -> Callable[[str, HeldOut], NDArray[np.float32]]:
    """What encodes items of an atlas, none included."""

    def encode(kind: str, items: HeldOut) -> NDArray[np.float32]:
        if not len(items):
            return np.empty((0, model.dim), np.float32)
        return encode_items(model, atlas, kind, items, sentence_vectors)

    return encode


def _target(pair: Pair, vectors: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """What is looked for, (n, dim)."""
    several = [vectors[kind] for kind in pair.targets]
    return ensemble(several) if len(several) > 1 else several[0]


class EncodedItems:
    """Embeddings of the items of many pairs; what is in several is encoded once."""

    def __init__(self, encode: Callable[[str, HeldOut], NDArray[np.float32]]) -> None:
        """Make it; nothing is encoded yet.

        Args:
            encode: Returns the embeddings (n, dim) of items in a modality, or as `PHOTO`.
        """
        self._encode = encode
        self._wanted: dict[str, list[HeldOut]] = {}
        self._found: dict[str, tuple[dict[tuple[int, int], int], NDArray[np.float32]]] = {}

    def want(self, pair: Pair, items: HeldOut) -> None:
        """Say beforehand what `of` will be asked for, so that items of all pairs are encoded together."""
        for kind in pair.kinds:
            self._wanted.setdefault(kind, []).append(items)

    def of(self, pair: Pair, items: HeldOut) -> _Vectors:
        """The embeddings of items that were announced."""
        return {kind: self._kind(kind, items) for kind in pair.kinds}

    def _kind(self, kind: str, items: HeldOut) -> NDArray[np.float32]:
        if kind not in self._found:
            whole = _union(kind, self._wanted[kind])
            number = {tuple(key): row for row, key in enumerate(_keys(kind, whole).tolist())}
            self._found[kind] = number, self._encode(kind, whole)
        number, vectors = self._found[kind]
        rows = [number[tuple(key)] for key in _keys(kind, items).tolist()]
        return vectors[np.array(rows, np.int64)]


def _keys(kind: str, items: HeldOut) -> NDArray[np.int64]:
    """What tells items of a kind apart, (n, 2): a text is the same wherever in its place the camera stands."""
    keys = items.keys()
    return np.stack([keys[:, 0], np.full(len(keys), -1)], axis=1) if kind == "text" else keys


def _union(kind: str, sets: list[HeldOut]) -> HeldOut:
    """Items of a kind that are in any of the sets, each once."""
    keys = np.concatenate([_keys(kind, items) for items in sets])
    first = np.unique(keys, axis=0, return_index=True)[1]
    rows, latlon = np.concatenate([items.rows for items in sets]), np.concatenate([items.latlon for items in sets])
    return HeldOut(rows[first], latlon[first], keys[first, 1])


def _among_all(
    model: UniGeoCLIP,
    atlas: Atlas,
    pairs: list[Pair],
    sets: Mapping[frozenset[str], HeldOut],
    encoded: EncodedItems,
    at: str,
    sentence_vectors: NDArray[np.floating[Any]] | None,
) -> dict[str, dict[str, Any]]:
    """How often the first of all places of a city lies within 100 m of the camera that was asked with, by pair."""
    galleries = {
        needs: every_place(atlas, sets[needs], needs - {"street"}, at=at) for needs in {pair.needs for pair in pairs}
    }
    everywhere = EncodedItems(_encoder(model, atlas, sentence_vectors))
    for pair in pairs:
        everywhere.want(Pair(pair.targets[0], pair.targets[1:]), galleries[pair.needs])
    found, references = {}, _references(model, atlas, pairs) if at == "windows" else {}
    for pair in pairs:
        items, gallery = sets[pair.needs], galleries[pair.needs]
        target = _target(pair, everywhere.of(Pair(pair.targets[0], pair.targets[1:]), gallery))
        queries = encoded.of(pair, items)[pair.query]
        if references:  # a number more, whose product is what is subtracted of hubs
            target = np.column_stack([target, -offsets_of(target, references[pair.query])])
            queries = np.column_stack([queries, np.ones(len(queries), np.float32)])
        first = nearest(queries, target)
        meters = distance_m(items.latlon, gallery.latlon[first])
        found[pair.name] = {
            f"acc@100m_gallery_{at}": 100 * float((meters <= WITHIN_M).mean()),
            f"n_gallery_{at}": len(gallery),
        }
    return found


def _references(model: UniGeoCLIP, atlas: Atlas, pairs: list[Pair]) -> _Vectors:
    """Queries of each kind at cameras of the gallery, for the offsets of hubs: query -> (n, dim)."""
    places = gallery_rows(atlas, "street")
    views = [
        atlas.streets.of_place(place) for place in atlas.places["place_id"].iloc[places[reference_rows(atlas, places)]]
    ]
    cameras = np.array([view.row for view in views if view is not None], np.int64)
    items = HeldOut(cameras, atlas.views[["lat", "lon"]].to_numpy(np.float64)[cameras], cameras)
    return {query: encode_items(model, atlas, query, items) for query in {pair.query for pair in pairs}}
