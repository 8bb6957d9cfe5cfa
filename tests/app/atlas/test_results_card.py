"""What page Atlas shows of the figures that ship."""

import re
from types import SimpleNamespace

import pytest

from pages.ui.atlas import results_card
from unigeoclip import paths
from unigeoclip.config import read_json


def atlas(name, *modalities, folder=paths.ATLASES):
    return SimpleNamespace(name=name, path=folder / name, manifest=SimpleNamespace(modalities=modalities))


def test_a_city_stands_beside_the_paper():
    paper, probes, *_, every = results_card.sections(atlas("boston", "location", "aerial", "street"))
    assert paper.heading == results_card.PAPER_HEADING
    assert "their data, not comparable" in paper.html
    assert "<td>88.2, " in paper.html
    measured = read_json(paths.ATLASES / "boston/model/metrics.json")["retrieval"]["street->aerial"]["acc@100m"]
    low, high = map(float, re.search(r"<small>([\d.]+) to ([\d.]+)</small>", paper.html).groups())
    assert low < measured < high
    assert probes.heading == results_card.PROBES_HEADING
    assert "Population density" in probes.html
    assert "amsterdam" in every.html
    assert "SatCLIP (retrained)" in every.html
    assert "<td>world</td>" not in every.html
    assert "outdated data" not in every.html, "every record is of the present captions"


def test_the_world_stands_beside_encoders_of_others():
    others, *_, every = results_card.sections(atlas("world", "location", "aerial"))
    assert others.heading == results_card.COORDBENCH_HEADING
    assert "geoclip (512)" in others.html
    assert "torchgeo-bench/blob/" in others.html
    assert "outdated data" not in every.html


def test_a_name_with_brackets_is_no_interval():
    assert results_card._cell("GeoCLIP (retrained) 0.50 (0.34 to 0.67)").text == "GeoCLIP (retrained) 0.50"
    assert results_card._cell("**GeoCLIP 0.50 (0.34 to 0.67)**").below == "0.34 to 0.67"
    assert results_card._cell("GeoCLIP (retrained)").text == "GeoCLIP (retrained)"


@pytest.mark.parametrize("name", ["boston", "mine"])
def test_an_atlas_that_does_not_ship_has_no_such_figures(name, tmp_path):
    assert results_card.sections(atlas(name, "location", "street", folder=tmp_path)) == []
