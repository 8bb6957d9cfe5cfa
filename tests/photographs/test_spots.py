"""Reading a folder of photographs: rows, spots and years; what does not fit is refused by row."""

import numpy as np
import pytest

from unigeoclip.errors import InputError
from unigeoclip.photographs.spots import read_photographs

ROWS = [
    "a_2016_0.png,Aville,2016,34.1,-117.7,3",
    "a_2020_0.png,Aville,2020,34.1,-117.7,5",
    "b_2016_0.png,Bville,2016,33.9,-118.2,",
]
HEAD = "file,city,year,lat,lon,trees"


def folder_of(path, rows=ROWS, head=HEAD):
    (path / "aerial").mkdir()
    (path / "vector-tiles").mkdir()
    (path / "chips.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    for row in ROWS:
        (path / "aerial" / row.partition(",")[0]).write_bytes(b"picture")
    return path


def test_pictures_of_one_place_are_one_spot(tmp_path):
    found = read_photographs(folder_of(tmp_path))
    assert found.cities == ["Aville", "Bville"]
    by_file = dict(zip(found.files, found.spot, strict=True))
    assert by_file["a_2016_0.png"] == by_file["a_2020_0.png"] != by_file["b_2016_0.png"]
    assert found.latlon.shape == (2, 2)
    assert list(found.spot_city[found.spot]) == list(found.city)
    assert np.allclose(found.latlon[by_file["b_2016_0.png"]], (33.9, -118.2))
    trees = dict(zip(found.files, found.trees, strict=True))
    assert trees["a_2020_0.png"] == 5
    assert np.isnan(trees["b_2016_0.png"])
    assert found.read(0) == b"picture"


def test_trees_are_optional(tmp_path):
    rows = [row.rpartition(",")[0] for row in ROWS]
    assert np.isnan(read_photographs(folder_of(tmp_path, rows, HEAD.removesuffix(",trees"))).trees).all()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a_2016_0.png,Aville,2016,north,-117.7,3", "row 4: lat is 'north'"),
        ("a_2016_0.png,Aville,soon,34.1,-117.7,3", "row 4: year is 'soon'"),
        ("a_2016_0.png,Aville,2016,34.1,-117.7,many", "row 4: trees is 'many'"),
        ("a_2016_0.png,Aville,2016,134.1,-117.7,3", "row 4: the latitude"),
        ("a_2016_0.png,Aville,2016,34.1,inf,3", "row 4: lon"),
        ("a_2016_0.png,,2016,34.1,-117.7,3", "row 4: the city"),
        ("gone.png,Aville,2016,34.1,-117.7,3", "row 4: there is no picture 'gone.png'"),
        ("../chips.csv,Aville,2016,34.1,-117.7,3", "row 4: there is no picture"),
        ("b_2016_0.png,Cville,2018,33.9,-118.2,3", "two cities"),
    ],
)
def test_rows_that_do_not_fit_are_named(tmp_path, row, message):
    with pytest.raises(InputError, match=message):
        read_photographs(folder_of(tmp_path, [*ROWS, row]))


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(InputError, match=r"chips\.csv"):
        read_photographs(tmp_path)
    folder = folder_of(tmp_path, head="file,city,year,lat,x,trees")
    with pytest.raises(InputError, match="lacks the column 'lon'"):
        read_photographs(folder)
    (folder / "chips.csv").write_text(HEAD + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="0 rows"):
        read_photographs(folder)
    (folder / "chips.csv").write_text("\n".join([HEAD, *ROWS]), encoding="utf-8")
    (folder / "vector-tiles").rmdir()
    with pytest.raises(InputError, match="vector-tiles is missing"):
        read_photographs(folder)
