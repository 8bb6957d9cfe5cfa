"""Tables of strangers: every format gives the same rows, and what is no table is a sentence."""

import contextlib
import gzip
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.uploads.tables import made
from unigeoclip.errors import InputError
from unigeoclip.uploads.headers import refusing
from unigeoclip.uploads.tables import file_table, read_table
from unigeoclip.uploads.tables.decoder import TableDecoder
from unigeoclip.uploads.tables.file_table import FileTable, TableRequest, unique_names
from unigeoclip.uploads.tables.reading import read_in_this_process
from unigeoclip.uploads.tables.vector import DRIVERS


def read(data, **wanted):
    return read_in_this_process(data, TableRequest(**wanted))


def files(folder):
    """The same rows in every format."""
    return {
        "CSV": made.csv(),
        "Parquet": made.written(made.points(), folder, "a.parquet").read_bytes(),
        "GeoJSON": made.written(made.points(), folder, "a.geojson").read_bytes(),
        "GeoPackage": made.written(made.points(), folder, "a.gpkg").read_bytes(),
        "shapefile": made.shapefile(made.points(), folder),
    }


def test_every_format_gives_the_same_rows_in_a_process_of_its_own(tmp_path):
    for form, data in files(tmp_path).items():
        table = read_table(data)
        assert (table.format, table.rows) == (form, made.N)
        rents = table.columns.column("rent").cast(pa.float64()).to_numpy()
        np.testing.assert_allclose(rents, made.RENT)
        assert table.columns.column("use").to_pylist() == made.USE.tolist()
        if form == "CSV":
            assert table.latlon is None
        else:
            assert table.geometry == "points"
            np.testing.assert_allclose(table.latlon, np.column_stack([made.LAT, made.LON]), atol=1e-9)
        assert read_table(data, columns=["rent"]).columns.column_names == ["rent"]


def test_gdal_of_the_process_has_the_drivers_of_our_formats_alone():
    environment = {name: value for name, value in os.environ.items() if name != "OGR_SKIP"}
    skip = (
        "import os, unigeoclip.uploads.tables.vector as vector\n"
        "assert vector.skip_other_drivers() and not vector.skip_other_drivers(); print(os.environ['OGR_SKIP'])"
    )
    skipped = subprocess.run([sys.executable, "-c", skip], check=True, capture_output=True, text=True, env=environment)
    drivers = "import pyogrio; print(','.join(pyogrio.list_drivers()))"
    environment["OGR_SKIP"] = skipped.stdout.strip()
    left = subprocess.run([sys.executable, "-c", drivers], check=True, capture_output=True, text=True, env=environment)
    assert set(left.stdout.strip().split(",")) - {"MEM"} == set(DRIVERS.values())


@pytest.mark.slow
def test_the_process_that_reads_geometries_runs_with_these_drivers(tmp_path):
    reader = TableDecoder("vector")
    reader.table(made.written(made.points(), tmp_path, "a.geojson").read_bytes(), TableRequest())
    environ = Path(f"/proc/{reader.pid}/environ")
    if environ.exists():
        assert b"OGR_SKIP=" in environ.read_bytes()
        assert b"OGR_VRT" in environ.read_bytes()
    reader.close()


def test_polygons_become_centroids_and_lines_midpoints(tmp_path):
    for frame, kind, note in (
        (made.squares(), "polygons", "60 polygons became centroids."),
        (made.lines(), "lines", "60 lines became midpoints."),
    ):
        table = read(made.written(frame, tmp_path, f"{kind}.gpkg").read_bytes())
        assert table.geometry == kind
        assert note in table.notes
        np.testing.assert_allclose(table.latlon, np.column_stack([made.LAT, made.LON]), atol=1e-5)
    assert "Massachusetts" in read(made.written(made.squares(), tmp_path, "b.gpkg").read_bytes()).crs


