"""The exam of plain text queries on Boston: known points, agreement of its files, and which atlases have it."""

import json

import numpy as np
import pytest
from rasterio import open as open_raster

from tests.build import made_up_tiles as made_up
from unigeoclip.atlas import schema
from unigeoclip.atlas.store import load_atlas
from unigeoclip.build.city import synonyms, vocabulary
from unigeoclip.build.city.builder import build_city
from unigeoclip.build.rules import city_rules
from unigeoclip.build.rules.boston_queries import BOSTON_PARAPHRASED, BOSTON_QUERIES
from unigeoclip.build.rules.city_outlines import CityRuleSpec, Outlines, RuleGrid
from unigeoclip.build.rules.city_rules import CITY_RULES, HOTTEST_SHARE, CityRules, build_city_rules, rules_source
from unigeoclip.errors import AtlasError, InputError
from unigeoclip.evaluation.queries import load_rules
from unigeoclip.sentences import SENTENCE_DIM

BOUNDS = (42.2447, -71.2574, 42.4721, -70.9496)

FENWAY_PARK, LOGAN_RUNWAY, HARVARD_YARD = (42.3467, -71.0972), (42.3620, -71.0050), (42.3744, -71.1169)
STATE_HOUSE, COPLEY_SQUARE, PAUL_REVERE = (42.3588, -71.0638), (42.3500, -71.0765), (42.3637, -71.0537)
MIT_DOME, HATCH_SHELL, POST_OFFICE_SQUARE = (42.3598, -71.0921), (42.3573, -71.0736), (42.3560, -71.0555)
OAK_SQUARE, DAVIS_SQUARE, COOLIDGE_CORNER = (42.3503, -71.1668), (42.3967, -71.1223), (42.3421, -71.1212)
NEWTON_CENTRE, QUINCY_CENTER, CENTRAL_SQUARE = (42.3300, -71.1930), (42.2515, -71.0050), (42.3655, -71.1038)
JAMAICA_POND, REVERE_BEACH, SPECTACLE = (42.3160, -71.1240), (42.4160, -70.9900), (42.3240, -70.9860)
FIELDS_CORNER, PERKINS_COVE, MAVERICK = (42.3000, -71.0600), (42.3430, -71.0150), (42.3690, -71.0395)

