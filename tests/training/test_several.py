"""Several atlases in one training: a step is of one of them, drawn by weights; the model serves each of them."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.atlas.tiny import write_flat_atlas, write_tiny_atlas
from tests.explorable import CONFIG, use_hashed_sentences
from tests.training.test_loop import EVERYTHING, TINY, kill_at
from unigeoclip.atlas import load_atlas
from unigeoclip.atlas.models import load_fitting
from unigeoclip.cli.main import main
from unigeoclip.config import read_json, to_dict
from unigeoclip.errors import CheckpointError, InputError
from unigeoclip.evaluation.report import evaluate, training_record
from unigeoclip.modalities import text
from unigeoclip.model import load_model
from unigeoclip.search.explorer import Explorer, QueryItem
from unigeoclip.similarity.calibration import calibration
from unigeoclip.training import loop, train
from unigeoclip.training.commands import train_command
from unigeoclip.training.configs import CONFIGS
from unigeoclip.training.runs import planned_config
from unigeoclip.training.sampling.mixture import Mixture
from unigeoclip.training.stages import location_stage, text_stage


@pytest.fixture
def atlases(tmp_path, monkeypatch):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path / "cache"))
    use_hashed_sentences(monkeypatch)
    monkeypatch.setattr(loop, "sentence_encoder", text.sentence_encoder)
    monkeypatch.setattr(location_stage, "POOL", 64)
    monkeypatch.setattr(location_stage, "BATCH", 16)
    monkeypatch.setattr(text_stage, "BATCH", 32)
    return [load_atlas(write_tiny_atlas(tmp_path / "tiny")), load_atlas(write_flat_atlas(tmp_path / "flat"))]


def same_weights(one, other):
    states = load_model(one / "model").state_dict(), load_model(other / "model").state_dict()
    return all(torch.equal(states[1][name], value) for name, value in states[0].items())


class Drawn:
    """Stands in for a sampler, of which only the share matters."""


def test_the_atlas_of_a_step_follows_from_seed_and_step_by_the_weights():
    samplers = [Drawn(), Drawn()]
    mixture = Mixture(samplers, [1, 3], seed=5)
    assert [sampler.share for sampler in samplers] == [0.25, 0.75]
    first = [samplers.index(mixture.at(step)) for step in range(2000)]
    again = [samplers.index(Mixture(samplers, [1, 3], seed=5).at(step)) for step in reversed(range(2000))]
    assert first == again[::-1]
    assert np.mean(first) == pytest.approx(0.75, abs=0.03)
    assert first != [samplers.index(Mixture(samplers, [1, 3], seed=6).at(step)) for step in range(2000)]


def test_one_atlas_alone_is_trained_on_as_ever(atlases, tmp_path):
    train(atlases[0], TINY, tmp_path / "plain", brief=True)
    train(atlases[:1], TINY, tmp_path / "named", weights=[7.0], brief=True)
    assert same_weights(tmp_path / "plain", tmp_path / "named")
    assert read_json(tmp_path / "named/run.json") == read_json(tmp_path / "plain/run.json")
    assert not (tmp_path / "named/model/atlases").exists()


@pytest.mark.slow
def test_a_training_of_several_resumes_exactly_and_says_what_it_was_of(atlases, tmp_path, monkeypatch):
    config = replace(EVERYTHING, location_steps=6, text_steps=6)
    train(atlases, config, tmp_path / "whole", weights=[1, 2], brief=True)
    mend = kill_at(monkeypatch, 6)
    with pytest.raises(KeyboardInterrupt):
        train(atlases, config, tmp_path / "broken", weights=[1, 2], brief=True)
    mend()
    train(atlases, config, tmp_path / "broken", weights=[1, 2], brief=True, resume=True)
    assert same_weights(tmp_path / "whole", tmp_path / "broken")
    recorded = read_json(tmp_path / "whole/run.json")["atlases"]
    assert recorded == [
        {"atlas": atlas.name, "data": atlas.data_hash, "split": "random", "weight": weight}
        for atlas, weight in zip(atlases, [1.0, 2.0], strict=True)
    ]
    for other in ([1, 1], None):
        with pytest.raises(InputError, match="another training"):
            train(atlases, config, tmp_path / "whole", weights=other, brief=True, resume=True)
    with pytest.raises(InputError, match="another training"):
        train(atlases[0], config, tmp_path / "whole", brief=True, resume=True)


def test_an_encoder_learns_from_the_atlases_that_have_its_modality(atlases, tmp_path, monkeypatch):
    batches, update = {}, loop.Trainer.update

    def watched(self, inputs):
        surface = torch.cat([p.detach().ravel().clone() for p in self.model.encoders["surface"].parameters()])
        loss = update(self, inputs)
        after = torch.cat([p.detach().ravel() for p in self.model.encoders["surface"].parameters()])
        batches[self.step] = (self.sampler.at(self.step).atlas.name, set(inputs), torch.equal(surface, after))
        return loss

    monkeypatch.setattr(loop.Trainer, "update", watched)
    train(atlases, replace(TINY, steps=12), tmp_path / "run", brief=True)
    assert {name for name, *_ in batches.values()} == {"tiny", "flat"}
    for name, inputs, still in batches.values():
        assert ("surface" in inputs) == (name == "tiny") == (not still)


@pytest.mark.slow
def test_both_losses_fall_and_each_atlas_is_measured_and_explored(atlases, tmp_path, monkeypatch):
    monkeypatch.setattr("unigeoclip.training.journal.LOG_EVERY", 1)
    config = replace(TINY, steps=80, evaluate_every=40, learning_rate=3e-3)
    metrics = train(atlases, config, tmp_path / "run")
    with (tmp_path / "run/history.csv").open() as file:
        rows = list(csv.DictReader(file))
    for name in ("tiny", "flat"):
        losses = [float(row["loss"]) for row in rows if row["atlas"] == name]
        assert np.mean(losses[-5:]) < 0.9 * np.mean(losses[:5]), name
    assert {"tiny location->aerial", "flat location->aerial"} <= rows[0].keys()
    folder = tmp_path / "run/model"
    assert json.loads((folder / "metrics.json").read_text()) == metrics
    assert (
        training_record(folder, atlases[0])["retrieval"].keys()
        > training_record(folder, atlases[1])["retrieval"].keys()
    )
    for atlas in atlases:
        assert training_record(folder, atlas)["data"] == atlas.data_hash
        assert calibration(atlas.with_model(folder)).data == atlas.data_hash
        explorer = Explorer.open(atlas, model=folder)
        query = explorer.query([QueryItem("text", "hot desert")])
        assert set(explorer.search(query, k=1)) == set(atlas.manifest.modalities)
        assert list(evaluate(atlas, folder)["splits"]) == ["random"]
    third = load_atlas(write_tiny_atlas(tmp_path / "third", "third"))
    with pytest.raises(CheckpointError, match="trained on the atlases 'tiny', 'flat', not on 'third'"):
        load_fitting(third.with_model(folder))


def test_several_that_do_not_go_together_are_refused(atlases, tmp_path):
    centered = {"location": CONFIG.encoders["location"] | {"centre": [0.1, 0.1]}}
    fine = {"location": CONFIG.encoders["location"] | {"scales": [1e3, 64e3]}}
    bare = replace(TINY.with_only(["surface", "text"]), pivot="surface")
    wrong = [
        (lambda: train([atlases[0]] * 2, TINY, tmp_path / "run"), "'tiny' is given twice"),
        (lambda: train(atlases, TINY, tmp_path / "run", weights=[1]), r"1 weight for 2 atlases \(tiny, flat\)"),
        (lambda: train(atlases, TINY, tmp_path / "run", weights=[1, 0]), "a number above 0, not 0"),
        (lambda: train(atlases, TINY, tmp_path / "run", weights=[1, -2]), "a number above 0, not -2"),
        (lambda: train(atlases, TINY, tmp_path / "run", weights=[1, float("nan")]), "a number above 0, not nan"),
        (lambda: train(atlases, with_encoders(centered), tmp_path / "run"), "centered on one atlas.*--config joint"),
        (lambda: train(atlases, with_encoders(fine), tmp_path / "run"), "tells places .* but the atlas 'tiny'"),
        (lambda: train(atlases, bare, tmp_path / "run"), "atlas flat has text of the modalities"),
        (lambda: train(atlases, TINY, tmp_path / "run", modalities=["street", "text"]), "no modality 'street'"),
        (lambda: train(atlases, "joint", tmp_path / "run", modalities=["street", "text"]), "No atlas has 'street'"),
        (lambda: train(atlases, TINY, tmp_path / "run", split="views"), "no split 'views'"),
    ]
    for attempt, message in wrong:
        with pytest.raises(InputError, match=message):
            attempt()
    assert not (tmp_path / "run").exists()


def with_encoders(changed):
    return replace(TINY, model=replace(CONFIG, encoders=CONFIG.encoders | changed))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--atlas", "tiny,"], "separated by commas, such as boston,world"),
        (["--atlas", "tiny,nowhere"], "no atlas 'nowhere'"),
        (["--atlas", "tiny,tiny"], "'tiny' is given twice"),
        (["--atlas", "tiny,flat", "--atlas-weights", "1,x"], "takes a number for each atlas"),
        (["--atlas", "tiny,flat", "--atlas-weights", "1,2,3"], "3 weights for 2 atlases"),
        (["--atlas", "tiny,flat", "--atlas-weights", "inf,1"], "a number above 0"),
        (["--atlas", "tiny,flat", "--baseline", "satclip-retrained"], "--baseline and --teacher take one atlas"),
        (["--atlas", "tiny", "--atlas-weights", "1", "--teacher", "geoclip"], "--atlas-weights belongs to"),
    ],
)
def test_the_command_line_tells_what_is_wrong(atlases, tmp_path, monkeypatch, capsys, options, message):
    monkeypatch.chdir(tmp_path)
    assert main(["train", *options, "--config", "joint"]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_the_recorded_training_of_several_has_its_command():
    both = [load_atlas("boston"), load_atlas("world")]
    planned = planned_config(both, "joint", 60)
    assert planned.model == CONFIGS["joint"].model, "all modalities, and no centre"
    parts = [{"atlas": atlas.name, "weight": weight} for atlas, weight in zip(both, (1.0, 2.5), strict=True)]
    record = {"training": to_dict(planned), "split": "views", "seed": 3, "atlases": parts}
    command = "python -m unigeoclip train --atlas boston,world --atlas-weights 1,2.5 --config joint --steps 60 --seed 3"
    assert train_command(both[0], record) == command
    assert train_command(both[1], record | {"split": "random"}) == command
    parts[1]["atlas"] = "gone"
    assert train_command(both[0], record) is None
    assert "street" not in planned_config(both[1:], "joint", None).model.encoders
    for name in ("wide", "city"):
        with pytest.raises(InputError, match="Several atlases need one location encoder for all of them"):
            planned_config(both, name, None)
