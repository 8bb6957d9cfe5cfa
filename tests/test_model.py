"""The model: any subset of modalities in, unit vectors out; weights to disk and back bit by bit."""

import json

import numpy as np
import pytest
import torch

from unigeoclip.checkpoint import checkpoint_id, encoder_id
from unigeoclip.errors import CheckpointError, InputError
from unigeoclip.modalities.text import TextBatch
from unigeoclip.model import ModelConfig, UniGeoCLIP, load_model, save_model
from unigeoclip.sentences import SENTENCE_DIM

SMALL = {
    "location": {"width": 32, "depth": 1, "scales": [1.0, 8.0]},
    "aerial": {"px": 16, "patch": 4, "widths": [8, 16], "blocks": [0, 1], "hidden": 16},
    "surface": {"px": 16, "patch": 4, "widths": [8, 16], "blocks": [0, 1], "hidden": 16},
    "text": {"hidden": 16},
}


def build(**changes):
    torch.manual_seed(0)
    return UniGeoCLIP(ModelConfig(dim=24, encoders=SMALL | changes)).eval()


def inputs(count=5):
    rng = np.random.default_rng(0)
    lengths = torch.arange(1, count + 1)
    surface = rng.normal(500, 300, (count, 1, 16, 16)).astype(np.float32)
    surface[1, 0, :4] = np.nan
    return {
        "location": rng.uniform(-80, 80, (count, 2)),
        "aerial": rng.integers(0, 256, (count, 3, 16, 16), dtype=np.uint8),
        "surface": surface,
        "text": TextBatch(
            torch.from_numpy(rng.normal(size=(int(lengths.sum()), SENTENCE_DIM)).astype(np.float32)), lengths
        ),
    }


def rows(raw, index):
    starts = torch.cumsum(raw["text"].lengths, 0) - raw["text"].lengths
    keep = torch.cat([torch.arange(s, s + n) for s, n in zip(starts[index], raw["text"].lengths[index], strict=True)])
    text = TextBatch(raw["text"].vectors[keep], raw["text"].lengths[index])
    return {name: value[index] for name, value in raw.items() if name != "text"} | {"text": text}


def test_unit_vectors_of_every_modality():
    out = build().encode(inputs())
    assert list(out) == ["location", "aerial", "surface", "text"]
    for vectors in out.values():
        assert vectors.shape == (5, 24)
        assert vectors.dtype == torch.float32
        torch.testing.assert_close(vectors.norm(dim=1), torch.ones(5), atol=1e-4, rtol=0)


def test_any_subset_gives_the_same_vectors():
    model, raw = build(), inputs()
    everything = model.encode(raw)
    for name in raw:
        torch.testing.assert_close(model.encode({name: raw[name]})[name], everything[name])


def test_a_place_does_not_depend_on_its_batch():
    model, raw = build(), inputs()
    together = model.encode(raw)
    for i in range(5):
        alone = model.encode(rows(raw, [i]))
        for name, vector in alone.items():
            torch.testing.assert_close(vector[0], together[name][i], atol=1e-5, rtol=1e-5)


def test_order_goes_through():
    model, raw, order = build(), inputs(), [4, 2, 0, 3, 1]
    together, shuffled = model.encode(inputs()), model.encode(rows(raw, order))
    for name, vectors in shuffled.items():
        torch.testing.assert_close(vectors, together[name][order], atol=1e-5, rtol=1e-5)


def test_order_of_sentences_does_not_matter():
    model, vectors = build(), torch.randn(4, SENTENCE_DIM)
    one = model.encode({"text": TextBatch(vectors, torch.tensor([4]))})["text"]
    other = model.encode({"text": TextBatch(vectors[[2, 0, 3, 1]], torch.tensor([4]))})["text"]
    torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-5)


def test_heights_without_data_are_not_heights_of_zero():
    model, raw = build(), inputs()["surface"]
    zeros = np.nan_to_num(raw, nan=0.0)
    first, second = model.encode({"surface": raw})["surface"], model.encode({"surface": zeros})["surface"]
    assert (first[1] - second[1]).abs().max() > 1e-3
    assert torch.isfinite(model.encode({"surface": np.full_like(raw, np.nan)})["surface"]).all()


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"street": None}, "no encoder for 'street'"),
        ({"aerial": np.zeros((1, 3, 8, 8), np.uint8)}, r"shape \(n, 3, 16, 16\)"),
        ({"aerial": np.zeros((1, 3, 16, 16), np.float32)}, "uint8"),
        ({"surface": np.full((1, 1, 16, 16), np.inf, np.float32)}, "finite"),
        ({"location": [[95, 0]]}, "latitude"),
        ({"text": [["ok"], []]}, "Text 1"),
        ({"text": ["a string"]}, "Text 0"),
    ],
)
def test_inputs_that_break_the_contract(raw, words):
    with pytest.raises(InputError, match=words):
        build().encode(raw)


