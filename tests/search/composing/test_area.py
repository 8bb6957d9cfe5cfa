"""A query within an area: results, heatmap and statistics against those of everything, filtered item by item."""

import json
import shlex

import numpy as np
import pytest

from tests.explorable import write_store_of
from tests.search.composing import brute
from unigeoclip.cli.main import main
from unigeoclip.errors import InputError
from unigeoclip.search.explorer import QueryItem
from unigeoclip.search.store_explorer import StoreExplorer
from unigeoclip.stores.lance_writer import index_parts

pytestmark = pytest.mark.usefixtures("hashed_sentences")

ITEMS = [QueryItem("location", (10.0, 20.0)), QueryItem("text", "a desert")]
EVERYTHING = (-90.0, -180.0, 90.0, 180.0)


@pytest.fixture(scope="module")
def areas(explorer):
    """West of the median place, a strip with three places at most, and the date line from either side."""
    places = explorer.atlas.places[explorer.atlas.places["gallery"]]
    lon = np.sort(places["lon"].to_numpy())
    middle = float(lon[len(lon) // 2])
    few = (-90.0, float(lon[1]) - 1e-6, 90.0, float(lon[3]) + 1e-6)
    return [(-90.0, -180.0, 90.0, middle), few, (-90.0, float(lon[-4]) - 1e-6, 90.0, float(lon[4]) + 360 + 1e-6)]


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("combine", ["sum", "any"])
def test_answers_are_those_of_what_lies_within(explorer, areas, number, combine):
    area = areas[number]
    everywhere, query = (explorer.query(ITEMS, combine=combine, area=each) for each in (None, area))
    counts = set()
    for modality, matches in explorer.search(query, k=6).items():
        expected = brute.best_places(explorer, everywhere, modality, 6, area)
        assert [match.place_id for match in matches] == [place_id for place_id, _ in expected]
        np.testing.assert_allclose([match.score for match in matches], [score for _, score in expected], atol=1e-5)
        assert brute.inside(area, [(match.lat, match.lon) for match in matches]).all()
        counts.add(len(matches))
        latlon, _ = explorer.item_similarities(query, modality)
        kept = brute.inside(area, explorer.item_similarities(everywhere, modality)[0])
        assert len(latlon) == kept.sum() > 0
    assert (min(counts) < 6) == (number == 1), "the strip has fewer"

    whole, part = explorer.heatmap(everywhere), explorer.heatmap(query)
    keep = brute.inside(area, whole.grid.cells)
    np.testing.assert_array_equal(part.values, whole.values[keep])
    assert part.best().similarity == whole.values[keep].max()
    areas_km2, value = whole.grid.area_km2[keep], float(np.median(whole.values[keep]))
    expected = 100 * areas_km2[whole.values[keep] < np.float32(value)].sum() / areas_km2.sum()
    assert part.percentile(value) == pytest.approx(expected, abs=1e-6)
    assert part.legend(floor_percentile=0)[0].similarity == pytest.approx(float(whole.values[keep].min()), abs=1e-6)
    raster = part.raster()
    assert np.isfinite(raster).sum() == keep.sum()
    np.testing.assert_array_equal(raster[np.isfinite(raster)], whole.raster()[np.isfinite(raster)])


def test_an_area_of_everything_changes_nothing(explorer):
    whole, same = explorer.query(ITEMS), explorer.query(ITEMS, area=EVERYTHING)
    assert dict(explorer.search(whole)) == dict(explorer.search(same))
    np.testing.assert_array_equal(explorer.heatmap(whole).values, explorer.heatmap(same).values)


def test_a_place_outside_is_no_result_and_none_is_an_empty_list(explorer):
    places = explorer.atlas.places[explorer.atlas.places["gallery"]]
    latlon = places[["lat", "lon"]].to_numpy()
    lat_step, lon_step = explorer.grid.step_deg
    for lat, lon in explorer.grid.cells.tolist():  # a cell of land that no place lies in
        area = (lat - lat_step / 4, lon - lon_step / 4, lat + lat_step / 4, lon + lon_step / 4)
        if not brute.inside(area, latlon).any():
            break
    found = explorer.search(explorer.query(ITEMS, area=area), k=3)
    assert not any(found.values())
    assert set(found) == set(explorer.modalities)


@pytest.mark.parametrize("area", [(10.0, 0.0, 5.0, 1.0), (0.0, 5.0, 1.0, 4.0), (0.0, 0.0, float("nan"), 1.0)])
def test_no_part_of_the_globe_is_refused(explorer, area):
    with pytest.raises(InputError, match="bounding box"):
        explorer.query(ITEMS, area=area)


def test_an_area_without_land_is_refused(explorer):
    lat, lon = explorer.grid.cells[0].tolist()
    with pytest.raises(InputError, match="choose a larger one"):
        explorer.query(ITEMS, area=(lat + 1e-5, lon + 1e-5, lat + 2e-5, lon + 2e-5))


def test_a_store_filters_likewise(explorer, folder, cache, areas, tmp_path):
    index_parts(write_store_of(explorer, tmp_path / "encoded"), tmp_path / "index")
    over = StoreExplorer.over(tmp_path / "index", folder, cache_dir=cache)
    for area in areas:
        query = over.query(ITEMS, combine="any", area=area)
        for modality, matches in over.search(query, k=5).items():
            chunks = list(over.store.chunks(modality))
            keep = brute.inside(area, np.concatenate([chunk.items.latlon for chunk in chunks]))
            values = brute.of_any(explorer, ITEMS, np.concatenate([chunk.vectors for chunk in chunks])[keep])
            np.testing.assert_allclose([match.score for match in matches], np.sort(values)[::-1][:5], atol=2e-3)
            latlon, similarities = over.item_similarities(query, modality)
            np.testing.assert_allclose(np.sort(similarities), np.sort(values), atol=2e-3)
            assert brute.inside(area, latlon).all()


def test_the_command_of_an_answer_gives_it_again(explorer, areas, folder, cache, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(cache))
    items = [QueryItem("location", (10.0, 20.0)), QueryItem("location", (-20.0, 130.0))]
    query = explorer.query(items, combine="any", area=areas[0])
    results, heatmap = explorer.search(query, k=10), explorer.heatmap(query)
    assert main([*shlex.split(results.provenance.command)[1:], "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["results"]
    assert {name: [each["place_id"] for each in matches] for name, matches in found.items()} == {
        name: [match.place_id for match in matches] for name, matches in results.items()
    }
    out = tmp_path / "again.geojson"
    assert main([*shlex.split(heatmap.provenance.command)[1:], "--out", str(out)]) == 0
    assert out.read_bytes() == heatmap.geojson()
    assert main(["heatmap", "--atlas", str(folder), "--latlon", "10,20", "--bbox", "1,2", "--out", str(out)]) == 2
    assert "south,west,north,east" in capsys.readouterr().err
