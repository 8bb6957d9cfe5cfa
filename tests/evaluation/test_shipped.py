"""The models that ship, measured again: what docs/results.md says of them must be what comes out."""

import re

import pytest

from tests.project.test_results_page import RESULTS, SECTIONS, tables
from unigeoclip.atlas import load_atlas
from unigeoclip.config import read_json
from unigeoclip.evaluation import evaluate
from unigeoclip.evaluation.report import recalibrate
from unigeoclip.similarity.calibration import FILE, calibration

pytestmark = pytest.mark.slow

SPLIT = {"world": ("random", 5000), "boston": ("views", 2000)}
TOLERANCE = 1.5  # points: half of one by the page's rounding, the rest for processors that differ in last bits
WITHIN = ("acc@100m", "acc@100m_gallery_cameras", "acc@100m_gallery_cells", "acc@100m_gallery_windows")


@pytest.fixture(scope="module", params=list(SPLIT))
def measured(request):
    return request.param, evaluate(load_atlas(request.param))


def page_tables(name):
    return tables(RESULTS.split(f"## {SECTIONS[name]}\n")[1].split("\n#")[0])


def test_recalls_are_those_of_the_page(measured):
    name, report = measured
    split, count = SPLIT[name]
    found = report["splits"][split]["retrieval"]
    head, *rows = page_tables(name)[0]
    compared = 0
    for query, *cells in rows:
        for target, cell in zip(head[1:], cells, strict=True):
            if " / " not in cell:
                continue
            figures = found[f"{query}->{target.split(' of ')[0]}"]
            first, tenth = map(float, cell.split(" / "))
            assert figures["recall@1"] == pytest.approx(first, abs=TOLERANCE), (query, target)
            assert figures["recall@10"] == pytest.approx(tenth, abs=TOLERANCE), (query, target)
            assert figures["n"] == count
            compared += 1
    assert compared == len(found)


def test_shares_within_100_m_are_those_of_the_page(measured):
    name, report = measured
    if name != "boston":
        assert len(page_tables(name)) == 1, "the world has no such table"
        return
    found = report["splits"]["views"]["retrieval"]
    for pair, *cells in page_tables(name)[1][1:]:
        for cell, key in zip(cells, WITHIN, strict=True):
            assert found[pair.replace(" ", "")][key] == pytest.approx(float(cell), abs=TOLERANCE), (pair, key)


def test_it_is_what_the_model_card_says(measured):
    name, report = measured
    card = read_json(load_atlas(name).model_path / "metrics.json")
    split = report["splits"][SPLIT[name][0]]
    for pair, figures in card["retrieval"].items():
        # Processors differ in last bits.
        assert split["retrieval"][pair] == pytest.approx(figures, abs=0.5, rel=0.1), pair
    assert split["held_out"] == pytest.approx(card["held_out"])
    for group, figures in card["query_groups"].items():
        assert report["query_groups"][group]["n"] == figures["n"]
        assert report["query_groups"][group]["mean_precision"] == pytest.approx(figures["mean_precision"], abs=0.5)
    assert report["splits"]["blocks"]["recorded"] is True


def test_plain_queries_are_as_precise_as_the_page_says(measured):
    name, report = measured
    text = " ".join(RESULTS.split(f"## {SECTIONS[name]}\n")[1].split("\n#")[0].split())
    count = int(re.search(r"Of (\d+) plain queries", text)[1])
    mean = float(text.split(" % on average")[0].split()[-1])
    assert len(report["queries"]) == count
    assert report["mean_precision"] == pytest.approx(mean, abs=TOLERANCE)
    assert sum(query["chance"] for query in report["queries"]) / len(report["queries"]) < 5


def test_the_calibration_is_the_one_that_ships(measured, tmp_path):
    name, _ = measured
    atlas = load_atlas(name)
    shipped = calibration(atlas)
    assert shipped is not None, "it is of the data and the model that ship"
    for file in ("config.json", "model.safetensors", "metrics.json"):
        (tmp_path / file).write_bytes((atlas.model_path / file).read_bytes())
    again = recalibrate(atlas, tmp_path)
    assert again.keys() == read_json(tmp_path / FILE).keys()
    for modality, spread in shipped.modalities.items():
        assert again["modalities"][modality]["match"] == pytest.approx(spread.match, abs=5e-3)
        assert again["modalities"][modality]["other"] == pytest.approx(spread.other, abs=5e-3)
