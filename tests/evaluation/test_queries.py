"""Rules files and the precision of a similarity map."""

import json

import numpy as np
import pytest
import rasterio

from unigeoclip.errors import AtlasError, InputError
from unigeoclip.evaluation.queries import Rule, load_rules, precision_at_area


@pytest.fixture
def cells():
    """Land of a made-up Earth: a block of half-degree cells from the equator to 60 N."""
    lat, lon = np.meshgrid(np.arange(0.25, 60, 0.5), np.arange(10.25, 40, 0.5), indexing="ij")
    return np.stack([lat.ravel(), lon.ravel()], axis=1)


def test_perfect_map_scores_100_and_its_inverse_0(cells):
    inside = cells[:, 0] > 50
    heat = np.where(inside, 1.0, 0.0) + 1e-3 * np.random.default_rng(0).random(len(cells))
    assert precision_at_area(heat, cells, inside).precision == pytest.approx(100)
    assert precision_at_area(-heat, cells, inside).precision == 0


def test_map_without_contrast_scores_exactly_chance_in_any_order(cells):
    inside = (cells[:, 1] > 30) & (cells[:, 0] < 20)
    score = precision_at_area(np.ones(len(cells)), cells, inside)
    assert score.precision == pytest.approx(score.chance)
    assert score.n_cells == len(cells)
    turned = np.random.default_rng(1).permutation(len(cells))
    again = precision_at_area(np.ones(len(cells)), cells[turned], inside[turned])
    assert again.precision == pytest.approx(score.precision)


def test_random_maps_score_chance_on_average(cells):
    inside = cells[:, 0] > 30
    rng = np.random.default_rng(2)
    scores = [precision_at_area(rng.random(len(cells)), cells, inside) for _ in range(60)]
    assert np.mean([score.precision for score in scores]) == pytest.approx(scores[0].chance, abs=2)


def test_cells_count_by_their_area():
    # Two equally hot cells fill the target: the one at the equator is twice as large as the one at 60 N.
    cells = np.array([[0.0, 0.0], [60.0, 0.0], *([lat, 50.0] for lat in np.linspace(-60, 60, 2000))])
    heat = np.r_[1.0, 1.0, np.linspace(0.5, 0.1, 2000)]
    inside = np.zeros(len(cells), dtype=bool)
    inside[0] = True
    inside[500:900] = True
    land_km2 = 1.5 * 55.6**2 * 100  # so that 1 % is about the area of the two
    score = precision_at_area(heat, cells, inside, land_km2)
    assert score.precision == pytest.approx(100 * 2 / 3, abs=0.5)


def test_area_is_the_smaller_of_one_percent_and_half_the_rule(cells):
    wide, narrow = cells[:, 0] < 40, (cells[:, 0] > 50) & (cells[:, 1] < 10.5)
    heat = cells[:, 0]
    land_km2 = precision_at_area(heat, cells, wide).area / 0.01
    assert precision_at_area(heat, cells, wide).area == pytest.approx(0.01 * land_km2)
    score = precision_at_area(heat, cells, narrow)
    assert score.area == pytest.approx(0.5 * score.chance / 100 * land_km2)
    assert precision_at_area(heat, cells, wide, 2 * land_km2).area == pytest.approx(0.02 * land_km2)


def test_last_cell_counts_in_part():
    cells = np.array([[0.0, lon] for lon in np.arange(0, 100, 0.5)])
    inside = np.arange(200) >= 1  # the hottest cell is outside, the others inside
    heat = -np.arange(200.0)
    score = precision_at_area(heat, cells, inside, land_area_km2=150 * 3091.0)  # 1 %: one and a half cells
    assert score.n_cells == 2
    assert score.precision == pytest.approx(100 / 3, abs=0.1)


def test_nan_is_never_hot(cells):
    inside = cells[:, 0] > 50
    heat = np.where(inside, 1.0, 0.0)
    heat[inside] = np.nan
    assert precision_at_area(heat, cells, inside).precision == 0
    # Where only NaN is left to fill the area, it fills it without a hit.
    few = np.full(len(cells), np.nan)
    few[np.flatnonzero(inside)[0]] = 1.0
    assert 0 < precision_at_area(few, cells, inside).precision < 5


def test_bad_arrays_are_named(cells):
    inside = cells[:, 0] > 50
    with pytest.raises(InputError, match="'here'.*similarity"):
        precision_at_area(np.ones(3), cells, inside, query="here")
    with pytest.raises(InputError, match="no cell has a similarity"):
        precision_at_area(np.full(len(cells), np.nan), cells, inside)
    with pytest.raises(InputError, match="inside its rule"):
        precision_at_area(np.ones(len(cells)), cells, np.zeros(len(cells), dtype=bool))


