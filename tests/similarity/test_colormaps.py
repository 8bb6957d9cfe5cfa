import numpy as np
import pytest
from matplotlib import colormaps

from unigeoclip.errors import InputError
from unigeoclip.similarity.colormaps import COLORMAPS, hex_color, palette, shaded_relief


def luminance(rgb: np.ndarray) -> np.ndarray:
    linear = np.where(rgb <= 10.3, rgb / 255 / 12.92, ((rgb / 255 + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("name", COLORMAPS)
def test_color_maps_grow_lighter_all_the_way(name):
    colors = palette(name, 96)
    assert colors.shape == (96, 3)
    assert (np.diff(luminance(colors.astype(float))) > -1e-3).all()
    assert luminance(colors.astype(float))[-1] > 0.6


@pytest.mark.parametrize("name", COLORMAPS)
def test_color_maps_are_the_published_ones(name):
    published = colormaps[name](np.linspace(0, 1, 256))[:, :3] * 255
    assert np.abs(palette(name, 256) - published).max() < 12


def test_unknown_color_map_names_the_known_ones():
    with pytest.raises(InputError, match=r"jet.*inferno"):
        palette("jet", 8)


def test_hex_color():
    assert hex_color(np.array([0, 128, 255], dtype=np.uint8)) == "#0080ff"


def test_relief_is_lit_from_the_north_west():
    y, x = np.mgrid[:64, :64]
    cone = (3000 - 60 * np.hypot(y - 31.5, x - 31.5)).astype(np.float32)
    relief = np.asarray(shaded_relief(cone, pixel_m=100.0)).astype(float).mean(axis=2)
    assert relief[20, 20] > relief[31, 10] > 0
    assert relief[20, 20] > 1.5 * relief[43, 43]


def test_relief_of_flat_ground_is_the_color_of_its_height_and_no_data_is_plain():
    heights = np.full((8, 8), 150.0, dtype=np.float32)
    heights[:, 6:] = np.nan
    relief = np.asarray(shaded_relief(heights, pixel_m=30.0))
    assert relief.shape == (8, 8, 3)
    assert (relief[:, :4] == relief[0, 0]).all()
    assert (relief[:, 6:] == relief[0, 7]).all()
    assert (relief[0, 0] != relief[0, 7]).any()


def test_water_is_blue_and_land_below_the_sea_is_not():
    heights = np.full((4, 4), -3.0, dtype=np.float32)
    water = np.zeros((4, 4), dtype=bool)
    water[:, 3] = True
    red, green, blue = np.asarray(shaded_relief(heights, pixel_m=1000.0, water=water)).transpose(2, 0, 1).astype(int)
    assert (blue[:, 3] > green[:, 3]).all()
    assert (green[:, :3] > blue[:, :3]).all()
    assert red.shape == (4, 4)
