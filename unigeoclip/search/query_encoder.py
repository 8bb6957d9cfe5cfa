"""Encoding of queries: a weighted sum of items of any modality becomes one unit vector."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.atlas.records import records_folder
from unigeoclip.checkpoint import checkpoint_id
from unigeoclip.config import read_json
from unigeoclip.errors import CheckpointError, InputError, excerpt
from unigeoclip.geo import as_latlon, in_round_figures
from unigeoclip.modalities.towers.text import TextTower
from unigeoclip.search.composing.alternatives import alternatives
from unigeoclip.search.hubs import kinds_of_item
from unigeoclip.search.judge import Judge
from unigeoclip.search.query import ANY, COMBINATIONS, SUM, Alternative, Note, Query
from unigeoclip.search.query_items import (
    ITEM,
    MAX_WEIGHT,
    PLACE,
    VIEW,
    PackedVector,
    QueryItem,
    space_of,
    write_item,
)
from unigeoclip.search.texts import encode_words, sentences_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.model import UniGeoCLIP
    from unigeoclip.search.gallery import Gallery

__all__ = ["QueryEncoder", "sentences_of"]

_WIDE_M = 10_000.0  # atlases with windows wider than that show countries, others show streets
# A sum of unit vectors shorter than this share of its weights is noise left over from terms that cancel.
_CANCELLED = 1e-3
_NO_SPREAD = 1e-9  # variance of a heatmap that is the same everywhere


class QueryEncoder:
    """Turns query items into vectors of the space of an atlas's model."""

    def __init__(self, atlas: Atlas, model: UniGeoCLIP, cells: NDArray[np.float32], gallery: Gallery) -> None:
        """Put the parts together.

        Args:
            atlas: The atlas.
            model: Its model.
            cells: (cells, dim) vectors of the land grid, against which queries are weighed and judged.
            gallery: Its places.

        Raises:
            CheckpointError: The model's ``metrics.json`` is there but cannot be used.
        """
        self.atlas, self.model, self.cells, self.gallery = atlas, model, cells, gallery
        self.unlike_thresholds = _unlike_thresholds(records_folder(atlas.model_path, atlas.name))

    def encode(self, items: Sequence[QueryItem], combine: str = SUM) -> Query:
        """Encode a weighted sum of items, or several examples of which any will do.

        Over the map, the similarities to words spread a third to a half as far as those to a point, and those to a
        photograph of a street less than those to an aerial image. So in a sum of several modalities the terms of each
        are scaled until all spread alike: weights of 1 and 1 have equal influence on the heatmap. A query of one
        modality is the plain sum. Any of several examples: see `composing.alternatives`.

        Args:
            items: What is asked.
            combine: One of `query.COMBINATIONS`; with fewer than two items of positive weight, "any" is the sum.

        Raises:
            InputError: No items, a value that cannot be encoded, weights out of range, weights that cancel out, or
                an unknown combination.
        """
        if combine not in COMBINATIONS:
            raise InputError(f"Items are combined as {' or '.join(COMBINATIONS)}, not as '{excerpt(combine)}'.")
        if not items:
            raise InputError("The query is empty: give a point, some words, or a picture.")
        vectors: list[NDArray[np.float32]] = []
        notes: list[Note] = []
        origins: list[tuple[float, float]] = []
        for item in items:
            if not abs(item.weight) <= MAX_WEIGHT:
                raise InputError(
                    f"The weight of '{excerpt(item.label or item.modality)}' must lie between -{MAX_WEIGHT:g} and "
                    f"{MAX_WEIGHT:g}; it is {item.weight:g}."
                )
            vector, remarks, origin = self._encode(item)
            vectors.append(vector)
            notes += [note for note in remarks if note not in notes]
            origins += [origin] if origin else []
        stacked = np.stack(vectors)
        scales, offsets = self._balance(items, stacked)
        is_any = combine == ANY and sum(item.weight > 0 for item in items) > 1
        terms = self._terms(items, stacked, scales, offsets if is_any else None)
        total = np.sum([each.vector for each in terms], axis=0)
        judged = self._judge.judge(items)
        return Query(
            tuple(items),
            (total / max(float(np.linalg.norm(total)), _CANCELLED)).astype(np.float32) if is_any else total,
            (*judged.notes, *notes),
            origins[0] if len(origins) == 1 else None,
            tuple(scales.tolist()),
            tuple(offsets.tolist()),
            tuple(self._spelling(item, vector) for item, vector in zip(items, vectors, strict=True)),
            stacked,
            terms[0].shares if len(terms) == 1 else {},
            judged.certainty,
            judged.is_foreign,
            terms if is_any else (),
        )

    def _terms(
        self,
        items: Sequence[QueryItem],
        vectors: NDArray[np.float32],
        scales: NDArray[np.float64],
        offsets: NDArray[np.float64] | None,
    ) -> tuple[Alternative, ...]:
        """What a query is the largest of: one weighted sum, or one for each item that is added.

        Args:
            items: Of the query.
            vectors: (items, dim) of the items.
            scales: As `_balance` returns them.
            offsets: The same for any of several examples, None for a sum.
        """
        weights = np.array([item.weight for item in items])
        if offsets is None:
            parts, shifts = (weights * scales)[None], np.zeros(1)
        else:
            parts, shifts = alternatives(weights, scales, offsets)
        sums = parts @ vectors.astype(np.float64)
        length = float(np.linalg.norm(sums, axis=1).max())
        if length <= _CANCELLED * float(np.abs(parts).sum(axis=1).max()):
            raise InputError(
                "The weights cancel out: nothing is left of the query. Change a weight, or remove an item that is both"
                " added and taken away."
            )
        return tuple(
            Alternative((each / length).astype(np.float32), shift / length, self._shares(items, part / length))
            for each, part, shift in zip(sums, parts, shifts.tolist(), strict=True)
        )

    @cached_property
    def _judge(self) -> Judge:
        return Judge(self.atlas)

    def _shares(self, items: Sequence[QueryItem], weights: NDArray[np.float64]) -> dict[str, float]:
        """Part of each kind of query in a sum, see `Query.shares`; what is subtracted has a negative one."""
        shares: dict[str, float] = {}
        for item, weight in zip(items, weights.tolist(), strict=True):
            kinds = kinds_of_item(item, self.gallery.modalities)
            for kind in kinds:
                shares[kind] = shares.get(kind, 0.0) + weight / len(kinds)
        return shares

    def _spelling(self, item: QueryItem, vector: NDArray[np.float32]) -> str:
        """How links spell an item, a picture by its embedding."""
        plain = write_item(item)
        return plain or write_item(self._with_vector(item, vector)) or ""

    def _with_vector(self, item: QueryItem, vector: NDArray[np.float32]) -> QueryItem:
        """An item with a picture, with its vector instead, which remembers whether the picture is foreign."""
        packed = PackedVector.of(vector, self.model_id, is_foreign=self._judge.is_foreign(item))
        return replace(item, value=packed)

    def _balance(
        self, items: Sequence[QueryItem], vectors: NDArray[np.float32]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Factors and summands, both (items,), that make the heatmaps of all modalities spread alike round one mean.

        They are 1 and 0 where only one modality is. The modality that keeps its scale is the first in the order of the
        model, so that a point is never rescaled. In a sum the summands would shift everything alike.
        """
        names = [space_of(item) for item in items]
        scales, offsets = np.ones(len(items)), np.zeros(len(items))
        if len(set(names)) == 1:
            return scales, offsets
        variance = np.einsum("ni,ij,nj->n", vectors, self._covariance, vectors)  # of each item's heatmap
        spread = {name: float(variance[[each == name for each in names]].mean()) for name in names}
        order = ["location", PLACE, *self.model.modalities]
        means = vectors @ self._mean
        mean = {name: float(means[[each == name for each in names]].mean()) for name in names}
        kept = min((name for name in spread if spread[name] > _NO_SPREAD), key=order.index, default=None)
        for number, name in enumerate(names):
            if kept is not None and spread[name] > _NO_SPREAD:
                scales[number] = np.sqrt(spread[kept] / spread[name])
                offsets[number] = mean[kept] - scales[number] * mean[name]
        return scales, offsets

    @cached_property
    def _mean(self) -> NDArray[np.float64]:
        """Of the grid's cells, (dim,): ``v @ mean`` is the mean of the heatmap of ``v``."""
        mean: NDArray[np.float64] = self.cells.mean(axis=0, dtype=np.float64)
        return mean

    @cached_property
    def _covariance(self) -> NDArray[np.float64]:
        """Of the grid's cells, (dim, dim): ``v @ covariance @ v`` is the variance of the heatmap of ``v``."""
        # The product in float32, without a copy of all cells: a large city has some hundred thousand.
        product = (self.cells.T @ self.cells).astype(np.float64) / len(self.cells)
        return product - np.outer(self._mean, self._mean)

    def _encode(self, item: QueryItem) -> tuple[NDArray[np.float32], list[Note], tuple[float, float] | None]:
        """Unit vector of one item, what to know about it, and where it is, if anywhere."""
        if item.modality == PLACE:
            return self._encode_place(item.value)
        if item.modality == ITEM:
            return self.gallery.item_vector(item.value), [], None
        if item.modality == VIEW:
            item = self._picture_of_view(item)
        if item.modality not in self.model.modalities:
            known = ", ".join((*self.model.modalities, PLACE))
            raise InputError(
                f"The atlas {self.atlas.name!r} does not support {item.modality!r} queries. Supported: {known}."
            )
        if isinstance(item.value, PackedVector):
            vector = self._unpacked(item.value)
            return vector, self._unlike(item, vector), None
        if item.modality == "location":
            point = as_latlon(item.value)
            lat, lon = point[0].tolist()
            return self._vector("location", point), self._outside(lat, lon), (lat, lon)
        if item.modality == "text":
            sentences, notes = sentences_of(item.value)
            if isinstance(self.model.encoders["text"], TextTower):
                return self._vector("text", [sentences]), notes, None
            return encode_words(self.model, self.atlas, self._judge.sentence_vectors(item.value)), notes, None
        vector = self._vector(item.modality, np.asarray(item.value)[None])
        return vector, self._unlike(item, vector), None

    def packed(self, item: QueryItem) -> QueryItem:
        """An item with a picture, as the same item with the picture's embedding, which can stand in an address.

        Raises:
            InputError: The picture cannot be encoded.
        """
        vector, _, _ = self._encode(item)
        return item if isinstance(item.value, PackedVector) else self._with_vector(item, vector)

    @cached_property
    def model_id(self) -> str:
        """Identity of the model, see `checkpoint.checkpoint_id`."""
        return checkpoint_id(self.atlas.model_path)

    def _unpacked(self, packed: PackedVector) -> NDArray[np.float32]:
        vector = packed.vector
        if len(vector) != self.model.dim:
            raise InputError(
                f"This picture's embedding has {len(vector)} numbers, those of the atlas {self.atlas.name!r} have "
                f"{self.model.dim}: it is another model's. Upload the picture again."
            )
        if not self.model_id.startswith(packed.model):
            raise InputError(
                f"This picture was encoded by another model than that of the atlas {self.atlas.name!r}. Upload it again"
                " there."
            )
        return vector

    def _picture_of_view(self, item: QueryItem) -> QueryItem:
        """A street view of the atlas as the picture that its model reads."""
        if "street" not in self.atlas.manifest.modalities or "street" not in self.model.modalities:
            raise InputError(f"The atlas {self.atlas.title} has no street views, so it does not support view queries.")
        width, height = self.model.input_size("street")
        lat, lon, heading = item.value
        picture = self.atlas.streets.picture(lat, lon, heading, width, height)
        return replace(item, modality="street", value=np.asarray(picture).transpose(2, 0, 1).copy())

    def _vector(self, modality: str, batch_of_one: Any) -> NDArray[np.float32]:
        vector: NDArray[np.float32] = self.model.encode({modality: batch_of_one})[modality][0].cpu().numpy()
        return vector

    def _encode_place(self, place_id: str) -> tuple[NDArray[np.float32], list[Note], tuple[float, float]]:
        """Mean of all modalities that a place has."""
        vectors = self.gallery.place_vectors(place_id)
        mean = np.mean(list(vectors.values()), axis=0)
        place = self.gallery.place(place_id)
        return (mean / np.linalg.norm(mean)).astype(np.float32), [], (place.lat, place.lon)

    def _outside(self, lat: float, lon: float) -> list[Note]:
        south, west, north, east = self.atlas.manifest.bounds
        if not (south <= lat <= north and (lon - west) % 360 <= east - west):
            text = "This point lies outside the atlas: the model was not trained there, so its answer is a guess."
        elif not self.atlas.is_land(np.array([(lat, lon)]))[0]:
            water = "ocean" if self.atlas.window_m > _WIDE_M else "water"
            text = f"This point is in the {water}: the model was trained on land only, so its answer here is a guess."
        else:
            return []
        return [Note("outside", text)]

    def _unlike(self, item: QueryItem, vector: NDArray[np.float32]) -> list[Note]:
        """A note if nowhere on the grid is as similar to a picture as somewhere is to nearly every held-out one.

        None if the picture looks like nothing here, which is said of it already.
        """
        modality, threshold = item.modality, self.unlike_thresholds.get(item.modality)
        if threshold is None or self._judge.is_foreign(item) or float((self.cells @ vector).max()) >= threshold:
            return []
        expected = f"a view of about {in_round_figures(self.atlas.window_m)} from above"
        if modality == "surface":
            expected = f"heights in metres over about {in_round_figures(self.atlas.window_m)}"
        elif modality == "street":
            expected = "a view along a street"
        return [Note("unlike", f"Unlike anything in this atlas: expects {expected}.")]


def _unlike_thresholds(folder: Path) -> dict[str, float]:
    """Modality -> best similarity to the grid below which a picture counts as unlike anything, measured after training.

    Raises:
        CheckpointError: ``metrics.json`` is there but does not hold numbers under "unlike".
    """
    path = folder / "metrics.json"
    if not path.exists():
        return {}
    try:
        thresholds = read_json(path).get("unlike", {})
        return {str(name): float(value) for name, value in thresholds.items()}
    except (InputError, AttributeError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be used ({error}): restore it, or train again.") from error
