"""Items as dots: where they lie, which colour they have, and who covers whom."""

import io

import numpy as np
import pytest
from PIL import Image

from unigeoclip.errors import InputError
from unigeoclip.similarity.colormaps import palette
from unigeoclip.similarity.gallery_dots import WIDTH_PX, colored_dots, dots_png

BOUNDS = (42.0, -71.2, 42.2, -71.0)


def draw(latlon, values, **options):
    picture = Image.open(io.BytesIO(dots_png(BOUNDS, latlon, np.array(values, np.float32), **options)))
    assert picture.width == WIDTH_PX
    return np.asarray(picture.convert("RGBA"))


def test_a_dot_lies_where_its_item_does():
    picture = draw([(42.1, -71.1), (42.19, -71.01)], [0.1, 0.9])
    height = len(picture)
    assert picture[height // 2, WIDTH_PX // 2, 3] == 255
    assert picture[round(height * 0.05), round(WIDTH_PX * 0.95), 3] == 255
    assert picture[height // 4, WIDTH_PX // 2, 3] == 0
    assert height > WIDTH_PX  # Mercator at 42 degrees: a degree of latitude is longer


def test_the_best_is_brightest_and_on_top():
    picture = draw([(42.1, -71.1), (42.1, -71.1), (42.15, -71.1)], [0.9, 0.2, 0.1], colormap="viridis")
    middle = picture[len(picture) // 2, WIDTH_PX // 2, :3]
    assert middle.tolist() == palette("viridis", 64)[-1].tolist()


def test_only_the_best_share_is_drawn():
    rng = np.random.default_rng(0)
    latlon = np.stack([rng.uniform(42.0, 42.2, 2000), rng.uniform(-71.2, -71.0, 2000)], axis=1)
    values = rng.random(2000)
    all_of_them, few = (draw(latlon, values, top_share=share)[..., 3].astype(bool).sum() for share in (None, 0.05))
    assert 0.02 * all_of_them < few < 0.1 * all_of_them


def test_bad_options_are_told():
    with pytest.raises(InputError, match="2 items need as many similarities; got 1"):
        draw([(42.1, -71.1), (42.1, -71.0)], [0.5])
    with pytest.raises(InputError, match="share of the items"):
        draw([(42.1, -71.1)], [0.5], top_share=1.5)


def test_points_are_drawn_in_their_colors_later_ones_above():
    rgb = np.array([[255, 0, 0], [0, 0, 255]], np.uint8)
    one_place = np.zeros((2, 2))
    bounds = (-10.0, -10.0, 10.0, 10.0)
    picture = np.asarray(Image.open(io.BytesIO(colored_dots(bounds, one_place, rgb, width_px=100))))
    assert picture.shape[1:] == (100, 4)
    assert picture[len(picture) // 2, 50].tolist() == [0, 0, 255, 255]
    assert picture[0, 0, 3] == 0, "transparent between the dots"
    assert [255, 0, 0] not in picture[..., :3].reshape(-1, 3).tolist()


def test_every_point_needs_a_color():
    with pytest.raises(InputError, match="2 points need as many colors"):
        colored_dots(BOUNDS, np.zeros((2, 2)), np.zeros((3, 3), np.uint8))
