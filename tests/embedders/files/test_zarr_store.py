"""Embeddings in Zarr stores: read where they lie, in each layout of the convention; what is unclear is refused."""

import json

import numpy as np
import pytest
import zarr

from tests.embedders.files.made import BOSTON_UTM, positions, unit_vectors
from unigeoclip.embedders import load_embedder
from unigeoclip.embedders.files import zarr_store
from unigeoclip.errors import InputError

SHAPE, DIM = (40, 30), 16
WEST, NORTH = BOSTON_UTM
SAID = {
    "geoemb:type": "pixel",
    "geoemb:dimensions": DIM,
    "geoemb:model": "https://example.org/model",
    "geoemb:source_data": ["https://example.org/data"],
    "geoemb:data_type": "float32",
    "proj:code": "EPSG:32619",
    "spatial:dimensions": ["y", "x"],
    "spatial:transform": [10.0, 0.0, WEST, 0.0, -10.0, NORTH],
}
PER_PIXEL = {"geoemb:quantization": {"method": "per_pixel_scale", "original_dtype": "float32",
                                     "scale": {"type": "array", "array_name": "scales", "nodata": "+inf"}}}  # fmt: skip


@pytest.fixture(scope="module")
def vectors():
    return unit_vectors(SHAPE, DIM)


def write(path, array, said=SAID, names=("band", "y", "x"), **options):
    """A group with an array called embeddings, and its attributes."""
    group = zarr.open_group(path, mode="w", attributes=said)
    options = {"chunks": tuple(min(side, 16) for side in array.shape), "dimension_names": names} | options
    group.create_array("embeddings", data=array, **options)
    return group


def embedded(path, rows, columns, options=""):
    return load_embedder(f"file:{path}{options}").embed(positions(rows, columns))


ROWS, COLUMNS = np.array([0, 7, 21, 39]), np.array([0, 29, 11, 3])


@pytest.mark.parametrize(
    ("order", "names", "options"),
    [
        ((2, 0, 1), ("band", "y", "x"), {}),
        ((2, 0, 1), None, {}),
        ((0, 1, 2), ("y", "x", "band"), {}),
        ((1, 2, 0), ("x", "n", "y"), {"chunks": (5, 8, 10), "shards": (10, 16, 20)}),
    ],
)
def test_vectors_lie_where_the_store_says(tmp_path, vectors, order, names, options):
    write(tmp_path / "a.zarr", np.transpose(vectors, order), names=names, **options)
    np.testing.assert_allclose(embedded(tmp_path / "a.zarr", ROWS, COLUMNS), vectors[ROWS, COLUMNS], atol=1e-6)


def test_nothing_outside_and_where_there_are_no_numbers(tmp_path, vectors):
    holed = np.moveaxis(vectors, -1, 0).copy()
    holed[:, 7, 29] = np.nan
    write(tmp_path / "a.zarr", holed)
    found = embedded(tmp_path / "a.zarr", np.array([7, 7, 60]), np.array([29, 28, 3]))
    assert np.isnan(found[[0, 2]]).all()
    assert np.isfinite(found[1]).all()


def test_a_factor_for_all_numbers(tmp_path, vectors):
    stored = np.rint(np.moveaxis(vectors, -1, 0) * 127).astype(np.int8)
    scale = {"type": "scalar", "scale": 1 / 127, "offset": 0.0}
    said = SAID | {"geoemb:quantization": {"method": "linear", "original_dtype": "float32", "scale": scale}}
    write(tmp_path / "a.zarr", stored, said)
    np.testing.assert_allclose(embedded(tmp_path / "a.zarr", ROWS, COLUMNS), vectors[ROWS, COLUMNS], atol=0.02)


def test_a_factor_for_each_pixel_in_a_group_of_a_zone(tmp_path, vectors):
    outer = {key: value for key, value in (SAID | PER_PIXEL).items() if key.startswith("geoemb:")}
    inner = {key: value for key, value in SAID.items() if not key.startswith("geoemb:")}
    zarr.open_group(tmp_path / "t.zarr", mode="w", attributes=outer | {"geoemb:spatial_layout": "utm_zones"})
    largest = np.abs(vectors).max(axis=-1)
    stored = np.rint(np.moveaxis(vectors / largest[..., None], -1, 0) * 127).astype(np.int8)
    group = write(tmp_path / "t.zarr" / "utm19", stored, inner)
    scales = (largest / 127).astype(np.float32)
    scales[7, 29] = np.inf
    group.create_array("scales", data=scales)
    found = embedded(tmp_path / "t.zarr" / "utm19", ROWS, COLUMNS)
    np.testing.assert_allclose(found[[0, 2, 3]], vectors[ROWS, COLUMNS][[0, 2, 3]], atol=0.01)
    assert np.isnan(found[1]).all()
    with pytest.raises(InputError, match=r"groups of UTM zones: give the path of one, .*t\.zarr/utm19"):
        load_embedder(f"file:{tmp_path / 't.zarr'}")


