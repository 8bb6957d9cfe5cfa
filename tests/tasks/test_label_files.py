"""A person's own labels: what is read, what is guessed, and what is said about files that cannot be used."""

import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.uploads.tables import made
from tests.uploads.tables.made import LAT, LON, RENT, USE, N
from unigeoclip.errors import InputError
from unigeoclip.tasks.label_files import inspect, read_labels
from unigeoclip.tasks.label_positions import note_outside

POSITIONS = np.column_stack([LAT, LON])


def csv(header="lat,lon,rent,use,ward", **changes):
    """The CSV of `made` with columns replaced: a list of values, or a function of the row's number and its value."""
    columns = {"lat": LAT.tolist(), "lon": LON.tolist(), "rent": RENT.tolist(), "use": USE.tolist(),
               "ward": [i % 5 for i in range(N)]}  # fmt: skip
    for name, change in changes.items():
        old = columns.get(name, [None] * N)
        columns[name] = [change(i, value) for i, value in enumerate(old)] if callable(change) else change
    header = ",".join([header, *(name for name in columns if name not in ("lat", "lon", "rent", "use", "ward"))])
    quoted = [[f'"{value}"' if "," in str(value) else value for value in values] for values in columns.values()]
    return made.csv(list(zip(*quoted, strict=True)), header)


def said(table):
    return " ".join(table.notes)


def test_longitudes_that_are_wrapped_are_told():
    table = read_labels(csv(lon=lambda _i, v: v + 360), target="rent")
    np.testing.assert_allclose(table.latlon, POSITIONS)
    assert f"The longitude of {N} rows was brought to -180 to 180 degrees." in table.notes


def test_a_plain_csv():
    table = read_labels(csv(), target="rent", filename="homes.csv")
    np.testing.assert_array_equal(table.latlon, POSITIONS)
    np.testing.assert_array_equal(table.target, RENT)
    assert (table.name, table.kind, table.target_name, table.groups) == ("homes", "regression", "rent", None)
    assert said(table) == "With 60 rows the scores are uncertain: look at the intervals."
    named = read_labels(csv(header="y,x,rent,use,ward"), lat="y", lon="x", target="use", groups="ward")
    assert (named.kind, named.target.tolist()) == ("classification", USE.tolist())
    assert (named.groups.tolist(), named.group_name) == ([str(i % 5) for i in range(N)], "ward")


def test_every_format_from_a_path(tmp_path):
    made.written(made.squares(), tmp_path, "shape.shp")
    (tmp_path / "zip.zip").write_bytes(made.shapefile(made.points(), tmp_path))
    (tmp_path / "csv.csv").write_bytes(csv())
    for name in ("a.parquet", "a.geojson", "a.gpkg"):
        made.written(made.points(), tmp_path, name)
    for name in ("csv.csv", "a.parquet", "a.geojson", "a.gpkg", "shape.shp", "zip.zip"):
        table = read_labels(tmp_path / name, target="rent", groups="ward")
        np.testing.assert_allclose(table.latlon, POSITIONS, atol=1e-5)
        np.testing.assert_allclose(table.target, RENT)
        assert set(table.groups.tolist()) == {"0", "1", "2", "3", "4"}
    assert "60 polygons became centroids. Coordinates were converted from NAD83" in said(
        read_labels(tmp_path / "shape.shp", target="rent")
    )


