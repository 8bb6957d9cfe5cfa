"""Ablations on a made-up city: the rows asked for, trained once each, never mixed, picked up where they were."""

import itertools
import json
from dataclasses import replace

import pytest

from tests.explorable import CITY_CONFIG, use_hashed_sentences, write_explorable_atlas, write_explorable_city
from unigeoclip.atlas import load_atlas
from unigeoclip.config import read_json, write_json
from unigeoclip.errors import InputError
from unigeoclip.evaluation import evaluate
from unigeoclip.modalities import text
from unigeoclip.model import ModelConfig
from unigeoclip.training import TrainConfig, ablations, loop, named_config
from unigeoclip.training.ablations import ablate, ablation_rows, spread
from unigeoclip.training.loop import Trainer

TINY = TrainConfig(model=CITY_CONFIG, batch=8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_explorable_city(tmp_path_factory.mktemp("atlases") / "madeup")


@pytest.fixture
def atlas(folder, monkeypatch):
    use_hashed_sentences(monkeypatch)
    monkeypatch.setattr(loop, "sentence_encoder", text.sentence_encoder)
    yield load_atlas(folder)
    (folder / "model" / "ablations.json").unlink(missing_ok=True)


@pytest.fixture
def two_rows(monkeypatch):
    """Of a dozen trainings two, the second of them the base, which stands in two groups."""

    def few(base):
        rows = ablation_rows(base)
        return [row for row in rows if row.name in ("street + aerial", "all five", "all-to-all")]

    monkeypatch.setattr(ablations, "ablation_rows", few)


def test_the_table_has_the_rows_of_the_paper():
    base = named_config("city")
    rows = ablation_rows(base)
    names = {group: [row.name for row in rows if row.group == group] for group in dict.fromkeys(r.group for r in rows)}
    assert names == {
        "modalities": [
            "street + location",
            "street + aerial",
            "street + aerial + location",
            "street + aerial + location + surface",
            "all five",
        ],
        "loss": ["all-to-all", "aerial as pivot"],
        "depth": ["depth 0", "depth 1", "depth 2", "depth 4"],
        "scales": ["1 scale", "2 scales", "4 scales", "8 scales"],
    }
    assert sum(row.config == base for row in rows) == 4, "the base stands in every group"
    location = [row.config.model.encoders.get("location", {}) for row in rows]
    assert [some["depth"] for some, row in zip(location, rows, strict=True) if row.group == "depth"] == [0, 1, 2, 4]
    assert {some["pooled_blocks"] for some in location if some} == {3}, "all else is equal"
    assert {row.config.batch for row in rows} == {base.batch}
    with pytest.raises(InputError, match="lacks 'street'"):
        ablation_rows(named_config("mini"))


def test_scales_span_the_same_range():
    assert spread([1e3, 4e3, 1.6e4, 6.4e4], 4) == [1e3, 4e3, 1.6e4, 6.4e4]
    assert spread([1e3, 4e3, 1.6e4, 6.4e4], 1) == [8e3]
    assert spread([1e3, 4e3, 1.6e4, 6.4e4], 2) == [1e3, 6.4e4]
    eight = spread([1e3, 4e3, 1.6e4, 6.4e4], 8)
    assert len(eight) == 8
    assert (eight[0], eight[-1]) == (1e3, 6.4e4)
    assert all(1.7 < b / a < 1.9 for a, b in itertools.pairwise(eight))


def test_two_rows(atlas, tmp_path, two_rows):
    said = []
    table = ablate(atlas, tmp_path / "rows", steps=2, base=TINY, say=said.append)
    assert said == ["Row 1 of 2: street-aerial", "Row 2 of 2: all-five"]
    assert table["complete"] is True
    assert table["budget"] == {"steps": 2, "batch": 8, "seed": 0}
    assert (table["atlas"], table["data"], table["split"]) == ("madeup", atlas.data_hash, "views")
    pair, whole, again = table["rows"]
    assert (pair["modalities"], pair["depth"], pair["scales"]) == (["street", "aerial"], None, None)
    assert set(pair["retrieval"]) == {"street->aerial", "photo->aerial"}
    assert set(whole["retrieval"]) == set(ablations.PAIRS)
    figures = whole["retrieval"]["street->ensemble"]
    assert figures == {"n": atlas.views.loc[atlas.views["views"] == "held_out", "place_id"].nunique(), "too_few": True}
    assert (whole["depth"], whole["pivot"], whole["steps"]) == (1, None, 2)
    assert again == whole | {"group": "loss", "name": "all-to-all"}, "the base is trained once"
    assert read_json(tmp_path / "rows/street-aerial.json")["run"]["data"] == atlas.data_hash
    assert not list((tmp_path / "rows").glob("*/checkpoint.pt"))
    assert read_json(atlas.model_path / "ablations.json") == table
    assert evaluate(atlas)["ablations"] == table | {"recorded": True, "data_now": atlas.data_hash}


def test_it_goes_on_where_it_was(atlas, tmp_path, two_rows, monkeypatch):
    whole = ablate(atlas, tmp_path / "whole", steps=4, base=TINY)
    (atlas.model_path / "ablations.json").unlink()
    update, done = Trainer.update, []

    def killed(self, inputs):
        if len(done) == 6:  # in the middle of the second row
            raise KeyboardInterrupt
        done.append(self.step)
        return update(self, inputs)

    monkeypatch.setattr(Trainer, "update", killed)
    with pytest.raises(KeyboardInterrupt):
        ablate(atlas, tmp_path / "broken", steps=4, base=TINY)
    partial = read_json(atlas.model_path / "ablations.json")
    assert partial["complete"] is False
    assert [row["name"] for row in partial["rows"]] == ["street + aerial"]

    steps = []
    monkeypatch.setattr(Trainer, "update", lambda self, inputs: steps.append(self.step) or update(self, inputs))
    table = ablate(atlas, tmp_path / "broken", steps=4, base=TINY)
    assert steps == [2, 3], "nothing is trained twice"
    figures = [[row["retrieval"] for row in some["rows"]] for some in (whole, table)]
    assert figures[0] == figures[1]
    assert ablate(atlas, tmp_path / "broken", steps=4, base=TINY) == table
    assert steps == [2, 3]


def test_rows_of_another_budget_are_not_mixed_in(atlas, tmp_path, two_rows):
    ablate(atlas, tmp_path, steps=1, base=TINY)
    with pytest.raises(InputError, match=r"steps 1, batch 8, seed 0\) than asked for \(steps 2, batch 8"):
        ablate(atlas, tmp_path, steps=2, base=TINY)
    write_json(tmp_path / "budget.json", read_json(tmp_path / "budget.json") | {"data": "0" * 12})
    with pytest.raises(InputError, match="data 000000000000"):
        ablate(atlas, tmp_path, steps=1, base=TINY)


def test_rows_of_another_configuration_are_trained_again(atlas, tmp_path, two_rows):
    ablate(atlas, tmp_path, steps=1, base=TINY)
    said = []
    wider = replace(TINY, model=ModelConfig(dim=24, encoders=CITY_CONFIG.encoders))
    ablate(atlas, tmp_path, steps=1, base=wider, say=said.append)
    assert sum("trained again" in line for line in said) == 2
    kept = json.loads((tmp_path / "all-five.json").read_text())
    assert kept["run"]["config"]["model"]["dim"] == 24


def test_an_unfinished_table_does_not_replace_a_complete_one(atlas, tmp_path, two_rows, monkeypatch):
    complete = ablate(atlas, tmp_path / "first", steps=1, base=TINY)
    monkeypatch.setattr(Trainer, "finish", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        ablate(atlas, tmp_path / "second", steps=2, base=TINY)
    assert read_json(atlas.model_path / "ablations.json") == complete


def test_folders_of_other_things_are_left_alone(atlas, tmp_path, two_rows):
    (tmp_path / "street-aerial").mkdir()
    (tmp_path / "street-aerial/photo.jpg").write_bytes(b"mine")
    with pytest.raises(InputError, match="is not the folder of a training"):
        ablate(atlas, tmp_path, steps=1, base=TINY)
    assert (tmp_path / "street-aerial/photo.jpg").exists()


def test_an_atlas_without_street_views(tmp_path):
    world = load_atlas(write_explorable_atlas(tmp_path / "tiny"))
    with pytest.raises(InputError, match="tiny has none"):
        ablate(world, tmp_path / "rows", steps=1, base=TINY)
    assert not (tmp_path / "rows").exists()
