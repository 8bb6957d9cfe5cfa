"""A whole small training: it learns, resumes exactly, and refuses to mix runs."""

import csv
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tests.atlas.tiny import write_tiny_atlas
from tests.explorable import CONFIG, HashedSentences, use_hashed_sentences
from unigeoclip.atlas import load_atlas
from unigeoclip.atlas.sentence_vectors import cache_sentence_vectors
from unigeoclip.checkpoint import checkpoint_id
from unigeoclip.errors import CheckpointError, InputError
from unigeoclip.modalities import text
from unigeoclip.model import load_model, save_model
from unigeoclip.training import TrainConfig, loop, train
from unigeoclip.training.loop import Trainer, learning_rate
from unigeoclip.training.sampling.draws import DrawConfig
from unigeoclip.training.stages import location_stage, progress, text_stage

TINY = TrainConfig(model=CONFIG, steps=8, batch=16, evaluate_every=4, checkpoint_every=4)
EVERYTHING = replace(
    TINY,
    model=replace(CONFIG, temperature_per_pair=True),
    location_steps=2,
    text_steps=2,
    draws=DrawConfig(turned=0.25, unlocated=0.1, near=0.25),
    weights={"text": 0.5},
    averaged=0.9,
    bf16=True,
)


@pytest.fixture
def atlas(tmp_path, monkeypatch):
    use_hashed_sentences(monkeypatch)
    monkeypatch.setattr(loop, "sentence_encoder", text.sentence_encoder)
    write_tiny_atlas(tmp_path / "tiny")
    return load_atlas(tmp_path / "tiny")


def test_the_loss_falls_and_the_result_is_complete(atlas, tmp_path):
    metrics = train(atlas, replace(TINY, steps=60, evaluate_every=30, learning_rate=3e-3), tmp_path / "run")
    with (tmp_path / "run/history.csv").open() as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    assert losses[-1] < 0.8 * losses[0]
    assert metrics == json.loads((tmp_path / "run/model/metrics.json").read_text())
    assert metrics["data"] == atlas.data_hash
    assert metrics["retrieval"]["location->aerial"]["n"] == (atlas.places["random"] == "held_out").sum()
    assert set(metrics["unlike"]) == {"aerial", "surface"}
    assert load_model(tmp_path / "run/model").config == replace(CONFIG, window_m=atlas.window_m)
    assert list((tmp_path / "run/tensorboard").iterdir())


@pytest.mark.parametrize("config", [TINY, EVERYTHING], ids=["plain", "everything"])
def test_resuming_equals_an_unbroken_training(atlas, tmp_path, monkeypatch, config):
    monkeypatch.setattr(location_stage, "POOL", 64)
    monkeypatch.setattr(location_stage, "BATCH", 32)
    monkeypatch.setattr(text_stage, "BATCH", 32)
    train(atlas, config, tmp_path / "whole")
    whole_update = Trainer.update

    def killed(self, inputs):
        if self.step == 6:
            raise KeyboardInterrupt
        return whole_update(self, inputs)

    monkeypatch.setattr(Trainer, "update", killed)
    with pytest.raises(KeyboardInterrupt):
        train(atlas, config, tmp_path / "broken")
    monkeypatch.setattr(Trainer, "update", whole_update)
    train(atlas, config, tmp_path / "broken", resume=True)
    one, other = load_model(tmp_path / "whole/model"), load_model(tmp_path / "broken/model")
    for (name, a), (_, b) in zip(one.state_dict().items(), other.state_dict().items(), strict=True):
        assert torch.equal(a, b), name


