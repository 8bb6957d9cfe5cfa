import geopandas
import numpy as np
import pytest

from tests.stores.made import positions
from unigeoclip.errors import InputError
from unigeoclip.stores.places import PlaceNames, PlaceTable


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("places") / "places.parquet"
    lat, lon = positions(300).T
    names = {"place_id": [f"p{row}" for row in range(300)], "name": [f"It's {row}" for row in range(300)]}
    table = geopandas.GeoDataFrame(names | {"country": "XY"}, geometry=geopandas.points_from_xy(lon, lat), crs=4326)
    table.to_parquet(path, write_covering_bbox=True, schema_version="1.1.0", row_group_size=50)
    return path


def test_names_are_those_of_the_rows_that_are_asked_for(file):
    table = PlaceTable(file)
    expected = {"p7": PlaceNames("It's 7", "XY"), "p299": PlaceNames("It's 299", "XY")}
    assert table.named(["p7", "p299", "p7", "nobody"]) == expected
    assert table.named(["p7", "p299"], positions(300)[[7, 299]]) == expected
    assert table.named(["'; DROP TABLE x; --"]) == {}
    assert table.named([]) == {}


def test_places_elsewhere_are_skipped(file):
    """With positions only that part of the table counts, which is how the box is known to be used."""
    assert PlaceTable(file).named(["p7"], np.array([(-89.0, 0.0)])) == {}


def test_a_folder_is_one_table(file, tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.parquet").write_bytes(file.read_bytes())
    assert PlaceTable(tmp_path).named(["p3"]) == {"p3": PlaceNames("It's 3", "XY")}


def test_a_table_that_is_none_is_refused(tmp_path):
    with pytest.raises(InputError, match="no GeoParquet file"):
        PlaceTable(tmp_path / "nowhere.parquet")
    (tmp_path / "x.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(InputError, match="cannot be read as GeoParquet"):
        PlaceTable(tmp_path / "x.parquet")
    geopandas.GeoDataFrame({"id": [1]}, geometry=geopandas.points_from_xy([0], [0])).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(InputError, match="no column 'place_id'"):
        PlaceTable(tmp_path / "x.parquet")
    (tmp_path / "x.parquet").rename(tmp_path / "x[1].parquet")
    with pytest.raises(InputError, match="pattern"):
        PlaceTable(tmp_path / "x[1].parquet")
