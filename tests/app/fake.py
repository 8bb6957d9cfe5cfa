"""A made-up atlas and explorer with the interface of the real ones: no model, no data, answers in milliseconds.

Similarity is geography alone: a query is a few points on the globe, and what is near them is like it.
"""

import gzip
import json
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from tests.app.fake_embedders import ConstantEmbedder, SlowEmbedder, TwistedEmbedder, fake_encoder
from unigeoclip.errors import InputError, excerpt
from unigeoclip.geo import as_latlon, distance_m, unit_xyz
from unigeoclip.search.explorer import Note, Place, Query
from unigeoclip.search.query_items import PackedVector
from unigeoclip.similarity.browser.compact import CompactGrid
from unigeoclip.similarity.browser.point_encoder import encoder_bytes
from unigeoclip.similarity.grid import Grid
from unigeoclip.similarity.heatmap import Heatmap
from unigeoclip.stores.filters import within
from unigeoclip.words.describer import Description, Phrase

ROOT = Path(__file__).resolve().parents[2]
ORIGIN = "http://192.0.2.7:8501"  # where others would reach the server
LANDS = [((25, 10), 34, 30), ((52, 60), 22, 60), ((45, -100), 20, 28), ((-12, -58), 22, 14), ((-25, 134), 10, 16)]
WORDS = {"hot desert": (23, 8), "himalaya": (29, 84), "big city by the sea": (40.8, 14.3), "sea": (36, 20),
         "mountains": (46, 9), "switzerland": (46.8, 8.2), "tropical rainforest": (-4, -62)}  # fmt: skip
NAMES = ["Lyon, France", "near Tamanrasset, Algeria", "Sierra Nevada de Santa Marta, Colombia", "Łódź, Poland", "Perth"]


def is_land(latlon):
    points = np.asarray(latlon, dtype=float)
    inside = np.zeros(len(points), dtype=bool)
    for (lat, lon), height, width in LANDS:
        inside |= ((points[:, 0] - lat) / height) ** 2 + ((points[:, 1] - lon) / width) ** 2 < 1
    return inside


@dataclass
class FakeRaster:
    """Land and sea as ellipses; heights are a wave."""

    kind: str
    shape: tuple = (2700, 5400)
    bounds: tuple = (-90.0, -180.0, 90.0, 180.0)

    def windows(self, latlon, size_m, px):
        lat = np.asarray(latlon, np.float32).reshape(-1, 2)[:, 0]
        return np.ones((len(latlon), 1, px, px), np.float32) * (300 + lat)[:, None, None, None]

    def tile(self, z, x, y, px=256):
        n = 2**z
        if not (0 <= x < n and 0 <= y < n):
            raise InputError(f"There is no map tile {z}/{x}/{y}.")
        across = (x + (np.arange(px) + 0.5) / px) / n * 360 - 180
        down = np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * (y + (np.arange(px) + 0.5) / px) / n))))
        lat, lon = np.meshgrid(down, across, indexing="ij")
        land = is_land(np.stack([lat.ravel(), lon.ravel()], 1)).reshape(px, px)
        heights = np.where(land, 300 + 250 * np.sin(lat / 3) * np.cos(lon / 4), -3000).astype(np.float32)
        if self.kind == "surface":
            return heights[None]
        rgb = np.where(
            land[None], np.array([96, 112, 66])[:, None, None] + heights / 20, np.array([12, 30, 62])[:, None, None]
        )
        return rgb.clip(0, 255).astype(np.uint8)


