"""Towers are filled, or the training says so; adapters leave no trace; recomputation changes no gradient."""

import re
import sys
from dataclasses import replace

import huggingface_hub
import numpy as np
import pytest
import torch

from tests import towers
from unigeoclip.errors import CheckpointError, DownloadError, InputError, MissingPackageError
from unigeoclip.modalities.street import StreetBatch
from unigeoclip.modalities.text import TextBatch
from unigeoclip.model import UniGeoCLIP
from unigeoclip.training.configs import CONFIGS
from unigeoclip.training.fine_tuning.rates import parameter_groups
from unigeoclip.training.fine_tuning.weights import (
    check_towers,
    fill_towers,
    merge_adapters,
    prepare_towers,
    towers_of,
)
from unigeoclip.training.gradients import backward

SIZE = 5


@pytest.fixture
def siglip(tmp_path):
    towers.write_siglip(tmp_path / "siglip")
    return tmp_path / "siglip"


def batch(model):
    rng = np.random.default_rng(0)
    px = towers.PX
    ids = rng.integers(2, towers.VOCABULARY, (SIZE + 2, towers.TOKENS))
    return {
        "location": np.stack([rng.uniform(-80, 80, SIZE), rng.uniform(-180, 180, SIZE)], axis=1),
        "aerial": rng.integers(0, 256, (SIZE, 3, px, px), np.uint8),
        "surface": rng.normal(10, 5, (SIZE, 1, px, px)).astype(np.float32),
        "street": StreetBatch(
            torch.from_numpy(rng.integers(0, 256, (6, 3, px, px), np.uint8)),
            torch.from_numpy(rng.uniform(0, 360, 6).astype(np.float32)),
            torch.tensor([2, 0, 1, 3, 0]),
        ),
        "text": TextBatch(torch.from_numpy(ids), torch.tensor([1, 2, 1, 2, 1])),
    }


def gradients(config):
    torch.manual_seed(0)
    model = UniGeoCLIP(config.model).train()
    fill_towers(model, config.fine_tuning.weights, lambda: ["some words"])
    prepare_towers(model, config.fine_tuning)
    loss = backward(model, batch(model), config)
    return loss, {name: each.grad for name, each in model.named_parameters() if each.requires_grad}


@pytest.mark.parametrize("mode", ["full", "lora"])
@pytest.mark.parametrize("micro_batch", [0, 2])
def test_recomputation_and_parts_have_the_gradient_of_the_whole(mode, micro_batch):
    config = towers.tuned(towers.tiny("base-city"), mode=mode, lora_rank=2)
    config.model.encoders["street"]["kind"] = "dinov2"
    loss, plain = gradients(config)
    again, recomputed = gradients(replace(towers.tuned(config, recompute=True), micro_batch=micro_batch))
    assert again == pytest.approx(loss, rel=1e-5)
    assert plain.keys() == recomputed.keys()
    assert all(gradient is not None for gradient in plain.values())
    for name, gradient in plain.items():
        torch.testing.assert_close(recomputed[name], gradient, atol=2e-6, rtol=1e-3, msg=name)


@pytest.mark.parametrize("mode", ["full", "lora"])
def test_towers_learn_a_batch_by_heart(mode):
    config = towers.tuned(towers.tiny("base-city"), mode=mode, recompute=True, lora_rank=4)
    torch.manual_seed(0)
    model = UniGeoCLIP(config.model).train()
    fill_towers(model, config.fine_tuning.weights, lambda: ["some words"])
    prepare_towers(model, config.fine_tuning)
    optimizer = torch.optim.AdamW(parameter_groups(model, config.fine_tuning, 0.05), lr=3e-3)
    losses = []
    for _ in range(25):
        optimizer.zero_grad()
        losses.append(backward(model, batch(model), config))
        optimizer.step()
    assert losses[-1] < 0.6 * losses[0]


def test_recomputation_runs_the_layers_twice():
    config = towers.tuned(towers.tiny("base"), recompute=True)
    model = UniGeoCLIP(config.model)
    layer = model.encoders["aerial"].layers[0]
    runs = []
    layer.layer_norm1.register_forward_hook(lambda *_: runs.append(1))
    prepare_towers(model, config.fine_tuning)
    pictures = model.encoders["aerial"].prepare(np.zeros((1, 3, towers.PX, towers.PX), np.uint8))
    model.encoders["aerial"](pictures).sum().backward()
    assert len(runs) == 2


