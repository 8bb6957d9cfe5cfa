"""Where places are drawn and how they are split: on land, by seed alone, with the buffer as wide as promised."""

import numpy as np
import pytest
import s2sphere

from unigeoclip import geo
from unigeoclip.build.s2 import cell_outline
from unigeoclip.build.world import places
from unigeoclip.build.world.geonames import Towns


def northern(latlon):
    return latlon[:, 0] > 10


def towns():
    names = np.array(["A", "B", "Small"], dtype=object)
    return Towns(
        latlon=np.array([[48.0, 2.0], [20.0, 179.99], [60.0, 10.0]]),
        population=np.array([1_000_000, 50_000, 2_000]),
        name=names,
        country_code=names,
        region=names,
    )


def test_uniform_places_are_on_land_and_uniform_by_area():
    drawn = places.uniform_places(4000, northern, np.random.default_rng(0))
    assert drawn.shape == (4000, 2)
    assert northern(drawn).all()
    assert drawn[:, 0].max() <= places.NORTH_DEG
    heights = np.sin(np.radians(drawn[:, 0]))
    low, high = np.sin(np.radians([10, places.NORTH_DEG]))
    counts, _ = np.histogram(heights, 8, (low, high))
    assert counts.min() > 4000 / 8 * 0.85


def test_city_places_are_near_cities():
    drawn = places.city_places(500, towns(), northern, np.random.default_rng(0))
    nearest = geo.distance_m(drawn[:, None], towns().latlon[None]).argmin(axis=1)
    assert set(nearest) == {0, 1}  # the third is too small
    assert (nearest == 0).mean() > 0.7  # weight by the root of the population
    assert geo.distance_m(drawn[:, None], towns().latlon[None]).min(axis=1).max() < 40_000
    assert (np.abs(drawn[:, 1]) <= 180).all()


@pytest.mark.parametrize("draw", [places.uniform_places, lambda *rest: places.city_places(rest[0], towns(), *rest[1:])])
def test_the_seed_decides(draw):
    first, again, other = (draw(200, northern, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_coordinates_are_exact_in_float32_steps():
    drawn = places.uniform_places(100, northern, np.random.default_rng(0))
    np.testing.assert_array_equal(drawn % places.COORDINATE_STEP_DEG, 0)


def test_random_split():
    marked = places.random_split(1000, 90, np.random.default_rng(0))
    assert marked.sum() == 90
    np.testing.assert_array_equal(marked, places.random_split(1000, 90, np.random.default_rng(0)))


@pytest.fixture(scope="module")
def blocks():
    latlon = geo.random_on_sphere(6000, np.random.default_rng(3))
    return latlon, places.block_split(latlon, 400, np.random.default_rng(4))


def cell(latlon):
    return s2sphere.CellId.from_lat_lng(s2sphere.LatLng.from_degrees(*latlon)).parent(places.BLOCK_LEVEL).id()


def test_blocks_hold_out_whole_cells(blocks):
    latlon, split = blocks
    cells = np.array([cell(point) for point in latlon], dtype=np.uint64)
    held_out = set(cells[split == "held_out"])
    assert not held_out & set(cells[split == "train"])
    assert len(held_out) == pytest.approx(0.1 * len(set(cells)), rel=0.1)
    assert (split == "held_out").sum() == 400


def test_nothing_is_trained_within_the_buffer(blocks):
    latlon, split = blocks
    test, train = latlon[split == "held_out"], latlon[split == "train"]
    nearest_m = min(geo.distance_m(train[:, None], chunk[None]).min() for chunk in np.array_split(test, 8))
    assert nearest_m >= places.BUFFER_DEG * geo.METERS_PER_DEGREE * 0.999


def test_the_buffer_is_no_wider_than_needed(blocks):
    latlon, split = blocks
    cells = np.array([cell(point) for point in latlon], dtype=np.uint64)
    held_out = np.isin(cells, list(set(cells[split == "held_out"])))
    outside = latlon[(split == "buffer") & ~held_out]
    outline = np.concatenate([cell_outline(int(one), places.OUTLINE_POINTS) for one in set(cells[held_out])])
    reach_m = np.array([geo.distance_m(point, outline).min() for point in outside])
    assert reach_m.max() <= places.BUFFER_DEG * geo.METERS_PER_DEGREE * 1.001


def test_the_split_is_decided_by_the_seed(blocks):
    latlon, split = blocks
    np.testing.assert_array_equal(split, places.block_split(latlon, 400, np.random.default_rng(4)))
    assert not np.array_equal(split, places.block_split(latlon, 400, np.random.default_rng(5)))
