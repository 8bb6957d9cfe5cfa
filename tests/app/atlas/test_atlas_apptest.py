"""Page Atlas through app.py, without a browser."""

import json

import pytest

from tests.app import fake

METRICS = {
    "split": "random",
    "seed": 0,
    "data": "abc123",
    "training": {"seconds": 3900, "machine": "x86_64, 2 threads", "steps": 3000, "batch": 512, "pivot": None},
    "retrieval": {
        "location->aerial": {"recall@1": 65.4, "recall@10": 99.1, "n": 5000},
        "aerial->location": {"recall@1": 64.0, "recall@10": 98.7, "n": 5000},
    },
    "queries": [{"query": "Sahara <b>", "rule": "polygon", "precision": 97.0, "chance": 6.0}],
}


def words(app):
    written = [element.value for kind in (app.markdown, app.title, app.header) for element in kind]
    return " ".join([*written, *(element.proto.body for element in app.get("html"))])


@pytest.fixture
def model():
    """Figures of a model beside the fake atlas."""
    folder = fake.FakeAtlas().model_path
    path = folder / "metrics.json"
    path.write_text(json.dumps(METRICS))
    (folder / "metrics_blocks.json").write_text(json.dumps(METRICS | {"split": "blocks", "queries": []}))
    yield folder
    for file in folder.glob("*.json"):
        file.unlink()


def test_sources_stand_with_licence_and_attribution(app):
    app = app.switch_page("pages/atlas.py").run()
    assert not app.exception
    for expected in ("CC0-1.0", "Nobody in particular", "60, of which 10 held out", "330 km"):
        assert expected in words(app)
    assert "no model yet" in app.info[0].value


def test_the_model_card_shows_training_and_every_split(app, model):
    app = app.switch_page("pages/atlas.py").run()
    text = words(app)
    assert "65 minutes" in text
    assert "65 / 99" in text
    assert "5,000 places" in text
    assert [header.value for header in app.subheader][:2] == [
        "Held-out points among training points (random split)",
        "Whole regions never seen (block split)",
    ]
    assert "Sahara &lt;b&gt;" in text
    assert "Mean precision 97 %" in text


def test_what_was_measured_beside_it_is_shown(app, model):
    figures = {"recall@1": 12.0, "recall@10": 44.0, "acc@100m": 21.0, "n": 2000}
    row = {"group": "scales", "name": "4 scales", "run": "all-five", "modalities": [], "pivot": None, "seconds": 480}
    budget = {"steps": 250, "batch": 384, "seed": 0}
    table = {"data": "0123456789ab", "split": "views", "budget": budget, "complete": True}
    rows = [row | {"retrieval": {"street->location": figures}}]
    (model / "ablations.json").write_text(json.dumps(table | {"rows": rows}))
    app = app.switch_page("pages/atlas.py").run()
    assert not app.exception
    assert "Number of scales of the location encoder" in [header.value for header in app.subheader]
    assert "250 steps of 384 places" in words(app)
    (model / "ablations.json").write_text("{")
    assert "ablations.json" in app.run().error[0].value.replace("\\", "")


def test_an_unreadable_model_file_is_a_sentence(app, model):
    (model / "metrics.json").write_text("{")
    app = app.switch_page("pages/atlas.py").run()
    assert not app.exception
    assert "metrics.json" in app.error[0].value.replace("\\", "")
