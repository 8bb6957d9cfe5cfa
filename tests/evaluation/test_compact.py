import numpy as np
import pytest

from tests.explorable import write_explorable_atlas
from unigeoclip.evaluation import compact
from unigeoclip.evaluation.compact import compact_errors
from unigeoclip.search.explorer import Explorer


@pytest.fixture(scope="module")
def explorer(tmp_path_factory):
    folder = write_explorable_atlas(tmp_path_factory.mktemp("atlases") / "tiny")
    return Explorer.open(folder, cache_dir=tmp_path_factory.mktemp("cache"))


def test_items_are_found_where_the_exact_heatmap_has_them(explorer):
    report = compact_errors(explorer, queries=40)
    kinds = ["points", "centers", *(name for name in explorer.modalities if name != "location")]
    assert list(report["queries"]) == kinds
    assert report["bytes"] == len(explorer.compact())
    for kind in kinds[1:]:
        found = report["queries"][kind]
        assert 0 < found["n"] <= 40
        assert found["correlation"]["p5"] > 0.98, kind
        assert found["overlap"]["median"] > 0.8, kind


def test_a_grid_that_is_too_coarse_shows_in_the_errors(explorer, monkeypatch):
    fine = compact_errors(explorer, queries=24)["queries"]["centers"]["correlation"]["median"]
    few = _with_few_components(explorer)
    monkeypatch.setattr(Explorer, "compact_grid", lambda explorer: few)
    coarse = compact_errors(explorer, queries=24)["queries"]["centers"]["correlation"]["median"]
    assert coarse < fine


def _with_few_components(explorer):
    whole = explorer.compact_grid()
    few = slice(0, 1)
    return type(whole)(whole.grid, whole.codes[few], whole.step, whole.mean, whole.basis[:, few], whole.reach)


def test_the_hottest_hundredth_is_by_area():
    area = np.array([1.0] * 98 + [50.0, 2.0])
    one, other = np.linspace(0, 1, 100), np.linspace(0, 1, 100)
    other[[98, 99]] = other[[99, 98]]
    assert compact._overlap(one, one, area) == 1
    assert compact._overlap(one, other, area) == 0  # the last cell is more than a hundredth of the area


def test_what_the_browser_reads_is_made_once(explorer, monkeypatch):
    first = explorer.compact()
    monkeypatch.setattr(Explorer, "compact_grid", None)
    assert explorer.compact() == first