def test_coordinates_of_the_middles_of_pixels(tmp_path, vectors):
    said = SAID | {"spatial:registration": "node", "spatial:transform": [10.0, 0.0, WEST + 5, 0.0, -10.0, NORTH - 5]}
    write(tmp_path / "a.zarr", np.moveaxis(vectors, -1, 0), said)
    np.testing.assert_allclose(embedded(tmp_path / "a.zarr", ROWS, COLUMNS), vectors[ROWS, COLUMNS], atol=1e-6)


def test_provenance(tmp_path, vectors):
    write(tmp_path / "a.zarr", np.moveaxis(vectors, -1, 0))
    embedder = load_embedder(f"file:{tmp_path / 'a.zarr'}?license=CC+BY+4.0&sample=bilinear")
    assert embedder.dim == DIM
    assert "https://example.org/model" in embedder.provenance.made_by
    assert "Zarr" in embedder.provenance.source
    assert embedder.provenance.licence.startswith("CC BY 4.0")


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"geoemb:type": None}, "lack geoemb:type"),
        ({"geoemb:dimensions": 7}, "says geoemb:dimensions 7, and its array has vectors of 16"),
        ({"geoemb:quantization": {"method": "binary"}}, "quantized in a way that is not read"),
        ({"geoemb:quantization": {"scale": {"type": "scalar", "scale": "big"}}}, "quantized in a way"),
        (PER_PIXEL, "needs an array of factors, 40 x 30"),
        ({"proj:code": "EPSG:99999"}, "unknown coordinate reference system"),
        ({"proj:code": None}, "needs proj:code"),
        ({"spatial:transform": [1, 2]}, "has to be six numbers"),
        ({"spatial:transform": [0, 0, 1, 0, 0, 2]}, "pixels of no size"),
        ({"spatial:dimensions": ["lat", "lon"]}, "which of them are rows and columns"),
    ],
)
def test_what_is_unclear_is_refused(tmp_path, vectors, changed, complaint):
    said = {key: value for key, value in (SAID | changed).items() if value is not None}
    write(tmp_path / "a.zarr", np.moveaxis(vectors, -1, 0), said)
    with pytest.raises(InputError, match=complaint):
        load_embedder(f"file:{tmp_path / 'a.zarr'}")


def test_large_chunks_and_other_arrays_are_refused(tmp_path, vectors, monkeypatch):
    group = write(tmp_path / "a.zarr", np.moveaxis(vectors, -1, 0))
    monkeypatch.setattr(zarr_store, "_LARGEST_CHUNK_BYTES", 1000)
    with pytest.raises(InputError, match="stored in chunks"):
        load_embedder(f"file:{tmp_path / 'a.zarr'}")
    del group["embeddings"]
    group.create_array("years", shape=(3, 4, 5, 6), dtype="f4")
    with pytest.raises(InputError, match="0 arrays of three axes"):
        load_embedder(f"file:{tmp_path / 'a.zarr'}")


def test_damage_and_what_is_no_store(tmp_path, vectors):
    path = tmp_path / "a.zarr"
    path.mkdir()
    with pytest.raises(InputError, match="an empty folder"):
        load_embedder(f"file:{path}")
    write(path, np.moveaxis(vectors, -1, 0))
    for chunk in (path / "embeddings" / "c").rglob("*"):
        if chunk.is_file():
            chunk.write_bytes(chunk.read_bytes()[:20])
    with pytest.raises(InputError, match="is damaged"):
        embedded(path, ROWS, COLUMNS)
    for content in ("no json", "[]", json.dumps({"zarr_format": 9})):
        (path / "zarr.json").write_text(content)
        with pytest.raises(InputError, match="cannot be read as a Zarr group"):
            load_embedder(f"file:{path}")
    with pytest.raises(InputError, match="within= does not apply"):
        load_embedder(f"file:{path}?within=5m")
