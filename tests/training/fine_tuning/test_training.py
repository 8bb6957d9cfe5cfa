"""The base configuration trains end to end on tiny towers; its result is a model like any other."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests import towers
from tests.atlas.tiny import write_tiny_atlas
from tests.explorable import use_hashed_sentences, write_explorable_city
from unigeoclip.atlas import load_atlas
from unigeoclip.cli.main import main
from unigeoclip.config import from_dict, read_json, to_dict, write_json
from unigeoclip.errors import CheckpointError, InputError
from unigeoclip.model import load_model
from unigeoclip.search.explorer import Explorer, QueryItem
from unigeoclip.training import TrainConfig, named_config, train
from unigeoclip.training.baselines import planned_baseline
from unigeoclip.training.configs import CONFIGS, opened_config
from unigeoclip.training.loop import Trainer


@pytest.fixture
def atlas(tmp_path, monkeypatch):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path / "cache"))
    use_hashed_sentences(monkeypatch)  # for the judge of texts alone: a text tower reads the words themselves
    write_tiny_atlas(tmp_path / "tiny")
    return load_atlas(tmp_path / "tiny")


@pytest.fixture
def siglip(tmp_path):
    towers.write_siglip(tmp_path / "siglip")
    return tmp_path / "siglip"


@pytest.mark.parametrize("mode", ["full", "lora", "frozen"])
def test_a_training_of_towers_resumes_exactly_and_writes_a_plain_model(atlas, tmp_path, monkeypatch, siglip, mode):
    config = towers.tuned(
        towers.tiny("base", averaged=0.5),
        mode=mode,
        weights=dict.fromkeys(("aerial", "text"), str(siglip)),
        lora_rank=2,
    )
    train(atlas, config, tmp_path / "whole", brief=True)
    whole_update = Trainer.update

    def killed(self, inputs):
        if self.step == 3:
            raise KeyboardInterrupt
        return whole_update(self, inputs)

    monkeypatch.setattr(Trainer, "update", killed)
    with pytest.raises(KeyboardInterrupt):
        train(atlas, config, tmp_path / "broken", brief=True)
    monkeypatch.setattr(Trainer, "update", whole_update)
    train(atlas, config, tmp_path / "broken", resume=True, brief=True)
    one, other = load_model(tmp_path / "whole/model"), load_model(tmp_path / "broken/model")
    published = towers.write_siglip(siglip).vision_model.state_dict()
    kept = one.encoders["aerial"].tower.state_dict()
    assert all(torch.equal(kept[name], value) for name, value in published.items()) == (mode == "frozen")
    assert not any("lora" in name for name in one.state_dict())
    for (name, a), (_, b) in zip(one.state_dict().items(), other.state_dict().items(), strict=True):
        assert torch.equal(a, b), name


@pytest.mark.slow
def test_a_city_is_trained_on_and_explored_with_towers(tmp_path, monkeypatch):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path / "cache"))
    use_hashed_sentences(monkeypatch)
    folder = write_explorable_city(tmp_path / "city", model=False)
    config = towers.tiny("base-city", micro_batch=5)
    config.model.encoders["street"]["kind"] = "dinov2"
    config.model.encoders["location"]["scales"] = [1.0, 256.0, 65536.0]  # the town is smaller than the paper's waves
    metrics = train(load_atlas(folder), config, tmp_path / "run", brief=True)
    assert metrics["training"]["fine_tuning"]["weights"] == dict.fromkeys(("aerial", "street", "text"), "random")
    explorer = Explorer.open(folder, model=tmp_path / "run/model")
    query = explorer.query([QueryItem("text", "a quiet street")])
    assert np.linalg.norm(query.vector) == pytest.approx(1, abs=1e-4)
    read = explorer.model.encode({"text": [["a quiet street"]]})["text"][0].numpy()
    np.testing.assert_allclose(query.vector, read, atol=1e-5)


def test_a_wrong_source_is_told_before_anything_is_written(atlas, tmp_path):
    config = towers.tiny("base")
    with pytest.raises(InputError, match="No weights are named for the tower of aerial"):
        train(atlas, towers.tuned(config, weights={}), tmp_path / "run")
    with pytest.raises(CheckpointError, match="neither a folder nor an id"):
        train(atlas, towers.tuned(config, weights={"aerial": "no where", "text": "random"}), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_towers_at_random_are_said_to_be(atlas, tmp_path, capsys):
    write_json(tmp_path / "tiny.json", towers.tuned(towers.tiny("base"), weights={}))
    options = ["--atlas", str(atlas.path), "--config", str(tmp_path / "tiny.json"), "--out", str(tmp_path / "run")]
    assert main(["train", *options, "--steps", "1"]) == 2
    assert "No weights are named for the tower of aerial. Give --towers" in capsys.readouterr().err
    assert main(["train", *options, "--steps", "1", "--towers", "random", "--json"]) == 0
    captured = capsys.readouterr()
    assert "The tower of aerial starts at random, without pretrained weights" in captured.err
    assert json.loads(captured.out)["training"]["fine_tuning"]["weights"] == {"aerial": "random", "text": "random"}


@pytest.mark.slow
def test_peft_is_not_needed_to_read_what_adapters_learned(atlas, tmp_path):
    train(atlas, towers.tuned(towers.tiny("base"), mode="lora", lora_rank=2), tmp_path / "run", brief=True)
    code = (
        "import sys; sys.modules['peft'] = None; from pathlib import Path; from unigeoclip.model import load_model;"
        f"print(load_model(Path({str(tmp_path / 'run/model')!r})).modalities)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "text" in found.stdout


def test_base_is_the_configuration_of_the_paper(atlas):
    config = named_config("base", city=True)
    assert config == CONFIGS["base-city"]
    location = config.model.encoders["location"]
    assert config.model.dim == location["width"] == 768
    assert location["scales"] == [1.0, 16.0, 256.0, 4096.0]
    assert (location["depth"], location["heads"], location["mlp_ratio"], location["registers"]) == (12, 12, 4.0, 4)
    assert set(config.fine_tuning.weights.values()) == {"google/siglip2-base-patch16-224"}
    assert from_dict(TrainConfig, json.loads(json.dumps(to_dict(config)))) == config
    _, pair = planned_baseline(atlas, "satclip-retrained", "base", None)
    assert pair.fine_tuning.weights.keys() == {"aerial"}
    assert config.with_only(["location", "street"]).fine_tuning.weights.keys() == {"street"}


def test_sources_of_towers_are_named_together_or_apart(tmp_path):
    config = opened_config("base", city=True, towers="folder")
    assert config.fine_tuning.weights == dict.fromkeys(("aerial", "street", "text"), "folder")
    config = opened_config("base", city=True, towers="aerial=random, street=a/b")
    assert (config.fine_tuning.weights["aerial"], config.fine_tuning.weights["street"]) == ("random", "a/b")
    assert config.fine_tuning.weights["text"] == "google/siglip2-base-patch16-224"
    for wrong in ("surface=x", "aerial=", "aerial=x,y"):
        with pytest.raises(InputError, match="--towers takes MODALITY=SOURCE with aerial, text"):
            opened_config("base", city=False, towers=wrong)
    with pytest.raises(InputError, match="belongs to configurations with pretrained towers"):
        opened_config("mini", city=False, towers="random")


def test_a_configuration_is_read_from_a_file(tmp_path):
    config = replace(CONFIGS["base"], steps=5)
    write_json(tmp_path / "own.json", config)
    assert opened_config(str(tmp_path / "own.json"), city=False) == config
    write_json(tmp_path / "own.json", read_json(tmp_path / "own.json") | {"stpes": 3})
    with pytest.raises(InputError, match=r"own\.json: unknown key 'stpes'"):
        opened_config(str(tmp_path / "own.json"), city=False)
    with pytest.raises(InputError, match=r"missing\.json"):
        opened_config(str(tmp_path / "missing.json"), city=False)


@pytest.mark.parametrize(
    ("changes", "message"),
    [({"mode": "half"}, "full, lora or frozen"), ({"rate": 0.0}, "above 0"), ({"layer_decay": 1.5}, "at most 1"),
     ({"lora_rank": 0}, "1 to 1024")],
)  # fmt: skip
def test_options_out_of_range_are_told(changes, message):
    with pytest.raises(InputError, match=message):
        towers.tuned(towers.tiny("base"), **changes)


def test_the_stage_of_sentence_vectors_is_refused_for_a_text_tower():
    with pytest.raises(InputError, match="text_steps belong to the head"):
        towers.tiny("base", text_steps=5)