@dataclass
class FakeAtlas:
    """What the pages read of an atlas."""

    name: str = "world"
    title: str = "A made-up world"
    window_m: float = 333_585.0
    data_hash: str = "0123456789ab"
    pictures_hash: str = "0123456789ab"
    path: Path = field(default_factory=lambda: _folder())
    model_path: Path = field(default_factory=lambda: _folder() / "model")
    manifest: object = field(
        default_factory=lambda: SimpleNamespace(
            name="world", title="A made-up world", summary="Ellipses on a sphere, for tests.", window_m=333_585.0,
            bounds=(-90.0, -180.0, 90.0, 180.0), modalities=("location", "aerial", "surface", "text"),
            files={}, pictures={"aerial": "photographed", "surface": "measured"}, shares={}, notes=[],
            sources=(
                SimpleNamespace(
                    name="Ellipses", package="fake", version="1.0", url="https://example.org/", date="2026", bytes=1234,
                    what="aerial.tif: land and sea", licence="CC0-1.0", attribution="Nobody in particular",
                    sha256="0" * 64,
                ),
            ),
        )
    )  # fmt: skip

    @property
    def places(self):
        cells = Grid.over((-90.0, -180.0, 90.0, 180.0), 2.0, is_land).cells
        at = cells[np.random.default_rng(0).choice(len(cells), 60, replace=False)]
        # The Old World is said to be one thing, the New World another; "Himalaya" is everywhere.
        said = [np.array([1, 0 if lon > -30 else 2]) for lon in at[:, 1]]
        return pd.DataFrame(
            {
                "random": ["train"] * 50 + ["held_out"] * 10,
                "place_id": [f"w{i:06d}" for i in range(60)],
                "gallery": True, "name": [NAMES[i % len(NAMES)] for i in range(60)],
                "lat": at[:, 0], "lon": at[:, 1], "sentences": said,
            }
        )  # fmt: skip

    def raster(self, name):
        return FakeRaster(name)

    def validity(self, modality):
        return None

    def is_land(self, latlon):
        return is_land(latlon)

    @property
    def sentences(self):
        return pd.DataFrame(
            {"kind": ["climate", "terrain", "setting"], "text": ["hot desert", "Himalaya", "big city by the sea"]}
        )

    def line_layers(self):
        return {"coast": self.path / "vectors" / "coast.geojson.gz"}

    def land_grid(self):
        return Grid.over((-90.0, -180.0, 90.0, 180.0), 3.0, is_land)


def embedders(atlas):
    """Five embedders that need no weights, and one that is missing."""
    from unigeoclip.embedders.coordinates import CoordinatesEmbedder, FourierEmbedder

    found = [
        FourierEmbedder.for_atlas(atlas), CoordinatesEmbedder(), ConstantEmbedder(), SlowEmbedder(), TwistedEmbedder()
    ]  # fmt: skip
    return {each.name: each for each in found}, {"satclip": "Fetch it with 'baselines download'."}


class FakeDescriptions:
    """Says of a vector beside a mean which half of the globe it leans to; that one of them is south is not known."""

    available = True

    def vector(self, vector, modality, mean):
        if (vector - mean)[2] <= 0:
            return Description((), 0.0, 0.12, "No phrase of the vocabulary is closer to it than to random vectors.")
        return Description((Phrase("northern lands", "climate", 0.6), Phrase("taiga", "land cover", 0.3)), 0.5, 0.12)


