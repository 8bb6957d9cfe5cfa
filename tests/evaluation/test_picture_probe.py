"""Features of pictures: our aerial encoder, and what it has to beat."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.explorable import write_explorable_atlas
from unigeoclip.atlas import load_atlas
from unigeoclip.errors import InputError
from unigeoclip.evaluation.picture_probe import picture_features


def encoded(array, kind="PNG"):
    file = io.BytesIO()
    Image.fromarray(array).save(file, kind)
    return file.getvalue()


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    return load_atlas(write_explorable_atlas(tmp_path_factory.mktemp("atlases") / "tiny"))


def test_pictures_are_encoded(atlas):
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 255, (32, 32, 3), np.uint8) for _ in range(3)]
    pictures.append(np.full((40, 40, 3), (10, 20, 30), np.uint8))
    found = picture_features([encoded(each) for each in pictures], atlas)
    assert list(found) == ["aerial", "pixels", "colors", "mean"]
    assert found["aerial"].vectors.shape == (4, 16)
    np.testing.assert_allclose(np.linalg.norm(found["aerial"].vectors, axis=1), 1, atol=1e-4)
    assert found["pixels"].vectors.shape == (4, 192)
    np.testing.assert_allclose(found["colors"].vectors[3], [10, 20, 30, 0, 0, 0], atol=1e-4)
    alone = picture_features([encoded(pictures[1])], atlas)
    np.testing.assert_allclose(alone["aerial"].vectors[0], found["aerial"].vectors[1], atol=1e-5)


def test_a_damaged_picture_is_refused(atlas):
    with pytest.raises(InputError):
        picture_features([b"no picture"], atlas)
