"""Bags of street views: any number in any order, with a compass or without."""

import numpy as np
import pytest
import torch

from unigeoclip.errors import InputError
from unigeoclip.modalities.street import StreetBatch, StreetConfig, StreetEncoder, street_batch
from unigeoclip.model import ModelConfig, UniGeoCLIP
from unigeoclip.training.losses import all_to_all_loss

OPTIONS = {"px": 16, "height_px": 8, "widths": [8, 16], "blocks": [0, 1], "hidden": 16}


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return UniGeoCLIP(ModelConfig(dim=12, encoders={"street": OPTIONS, "location": {"width": 32, "heads": 2}})).eval()


def bag(counts, seed=0, headings=True):
    """Spots with so many views each, random pictures."""
    rng, total = np.random.default_rng(seed), sum(counts)
    pictures = torch.from_numpy(rng.integers(0, 256, (total, 3, 8, 16)).astype(np.uint8))
    degrees = torch.from_numpy(rng.uniform(0, 360, total).astype(np.float32))
    return StreetBatch(pictures, degrees if headings else torch.full_like(degrees, torch.nan), torch.tensor(counts))


def part(views, spot):
    """The batch of one spot of a batch of many."""
    first = int(views.lengths[:spot].sum())
    rows = slice(first, first + int(views.lengths[spot]))
    return StreetBatch(views.pictures[rows], views.headings_deg[rows], views.lengths[spot : spot + 1])


def encode(model, views):
    return model.encode({"street": views})["street"]


def test_unit_vectors_one_a_spot(model):
    vectors = encode(model, bag([4, 1, 2]))
    assert vectors.shape == (3, 12)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(3), atol=1e-5, rtol=0)


def test_a_batch_of_one_equals_its_row_in_a_batch_of_many(model):
    views = bag([4, 1, 3, 2])
    together = encode(model, views)
    for spot in range(4):
        torch.testing.assert_close(encode(model, part(views, spot))[0], together[spot], atol=1e-5, rtol=0)


def test_the_order_of_views_does_not_matter(model):
    views = bag([4])
    turned = torch.tensor([2, 0, 3, 1])
    other = StreetBatch(views.pictures[turned], views.headings_deg[turned], views.lengths)
    torch.testing.assert_close(encode(model, views), encode(model, other), atol=1e-5, rtol=0)


def test_the_compass_counts(model):
    views = bag([2, 1])
    known = encode(model, views)
    unknown = encode(model, bag([2, 1], headings=False))
    south = encode(model, StreetBatch(views.pictures, views.headings_deg + 180, views.lengths))
    whole_turn = encode(model, StreetBatch(views.pictures, views.headings_deg + 360, views.lengths))
    assert (known - unknown).abs().max() > 1e-3
    assert (known - south).abs().max() > 1e-3
    torch.testing.assert_close(known, whole_turn, atol=1e-4, rtol=0)
    north = StreetBatch(views.pictures, torch.zeros(3), views.lengths)
    assert (encode(model, north) - unknown).abs().max() > 1e-3, "not to know is not to look north"


def test_every_view_counts(model):
    views = bag([4])
    assert (encode(model, views) - encode(model, part(bag([3]), 0))).abs().max() > 1e-3
    changed = views.pictures.clone()
    changed[3] = 255 - changed[3]
    other = StreetBatch(changed, views.headings_deg, views.lengths)
    assert (encode(model, views) - encode(model, other)).abs().max() > 1e-3


def test_an_array_is_one_view_a_spot_without_a_heading(model):
    views = bag([1, 1, 1], headings=False)
    torch.testing.assert_close(encode(model, views.pictures.numpy()), encode(model, views))


def test_a_spot_without_a_view_is_masked_in_the_loss(model):
    """It is neither a positive nor a negative, and changes no other row."""
    views = bag([2, 1, 0])
    assert torch.isfinite(encode(model, views)).all()
    torch.testing.assert_close(encode(model, views)[:2], encode(model, bag([2, 1])), atol=1e-5, rtol=0)
    latlon = np.array([[42.0, -71.0], [42.1, -71.1], [42.2, -71.2]])

    def loss(some, points):
        prepared = model.prepare({"street": some, "location": points})
        embeddings = model(prepared)
        return all_to_all_loss(embeddings, model.log_scale, {"street": prepared["street"].lengths > 0}), embeddings

    street_to_location = loss(views, latlon)[0]
    others = np.array([latlon[0], latlon[1], [10.0, 10.0]])
    with_all, embeddings = loss(views, others)
    assert with_all.item() != pytest.approx(street_to_location.item()), "the third point is still a negative"
    gradient = torch.autograd.grad(with_all, embeddings["street"])[0]
    assert (gradient[2] == 0).all()
    assert (gradient[:2] != 0).any()


def test_panoramas_are_cut_into_their_views():
    panoramas = np.zeros((2, 3, 8, 32), np.uint8)
    panoramas[0, :, :, 16:], panoramas[1, :, :, :16] = 7, 9
    views = street_batch(panoramas, [[0, 90], [45, np.nan]])
    assert len(views) == 2
    assert views.lengths.tolist() == [2, 2]
    assert [int(picture.max()) for picture in views.pictures] == [0, 7, 9, 0]
    assert views.headings_deg[:3].tolist() == [0, 90, 45]
    assert views.headings_deg[3].isnan()


@pytest.mark.parametrize(
    "pictures",
    [
        np.zeros((2, 3, 16, 8), np.uint8),
        np.zeros((2, 1, 8, 16), np.uint8),
        np.zeros((3, 8, 16), np.uint8),
        np.zeros((2, 3, 8, 16), np.float32),
        street_batch(np.zeros((2, 3, 16, 16), np.uint8), np.zeros((2, 1))),
        street_batch(np.zeros((2, 3, 8, 32), np.uint8), np.zeros((2, 1))),
    ],
)
def test_other_shapes_are_refused(model, pictures):
    with pytest.raises(InputError, match=r"uint8 of shape \(n, 3, 8, 16\)"):
        encode(model, pictures)


def test_sizes_that_do_not_divide_are_refused():
    with pytest.raises(InputError, match="multiple of 8"):
        StreetConfig(px=16, height_px=12, widths=(8, 16), blocks=(0, 1))
    assert StreetEncoder(StreetConfig(), 8).config.size == (48, 64)
