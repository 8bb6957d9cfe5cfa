"""Which places the scatter shows."""

import numpy as np
import pytest

from pages.ui.modalities.link import View
from pages.ui.modalities.selection import selected_items
from unigeoclip.errors import InputError
from unigeoclip.geo import distance_m

RNG = np.random.default_rng(0)
LATLON = np.stack([RNG.uniform(40, 45, 200), RNG.uniform(-75, -70, 200)], axis=1)
CLUSTERS = np.arange(200) % 4
CLUSTERS[:2] = 4


def chosen(**view):
    return selected_items(View(count=20, **view), LATLON, CLUSTERS)


def test_random_places_follow_the_seed():
    one, again, other = chosen(), chosen(), chosen(seed=1)
    assert len(set(one.tolist())) == 20
    assert one.tolist() == again.tolist() != other.tolist()


def test_a_cluster_shows_places_of_its_own():
    assert (CLUSTERS[chosen(selection="cluster", cluster=2)] == 2).all()
    with pytest.raises(InputError, match="2 held-out places in this cluster"):
        chosen(selection="cluster", cluster=4)


def test_a_point_shows_the_nearest_and_a_rectangle_what_it_holds():
    near = chosen(selection="map", point=(42.0, -72.0))
    meters = distance_m((42.0, -72.0), LATLON)
    assert meters[near].max() <= np.delete(meters, near).min()
    inside = LATLON[chosen(selection="map", bounds=(41.0, -74.0, 44.0, -71.0))]
    assert ((inside >= (41.0, -74.0)) & (inside <= (44.0, -71.0))).all()
    with pytest.raises(InputError, match="0 held-out places in this rectangle"):
        chosen(selection="map", bounds=(0.0, 0.0, 1.0, 1.0))


def test_on_the_map_without_a_choice_shows_places_of_the_whole_atlas():
    assert chosen(selection="map").tolist() == chosen().tolist()
