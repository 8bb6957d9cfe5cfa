"""Tables of any bytes and any cells: points in range, as many as there are rows, or an error that says why not."""

import csv
import io

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from unigeoclip.errors import InputError
from unigeoclip.export.embedding_tables import embed_csv, read_points

NUMBERS = st.one_of(
    st.floats(-95, 95).map(repr),
    st.integers(-200, 200).map(str),
    st.sampled_from(
        ["", "nan", "inf", "-0", "+5", " 7 ", "1e1", "1e400", "042", "4,5", "True", "1_0", "٣", "9" * 25, "0x1"]
    ),
)
WORDS = st.one_of(NUMBERS, st.text(max_size=8), st.sampled_from(['a"b', "x\ny", "\0", "=1+1", "\u2028", "NA"]))


class OfOne:
    """An embedder that costs nothing."""

    name, dim = "one", 1

    def embed(self, points):
        return np.ones((len(points), 1), np.float32)


def write(path, header, rows, delimiter=","):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows([header, *rows])
    path.write_bytes(text.getvalue().encode(errors="surrogatepass"))
    return text.getvalue()


def check(path, text=None):
    """Read a table; returns the number of rows, or None if it was refused."""
    try:
        table, points = read_points(path, "lat", "lon")
    except InputError:
        return None
    assert points.shape == (len(table), 2)
    assert points.dtype == np.float64
    assert np.isfinite(points).all()
    assert (np.abs(points[:, 0]) <= 90).all()
    assert (points[:, 1] >= -180).all()
    assert (points[:, 1] < 180).all()
    rows, dim, _ = embed_csv(OfOne(), path, "lat", "lon", path.with_suffix(".parquet"))
    assert (rows, dim) == (len(table), 1)
    return len(table)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "fuzzed.csv"


@given(content=st.binary(max_size=400))
@example(content=b"\x1f\x8b")
@example(content=b'lat,lon\n"')
@example(content=b"lat,lon\r1,2\r3,4")
def test_any_bytes(path, content):
    path.write_bytes(content)
    check(path)


@given(
    rows=st.binary(max_size=200),
    start=st.sampled_from([b"lat,lon\n", b"lat;lon;a\n", b"a,lat,lon\r\n", b"\xef\xbb\xbflat,lon\n"]),
)
def test_any_bytes_below_a_header(path, rows, start):
    path.write_bytes(start + rows)
    check(path)


@given(
    rows=st.lists(st.lists(WORDS, min_size=1, max_size=4), max_size=8),
    names=st.permutations(["lat", "lon", "x"]),
    delimiter=st.sampled_from([",", ";", "\t"]),
)
def test_any_cells(path, rows, names, delimiter):
    """What is read is what the csv module of Python reads, cell by cell."""
    write(path, names, rows, delimiter)
    count = check(path)
    same = [
        row
        for row in csv.reader(io.StringIO(path.read_bytes().decode(errors="replace"), newline=""), delimiter=delimiter)
        if row
    ][1:]
    if count is None:
        return
    assert count == len(same)
    assert all(len(row) == 3 for row in same)
    _, points = read_points(path, "lat", "lon")
    at = names.index("lat")
    assert points[:, 0].tolist() == [float(row[at]) for row in same]


@given(
    points=st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 179.9)), min_size=1, max_size=20),
    other=st.lists(
        st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=6), min_size=20, max_size=20
    ),
)
def test_good_tables_are_never_refused(path, points, other):
    write(
        path,
        ["lat", "lon", "x"],
        [[repr(lat), repr(lon), word] for (lat, lon), word in zip(points, other, strict=False)],
    )
    assert check(path) == len(points)


@given(
    points=st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 179.9)), min_size=2, max_size=6),
    extra=st.integers(1, 3),
    at=st.integers(0, 5),
)
def test_a_row_of_another_length_is_always_refused(path, points, extra, at):
    rows = [[repr(lat), repr(lon)] for lat, lon in points]
    rows[at % len(rows)] += ["1"] * extra
    write(path, ["lat", "lon"], rows)
    assert check(path) is None
