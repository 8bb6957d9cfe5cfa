"""Search: queries of any modality, the places closest to them, and the heatmap of where on Earth is like them."""

from __future__ import annotations

import html
import re
import shlex
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from scipy.spatial import cKDTree

from unigeoclip.atlas.provenance import ModelSource, Provenance, provenance_of
from unigeoclip.checkpoint import checkpoint_id
from unigeoclip.config import read_json
from unigeoclip.errors import CheckpointError, InputError, excerpt
from unigeoclip.geo import as_latlon, distance_m, unit_xyz
from unigeoclip.search.gallery_embeddings import VectorCache, encode_places, gallery_rows, land_grid, mean_over_waves
from unigeoclip.search.query_items import MAX_WEIGHT, PLACE, VIEW, PackedVector, QueryItem, write_item
from unigeoclip.search.results import Match, Results
from unigeoclip.similarity.colormaps import shaded_relief
from unigeoclip.similarity.heatmap import Heatmap

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from PIL import Image

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.atlas.street_views import StreetViews
    from unigeoclip.embedders.base import Embedder
    from unigeoclip.model import UniGeoCLIP
    from unigeoclip.similarity.grid import Grid

__all__ = ["Explorer", "Match", "Note", "Place", "Query", "QueryItem", "Results", "embedder_heatmap", "sentences_of"]

MAX_TEXT_CHARACTERS = 2000
MAX_PICTURE_PX = 2048
_WIDE_M = 10_000.0  # atlases with windows wider than that show countries, others show streets
# A sum of unit vectors shorter than this share of its weights is noise left over from terms that cancel.
_CANCELLED = 1e-3
_NO_SPREAD = 1e-9  # variance of a heatmap that is the same everywhere


@dataclass(frozen=True)
class Note:
    """Something to know about an answer; ``kind`` is "outside", "unlike", "truncated" or "language"."""

    kind: str
    text: str


@dataclass(frozen=True, eq=False)
class Query:
    """An encoded query.

    Attributes:
        items: Its terms.
        vector: (dim,) float32, unit length.
        notes: What to know about the answer, in whole sentences.
        origin: (lat, lon) of its only location or place, from which distances are measured; None if there is not one.
        scales: By what each term was multiplied besides its weight, (items,), see `Explorer.query`; 1 where there are
            words only, or none.
        spelled: The items as links spell them, pictures as their embeddings.
    """

    items: tuple[QueryItem, ...]
    vector: NDArray[np.float32]
    notes: tuple[Note, ...] = ()
    origin: tuple[float, float] | None = None
    scales: tuple[float, ...] = ()
    spelled: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        """Terms with their weights, and the notes, for notebooks."""
        terms = "".join(
            f"<tr><td>{item.weight:+g}</td><td>{html.escape(item.modality)}</td><td>"
            f"{html.escape(excerpt(item.label or spelling))}</td></tr>"
            for item, spelling in zip(self.items, self.spelled or [""] * len(self.items), strict=True)
        )
        notes = "".join(f"<p>{html.escape(note.text)}</p>" for note in self.notes)
        head = "<tr><th>weight</th><th>modality</th><th>value</th></tr>"
        return f"<table><thead>{head}</thead><tbody>{terms}</tbody></table>{notes}"


@dataclass(frozen=True)
class Place:
    """A place of the atlas and what is said of it, as (kind, sentence)."""

    place_id: str
    name: str
    lat: float
    lon: float
    country: str
    captions: tuple[tuple[str, str], ...]