# Query -> points (lat, lon) that are inside, points that are not; among the latter are near neighbours.
KNOWN = {
    "Fenway": ([FENWAY_PARK, (42.3393, -71.0940)], [COPLEY_SQUARE, MIT_DOME, COOLIDGE_CORNER]),
    "Back Bay": ([COPLEY_SQUARE, (42.3520, -71.0800)], [FENWAY_PARK, STATE_HOUSE, MIT_DOME]),
    "Beacon Hill": ([STATE_HOUSE, (42.3585, -71.0700)], [COPLEY_SQUARE, PAUL_REVERE]),
    "North End": ([PAUL_REVERE, (42.3670, -71.0563)], [STATE_HOUSE, POST_OFFICE_SQUARE]),
    "Chinatown": ([(42.3512, -71.0600)], [STATE_HOUSE, POST_OFFICE_SQUARE]),
    "South End": ([(42.3415, -71.0735)], [COPLEY_SQUARE, FENWAY_PARK]),
    "Roxbury": ([(42.3290, -71.0845)], [FENWAY_PARK, FIELDS_CORNER]),
    "Jamaica Plain": ([(42.3100, -71.1150), JAMAICA_POND], [FIELDS_CORNER, COOLIDGE_CORNER]),
    "Dorchester": ([FIELDS_CORNER, (42.2860, -71.0640)], [QUINCY_CENTER, JAMAICA_POND]),
    "South Boston": ([(42.3355, -71.0450)], [PAUL_REVERE, FIELDS_CORNER]),
    "East Boston": ([MAVERICK, (42.3860, -71.0060)], [PAUL_REVERE, (42.3770, -70.9750)]),
    "Charlestown": ([(42.3762, -71.0607)], [PAUL_REVERE, (42.3860, -71.0950)]),
    "Allston": ([(42.3530, -71.1320)], [OAK_SQUARE, CENTRAL_SQUARE]),
    "Cambridge": ([HARVARD_YARD, CENTRAL_SQUARE, MIT_DOME], [DAVIS_SQUARE, COPLEY_SQUARE]),
    "Somerville": ([DAVIS_SQUARE, (42.3875, -71.0995)], [HARVARD_YARD, (42.3762, -71.0607)]),
    "Brookline": ([COOLIDGE_CORNER, (42.3325, -71.1165)], [OAK_SQUARE, JAMAICA_POND]),
    "Newton": ([NEWTON_CENTRE, (42.3510, -71.2070)], [OAK_SQUARE, (42.2810, -71.2370)]),
    "Quincy": ([QUINCY_CENTER, (42.2660, -71.0190)], [FIELDS_CORNER]),
    "Harvard Square": ([(42.3734, -71.1189)], [CENTRAL_SQUARE, DAVIS_SQUARE]),
    "Kendall Square": ([(42.3625, -71.0862)], [CENTRAL_SQUARE, HARVARD_YARD]),
    "Boston Common": ([(42.3550, -71.0656)], [FENWAY_PARK, PAUL_REVERE]),
    "Charles River": ([HATCH_SHELL, (42.3690, -71.1230)], [DAVIS_SQUARE, MAVERICK]),
    "park by the river": ([HATCH_SHELL, (42.3930, -71.0790)], [STATE_HOUSE, JAMAICA_POND, REVERE_BEACH]),
    "harbour with docks": ([(42.3605, -71.0500), (42.3725, -71.0530)], [HATCH_SHELL, REVERE_BEACH]),
    "beach": ([REVERE_BEACH, (42.3290, -71.0420)], [HATCH_SHELL, PAUL_REVERE]),
    "woods": ([(42.4500, -71.1050), (42.2620, -71.1400)], [COPLEY_SQUARE, DAVIS_SQUARE]),
    "pond": ([JAMAICA_POND, (42.3850, -71.1460)], [MAVERICK, FIELDS_CORNER]),
    "salt marsh": ([(42.4400, -70.9900), (42.2700, -71.0450)], [COPLEY_SQUARE, DAVIS_SQUARE]),
    "island in the harbour": ([SPECTACLE, (42.3200, -70.9640)], [MAVERICK, QUINCY_CENTER]),
    "golf course": ([(42.3150, -71.1510), (42.3040, -71.0890)], [COOLIDGE_CORNER, DAVIS_SQUARE]),
    "cemetery": ([(42.3720, -71.1450), (42.2950, -71.1060)], [DAVIS_SQUARE, FENWAY_PARK]),
    "downtown towers": ([POST_OFFICE_SQUARE, (42.3474, -71.0825)], [DAVIS_SQUARE, HATCH_SHELL]),
    "quiet residential streets": ([(42.2800, -71.1550), (42.3350, -71.2300)], [POST_OFFICE_SQUARE, LOGAN_RUNWAY]),
    "large houses with gardens": ([(42.3180, -71.1520), (42.4480, -71.1650)], [DAVIS_SQUARE, FIELDS_CORNER]),
    "brick row houses": ([(42.3585, -71.0700), (42.3415, -71.0735)], [NEWTON_CENTRE, POST_OFFICE_SQUARE]),
    "triple-decker houses": ([FIELDS_CORNER, (42.3900, -71.1050)], [NEWTON_CENTRE, COPLEY_SQUARE]),
    "warehouses and factories": ([(42.3300, -71.0680), (42.3980, -71.0550)], [HARVARD_YARD, NEWTON_CENTRE]),
    "container port": ([PERKINS_COVE], [(42.3605, -71.0500), LOGAN_RUNWAY]),
    "rail yard": ([(42.3740, -71.0780), (42.3370, -71.0620)], [NEWTON_CENTRE, COPLEY_SQUARE]),
    "airport": ([LOGAN_RUNWAY, (42.3656, -71.0180)], [MAVERICK, (42.3770, -70.9750)]),
    "university campus": ([HARVARD_YARD, MIT_DOME, (42.4065, -71.1190)], [FIELDS_CORNER, PAUL_REVERE]),
    "restaurants in Brighton": ([OAK_SQUARE, (42.3490, -71.1525)], [COOLIDGE_CORNER, (42.3530, -71.1320)]),
    "hospital": ([(42.3630, -71.0690), (42.3370, -71.1060)], [NEWTON_CENTRE, PAUL_REVERE]),
    "shopping mall": ([(42.3680, -71.0760), (42.3270, -71.0630)], [HARVARD_YARD, MAVERICK]),
    "museum": ([(42.3393, -71.0940), (42.3677, -71.0710)], [NEWTON_CENTRE, FIELDS_CORNER]),
    "sports stadium": ([FENWAY_PARK, (42.3662, -71.0621), (42.3668, -71.1267)], [COPLEY_SQUARE, HARVARD_YARD]),
    "theatre district": ([(42.3520, -71.0640)], [FENWAY_PARK, HARVARD_YARD]),
    "zoo": ([(42.3035, -71.0865)], [JAMAICA_POND, FENWAY_PARK]),
    "glass high-rises": ([POST_OFFICE_SQUARE, (42.3474, -71.0825), (42.3660, -71.0625)], [PAUL_REVERE, HARVARD_YARD]),
    "Victorian brownstones": ([(42.3520, -71.0800), (42.3415, -71.0735)], [STATE_HOUSE, (42.3762, -71.0607)]),
    "mansions": ([(42.3180, -71.1520), (42.4050, -71.1850)], [DAVIS_SQUARE, FIELDS_CORNER]),
    "swimming in the ocean": ([REVERE_BEACH, (42.3290, -71.0420)], [HATCH_SHELL, (42.3290, -71.2010)]),
    "reservoir with a walking path": ([JAMAICA_POND, (42.3850, -71.1460)], [HATCH_SHELL, MAVERICK]),
    "hiking trails in the forest": ([(42.4500, -71.1050), (42.2620, -71.1400)], [COPLEY_SQUARE, (42.3040, -71.0890)]),
    "sailboats and yachts": ([(42.3595, -71.0735), (42.3605, -71.0500)], [STATE_HOUSE, PERKINS_COVE]),
    "rowing on the river": ([(42.3690, -71.1230), (42.3545, -71.0930)], [DAVIS_SQUARE, HARVARD_YARD]),
    "close to the subway": ([DAVIS_SQUARE, CENTRAL_SQUARE, MAVERICK, COPLEY_SQUARE], [COOLIDGE_CORNER, OAK_SQUARE]),
    "highway interchange": ([(42.3568, -71.1838), (42.3700, -71.0640)], [NEWTON_CENTRE, HARVARD_YARD]),
    "planes taking off": ([LOGAN_RUNWAY], [MAVERICK, (42.3770, -70.9750)]),
    "freight trains": ([(42.3740, -71.0780), (42.3560, -71.1180)], [NEWTON_CENTRE, (42.3370, -71.2510)]),
    "oil tanks": ([(42.3985, -71.0080), (42.3020, -71.0470)], [PERKINS_COVE, LOGAN_RUNWAY]),
    "big box stores": ([(42.3270, -71.0630), (42.4030, -71.0670)], [COPLEY_SQUARE, (42.3680, -71.0760)]),
    "designer boutiques": ([(42.3510, -71.0780), (42.3590, -71.0708)], [(42.3270, -71.0630), HARVARD_YARD]),
    "nightclubs and cocktail bars": ([(42.3475, -71.0950), CENTRAL_SQUARE], [NEWTON_CENTRE, MIT_DOME]),
    "emergency room": ([(42.3630, -71.0690), (42.3370, -71.1060)], [NEWTON_CENTRE, MIT_DOME]),
    "biotech labs": ([(42.3625, -71.0862), (42.3960, -71.1440)], [DAVIS_SQUARE, FIELDS_CORNER]),
    "college students": ([HARVARD_YARD, MIT_DOME, (42.3530, -71.1320)], [FIELDS_CORNER, PAUL_REVERE]),
    "American Revolution sights": ([PAUL_REVERE, (42.4492, -71.2309)], [FENWAY_PARK, MIT_DOME]),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("boston") / "rules"
    build_city_rules("boston", out, BOUNDS)
    return out


@pytest.fixture(scope="module")
def rules(folder):
    return {rule.query: rule for rule in load_rules(folder)}


@pytest.fixture(scope="module")
def table(folder):
    return json.loads((folder / "rules.json").read_text(encoding="utf-8"))


def test_at_least_28_queries_and_none_twice(rules, table):
    assert len(table["queries"]) >= 28
    assert len({row["query"].lower() for row in table["queries"]}) == len(table["queries"])
    assert len({row["rule"] for row in table["queries"]}) == len(table["queries"])
    assert len({rule.mask.tobytes() for rule in rules.values()}) == len(rules)


def test_every_query_has_known_points(rules):
    assert set(KNOWN) == set(rules)


def test_no_caption_says_the_paraphrased_queries():
    """Nor those of the first queries that no caption said before; sentences of several words are put together."""
    kept = {"salt marsh", "island in the harbour", "large houses with gardens", "brick row houses"}
    kept |= {"triple-decker houses", "container port", "sports stadium"}
    assert kept <= {spec.query for spec in BOSTON_QUERIES}
    tables = [value for module in (vocabulary, synonyms) for name, value in vars(module).items() if name.isupper()]
    said = {text.casefold() for text in every_text(tables)}
    assert {"brownstones", "theater district", "t station"} <= said, "the words are found at all"
    assert not said & {query.casefold() for query in (*kept, *(spec.query for spec in BOSTON_PARAPHRASED))}


def every_text(values):
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            yield from every_text([*value, *value.values()])
        elif isinstance(value, (tuple, list)):
            yield from every_text(value)
        elif isinstance(value, synonyms.Dialect):
            yield from every_text(vars(value).values())


@pytest.mark.parametrize("query", KNOWN)
def test_known_points(rules, query):
    inside, outside = KNOWN[query]
    assert [point for point in inside if not rules[query].inside([point])[0]] == []
    assert [point for point in outside if rules[query].inside([point])[0]] == []


def test_each_rule_leaves_room_to_fail(table):
    shares = [row["land_share_percent"] for row in table["queries"]]
    assert max(shares) < 20
    assert min(shares) > 0.05
    assert np.median(shares) < 3
    assert all(row["area_km2"] > 0.4 for row in table["queries"])


def test_table_and_raster_say_where_they_lie(table, rules, folder):
    south, west, north, east = BOUNDS
    grid = RuleGrid.cover(BOUNDS)
    assert (grid.rows, grid.columns) == (227, 308)
    with open_raster(folder / "rules.tif") as dataset:
        assert (dataset.crs.to_epsg(), dataset.count, dataset.shape) == (4326, len(rules), (227, 308))
        assert tuple(dataset.bounds) == pytest.approx((west, south, east, north))
    for rule in rules.values():
        assert rule.bounds == BOUNDS
        assert rule.hottest_share == HOTTEST_SHARE == 0.02
        assert rule.sources == ("drawn outline",)
    assert grid.area_km2.sum() == pytest.approx(25.29 * 25.27, rel=0.01)
    assert table["sources"]["drawn outline"]["sha256"] == rules_source("boston").sha256


def test_the_same_outlines_give_the_same_bytes(folder, tmp_path):
    build_city_rules("boston", tmp_path, BOUNDS)
    for name in ("rules.json", "rules.tif"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_other_cities_and_parts_of_boston_have_no_rules(tmp_path):
    out = tmp_path / "rules"
    assert build_city_rules("amsterdam", out, BOUNDS) == []
    assert build_city_rules("boston", out, (42.3, -71.1, 42.4, -71.0)) == []
    assert not out.exists()


# Building blocks, on made-up data.


def feature(name, kind, geometry, **more):
    return {"type": "Feature", "properties": {"name": name, "kind": kind, **more}, "geometry": geometry}


@pytest.fixture
def outlines(tmp_path):
    """A box, a point that reaches 500 m, and a shore."""
    box = [[[0.02, 60.0], [0.04, 60.0], [0.04, 60.02], [0.02, 60.02], [0.02, 60.0]]]
    sea = [[[0.08, 60.0], [0.1, 60.0], [0.1, 60.05], [0.08, 60.05], [0.08, 60.0]]]
    features = [
        feature("Box", "area", {"type": "Polygon", "coordinates": box}),
        feature("Tower", "stadium", {"type": "Point", "coordinates": [0.06, 60.03]}, buffer_m=500),
        feature("Sea", "water", {"type": "Polygon", "coordinates": sea}),
        feature("Rock", "island", {"type": "Point", "coordinates": [0.09, 60.03]}, buffer_m=300),
    ]
    path = tmp_path / "made_up_rules.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def test_outlines_and_distances_from_them(outlines):
    drawn = Outlines(outlines, RuleGrid.cover((60.0, 0.0, 60.05, 0.1)))
    assert drawn.area("Box").sum() == 400
    assert drawn.named("area", "Bo").sum() == 400
    assert not drawn.area("Box")[:30].any()  # row 0 is in the north
    km2 = drawn.grid.area_km2
    assert km2[drawn.kind("stadium")].sum() == pytest.approx(np.pi * 0.5**2, rel=0.08)
    assert km2[drawn.kind("stadium", around_m=500)].sum() == pytest.approx(np.pi, rel=0.08)
    assert km2[~drawn.land].sum() == pytest.approx(0.2 * km2.sum() - np.pi * 0.3**2, rel=0.02)
    with pytest.raises(InputError, match="castle"):
        drawn.kind("castle")
    with pytest.raises(InputError, match="Camelot"):
        drawn.area("Box", "Camelot")
    assert np.array_equal(drawn.some("stadium", "Tower", around_m=500), drawn.kind("stadium", around_m=500))
    with pytest.raises(InputError, match="'stadium' is drawn for Box"):
        drawn.some("stadium", "Box")


def test_rules_of_a_made_up_city(outlines, tmp_path, monkeypatch):
    spec = CityRuleSpec("box", "in the box", lambda o: o.area("Box"))
    monkeypatch.setitem(city_rules.CITY_RULES, "madeup", CityRules(outlines, (60.0, 0.0, 60.05, 0.1), (spec,)))
    (row,) = build_city_rules("madeup", tmp_path / "rules", (60.0, 0.0, 60.05, 0.1))
    assert row["land_share_percent"] == pytest.approx(100 * 400 / 4000, rel=0.03)
    (rule,) = load_rules(tmp_path / "rules")
    assert rule.inside([[60.01, 0.03], [60.01, 0.05], [0.03, 60.01]]).tolist() == [True, False, False]


def embed(texts):
    return np.full((len(texts), SENTENCE_DIM), SENTENCE_DIM**-0.5, np.float32)


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_an_atlas_with_rules_lists_them_and_one_without_has_none(outlines, tmp_path, monkeypatch):
    south, west, north, east = bbox = made_up.bbox(500)
    tiles, out = made_up.write_tiles(tmp_path / "tiles"), tmp_path / "madeup"
    corners = [[west, south], [east, south], [east, north], [west, south]]
    half = {"type": "FeatureCollection", "features": [
        feature("Half", "area", {"type": "Polygon", "coordinates": [corners]}),
        feature("Sea", "water", {"type": "Point", "coordinates": corners[2]}, buffer_m=50),
        feature("Rock", "island", {"type": "Point", "coordinates": corners[2]}, buffer_m=10),
    ]}  # fmt: skip
    outlines.write_text(json.dumps(half))
    spec = CityRuleSpec("half", "in the south-east", lambda o: o.area("Half"))
    inner = (south + 0.001, west + 0.001, north - 0.001, east - 0.001)
    with monkeypatch.context() as patch:
        patch.setitem(city_rules.CITY_RULES, "madeup", CityRules(outlines, inner, (spec,)))
        atlas = load_atlas(build_city("madeup", tiles, out, bbox=bbox, embed=embed))
        assert {"rules/rules.json", "rules/rules.tif"} <= set(atlas.manifest.files)
        assert atlas.manifest.sources[-1].attribution == "outlines drawn by hand for this project"
        (rule,) = load_rules(out / schema.RULES_FOLDER)
        assert rule.bounds == pytest.approx(atlas.manifest.bounds)
        assert rule.mask.shape == atlas.land_grid().mask.shape
        assert 0 < rule.inside(atlas.land_grid().latlon).mean() < 1
    atlas = load_atlas(build_city("madeup", tiles, out, bbox=bbox, embed=embed))
    assert not (out / schema.RULES_FOLDER).exists()
    assert len(atlas.manifest.sources) == 1


def test_damaged_outlines_are_an_atlas_error(tmp_path):
    with pytest.raises(AtlasError, match="not a readable file of outlines"):
        Outlines(tmp_path / "gone.geojson", RuleGrid.cover(BOUNDS))


def test_every_outline_of_boston_lies_in_the_city():
    path, (south, west, north, east) = CITY_RULES["boston"].path, BOUNDS
    for known in json.loads(path.read_text(encoding="utf-8"))["features"]:
        corners = np.array(known["geometry"]["coordinates"]).reshape(-1, 2)
        name = known["properties"]["name"]
        assert np.all((corners[:, 1] > south - 0.01) & (corners[:, 1] < north + 0.01)), name
        assert np.all((corners[:, 0] > west - 0.01) & (corners[:, 0] < east + 0.01)), name
        assert known["geometry"]["type"] == "Polygon" or known["properties"]["buffer_m"] >= 100, name
