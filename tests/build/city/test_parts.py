"""Cities that lie far from each other in one atlas."""

import shutil

import numpy as np
import pytest

from tests.build import made_up_tiles as made_up
from tests.build.city.test_builder import build
from unigeoclip.atlas.store import load_atlas
from unigeoclip.build.city import tile_sources
from unigeoclip.build.city.parts import Extent
from unigeoclip.city.street_view import StreetScene

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
APART = 8  # tiles


@pytest.fixture(scope="module")
def tiles(tmp_path_factory):
    """The made-up town, and the same eight tiles farther east."""
    folder = made_up.write_tiles(tmp_path_factory.mktemp("tiles"))
    for x, y in made_up.TILES:
        path = next(folder.rglob(f"{x}/{y}.pbf"))
        copy = path.parent.parent / str(x + APART) / path.name
        copy.parent.mkdir(exist_ok=True)
        shutil.copy(path, copy)
    return folder


@pytest.fixture(scope="module")
def bbox():
    south, west, north, east = made_up.bbox()
    return south, west, north, east + APART * 360 / 2**14


@pytest.fixture(scope="module")
def twins(tiles, bbox, tmp_path_factory):
    return load_atlas(build(tiles, tmp_path_factory.mktemp("twins") / "city", bbox=bbox))


def test_groups_of_tiles_are_areas(tiles, bbox):
    tile_set = tile_sources.open_tiles(tiles, bbox)
    assert len(tile_set.areas) == 2
    assert tile_set.missing == [], "nothing is missing between them"
    extent = Extent.of(tile_set, bbox)
    assert len(extent.areas) == 2
    one, other = extent.grids(extent.stored)
    assert one.width + other.width < 0.6 * extent.stored.width
    alone = tile_sources.open_tiles(tiles, made_up.bbox())
    assert alone.areas == ()
    assert Extent.of(alone, made_up.bbox()).areas == ()


def test_tiles_that_touch_belong_together(tmp_path):
    for x, y in ((0, 0), (1, 1), (2, 0), (9, 9), (9, 8), (5, 0)):
        path = tmp_path / "14" / str(x + 100) / f"{y + 100}.pbf"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    found = tile_sources.open_tiles(tmp_path)
    assert len(found.areas) == 3
    assert found.missing == ["14/100/101", "14/101/100", "14/102/101"]


@pytest.mark.slow
def test_two_cities_share_an_atlas(twins, tiles, tmp_path):
    assert len(twins.manifest.areas) == 2
    lon = twins.places["lon"].to_numpy()
    (_, _, _, first_east), (_, second_west, _, _) = twins.manifest.areas
    west, east = lon < first_east, lon > second_west
    assert (west | east).all()
    assert west.sum() > 3
    assert east.sum() > 3
    latlon = twins.places[["lat", "lon"]].to_numpy()
    windows = twins.raster("aerial").windows(latlon, twins.window_m, 32)
    assert (windows.std(axis=(1, 2, 3)) > 5).all(), "both are painted"
    between = np.array([(latlon[0, 0], (first_east + second_west) / 2)])
    assert not twins.is_land(between).any()
    assert twins.land_grid().mask.mean() < 0.9
    alone = load_atlas(build(tiles, tmp_path / "city"))
    assert alone.manifest.areas == []
    assert set(alone.places["place_id"]) <= set(twins.places["place_id"])


@pytest.mark.slow
def test_street_views_of_both_are_held_at_once(twins):
    rows = np.array([0, len(twins.views) - 1])
    at, headings = twins.streets.latlon[rows], twins.streets.headings_deg[rows, None]
    assert np.ptp(at[:, 1]) > 0.1
    before = twins.streets.draw(at, headings, 64, 48)
    with twins.streets.held() as scene:
        assert isinstance(scene, StreetScene)
        held = twins.streets.draw(at, headings, 64, 48)
    assert before.std() > 10
    assert (held == before).all()