def test_what_a_file_holds(tmp_path):
    data = csv(
        id=list(range(N)), built=["2020-01-02"] * N, flag=lambda i, _: i % 2 == 0, same=[7] * N, none=[""] * N,
        note=lambda i, _: f"text {i}", opened=lambda i, _: f"2020-01-{i % 28 + 1:02d}",
        postcode=lambda i, _: f"0{2139 + i % 3}",
    )  # fmt: skip
    found = inspect(data, "homes.csv")
    assert (found.name, found.format, found.rows, found.lat, found.lon) == ("homes.csv", "CSV", N, "lat", "lon")
    holds = {column.name: (column.holds, column.kind) for column in found.columns}
    assert holds == {
        "lat": ("numbers", "regression"), "lon": ("numbers", "regression"), "rent": ("numbers", "regression"),
        "use": ("classes", "classification"), "ward": ("classes", "classification"), "id": ("identifiers", None),
        "built": ("one value", None), "flag": ("classes", "classification"), "same": ("one value", None),
        "none": ("nothing", None), "note": ("text", None), "opened": ("dates", None),
        "postcode": ("classes", "classification"),
    }  # fmt: skip
    assert set(found.targets) == {"rent", "use", "ward", "flag", "postcode"}
    assert {"use", "ward", "flag"} <= set(found.groups)
    assert found.column("rent").low == RENT.min()
    with pytest.raises(InputError, match="no column 'Rent'. Did you mean 'rent'"):
        found.column("Rent")
    shapes = inspect(made.written(made.squares(), tmp_path, "a.gpkg"))
    assert (shapes.geometry, shapes.lat, shapes.layers) == ("polygons", None, ("a",))
    assert "60 polygons became centroids." in shapes.notes


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ("Latitude,Longitude", ("Latitude", "Longitude")),
        ("LAT,LNG", ("LAT", "LNG")),
        ("y,x", ("y", "x")),
        ("site_lat,site_lon", ("site_lat", "site_lon")),
        ("decimalLatitude,decimalLongitude", ("decimalLatitude", "decimalLongitude")),
        ("platform,belong", (None, None)),
        ("lat,value", (None, None)),
    ],
)
def test_columns_of_positions_are_known_by_their_names(names, found):
    seen = inspect(csv(header=f"{names},rent,use,ward"))
    assert (seen.lat, seen.lon) == found


def test_rows_without_a_position_or_target_are_left_out_and_counted():
    table = read_labels(
        csv(
            lat=lambda i, v: "" if i < 2 else v,
            lon=lambda i, v: "unknown" if i == 3 else 999 if i == 4 else v,
            rent=lambda i, v: ["", "NA", "call us", "inf"][i - 10] if 10 <= i < 14 else v,
            ward=lambda i, v: "" if i == 20 else v,
        ),
        target="rent",
        groups="ward",
    )
    assert len(table) == N - 9
    for sentence in (
        "Left out: 2 rows without a position.",
        "Left out: 1 row whose coordinates are no degrees: 'unknown'.",
        "Left out: 1 row off the globe",
        "Left out: 2 rows without a value of 'rent'.",
        "Left out: 1 of 58 values of 'rent', which are no numbers: 'call us'.",
        "Left out: 1 infinite value of 'rent'.",
        "Left out: 1 row without a value of 'ward'.",
        "51 rows of 60 are used.",
    ):
        assert sentence in said(table)


def test_notations_of_numbers_and_coordinates():
    money = read_labels(csv(rent=lambda i, _: f"$1,{i:03d}"), target="rent")
    assert money.target.tolist() == [1000.0 + i for i in range(N)]
    assert "'$1,000'" in said(money)
    rows = [[str(value).replace(".", ",") for value in row] for row in zip(LAT, LON, RENT, strict=True)]
    german = "\n".join(["Breite;lon;Miete", *map(";".join, rows)]).encode("cp1252")
    table = read_labels(german, target="Miete")
    np.testing.assert_array_equal(table.target, RENT)
    np.testing.assert_array_equal(table.latlon, POSITIONS)
    degrees = read_labels(csv(lat=lambda i, _: f"42°{i}'30\"N", lon=lambda i, _: f"71°{i}' W"), target="rent")
    np.testing.assert_allclose(degrees.latlon[6], [42 + 6.5 / 60, -71.1])