def test_a_stage_that_was_killed_goes_on(atlas, tmp_path, monkeypatch):
    """Of the second stage, after the first: neither is learned again, and no file of them stays."""
    monkeypatch.setattr(location_stage, "POOL", 64)
    monkeypatch.setattr(location_stage, "BATCH", 32)
    monkeypatch.setattr(text_stage, "BATCH", 32)
    monkeypatch.setattr(progress, "EVERY", 2)
    config = replace(EVERYTHING, location_steps=2, text_steps=6)
    train(atlas, config, tmp_path / "whole")
    noisy, calls = text_stage._noisy, []

    def killed(*arguments):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return noisy(*arguments)

    monkeypatch.setattr(text_stage, "_noisy", killed)
    with pytest.raises(KeyboardInterrupt):
        train(atlas, config, tmp_path / "broken")
    assert {path.name for path in (tmp_path / "broken").glob("checkpoint-*")} == {
        "checkpoint-location.pt", "checkpoint-text.pt",
    }  # fmt: skip
    train(atlas, config, tmp_path / "broken", resume=True)
    assert len(calls) == 4 + 4, "two of six steps had been kept"
    one, other = load_model(tmp_path / "whole/model"), load_model(tmp_path / "broken/model")
    for (name, a), (_, b) in zip(one.state_dict().items(), other.state_dict().items(), strict=True):
        assert torch.equal(a, b), name
    assert not list((tmp_path / "broken").glob("checkpoint-*"))


def test_a_run_is_not_overwritten_nor_mixed(atlas, tmp_path):
    with pytest.raises(CheckpointError, match="no checkpoint"):
        train(atlas, TINY, tmp_path / "run", resume=True)
    train(atlas, TINY, tmp_path / "run")
    with pytest.raises(InputError, match="holds a training already"):
        train(atlas, TINY, tmp_path / "run")
    with pytest.raises(InputError, match="another training"):
        train(atlas, TINY, tmp_path / "run", seed=1, resume=True)
    with pytest.raises(InputError, match="configuration 'huge'"):
        train(atlas, "huge", tmp_path / "other")
    with pytest.raises(InputError, match="no split 'views'"):
        train(atlas, TINY, tmp_path / "other", split="views")


def kill_at(monkeypatch, step):
    whole_update = Trainer.update

    def killed(self, inputs):
        if self.step == step:
            raise KeyboardInterrupt
        return whole_update(self, inputs)

    monkeypatch.setattr(Trainer, "update", killed)
    return lambda: monkeypatch.setattr(Trainer, "update", whole_update)


@pytest.mark.parametrize("resume", [True, False])
def test_a_training_killed_before_its_first_checkpoint_starts_from_the_beginning(
    atlas, tmp_path, monkeypatch, capsys, resume
):
    train(atlas, TINY, tmp_path / "whole")
    mend = kill_at(monkeypatch, 2)
    with pytest.raises(KeyboardInterrupt):
        train(atlas, TINY, tmp_path / "run")
    mend()
    assert not (tmp_path / "run/checkpoint.pt").exists()
    (tmp_path / "run/history.csv").write_text("step,seconds\n1,2\n")
    with pytest.raises(InputError, match="another training"):
        train(atlas, TINY, tmp_path / "run", seed=1, resume=resume)
    train(atlas, TINY, tmp_path / "run", resume=resume)
    assert "starts from the beginning" in capsys.readouterr().err
    one, other = load_model(tmp_path / "whole/model"), load_model(tmp_path / "run/model")
    for (name, a), (_, b) in zip(one.state_dict().items(), other.state_dict().items(), strict=True):
        assert torch.equal(a, b), name
    with (tmp_path / "run/history.csv").open() as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["8"]


@pytest.mark.parametrize("damage", ["cut", "empty", "flip", "directory", "text", "other"])
def test_a_damaged_checkpoint_is_told_with_the_remedy(atlas, tmp_path, damage):
    train(atlas, TINY, tmp_path / "run")
    path = tmp_path / "run/checkpoint.pt"
    good = path.read_bytes()
    path.unlink()
    if damage == "directory":
        path.mkdir()
    elif damage == "other":
        torch.save({"model": {}, "optimiser": {}, "step": 1, "seconds": 2.0}, path)
    else:
        middle = len(good) // 2
        flipped = good[:middle] + bytes([good[middle] ^ 1]) + good[middle + 1 :]
        path.write_bytes({"cut": good[:middle], "empty": b"", "flip": flipped, "text": b"hello"}[damage])
    with pytest.raises(CheckpointError, match=r"checkpoint\.pt is damaged .*remove it and run the same command"):
        train(atlas, TINY, tmp_path / "run", resume=True)


