"""A batch in small parts has the gradient of the whole: with bags of views and sentences, and missing modalities."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.explorable import CONFIG
from unigeoclip.modalities.street import StreetBatch
from unigeoclip.modalities.text import TextBatch
from unigeoclip.model import UniGeoCLIP
from unigeoclip.sentences import SENTENCE_DIM
from unigeoclip.training.configs import TrainConfig
from unigeoclip.training.gradients import backward

SIZE = 11
STREET = {"px": 16, "height_px": 16, "patch": 4, "widths": [8, 16], "blocks": [0, 1], "hidden": 16}


def batch(model):
    generator = torch.Generator().manual_seed(0)
    rng = np.random.default_rng(0)
    sentences, views = (
        torch.randint(1, 4, (SIZE,), generator=generator),
        torch.randint(0, 3, (SIZE,), generator=generator),
    )
    count = int(views.sum())
    px = model.window_px("aerial")
    return {
        "location": np.stack([rng.uniform(-80, 80, SIZE), rng.uniform(-180, 180, SIZE)], axis=1),
        "aerial": rng.integers(0, 256, (SIZE, 3, px, px), dtype=np.uint8),
        "surface": rng.normal(300, 200, (SIZE, 1, model.window_px("surface"), model.window_px("surface"))).astype("f"),
        "text": TextBatch(torch.randn(int(sentences.sum()), SENTENCE_DIM, generator=generator), sentences),
        "street": StreetBatch(
            torch.randint(0, 256, (count, 3, 16, 16), generator=generator).to(torch.uint8),
            torch.rand(count, generator=generator) * 360,
            views,
        ),
        "present": {"text": torch.rand(SIZE, generator=generator) > 0.3, "location": torch.arange(SIZE) != 4},
    }


def gradients(config):
    torch.manual_seed(0)
    model = UniGeoCLIP(config.model)
    loss = backward(model, batch(model), config)
    return loss, {name: parameter.grad for name, parameter in model.named_parameters()}


@pytest.mark.parametrize("size", [1, 4, 10])
def test_parts_have_the_gradient_of_the_whole(size):
    model = replace(CONFIG, encoders=CONFIG.encoders | {"street": STREET}, temperature_per_pair=True)
    config = TrainConfig(model=model, weights={"text": 0.5})
    loss, whole = gradients(config)
    loss_of_parts, parts = gradients(replace(config, micro_batch=size))
    assert loss_of_parts == pytest.approx(loss, rel=1e-5)
    assert whole.keys() == parts.keys()
    assert whole["log_scale"].abs().min() > 0
    for name, gradient in whole.items():
        torch.testing.assert_close(parts[name], gradient, atol=1e-6, rtol=1e-3)


def test_slices_of_bags():
    lengths = torch.tensor([2, 0, 1, 3])
    text = TextBatch(torch.arange(6.0)[:, None], lengths)
    assert text[1:3].vectors[:, 0].tolist() == [2]
    assert text[1:2].vectors.shape == (0, 1)
    assert text[2:9].lengths.tolist() == [1, 3]
    street = StreetBatch(torch.arange(6)[:, None], torch.arange(6.0), lengths)
    assert street[0:2].headings_deg.tolist() == [0, 1]
    assert street[3:4].pictures[:, 0].tolist() == [3, 4, 5]
