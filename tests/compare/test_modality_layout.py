"""Layouts of several modalities on one plane, and the figure that shows them."""

import numpy as np
import pytest

from unigeoclip.compare.modality_layout import joint_layout, modality_scatter, tsne_layout
from unigeoclip.errors import InputError

NAMES = ("location", "aerial", "text")


def modalities(places=20, noise=0.05):
    """Places far apart, whose modalities are close."""
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(places, 16))
    vectors = {name: centers + noise * rng.normal(size=centers.shape) for name in NAMES}
    return {
        name: (each / np.linalg.norm(each, axis=1, keepdims=True)).astype(np.float32) for name, each in vectors.items()
    }


def own_is_nearest(layout):
    """Share of points whose nearest other point is of their own place."""
    points = np.concatenate(list(layout.values()))
    place = np.tile(np.arange(len(points) // len(layout)), len(layout))
    apart = np.linalg.norm(points[:, None] - points[None], axis=2) + 1e9 * np.eye(len(points))
    return (place[apart.argmin(1)] == place).mean()


@pytest.mark.parametrize("method", ["tsne", pytest.param("umap", marks=pytest.mark.slow)])
def test_the_points_of_a_place_fall_together(method):
    layout = joint_layout(modalities(), method)
    assert list(layout) == list(NAMES)
    assert all(points.shape == (20, 2) for points in layout.values())
    assert max(np.abs(points).max() for points in layout.values()) == pytest.approx(1)
    assert own_is_nearest(layout) > 0.9


def test_the_same_seed_gives_the_same_picture():
    first, again = joint_layout(modalities(), "tsne"), joint_layout(modalities(), "tsne")
    np.testing.assert_array_equal(first["text"], again["text"])


def test_points_that_are_one_and_too_few_points():
    assert not tsne_layout(np.tile([[1.0, 0.0]], (10, 1))).any()
    assert np.isfinite(joint_layout(modalities(2), "tsne")["text"]).all()
    with pytest.raises(InputError, match="6 points or more"):
        tsne_layout(np.eye(5))
    with pytest.raises(InputError, match=r"Unknown layout 'pca'.*tsne, umap"):
        joint_layout(modalities(), "pca")


def test_the_figure_numbers_points_by_modality_and_joins_those_of_a_place():
    layout = {name: np.arange(6, dtype=float).reshape(3, 2) + number for number, name in enumerate(NAMES)}
    figure = modality_scatter(layout, {name: (name.title(), "#000000", "circle") for name in NAMES})
    lines, *points = figure["data"]
    assert [trace["name"] for trace in points] == ["Location", "Aerial", "Text"]
    assert [number for trace in points for number in trace["customdata"]] == list(range(9))
    assert points[2]["x"] == layout["text"][:, 0].tolist()
    assert len(lines["x"]) == 3 * 3 * 3
    assert lines["x"][:3] == [1.0, 0.0, None], "from the middle of the first place to its first point"
    assert {trace["type"] for trace in figure["data"]} == {"scatter"}, "the content security policy forbids WebGL"
