"""Ablations and other cities as page Atlas shows them: from dictionaries, without streamlit."""

from html import unescape
from types import SimpleNamespace

import pytest

from pages.ui.atlas import ablations, city_card, model_card
from unigeoclip.atlas.origins import ALL_DRAWN
from unigeoclip.config import write_json
from unigeoclip.evaluation.glossary import ELSEWHERE

PAIRS = ("street->aerial", "street->location", "street->ensemble", "photo->aerial", "location->aerial")


def row(group, name, within, run=None, pivot=None, pairs=PAIRS, modalities=("street", "aerial")):
    figures = {"recall@1": within / 2, "recall@10": within + 20, "acc@100m": within, "n": 2000}
    return {
        "group": group, "name": name, "run": run or name, "modalities": list(modalities), "pivot": pivot, "depth": 1,
        "scales": [1.0], "steps": 250, "seconds": 480, "retrieval": dict.fromkeys(pairs, figures),
    }  # fmt: skip


@pytest.fixture
def table():
    five = ("street", "aerial", "location", "surface", "text")
    rows = [
        row("modalities", "street + aerial", 21.0, pairs=("street->aerial", "photo->aerial")),
        row("modalities", "all five", 33.0, modalities=five),
        row("loss", "all-to-all", 33.0, run="all five"),
        row("loss", "aerial as pivot", 30.0, pivot="aerial"),
        row("depth", "depth 0", 25.0),
        row("depth", "depth 1", 33.0, run="all five"),
        row("scales", "1 scale", 10.0),
        row("scales", "4 scales", 33.0, run="all five"),
    ]
    budget = {"steps": 250, "batch": 384, "seed": 0}
    return {"atlas": "boston", "data": "abc", "split": "views", "budget": budget, "complete": True, "rows": rows}


@pytest.fixture
def away():
    figures = {"recall@1": 3.0, "recall@10": 14.0, "acc@100m": 4.4, "n": 412}
    pairs = dict.fromkeys(("street->aerial", "photo->aerial", "street->ensemble", "aerial->surface"), figures)
    return {"title": "Amsterdam <3", "means": ELSEWHERE, "retrieval": pairs, "recorded": True}


def test_every_group_is_shown_with_a_sentence(table):
    shown = dict(ablations.sections(table, bound=ALL_DRAWN))
    assert list(shown) == [
        "What each modality adds",
        "All pairs of modalities or one pivot",
        "Depth of the location encoder",
        "Number of scales of the location encoder",
    ]
    first, loss, depth, scales = shown.values()
    assert "250 steps of 384 places and seed 0, about 8 minutes" in first
    assert (
        "41 have their aerial image among the ten most similar when trained on street views and aerial images" in first
    )
    assert "aerial images alone, 53 with all five." in first
    assert (
        "50 have their aerial image among the ten most similar with the aerial image as pivot of all pairs, 53 " in loss
    )
    assert "best at depth 1" in depth
    assert "best with 4 scales" in scales
    for html in shown.values():
        assert f"{ALL_DRAWN[0].upper()}{ALL_DRAWN[1:]}." in unescape(html)
        assert "<small>(base)</small>" in html


def test_figures_of_the_table(table):
    first = dict(ablations.sections(table, bound=""))["What each modality adds"]
    assert "33<br><small>16 / 53</small>" in first
    assert first.count("<td>–</td>") == 3, "a row without location or ensemble has dashes"
    assert "upper bound" not in first, "photographs are no renderings"


def test_rows_of_too_few_items_have_no_figure(table):
    table["rows"][0]["retrieval"] = {"street->aerial": {"n": 3, "too_few": True}}
    assert "too few: n = 3" in ablations.sections(table, bound="")[0][1]


def test_bars_are_as_long_as_their_figures(table):
    scales = dict(ablations.sections(table, bound=ALL_DRAWN))["Number of scales of the location encoder"]
    assert scales.count('style="width:100.0%"') == 3
    assert scales.count('style="width:56.6%"') == 3


