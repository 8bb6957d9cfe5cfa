"""The commands that the model card and docs/cli.md print lead to the very trainings that were recorded."""

import re
import shlex
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from pages.ui.atlas import commands
from tests.cli.parsed import parse
from unigeoclip.atlas import load_atlas
from unigeoclip.cli import main
from unigeoclip.config import read_json, to_dict
from unigeoclip.embedders.retrained import recorded_baselines
from unigeoclip.errors import InputError
from unigeoclip.training.baselines import planned_baseline
from unigeoclip.training.commands import recorded_config, train_command
from unigeoclip.training.configs import named_config
from unigeoclip.training.runs import chosen_split, planned_config

MANUAL = (Path(__file__).resolve().parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
ATLASES = ("boston", "world")
SHIPPED = {
    "boston": {
        "python -m unigeoclip train --atlas boston --config wide --steps 1300 --split blocks": "blocks",
    },
    "world": {
        "python -m unigeoclip train --atlas world --config wide --out runs/world-before\n"
        "python -m unigeoclip train --atlas world --config wide-text --init-from runs/world-before/model": "random"
    },
}


def options_of(command):
    """The options of a printed command, parsed as a shell and the command line do."""
    words = shlex.split(command)
    assert words[:3] == ["python", "-m", "unigeoclip"]
    context = parse(words[3:])
    assert context.command is main.commands.commands["train"]
    return SimpleNamespace(**context.params)


def records(atlas):
    others = sorted(atlas.model_path.glob("metrics-*.json"))
    for path in [atlas.model_path / "metrics.json", *others]:
        yield None, read_json(path)
    yield from recorded_baselines(atlas).items()


@pytest.mark.parametrize("name", ATLASES)
def test_printed_commands_lead_to_the_recorded_trainings(name):
    """Rebuilt from the options of the printed line, the configuration is the recorded one, step by step."""
    atlas = load_atlas(name)
    printed = commands.trainings(atlas)
    found = list(records(atlas))
    assert len(printed) == len(found) >= 4
    for command, (baseline, record) in zip(printed, found, strict=True):
        if command.startswith("#"):
            continue  # see test_a_loss_that_is_gone_has_no_command
        first, _, then = command.partition("\n")
        if then:
            assert to_dict(planned_config(atlas, options_of(first).config, None)) == to_dict(
                recorded_config({"training": record["training_before"]})
            )
            assert str(options_of(then).init_from) == f"{options_of(first).out}/model"
        options = options_of(then or first)
        assert (options.atlas, options.baseline, options.seed) == (name, baseline, record.get("seed", 0))
        assert chosen_split(atlas, options.split) == record["split"]
        if baseline is None:
            planned = planned_config(atlas, options.config, options.steps)
        else:
            shape, planned = planned_baseline(atlas, baseline, options.config, options.steps)
            assert to_dict(shape) == record["baseline"]
        training = record["training"]
        rebuilt = to_dict(planned)
        if not training.get("restart_steps", 0):
            rebuilt.pop("restart_rate")  # of a restart that is not taken
        recorded = to_dict(recorded_config(record))
        kept = {key: recorded[key] for key in training if key in rebuilt}
        assert {key: rebuilt[key] for key in kept} == kept, command
        assert planned.all_steps == training["steps"] + training.get("restart_steps", 0)
        assert planned.text_steps == training.get("text_steps", 0)


@pytest.mark.parametrize("name", ATLASES)
def test_the_manual_prints_these_commands(name):
    printed = commands.trainings(load_atlas(name))
    assert set(SHIPPED[name]) <= set(printed)
    lines = {
        " ".join(line.split())
        for line in re.findall(r"^ {4}(python -m unigeoclip train .+?)(?: {2,}#.*)?$", MANUAL, re.M)
    }
    single = {line for each in printed for line in each.splitlines() if not line.startswith("#")}
    assert single <= lines, "docs/cli.md lacks: " + "; ".join(single - lines)


@pytest.mark.parametrize("name", ATLASES)
def test_another_training_has_another_command(name):
    atlas = load_atlas(name)
    record = read_json(atlas.model_path / "metrics-blocks.json")
    command = train_command(atlas, record)
    shorter = to_dict(replace(named_config("mini", city=name == "boston"), steps=7, restart_steps=0, text_steps=0))
    training = record["training"] | {key: shorter[key] for key in ("steps", "restart_steps", "text_steps")}
    other = train_command(atlas, record | {"training": training})
    assert other != command
    assert other is None or "--steps 7" in other, "text of its own length has no command"
    odd = record | {"training": record["training"] | {"learning_rate": 0.5}}
    assert train_command(atlas, odd) is None, "nothing is printed that would train something else"
    assert all("--seed 3" in line for line in train_command(atlas, record | {"seed": 3}).splitlines())


def test_a_loss_that_is_gone_has_no_command():
    """Of Boston's three trainings the second had another loss; all others of both atlases can be repeated."""
    comments = [line for name in ATLASES for line in commands.trainings(load_atlas(name)) if line.startswith("#")]
    assert comments == ["# options of its own: see model/ for the training of the split views"]
    record = read_json(load_atlas("boston").model_path / "metrics.json")
    second = record["training_before"]
    steps = [training["street_steps"] for training in (second, record["training"])]
    assert steps == [2500, named_config("wide-street").street_steps]
    assert recorded_config({"training": second["before"]}) == planned_config(load_atlas("boston"), "wide", None)


def test_three_trainings_have_three_commands():
    """Each goes on from the model of the one before; of a model that no record knows there is no command."""
    atlas = load_atlas("world")
    record = read_json(atlas.model_path / "metrics.json")
    first, then = train_command(atlas, record).splitlines()
    third = record | {"training_before": record["training"] | {"before": record["training_before"]}}
    before = "runs/world-before"
    assert train_command(atlas, third).splitlines() == [
        first.replace(before, f"{before}-before"),
        then.replace(before, f"{before}-before") + f" --out {before}",
        then,
    ]
    unknown = record | {"training_before": record["training"] | {"before": None}}
    assert train_command(atlas, unknown) is None


def test_a_record_without_a_training_is_refused():
    with pytest.raises(InputError, match="training"):
        recorded_config({"split": "random"})
    with pytest.raises(InputError, match="training"):
        recorded_config({"training": {"paces": 3}})


def test_a_training_of_some_modalities_is_found_again():
    atlas = load_atlas("world")
    some = ["location", "aerial"]
    record = {"training": to_dict(planned_config(atlas, "mini", 1200, some)), "split": "random", "seed": 0}
    command = train_command(atlas, record)
    assert command == "python -m unigeoclip train --atlas world --config mini --steps 1200 --modalities location,aerial"
    assert options_of(command).modalities == "location,aerial"


@pytest.mark.parametrize(
    ("some", "message"), [(["location", "smell"], "no modality 'smell'"), (["location"], "two modalities or more")]
)
def test_modalities_that_cannot_be_trained_are_refused(some, message):
    with pytest.raises(InputError, match=message):
        named_config("mini").with_only(some)