def test_unknown_modality_or_option():
    with pytest.raises(InputError, match="Unknown modality 'radar'"):
        UniGeoCLIP(ModelConfig(encoders={"radar": {}}))
    with pytest.raises(InputError, match="encoders.aerial: unknown key 'size'"):
        build(aerial={"size": 3})


def test_save_and_load_bit_by_bit(tmp_path):
    model, raw = build(), inputs()
    save_model(model, tmp_path)
    again = load_model(tmp_path)
    assert again.config == model.config
    for name, vectors in again.encode(raw).items():
        assert torch.equal(vectors, model.encode(raw)[name])


def test_compact_files_round_once_and_spare_the_frequencies(tmp_path):
    model, raw = build(), inputs()
    save_model(model, tmp_path / "whole")
    save_model(model, tmp_path / "a", compact=True)
    once = load_model(tmp_path / "a")
    assert (tmp_path / "a/model.safetensors").stat().st_size < 0.5 * (
        tmp_path / "whole/model.safetensors"
    ).stat().st_size
    assert torch.equal(once.encoders["location"].frequencies, model.encoders["location"].frequencies)
    save_model(once, tmp_path / "b", compact=True)
    twice = load_model(tmp_path / "b")
    for name, vectors in once.encode(raw).items():
        torch.testing.assert_close(vectors, model.encode(raw)[name], atol=0.03, rtol=0)
        torch.testing.assert_close(twice.encode(raw)[name], vectors, atol=1e-6, rtol=0)


def test_a_row_of_zeros_survives_compaction(tmp_path):
    model = build()
    with torch.no_grad():
        model.encoders["location"].head.weight[3] = 0
    save_model(model, tmp_path, compact=True)
    assert (load_model(tmp_path).encoders["location"].head.weight[3] == 0).all()


def test_folder_that_cannot_be_loaded(tmp_path):
    with pytest.raises(CheckpointError, match=r"config.json is missing"):
        load_model(tmp_path)
    save_model(build(), tmp_path)
    weights = tmp_path / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(CheckpointError, match="damaged"):
        load_model(tmp_path)
    weights.write_bytes(whole)
    config = json.loads((tmp_path / "config.json").read_text())
    config["dim"] = 32
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="does not fit config.json"):
        load_model(tmp_path)


def test_checkpoint_id_follows_the_content(tmp_path):
    save_model(build(), tmp_path)
    first = checkpoint_id(tmp_path)
    assert checkpoint_id(tmp_path) == first
    save_model(build(), tmp_path, compact=True)
    assert checkpoint_id(tmp_path) != first


def test_a_temperature_for_each_pair_is_kept(tmp_path):
    torch.manual_seed(0)
    model = UniGeoCLIP(ModelConfig(dim=24, encoders=SMALL, temperature_per_pair=True)).eval()
    assert model.log_scale.shape == (6,)
    with torch.no_grad():
        model.log_scale += torch.arange(6) / 10
    assert model.pair_log_scale("text", "aerial") is not model.pair_log_scale("text", "location")
    assert torch.equal(model.pair_log_scale("text", "aerial"), model.pair_log_scale("aerial", "text"))
    values = {model.pair_log_scale(a, b).item() for a in SMALL for b in SMALL if a != b}
    assert len(values) == 6
    save_model(model, tmp_path / "model", compact=True)
    torch.testing.assert_close(load_model(tmp_path / "model").log_scale, model.log_scale, atol=1e-3, rtol=0)


def test_the_identity_of_an_encoder_is_its_own(tmp_path):
    model = build()
    save_model(model, tmp_path / "first")
    with torch.no_grad():
        for weight in model.encoders["aerial"].parameters():
            weight.add_(1.0)
    save_model(model, tmp_path / "second")
    first, second = tmp_path / "first", tmp_path / "second"
    assert checkpoint_id(first) != checkpoint_id(second)
    assert encoder_id(first, ["location"]) == encoder_id(second, ["location"])
    assert encoder_id(first, ["aerial"]) != encoder_id(second, ["aerial"])
    assert encoder_id(first, ["aerial", "location"]) == encoder_id(first, ["location", "aerial"])
    with pytest.raises(CheckpointError, match="no encoder of smell"):
        encoder_id(first, ["smell"])