def test_a_reference_system_that_a_file_does_not_say_is_asked_for(tmp_path):
    data = made.shapefile(made.squares(), tmp_path, without=(".prj",))
    with pytest.raises(InputError, match="no reference system.*--crs"):
        read(data)
    table = read(data, crs=made.PROJECTED)
    np.testing.assert_allclose(table.latlon, np.column_stack([made.LAT, made.LON]), atol=1e-5)
    with pytest.raises(InputError, match="'EPSG:1' is no coordinate reference system"):
        read(data, crs="EPSG:1")


def test_geometries_that_are_missing_or_empty_have_no_position(tmp_path):
    frame = made.points()
    frame.loc[0, "geometry"] = None
    frame.loc[1, "geometry"] = made.shapely.Point()
    for name in ("a.gpkg", "a.parquet", "a.geojson"):
        table = read(made.written(frame, tmp_path, name).read_bytes())
        assert np.flatnonzero(np.isnan(table.latlon).any(axis=1)).tolist() == [0, 1]


def test_layers(tmp_path):
    made.written(made.points(), tmp_path, "a.gpkg", layer="one")
    data = made.written(made.points()[["ward", "geometry"]], tmp_path, "a.gpkg", layer="two").read_bytes()
    with pytest.raises(InputError, match="2 layers: say which .*'one', 'two'"):
        read(data)
    assert read(data, layer="two").columns.column_names == ["ward"]
    assert read(data, columns=("rent",)).layer == "one"  # the only one that has it
    with pytest.raises(InputError, match="no layer 'three'; its layers are 'one', 'two'"):
        read(data, layer="three")


def test_wkt_in_a_csv_is_a_geometry():
    frame = made.squares(crs="EPSG:4326", side_m=0.01)
    rows = frame.assign(wkt=frame.geometry.to_wkt())[["rent", "wkt"]]
    table = read(rows.to_csv(index=False).encode())
    assert (table.geometry, table.columns.column_names) == ("polygons", ["rent"])
    np.testing.assert_allclose(table.latlon, np.column_stack([made.LAT, made.LON]), atol=1e-9)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_csv_in_any_encoding_and_with_any_delimiter(delimiter, encoding):
    rows = [["Straße, Nr. 1" if delimiter != "," else "Straße", "1.5"], ["é", "2"]]
    text = "\r\n".join(delimiter.join(row) for row in [["näme", "value"], *rows])
    table = read(text.encode(encoding)).columns
    assert table.to_pydict() == {"näme": [rows[0][0], "é"], "value": ["1.5", "2"]}


def test_quoted_delimiters_and_line_breaks_in_values_and_headers():
    table = read(b'"a,\n1",b\n"x,\ny",1\n"say ""hi""",2\n').columns
    assert table.to_pydict() == {"a,\n1": ["x,\ny", 'say "hi"'], "b": ["1", "2"]}


def test_comments_before_the_header_are_no_rows():
    assert read(b"# query: text:beach\n#\n\nlat,lon\n1,2\n").columns.to_pydict() == {"lat": ["1"], "lon": ["2"]}


def test_columns_of_one_name_are_told_apart():
    table = read(b"a,b,a,,a (2)\n1,2,3,4,5\n")
    assert table.columns.column_names == ["a", "b", "a (3)", "column 4", "a (2)"]
    assert "Several columns are called 'a'" in table.notes[0]


