"""One command for all figures of probes: which tasks are meant, what is shared, kept and measured again."""

import json

import numpy as np
import pytest

from unigeoclip.embedders.coordinates import CoordinatesEmbedder
from unigeoclip.errors import InputError
from unigeoclip.results import measure as module
from unigeoclip.results.measure import Measurement, choose, measure
from unigeoclip.results.page import sections
from unigeoclip.results.probe_reports import kept_reports
from unigeoclip.results.records import Records
from unigeoclip.tasks import catalog
from unigeoclip.tasks.catalog import find_task, seen_in_training
from unigeoclip.tasks.stored import PackTable, write_pack

ROWS = 60


class Counting(CoordinatesEmbedder):
    """Counts the points that it embeds."""

    embedded = 0

    def embed(self, latlon):
        self.embedded += len(latlon)
        return super().embed(latlon)


@pytest.fixture
def embedder(tmp_path, monkeypatch):
    """An airports pack of sixty rows, ten of which have no country, and one embedder in place of all."""
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    latlon = np.column_stack([rng.uniform(-60, 70, ROWS), rng.uniform(-180, 180, ROWS)])
    country = np.where(latlon[:, 0] > 0, "north", "south").astype(object)
    country[:10] = None
    targets = {"airport-elevation": latlon[:, 0] * 10, "airport-country": country}
    pack = find_task("airport-elevation").pack
    path = catalog.pack_file(pack)
    path.parent.mkdir(parents=True)
    write_pack(path, PackTable(latlon, targets), {"pack": pack.name, "version": pack.version})
    found = Counting()
    monkeypatch.setattr(module, "load_all", lambda _atlas: ({"coordinates": found}, {"satclip": "not here"}))
    return found


def run(tmp_path, *patterns, said=None, **options):
    tasks, studies = choose(patterns)
    return measure(
        Measurement(tasks, studies, **options), ([] if said is None else said).append, folder=tmp_path / "results"
    )


def test_patterns_name_tasks_and_studies():
    tasks, studies = choose(["airport-*", "words"])
    assert [task.name for task in tasks] == ["airport-elevation", "airport-country"]
    assert studies == ("words",)
    assert len(choose(["all"])[0]) == len(catalog.TASKS)
    with pytest.raises(InputError, match="No task is called 'airprt"):
        choose(["airport-*", "airprt-*"])


def test_tasks_of_one_pack_share_their_encodings(embedder, tmp_path):
    said: list[str] = []
    outcome = run(tmp_path, "airport-*", "us-obesity", said=said, seeds=(0, 1))
    assert not outcome.failed
    assert len(outcome.added) == 4
    assert outcome.not_here == ["us-obesity"]
    assert embedder.embedded == ROWS
    assert "Not on this machine, and left out: satclip." in said
    records = list(kept_reports(tmp_path / "results"))
    assert {(each.subject, each.split, *each.seeds) for each in records} == {
        (task, split, seed)
        for task in ("airport-elevation", "airport-country")
        for split in ("random", "blocks")
        for seed in (0, 1)
    }
    by_task = {each.subject: each for each in records}
    assert by_task["airport-country"].figures[0].n == ROWS - 10
    assert by_task["airport-elevation"].figures[0].name == "coordinates"


def test_figures_are_those_of_the_command_that_probes_one_task(embedder, tmp_path):
    from unigeoclip.evaluation.probing.run import run_probe

    run(tmp_path, "airport-country")
    table = catalog.load_task("airport-country")
    alone = run_probe(table, None, ["coordinates"], splits=("blocks",), errors=False).results["blocks"]["coordinates"]
    record = next(each for each in kept_reports(tmp_path / "results") if each.split == "blocks")
    kept = next(each for each in record.figures if each.name == "coordinates")
    assert kept.value == pytest.approx(alone.scores["accuracy"].mean, abs=1e-5)


def test_what_is_known_is_measured_again_only_if_asked_or_if_its_inputs_changed(embedder, tmp_path):
    (path,) = run(tmp_path, "airport-country").added
    assert run(tmp_path, "airport-country").kept == 1
    assert run(tmp_path, "airport-country", again=True).added == [path]
    kept = json.loads(path.read_text())
    path.write_text(json.dumps(kept | {"inputs": kept["inputs"] | {"data": "another"}}))
    assert run(tmp_path, "airport-country").added == [path]
    path.write_text("{")  # one that was damaged
    assert run(tmp_path, "airport-country").added == [path]


def test_a_task_that_cannot_be_measured_does_not_end_the_others(embedder, tmp_path, monkeypatch):
    real = catalog.load_task

    def load(name):
        if name == "airport-elevation":
            raise InputError("It is damaged.")
        return real(name)

    monkeypatch.setattr(module, "load_task", load)
    outcome = run(tmp_path, "airport-*")
    assert outcome.failed == {"airport-elevation": "It is damaged."}
    assert [path.name for path in outcome.added] == ["airport-country-world-nested.json"]


def test_a_model_without_text_has_not_seen_what_captions_say():
    seen = {name: seen_in_training(find_task(name), catalog.WITHOUT_TEXT, "world") for name in catalog.TASKS}
    assert seen["world-temperature"] is None
    assert seen["airport-country"] is None
    assert "instrument" in str(seen["world-land-cover"])
    assert "grid of heights" in str(seen["world-elevation"])


def test_studies_are_kept_with_the_data_and_model_they_were_measured_of(tmp_path, monkeypatch):
    from unigeoclip.results import studies

    calls = []
    words = {
        "split": "views",
        "modalities": {
            "text": {
                "n": 1000, "described": 0.8, "explained_by_chance": 0.11, "judged_phrases": 300,
                "explained": {"median": 0.3, "interval_95": [0.29, 0.32]},
                "precision": 0.73, "precision_interval_95": [0.71, 0.75], "chance": 0.19,
            }
        },
    }  # fmt: skip
    structure = {
        "n": 4000, "seed": 0,
        "embedders": {
            "unigeoclip": {
                "title": "UniGeoCLIP",
                "figures": {"position_r2": {"value": 0.9, "low": 0.8, "high": 1.0}, "cka": None},
            }
        },
    }  # fmt: skip
    made = {studies.WORDS: words, studies.WHERE_OR_WHAT: structure}
    monkeypatch.setattr(studies, "_measured", lambda study, _atlas, _progress: calls.append(study) or made[study])
    outcome = run(tmp_path, "words", "where-or-what")
    assert [path.relative_to(tmp_path / "results").as_posix() for path in outcome.added] == [
        "where-or-what/boston.json",
        "where-or-what/world.json",
        "words/boston.json",
        "words/world.json",
    ]
    assert run(tmp_path, "words", "where-or-what").kept == 4
    assert len(calls) == 4
    tables = sections(Records("", list(studies.kept_studies(tmp_path / "results"))))
    assert "| boston | UniGeoCLIP | 4,000 | – | – | 0.90 (0.80 to 1.00) |" in tables["where-or-what"]
    assert (
        "| world | views | text | 1,000 | 300 | 0.80 | 0.30 (0.29 to 0.32) | 0.11 | 0.73 (0.71 to 0.75) | 0.19 |"
        in tables["words"]
    )
