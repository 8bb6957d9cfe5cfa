import io

import numpy as np
import pytest
from PIL import Image

from tests.atlas.tiny import write_tiny_atlas
from unigeoclip.atlas import load_atlas
from unigeoclip.errors import InputError
from unigeoclip.export.postcard import PRINT_PX, SCREEN_PX, Postcard, draw_postcard


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    return load_atlas(write_tiny_atlas(tmp_path_factory.mktemp("atlases") / "tiny"))


def card_of(atlas, color=(255, 0, 0, 255), query="a quiet place", points=(), code=None):
    file = io.BytesIO()
    Image.new("RGBA", (20, 20), color).save(file, "PNG")
    south, west, north, east = atlas.manifest.bounds
    bounds = (max(south, -85.0), west, min(north, 85.0), east)
    return Postcard(query, "What is like it.", file.getvalue(), bounds, points, code)


def pixels(data):
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), int)


def test_a_postcard_shows_the_heatmap_over_the_map(atlas):
    red, clear = (
        pixels(draw_postcard(atlas, card_of(atlas, color), "png")) for color in ((255, 0, 0, 255), (0, 0, 0, 0))
    )
    assert red.shape == (SCREEN_PX[1], SCREEN_PX[0], 3)
    changed = np.argwhere((red != clear).any(axis=2))
    assert changed[:, 1].max() < 0.67 * SCREEN_PX[0]  # the words beside stay as they are
    row, column = changed[len(changed) // 2]
    assert red[row, column, 0] > red[row, column, 1] + 100


def test_points_and_the_code_are_drawn(atlas):
    south, west, north, east = atlas.manifest.bounds
    middle = ((south + north) / 2, (west + east) / 2)
    plain = pixels(draw_postcard(atlas, card_of(atlas), "png"))
    marked = pixels(draw_postcard(atlas, card_of(atlas, points=(middle,)), "png"))
    assert (plain != marked).any(axis=2).sum() > 100
    code = np.eye(21, dtype=bool)
    coded = pixels(draw_postcard(atlas, card_of(atlas, code=code), "png"))
    changed = np.argwhere((plain != coded).any(axis=2))
    top, left = changed.min(axis=0)
    bottom, right = changed.max(axis=0)
    assert (bottom - top) == (right - left)
    assert left > 0.66 * SCREEN_PX[0]


def test_long_words_are_cut_and_any_sign_is_drawn(atlas):
    for query in ("w" * 500, "word " * 500, "東京 💡 \u202e <b>", ""):
        assert pixels(draw_postcard(atlas, card_of(atlas, query=query), "png")).shape[:2] == SCREEN_PX[::-1]


def test_for_print_it_is_a_pdf_of_a6(atlas):
    data = draw_postcard(atlas, card_of(atlas), "pdf")
    assert data.startswith(b"%PDF")
    box = [f"{72 * px / 300:.2f}"[:5] for px in PRINT_PX]
    assert all(side.encode() in data for side in box)


def test_other_forms_are_refused(atlas):
    with pytest.raises(InputError, match="png or pdf"):
        draw_postcard(atlas, card_of(atlas), "svg")