@given(st.lists(st.text(max_size=8), min_size=1, max_size=12))
def test_names_are_unique_and_never_empty(names):
    found, _ = unique_names(names)
    assert len(set(found)) == len(found) == len(names)
    assert all(found)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"lat,lon,rent", "header but no rows"),
        (b"lat,lon,rent\n", "header but no rows"),
        (b"1,2,3\n4,5,6\n", "first line holds numbers"),
        (b"a,b\n1,2\n3\n", "Row 2: 1 values, but the header names 2 columns"),
        (b"a\0b,c\n1,2\n", "no text"),
        (b"%PDF-1.7", "a PDF"),
        (b"<html>", "a web page"),
        (b'<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2">', "KML"),
        (b"<OGRVRTDataSource><OGRVRTLayer/></OGRVRTDataSource>", "virtual data set"),
        (b"{}", "no GeoJSON FeatureCollection"),
        (b'{"type": "Topology"}', "TopoJSON"),
        (b'{"type": "FeatureCollection", "features": "http://example.com"}', "no list of features"),
        (b'{"type": "FeatureCollection", "features": []}', "no rows"),
        (b'{"type": "FeatureCollection", "features": [1', "not GeoJSON"),
        (b"[" * 100_000, "not GeoJSON"),
        (b"SQLite format 3\0" + bytes(4000), "damaged, or is no GeoPackage"),
        (b"PK\x03\x04" + bytes(40), "ZIP archive that is damaged"),
        (b"\x1f\x8b" + bytes(40), "gzip that is damaged"),
        (gzip.compress(made.csv())[:-20], "cut short"),
        (b"PAR1" + bytes(100) + b"PAR1", "damaged"),
        (b"PAR1", "cut short"),
        (b"\0\0\x27\x0a" + bytes(100), "put .shp, .dbf, .shx and .prj into one ZIP"),
        (gzip.compress(gzip.compress(b"a,b")), "packed twice"),
        ((",".join(f"c{i}" for i in range(5001)) + "\n").encode(), "5,001 columns, at most 5,000"),
        (b"a" * 201 + b",b\n1,2\n", "a header"),
    ],
)
def test_what_is_no_table_is_said(data, said):
    with pytest.raises(InputError, match=said):
        read_table(data)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"../a.csv": b"a,b\n1,2\n"}, "leads out of the archive"),
        ({"/etc/a.csv": b"a,b\n1,2\n"}, "leads out of the archive"),
        ({"C:\\a.csv": b"a,b\n1,2\n"}, "leads out of the archive"),
        ({"a.csv": b"", "b.csv": b""}, "several tables"),
        ({"a.shp": b"", "b.shp": b""}, "several tables"),
        ({"a.shp": b"x"}, "no .dbf"),
        ({"readme.md": b"x"}, "no shapefile"),
        ({"xl/workbook.xml": b"x", "[Content_Types].xml": b"x"}, "Excel"),
        ({"a.shp": b"x", "a.dbf": b"y"}, "no layer with rows"),
        ({"a.csv": made.zipped({"b.csv": b"a,b"})}, "packed twice"),
        ({f"{i}.txt": b"" for i in range(1001)}, "1,001 files"),
    ],
)
def test_archives_that_are_refused(files, said):
    with pytest.raises(InputError, match=said):
        read_table(made.zipped(files))


def test_links_in_an_archive_are_refused():
    link = zipfile.ZipInfo("labels.csv")
    link.external_attr = 0o120777 << 16
    file = made.io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(InputError, match="a link"):
        read(file.getvalue())


def test_an_archive_with_one_table_is_read():
    assert read(made.zipped({"folder/labels.csv": made.csv(), "__MACOSX/x": b"", "notes.md": b""})).rows == made.N
    assert read(gzip.compress(made.csv())).rows == made.N


def test_bombs_are_refused_before_they_are_unpacked(monkeypatch):
    from unigeoclip.uploads.tables import formats

    monkeypatch.setattr(formats, "MAX_UNPACKED_BYTES", 1_000_000)
    for packed in (made.zipped({"a.csv": bytes(2_000_000)}), gzip.compress(bytes(2_000_000))):
        assert len(packed) < 10_000
        with pytest.raises(InputError, match="unpacks to more than 1 MB"):
            read(packed)


def test_an_archive_that_holds_more_than_it_announces_is_refused():
    data = bytearray(made.zipped({"a.csv": made.csv()}))
    where = data.rfind(b"PK\x01\x02")
    data[where + 24 : where + 28] = (10).to_bytes(4, "little")  # its size, unpacked
    with pytest.raises(InputError, match=r"ZIP archive (is damaged|holds more than it announces)"):
        read(bytes(data))


