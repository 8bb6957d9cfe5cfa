"""Encoders of neighborhoods, "a@1km": the mean of an embedder over a disc round each row."""

import numpy as np
import pytest

from unigeoclip.embedders import load_embedder
from unigeoclip.errors import InputError
from unigeoclip.evaluation.probing.encoders import features, is_ours, split_radius
from unigeoclip.tasks.catalog import TASKS, seen_in_training
from unigeoclip.tasks.label_table import LabelTable
from unigeoclip.tasks.neighborhoods import spread

LATLON = np.array([[10.0, 20.0], [40.0, 5.0], [-30.0, 150.0]])


def table():
    return LabelTable("t", LATLON, np.zeros(3), "regression", "y")


def test_vectors_are_averaged_over_the_disc():
    found = features(["coordinates", "coordinates@500km", "coordinates+coordinates@500km"], table(), None, floors=False)
    around = spread(table(), 500_000)
    each = load_embedder("coordinates", None).embed(around.areas.reshape(-1, 2)).reshape(3, -1, 3)
    np.testing.assert_allclose(found["coordinates@500km"].vectors, each.mean(axis=1), atol=1e-6)
    assert found["coordinates+coordinates@500km"].vectors.shape == (3, 6)
    assert found["coordinates@500km"].title.endswith("mean within 500 km")


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("geoclip@1km", ("geoclip", 1000.0)),
        ("geoclip-raw@2.5km", ("geoclip-raw", 2500.0)),
        ("unigeoclip@300m", ("unigeoclip", 300.0)),
        ("unigeoclip", ("unigeoclip", None)),
        ("unigeoclip@far", ("unigeoclip@far", None)),
    ],
)
def test_names_are_read(name, parts):
    assert split_radius(name) == parts


def test_a_neighborhood_of_ours_is_ours():
    assert is_ours("geoclip+unigeoclip@1km")
    assert not is_ours("geoclip@1km")
    assert seen_in_training(TASKS["boston-building-height"], "unigeoclip@1km", "boston")
    assert not seen_in_training(TASKS["boston-building-height"], "geoclip-raw@1km", "boston")


@pytest.mark.parametrize(
    "name", ["mean@1km", "moon@1km", "coordinates@1m", "coordinates@0km", "coordinates@2000km", "coordinates@"]
)
def test_what_has_no_neighborhood_is_refused(name):
    with pytest.raises(InputError):
        features([name], table(), None)
