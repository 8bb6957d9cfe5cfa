"""The picture below the colors of a map."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.atlas.tiny import write_tiny_atlas
from unigeoclip.atlas import base_picture as module
from unigeoclip.atlas import load_atlas
from unigeoclip.atlas.base_picture import base_picture
from unigeoclip.geo import inverse_web_mercator, web_mercator


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    return load_atlas(write_tiny_atlas(tmp_path_factory.mktemp("base") / "tiny"))


def test_it_lies_where_it_belongs(atlas):
    data, bounds = base_picture(atlas, (20.0, -15.0, 50.0, 25.0))
    assert bounds == (20.0, -15.0, 50.0, 25.0)
    picture = Image.open(io.BytesIO(data))
    assert picture.format == "WEBP"
    assert module.BASE_WIDTH_PX <= picture.width <= 2 * module.BASE_WIDTH_PX
    middle = inverse_web_mercator(web_mercator(np.array([[20.0, -15.0], [50.0, 25.0]])).mean(axis=0, keepdims=True))
    expected = atlas.raster("aerial").values(middle)[0]
    shown = np.asarray(picture)[picture.height // 2, picture.width // 2]
    assert np.abs(shown.astype(int) - expected.astype(int)).max() < 40


def test_it_ends_at_180_degrees_east(atlas):
    _, bounds = base_picture(atlas, (-60.0, 100.0, 80.0, 200.0))
    assert bounds == (-60.0, 100.0, 80.0, 180.0)
