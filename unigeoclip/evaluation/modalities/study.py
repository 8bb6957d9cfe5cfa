"""A model's modalities on held-out places, item by item: who finds whom, and how close the vectors of a place are.

The figures are those of ``evaluate`` (`pairs.measured_pairs`), from the same items and the same vectors; kept beside
them is what every single query found, so that hits and misses can be looked at.
"""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.atlas.records import records_folder
from unigeoclip.checkpoint import checkpoint_id
from unigeoclip.errors import InputError
from unigeoclip.evaluation.held_out import HeldOut, encode_items, held_out
from unigeoclip.evaluation.modalities.agreement import (
    SimilarityLevels,
    alignment,
    modality_gap,
    similarity_levels,
    uniformity,
)
from unigeoclip.evaluation.pairs import EncodedItems, Pair
from unigeoclip.evaluation.report import training_record
from unigeoclip.evaluation.retrieval import ensemble, figures, ranks
from unigeoclip.files.cache import cache_array, cache_folder, cached_array
from unigeoclip.geo import distance_m
from unigeoclip.search.gallery_embeddings import sentence_inputs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.model import UniGeoCLIP

    Report = Callable[[str, float], None]  # what is being done, and the share of all work that is

__all__ = ["LEAST_PLACES", "Found", "ModalityStudy", "Vectors", "study_modalities"]

LEAST_PLACES = 3
_FOLDER = "held-out"  # of the cache folder
_FORMAT = 1  # of the cached files: raise it when what they hold changes
# Rough cost of encoding one item; only the progress depends on it. A sentence is embedded before its place is.
_COST = {"location": 1.0, "text": 1.0, "aerial": 7.0, "surface": 3.0, "street": 35.0}
_SENTENCES_COST = 38.0  # of embedding the sentences that an atlas does not ship, per place
_RANKS_SHARE = 0.04  # of all work

Vectors = dict[str, "NDArray[np.float32]"]  # modality -> (n, dim) unit vectors


@dataclass(frozen=True, eq=False)
class Found:
    """What the items of one modality find among those of another.

    Attributes:
        pair: Which modalities.
        items: The held-out items that have both; also the gallery.
        rank: (n,) rank of each query's own item, 1 is best.
        first: (n,) number of the item found first.
    """

    pair: Pair
    items: HeldOut
    rank: NDArray[np.int64]
    first: NDArray[np.int64]

    @property
    def figures(self) -> dict[str, float | bool]:
        """See `retrieval.figures`."""
        return figures(self.rank, self.first, self.items.latlon)

    @cached_property
    def meters(self) -> NDArray[np.float64]:
        """Distance from each query to the item found first, (n,)."""
        found: NDArray[np.float64] = distance_m(self.items.latlon, self.items.latlon[self.first])
        return found

    def share_within(self, limit_m: float) -> float:
        """Share of queries whose first item lies within a distance, percent."""
        return 100 * float((self.meters <= limit_m).mean()) if len(self.rank) else 0.0

    def examples(self, *, hits: bool, count: int, seed: int = 0) -> NDArray[np.int64]:
        """Numbers of a few queries drawn at random among those that found their own item first, or did not."""
        rows = np.flatnonzero((self.rank == 1) == hits)
        return np.random.default_rng(seed).permutation(rows)[:count]