class FakeExplorer:
    """Answers as the real explorer does."""

    names = NAMES
    words = WORDS
    first_letter = "w"
    said = (
        ("climate", "A hot desert with almost no rain."),
        ("terrain", "Low plateaus and plains of gravel."),
    )
    streets = None
    has_words, searched, source = True, "", {}

    @property
    def modalities(self):
        return tuple(self.atlas.manifest.modalities)

    def __init__(self, atlas, grid=None):
        self.atlas = atlas
        self.grid = grid or Grid.over((-90.0, -180.0, 90.0, 180.0), 2.0, is_land)
        rng = np.random.default_rng(0)
        chosen = rng.choice(len(self.grid), 60, replace=False)
        self._places = self.grid.cells[chosen]

    def query(self, items, *, combine="sum", area=None):
        notes, points = [], []
        if area is not None:
            self.grid_within(area)
        for item in items:
            points.append((item.weight, self._point(item)))
            if item.modality == "location" and not self.atlas.is_land([item.value])[0]:
                notes.append(Note("outside", "This point lies in the sea; the model was not trained there."))
            if item.modality == "text" and len(item.value) > 400:
                notes.append(Note("truncated", "Only the first 256 word pieces of the text were read."))
        origins = [tuple(self._point(item)) for item in items if item.modality in ("location", "place")]
        if np.abs(sum(weight * unit_xyz(point[None])[0] for weight, point in points)).sum() < 0.01:
            raise InputError("The weights of this query cancel out: change or remove an item.")
        any_of = combine == "any" and sum(item.weight > 0 for item in items) > 1
        origin = origins[0] if len(origins) == 1 else None
        vectors = unit_xyz(np.array([point for _, point in points])).astype(np.float32)
        alternatives = tuple(points) if any_of else ()
        return Query(tuple(items), points, tuple(notes), origin, vectors=vectors, any_of=alternatives, area=area)

    def grid_within(self, area):
        keep = within(area, self.grid.cells)
        if not keep.any():
            raise InputError("The area holds no land of this atlas, or too little of it: choose a larger one.")
        return self.grid.only(keep)

    def _point(self, item):
        if item.modality == "location":
            return as_latlon([item.value])[0]
        if item.modality in ("place", "item"):
            place_id = item.value if item.modality == "place" else item.value.place_id
            return self._places[self._number_of(place_id)]
        if item.modality == "text":
            if not item.value.strip():
                raise InputError("The text is empty: type at least one word.")
            return np.array(self.words.get(item.value.lower(), self._elsewhere(item.value)))
        return self._of_picture(item)

    def _number_of(self, place_id):
        ids = [f"{self.first_letter}{number:06d}" for number in range(len(self._places))]
        if place_id not in ids:
            raise InputError(f"There is no place '{excerpt(place_id)}' in this atlas.")
        return ids.index(place_id)

    def _elsewhere(self, text):
        return np.array((20.0, len(text) * 7.0 % 160))

    def packed(self, item):
        turn = float(np.asarray(item.value).mean()) / 255 * np.pi
        return replace(item, value=PackedVector.of([np.cos(turn), np.sin(turn)], "fa4e00"))

    def _brightness(self, item):
        """Mean of a picture, 0 to 255."""
        if item.modality == "view":
            if self.streets is None:
                raise InputError("This atlas has no street views, so it does not support view queries.")
            return float(np.asarray(self.streets.picture(*item.value)).mean())
        if not isinstance(item.value, PackedVector):
            return float(np.asarray(item.value).mean())
        if len(item.value.vector) != 2:
            raise InputError("This picture's embedding is another model's. Upload the picture again.")
        return float(np.arctan2(*item.value.vector[::-1])) / np.pi * 255

    def _of_picture(self, item):
        return np.array([47.0, self._brightness(item) % 60])

    def _likeness(self, latlon, point):
        return (unit_xyz(latlon) @ unit_xyz(point[None])[0]) ** 3

    def _similarity(self, query, latlon):
        if query.any_of:
            added = [self._likeness(latlon, point) for weight, point in query.vector if weight > 0]
            taken = [weight * self._likeness(latlon, point) for weight, point in query.vector if weight < 0]
            return (np.max(added, axis=0) + np.sum(taken, axis=0)).astype(np.float32)
        total = np.zeros(len(latlon))
        for weight, point in query.vector:
            total += weight * self._likeness(latlon, point)
        return (total / max(1e-9, sum(abs(w) for w, _ in query.vector))).astype(np.float32)

    descriptions = FakeDescriptions()

    @property
    def cells(self):
        return unit_xyz(self.grid.cells).astype(np.float32)

    model_id = "fake"

    has_browser_encoder = True

    def encoder_bytes(self):
        return encoder_bytes(fake_encoder(), CompactGrid.fit(self.grid, self.cells))

    def compact_bytes(self):
        return CompactGrid.fit(self.grid, self.cells).to_bytes()

    def describe(self, query):
        texts = [item.value for item in query.items if item.modality == "text"]
        if any("zebra" in text for text in texts):
            return Description((), 0.0, 0.12, "The vocabulary has nothing close to these words.")
        phrases = (
            Phrase("hot desert climate", "climate", 0.52),
            Phrase("sand <dunes>", "land cover", 0.31),
            Phrase("few people live here", "population", 0.104),
        )
        return Description(phrases, 0.4149, 0.12)

    def heatmap(self, query):
        grid = self.grid if query.area is None else self.grid_within(query.area)
        return Heatmap(grid, self._similarity(query, grid.cells))

    def heatmaps_of_terms(self, query):
        grid = self.grid if query.area is None else self.grid_within(query.area)
        return CompactGrid.of_heatmaps(grid, np.array([self._likeness(grid.cells, point) for _, point in query.vector]))

    def search(self, query, k=10, modalities=None):
        values = self._similarity(query, self._places)
        found = {}
        for shift, name in enumerate(modalities or self.atlas.manifest.modalities):
            order = np.argsort(-values)[shift:]
            order = order[within(query.area, self._places[order])][:k]
            point = query.origin
            found[name] = [self._match(name, i, float(values[i]), point) for i in order.tolist()]
        return found

    def item_similarities(self, query, modality):
        places = self._places[within(query.area, self._places)]
        return places, self._similarity(query, places)

    def place_matches(self, query, place_id, *, encode=True):
        number = self._number_of(place_id)
        value = float(self._similarity(query, self._places[number : number + 1])[0]) if encode else float("nan")
        return {name: self._match(name, number, value, query.origin) for name in self.atlas.manifest.modalities}

    def _match(self, name, i, value, point):
        meters = None if point is None else float(distance_m(point, self._places[i]))
        place = self.place(f"{self.first_letter}{i:06d}")
        return SimpleNamespace(
            modality=name, place_id=place.place_id, name=place.name, lat=place.lat, lon=place.lon, similarity=value,
            distance_m=meters, heading_deg=None, window=0,
        )  # fmt: skip

    def input_size(self, modality):
        return 32, 32

    def nearest_place(self, lat, lon):
        meters = distance_m((lat, lon), self._places)
        return self.place(f"{self.first_letter}{int(meters.argmin()):06d}"), float(meters.min())

    def place(self, place_id):
        i = self._number_of(place_id)
        name = self.names[i % len(self.names)]
        captions = (*self.said, ("name", f"Near {name}."))
        return Place(place_id, name, *self._places[i].tolist(), "Nowhere", captions)

    def captions(self, match):
        return self.place(match.place_id).captions

    def pictured(self, match):
        is_picture = match.modality == "street" or match.modality in self.atlas.manifest.pictures
        return match.modality if is_picture else ""

    def picture(self, modality, latlon, px=224):
        lat, lon = latlon
        image = Image.new(
            "RGB", (px, px), (70, 90 + int(lat) % 60, 60 + int(lon) % 90) if modality == "aerial" else (140, 150, 140)
        )
        ImageDraw.Draw(image).ellipse(
            [40, 60, 160, 190], fill=(180, 160, 110) if modality == "aerial" else (200, 200, 200)
        )
        return image


