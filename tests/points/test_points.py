"""Tables of points: every row is kept and says what is wrong with it; vectors and nearest places beside it."""

import io
import json

import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest

from tests.app.fake_embedders import TwistedEmbedder
from unigeoclip.embedders.coordinates import CoordinatesEmbedder
from unigeoclip.errors import InputError
from unigeoclip.geo import distance_m
from unigeoclip.points import MAX_POINTS, csv_of, parquet_of, read_point_file, with_nearest, with_vectors

ROWS = [("a", "42.36", "-71.06"), ("b", "", "-71.1"), ("c", "95", "10"), ("d", "north", "10"), ("e", "48,85", "2,35"),
        ("f", "", ""), ("g", "35.7", "139.7")]  # fmt: skip


def csv(rows=ROWS, separator=";", encoding="utf-8", header="name;Latitude;Longitude"):
    lines = [header.replace(";", separator), *(separator.join(row) for row in rows)]
    return "\n".join(lines).encode(encoding)


@pytest.fixture
def points():
    return read_point_file(csv(), "mine.csv")


def test_every_row_is_kept_and_says_what_is_wrong_with_it(points):
    assert points.latlon[[0, 4]].tolist() == [[42.36, -71.06], [48.85, 2.35]]
    assert points.usable.tolist() == [True, False, False, False, True, False, True]
    assert points.problems.tolist() == [
        "", "no latitude", "'95', '10' is no latitude and longitude", "'north', '10' is no latitude and longitude", "",
        "no position", "",
    ]  # fmt: skip
    assert not [note for note in points.notes if note.startswith("Left out")]
    assert points.position == ("Latitude", "Longitude")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_encodings_and_separators_are_recognized(encoding, separator):
    data = csv([("Zürich", "47.37", "8.54"), ("Genève", "46.2", "6.15")], separator, encoding)
    points = read_point_file(data, "mine.txt")
    assert points.latlon.tolist() == [[47.37, 8.54], [46.2, 6.15]]
    assert points.columns.column("name").to_pylist() == ["Zürich", "Genève"]


def test_geometries_are_positions():
    shapes = [{"type": "Point", "coordinates": [2.35, 48.85]}, None]
    features = [{"type": "Feature", "properties": {"n": i}, "geometry": each} for i, each in enumerate(shapes)]
    points = read_point_file(json.dumps({"type": "FeatureCollection", "features": features}).encode(), "mine.geojson")
    assert points.latlon[0].tolist() == [48.85, 2.35]
    assert points.problems.tolist() == ["", "no geometry with a position on Earth"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"a,b\n1,2\n", "no columns of latitude and longitude"),
        (b"lat,lon\n", "no rows"),
        (b"lat,lon\nx,y\n", "no coordinates"),
        (b"\x89PNG\r\n", "picture"),
        (b"PK\x03\x04rubbish", "damaged"),
        (b"lat,lon\n1,2,3\n", "columns"),
        (b'{"type": "FeatureCollection"', "GeoJSON"),
        (b"lat,lon\n" + b"1,2\n" * (MAX_POINTS + 1), "100,001 rows"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(data, words):
    with pytest.raises(InputError, match=words) as caught:
        read_point_file(data, "mine.csv")
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)


def test_vectors_stand_beside_their_rows(points):
    told = []
    embedder = TwistedEmbedder()
    table = with_vectors(points, embedder, told.append)
    assert table.num_rows == len(points)
    vectors = table.column("embedding").to_pylist()
    assert [each is None for each in vectors] == [False, True, True, True, False, True, False]
    expected = embedder.embed(points.latlon[points.usable])
    assert np.array_equal(np.array([vectors[0], vectors[4], vectors[6]], np.float32), expected)
    back = pyarrow.parquet.read_table(io.BytesIO(parquet_of(table)))
    assert back.column("problem").to_pylist()[1] == "no latitude"
    assert back.column("name").to_pylist() == list("abcdefg")
    frame = pd.read_csv(io.BytesIO(csv_of(table)))
    assert np.allclose(frame.loc[[0, 4, 6], [f"embedding_{i}" for i in range(embedder.dim)]], expected, atol=1e-7)
    assert frame.loc[1, [f"embedding_{i}" for i in range(embedder.dim)]].isna().all()
    assert told[0] == 0


def test_names_of_columns_that_are_taken_stay_the_visitors():
    data = csv([("x", "1", "2")], header="problem;lat;lon")
    table = with_vectors(read_point_file(data, "mine.csv"), CoordinatesEmbedder())
    assert table.column("problem").to_pylist() == ["x"]
    assert table.column("problem_").to_pylist() == [None]


def test_the_nearest_place_is_that_of_a_search_over_all(points):
    rng = np.random.default_rng(0)
    places = pd.DataFrame(
        {
            "place_id": [f"p{i}" for i in range(500)], "name": [f"Place {i}" for i in range(500)],
            "lat": rng.uniform(-90, 90, 500), "lon": rng.uniform(-180, 180, 500),
        }
    )  # fmt: skip
    table = with_nearest(points, places).to_pylist()
    for row in (0, 4, 6):
        meters = distance_m(points.latlon[row], places[["lat", "lon"]].to_numpy())
        assert table[row]["nearest_place_id"] == f"p{meters.argmin()}"
        assert table[row]["nearest_km"] == pytest.approx(meters.min() / 1000, abs=1e-3)
    assert (table[1]["nearest_name"], table[1]["nearest_km"]) == (None, None)


def test_points_outside_of_an_atlas_are_told_apart(points):
    assert points.outside((42.0, -72.0, 43.0, -70.0)).tolist() == [False] * 4 + [True, False, True]
    assert not points.outside((-90.0, -180.0, 90.0, 180.0)).any()


def test_a_csv_of_too_many_numbers_is_refused(points, monkeypatch):
    monkeypatch.setattr("unigeoclip.points.tables.MAX_CSV_VALUES", 3)
    with pytest.raises(InputError, match="Parquet"):
        csv_of(with_vectors(points, CoordinatesEmbedder()))


def test_vectors_of_too_many_numbers_are_refused_before_they_are_computed(points, monkeypatch):
    monkeypatch.setattr("unigeoclip.points.tables.MAX_VALUES", 3)
    with pytest.raises(InputError, match="shorter vectors"):
        with_vectors(points, CoordinatesEmbedder())
