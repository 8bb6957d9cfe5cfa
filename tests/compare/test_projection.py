"""Colours of embeddings: components, alignment, floors, clusters, layouts."""

import threading

import numpy as np
import pytest

from unigeoclip.compare import projection
from unigeoclip.errors import InputError

RNG = np.random.default_rng(0)


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


BLOBS = unit(np.repeat(np.eye(4, 12), [400, 300, 200, 100], axis=0) + RNG.normal(0, 0.05, (1000, 12)))


def test_components_are_those_of_the_covariance():
    found = projection.principal_components(BLOBS, 3)
    scores = found.scores(BLOBS)
    np.testing.assert_allclose(scores.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(scores.var(0), found.variances[1:], rtol=1e-4)
    np.testing.assert_allclose(found.axes @ found.axes.T, np.eye(3), atol=1e-10)
    assert (np.diff(found.variances) < 0).all()


def test_the_same_picture_from_a_model_that_is_only_turned():
    turn, _ = np.linalg.qr(RNG.normal(size=(12, 12)))
    ours = projection.principal_components(BLOBS, 3).scores(BLOBS)
    theirs = projection.principal_components(BLOBS @ turn, 3).scores(BLOBS @ turn)
    theirs[:, 0] *= -1
    aligned = projection.aligned_scores(theirs, ours)
    np.testing.assert_allclose(aligned, ours, atol=1e-4)
    apart = np.linalg.norm(theirs[0] - theirs[-1])
    assert np.linalg.norm(aligned[0] - aligned[-1]) == pytest.approx(apart), "only turned"


def test_little_variance_stays_gray_and_much_gets_color():
    scores = RNG.normal(size=(500, 3)) * [1, 0.5, 0.1]
    flat = projection.component_rgb(1e-6 * scores)
    assert np.abs(flat.astype(int) - 128).max() <= 1
    faint = projection.component_rgb(0.02 * scores).astype(int)
    full = projection.component_rgb(0.5 * scores).astype(int)
    assert full[:, 0].std() == pytest.approx(63, abs=6)
    assert faint[:, 0].std() == pytest.approx(32, abs=4), "half of the colour at the floor"
    assert full[:, 2].std() < full[:, 0].std() / 5, "a narrow component is seen to be narrow"
    one = projection.component_rgb(scores[:, :1])
    assert (one == one[:, :1]).all()


def test_clusters_are_found_and_named_alike():
    labels = projection.clusters(BLOBS, 4)
    truth = np.repeat(np.arange(4), [400, 300, 200, 100])
    assert (labels == truth).mean() > 0.99, "numbered by falling size"
    other = np.array([2, 3, 1, 0])[labels]
    np.testing.assert_array_equal(projection.matched_labels(other, labels), labels)


def test_cluster_colors_differ():
    colors = projection.cluster_colors(12).astype(int)
    apart = np.abs(colors[:, None] - colors[None]).sum(-1) + 1000 * np.eye(12, dtype=int)
    assert apart.min() > 40


def test_a_layout_keeps_neighbors_and_repeats_itself():
    said = []
    layout = projection.umap_layout(BLOBS, report=lambda done, total: said.append((done, total)) or True)
    again = projection.umap_layout(BLOBS)
    np.testing.assert_array_equal(layout, again)
    truth = np.repeat(np.arange(4), [400, 300, 200, 100])
    near = np.linalg.norm(layout[:, None] - layout[None], axis=2).argsort(1)[:, 1]
    assert (truth[near] == truth).mean() > 0.98
    assert said[-1][1] == 200
    assert all(0 <= done <= total for done, total in said)
    spread = projection.spread_over(layout, BLOBS, BLOBS[:50])
    assert np.linalg.norm(spread - layout[:50], axis=1).mean() < 0.2 * layout.std()


def test_a_layout_can_be_stopped():
    with pytest.raises(projection.StoppedError):
        projection.umap_layout(BLOBS, report=lambda done, total: done < 20)
    said = []  # what is stopped holds up nobody else
    other = threading.Thread(
        target=projection.umap_layout, args=(BLOBS, 0, lambda done, total: said.append(done) or True), daemon=True
    )
    other.start()
    other.join(120)
    assert said[-1] == 200


def test_a_constant_model_has_no_layout():
    layout = projection.umap_layout(np.tile(BLOBS[:1], (50, 1)))
    assert not layout.any()
    assert np.ptp(projection.umap_rgb(layout).astype(int)) < 6


def test_layout_colors_go_round():
    angles = np.radians(np.arange(0, 360, 60))
    colors = projection.umap_rgb(np.stack([np.cos(angles), np.sin(angles)], 1)).astype(int)
    assert len({tuple(color) for color in colors}) == 6
    middle = projection.umap_rgb(np.array([[0, 0], [1, 0], [0, 1], [-1, 0]]))[0].astype(int)
    assert np.ptp(middle) < 6, "grey in the middle"


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (lambda: projection.principal_components(BLOBS[:1]), "two or more"),
        (lambda: projection.aligned_scores(np.ones((3, 3)), np.ones((4, 3))), "same points"),
        (lambda: projection.component_rgb(np.ones((3, 2))), "One component or three"),
        (lambda: projection.clusters(BLOBS[:3], 5), "3 points cannot make 5"),
        (lambda: projection.umap_layout(BLOBS[:10]), "more than 16"),
    ],
)
def test_bad_input_is_told(call, complaint):
    with pytest.raises(InputError, match=complaint):
        call()
