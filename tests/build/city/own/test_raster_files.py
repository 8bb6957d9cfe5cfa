"""Lists of rasters: folders, tables of sources, years, and what lies on top."""

import pytest

from unigeoclip.build.city.own.inputs import resolve
from unigeoclip.build.city.own.raster_files import list_rasters
from unigeoclip.errors import InputError

TABLE = """path,license,credit,year,url
a.tif,CC BY 4.0,Ann,2018,https://example.org/a
deep/*.tif,CC0 1.0,Bob,2020,
b.tif,,Eve,,
"""


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "rasters"
    for name in ("a.tif", "b.tif", "deep/c.TIFF", "deep/d.tif", "e_2019.tif", "notes.txt", "all.vrt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    return folder


def names(files):
    return [file.path.name for file in files]


def test_a_folder_is_searched_and_later_years_lie_on_top(folder):
    files, notes = list_rasters([folder], "--aerial")
    assert names(files) == ["e_2019.tif", "a.tif", "b.tif", "c.TIFF", "d.tif"], "a VRT shows the same once more"
    assert [file.year for file in files] == [2019, None, None, None, None]
    assert notes == ()


def test_a_table_says_license_credit_and_year(folder):
    (folder / "sources.csv").write_text(TABLE)
    files, notes = list_rasters([folder], "--aerial")
    assert names(files) == ["d.tif", "e_2019.tif", "a.tif", "c.TIFF"]
    by_name = {file.path.name: file for file in files}
    assert by_name["d.tif"].license == "CC0 1.0", "by a pattern"
    assert (by_name["a.tif"].credit, by_name["a.tif"].url) == ("Ann", "https://example.org/a")
    assert by_name["e_2019.tif"].license == "", "no row speaks of it"
    assert any("1 rasters of --aerial are left out" in note and "b.tif" in note for note in notes)
    assert any("2018 to 2020" in note for note in notes)


def test_a_single_file_has_its_row_too(folder):
    (folder / "sources.csv").write_text(TABLE)
    ((file,), _) = list_rasters([folder / "a.tif"], "--aerial")
    assert (file.license, file.year) == ("CC BY 4.0", 2018)


def test_the_nearest_table_that_names_a_file_counts(tmp_path):
    for name in ("top.tif", "2020/a.tif", "2020/b.tif", "2020/deep/c.tif", "other/d.tif"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "sources.csv").write_text("path,license,credit\n2020/*.tif,CC BY 4.0,City\ntop.tif,CC0 1.0,Ann\n")
    (tmp_path / "2020" / "sources.csv").write_text(
        "path,license,credit,year\na.tif,ODbL,Bob,2020\ndeep/c.tif,,Eve,2020\n"
    )
    files, notes = list_rasters([tmp_path], "--aerial")
    said = {file.path.name: (file.license, file.credit) for file in files}
    assert said == {"a.tif": ("ODbL", "Bob"), "b.tif": ("CC BY 4.0", "City"), "top.tif": ("CC0 1.0", "Ann"),
                    "d.tif": ("", "")}  # fmt: skip
    assert names(files)[0] == "a.tif", "of 2020"
    assert names(files)[-1] == "d.tif", "that nobody names"
    assert any("c.tif" in note and "left out" in note for note in notes), "its row states no license"


def test_what_is_given_first_lies_on_top_and_nothing_twice(folder):
    files, _ = list_rasters([folder / "b.tif", folder / "a.tif", folder / "b.tif"], "--aerial")
    assert names(files) == ["b.tif", "a.tif"]


def test_one_year(folder):
    files, notes = list_rasters([folder], "--aerial", 2019)
    assert names(files) == ["e_2019.tif"]
    assert notes == ()
    with pytest.raises(InputError, match=r"no raster of 2017, but of 2019 \(1\), no year \(4\)"):
        list_rasters([folder], "--aerial", 2017)


@pytest.mark.parametrize(
    ("name", "year"),
    [("claremont_2016_0.tif", 2016), ("m_3411861_se_11_060_20200424.tif", 2020), ("tile_120190.tif", None),
     ("x2021.tif", 2021), ("3020.tif", None)],
)  # fmt: skip
def test_years_in_names(tmp_path, name, year):
    (tmp_path / name).write_text("")
    ((file,), _) = list_rasters([tmp_path / name], "--aerial")
    assert file.year == year


@pytest.mark.parametrize(
    ("table", "message"),
    [("file\na.tif\n", "needs a column 'path'"), ("path,year\na.tif,20\n", "line 2: the year is '20'"),
     ("path\n\"a.tif\n", "cannot be read as a CSV")],
)  # fmt: skip
def test_bad_tables(folder, table, message):
    (folder / "sources.csv").write_text(table)
    with pytest.raises(InputError, match=message):
        list_rasters([folder], "--aerial")


def test_a_folder_without_rasters(tmp_path):
    with pytest.raises(InputError, match="holds no raster"):
        list_rasters([tmp_path], "--surface")


def test_words_are_files_or_schemes(tmp_path):
    assert resolve([str(tmp_path)], "aerial") == (tmp_path,)
    with pytest.raises(InputError, match="does not exist"):
        resolve(["gone.tif"], "aerial")
    with pytest.raises(InputError, match="no source that can be fetched"):
        resolve(["nonsuch:naip"], "aerial")
    (tmp_path / "odd:name.tif").write_text("")
    assert resolve([str(tmp_path / "odd:name.tif")], "aerial") == (tmp_path / "odd:name.tif",)