def test_a_parquet_file_that_unpacks_to_too_much_is_refused_by_the_process(tmp_path):
    n = 150_000
    text = pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int32)), pa.array(["y" * 1_000_000]))
    pq.write_table(pa.table({"lat": np.zeros(n), "x": text}), tmp_path / "bomb.parquet")
    data = (tmp_path / "bomb.parquet").read_bytes()
    assert len(data) < 100_000  # and 150 GB when unpacked
    with pytest.raises(InputError, match="memory"):
        read_table(data)
    assert read_table(data, columns=["lat"]).rows == n


def test_too_many_rows_and_bytes(monkeypatch):
    monkeypatch.setattr(file_table, "MAX_ROWS", 50)
    with pytest.raises(InputError, match="more than the 50 rows.*sample"):
        read(made.csv())
    from unigeoclip.uploads.tables import formats

    monkeypatch.setattr(formats, "MAX_TABLE_BYTES", 1000)
    with pytest.raises(InputError, match="at most"):
        read_table(made.csv())


def test_parquet_columns_of_every_type(tmp_path):
    columns = {
        "whole": pa.array([1, None, 3]), "text": pa.array(["a", "", None]), "yes": pa.array([True, None, False]),
        "money": pa.array([1, 2, None], pa.decimal128(9, 2)), "day": pa.array([1, 2, 3], pa.date32()),
        "zoned": pa.array([1, 2, 3], pa.timestamp("ns", tz="UTC")),
        "word": pa.array(["a", "b", "a"]).dictionary_encode(),
        "list": pa.array([[1], [2], [3]]), "bytes": pa.array([b"a", b"b", b"c"]),
    }  # fmt: skip
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    table = read_table((tmp_path / "a.parquet").read_bytes())
    assert table.left_out == ("list", "bytes")
    kinds = {name: str(table.columns.schema.field(name).type) for name in table.columns.column_names}
    assert kinds == {
        "whole": "double", "text": "string", "yes": "bool", "money": "double", "day": "timestamp[us]",
        "zoned": "timestamp[us]", "word": "string",
    }  # fmt: skip
    assert table.columns.column("text").to_pylist() == ["a", None, None]


def test_a_sample_is_spread_over_the_file(tmp_path):
    for data in files(tmp_path).values():
        table = read(data, sample=20)
        assert (table.rows, table.columns.num_rows) == (made.N, 20)


def test_a_process_that_lies_is_not_believed(monkeypatch):
    message, content = read(made.csv()).packed()
    assert FileTable.unpacked(message, content).rows == made.N
    wrong = pa.BufferOutputStream()
    table = pa.table({"a": pa.array([1, 2], pa.int8())})
    with pa.ipc.new_stream(wrong, table.schema) as writer:
        writer.write_table(table)
    for lie in (b"", b"nonsense", wrong.getvalue().to_pybytes()):
        liar = TableDecoder("plain")
        monkeypatch.setattr(liar, "ask", lambda *_, lie=lie: (message, lie))
        with pytest.raises(InputError, match="gave no table"):
            liar.table(made.csv(), TableRequest())


def test_without_a_process_tables_are_read_here(monkeypatch):
    alone = TableDecoder("plain")
    alone._alone = True
    assert alone.table(made.csv(), TableRequest()).rows == made.N
    with pytest.raises(InputError, match="damaged"):
        alone.table(b"PAR1" + bytes(100) + b"PAR1", TableRequest())


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"PAR1", b"PK\x03\x04", b"\x1f\x8b", b"{", b"lat,lon\n", b"SQLite format 3\0"]),
)
def test_any_bytes_are_a_table_or_a_refusal(data, start):
    with contextlib.suppress(InputError), refusing("file"):
        assert read(start + data).rows > 0
