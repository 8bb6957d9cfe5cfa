"""Parts of a region in words, and as tables."""

import io
import json

import numpy as np
import pandas as pd
import pytest

from unigeoclip.atlas.provenance import ModelSource, provenance_of
from unigeoclip.compare.selection import (
    Said,
    cells_csv,
    cells_geojson,
    cells_geoparquet,
    cells_table,
    characteristic,
    name_of,
    places_of_cells,
    typical,
)
from unigeoclip.errors import InputError
from unigeoclip.similarity.grid import Grid


class Atlas:
    """A hundred places on a line: houses in the west, woods in the east, a road everywhere, one church."""

    sentences = pd.DataFrame({
        "kind": ["fabric", "fabric", "street", "fabric", "worship"],
        "text": ["houses", "woods", "Long Road", "small houses", "a church"],
    })  # fmt: skip
    places = pd.DataFrame({
        "lat": np.full(100, 10.5), "lon": np.arange(100) / 10 + 0.05,
        "sentences": [np.array([0, 2] + [3] * (i % 2) + [4] * (i == 7)) for i in range(50)] + [np.array([1, 2])] * 50,
    })  # fmt: skip


@pytest.fixture(scope="module")
def grid():
    return Grid.over((10.0, 0.0, 11.0, 10.0), 0.1)


def test_groups_are_named_by_what_is_said_of_them_alone():
    west, east = characteristic(Atlas, np.repeat([0, 1], 50), 2)
    assert (west[0], east[0]) == (50, 50)
    assert [each.text for each in west[1]] == ["houses"], "one of a kind; the road is everywhere, a church once"
    assert [each.text for each in east[1]] == ["woods"]
    assert (west[1][0].inside, west[1][0].outside) == (1.0, 0.0)
    assert west[1][0].z > 3


def test_what_is_said_everywhere_tells_no_group_from_the_others():
    west, east = characteristic(Atlas, (np.arange(100) >= 20).astype(int), 2)
    assert "Long Road" not in [each.text for each in west[1] + east[1]], "however unlike the groups are in size"


def test_groups_that_differ_in_nothing_and_empty_ones_have_no_name():
    mixed = characteristic(Atlas, np.arange(100) // 2 % 2, 3)
    assert [(count, said) for count, said in mixed] == [(50, []), (50, []), (0, [])]
    assert characteristic(Atlas, np.full(100, -1), 1) == [(0, [])]
    assert name_of([]) == ""


def test_a_second_sentence_is_part_of_the_name_if_it_holds_for_a_good_part():
    def said(text, inside):
        return Said(text, "kind", inside, 0.0, 9.0)

    assert name_of([said("desert", 0.4), said("Sahara", 0.3), said("Africa", 0.2)]) == "desert; Sahara"
    assert name_of([said("desert", 0.4), said("Cairo", 0.05), said("Africa", 0.2)]) == "desert; Africa"
    assert name_of([said("Taiga", 0.4), said("taiga", 0.3)]) == "Taiga"


def test_places_are_found_in_their_cells(grid):
    cells = places_of_cells(Atlas, grid)
    assert cells.tolist() == [grid.cell_at(10.5, lon) for lon in Atlas.places["lon"]]
    outside = np.array([(12.0, 5.0), (10.5, -0.01), (10.0, 10.01), (10.0, 5.05), (10.95, 365.05)])
    assert [cell >= 0 for cell in grid.cells_at(outside)] == [False, False, False, True, True]


def test_selected_cells_become_a_table(grid):
    chosen = np.zeros(len(grid), bool)
    chosen[[3, 40]] = True
    columns = {"cluster_ours": np.arange(len(grid)), "similarity": np.linspace(0, 1, len(grid), dtype=np.float32)}
    table = cells_table(grid, chosen, columns)
    assert table["cluster_ours"].tolist() == [3, 40]
    np.testing.assert_allclose(table[["lat", "lon"]], grid.cells[chosen], atol=1e-6)
    assert pd.read_csv(io.BytesIO(cells_csv(grid, chosen, columns)))["area_km2"].gt(0).all()
    features = json.loads(cells_geojson(grid, chosen, columns))["features"]
    assert features[0]["geometry"]["coordinates"] == pytest.approx(grid.cells[3][::-1], abs=1e-6)
    with pytest.raises(InputError, match="as many values"):
        cells_table(grid, chosen, {"short": np.zeros(3)})


def test_selected_cells_become_geoparquet_with_provenance(grid):
    import geopandas
    import pyarrow.parquet as pq

    chosen = np.arange(len(grid)) % 7 == 0
    columns = {"cluster_ours": np.arange(len(grid))}
    origin = provenance_of(None, [ModelSource("ours", "weights", "MIT")])
    for provenance in (None, origin):
        data = cells_geoparquet(grid, chosen, columns, provenance)
        table = geopandas.read_parquet(io.BytesIO(data))
        assert table["cluster_ours"].tolist() == np.flatnonzero(chosen).tolist()
        assert table.crs == "EPSG:4326"
        metadata = pq.read_metadata(io.BytesIO(data)).metadata
        assert metadata.get(b"provenance") == (None if provenance is None else origin.json().encode())


def test_typical_points_are_the_middles_of_groups_the_largest_first():
    rng = np.random.default_rng(0)
    middles = np.array([(0.0, 0.0), (9.0, 0.0), (0.0, 9.0)])
    points = np.concatenate([[middles[i]] + [middles[i] + rng.normal(size=2) for _ in range(n)]
                             for i, n in enumerate((60, 200, 30))])  # fmt: skip
    found = typical(points, 3)
    nearest = [np.linalg.norm(middles - points[row], axis=1).argmin() for row in found]
    assert nearest == [1, 0, 2]
    assert all(np.linalg.norm(middles - points[row], axis=1).min() < 0.6 for row in found)
    np.testing.assert_array_equal(found, typical(points, 3))


def test_typical_points_of_few_or_equal_ones():
    assert typical(np.eye(3), 6).tolist() == [0, 1, 2]
    assert typical(np.zeros((0, 4)), 6).tolist() == []
    assert len(typical(np.ones((50, 4)), 6)) == 1
