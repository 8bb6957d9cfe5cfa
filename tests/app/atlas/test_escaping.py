"""Whatever an atlas that somebody built calls itself, its sources and its cities is shown as text."""

from dataclasses import fields, replace
from html.parser import HTMLParser
from types import SimpleNamespace

import pandas as pd
import pytest

from pages.ui.atlas import ablations, baseline_card, city_card, limitations, model_card, retrieval
from unigeoclip import paths
from unigeoclip.atlas.schema import FORMAT, GridSpec, Manifest, Source
from unigeoclip.config import write_json
from unigeoclip.embedders import retrained

HOSTILE = "<script>alert('x')</script><img src=x onerror=\"alert(1)\">&amp;"
FIGURES = {"recall@1": 40.0, "recall@10": 75.0, "acc@100m": 40.2, "n": 2000}


class Parsed(HTMLParser):
    """Names of the elements, and all text, as a browser reads it."""

    def __init__(self, html):
        super().__init__()
        self.names, self.words = set(), ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data):
        self.words += data


def source():
    texts = {field.name: HOSTILE for field in fields(Source) if field.name != "bytes"}
    return Source(**texts, bytes=1)


@pytest.fixture(params=[220.0, 333_585.0], ids=["city", "earth"])
def manifest(request):
    return Manifest(
        format=FORMAT, name="town", title=HOSTILE, summary=HOSTILE, bounds=(42.0, -72.0, 43.0, -71.0),
        modalities=["location", "aerial", "street", "text"], window_m=request.param, grid=GridSpec(),
        pictures={"aerial": "rendered", "street": "photographed"}, sources=[source()], shares={HOSTILE: 0.5},
        notes=[HOSTILE],
    )  # fmt: skip


def assert_is_text(html, times):
    found = Parsed(html)
    assert not found.names & {"script", "img"}
    assert found.words.count(HOSTILE) == times


def test_names_in_a_manifest(manifest):
    atlas = SimpleNamespace(manifest=manifest, places=pd.DataFrame({"views": ["held_out", "train"]}))
    assert_is_text(model_card.facts(atlas), times=1)
    assert_is_text(model_card.sources(manifest.sources), times=7)
    is_city = manifest.window_m < 1000
    assert_is_text(limitations.limits(manifest), times=2 if is_city else 0)
    assert_is_text(limitations.limits(replace(manifest, notes=[])), times=1 if is_city else 0)


def test_names_in_the_records_of_a_model():
    training = {"seconds": 3900, "machine": HOSTILE, "steps": 3, "batch": 2, "pivot": HOSTILE}
    card = model_card.ModelCard({"seed": HOSTILE, "data": HOSTILE, "training": training}, {"dim": HOSTILE}, {})
    assert_is_text(model_card.training(card), times=5)
    query = {"query": HOSTILE, "rule": HOSTILE, "precision": 80.0, "chance": 3.0}
    assert_is_text(model_card.query_table([query]), times=2)
    shown = retrieval.retrieval_table({f"{HOSTILE}->street": FIGURES})
    assert not Parsed(shown).names & {"script", "img"}


def test_names_of_other_cities_and_ablations():
    entry = {"title": HOSTILE, "means": "new", "retrieval": {}, "outdated": True, "data": HOSTILE, "data_now": "b"}
    assert_is_text(city_card.elsewhere(entry, HOSTILE, bound=""), times=3)
    rows = [
        {"group": group, "name": HOSTILE, "run": "a", "modalities": [], "pivot": None, "seconds": 1,
         "retrieval": {"street->location": FIGURES}}
        for group in ("modalities", "loss", "depth", "scales")
    ]  # fmt: skip
    table = {"rows": rows, "split": HOSTILE, "budget": {"steps": 1, "batch": 1, "seed": HOSTILE}}
    counts = [html for _, html in ablations.sections(table, bound="")]
    for html, times in zip(counts, (3, 1, 2, 2), strict=True):
        assert_is_text(html, times)


def test_checksums_in_the_record_of_a_baseline(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "BASELINES", tmp_path / "baselines")
    atlas = SimpleNamespace(name="town", model_path=tmp_path / "model", data_hash="abc")
    atlas.model_path.mkdir()
    pairs = {"location->aerial": FIGURES}
    write_json(atlas.model_path / "metrics.json", {"split": "views", "retrieval": pairs})
    record = {
        "data": HOSTILE,
        "baseline": {"kind": "satclip", "zoom": 1.0, "centre": [0.0, 0.0]},
        "training": {"steps": 1, "batch": 8},
        "retrieval": pairs,
    }
    folder = retrained.baseline_folder("town", "satclip-retrained")
    folder.mkdir(parents=True)
    write_json(folder / "baseline.json", record)
    assert_is_text(baseline_card.section(atlas), times=1)
