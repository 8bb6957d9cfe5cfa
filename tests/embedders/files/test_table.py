"""Embeddings as a column of Parquet files: nearest rows within a distance."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from tests.embedders.files.made import spread_out, unit_vectors, write_geoparquet, write_table
from unigeoclip.embedders import load_embedder
from unigeoclip.embedders.files import table
from unigeoclip.errors import InputError

_NO_VECTORS = pa.array([None, None], pa.list_(pa.float32()))
LATLON = spread_out(15, 20)
STEP_M = 0.02 * 111_195 * np.cos(np.radians(42.44))  # to the nearest neighbor, which lies east or west


@pytest.fixture(scope="module")
def vectors():
    return unit_vectors((15, 20), 32).reshape(-1, 32)


def test_major_tom(tmp_path, vectors):
    cells = {"grid_cell": [f"{number}U_1R" for number in range(300)]}
    path = write_table(
        tmp_path / "part.parquet", LATLON, vectors.astype(np.float64), lat="centre_lat", lon="centre_lon",
        kind=pa.float64(), more=cells,
    )  # fmt: skip
    embedder = load_embedder(f"file:{path}")
    np.testing.assert_allclose(embedder.embed(LATLON + 0.004), vectors, atol=1e-6)
    assert embedder.title == "Major TOM embeddings (part.parquet)"
    assert embedder.provenance.licence.startswith("CC BY-SA 4.0")


def test_clay_s_squares_have_their_vector_at_the_center(tmp_path, vectors):
    path = write_geoparquet(tmp_path / "clay.parquet", LATLON, vectors)
    found = load_embedder(f"file:{path}").embed(LATLON[::7])
    np.testing.assert_allclose(found, vectors[::7], atol=1e-6)


def test_geometries_in_meters(tmp_path, vectors):
    from pyproj import CRS
    from rasterio.warp import transform

    x, y = transform("EPSG:4326", "EPSG:32619", LATLON[:, 1].tolist(), LATLON[:, 0].tolist())
    crs = CRS.from_epsg(32619).to_json_dict()
    path = write_geoparquet(tmp_path / "utm.parquet", LATLON, vectors, crs=crs, geometries=shapely.points(x, y))
    np.testing.assert_allclose(load_embedder(f"file:{path}").embed(LATLON[:9]), vectors[:9], atol=1e-6)


def test_rows_farther_than_three_quarters_of_their_spacing_do_not_count(tmp_path, vectors):
    path = write_table(tmp_path / "t.parquet", LATLON, vectors)
    embedder = load_embedder(f"file:{path}")
    away_deg = np.array([[0.7], [0.8]]) * STEP_M / 111_195 * (-1, 0)
    assert np.isnan(embedder.embed(LATLON[0] + away_deg)).all(axis=1).tolist() == [False, True]
    wide = load_embedder(f"file:{path}?within=5km")
    assert not np.isnan(wide.embed(LATLON[0] + away_deg)).any()
    assert "within 5,000 m" in wide.provenance.source
    south, west, north, east = embedder.coverage
    assert south < 42.3 < north < 42.62
    assert west < -71.1 < east < -70.69


@pytest.mark.parametrize(
    ("kind", "fixed", "scale"), [(pa.float16(), True, 1), (pa.int8(), True, 127), (pa.int8(), False, 127)]
)
def test_short_numbers_and_lists_of_fixed_size(tmp_path, vectors, kind, fixed, scale):
    rows = np.rint(vectors * scale).astype(np.int8) if scale > 1 else vectors.astype(np.float16)
    path = write_table(tmp_path / "t.parquet", LATLON, rows, column="vec", kind=kind, fixed=fixed)
    np.testing.assert_allclose(load_embedder(f"file:{path}").embed(LATLON), vectors, atol=0.01)


def test_rows_without_a_vector_stay_empty(tmp_path, vectors):
    rows = list(vectors)
    rows[0], rows[5], rows[9] = None, np.zeros(32), np.full(32, np.nan)
    path = write_table(tmp_path / "t.parquet", LATLON, rows)
    found = load_embedder(f"file:{path}").embed(LATLON)
    assert np.flatnonzero(np.isnan(found).any(axis=1)).tolist() == [0, 5, 9]


def test_the_first_of_several_rows_at_a_position_counts(tmp_path, vectors):
    twice = np.concatenate([LATLON, LATLON])
    path = write_table(tmp_path / "t.parquet", twice, np.concatenate([vectors, vectors[::-1]]))
    np.testing.assert_allclose(load_embedder(f"file:{path}").embed(LATLON), vectors, atol=1e-6)


def test_our_own_parts_are_read_by_modality(tmp_path, vectors):
    from unigeoclip.encoding.manifest import Credit, Embeddings
    from unigeoclip.encoding.part_file import part_bytes, stored

    emb = Embeddings(
        "abc123", "unigeoclip", "boston", "d4", 32, "int8", 1 / 127, True, "1.0", [Credit("OSM", "ODbL 1.0", "© OSM")]
    )
    rows = np.arange(len(LATLON))
    columns = {"aerial": (rows, stored(vectors, "int8")), "text": (rows[:50], stored(vectors[50:100], "int8"))}
    folder = tmp_path / "store" / "parts"
    folder.mkdir(parents=True)
    for number, part in enumerate([slice(0, 140), slice(140, 300)]):
        some = {
            name: (numbers[part] - part.start, values[part])
            for name, (numbers, values) in columns.items()
            if len(numbers[part])
        }
        data = part_bytes(emb, [f"p{each}" for each in rows[part]], LATLON[part], some)
        (folder / f"{number}.parquet").write_bytes(data)
    with pytest.raises(InputError, match="say which, such as modality=aerial"):
        load_embedder(f"file:{tmp_path / 'store'}")
    aerial = load_embedder(f"file:{tmp_path / 'store'}?modality=aerial")
    np.testing.assert_allclose(aerial.embed(LATLON), vectors, atol=0.01)
    assert aerial.title == "unigeoclip of boston (store)"
    assert aerial.provenance.licence == "ODbL 1.0. Credit: © OSM"
    assert "abc123" in aerial.provenance.source
    text = load_embedder(f"file:{tmp_path / 'store'}?modality=text")
    np.testing.assert_allclose(text.embed(LATLON[:50]), vectors[50:100], atol=0.01)
    with pytest.raises(InputError, match="no rows of the modality 'street'"):
        load_embedder(f"file:{tmp_path / 'store'}?modality=street")


def test_a_table_larger_than_memory_is_read_around_the_points(tmp_path, vectors, monkeypatch):
    monkeypatch.setattr(table, "MOST_ROWS", 100)
    monkeypatch.setattr(table, "_IN_MEMORY", 0)
    path = write_table(tmp_path / "t.parquet", LATLON, vectors)
    with pytest.raises(InputError, match="within=500m"):
        load_embedder(f"file:{path}")
    embedder = load_embedder(f"file:{path}?within=500m")
    some = LATLON[[0, 1, 21, 45]]
    np.testing.assert_allclose(embedder.embed(some), vectors[[0, 1, 21, 45]], atol=1e-6)
    np.testing.assert_allclose(embedder.embed(some[:1]), vectors[:1], atol=1e-6)
    assert np.isnan(embedder.embed([(0.0, 179.999)])).all()
    with pytest.raises(InputError, match="more than 100 vectors in this region"):
        embedder.embed(LATLON)


def test_vectors_are_read_from_the_row_groups_that_are_needed(tmp_path, vectors, monkeypatch):
    monkeypatch.setattr(table, "_IN_MEMORY", 0)
    embedder = load_embedder(f"file:{write_table(tmp_path / 't.parquet', LATLON, vectors)}")
    groups = []
    plain = pq.ParquetFile.iter_batches

    def counted(file, *arguments, row_groups=None, **options):
        groups.extend(row_groups or [])
        return plain(file, *arguments, row_groups=row_groups, **options)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", counted)
    np.testing.assert_allclose(embedder.embed(LATLON[[70, 260, 75]]), vectors[[70, 260, 75]], atol=1e-6)
    assert groups == [1, 4]  # of 64 rows each


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        ({"lat": [1.0], "lon": [2.0]}, "no column of lists of numbers"),
        ({"embedding": [[1.0, 2.0]]}, "has no positions"),
        ({"lat": [1.0], "lon": [2.0], "a": [[1.0]], "b": [[1.0]]}, "Say which, such as column=a"),
        ({"lat": [1.0, 95.0], "lon": [2.0, 2.0], "a": [[1.0], [2.0]]}, "Row 2 of t.parquet has latitude 95"),
        ({"lat": [1.0, 2.0], "lon": [2.0, 2.0], "a": [[1.0], [2.0, 3.0]]}, "Near row 2 .* a vector of 2 numbers"),
        ({"lat": [1.0], "lon": [2.0], "a": [[1.0, 3.0]]}, "within=500m"),
        ({"lat": [None], "lon": [None], "a": [[1.0, 3.0]]}, "no rows with a position"),
        ({"lat": [1.0, 2.0], "lon": [1.0, 2.0], "a": _NO_VECTORS}, "holds no vectors"),
    ],
)  # fmt: skip
def test_tables_without_usable_embeddings_are_refused(tmp_path, columns, complaint):
    table_ = pa.table(columns)
    if "lat" in columns and columns["lat"] == [None]:
        table_ = table_.cast(pa.schema([("lat", pa.float64()), ("lon", pa.float64()), table_.schema.field("a")]))
    pq.write_table(table_, tmp_path / "t.parquet")
    with pytest.raises(InputError, match=complaint):
        load_embedder(f"file:{tmp_path / 't.parquet'}").embed([(1.0, 2.0)])


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + bytes(100) + b"PAR1"])
def test_damaged_files_are_refused(tmp_path, content):
    (tmp_path / "bad.parquet").write_bytes(content)
    with pytest.raises(InputError, match=r"bad.parquet cannot be read as Parquet"):
        load_embedder(f"file:{tmp_path / 'bad.parquet'}")
