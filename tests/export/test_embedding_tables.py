import bz2
import gzip
import lzma

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from unigeoclip.embedders import load_embedder
from unigeoclip.errors import InputError
from unigeoclip.export import point_tables
from unigeoclip.export.embedding_tables import embed_csv, read_points


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
        ("lat,lon\n1,2\n42.3,-71.0,15.2\n", r"row 2: 3 values, but the header names 2 columns"),
        ("lat,lon,name\n1,2,a\n\n42.3,-71.0\n", r"row 2: 2 values, but the header names 3"),
        ("lat,lon\nTrue,False\n", r"row 1: 'lat' is 'True', not a number"),
        ('lat,lon\n"42,3",-71\n', r"row 1: 'lat' is '42,3', .*decimal point, not a comma"),
        ("lat;lon\n42,3;-71\n", r"row 1: 'lat' is '42,3', .*decimal point, not a comma"),
        ("lat,lon\n1_0,2\n", r"row 1: 'lat' is '1_0'"),
        ("lat,lon\n1e400,2\n", r"row 1: 'lat' is '1e400'"),
        ("lat,lat,lon\n1,2,3\n", r"2 columns 'lat'"),
        ("lat,lon\n1,2\n" + "x" * 1_100_000 + "\n", r"a line of more than 1,000,000"),
        ("lat,lon\n1," + "x" * 140_000 + "\n", r"field larger than field limit"),
        ("lat,lon" + ",x" * 5000 + "\n", r"5,002 columns, at most 5,000"),
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
    assert embed_csv(embedder, cities, "lat", "lon", tmp_path / "out.parquet") == (3, 3, 0)
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


def test_latitude_and_longitude_are_two_columns(cities):
    with pytest.raises(InputError, match="two columns"):
        read_points(cities, "lat", "lat")


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_are_told_by_the_header(tmp_path, delimiter):
    path = tmp_path / "points.csv"
    text = delimiter.join(("name", "lat", "lon")) + "\r\n" + delimiter.join(("Boston, MA", "42.36", "-71.06")) + "\r\n"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    table, points = read_points(path, "lat", "lon")
    assert list(table.columns) == ["name", "lat", "lon"], "the mark at the beginning is no part of a name"
    assert list(table["name"]) == ["Boston, MA"]
    np.testing.assert_allclose(points, [[42.36, -71.06]])


def test_values_are_kept_as_they_are(tmp_path):
    """Long numbers keep their digits, post codes their zeros, NA may be Namibia, and a gap stays a gap."""
    path = tmp_path / "points.csv"
    path.write_text(
        "lat,lon,id,zip,country,count,share,open,,id\n"
        "1,2,123456789012345678901234567890,02134,NA,5,0.5,True,a,x\n"
        "3,4,7,90210,FR,,inf,false,,\n",
        encoding="utf-8",
    )
    table, _ = read_points(path, "lat", "lon")
    assert list(table.columns) == ["lat", "lon", "id", "zip", "country", "count", "share", "open", "Unnamed: 8", "id.1"]
    assert list(table["id"]) == ["123456789012345678901234567890", "7"]
    assert list(table["zip"]) == ["02134", "90210"]
    assert list(table["country"]) == ["NA", "FR"]
    assert table["count"][0] == 5
    assert pd.isna(table["count"][1])
    assert list(table["share"]) == [0.5, np.inf]
    assert list(table["open"]) == [True, False]


def test_a_column_whose_kind_changes_late_is_text(tmp_path, monkeypatch):
    monkeypatch.setattr(point_tables, "PART_ROWS", 10)
    path = tmp_path / "long.csv"
    rows = [f"{i % 90},{i % 180},{i}" for i in range(95)]
    path.write_text("lat,lon,what\n" + "\n".join([*rows, "1,2,none of these"]), encoding="utf-8")
    embedder = load_embedder("coordinates")
    shares = []
    done = embed_csv(
        embedder, path, "lat", "lon", tmp_path / "out.parquet", progress=lambda _words, share: shares.append(share)
    )
    assert done == (96, 3, 0)
    assert shares == [pytest.approx(min(10 * part, 96) / 96) for part in range(1, 11)]
    back = pd.read_parquet(tmp_path / "out.parquet")
    assert list(back["what"]) == [*map(str, range(95)), "none of these"]
    assert pq.ParquetFile(tmp_path / "out.parquet").num_row_groups == 10
    np.testing.assert_array_equal(np.stack(back["embedding"]), embedder.embed(back[["lat", "lon"]].to_numpy(float)))
    path.write_text("lat,lon\n" + "1,2\n" * 57 + "91,0\n", encoding="utf-8")
    with pytest.raises(InputError, match="row 58: latitude 91"):
        read_points(path, "lat", "lon")


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_packed_tables(cities, tmp_path, pack):
    content = cities.read_bytes()
    path = tmp_path / "cities.csv.packed"
    path.write_bytes(pack(content))
    assert len(read_points(path, "lat", "lon")[1]) == 3
    path.write_bytes(pack(content)[:-9])
    with pytest.raises(InputError, match="damaged"):
        read_points(path, "lat", "lon")
    path.write_bytes(pack(pack(content)))
    with pytest.raises(InputError, match="packed twice"):
        read_points(path, "lat", "lon")


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (b"PK\x03\x04", "ZIP archive or an Excel workbook"),
        (b"\x28\xb5\x2f\xfd", "Zstandard"),
        (b"PAR1", "parquet"),
        (b"\xff\xfel\x00a\x00t\x00", "UTF-16"),
    ],
)
def test_files_of_other_kinds_are_called_by_their_names(tmp_path, start, words):
    (tmp_path / "table.csv").write_bytes(start + b"rest")
    with pytest.raises(InputError, match=words):
        read_points(tmp_path / "table.csv", "lat", "lon")


def test_limits_hold_whatever_unfolds(tmp_path, monkeypatch):
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(b"lat,lon\n" + bytes(3_000_000)))
    with pytest.raises(InputError, match="a line of more than"):
        read_points(path, "lat", "lon")
    path.write_bytes(gzip.compress(b"lat,lon\n" + b"1,2\n" * 30_000))
    monkeypatch.setattr(point_tables, "MAX_BYTES", 100_000)
    with pytest.raises(InputError, match="unfolds to more than"):
        read_points(path, "lat", "lon")
    monkeypatch.setattr(point_tables, "MAX_ROWS", 10_000)
    with pytest.raises(InputError, match="more than 10,000 rows"):
        read_points(path, "lat", "lon")
    path.write_bytes(b"lat,lon\n" + b"1,2\n" * 30_000)
    with pytest.raises(InputError, match="at most"):
        read_points(path, "lat", "lon")


def test_a_file_that_changes_while_it_is_read_is_refused(cities):
    checked = point_tables.PointTable.checked(cities, "lat", "lon")
    cities.write_text("city,lat,lon\nBoston,42,-71\n", encoding="utf-8")
    with pytest.raises(InputError, match="was changed while it was read"):
        list(checked.parts())