@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: data[::-1]])
def test_damaged_sentence_vectors_are_embedded_again(atlas, tmp_path, damage):
    good = np.array(loop.all_sentence_vectors(atlas, tmp_path))
    (path,) = tmp_path.glob("sentences-*.npy")
    path.write_bytes(damage(path.read_bytes()))
    np.testing.assert_array_equal(loop.all_sentence_vectors(atlas, tmp_path), good)


def test_the_average_of_the_weights_is_what_is_kept(atlas, tmp_path, monkeypatch):
    seen = []
    plain_update = Trainer.update

    def update(self, inputs):
        loss = plain_update(self, inputs)
        seen.append(self.model.encoders["location"].head.weight.detach().clone())
        return loss

    monkeypatch.setattr(Trainer, "update", update)
    monkeypatch.setattr(loop, "save_model", lambda model, folder, compact: save_model(model, folder))  # not rounded
    train(atlas, replace(TINY, steps=4, averaged=0.75), tmp_path / "run")
    wanted = seen[0]
    for weight in seen[1:]:
        wanted = 0.75 * wanted + 0.25 * weight
    kept = load_model(tmp_path / "run/model").encoders["location"].head.weight
    torch.testing.assert_close(kept, wanted)


def test_learning_rate_warms_up_and_falls():
    config = TrainConfig(steps=1000, learning_rate=1.0, warmup=0.1)
    rates = np.array([learning_rate(config, step) for step in range(1000)])
    assert rates[0] == pytest.approx(0.01)
    assert rates.argmax() in (99, 100)
    assert (np.diff(rates[100:]) < 0).all()
    assert rates[-1] == pytest.approx(0.01, abs=1e-3)


def test_a_restart_is_a_second_shorter_cosine():
    config = replace(TINY, steps=100, restart_steps=50, learning_rate=1e-3, restart_rate=4e-4)
    rates = [learning_rate(config, step) for step in range(config.all_steps)]
    assert config.all_steps == 150
    assert rates[99] < 1e-4
    assert rates[100] == pytest.approx(4e-4)
    assert rates[149] < 2e-5
    assert all(rates[step] > rates[step + 1] for step in range(100, 149))
    assert config.shortened(20).all_steps == 20


def test_sentences_that_the_build_embedded_are_not_embedded_again(atlas, tmp_path, monkeypatch):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path / "cache"))
    asked = []

    class Counting(HashedSentences):
        def embed(self, sentences, batch=128, progress=None):
            asked.extend(sentences)
            return super().embed(sentences, batch, progress)

    monkeypatch.setattr(loop, "sentence_encoder", Counting)
    texts = atlas.sentences["text"].tolist()
    gallery = len(atlas.sentence_vectors())
    assert 0 < gallery < len(texts), "the tiny atlas has sentences of both kinds"
    (tmp_path / "a").mkdir()
    without = loop.all_sentence_vectors(atlas, tmp_path / "a")
    assert asked == texts
    asked.clear()
    cache_sentence_vectors(texts[:gallery], HashedSentences().embed(texts[:gallery]))
    (tmp_path / "b").mkdir()
    np.testing.assert_array_equal(loop.all_sentence_vectors(atlas, tmp_path / "b"), without)
    assert asked == texts[gallery:]
    asked.clear()
    assert len(loop.all_sentence_vectors(atlas, tmp_path / "b")) == len(texts)
    assert asked == []