def measure(explorer, report):
    """The study of made-up modalities: what is near is alike, and each has noise and a direction."""
    from unigeoclip.evaluation.held_out import HeldOut
    from unigeoclip.evaluation.modalities.study import Found, ModalityStudy
    from unigeoclip.evaluation.pairs import Pair
    from unigeoclip.evaluation.retrieval import ranks

    report("Encoding 60 held-out places", 0.5)
    names, places = explorer.atlas.manifest.modalities, explorer.atlas.places
    latlon, rng = places[["lat", "lon"]].to_numpy(float), np.random.default_rng(1)
    where = unit_xyz(latlon)
    where = (where - where.mean(axis=0)) / where.std(axis=0)
    vectors = {}
    for number, name in enumerate(names):
        apart = 2.0 * np.eye(len(names))[number]
        vector = np.concatenate([where + 0.2 * rng.normal(size=where.shape), np.tile(apart, (60, 1))], axis=1)
        vectors[name] = (vector / np.linalg.norm(vector, axis=1, keepdims=True)).astype(np.float32)
    cameras = np.arange(60) if "street" in names else None
    items = HeldOut(np.arange(60), latlon, cameras)
    pairs = [Pair(a, (b,)) for a in names for b in names if a != b]
    found = {pair.name: Found(pair, items, *ranks(vectors[pair.query], vectors[pair.targets[0]])) for pair in pairs}
    return ModalityStudy("views" if "street" in names else "random", items, vectors, found)


