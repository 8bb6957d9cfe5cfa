"""The model card: every figure with its count, what a split holds out, what is outdated, and the commands."""

import re
from types import SimpleNamespace

import pytest

from pages.ui.atlas import commands, model_card, retrieval
from unigeoclip.config import write_json

FIGURES = {"recall@1": 40.0, "recall@10": 75.0, "acc@100m": 40.2, "median_m": 3.0, "n": 2000}
ALL = {
    "acc@100m_gallery_cameras": 19.9, "n_gallery_cameras": 24249, "acc@100m_gallery_cells": 5.5,
    "n_gallery_cells": 24249,
}  # fmt: skip


def plain(html):
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_one_count_is_said_once():
    shown = plain(retrieval.retrieval_table({"text->aerial": FIGURES, "aerial->text": FIGURES}))
    assert "among 2,000 places" in shown
    assert "n =" not in shown


def test_counts_that_differ_stand_beside_their_figures():
    """Thirty photos leave two items to street views: that is no 100 %, and nothing to the other pairs."""
    few = {"n": 2, "too_few": True}
    shown = plain(retrieval.retrieval_table({"street->aerial": few, "text->aerial": FIGURES | {"n": 1205}}))
    assert "too few: n = 2" in shown
    assert "40 / 75 n = 1,205" in shown
    assert "100" not in shown.replace("100 m", "")


def test_what_is_found_among_all_places_stands_beside_what_is_found_among_few():
    shown = plain(retrieval.retrieval_table({"street->aerial": FIGURES | ALL}))
    assert "40.2 of 2,000 19.9 of 24,249 5.5 of 24,249" in shown
    assert "centers of their cells" in shown
    assert "24,249" not in retrieval.retrieval_table({"street->aerial": FIGURES})


@pytest.fixture
def folder(tmp_path):
    own = {
        "split": "random",
        "data": "new",
        "retrieval": {"text->aerial": FIGURES},
        "held_out": {"median_distance_to_training_km": 18.2, "window_km": 333.585},
    }
    write_json(tmp_path / "metrics.json", own)
    write_json(tmp_path / "metrics-blocks.json", {"split": "blocks", "data": "old", "retrieval": {"a->b": FIGURES}})
    return tmp_path


def test_what_was_measured_on_other_data_says_so_with_both_checksums(folder):
    card = model_card.read(SimpleNamespace(name="world", model_path=folder, data_hash="new"))
    assert retrieval.warning(card, "random") == ""
    assert "earlier version of the data (checksum old; now new)" in retrieval.warning(card, "blocks")


def test_how_near_the_training_is(folder):
    card = model_card.read(SimpleNamespace(name="world", model_path=folder, data_hash="new"))
    said = retrieval.distance_words(card, "random")
    assert "lies 18 km from the nearest training position; a window is 330 km wide, so the two" in said
    assert "overlap" in said
    assert retrieval.distance_words(card, "blocks") == "", "not recorded"
    far = {"median_distance_to_training_km": 400.0, "median_distance_to_training_camera_km": 0.045, "window_km": 300.0}
    card.held_out["random"] = far
    assert "share nothing" in retrieval.distance_words(card, "random")
    assert "(45 m from the nearest camera)" in retrieval.distance_words(card, "random")


def test_queries_that_captions_say_are_told_apart():
    queries = [{"query": "q", "rule": "r", "precision": 80.0, "chance": 3.0}]
    groups = {
        "in_captions": {"n": 33, "mean_precision": 95.2, "interval_95": [91.0, 98.0]},
        "not_in_captions": {"n": 22, "mean_precision": 71.4, "interval_95": [57.0, 84.0]},
    }
    shown = plain(model_card.query_table(queries, groups))
    assert "33 queries are sentences of the captions, word for word, which the model was trained on: 95 %" in shown
    assert "22 queries are not sentences of the captions: 71 % (95 % interval 57 to 84)" in shown
    assert "captions" not in model_card.query_table(queries)


def test_commands_are_those_of_the_recorded_trainings():
    manifest = SimpleNamespace(name="world", window_m=333_585.0, bounds=(-60.0, -180.0, 84.0, 180.0))
    lines = commands.commands(manifest, ["python -m unigeoclip train --atlas world --steps 2600"]).splitlines()
    assert lines[1] == "python -m unigeoclip train --atlas world --steps 2600"
    assert commands.commands(manifest).splitlines()[1] == "python -m unigeoclip train --atlas world --config mini"


def test_a_training_that_no_options_lead_to_is_not_printed_as_one(folder):
    training = {"steps": 3, "batch": 5, "seconds": 7, "machine": "x"}
    write_json(folder / "metrics.json", {"split": "random", "data": "new", "training": training})
    manifest = SimpleNamespace(name="world", modalities=["location"], bounds=(-60.0, -180.0, 84.0, 180.0))
    atlas = SimpleNamespace(name="nowhere", model_path=folder, data_hash="new", manifest=manifest, places={"random": 0})
    assert commands.trainings(atlas) == ["# options of its own: see model/ for the training of the split random"]


def test_what_a_split_holds_out():
    """The words are those of the glossary, which ``evaluate --json`` shows too."""
    city = SimpleNamespace(modalities=["aerial", "street"], pictures={"aerial": "photographed"}, files={})
    earth = SimpleNamespace(modalities=["aerial"], pictures={"aerial": "photographed"}, files={})
    views = plain(retrieval.split_words("views", city, answers=True))
    assert views.startswith("New camera positions and views in known territory")
    assert views.endswith("These are the figures of the model in use.")
    blocks = plain(retrieval.split_words("blocks", city))
    assert blocks.startswith("Whole S2 cells of level 12 never seen, 300 m buffer. These are the figures of a second,")
    assert plain(retrieval.split_words("blocks", earth)).startswith("Whole S2 cells of level 3 never seen, 3 degrees")
    assert retrieval.heading("blocks", earth) == "Whole regions never seen (block split)"
    assert (retrieval.heading("own", city), plain(retrieval.split_words("own", city))) == ("own", "")