class Explorer:
    """An atlas with its model, ready to be asked; one serves all visitors, its methods may run in any thread."""

    def __init__(
        self,
        atlas: Atlas,
        model: UniGeoCLIP,
        grid: Grid,
        cells: NDArray[np.float32],
        places: dict[str, NDArray[np.float32]],
    ) -> None:
        """Put the parts together; ``Explorer.open`` makes them.

        Args:
            atlas: The atlas.
            model: Its model.
            grid: The land grid.
            cells: (cells, dim) vectors of the grid's cells, see `vectors.mean_over_waves`.
            places: Modality name -> (gallery, dim) unit vectors of the atlas's gallery places, in the order of
                ``vectors.gallery_rows``.
        """
        import faiss

        self.atlas, self.model, self.grid = atlas, model, grid
        self._cells = cells
        self._indexes: dict[str, Any] = {}
        for modality, vectors in places.items():
            if not len(vectors):  # no place of the gallery has it
                continue
            self._indexes[modality] = faiss.IndexFlatIP(model.dim)
            self._indexes[modality].add(np.ascontiguousarray(vectors))
        self._rows = gallery_rows(atlas)
        table = atlas.places.iloc[self._rows]
        self._latlon = table[["lat", "lon"]].to_numpy(np.float64)
        self._ids, self._names = table["place_id"].tolist(), table["name"].tolist()
        self._row_of = {place_id: row for row, place_id in enumerate(atlas.places["place_id"].tolist())}
        # Of each index: the gallery place that its items belong to, and the other way round.
        self._numbers = {name: self._gallery_numbers(name) for name in self._indexes}
        self._item_of = {
            name: {int(self._rows[number]): item for item, number in enumerate(numbers)}
            for name, numbers in self._numbers.items()
        }
        self._thresholds = _unlike_thresholds(atlas.model_path)

    @classmethod
    def open(
        cls,
        atlas: str | Path | Atlas,
        cache_dir: Path | None = None,
        progress: Callable[[str, float], None] | None = None,
        *,
        model: str | Path | None = None,
    ) -> Explorer:
        """Open an atlas for search; the first time, its grid and places are encoded and kept in the cache folder.

        Args:
            atlas: Name or folder of an atlas, or the atlas.
            cache_dir: Where vectors are kept; by default $UNIGEOCLIP_CACHE or ~/.cache/unigeoclip.
            progress: Called with what is being done and the share of it that is, 0 to 1.
            model: Folder of a model of your own, trained on this atlas; the atlas's model by default.

        Raises:
            AtlasError: The atlas cannot be used.
            CheckpointError: The model cannot be used, or not with this atlas.
        """
        from unigeoclip.atlas.models import load_fitting
        from unigeoclip.atlas.store import load_atlas

        opened = load_atlas(atlas) if isinstance(atlas, str | Path) else atlas
        opened = opened if model is None else opened.with_model(model)
        loaded, grid = load_fitting(opened), land_grid(opened)
        cells, places = VectorCache(opened, loaded, grid, cache_dir).load(progress)
        return cls(opened, loaded, grid, mean_over_waves(loaded, grid, cells), places)

    def _gallery_numbers(self, modality: str) -> NDArray[np.int64]:
        """Number of the gallery place of each item of a modality: not every place has a street view."""
        return np.searchsorted(self._rows, gallery_rows(self.atlas, modality))

    @property
    def streets(self) -> StreetViews | None:
        """The street views of the atlas, if it has any."""
        return self.atlas.streets if "street" in self.atlas.manifest.modalities else None

    @property
    def modalities(self) -> tuple[str, ...]:
        """Modalities that can be searched."""
        return tuple(self._indexes)

    def input_px(self, modality: str) -> int:
        """Width in pixels of the pictures of a modality in a query, see `input_size`."""
        return self.model.window_px(modality)

    def input_size(self, modality: str) -> tuple[int, int]:
        """Width and height in pixels to which pictures of a modality are decoded before they go into a query.

        Raises:
            InputError: The model takes no such pictures.
        """
        return self.model.input_size(modality)

    # Queries

    def query(self, items: Sequence[QueryItem]) -> Query:
        """Encode a weighted sum of items.

        Over the map, the similarities to words spread a third to a half as far as those to a point or a picture. So in
        a sum of both, the terms in words are scaled up until the two kinds spread alike; a query of one kind is the
        plain sum.

        Raises:
            InputError: No items, a value that cannot be encoded, weights out of range, or weights that cancel out.
        """
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
        scales = self._scales(items, np.stack(vectors))
        weights = np.array([item.weight for item in items]) * scales
        total = weights @ np.stack(vectors).astype(np.float64)
        length = float(np.linalg.norm(total))
        if length <= _CANCELLED * float(np.abs(weights).sum()):
            raise InputError(
                "The weights cancel out: nothing is left of the query. Change a weight, or remove an item that is both"
                " added and taken away."
            )
        origin = origins[0] if len(origins) == 1 else None
        spelled = tuple(self._spelling(item, vector) for item, vector in zip(items, vectors, strict=True))
        unit = (total / length).astype(np.float32)
        return Query(tuple(items), unit, tuple(notes), origin, tuple(scales.tolist()), spelled)

    def _spelling(self, item: QueryItem, vector: NDArray[np.float32]) -> str:
        """How links spell an item, a picture by its embedding."""
        plain = write_item(item)
        return plain or write_item(replace(item, value=PackedVector.of(vector, self._model_id))) or ""

    def provenance(self, query: Query, verb: str) -> Provenance:
        """Where an answer comes from: what was asked, the model, the atlas, and the command that asks it again.

        Args:
            query: From ``query``.
            verb: The command: "search" or "heatmap".
        """
        shipped = self.atlas.has_shipped_model
        options = ["--atlas", self.atlas.name, *([] if shipped else ["--model", str(self.atlas.model_path)])]
        options += [word for spelling in query.spelled for word in ("--item", spelling)]
        model = ModelSource("unigeoclip", f"checkpoint {self._model_id}", "MIT" if shipped else "")
        command = shlex.join(["unigeoclip", verb, *options])
        return provenance_of(self.atlas, [model], query=query.spelled, command=command)

    def _scales(self, items: Sequence[QueryItem], vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """Factors, (items,), that make words and all else spread alike over the grid; 1 where only one kind is."""
        are_words = np.array([item.modality == "text" for item in items])
        scales = np.ones(len(items))
        if are_words.all() or not are_words.any():
            return scales
        spread = np.einsum("ni,ij,nj->n", vectors, self._covariance, vectors)  # variance of each item's heatmap
        of_words, of_others = (float(spread[kind].mean()) for kind in (are_words, ~are_words))
        if min(of_words, of_others) > _NO_SPREAD:
            scales[are_words] = np.sqrt(of_others / of_words)
        return scales

    @cached_property
    def _covariance(self) -> NDArray[np.float64]:
        """Of the grid's cells, (dim, dim): ``v @ covariance @ v`` is the variance of the heatmap of ``v``."""
        mean = self._cells.mean(axis=0, dtype=np.float64)
        # The product in float32, without a copy of all cells: a large city has some hundred thousand.
        return (self._cells.T @ self._cells).astype(np.float64) / len(self._cells) - np.outer(mean, mean)

    def _encode(self, item: QueryItem) -> tuple[NDArray[np.float32], list[Note], tuple[float, float] | None]:
        """Unit vector of one item, what to know about it, and where it is, if anywhere."""
        if item.modality == PLACE:
            return self._encode_place(item.value)
        if item.modality == VIEW:
            item = self._picture_of_view(item)
        if item.modality not in self.model.modalities:
            known = ", ".join((*self.model.modalities, PLACE))
            raise InputError(
                f"The atlas {self.atlas.name!r} does not support {item.modality!r} queries. Supported: {known}."
            )
        if isinstance(item.value, PackedVector):
            vector = self._unpacked(item.value)
            return vector, self._unlike(item.modality, vector), None
        if item.modality == "location":
            point = as_latlon(item.value)
            lat, lon = point[0].tolist()
            return self._vector("location", point), self._outside(lat, lon), (lat, lon)
        if item.modality == "text":
            sentences, notes = sentences_of(item.value)
            return self._vector("text", [sentences]), notes, None
        vector = self._vector(item.modality, np.asarray(item.value)[None])
        return vector, self._unlike(item.modality, vector), None

    def packed(self, item: QueryItem) -> QueryItem:
        """An item with a picture, as the same item with the picture's embedding, which can stand in an address.

        Raises:
            InputError: The picture cannot be encoded.
        """
        vector, _, _ = self._encode(item)
        return replace(item, value=PackedVector.of(vector, self._model_id))

    @cached_property
    def _model_id(self) -> str:
        return checkpoint_id(self.atlas.model_path)

    def _unpacked(self, packed: PackedVector) -> NDArray[np.float32]:
        vector = packed.vector
        if len(vector) != self.model.dim:
            raise InputError(
                f"This picture's embedding has {len(vector)} numbers, those of the atlas {self.atlas.name!r} have "
                f"{self.model.dim}: it is another model's. Upload the picture again."
            )
        if not self._model_id.startswith(packed.model):
            raise InputError(
                f"This picture was encoded by another model than that of the atlas {self.atlas.name!r}. Upload it again"
                " there."
            )
        return vector

    def _picture_of_view(self, item: QueryItem) -> QueryItem:
        """A street view of the atlas as the picture that its model reads."""
        if self.streets is None or "street" not in self.model.modalities:
            raise InputError(f"The atlas {self.atlas.title} has no street views, so it does not support view queries.")
        width, height = self.input_size("street")
        lat, lon, heading = item.value
        picture = self.streets.picture(lat, lon, heading, width, height)
        return replace(item, modality="street", value=np.asarray(picture).transpose(2, 0, 1).copy())

    def _vector(self, modality: str, batch_of_one: Any) -> NDArray[np.float32]:
        vector: NDArray[np.float32] = self.model.encode({modality: batch_of_one})[modality][0].cpu().numpy()
        return vector

    def _encode_place(self, place_id: str) -> tuple[NDArray[np.float32], list[Note], tuple[float, float]]:
        """Mean of all modalities that a place has."""
        row = self._row(place_id)
        mean = np.mean(list(self._place_vectors(row).values()), axis=0)
        lat, lon = self.atlas.places[["lat", "lon"]].iloc[row].tolist()
        return (mean / np.linalg.norm(mean)).astype(np.float32), [], (lat, lon)

    def _place_vectors(self, row: int, *, encode: bool = True) -> dict[str, NDArray[np.float32]]:
        """Vectors of the items that a place has: those of the gallery are there, others are encoded now, or NaN."""
        vectors = {}
        for name, index in self._indexes.items():
            item = self._item_of[name].get(row)
            if item is not None:
                vectors[name] = index.reconstruct(item)
            elif self.atlas.present(name)[row]:
                unknown = np.full(self.model.dim, np.nan, np.float32)
                vectors[name] = encode_places(self.model, self.atlas, name, np.array([row]))[0] if encode else unknown
        return vectors

    def _row(self, place_id: str) -> int:
        if place_id not in self._row_of:
            raise InputError(f"There is no place '{excerpt(place_id)}' in the atlas {self.atlas.name!r}.")
        return self._row_of[place_id]

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

    def _unlike(self, modality: str, vector: NDArray[np.float32]) -> list[Note]:
        """A note if nowhere on the grid is as similar to a picture as somewhere is to nearly every held-out one."""
        threshold = self._thresholds.get(modality)
        if threshold is None or float((self._cells @ vector).max()) >= threshold:
            return []
        expected = f"a view of about {_in_words(self.atlas.window_m)} from above"
        if modality == "surface":
            expected = f"heights in metres over about {_in_words(self.atlas.window_m)}"
        elif modality == "street":
            expected = "a view along a street"
        return [Note("unlike", f"Unlike anything in this atlas: expects {expected}.")]

    # Answers

    def search(self, query: Query, k: int = 10, modalities: Sequence[str] | None = None) -> Results:
        """The gallery places whose items are most similar to a query, by modality.

        Args:
            query: From ``query``.
            k: How many of each modality.
            modalities: Which; all by default.

        Returns:
            Modality name -> matches, the most similar first.

        Raises:
            InputError: k is not positive, or a modality cannot be searched.
        """
        if k < 1:
            raise InputError(f"The number of matches must be at least 1, not {k}.")
        wanted = self.modalities if modalities is None else tuple(modalities)
        if unknown := [name for name in wanted if name not in self._indexes]:
            raise InputError(f"{unknown[0]!r} cannot be searched here; choose among {', '.join(self.modalities)}.")
        results = {}
        for modality in wanted:
            index = self._indexes[modality]
            similarities, items = index.search(query.vector[None], min(k, index.ntotal))
            results[modality] = [
                self._match(modality, int(self._numbers[modality][item]), similarity, query.origin)
                for item, similarity in zip(items[0].tolist(), similarities[0].tolist(), strict=True)
            ]
        return Results(results, self.provenance(query, "search"))

    def _match(self, modality: str, number: int, similarity: float, origin: tuple[float, float] | None) -> Match:
        lat, lon = self._latlon[number].tolist()
        view = self.atlas.streets.of_place(self._ids[number]) if modality == "street" else None
        heading = None if view is None else view.heading_deg
        lat, lon = (lat, lon) if view is None else (view.lat, view.lon)
        meters = None if origin is None else float(distance_m(origin, (lat, lon)))
        bounded = min(max(similarity, -1.0), 1.0)  # rounding can leave 1.0000001
        return Match(modality, self._ids[number], self._names[number], lat, lon, bounded, meters, heading)

    def place_matches(self, query: Query, place_id: str, *, encode: bool = True) -> dict[str, Match]:
        """How like a query the items of one place are, by modality; modalities that the place lacks are missing.

        Args:
            query: From ``query``.
            place_id: The place.
            encode: Whether items that are not in the gallery are encoded, which takes most of a second; if not, their
                similarity is NaN.

        Raises:
            InputError: There is no such place.
        """
        row = self._row(place_id)
        _, name, lat, lon, _ = self._records[row]
        found = {}
        for modality, vector in self._place_vectors(row, encode=encode).items():
            view = self.atlas.streets.of_place(place_id) if modality == "street" else None
            at = (lat, lon) if view is None else (view.lat, view.lon)
            meters = None if query.origin is None else float(distance_m(query.origin, at))
            similarity = float(np.clip(vector @ query.vector, -1.0, 1.0))
            heading = None if view is None else view.heading_deg
            found[modality] = Match(modality, place_id, name, at[0], at[1], similarity, meters, heading)
        return found

    def item_similarities(self, query: Query, modality: str) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        """How like a query every item of the gallery is.

        Returns:
            Latitude and longitude of the items' places (n, 2) degrees, and their similarities (n,) in [-1, 1].

        Raises:
            InputError: The modality cannot be searched.
        """
        if modality not in self._indexes:
            raise InputError(f"{modality!r} cannot be searched here; choose among {', '.join(self.modalities)}.")
        index = self._indexes[modality]
        vectors = index.reconstruct_n(0, index.ntotal)
        return self._latlon[self._numbers[modality]], (vectors @ query.vector).astype(np.float32)

    def heatmap(self, query: Query) -> Heatmap:
        """Similarity of a query to every cell of the grid."""
        return Heatmap(self.grid, self._cells @ query.vector, self.provenance(query, "heatmap"))

    # Places

    def place(self, place_id: str) -> Place:
        """A place by its id.

        Raises:
            InputError: There is no such place.
        """
        row = self._row(place_id)
        _, name, lat, lon, country = self._records[row]
        captions = tuple((str(kind), str(text)) for kind, text in self.atlas.captions(row))
        return Place(place_id, name, lat, lon, country, captions)

    @cached_property
    def _records(self) -> list[tuple[str, str, float, float, str]]:
        """Id, name, degrees and country of every place, quicker to look up than rows of a table."""
        columns = {"place_id": str, "name": str, "lat": float, "lon": float, "country": str}
        return list(zip(*(map(kind, self.atlas.places[name]) for name, kind in columns.items()), strict=True))

    def nearest_place(self, lat: float, lon: float) -> tuple[Place, float]:
        """The place nearest to a point, and its distance in metres.

        Raises:
            InputError: The coordinates are not a point on the globe.
        """
        point = as_latlon((lat, lon))
        row = int(self._nearest.query(unit_xyz(point)[0])[1])
        place_id, _, lat, lon, _ = self._records[row]
        return self.place(place_id), float(distance_m(point[0], (lat, lon)))

    @cached_property
    def _nearest(self) -> cKDTree:
        return cKDTree(unit_xyz(self.atlas.places[["lat", "lon"]].to_numpy(np.float64)))

    def picture(self, modality: str, latlon: Sequence[float], px: int = 224) -> Image.Image:
        """The atlas's own picture round a point, as wide as the model's input: the photograph, or heights as relief.

        Args:
            modality: "aerial" or "surface"; what a camera sees is drawn by ``streets.picture``.
            latlon: (lat, lon) degrees.
            px: Side of the picture.

        Raises:
            InputError: Another modality, a size out of range, coordinates that are not a point on the globe, or a point
                where the atlas has no such picture.
        """
        from PIL import Image

        if modality not in ("aerial", "surface") or modality not in self.atlas.manifest.modalities:
            raise InputError(f"The atlas {self.atlas.name!r} has no pictures of the kind {modality!r}.")
        if not 1 <= px <= MAX_PICTURE_PX:
            raise InputError(f"A picture can be 1 to {MAX_PICTURE_PX} pixels wide, not {px}.")
        point = as_latlon(latlon)
        if not self.atlas.present_at(modality, point)[0]:
            raise InputError(f"The atlas {self.atlas.name!r} has no {modality!r} picture at this point.")
        window = self.atlas.raster(modality).windows(point, self.atlas.window_m, px)[0]
        if modality == "surface":
            land = self.atlas.raster("land").windows(point, self.atlas.window_m, px)[0, 0]
            return shaded_relief(window[0], self.atlas.window_m / px, water=land == 0)
        return Image.fromarray(np.ascontiguousarray(window[:3].transpose(1, 2, 0)), "RGB")


def sentences_of(text: str) -> tuple[list[str], list[Note]]:
    """Split a person's text into the sentences that the text encoder reads as a bag.

    Returns:
        At least one sentence, and what to know: that a long text was cut, or is in a script the encoder does not read.

    Raises:
        InputError: There is no word in it.
    """
    if not isinstance(text, str):
        raise InputError(f"A text query must be text, not {type(text).__name__}.")
    if any("\ud800" <= character <= "\udfff" for character in text):  # what is left of bytes that are not UTF-8
        raise InputError(f"The text {text[:60]!r} holds characters that are not valid Unicode; type it again in UTF-8.")
    notes = []
    kept = text.strip()
    if len(kept) > MAX_TEXT_CHARACTERS:
        kept = kept[:MAX_TEXT_CHARACTERS]
        notes.append(
            Note("truncated", f"The text is long: only its first {MAX_TEXT_CHARACTERS:,} characters were used.")
        )
    # A full stop after a word of one or two letters ("St. Louis", "Mt. Fuji") ends no sentence.
    parts = re.split(r"(?<=\w{3}[.!?;])\s+|[\r\n]+", kept)
    written = [" ".join(part.split()) for part in parts if any(character.isalnum() for character in part)]
    sentences = list(dict.fromkeys(written))  # saying it twice adds nothing but time
    if not sentences:
        raise InputError("The text has no words: type a few, for instance 'hot desert'.")
    letters = [character for character in kept if character.isalpha()]
    if sum(character.isascii() for character in letters) < len(letters) / 2:
        notes.append(
            Note("language", "The text encoder was trained on English: in other scripts its answer is a guess.")
        )
    return sentences, notes


def embedder_heatmap(embedder: Embedder, grid: Grid, vector: NDArray[np.float32]) -> Heatmap:
    """Similarity of a vector of any embedder, (dim,), to every cell of a grid."""
    return Heatmap(grid, cast("NDArray[np.float32]", embedder.embed(grid.cells) @ vector))


def _unlike_thresholds(model_path: Path) -> dict[str, float]:
    """Modality -> best similarity to the grid below which a picture counts as unlike anything, measured after training.

    Raises:
        CheckpointError: ``metrics.json`` is there but does not hold numbers under "unlike".
    """
    path = model_path / "metrics.json"
    if not path.exists():
        return {}
    try:
        thresholds = read_json(path).get("unlike", {})
        return {str(name): float(value) for name, value in thresholds.items()}
    except (InputError, AttributeError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} cannot be used ({error}): restore it, or train again.") from error


def _in_words(meters: float) -> str:
    """A length in two significant digits: "330 km", "230 m"."""
    amount, unit = (meters / 1000, "km") if meters >= 1000 else (meters, "m")
    return f"{float(f'{amount:.2g}'):g} {unit}"
