"""Köppen-Geiger classes of weather stations whose class is known."""

import numpy as np
import pytest

from unigeoclip.build.world.climate import CLIMATE_ADJECTIVES, CLIMATE_WORDS, koeppen_geiger

# Monthly normals (1981-2010 or near), rounded: temperature in degrees C, rain in mm, latitude, class.
STATIONS = {
    "Singapore": (
        [26, 27, 27, 28, 28, 28, 28, 28, 27, 27, 27, 26],
        [234, 113, 170, 154, 171, 131, 154, 148, 156, 155, 259, 318],
        1.4,
        "Af",
    ),
    "Mumbai": (
        [24, 25, 27, 29, 30, 29, 28, 27, 28, 28, 28, 26],
        [1, 1, 0, 0, 11, 537, 800, 530, 312, 63, 15, 5],
        19.1,
        "Aw",
    ),
    "Cairo": ([14, 15, 18, 22, 25, 27, 28, 28, 26, 24, 19, 15], [5, 4, 4, 1, 1, 0, 0, 0, 0, 1, 4, 6], 30.1, "BWh"),
    "Turpan": ([-8, -1, 9, 19, 26, 31, 32, 30, 23, 13, 2, -6], [1, 1, 1, 1, 1, 3, 2, 2, 1, 1, 1, 1], 42.9, "BWk"),
    "Denver": (
        [-1, 1, 5, 9, 14, 20, 24, 23, 18, 11, 4, -1],
        [10, 12, 33, 43, 54, 50, 55, 43, 24, 26, 15, 9],
        39.8,
        "BSk",
    ),
    "Rome": (
        [7, 8, 11, 13, 18, 22, 25, 25, 21, 17, 12, 8],
        [67, 73, 58, 81, 53, 34, 19, 37, 73, 113, 115, 81],
        41.9,
        "Csa",
    ),
    "Perth": (
        [24, 25, 23, 20, 16, 14, 13, 13, 15, 17, 20, 23],
        [15, 9, 20, 35, 87, 128, 147, 122, 79, 40, 24, 10],
        -31.9,
        "Csa",
    ),
    "London": (
        [5, 5, 8, 10, 13, 16, 19, 18, 16, 12, 8, 6],
        [55, 41, 42, 44, 49, 45, 45, 50, 49, 69, 59, 55],
        51.5,
        "Cfb",
    ),
    "Shanghai": (
        [5, 7, 11, 16, 21, 25, 29, 29, 25, 20, 14, 8],
        [75, 59, 99, 89, 102, 170, 156, 158, 137, 62, 46, 37],
        31.2,
        "Cfa",
    ),
    "Addis Ababa": (
        [16, 17, 18, 18, 18, 17, 16, 16, 16, 16, 15, 15],
        [13, 30, 58, 82, 84, 138, 280, 290, 149, 27, 7, 7],
        9.0,
        "Cwb",
    ),
    "Moscow": (
        [-7, -7, -1, 7, 13, 17, 19, 17, 11, 6, -1, -5],
        [52, 41, 35, 37, 49, 80, 85, 82, 68, 71, 55, 52],
        55.8,
        "Dfb",
    ),
    "Fairbanks": (
        [-22, -19, -11, 0, 9, 16, 17, 14, 7, -4, -16, -20],
        [15, 11, 6, 8, 15, 35, 55, 48, 28, 21, 17, 16],
        64.8,
        "Dfc",
    ),
    "Yakutsk": (
        [-39, -34, -20, -5, 8, 16, 20, 15, 6, -8, -28, -38],
        [9, 8, 6, 10, 20, 35, 39, 37, 31, 18, 16, 10],
        62.0,
        "Dfd",
    ),
    "Seoul": (
        [-2, 0, 6, 13, 18, 22, 25, 26, 21, 15, 7, 0],
        [21, 25, 47, 65, 106, 133, 395, 364, 169, 52, 53, 22],
        37.6,
        "Dwa",
    ),
    "Nuuk": ([-8, -9, -8, -4, 1, 5, 7, 7, 4, 0, -3, -6], [62, 46, 49, 46, 54, 62, 87, 98, 92, 73, 77, 54], 64.2, "ET"),
    "Vostok": ([-32, -44, -58, -65, -66, -65, -67, -68, -66, -57, -43, -32], [2] * 12, -78.5, "EF"),
}


@pytest.mark.parametrize("name", sorted(STATIONS))
def test_known_stations(name):
    temperature, rain, lat, expected = STATIONS[name]
    assert koeppen_geiger(np.array([temperature]), np.array([rain]), np.array([lat])).tolist() == [expected]


def test_many_at_once_are_as_one_by_one():
    temperature, rain, lat, expected = (np.array(column) for column in zip(*STATIONS.values(), strict=True))
    assert koeppen_geiger(temperature, rain, lat).tolist() == expected.tolist()


def test_the_hemisphere_turns_the_seasons():
    temperature, rain, lat, _ = STATIONS["Perth"]
    assert koeppen_geiger(np.array([temperature]), np.array([rain]), np.array([-lat])).tolist() != ["Csa"]


def test_every_class_has_words():
    rng = np.random.default_rng(0)
    mean, swing = rng.uniform(-30, 32, (4000, 1)), rng.uniform(0, 35, (4000, 1))
    season = np.cos((np.arange(12) - 6) / 6 * np.pi)
    temperature = mean + swing * season
    rain = rng.gamma(1, rng.uniform(1, 200, (4000, 1)), (4000, 12)) * (1 + rng.uniform(-1, 1, (4000, 1)) * season)
    found = set(koeppen_geiger(temperature, rain, rng.uniform(-60, 80, 4000)).tolist())
    assert len(found) > 20
    assert found <= set(CLIMATE_WORDS)
    assert set(CLIMATE_WORDS) == set(CLIMATE_ADJECTIVES)
    assert not any(letter.isdigit() for words in CLIMATE_WORDS.values() for word in words for letter in word)