def test_unfinished_and_outdated_tables_say_so(table):
    html = ablations.sections(table | {"complete": False, "outdated": True}, bound=ALL_DRAWN)[0][1]
    assert "Not all rows are trained yet" in html
    assert "earlier data of this atlas" in html
    html = ablations.sections(table | {"outdated": True, "data_now": "new"}, bound=ALL_DRAWN)[0][1]
    assert "earlier data of this atlas (data abc, now new)" in html
    assert ablations.sections(table | {"rows": []}, bound=ALL_DRAWN) == []
    only = ablations.sections(table | {"rows": table["rows"][:1], "complete": False}, bound=ALL_DRAWN)
    assert len(only) == 1
    pivotless = ablations.sections(table | {"rows": table["rows"][:3], "complete": False}, bound=ALL_DRAWN)
    assert len(pivotless) == 2


def test_names_cannot_break_the_page(table):
    table["rows"][0]["name"] = "<script>"
    assert "&lt;script&gt;" in ablations.sections(table, bound=ALL_DRAWN)[0][1]


def test_another_city(away):
    html = city_card.elsewhere(away, "Boston", bound=ALL_DRAWN)
    assert "Trained on Boston alone and tested on Amsterdam &lt;3" in html
    assert (
        "For 4.4 of 100 street views there, the most similar aerial image lies within 100 m, among 412 places" in html
    )
    assert "new city, same renderer" in html
    assert "location is left out" in html
    assert "3 / 14" in html
    outdated = city_card.elsewhere(
        away | {"outdated": True, "data": "old", "data_now": "abc"}, "Boston", bound=ALL_DRAWN
    )
    assert "earlier model than the one in use (data old, now abc)" in outdated
    few = {pair: {"n": 12, "too_few": True} for pair in away["retrieval"]}
    html = city_card.elsewhere(away | {"retrieval": few}, "Boston", bound=ALL_DRAWN)
    assert "too few: n = 12" in html
    assert "of 100 street views" not in html


def test_what_names_mean():
    def atlas(modalities, street="rendered"):
        return SimpleNamespace(manifest=SimpleNamespace(modalities=modalities, pictures={"street": street}))

    html = city_card.meanings(atlas(["street", "aerial"]))
    for words in (
        "<b>Street view</b>: panorama of four headings with known compass",
        "<b>Single street view</b>: one 90-degree view, compass unknown",
    ):
        assert words in html
    assert "one photo, compass known" in city_card.meanings(atlas(["street"], "photographed"))
    assert city_card.meanings(atlas(["aerial"])) == ""


def test_what_lies_beside_a_model(tmp_path, table):
    manifest = SimpleNamespace(pictures={"aerial": "rendered"}, modalities=["aerial", "text"], files={})
    atlas = SimpleNamespace(model_path=tmp_path, manifest=manifest, title="Boston", data_hash="abc")
    assert city_card.sections(atlas) == []
    write_json(tmp_path / "ablations.json", table)
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_text("{}")
    kept = {"elsewhere": "amsterdam", "title": "Amsterdam", "retrieval": {"street->aerial": {"acc@100m": 4, "n": 9}}}
    write_json(tmp_path / "elsewhere-amsterdam.json", kept)
    headings = [heading for heading, _ in city_card.sections(atlas)]
    assert headings[0] == "Amsterdam, never seen in training"
    assert len(headings) == 5


def test_the_card_shows_queries_of_the_model_that_answers_alone(tmp_path):
    own = {"split": "views", "retrieval": {"street->aerial": {"recall@1": 40.0}}, "queries": [{"query": "park"}]}
    other = {"split": "blocks", "retrieval": {"street->aerial": {"recall@1": 20.0}}, "queries": [{"query": "park"}]}
    write_json(tmp_path / "metrics.json", own)
    write_json(tmp_path / "metrics-blocks.json", other)
    card = model_card.read(SimpleNamespace(name="tiny", model_path=tmp_path, data_hash="abc"))
    assert list(card.retrieval) == ["views", "blocks"]
    assert card.queries == [{"query": "park"}]
