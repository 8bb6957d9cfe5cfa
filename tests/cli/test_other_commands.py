"""Commands whose work other modules do: that it is called rightly and printed."""

import json
import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.explorable import write_explorable_city
from unigeoclip.atlas import load_atlas
from unigeoclip.cli.main import main

pytestmark = pytest.mark.usefixtures("surroundings")


# What other modules compute: only that it is called rightly and printed


def stand_in(monkeypatch, module, name, function):
    monkeypatch.setitem(sys.modules, module, SimpleNamespace(**{name: function}))


def test_build(run, tmp_path, monkeypatch):
    def build_world(out, *, progress):
        progress("Fetching", 0.5)
        progress("Fetching", 1.0)
        return out

    stand_in(monkeypatch, "unigeoclip.build.world.builder", "build_world", build_world)
    assert run("build", "world", "--out", tmp_path / "here").strip() == str(tmp_path / "here")


def test_build_knows_its_atlases(refused):
    assert "invalid choice" in refused("build", "moon")


def test_train_starts_from_a_model_on_a_device(run, refused, folder, tmp_path, monkeypatch):
    called = []

    def train(atlas, config, out, **options):
        called.append((options["start"], os.environ["UNIGEOCLIP_DEVICE"]))
        return {}

    stand_in(monkeypatch, "unigeoclip.training", "train", train)
    monkeypatch.delenv("UNIGEOCLIP_DEVICE", raising=False)
    options = ["train", "--atlas", folder, "--out", tmp_path / "run", "--device", "cpu", "--init-from"]
    assert run(*options, "world") == "", "one of several processes prints nothing, but the first"
    assert run(*options, Path(folder, "model")) == ""
    assert called == [(load_atlas("world").model_path, "cpu"), (Path(folder, "model"), "cpu")]
    assert "UNIGEOCLIP_DEVICE" not in os.environ
    assert "Unknown device" in refused("train", "--atlas", folder, "--device", "tpu")
    assert "--init-from" in refused(*options, "world", "--teacher", "geoclip")
    assert "nowhere" in refused(*options, "nowhere")


def test_train(run, folder, tmp_path, monkeypatch):
    called = []

    def train(atlases, config, out, **options):
        called.append(([atlas.name for atlas in atlases], config, out, options))
        return {"retrieval": {"text->location": {"recall@1": 31.25, "recall@10": 62.5, "n": 8}}, "split": "blocks"}

    stand_in(monkeypatch, "unigeoclip.training", "train", train)
    printed = run("train", "--atlas", folder, "--out", tmp_path / "run", "--split", "blocks", "--steps", 7, "--resume")
    options = {"split": "blocks", "seed": 0, "steps": 7, "resume": True, "modalities": None, "start": None}
    options |= {"weights": None, "shard": False}
    assert called == [(["tiny"], "mini", tmp_path / "run", options)]
    sentence, _, head, row, *_ = printed.splitlines()
    assert "Held out (split blocks): the right one among 8 is first for 31 %" in sentence
    assert "Beware: among 8 items" in sentence
    assert head.split() == ["query->target", "first", "in", "first", "10", "of"]
    assert row.split() == ["text->location", "31.2", "62.5", "8"]
    assert "tensorboard --logdir" in printed
    assert str(tmp_path / "run" / "history.csv") in printed
    found = run("train", "--atlas", folder, "--out", tmp_path / "run", "--json")
    assert found["retrieval"]["text->location"]["n"] == 8
    assert found["out"] == str(tmp_path / "run")
    run("train", "--atlas", folder, "--out", tmp_path / "some", "--modalities", "location, aerial")
    assert called[-1][3]["modalities"] == ["location", "aerial"]


def test_modalities_belong_to_our_own_model(refused, folder):
    command = ("train", "--atlas", folder, "--baseline", "satclip-retrained", "--modalities", "location,aerial")
    assert "--modalities belongs to our own model" in refused(*command)