def test_rule_knows_its_points_and_passes_on_its_words():
    mask = np.zeros((360, 720), dtype=bool)
    mask[0, 0] = mask[359, 719] = mask[100, 400] = True
    rule = Rule("corner", "in a corner", (), 1.0, mask)
    points = [[90, -180], [-90, 179.9], [39.75, 20.25], [39.75, 20.75], [20.25, 39.75], [89.9, 180]]
    assert rule.inside(points).tolist() == [True, True, True, False, False, True]
    score = precision_at_area([1.0, 0.0], [[39.75, 20.25], [0.25, 0.25]], rule)
    assert (score.query, score.rule, score.precision) == ("corner", "in a corner", 100)


@pytest.fixture
def city_rule():
    """Inside is the north-eastern of four cells; the hottest are 2 % of the land."""
    mask = np.array([[False, True], [False, False]])
    return Rule("corner", "in the corner", (), 1.0, mask, (42.0, -71.2, 42.2, -71.0), 0.02)


def test_rule_of_a_city_ends_at_its_bounds(city_rule):
    within = [[42.19, -71.01], [42.2, -71.0], [42.11, -71.09]]
    beyond = [[42.19, -71.11], [42.09, -71.01], [42.21, -71.01], [42.15, -70.99], [42.15, 71.01], [-42.15, -71.01]]
    assert city_rule.inside(within).tolist() == [True] * 3
    assert city_rule.inside(beyond).tolist() == [False] * 6
    assert not city_rule.inside([[42.15, -71.25], [41.9, -71.05]]).any()


def test_rule_says_how_much_of_the_land_is_hottest(city_rule):
    lat, lon = np.meshgrid(np.arange(42.001, 42.2, 0.002), np.arange(-71.199, -71, 0.002), indexing="ij")
    cells = np.stack([lat.ravel(), lon.ravel()], axis=1)
    score = precision_at_area(cells.sum(axis=1), cells, city_rule, step_deg=0.002)
    plain = precision_at_area(cells.sum(axis=1), cells, city_rule.inside(cells), step_deg=0.002)
    assert score.precision == pytest.approx(100)
    assert score.area == pytest.approx(2 * plain.area)
    assert score.chance == pytest.approx(25, abs=0.1)


@pytest.fixture
def folder(tmp_path):
    """Two rules on a grid of 4 x 8 cells."""
    masks = np.zeros((2, 4, 8), dtype=np.uint8)
    masks[0, 0], masks[1, :, 7] = 1, 1
    profile = {"driver": "GTiff", "count": 2, "height": 4, "width": 8, "dtype": "uint8"}
    with rasterio.open(tmp_path / "rules.tif", "w", **profile) as dataset:
        dataset.write(masks)
    queries = [
        {"query": "east", "rule": "in the east", "sources": ["drawn outline"], "area_km2": 5, "band": 2},
        {"query": "north", "rule": "in the north", "sources": [], "area_km2": 7, "band": 1},
    ]
    table = {"format": 1, "grid": {"rows": 4, "columns": 8}, "raster": {"file": "rules.tif"}, "queries": queries}
    (tmp_path / "rules.json").write_text(json.dumps(table))
    return tmp_path


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_load_rules_takes_each_row_its_band(folder):
    east, north = load_rules(folder)
    assert (east.query, east.words, east.area_km2) == ("east", "in the east", 5.0)
    assert north.inside([[80, -100], [10, -100]]).tolist() == [True, False]
    assert east.inside([[-80, 170], [80, 100]]).tolist() == [True, False]


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_load_rules_takes_the_whole_earth_where_the_table_says_nothing(folder):
    table = json.loads((folder / "rules.json").read_text())
    assert {(rule.bounds, rule.hottest_share) for rule in load_rules(folder)} == {((-90, -180, 90, 180), 0.01)}
    corners = {"south_deg": 42, "west_deg": -72, "north_deg": 43, "east_deg": -70}
    there = table | {"grid": table["grid"] | corners, "hottest_share": 0.02}
    (folder / "rules.json").write_text(json.dumps(there))
    assert {(rule.bounds, rule.hottest_share) for rule in load_rules(folder)} == {((42, -72, 43, -70), 0.02)}


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_broken_rules_folder_is_an_atlas_error(folder):
    table = json.loads((folder / "rules.json").read_text())
    for changed, words in (
        (table | {"format": 9}, "format 1"),
        (table | {"queries": [{"query": "east"}] * 2}, "'rule'"),
        (table | {"queries": table["queries"][:1]}, "rules.tif has"),
        (table | {"raster": {"file": "gone.tif"}}, "gone.tif is missing"),
        (table | {"grid": table["grid"] | {"south_deg": 95}}, "grid from 95"),
    ):
        (folder / "rules.json").write_text(json.dumps(changed))
        with pytest.raises(AtlasError, match=words):
            load_rules(folder)
    (folder / "rules.json").unlink()
    with pytest.raises(AtlasError, match=r"rules\.json does not exist"):
        load_rules(folder)