@dataclass(frozen=True, eq=False)
class ModalityStudy:
    """The modalities of a model on the held-out places of an atlas.

    Attributes:
        split: That the model was trained for.
        items: The held-out items that have all modalities.
        vectors: Their embeddings, by modality in the order of the atlas.
        found: Retrieval of each ordered pair, by the name of the pair: "street->aerial".
    """

    split: str
    items: HeldOut
    vectors: Vectors
    found: Mapping[str, Found]

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities that the model and the atlas have."""
        return tuple(self.vectors)

    @cached_property
    def ensemble(self) -> NDArray[np.float32]:
        """Normalized mean of all modalities of each place, (n, dim)."""
        return ensemble(list(self.vectors.values()))

    @cached_property
    def centered(self) -> Vectors:
        """The vectors without the mean of their modality, unit length again: the places without the modality gap."""
        return {name: _centered(vectors) for name, vectors in self.vectors.items()}

    @cached_property
    def alignment(self) -> dict[tuple[str, str], float]:
        """`agreement.alignment` of each unordered pair."""
        return {(a, b): alignment(self.vectors[a], self.vectors[b]) for a, b in self._pairs}

    @cached_property
    def gap(self) -> dict[tuple[str, str], float]:
        """`agreement.modality_gap` of each unordered pair."""
        return {(a, b): modality_gap(self.vectors[a], self.vectors[b]) for a, b in self._pairs}

    @cached_property
    def uniformity(self) -> dict[str, float]:
        """`agreement.uniformity` of each modality."""
        return {name: uniformity(vectors) for name, vectors in self.vectors.items()}

    @cached_property
    def levels(self) -> dict[tuple[str, str], SimilarityLevels]:
        """What similarities of each unordered pair mean."""
        return {(a, b): similarity_levels(self.vectors[a], self.vectors[b]) for a, b in self._pairs}

    @property
    def _pairs(self) -> list[tuple[str, str]]:
        return list(itertools.combinations(self.vectors, 2))

    def similarities(self, item: int) -> NDArray[np.float32]:
        """Cosine similarities between all modalities of one place, (modalities, modalities)."""
        vectors = np.stack([each[item] for each in self.vectors.values()])
        similarities: NDArray[np.float32] = vectors @ vectors.T
        return similarities

    @property
    def nbytes(self) -> int:
        """Memory that it holds."""
        arrays = [*self.vectors.values(), self.ensemble, *self.centered.values()]
        ranks = sum(each.rank.nbytes + each.first.nbytes + each.items.latlon.nbytes for each in self.found.values())
        return ranks + sum(array.nbytes for array in arrays)


def study_modalities(
    model: UniGeoCLIP, atlas: Atlas, model_path: Path | None = None, report: Report | None = None
) -> ModalityStudy:
    """Study the modalities of a model on the held-out items of the split that it was trained for.

    Embeddings are kept in the cache folder, by atlas, model and items.

    Args:
        model: The model.
        atlas: The atlas.
        model_path: Folder of the model; by default that of the atlas.
        report: Called with what is being done and the share of all work that is, 0 to 1.

    Raises:
        AtlasError: The model was trained on other data than the atlas holds.
        InputError: The model's folder does not say what was held out, the model and the atlas have fewer than two
            modalities in common, or fewer than `LEAST_PLACES` held-out places have all of them.
    """
    folder = model_path or atlas.model_path
    split = training_record(folder, atlas).get("split")
    if not isinstance(split, str):
        raise InputError(
            f"{records_folder(folder, atlas.name) / 'metrics.json'} names no split, so that no place is known to be "
            f"held out: train the model with 'unigeoclip train --atlas {atlas.name}'."
        )
    names = [name for name in atlas.manifest.modalities if name in model.modalities]
    if len(names) < 2:
        raise InputError(
            f"The model in {folder} and the atlas {atlas.name} have {' and '.join(names) or 'nothing'} in common; two "
            "modalities are needed."
        )
    everything = held_out(atlas, split, having=names)
    if len(everything) < LEAST_PLACES:
        raise InputError(
            f"Only {len(everything)} held-out places of {atlas.name} have all of {', '.join(names)}; {LEAST_PLACES} "
            "are needed. Build the atlas with more pictures, or train a model without the modality that is rare."
        )
    pairs = [Pair(a, (b,)) for a, b in itertools.permutations(names, 2)]
    sets = {needs: held_out(atlas, split, having=needs) for needs in {pair.needs for pair in pairs}}
    whole = Pair(names[0], tuple(names[1:]))
    counts = {name: max(len(items) for needs, items in sets.items() if name in needs) for name in names}
    encoded = EncodedItems(_CachedEncoder(model, atlas, folder, _Progress(counts, report)).encode)
    encoded.want(whole, everything)
    for pair in pairs:
        encoded.want(pair, sets[pair.needs])
    vectors = encoded.of(whole, everything)
    return ModalityStudy(split, everything, vectors, _found(pairs, sets, encoded, report))


def _found(
    pairs: list[Pair], sets: Mapping[frozenset[str], HeldOut], encoded: EncodedItems, report: Report | None
) -> dict[str, Found]:
    found = {}
    for number, pair in enumerate(pairs):
        if report is not None:
            report("Comparing the modalities", 1 - _RANKS_SHARE * (1 - number / len(pairs)))
        items = sets[pair.needs]
        vectors = encoded.of(pair, items)
        found[pair.name] = Found(pair, items, *ranks(vectors[pair.query], vectors[pair.targets[0]]))
    return found


def _centered(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    apart = vectors - vectors.mean(axis=0)
    unit: NDArray[np.float32] = apart / np.maximum(np.linalg.norm(apart, axis=1, keepdims=True), 1e-12)
    return unit.astype(np.float32)


class _Progress:
    """How much of the encoding of all modalities is done."""

    def __init__(self, counts: Mapping[str, int], report: Report | None) -> None:
        costs = {name: _COST.get(name, 1.0) for name in counts}
        if "text" in counts:
            costs["text"] += _SENTENCES_COST
        self._report, self._counts = report, counts
        self._left = {name: costs[name] * count for name, count in counts.items()}
        self._total = sum(self._left.values()) or 1.0

    def advance(self, name: str, title: str, share: float) -> None:
        """Note that so much of what was left of a modality is done; 1 is all of it."""
        self._left[name] *= 1 - share
        if self._report is not None:
            self._report(title, (1 - _RANKS_SHARE) * (1 - sum(self._left.values()) / self._total))


class _CachedEncoder:
    """Embeddings of held-out items: read from the cache folder, or computed and put there."""

    def __init__(self, model: UniGeoCLIP, atlas: Atlas, folder: Path, progress: _Progress) -> None:
        self._model, self._atlas, self._progress = model, atlas, progress
        self._name = f"{atlas.name}-{atlas.data_hash}-{checkpoint_id(folder)}"

    def encode(self, kind: str, items: HeldOut) -> NDArray[np.float32]:
        """Embeddings (n, dim) of items."""
        if not len(items):
            return np.empty((0, self._model.dim), np.float32)
        path = cache_folder() / _FOLDER / f"{self._name}-{kind}-{_digest(items)}.npy"
        stored: NDArray[np.float32] | None = cached_array(path, (len(items), self._model.dim), np.float32)
        if stored is None:
            stored = self._compute(kind, items)
            cache_array(path, stored)
        self._progress.advance(kind, "Reading the embeddings", 1.0)
        return np.asarray(stored)

    def _compute(self, kind: str, items: HeldOut) -> NDArray[np.float32]:
        words = f"Encoding {len(items):,} held-out places: {kind}".replace(",", "\u202f")
        done = 0

        def report(count: int) -> None:
            nonlocal done
            left = len(items) - done
            done += count
            self._progress.advance(kind, words, count / left if left else 1.0)

        return encode_items(self._model, self._atlas, kind, items, self._sentences(kind, items), report)

    def _sentences(self, kind: str, items: HeldOut) -> NDArray[Any] | None:
        """Vectors of sentences, which for some atlases take longer than all that follows."""
        if kind != "text":
            return None
        done = 0
        most = _SENTENCES_COST / (_SENTENCES_COST + _COST["text"])

        def report(count: int, total: int) -> None:
            nonlocal done
            left, done = 1 - most * done / total, done + count
            self._progress.advance(kind, "Embedding the sentences of held-out places", most * count / total / left)

        return sentence_inputs(self._model, self._atlas, items.rows, report)


def _digest(items: HeldOut) -> str:
    """What changes with the items."""
    content = str(_FORMAT).encode() + items.keys().tobytes() + items.latlon.tobytes()
    return hashlib.sha256(content).hexdigest()[:12]
