"""The location encoder: what the paper says of it, and the two traps it fell into."""

import numpy as np
import pytest
import torch

from unigeoclip.errors import InputError
from unigeoclip.modalities.location import LocationConfig, LocationEncoder

POINTS = np.array([[48.8566, 2.3522], [-33.8688, 151.2093], [64.1466, -21.9426], [-54.8019, -68.303], [0.0, 180.0]])


def build(**options):
    torch.manual_seed(0)
    return LocationEncoder(LocationConfig(**({"width": 32, "scales": (1.0, 16.0, 256.0)} | options)), dim=24).eval()


def encode(encoder, points=POINTS):
    with torch.inference_mode():
        return encoder(encoder.prepare(points))


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_a_place_does_not_depend_on_its_batch(depth):
    encoder = build(depth=depth)
    batch = encode(encoder)
    alone = torch.cat([encode(encoder, point[None]) for point in POINTS])
    torch.testing.assert_close(batch, alone, atol=1e-6, rtol=1e-6)


def test_order_of_places_goes_through():
    encoder, order = build(), np.array([3, 1, 4, 0, 2])
    torch.testing.assert_close(encode(encoder, POINTS[order]), encode(encoder)[order], atol=1e-6, rtol=1e-6)


def test_order_of_scales_does_not_matter():
    """Attention over a set: permuting the scale tokens (with their frequencies) leaves the mean over them unchanged."""
    encoder, other = build(depth=2), build(depth=2)
    shuffled = encoder.frequencies.view(2, 3, -1)[:, [2, 0, 1]].reshape(2, -1)
    other.load_state_dict(encoder.state_dict() | {"frequencies": shuffled})
    torch.testing.assert_close(encode(encoder), encode(other), atol=1e-5, rtol=1e-5)


def test_registers_matter():
    encoder = build(registers=2)
    before = encode(encoder)
    with torch.no_grad():
        encoder.registers += torch.randn_like(encoder.registers)
    assert (encode(encoder) - before).abs().max() > 1e-3


def test_scales_attend_to_each_other():
    """Changing one scale's frequencies changes more than an average over independent tokens would explain."""
    encoder = build(depth=1)
    tokens = encoder.fourier_tokens(encoder.prepare(POINTS))
    changed = tokens.clone()
    changed[:, 2] = 0
    block = encoder.blocks[0]
    with torch.inference_mode():
        assert (block(tokens)[:, 0] - block(changed)[:, 0]).abs().max() > 1e-3


def test_pooled_block_equals_the_plain_one():
    """The last block's shortcuts (no query for registers, one product after the mean) are exact."""
    block, tokens = build().blocks[0], torch.randn(7, 5, 32)
    with torch.inference_mode():
        torch.testing.assert_close(block(tokens, pool=3), block(tokens)[:, 2:].mean(1), atol=1e-6, rtol=1e-5)


def test_fourier_tokens_by_hand():
    encoder = build()
    xy = encoder.prepare(POINTS)
    tokens = encoder.fourier_tokens(xy).numpy()
    matrix = encoder.frequencies.numpy().astype(np.float64).reshape(2, 3, 16)
    for scale in range(3):
        phase = 2 * np.pi * xy.numpy().astype(np.float64) @ matrix[:, scale]
        np.testing.assert_allclose(tokens[:, scale], np.hstack([np.cos(phase), np.sin(phase)]), atol=5e-4)
    spread = matrix.std(axis=(0, 2)) / np.array([1.0, 16.0, 256.0])
    assert np.all((spread > 0.6) & (spread < 1.4))


def test_frequencies_are_frozen_and_parameters_do_not_grow_with_scales():
    assert "frequencies" not in dict(build().named_parameters())
    sizes = [sum(p.numel() for p in build(scales=s).parameters()) for s in [(1.0,), (1.0, 2.0, 4.0, 8.0)]]
    assert sizes[0] == sizes[1]


def test_fourier_features_stay_in_float32_under_autocast():
    encoder = build(scales=(4096.0,))
    xy = encoder.prepare(POINTS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        under = encoder.fourier_tokens(xy)
    assert under.dtype == torch.float32
    torch.testing.assert_close(under, encoder.fourier_tokens(xy), atol=0, rtol=0)


def test_center_is_taken_off_before_rounding():
    """At a city's scales, float32 coordinates of the whole Earth would lose the street: the centre keeps it."""
    from unigeoclip.geo import equal_earth

    boston = np.array([[42.36, -71.06], [42.360001, -71.06]])  # 11 cm apart
    centre = tuple(equal_earth(boston[:1])[0])
    near = build(centre=centre).prepare(boston)
    exact = np.diff(equal_earth(boston), axis=0)[0]
    np.testing.assert_allclose((near[1] - near[0]).numpy(), exact, rtol=1e-6)
    assert np.abs((build().prepare(boston)[1] - build().prepare(boston)[0]).numpy() / exact - 1).max() > 1e-3


def test_latitude_first():
    encoder = build()
    assert (encode(encoder) - encode(encoder, POINTS[:, ::-1].clip(-90, 90))).abs().max() > 1e-2


@pytest.mark.parametrize("options", [{"scales": ()}, {"scales": (1.0, -2.0)}, {"width": 30}, {"coarse": 4}])
def test_impossible_shapes(options):
    with pytest.raises(InputError, match="location"):
        build(**options)


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_scale_left_out_is_as_if_it_had_never_been(depth):
    torch.manual_seed(0)
    whole = LocationEncoder(LocationConfig(scales=(1.0, 4.0, 16.0), width=32, depth=depth, heads=2), 16).eval()
    rest = LocationEncoder(LocationConfig(scales=(1.0, 16.0), width=32, depth=depth, heads=2), 16).eval()
    state = whole.state_dict()
    state["frequencies"] = torch.cat([state["frequencies"][:, :16], state["frequencies"][:, 32:]], dim=1)
    rest.load_state_dict(state)
    xy = whole.prepare([(10, 20), (-30, 70)])
    torch.testing.assert_close(whole(xy, without=1), rest(xy))
    assert (whole(xy, without=1) - whole(xy)).abs().max() > 1e-3


def test_wavelengths_are_meters_on_the_ground():
    encoder = LocationEncoder(LocationConfig(scales=(1e3, 6.4e4), width=32, heads=2), 16)
    assert encoder.wavelengths_m() == pytest.approx([17_244, 269], rel=0.01)


def test_coarse_scales_start_without_effect_and_then_reach_the_embedding_linearly():
    plain, encoder = build(), build(coarse=2)
    encoder.load_state_dict(plain.state_dict(), strict=False)
    torch.testing.assert_close(encode(encoder), encode(plain))
    with torch.no_grad():
        encoder.coarse.weight.normal_()
    tokens = encoder.fourier_tokens(encoder.prepare(POINTS))
    expected = encode(plain) + tokens[:, :2].flatten(1) @ encoder.coarse.weight.detach().T
    torch.testing.assert_close(encode(encoder), expected)


def test_the_coarsest_scales_are_found_in_any_order():
    encoder = build(scales=(256.0, 1.0, 16.0), coarse=2)
    assert encoder.coarsest == [1, 2]
    with torch.no_grad():
        encoder.coarse.weight.normal_()
    xy = encoder.prepare(POINTS)
    assert (encoder(xy, without=1) - encoder(xy)).abs().max() > 1e-3
