"""Panoramas cut into views, against one whose colors say in which direction each pixel lies."""

import numpy as np
import pytest

from unigeoclip.uploads import panoramas


def colors_of(heading_rad, up_rad):
    """Colors of a direction: cosine and sine of the heading, sine of the angle above the horizon."""
    parts = np.cos(heading_rad) * np.cos(up_rad), np.sin(heading_rad) * np.cos(up_rad), np.sin(up_rad)
    return 128 + 120 * np.stack(parts, axis=-1)


@pytest.fixture(scope="module")
def panorama():
    heading = np.radians((np.arange(1024) + 0.5) / 1024 * 360 - 180)  # of the middle column 0
    up = np.radians(90 - (np.arange(512) + 0.5) / 512 * 180)
    return np.rint(colors_of(*np.meshgrid(heading, up))).astype(np.uint8)


@pytest.mark.parametrize("fov_deg", [60.0, 90.0])
@pytest.mark.parametrize("turn_deg", [0.0, 90.0, 180.0, 270.0, 33.0])
def test_every_pixel_shows_its_direction(panorama, turn_deg, fov_deg):
    width, height = 160, 120
    view = panoramas.cut(panorama, turn_deg, width, height, fov_deg)
    focal = width / 2 / np.tan(np.radians(fov_deg) / 2)
    right, up = np.meshgrid(np.arange(width) + 0.5 - width / 2, height / 2 - np.arange(height) - 0.5)
    heading = np.arctan2(right, focal) + np.radians(turn_deg)
    wanted = colors_of(heading, np.arctan2(up, np.hypot(right, focal)))
    assert np.abs(view - wanted).max() < 2.5


def test_views_a_quarter_turn_apart_meet(panorama):
    views = [panoramas.cut(panorama, turn, 200, 150).astype(int) for turn in panoramas.TURNS_DEG]
    for left, right in zip(views, [*views[1:], views[0]], strict=True):
        assert np.abs(left[:, -1] - right[:, 0]).max() <= 4


@pytest.mark.parametrize(
    ("size", "is_one"), [((2000, 1000), True), ((4096, 2048), True), ((800, 400), False), ((1600, 1200), False)]
)
def test_pictures_twice_as_wide_as_high_are_panoramas(size, is_one):
    assert panoramas.is_panorama(*size) == is_one