def test_evaluate(run, folder, monkeypatch):
    report = {
        "splits": {"random": {"retrieval": {"text->aerial": {"recall@1": 18.5, "recall@10": 62.0, "n": 5000}}}},
        "queries": [{"query": "Sahara", "rule": "polygon", "precision": 97.0, "chance": 6.1}],
    }
    called = []

    def evaluate(atlas, model, **options):
        called.append((atlas.name, model, options))
        return report

    stand_in(monkeypatch, "unigeoclip.evaluation", "evaluate", evaluate)
    assert run("evaluate", "--atlas", folder, "--json") == report
    assert called == [("tiny", None, {"elsewhere": None, "record": False})]
    printed = run("evaluate", "--atlas", folder)
    assert "the right one among 5,000 is first for 18 %" in printed
    assert "text->aerial    18.5         62.0  5,000" in printed
    assert "1 plain queries: 97 % of the hottest area lies inside" in printed
    assert "Sahara" in printed.splitlines()[-1]


def test_evaluate_calibrates(run, folder, monkeypatch):
    called = []

    def recalibrate(atlas, model):
        called.append((atlas.name, model))
        return {"format": 1, "modalities": {"text": {"n": 12}}}

    monkeypatch.setattr("unigeoclip.evaluation.report.recalibrate", recalibrate)
    found = run("evaluate", "--atlas", folder, "--calibrate", "--json")
    assert found == {"calibration": {"format": 1, "modalities": {"text": {"n": 12}}}}
    assert called == [("tiny", None)]


def test_evaluate_says_how_many_where_they_are_too_few(run, folder, monkeypatch):
    report = {"splits": {"views": {"retrieval": {"street->aerial": {"n": 12, "too_few": True}}}}, "queries": []}
    stand_in(monkeypatch, "unigeoclip.evaluation", "evaluate", lambda *_, **__: report)
    said = run("evaluate", "--atlas", folder)
    assert "12 held-out items (split views) are too few to judge by" in said
    assert re.search(r"street->aerial +12 +too few to judge", said)


def test_evaluate_elsewhere(run, folder, monkeypatch):
    def evaluate(atlas, model, *, elsewhere, record):
        return {"splits": {}, "queries": [], "elsewhere": {elsewhere.name: {"retrieval": {}, "recorded": record}}}

    stand_in(monkeypatch, "unigeoclip.evaluation", "evaluate", evaluate)
    found = run("evaluate", "--atlas", folder, "--elsewhere", folder, "--record", "--json")
    assert found["elsewhere"] == {"tiny": {"retrieval": {}, "recorded": True}}