def open_explorer(atlas, progress, slow_s=0.0):
    for step in range(10):
        progress("Computing the grid of locations", step / 10)
        time.sleep(slow_s / 10)
    from tests.app import fake_city

    return fake_city.FakeCityExplorer(atlas) if atlas.name == "boston" else FakeExplorer(atlas)


def another_world(name):
    atlas = FakeAtlas(name=name, title=f"{name.title()} of McTest")
    atlas.manifest.name, atlas.manifest.title = atlas.name, atlas.title
    return atlas


def _manifest_file(atlas):
    """A manifest with the title alone."""
    file = _folder() / f"{atlas.name}.json"
    file.write_text(json.dumps({"title": atlas.title}), encoding="utf-8")
    return file


_made = {}


def _folder():
    if "path" not in _made:
        path = _made["path"] = Path(tempfile.mkdtemp(prefix="unigeoclip-fake-"))
        (path / "vectors").mkdir()
        (path / "model").mkdir()
        angles = np.linspace(0, 2 * np.pi, 90)
        rings = [[[lon + w * np.cos(a), lat + h * np.sin(a)] for a in angles] for (lat, lon), h, w in LANDS]
        shape = {"type": "FeatureCollection", "features": [
            {"type": "Feature", "properties": {}, "geometry": {"type": "LineString", "coordinates": ring}} for ring in
                rings]}  # fmt: skip
        (path / "vectors" / "coast.geojson.gz").write_bytes(gzip.compress(json.dumps(shape).encode()))
    return _made["path"]


def services(names=("world",), **options):
    """Services over made-up atlases and embedders.

    Args:
        names: The atlases at hand: "world", "boston"; any other name is one more world.
        options: Other parts of `Services`, by name.
    """
    from pages.ui.services import Services
    from pages.ui.services.compare_service import CompareService
    from pages.ui.services.explorers import Explorers
    from pages.ui.services.modalities import ModalitiesService
    from pages.ui.services.priority import Priority
    from pages.ui.services.probe import ProbeService
    from tests.app.fake_probe import FakeLibrary

    priority, made = Priority(), atlases(names)
    defaults = {
        "explorers": Explorers(
            priority, list_atlases=lambda: sorted(made), load_atlas=made.__getitem__, open_explorer=open_explorer
        ),
        "compare": CompareService(priority, load_embedders=embedders),
        "modalities": ModalitiesService(priority, measure=measure),
        "probe": ProbeService(priority, library=FakeLibrary()),
    }
    return Services(**defaults | options)


def atlases(names):
    """Made-up atlases by name."""
    from tests.app import fake_city

    made = {"world": FakeAtlas, "boston": fake_city.FakeCity}
    return {name: made.get(name, lambda name=name: another_world(name))() for name in names}


def put_titles(put, names):
    """Have the titles of made-up atlases read, which stand in no folder; ``put`` is as ``setattr``."""
    from pages.ui import atlas_titles

    found = atlases(names)
    put(atlas_titles, "manifest_file", lambda name: _manifest_file(found[name]))
