"""Where two models disagree: neighborhoods, their overlap, and places that show it."""

import numpy as np
import pytest

from unigeoclip.compare import disagreement as module
from unigeoclip.compare.disagreement import (
    CANDIDATES,
    SHARE,
    disagreement,
    examples,
    exclusion_m,
    is_known,
    neighborhood_size,
    neighborhoods,
    overlap,
)
from unigeoclip.compare.regions import Embedded, Region
from unigeoclip.embedders.coordinates import CoordinatesEmbedder
from unigeoclip.errors import InputError, StoppedError
from unigeoclip.geo import distance_m
from unigeoclip.similarity.grid import Grid

SIDE = 40  # cells


@pytest.fixture(scope="module")
def region():
    """A city: cells some 100 m wide."""
    return Region("atlas", Grid((42.3, -71.1, 42.34, -71.05), np.ones((SIDE, SIDE), bool)))


def kinds(seed=0, count=8):
    """A kind of each cell, at random."""
    return np.random.default_rng(seed).integers(count, size=SIDE * SIDE)


def embedded(region, kind, noise=0.1, seed=1, name="one"):
    """Cells of the same kind have nearly the same vector."""
    rng = np.random.default_rng(seed)
    vectors = np.eye(16, dtype=np.float32)[kind] + noise * rng.normal(size=(len(kind), 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    embedder = CoordinatesEmbedder()
    embedder.name = name
    return Embedded(embedder, region, vectors.astype(np.float32))


def test_the_nearest_cells_are_those_of_highest_similarity_outside_of_the_radius(region):
    model = embedded(region, kinds())
    near = neighborhoods(model)
    size, candidates = neighborhood_size(region), region.sample(CANDIDATES)
    assert near.shape == (len(region.grid), size)
    assert size == round(SHARE * len(candidates))
    cells = region.grid.cells
    for cell in (0, 777, len(cells) - 1):
        similarity = model.vectors @ model.vectors[cell]
        similarity[distance_m(cells[cell], cells) <= exclusion_m(region)] = -np.inf
        np.testing.assert_array_equal(candidates[near[cell]], np.argsort(-similarity, kind="stable")[:size])


def test_no_neighbor_is_near(region):
    near = region.sample(CANDIDATES)[neighborhoods(embedded(region, np.zeros(SIDE * SIDE, int)))]
    cells = region.grid.cells
    assert distance_m(cells[:, None], cells[near]).min() > 0.999 * exclusion_m(region)
    assert exclusion_m(region) == pytest.approx(0.05 * 4118, rel=0.01), "meters of a city need double precision"


def test_a_model_agrees_with_itself(region):
    model = embedded(region, kinds())
    same = Embedded(model.embedder, region, model.vectors.copy())
    assert disagreement(model, same).max() == 0
    assert examples(model, same) == []


def test_models_disagree_where_one_of_them_is_noise(region):
    kind = kinds()
    east = region.grid.cells[:, 1] > -71.075
    one, other = embedded(region, kind, noise=0.05), embedded(region, np.where(east, kinds(5), kind), noise=0.05)
    values = disagreement(one, other)
    assert values.min() >= 0
    assert values.max() <= 1
    np.testing.assert_allclose(values, disagreement(other, one))
    unrelated = disagreement(embedded(region, kind), embedded(region, kinds(7), seed=9))
    assert unrelated.mean() == pytest.approx(1 - SHARE, abs=0.02), "what chance leaves"
    assert values[east].mean() > values[~east].mean()


def test_an_example_is_alike_for_one_model_and_not_for_the_other(region):
    one, other = embedded(region, kinds(0)), embedded(region, kinds(3), seed=4)
    found = examples(one, other, most=4)
    assert len(found) == 4
    cells = region.grid.cells
    for each in found:
        assert each.first.rank[0] <= SHARE < each.first.rank[1]
        assert each.second.rank[1] <= SHARE < each.second.rank[0]
        for side in (each.first, each.second):
            assert side.distance_m == pytest.approx(distance_m(cells[each.cell], cells[side.cell]))
            assert side.distance_m > exclusion_m(region)
            assert side.similarity[0] == pytest.approx(one.vectors[each.cell] @ one.vectors[side.cell], abs=1e-5)
    apart = distance_m(cells[[each.cell for each in found]][:, None], cells[[each.cell for each in found]])
    assert apart[~np.eye(4, dtype=bool)].min() > 2 * exclusion_m(region)


def test_examples_are_cells_that_can_be_shown(region):
    shown = np.random.default_rng(2).choice(SIDE * SIDE, 200, replace=False)
    found = examples(embedded(region, kinds(0)), embedded(region, kinds(3), seed=4), shown)
    assert found
    assert {cell for each in found for cell in (each.cell, each.first.cell, each.second.cell)} <= set(shown.tolist())


def test_what_was_computed_is_kept(region, monkeypatch):
    one, other = embedded(region, kinds(0)), embedded(region, kinds(3), name="other")
    assert not is_known(one, other)
    first = disagreement(one, other)
    assert is_known(one, other)
    assert is_known(other, one), "the order of a pair does not matter"
    monkeypatch.setattr(module, "_similarities", None)
    np.testing.assert_array_equal(disagreement(one, other), first)


def test_it_can_be_stopped_and_tells_how_far_it_is(region):
    seen = []

    def report(done, total):
        seen.append((done, total))
        return len(seen) < 6

    with pytest.raises(StoppedError):
        disagreement(embedded(region, kinds(0)), embedded(region, kinds(3)), report)
    assert [total for _, total in seen] == [2 * SIDE * SIDE] * 6
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[4][0] > SIDE * SIDE, "both models are one piece of work"


def test_small_regions_and_other_shapes_are_refused():
    small = Region("atlas", Grid((42.3, -71.1, 42.34, -71.05), np.ones((10, 10), bool)))
    with pytest.raises(InputError, match="500 cells or more; this one has 100"):
        neighborhood_size(small)
    with pytest.raises(InputError, match="same cells and size"):
        overlap(np.zeros((2, 3), int), np.zeros((3, 3), int), 9)