def test_a_record_names_what_computed_not_what_is_idle(monkeypatch):
    """A GPU in the machine is named only where the tensors of the model are on it."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda *_: "Idle GPU")
    named = loop.machine(torch.nn.Linear(2, 2))
    assert "Idle GPU" not in named
    assert named == loop.machine()
    assert f"{torch.get_num_threads()} threads, PyTorch {torch.__version__}" in named
    on_gpu = SimpleNamespace(parameters=lambda: iter([SimpleNamespace(device=torch.device("cuda:0"))]))
    assert loop.machine(on_gpu).startswith("Idle GPU, PyTorch")


def test_held_out_items_that_are_too_few_have_no_score_while_training(atlas, tmp_path):
    trainer = Trainer(atlas, loop.Run("tiny", atlas.data_hash, "random", 0, TINY), tmp_path)
    assert trainer.quick_scores() == {}
    assert trainer.model.training


def test_a_finished_training_is_extended_by_a_warm_restart(atlas, tmp_path):
    train(atlas, TINY, tmp_path / "run")
    longer = replace(TINY, steps=14)
    train(atlas, longer, tmp_path / "run", resume=True)
    record = json.loads((tmp_path / "run/model/metrics.json").read_text())["training"]
    assert (record["steps"], record["restart_steps"]) == (8, 6)
    planned = replace(TINY, steps=8, restart_steps=6)
    train(atlas, planned, tmp_path / "planned")
    one, other = load_model(tmp_path / "run/model"), load_model(tmp_path / "planned/model")
    for (name, a), (_, b) in zip(one.state_dict().items(), other.state_dict().items(), strict=True):
        assert torch.equal(a, b), name
    train(atlas, longer, tmp_path / "run", resume=True)  # nothing is left to do
    with pytest.raises(InputError, match="another training"):
        train(atlas, replace(TINY, steps=10), tmp_path / "run", resume=True)
    with pytest.raises(InputError, match="another training"):
        train(atlas, replace(longer, batch=8), tmp_path / "run", resume=True)


def test_a_training_starts_from_another_model(atlas, tmp_path, capsys):
    train(atlas, TINY, tmp_path / "first")
    first = load_model(tmp_path / "first/model")
    still = replace(TINY, steps=1, learning_rate=1e-12)
    metrics = train(atlas, still, tmp_path / "second", start=tmp_path / "first/model", seed=5)
    assert metrics["start"] == checkpoint_id(tmp_path / "first/model")
    assert metrics["training_before"]["steps"] == TINY.steps
    second = load_model(tmp_path / "second/model")
    for (name, a), (_, b) in zip(first.state_dict().items(), second.state_dict().items(), strict=True):
        torch.testing.assert_close(a, b, rtol=0.1, atol=2e-3, msg=name)  # stored compactly, each rounded by itself
    again = train(atlas, still, tmp_path / "second", resume=True, seed=5)  # the checkpoint holds what it started from
    assert again["training_before"] == metrics["training_before"]
    third = train(atlas, still, tmp_path / "third", start=tmp_path / "second/model")
    assert third["training_before"] == metrics["training"] | {"before": metrics["training_before"]}
    assert "random weights" not in capsys.readouterr().err


def test_encoders_of_another_shape_start_from_random_weights(atlas, tmp_path, capsys):
    train(atlas, TINY, tmp_path / "first")
    wider = CONFIG.encoders | {"aerial": CONFIG.encoders["aerial"] | {"hidden": 40}}
    config = replace(TINY, model=replace(CONFIG, encoders=wider), steps=1)
    train(atlas, config, tmp_path / "second", start=tmp_path / "first/model")
    assert "aerial: not in" in capsys.readouterr().err
    with pytest.raises(InputError, match="No encoder"):
        train(atlas, replace(TINY, model=replace(CONFIG, dim=24)), tmp_path / "third", start=tmp_path / "first/model")
    with pytest.raises(CheckpointError, match="no model folder"):
        train(atlas, TINY, tmp_path / "third", start=tmp_path / "nothing")