def test_positions_in_another_reference_system():
    projected = made.points().to_crs(made.PROJECTED).geometry
    data = csv(header="north,east,rent,use,ward", lat=projected.y.tolist(), lon=projected.x.tolist())
    where = {"lat": "north", "lon": "east", "target": "rent"}
    with pytest.raises(InputError, match=r"not in degrees: the first has north .* --crs"):
        read_labels(data, **where)
    table = read_labels(data, **where, crs=made.PROJECTED)
    np.testing.assert_allclose(table.latlon, POSITIONS, atol=1e-6)
    assert f"converted from {made.PROJECTED}" in said(table)
    with pytest.raises(InputError, match="no coordinate reference system"):
        read_labels(data, **where, crs="EPSG:none")


def test_swapped_columns_are_seen():
    west = [value - 50 for value in LON]
    with pytest.raises(InputError, match=r"look swapped: lat runs from -1\d\d"):
        read_labels(csv(lat=west, lon=LAT.tolist()), target="rent")
    turned = read_labels(csv(lat=LON.tolist(), lon=LAT.tolist()), target="rent")  # both are within 90 degrees
    boston = (41.0, -73.0, 44.0, -70.0)
    with pytest.raises(
        InputError, match="None of the 60 positions lies in Boston. With latitude and longitude swapped"
    ):
        note_outside(turned, boston, "Boston")
    table = read_labels(csv(), target="rent")
    assert note_outside(table, boston, "Boston") is table
    half = note_outside(table, (41.0, -73.0, float(np.median(LAT)), -70.0), "Boston")
    assert re.search(r"30 of 60 rows lie outside Boston", said(half))
    pacific = read_labels(csv(lon=lambda i, _: 179 if i % 2 else -179), target="rent")
    assert note_outside(pacific, (40.0, 170.0, 45.0, 190.0), "the Pacific") is pacific


