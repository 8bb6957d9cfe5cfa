"""What page Compare and page Atlas say of retrained baselines, whichever way it comes out."""

from types import SimpleNamespace

import pytest

from pages.ui.atlas import baseline_card
from pages.ui.formatting import title
from unigeoclip import paths
from unigeoclip.config import write_json
from unigeoclip.embedders import retrained
from unigeoclip.errors import InputError

OWN = {
    "split": "views",
    "training": {"steps": 100, "batch": 8},
    "retrieval": {
        "location->aerial": {"recall@1": 60.0, "recall@10": 90.0, "n": 2000},
        "street->location": {"recall@1": 20.0, "recall@10": 50.0, "n": 2000},
    },
}


def record(kind, zoom, pair, recall, *, steps=100, data="abc"):
    figures = {"recall@1": recall, "recall@10": 80.0, "n": 2000}
    return {
        "data": data,
        "baseline": {"kind": kind, "zoom": zoom, "centre": [0.0, 0.0]},
        "training": {"steps": steps, "batch": 8},
        "retrieval": {pair: figures},
    }


@pytest.fixture
def atlas(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "BASELINES", tmp_path / "baselines")
    made = SimpleNamespace(name="town", model_path=tmp_path / "model", data_hash="abc")
    made.model_path.mkdir()
    write_json(made.model_path / "metrics.json", OWN)

    def ship(name, kept):
        folder = retrained.baseline_folder("town", name)
        folder.mkdir(parents=True)
        write_json(folder / "baseline.json", kept)

    made.ship = ship
    return made


def test_nothing_is_said_of_nothing(atlas, tmp_path):
    assert baseline_card.section(atlas) == ""
    atlas.ship("satclip-retrained", record("satclip", 1.0, "aerial->nowhere", 50.0))
    assert baseline_card.section(atlas) == ""  # ours was not asked that
    atlas.model_path = tmp_path / "none"
    assert baseline_card.section(atlas) == ""


@pytest.mark.parametrize(
    ("recall", "said"),
    [
        (75.0, "SatCLIP (retrained) is ahead of UniGeoCLIP (recall@1 75 and 60 %)"),
        (50.0, "UniGeoCLIP is ahead of SatCLIP (retrained) (recall@1 60 and 50 %)"),
        (61.0, "SatCLIP (retrained) and UniGeoCLIP are level (recall@1 61 and 60 %)"),
    ],
)
def test_it_says_who_is_ahead(atlas, recall, said):
    atlas.ship("satclip-retrained", record("satclip", 1.0, "location->aerial", recall))
    shown = baseline_card.section(atlas)
    assert f"Location → {title('aerial')}: {said}." in shown
    assert f"<td>{recall:.0f} / 80</td>" in shown
    assert "2,000 held-out places" in shown
    assert "UniGeoCLIP, which learns all its modalities at once, was trained as long." in shown


def test_the_best_of_several_is_compared_and_every_one_is_shown(atlas):
    atlas.ship("satclip-retrained", record("satclip", 1.0, "location->aerial", 1.0, steps=120))
    atlas.ship("satclip-retrained-city", record("satclip", 600.0, "location->aerial", 80.0, data="old"))
    atlas.ship("geoclip-retrained", record("geoclip", 1.0, "street->location", 5.0))
    shown = baseline_card.section(atlas)
    assert "SatCLIP (retrained, finer scales) is ahead of UniGeoCLIP" in shown
    assert "UniGeoCLIP is ahead of GeoCLIP (retrained)" in shown
    assert "<td>SatCLIP (retrained)</td><td>1 / 80</td><td>–</td>" in shown
    assert "100 or 120 steps of 8 places. UniGeoCLIP, which" in shown
    assert "was trained for 100 steps." in shown
    assert (
        "earlier version of this atlas, whose data checksum is now abc: SatCLIP (retrained, finer scales): old."
        in shown
    )


def test_too_few_items_are_no_outcome(atlas):
    kept = record("satclip", 1.0, "location->aerial", 75.0)
    kept["retrieval"]["location->aerial"] = {"n": 12, "too_few": True}
    atlas.ship("satclip-retrained", kept)
    shown = baseline_card.section(atlas)
    assert "too few: n = 12" in shown
    assert "ahead" not in shown


def test_a_broken_record_is_told(atlas):
    atlas.ship("geoclip-retrained", record("geoclip", 0.5, "street->location", 5.0))
    with pytest.raises(InputError, match="zoom is 1 or more"):
        baseline_card.section(atlas)
