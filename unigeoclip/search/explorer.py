"""Search: queries of any modality, the places closest to them, and the heatmap of where on Earth is like them."""

from __future__ import annotations

import shlex
import threading
from dataclasses import replace
from functools import cached_property, lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from unigeoclip.atlas.provenance import ModelSource, Provenance, provenance_of
from unigeoclip.errors import InputError
from unigeoclip.files.cache import cache_folder, is_sound, write_cached
from unigeoclip.geo import as_latlon
from unigeoclip.search.descriptions import Descriptions
from unigeoclip.search.gallery import Gallery
from unigeoclip.search.gallery_embeddings import VectorCache, land_grid, mean_over_waves, wave_radius_m
from unigeoclip.search.hubs import hub_offsets
from unigeoclip.search.query import SUM, Note, Query
from unigeoclip.search.query_encoder import QueryEncoder
from unigeoclip.search.query_items import QueryItem
from unigeoclip.search.results import Match, Place, Results
from unigeoclip.search.texts import sentences_of
from unigeoclip.similarity.browser.compact import FORMAT as COMPACT_FORMAT
from unigeoclip.similarity.browser.compact import CompactGrid
from unigeoclip.similarity.browser.point_encoder import FORMAT as ENCODER_FORMAT
from unigeoclip.similarity.browser.point_encoder import encoder_bytes, is_small
from unigeoclip.similarity.colormaps import shaded_relief
from unigeoclip.similarity.heatmap import Heatmap
from unigeoclip.stores.filters import within

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from PIL import Image

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.atlas.street_views import StreetViews
    from unigeoclip.embedders.base import Embedder
    from unigeoclip.geo import Bounds
    from unigeoclip.maps.drawing import Backend
    from unigeoclip.modalities.location import LocationEncoder
    from unigeoclip.model import UniGeoCLIP
    from unigeoclip.similarity.grid import Grid
    from unigeoclip.words.describer import Description

__all__ = ["Explorer", "Match", "Note", "Place", "Query", "QueryItem", "Results", "embedder_heatmap", "sentences_of"]

MAX_PICTURE_PX = 2048


