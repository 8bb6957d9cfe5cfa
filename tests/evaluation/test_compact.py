import numpy as np
import pytest

from tests.explorable import write_explorable_atlas
from unigeoclip.compare.compact_errors import region_errors
from unigeoclip.compare.regions import Region, embed_region
from unigeoclip.embedders.coordinates import CoordinatesEmbedder, FourierEmbedder
from unigeoclip.embedders.unigeoclip import UniGeoCLIPEmbedder
from unigeoclip.errors import InputError
from unigeoclip.evaluation import compact
from unigeoclip.evaluation.compact import compact_errors
from unigeoclip.search.explorer import Explorer
from unigeoclip.similarity.grid import Grid
from unigeoclip.similarity.heatmap import Heatmap


@pytest.fixture(scope="module")
def explorer(tmp_path_factory):
    folder = write_explorable_atlas(tmp_path_factory.mktemp("atlases") / "tiny")
    return Explorer.open(folder, cache_dir=tmp_path_factory.mktemp("cache"))


def test_items_are_found_where_the_exact_heatmap_has_them(explorer):
    report = compact_errors(explorer, queries=40)
    kinds = ["points", "centers", *(name for name in explorer.modalities if name != "location")]
    assert list(report["queries"]) == kinds
    assert report["bytes"] == len(explorer.compact_bytes())
    for kind in kinds[1:]:
        found = report["queries"][kind]
        assert 0 < found["n"] <= 40
        assert found["correlation"]["p5"] > 0.98, kind
        assert found["overlap"]["median"] > 0.8, kind


@pytest.mark.parametrize("embedder", [CoordinatesEmbedder(), FourierEmbedder(5e5)])
def test_a_region_of_page_compare_is_measured(explorer, tmp_path, embedder):
    embedded = embed_region(embedder, Region.whole(explorer.atlas), cache_dir=tmp_path)
    report = region_errors(embedded, queries=20)
    assert {name: found["n"] for name, found in report["queries"].items()} == {"points": 10, "centers": 10}
    assert report["bytes"] == len(embedded.compact_bytes())
    assert report["queries"]["centers"]["correlation"]["median"] > 0.98


def test_points_of_our_model_on_page_compare_are_encoded(explorer, tmp_path):
    embedder = UniGeoCLIPEmbedder.from_atlas(explorer.atlas)
    embedded = embed_region(embedder, Region.whole(explorer.atlas), cache_dir=tmp_path)
    points = region_errors(embedded, queries=40)["queries"]["points"]
    assert points["correlation"]["p5"] > 0.98
    assert embedded.encoder_bytes() == embedded.encoder_bytes()
    without = embed_region(embedder.without_scale(0), Region.whole(explorer.atlas), cache_dir=tmp_path)
    assert without.browser_encoder is None
    with pytest.raises(InputError, match="no location encoder"):
        without.encoder_bytes()


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
    grid = Grid((0.0, 0.0, 80.0, 100.0), np.ones((80, 100), bool))  # cells in the south are larger
    rng = np.random.default_rng(0)
    one = Heatmap(grid, rng.random(len(grid)).astype(np.float32))
    other = Heatmap(grid, -one.values)
    assert compact._overlap(one, one) == 1
    assert compact._overlap(one, other) == 0
    half = Heatmap(grid, np.where(one.hottest(0.005), one.values + 1, -one.values))
    assert compact._overlap(one, half) == pytest.approx(0.5, abs=0.02)


def test_what_the_browser_reads_is_made_once(explorer, monkeypatch):
    first = explorer.compact_bytes()
    monkeypatch.setattr(Explorer, "compact_grid", None)
    assert explorer.compact_bytes() == first
