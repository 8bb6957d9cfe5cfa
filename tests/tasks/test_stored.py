"""Packs of tasks as files: what is written is read, what is damaged is refused."""

import numpy as np
import pytest

from unigeoclip.errors import InputError
from unigeoclip.tasks.stored import PackTable, read_column, read_pictures, read_rows, write_pack

LATLON = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


def write(path, **more):
    table = PackTable(
        LATLON,
        {
            "height": np.array([1.5, np.nan, 3.5]),
            "country": np.array(["Chad", "Åland", None], dtype=object),
        },
        notes=["Some are left out."],
        **more,
    )
    write_pack(path, table, {"version": 2})
    return path


def test_rows_without_a_value_are_left_out(tmp_path):
    path = write(tmp_path / "pack.parquet")
    heights, notes = read_column(path, "height", 2)
    assert heights.latlon.tolist() == [[1, 2], [5, 6]]
    assert heights.targets["height"].tolist() == [1.5, 3.5]
    assert notes == ["Some are left out."]
    countries, _ = read_column(path, "country", 2)
    assert countries.targets["country"].tolist() == ["Chad", "Åland"]
    assert countries.targets["country"].dtype.kind == "U"
    assert countries.groups is None
    assert countries.areas is None


def test_all_rows_of_a_pack_and_which_of_them_a_task_has(tmp_path):
    path = write(tmp_path / "pack.parquet")
    rows, of_task = read_rows(path)
    assert rows.latlon.tolist() == LATLON.tolist()
    assert {name: taken.tolist() for name, taken in of_task.items()} == {
        "height": [True, False, True],
        "country": [True, True, False],
    }
    path.write_bytes(b"no parquet")
    with pytest.raises(InputError, match="damaged"):
        read_rows(path)


def test_groups_areas_and_pictures_follow_their_rows(tmp_path):
    areas = np.arange(12.0).reshape(3, 2, 2)
    areas[2, 1] = np.nan
    path = write(tmp_path / "pack.parquet", groups=np.array(["a", "b", "c"]), areas=areas, pictures=[b"0", b"1", b"2"])
    table, _ = read_column(path, "height", 2)
    assert table.groups.tolist() == ["a", "c"]
    np.testing.assert_array_equal(table.areas, areas[[0, 2]])
    assert read_pictures(path, "height") == [b"0", b"2"]


def test_another_version_is_refused(tmp_path):
    with pytest.raises(InputError, match="another version"):
        read_column(write(tmp_path / "pack.parquet"), "height", 3)


@pytest.mark.parametrize("damage", ["missing", "cut", "other column"])
def test_damage_is_refused(tmp_path, damage):
    path = write(tmp_path / "pack.parquet")
    if damage == "missing":
        path.unlink()
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match=r"pack\.parquet"):
        read_column(path, "depth" if damage == "other column" else "height", 2)
    with pytest.raises(InputError, match=r"pack\.parquet"):
        read_pictures(path, "height")