class Explorer(Gallery):
    """An atlas with its model, ready to be asked; one serves all visitors, its methods may run in any thread."""

    def __init__(
        self,
        atlas: Atlas,
        model: UniGeoCLIP,
        grid: Grid,
        cells: NDArray[np.float32],
        places: dict[str, NDArray[np.float32]],
        cache_dir: Path | None = None,
        offsets: dict[str, dict[str, NDArray[np.float32]]] | None = None,
    ) -> None:
        """Put the parts together; ``Explorer.open`` makes them.

        Args:
            atlas: The atlas.
            model: Its model.
            grid: The land grid.
            cells: (cells, dim) vectors of the grid's cells, see `gallery_embeddings.mean_over_waves`.
            places: As `Gallery` takes them.
            cache_dir: Where vectors of phrases are kept; by default $UNIGEOCLIP_CACHE or ~/.cache/unigeoclip.
            offsets: As `Gallery` takes them.
        """
        super().__init__(atlas, model, places, offsets)
        self.grid, self.cells = grid, cells
        self.encoder = QueryEncoder(atlas, model, cells, self)
        # A grid plans its pictures once, which takes longer than to draw one.
        self._within = lru_cache(maxsize=8)(self._cells_within)
        self._cache_dir = cache_dir
        self._making_live_files = threading.Lock()

    @cached_property
    def descriptions(self) -> Descriptions:
        """What vectors of this atlas stand for, in words."""
        return Descriptions(self.atlas, self.model, self, self.encoder.model_id, self._cache_dir)

    @property
    def has_words(self) -> bool:
        """Whether queries and vectors can be described in words."""
        return self.descriptions.available

    @property
    def searched(self) -> str:
        """Which places are searched, in words; empty for the atlas's own."""
        return ""

    @property
    def source(self) -> dict[str, str]:
        """Options of ``unigeoclip search`` that name the places which are searched; none for the atlas's own."""
        return {}

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
        vectors = VectorCache(opened, loaded, grid, cache_dir)
        cells, places = vectors.load(progress)
        offsets = hub_offsets(loaded, opened, places, vectors.folder)
        return cls(opened, loaded, grid, mean_over_waves(loaded, grid, cells), places, cache_dir, offsets)

    @property
    def streets(self) -> StreetViews | None:
        """The street views of the atlas, if it has any."""
        return self.atlas.streets if "street" in self.atlas.manifest.modalities else None

    def input_px(self, modality: str) -> int:
        """Width in pixels of the pictures of a modality in a query, see `input_size`."""
        return self.model.window_px(modality)

    def input_size(self, modality: str) -> tuple[int, int]:
        """Width and height in pixels to which pictures of a modality are decoded before they go into a query.

        Raises:
            InputError: The model takes no such pictures.
        """
        return self.model.input_size(modality)

    def query(self, items: Sequence[QueryItem], *, combine: str = SUM, area: Bounds | None = None) -> Query:
        """Encode a weighted sum of items, or several examples of which any will do, see `QueryEncoder.encode`.

        Args:
            items: What is asked.
            combine: "sum", or "any" for the largest of the similarities to the items, see `composing.alternatives`.
            area: South, west, north, east in degrees, east beyond 180 across the date line: results, heatmap and its
                statistics are those within.

        Raises:
            InputError: No items, a value that cannot be encoded, weights out of range, weights that cancel out, or an
                area without land.
        """
        query = self.encoder.encode(items, combine)
        if area is None:
            return query
        self.grid_within(area)
        return replace(query, area=area)

    def grid_within(self, area: Bounds) -> Grid:
        """The cells of the grid whose centers lie in an area, south, west, north, east in degrees.

        Raises:
            InputError: The area is no part of the globe, or has no such cell.
        """
        return self._within(area)[0]

    def _cells_within(self, area: Bounds) -> tuple[Grid, NDArray[np.bool_]]:
        keep = within(area, self.grid.cells)
        if not keep.any():
            raise InputError("The area holds no land of this atlas, or too little of it: choose a larger one.")
        return self.grid.only(keep), keep

    def packed(self, item: QueryItem) -> QueryItem:
        """An item with a picture, as the same item with the picture's embedding, which can stand in an address.

        Raises:
            InputError: The picture cannot be encoded.
        """
        return self.encoder.packed(item)

    def provenance(self, query: Query, verb: str) -> Provenance:
        """Where an answer comes from: what was asked, the model, the atlas, and the command that asks it again.

        Args:
            query: From ``query``.
            verb: The command: "search" or "heatmap".
        """
        shipped = self.atlas.has_shipped_model
        options = ["--atlas", self.atlas.opened_as, *([] if shipped else ["--model", str(self.atlas.model_path)])]
        options += [word for spelling in query.spelled for word in ("--item", spelling)]
        options += ["--combine", query.combine] if query.combine != SUM else []
        options += [] if query.area is None else [f"--bbox={','.join(map(repr, query.area))}"]
        if verb == "search":
            options += [word for name, value in self.source.items() for word in (f"--{name}", value)]
        model = ModelSource("unigeoclip", f"checkpoint {self.encoder.model_id}", "MIT" if shipped else "")
        command = shlex.join(["unigeoclip", verb, *options])
        return provenance_of(self.atlas, [model], query=query.spelled, command=command)

    def search(self, query: Query, k: int = 10, modalities: Sequence[str] | None = None) -> Results:
        """The gallery places whose items are most similar to a query, by modality.

        They are ranked by their score: the similarity, less what the item reaches for queries of this kind in general
        (`search.hubs`). A place with several windows counts by the best of them (`search.gallery_windows`).

        Args:
            query: From ``Explorer.query``.
            k: How many of each modality.
            modalities: Which; all by default.

        Returns:
            Modality name -> matches, the highest score first.

        Raises:
            InputError: k is not positive, or a modality cannot be searched.
        """
        return Results(self._matches(query, k, modalities), self.provenance(query, "search"))

    def describe(self, query: Query) -> Description:
        """What a query stands for, in words: phrases that its vector is made of, see `Descriptions`.

        Args:
            query: From ``Explorer.query``.

        Returns:
            Phrases with their weights, and the share of the vector that they explain; without phrases, and with a note
            why, where that is not known.

        Raises:
            InputError: The model knows no words.
        """
        return self.descriptions.query(query)

    def heatmap(self, query: Query) -> Heatmap:
        """Similarity of a query to every cell of the grid, or of its area."""
        values, provenance = query.similarities(self.cells), self.provenance(query, "heatmap")
        if query.area is None:
            return Heatmap(self.grid, values, provenance)
        grid, keep = self._within(query.area)
        return Heatmap(grid, values[keep], provenance)

    def heatmaps_of_terms(self, query: Query) -> CompactGrid:
        """The heatmap of each item of a query, as it counts in it before its weight, within the query's area.

        Weighted sums of them, and for any of several examples the largest of them, are the heatmap of the query with
        other weights, but for a factor and a summand.

        Args:
            query: From ``Explorer.query``.

        Raises:
            InputError: It is from elsewhere.
        """
        if query.vectors is None:
            raise InputError("The query holds no vectors of its items: make it by Explorer.query.")
        grid, cells = self.grid, self.cells
        if query.area is not None:
            grid, keep = self._within(query.area)
            cells = cells[keep]
        heatmaps = np.array(query.scales)[:, None] * (query.vectors @ cells.T) + np.array(query.offsets)[:, None]
        return CompactGrid.of_heatmaps(grid, heatmaps)

    @property
    def model_id(self) -> str:
        """Identity of the model, see `checkpoint.checkpoint_id`."""
        return self.encoder.model_id

    def compact_grid(self) -> CompactGrid:
        """The grid, compressed: its heatmaps approximate those of ``heatmap``. Takes some seconds."""
        return CompactGrid.fit(self.grid, self.grid_vectors(), self.wave_radius_m)

    def grid_vectors(self) -> NDArray[np.float32]:
        """Unit vectors of the cells of the grid, (cells, dim), before the mean over their neighbors."""
        return VectorCache(self.atlas, self.model, self.grid, self._cache_dir).load_grid()

    @property
    def wave_radius_m(self) -> float:
        """Heatmaps are means over the cells within that distance, meters, see `gallery_embeddings.wave_radius_m`."""
        return wave_radius_m(self.model, self.grid)

    def compact_bytes(self) -> bytes:
        """``compact_grid`` as a browser reads it, see `CompactGrid.to_bytes`; made once, then read from the cache."""
        return self._live_file(f"{COMPACT_FORMAT}.bin")

    @property
    def has_browser_encoder(self) -> bool:
        """Whether a browser can encode points itself, by ``encoder_bytes``."""
        return is_small(self.location_encoder)

    def encoder_bytes(self) -> bytes:
        """The location encoder as a browser reads it, which goes with ``compact_bytes``, see `point_encoder`.

        Raises:
            InputError: It is too large for that, see ``has_browser_encoder``.
        """
        if not self.has_browser_encoder:
            raise InputError(f"The location encoder of the atlas {self.atlas.name!r} is too large for a browser.")
        return self._live_file(f"{ENCODER_FORMAT}.encoder")

    @property
    def location_encoder(self) -> LocationEncoder:
        """The model's."""
        return cast("LocationEncoder", self.model.encoders["location"])

    def _live_file(self, ending: str) -> bytes:
        """One of the files that browsers compute heatmaps from; all are made at once."""
        name = f"{self.atlas.name}-{self.atlas.data_hash}-{self.model_id}"
        folder = (self._cache_dir or cache_folder()) / "compact"
        path = folder / f"{name}-{ending}"
        with self._making_live_files:
            if not is_sound(path):
                compact = self.compact_grid()
                write_cached(folder / f"{name}-{COMPACT_FORMAT}.bin", partial(_write, compact.to_bytes()))
                if self.has_browser_encoder:
                    data = encoder_bytes(self.location_encoder, compact)
                    write_cached(folder / f"{name}-{ENCODER_FORMAT}.encoder", partial(_write, data))
            return path.read_bytes()

    def map(
        self,
        query: Query | None = None,
        *,
        k: int = 3,
        modalities: Sequence[str] | None = None,
        backend: Backend = "ipyleaflet",
        base: bool = True,
        tiles: str | None = None,
        opacity: float = 0.7,
        height_px: int = 600,
        **drawn: Any,
    ) -> Any:
        """A leafmap map of the atlas with the answer to a query; needs ``unigeoclip[notebook]``.

        In a live notebook a click on the map asks for the point: heatmap, results and card are replaced.

        Args:
            query: What is shown at first; None for the atlas alone.
            k: How many results of each modality.
            modalities: Which are searched; all by default.
            backend: "ipyleaflet" for a live notebook, "folium" for a page that can be saved by ``to_html`` and does not
                react to clicks.
            base: Whether the atlas's aerial picture lies below.
            tiles: Name of a base map of leafmap, "OpenStreetMap" say, whose tiles the browser fetches from the network;
                by default nothing is fetched.
            opacity: Of the heatmap, 0 invisible to 1 opaque, to begin with.
            height_px: Height of the map.
            drawn: Options of ``Heatmap.png``.

        Returns:
            A ``leafmap.leafmap.Map`` or a ``leafmap.foliumap.Map``.

        Raises:
            InputError: An option is unknown or out of range.
            MissingPackageError: leafmap is not installed.
        """
        from unigeoclip.maps.drawing import draw_map
        from unigeoclip.search.answer_map import AnswerMap

        answers = AnswerMap(self, self.atlas if base else None, k, modalities, opacity, drawn)
        contents = answers.empty() if query is None else answers.of(query)
        on_point = answers.at if backend == "ipyleaflet" else None
        return draw_map(contents, backend, tiles=tiles, on_point=on_point, height_px=height_px)

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


def _write(data: bytes, path: Path) -> None:
    path.write_bytes(data)


def embedder_heatmap(embedder: Embedder, grid: Grid, vector: NDArray[np.float32]) -> Heatmap:
    """Similarity of a vector of any embedder, (dim,), to every cell of a grid that it has a vector for.

    Raises:
        InputError: It has none for any cell, or what is asked has none.
    """
    if np.isnan(vector).any():
        raise InputError(f"{embedder.title} has no vector at this point: ask with a point that it covers.")
    values = cast("NDArray[np.float32]", embedder.embed(grid.cells) @ vector)
    known = np.isfinite(values)
    if not known.any():
        raise InputError(f"{embedder.title} has no vector for any cell of this atlas: name an atlas that it covers.")
    return Heatmap(grid, values) if known.all() else Heatmap(grid.only(known), values[known])
