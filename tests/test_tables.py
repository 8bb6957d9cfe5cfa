import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from unigeoclip.embedders import load_embedder
from unigeoclip.errors import InputError
from unigeoclip.tables import embed_csv, read_points


@pytest.fixture
def cities(tmp_path):
    path = tmp_path / "cities.csv"
    path.write_text("city,lat,lon\nBoston,42.36,-71.06\nNairobi,-1.29,36.82\nSuva,-18.12,538.45\n", encoding="utf-8")
    return path


def test_points_are_read_and_wrapped(cities):
    table, points = read_points(cities, "lat", "lon")
    assert list(table["city"]) == ["Boston", "Nairobi", "Suva"]
    np.testing.assert_allclose(points, [[42.36, -71.06], [-1.29, 36.82], [-18.12, 178.45]])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("city,latitude,lon\nBoston,42,-71\n", r"no column 'lat'.*--lat.*city, latitude, lon"),
        ("lat,lon\n1,2\nabc,3\n", r"row 2: 'lat' is 'abc'"),
        ("lat,lon\n1,2\n3,\n", r"row 2: 'lon' is missing"),
        ("lat,lon\n1,2\n3,4\n95,5\n", r"row 3: latitude 95"),
        ("lat,lon\n1,inf\n", r"row 1: 'lon' is 'inf'"),
        ("lat,lon\n", r"no rows"),
        ("", r"not a CSV"),
        ('lat,lon\n1,2\n"3,4\n', r"not a CSV"),
    ],
)
def test_bad_tables_name_file_and_row(tmp_path, content, words):
    path = tmp_path / "points.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=words) as caught:
        read_points(path, "lat", "lon")
    assert "points.csv" in str(caught.value)


def test_files_that_are_no_text(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_points(tmp_path / "missing.csv", "lat", "lon")
    with pytest.raises(InputError, match="cannot be read"):
        read_points(tmp_path, "lat", "lon")
    (tmp_path / "picture.csv").write_bytes(bytes(range(128, 256)) * 10)
    with pytest.raises(InputError, match="not a CSV file in UTF-8"):
        read_points(tmp_path / "picture.csv", "lat", "lon")


def test_embeddings_are_added_to_the_columns(cities, tmp_path):
    embedder = load_embedder("coordinates")
    assert embed_csv(embedder, cities, "lat", "lon", tmp_path / "out.parquet") == (3, 3)
    back = pd.read_parquet(tmp_path / "out.parquet")
    assert list(back.columns) == ["city", "lat", "lon", "embedding"]
    np.testing.assert_array_equal(
        np.stack(back["embedding"]), embedder.embed([(42.36, -71.06), (-1.29, 36.82), (-18.12, 178.45)])
    )
    assert back["embedding"][0].dtype == np.float32
    assert list(back["lon"]) == [-71.06, 36.82, 538.45], "the table itself is not changed"
    assert pq.read_schema(tmp_path / "out.parquet").metadata[b"embedder"] == b"coordinates"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cities.csv", "out.parquet"]


def test_what_cannot_be_written(cities, tmp_path):
    embedder = load_embedder("coordinates")
    with pytest.raises(InputError, match="cannot be written"):
        embed_csv(embedder, cities, "lat", "lon", tmp_path / "missing" / "out.parquet")
    cities.write_text("lat,lon,embedding\n1,2,3\n", encoding="utf-8")
    with pytest.raises(InputError, match="'embedding' already"):
        embed_csv(embedder, cities, "lat", "lon", tmp_path / "out.parquet")
    assert not (tmp_path / "out.parquet").exists()