@pytest.mark.parametrize(
    ("changes", "options", "words"),
    [
        ({}, {"target": "Rent"}, "no column 'Rent'. Did you mean 'rent'"),
        ({}, {}, "Name the column to predict, of rent, use, ward"),
        ({}, {"lat": "lat", "target": "rent"}, "Give both columns"),
        ({}, {"lat": "lat", "lon": "lat", "target": "rent"}, "named twice"),
        ({"header": "a,b,rent,use,ward"}, {"target": "rent"}, "no columns were recognized as latitude and longitude"),
        ({"rent": [3] * N}, {"target": "rent"}, "the value '3' in all 60 rows: there is nothing to predict"),
        ({"use": ["a"] * N}, {"target": "use"}, "the value 'a' in all 60 rows"),
        ({"use": list(range(N))}, {"target": "use", "kind": "classification"}, "60 different values in 60 rows"),
        (
            {},
            {"target": "use", "kind": "regression"},
            "60 of 60 values of 'use' are no numbers: 'homes', 'shops', 'park'",
        ),
        ({"use": ["2020-01-02", "2020-01-03"] * (N // 2)}, {"target": "use"}, "holds dates"),
        ({"rent": [""] * N}, {"target": "rent"}, "0 rows of 60 .* at least 10"),
        ({"lat": ["x"] * N}, {"target": "rent"}, "60 of 60 values of 'lat' are no coordinates: 'x'"),
        ({"lat": [""] * N}, {"target": "rent"}, "'lat' is empty"),
        ({"lat": [42] * N, "lon": [-71] * N}, {"target": "rent"}, "same position"),
        ({"ward": [1] * N}, {"target": "rent", "groups": "ward"}, "one value, '1' .* at least two"),
        ({"ward": [""] * N}, {"target": "rent", "groups": "ward"}, "no value .* at least two"),
        ({"use": lambda i, _: "ab"[i % 2] * 300}, {"target": "use"}, "long texts"),
    ],
)
def test_advice(changes, options, words):
    with pytest.raises(InputError, match=words):
        read_labels(csv(**changes), **options)


def test_ten_thousand_classes_are_refused():
    rows = [[LAT[i % N], LON[i % N], i % 10_000] for i in range(30_000)]
    with pytest.raises(InputError, match="10,000 different values in 30,000 rows, too many classes.*at most 500"):
        read_labels(made.csv(rows, "lat,lon,code"), target="code", kind="classification")


def test_too_few_rows():
    with pytest.raises(InputError, match="9 rows of 9 .* at least 10"):
        read_labels(made.csv([[LAT[i], LON[i], RENT[i]] for i in range(9)], "lat,lon,rent"))
    table = read_labels(made.csv([[LAT[i], LON[i], RENT[i]] for i in range(10)], "lat,lon,rent"))  # the only target
    assert (len(table), table.target_name) == (10, "rent")


def test_what_is_odd_is_noted():
    again = read_labels(csv(lat=lambda i, v: LAT[i // 2], lon=lambda i, v: LON[i // 2]), target="rent")
    assert "30 rows have the position of an earlier row" in said(again)
    nowhere = read_labels(csv(lat=lambda i, v: 0 if i < 5 else v, lon=lambda i, v: 0 if i < 5 else v), target="rent")
    assert "5 rows lie at latitude 0, longitude 0" in said(nowhere)
    rare = read_labels(csv(use=lambda i, v: "tower" if i == 0 else v), target="use")
    assert "1 of 4 classes have fewer than 5 rows" in said(rare)
    assert "looks like a number of the row" in said(read_labels(csv(rent=list(range(N))), target="rent"))
    assert "'NA' of 'use' counts as a class" in said(
        read_labels(csv(use=lambda i, v: "NA" if i % 4 else v), target="use")
    )
    many = read_labels(csv(ward=list(range(N))), target="rent", groups="ward")
    assert "folds by it differ little from random ones" in said(many)


def test_whole_numbers_are_classes_if_they_are_few():
    guessed = read_labels(csv(), target="ward")
    assert (guessed.kind, guessed.target[:2].tolist()) == ("classification", ["0", "1"])
    assert "taken for 5 classes" in said(guessed)
    assert read_labels(csv(), target="ward", kind="regression").target.tolist() == [float(i % 5) for i in range(N)]
    assert read_labels(csv(rent=lambda i, _: i % 30), target="rent").kind == "regression"


def test_paths_that_are_no_files(tmp_path):
    for path, words in (
        (tmp_path / "none.csv", "does not exist"),
        ("/vsicurl/http://127.0.0.1/labels.csv", "does not exist"),
        ("http://127.0.0.1/labels.geojson", "does not exist"),
        (tmp_path, "no regular file"),
        ("/dev/zero", "no regular file"),
    ):
        with pytest.raises(InputError, match=words):
            read_labels(path, target="rent")


def test_geojson_without_a_name_is_read():
    # geopandas writes a name; most other software does not, and GDAL then calls the layer after a place in memory.
    data = json.dumps(json.loads(made.points().to_json())).encode()
    assert b'"name"' not in data
    seen = inspect(data, "a.geojson")
    assert seen.layers == ("GeoJSON",)
    np.testing.assert_allclose(read_labels(data, target="rent").target, RENT)
    np.testing.assert_allclose(read_labels(data, target="rent", layer=seen.layer).target, RENT)


def test_layers_are_asked_for(tmp_path):
    made.written(made.points(), tmp_path, "a.gpkg", layer="one")
    path = made.written(made.points(), tmp_path, "a.gpkg", layer="two")
    with pytest.raises(InputError, match="several layers: say which to read, of one, two"):
        read_labels(path)
    assert len(read_labels(path, target="rent", layer="two")) == N
    assert "2 layers; this is 'one'" in " ".join(inspect(path).notes)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.text(alphabet="0123456789.,-eNaSW°' $x", max_size=9), min_size=3, max_size=3), max_size=30))
def test_any_csv_is_a_table_or_a_sentence(rows):
    data = made.csv([[f'"{value}"' for value in row] for row in rows], "lat,lon,value")
    try:
        table = read_labels(data, lat="lat", lon="lon", target="value")
    except InputError as error:
        assert len(str(error)) < 2_000  # noqa: PT017
    else:
        assert len(table) >= 10
