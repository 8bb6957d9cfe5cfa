"""A made-up city beside the made-up world: five modalities, three straight streets, cameras along them."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw

from tests.app.fake import FakeExplorer, FakeRaster
from unigeoclip.errors import InputError
from unigeoclip.similarity.grid import Grid

SOUTH, WEST, NORTH, EAST = BOUNDS = (42.24, -71.25, 42.48, -70.95)
STREETS = {"South Street": 42.30, "Middle Street": 42.36, "North Street": 42.42}
FIRST_LON, STEP_DEG, CAMERAS = -71.15, 0.0005, 60
WORDS = {"park by the river": (42.36, -71.11), "fenway": (42.345, -71.097), "airport": (42.366, -71.01),
         "downtown towers": (42.356, -71.056)}  # fmt: skip
NAMES = ["Harvard Square, Cambridge", "Newbury Street, Back Bay, Boston", "Łódź Street, Allston", "Pond Street, Quincy"]


def is_land(latlon):
    points = np.asarray(latlon, dtype=float)
    return points[:, 1] < -70.99 - 0.02 * np.sin(40 * points[:, 0])


@dataclass(frozen=True)
class FakeView:
    lat: float
    lon: float
    heading_deg: float
    street: str
    place_id: str


class FakeStreets:
    """Cameras every 41 metres along three streets that run from west to east; every other one looks west."""

    is_rendered = True

    def _view(self, name, number):
        heading = 90.0 if number % 2 else 270.0
        return FakeView(STREETS[name], FIRST_LON + number * STEP_DEG, heading, name, f"c{number:06d}")

    def _number(self, lon):
        return int(np.clip(round((lon - FIRST_LON) / STEP_DEG), 0, CAMERAS - 1))

    def nearest(self, lat, lon):
        name = min(STREETS, key=lambda street: abs(STREETS[street] - lat))
        return self._view(name, self._number(lon))

    def ahead(self, lat, lon, heading_deg):
        here = self.nearest(lat, lon)
        east = np.sin(np.radians(heading_deg))
        number = self._number(lon) + int(np.sign(east))
        return self._view(here.street, number) if abs(east) > 0.6 and 0 <= number < CAMERAS else None

    def photo_of(self, lat, lon, heading_deg):
        return {}

    def of_place(self, place_id):
        return self._view("Middle Street", int(place_id[1:]) % CAMERAS)

    def picture(self, lat, lon, heading_deg, width=448, height=336):
        if not (SOUTH < lat < NORTH and WEST < lon < EAST):
            raise InputError(f"({lat:.5f}, {lon:.5f}) lies outside this city.")
        image = Image.new("RGB", (width, height), (150, 190, 225))
        draw = ImageDraw.Draw(image)
        draw.rectangle([0, int(0.56 * height), width, height], fill=(96, 96, 100))
        shift = int(heading_deg / 360 * width)
        draw.rectangle([shift, height // 4, shift + width // 5, int(0.6 * height)], fill=(150, 80, 64))
        return image


class FakeCityRaster(FakeRaster):
    def __init__(self, kind):
        super().__init__(kind, shape=(9216, 9216), bounds=BOUNDS)

    def windows(self, latlon, size_m, px):
        ramp = np.linspace(0, 38.4, px, dtype=np.float32)
        return np.broadcast_to(ramp, (len(latlon), 1, px, px))


@dataclass
class FakeCity:
    """What the pages read of an atlas of a city."""

    name: str = "boston"
    title: str = "Boston"
    window_m: float = 225.0
    data_hash: str = "fedcba987654"
    pictures_hash: str = "fedcba987654"
    path: Path = field(default_factory=lambda: folder())
    model_path: Path = field(default_factory=lambda: folder() / "model")
    manifest: object = field(
        default_factory=lambda: SimpleNamespace(
            name="boston", title="Boston", summary="Three streets, for tests.", window_m=225.0, bounds=BOUNDS,
            modalities=("location", "aerial", "street", "surface", "text"), files={},
            pictures={"aerial": "rendered", "street": "rendered", "surface": "rendered"},
            shares={"estimated building heights": 0.934}, notes=[],
            sources=(
                SimpleNamespace(
                    name="OpenStreetMap", package="tiles", version="", url="https://example.org/", date="2026",
                    bytes=1234, what="streets, buildings", licence="ODbL 1.0",
                    attribution="© OpenStreetMap contributors", sha256="0" * 64,
                ),
            ),
        )
    )  # fmt: skip

    @property
    def places(self):
        cells = Grid.over(BOUNDS, 0.002, is_land).cells
        at = cells[np.random.default_rng(0).choice(len(cells), 60, replace=False)]
        return pd.DataFrame(
            {
                "views": ["train"] * 45 + ["held_out"] * 15, "place_id": [f"w{i:06d}" for i in range(60)],
                "gallery": True, "name": [NAMES[i % len(NAMES)] for i in range(60)],
                "lat": at[:, 0], "lon": at[:, 1], "sentences": [np.array([0])] * 60,
            }
        )  # fmt: skip

    @property
    def sentences(self):
        return pd.DataFrame({"kind": ["fabric"], "text": ["downtown towers"]})

    def line_layers(self):
        return {}

    def raster(self, name):
        return FakeCityRaster(name)

    def validity(self, modality):
        return None

    def is_land(self, latlon):
        return is_land(latlon)

    def land_grid(self):
        return Grid.over(BOUNDS, 0.006, is_land)


class FakeCityExplorer(FakeExplorer):
    """Answers as the real explorer of a city does; what is near is like a query, within a few kilometres."""

    names = NAMES
    words = WORDS
    first_letter = "c"
    said = (
        ("neighbourhood", "Back Bay"),
        ("fabric", "dense old streets of row houses"),
        ("restaurant", "a Thai restaurant within walking distance"),
    )

    def __init__(self, atlas):
        super().__init__(atlas, grid=Grid.over(BOUNDS, 0.002, is_land))
        self.streets = FakeStreets()

    def input_size(self, modality):
        return (64, 48) if modality == "street" else (32, 32)

    def _likeness(self, latlon, point):
        away = (latlon - point) * (1.0, 0.74)
        return np.exp(-(away**2).sum(axis=1) / 0.03**2) - 0.2

    def _elsewhere(self, text):
        return np.array((42.25 + len(text) * 0.013 % 0.2, -71.1))

    def _of_picture(self, item):
        return np.array([42.30 + self._brightness(item) / 255 * 0.12, -71.1])

    def _match(self, name, i, value, point):
        found = super()._match(name, i, value, point)
        if name != "street":
            return found
        view = self.streets.of_place(found.place_id)
        return SimpleNamespace(**vars(found) | {"lat": view.lat, "lon": view.lon, "heading_deg": view.heading_deg})


_made = {}


def folder():
    if "path" not in _made:
        path = _made["path"] = Path(tempfile.mkdtemp(prefix="unigeoclip-fake-city-"))
        (path / "model").mkdir()
    return _made["path"]