def test_evaluate_ablations(run, folder, tmp_path, monkeypatch, capsys):
    def ablate(atlas, out, *, steps, say):
        say("Row 1 of 12: street-location")
        return {"atlas": atlas.name, "out": str(out), "budget": {"steps": steps}}

    monkeypatch.setattr("unigeoclip.training.ablations.ablate", ablate)
    table = run("evaluate", "--atlas", folder, "--ablations", "--steps", 2, "--out", tmp_path, "--json")["ablations"]
    assert table == {"atlas": "tiny", "out": str(tmp_path), "budget": {"steps": 2}}
    printed = run("evaluate", "--atlas", folder, "--ablations")
    assert "runs/ablations-tiny" in printed
    assert "steps 250" in printed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--record", "--ablations"], "leave out --model, --elsewhere and --record"),
        (["--calibrate", "--record"], "--calibrate measures nothing else"),
        (["--steps", "5"], "belong to --ablations"),
        (["--out", "runs"], "belong to --ablations"),
        (["--ablations", "--elsewhere", "amsterdam"], "leave out --model, --elsewhere"),
        (["--ablations", "--model", "m"], "leave out --model, --elsewhere"),
        (["--ablations", "--steps", "0"], "must be 1 or more"),
        (["--ablations"], "ask with street views"),
        (["--elsewhere", "atlantis"], "no atlas 'atlantis'"),
    ],
)
def test_bad_measurements(refused, folder, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    assert words in refused("evaluate", "--atlas", folder, *arguments)
    assert list(tmp_path.iterdir()) == []


def test_elsewhere_is_refused_in_one_line(refused, folder, tmp_path):
    city = write_explorable_city(tmp_path / "madeup")
    assert "no street views" in refused("evaluate", "--atlas", city, "--elsewhere", folder)
    assert "was trained on madeup" in refused("evaluate", "--atlas", city, "--elsewhere", city, "--record")
    assert not list((city / "model").glob("elsewhere-*"))


def test_bench(run, folder, monkeypatch):
    def run_bench(atlas, *, quick):
        return {"query_ms": {"text": 61.25 if quick else 60.5}, "rows": [1, 2]}

    stand_in(monkeypatch, "unigeoclip.bench", "run_bench", run_bench)
    assert run("bench", "--atlas", folder, "--json")["query_ms"] == {"text": 60.5}
    assert "query_ms: text 61.25" in run("bench", "--quick")


def test_bench_of_a_model(run, folder, tmp_path, monkeypatch):
    asked = []

    def run_bench(atlas, *, quick):
        asked.append((atlas.path, atlas.model_path))
        return {"query_ms": {}}

    stand_in(monkeypatch, "unigeoclip.bench", "run_bench", run_bench)
    run("bench", "--atlas", folder, "--model", tmp_path / "mine")
    assert asked == [(folder, tmp_path / "mine")]


def test_results_are_listed_with_their_intervals(run, monkeypatch):
    from unigeoclip.results import collect
    from unigeoclip.results.records import measured

    monkeypatch.setattr(collect, "collect", measured)
    printed = run("results")
    assert "UniGeoCLIP: retrieval, boston, split views, seed 0" in printed
    assert "n = 2,000" in printed
    first = run("results", "--json")["records"][0]
    assert first["figures"][0]["low"] < first["figures"][0]["value"] < first["figures"][0]["high"]


def test_results_refuse_what_is_no_report(refused, tmp_path):
    path = tmp_path / "report.json"
    path.write_text('{"task": "a"}')
    assert "is no report of a probe" in refused("results", "--add", path)


def test_results_are_measured_by_one_command(run, monkeypatch, capsys):
    from unigeoclip.results import collect, measure
    from unigeoclip.results.records import Records

    asked = []

    def stand_in_measure(wanted, say, progress):
        asked.append(wanted)
        return measure.Outcome(added=["a.json"], kept=2, not_here=["station-rain"])

    monkeypatch.setattr(measure, "measure", stand_in_measure)
    monkeypatch.setattr(collect, "update_files", lambda: Records("", []))
    run("results", "--measure", "boston-income,us-o*,words", "--seed", "0,2", "--neighborhoods")
    (wanted,) = asked
    assert [task.name for task in wanted.tasks] == ["us-obesity", "boston-income"]
    assert (wanted.studies, wanted.seeds, wanted.neighborhoods, wanted.again) == (("words",), (0, 2), True, False)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--measure", "nothing-*"], "No task is called 'nothing-*'"),
        (["--measure", ","], "Name tasks to measure"),
        (["--measure", "boston-income", "--seed", "a"], "invalid number 'a'"),
        (["--seed", "1"], "--seed belongs to --measure"),
        (["--without-text", "model"], "--without-text belongs to --measure"),
        (["--again"], "--again belongs to --measure"),
    ],
)
def test_what_cannot_be_measured_is_refused(refused, arguments, words):
    assert words in refused("results", *arguments)


def test_warm_opens_every_atlas_and_says_where_the_cache_is(monkeypatch, tmp_path, capsys):
    from unigeoclip.atlas import store
    from unigeoclip.search.explorer import Explorer

    opened, prepared = [], []

    def open_(atlas, progress):
        opened.append(atlas)
        descriptions = SimpleNamespace(prepare=lambda: prepared.append(atlas))
        return SimpleNamespace(atlas=SimpleNamespace(name=atlas), descriptions=descriptions)

    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    monkeypatch.setattr(store, "list_atlases", lambda: ["boston", "world"])
    monkeypatch.setattr(store, "load_atlas", lambda name: name)
    monkeypatch.setattr(Explorer, "open", open_)
    assert main(["warm", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"atlases": ["boston", "world"], "cache": str(tmp_path)}
    assert opened == prepared == ["boston", "world"]
    assert main(["warm", "world"]) == 0
    assert capsys.readouterr().out == f"world        is ready in {tmp_path}\n"


def test_warm_refuses_an_atlas_that_is_none(capsys):
    assert main(["warm", "atlantis"]) == 2
    assert "atlantis" in capsys.readouterr().err