def test_merged_adapters_leave_the_same_model_without_a_trace():
    config = towers.tuned(towers.tiny("base-city"), mode="lora", lora_rank=2)
    config.model.encoders["street"]["kind"] = "dinov2"
    torch.manual_seed(0)
    model = UniGeoCLIP(config.model)
    fill_towers(model, config.fine_tuning.weights, lambda: ["some words"])
    names = list(model.state_dict())
    first = model.encoders["aerial"].tower.encoder.layers[0].self_attn.q_proj.weight.detach().clone()
    prepare_towers(model, config.fine_tuning)
    adapters = [each for name, each in model.named_parameters() if "lora_B" in name]
    for tower in towers_of(model).values():
        assert sum("lora_A" in name for name, _ in tower.named_parameters()) >= 6 * towers.DEPTH
    torch.manual_seed(1)
    for each in adapters:
        torch.nn.init.normal_(each, std=0.05)
    model.eval()
    inputs = model.prepare(batch(model))
    with torch.inference_mode():
        adapted = model(inputs)
    merge_adapters(model)
    assert sorted(model.state_dict()) == sorted(names)
    assert not torch.equal(model.encoders["aerial"].tower.encoder.layers[0].self_attn.q_proj.weight, first)
    with torch.inference_mode():
        for name, vectors in model(inputs).items():
            torch.testing.assert_close(vectors, adapted[name], atol=2e-5, rtol=1e-3)
    UniGeoCLIP(config.model).load_state_dict(model.state_dict())


def test_adapters_without_the_package_say_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "peft", None)
    config = towers.tuned(towers.tiny("base"), mode="lora")
    with pytest.raises(MissingPackageError, match=re.escape("unigeoclip[lora]")):
        prepare_towers(UniGeoCLIP(config.model), config.fine_tuning)


def test_towers_are_filled_from_folders(siglip):
    model = UniGeoCLIP(towers.tiny("base").model)
    fill_towers(model, {"aerial": str(siglip), "text": str(siglip)}, list)
    published = towers.write_siglip(siglip)
    assert torch.equal(
        model.encoders["aerial"].tower.embeddings.patch_embedding.weight,
        published.vision_model.embeddings.patch_embedding.weight,
    )
    assert model.encoders["text"].tokenizer.token_to_id("river") is not None


def test_towers_without_weights_are_never_filled_silently(siglip, tmp_path):
    config, said = towers.tiny("base").model, []
    with pytest.raises(InputError, match=r"No weights are named for the tower of text\. Give --towers SOURCE"):
        check_towers(config, {"aerial": "random"}, said.append)
    with pytest.raises(InputError, match="names 'surface', which has no pretrained tower"):
        check_towers(config, {"aerial": "random", "text": "random", "surface": "random"}, said.append)
    with pytest.raises(CheckpointError, match="neither a folder nor an id"):
        check_towers(config, {"aerial": "no such folder", "text": "random"}, said.append)
    (siglip / "tokenizer.json").unlink()
    with pytest.raises(CheckpointError, match=r"lacks tokenizer\.json"):
        check_towers(config, {"aerial": str(siglip), "text": str(siglip)}, said.append)
    with pytest.raises(CheckpointError, match="hidden_size 32; the configuration has 768"):
        check_towers(CONFIGS["base"].model, dict.fromkeys(("aerial", "text"), str(siglip)), said.append)
    assert said == []
    check_towers(config, {"aerial": str(siglip), "text": "random"}, said.append)
    assert len(said) == 1
    assert said[0].startswith("The tower of text starts at random")


class _Hub:
    """A hub that has one repository of two files, which lie in a folder."""

    def __init__(self, folder):
        self.folder, self.asked = folder, []

    def model_info(self, repository, revision=None, files_metadata=False):
        if repository != "made/up":
            raise OSError("404 Not Found")
        files = [
            huggingface_hub.hf_api.RepoSibling(path.name, size=path.stat().st_size) for path in self.folder.iterdir()
        ]
        return type("About", (), {"siblings": files, "sha": "abc"})

    def download(self, repository, name, revision=None):
        self.asked.append(name)
        return str(self.folder / name)


def test_what_the_hub_has_is_fetched_after_its_size_was_said(siglip, monkeypatch, tmp_path):
    hub, said = _Hub(siglip), []
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_: None)
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: hub)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", hub.download)
    check_towers(towers.tiny("base").model, {"aerial": "made/up", "text": "random"}, said.append)
    assert re.fullmatch(r"made/up: \d+ MB from the hub, revision abc", said[0])
    assert sorted(hub.asked) == ["config.json", "model.safetensors"]
    check_towers(towers.tiny("base").model, {"aerial": "random", "text": "made/up"}, said.append)
    assert "tokenizer.json" in hub.asked
    with pytest.raises(
        DownloadError, match="other/one cannot be fetched from the hub .*or give a folder.*--towers random"
    ):
        check_towers(towers.tiny("base").model, {"aerial": "other/one", "text": "random"}, said.append)


def test_what_was_fetched_before_needs_no_network(siglip, monkeypatch):
    def refused():
        raise AssertionError("asked the hub")

    monkeypatch.setattr(huggingface_hub, "HfApi", refused)
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda _, name: str(siglip / name))
    check_towers(towers.tiny("base").model, dict.fromkeys(("aerial", "text"), "made/up"), lambda _: None)
