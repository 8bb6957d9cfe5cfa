"""Embeddings in the bands of rasters: AlphaEarth, TESSERA, plain numbers."""

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin
from rasterio.windows import Window

from tests.embedders.files.made import (
    BOSTON_UTM,
    positions,
    quantized,
    unit_vectors,
    write_alphaearth,
    write_raster,
)
from unigeoclip.embedders import load_embedder
from unigeoclip.embedders.files import grid
from unigeoclip.errors import InputError

ROWS, COLUMNS = np.array([0, 5, 39, 17]), np.array([0, 29, 3, 11])
TOLERANCE = 0.02  # of a number of int8, (x / 127.5)^2


@pytest.fixture(scope="module")
def vectors():
    return unit_vectors((40, 30), 64)


@pytest.mark.parametrize("south_up", [False, True])
def test_alphaearth_is_read_where_it_lies_whichever_way_up(tmp_path, vectors, south_up):
    path = write_alphaearth(tmp_path / "aef.tif", vectors, south_up=south_up)
    embedder = load_embedder(f"file:{path}")
    found = embedder.embed(positions(ROWS, COLUMNS))
    np.testing.assert_allclose(found, vectors[ROWS, COLUMNS], atol=TOLERANCE)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert (embedder.dim, found.dtype, found.flags.c_contiguous) == (64, np.float32, True)
    assert embedder.title == "AlphaEarth Foundations (aef.tif)"
    assert "sha256" in embedder.provenance.source
    assert "EPSG:32619" in embedder.provenance.source
    assert str(tmp_path) not in embedder.provenance.source
    assert embedder.provenance.licence.startswith("CC BY 4.0. Credit: The AlphaEarth Foundations Satellite Embedding")


def test_alphaearth_is_the_published_mapping(tmp_path):
    steps = np.zeros((64, 1, 2), np.int8)
    steps[0], steps[1] = 127, -64
    embedder = load_embedder(f"file:{write_raster(tmp_path / 'aef.tif', steps, tiled=False)}")
    expected = np.array([(127 / 127.5) ** 2, -((64 / 127.5) ** 2)])
    found = embedder.embed(positions([0], [1]))[0]
    np.testing.assert_allclose(found[:2], expected / np.linalg.norm(expected), atol=1e-6)
    assert not found[2:].any()


def test_no_vector_outside_and_in_gaps(tmp_path, vectors):
    missing = np.zeros((40, 30), bool)
    missing[5, 29] = True
    embedder = load_embedder(f"file:{write_alphaearth(tmp_path / 'aef.tif', vectors, missing)}")
    points = [*positions(ROWS, COLUMNS), (42.0, -71.0), (-42.4, 108.9), (90.0, 0.0)]
    found = embedder.embed(points)
    assert np.isnan(found).all(axis=1).tolist() == [False, True, False, False, True, True, True]
    assert not np.isnan(found[[0, 2, 3]]).any()
    south, west, north, east = embedder.coverage
    inside = positions(ROWS, COLUMNS)
    assert (inside >= (south, west)).all()
    assert (inside <= (north, east)).all()


def test_windows_are_what_is_read(tmp_path, monkeypatch):
    vectors = unit_vectors((280, 280), 64)
    embedder = load_embedder(f"file:{write_alphaearth(tmp_path / 'aef.tif', vectors)}")
    monkeypatch.setattr(grid, "_WINDOW_BYTES", 64 * 4 * 50**2)
    embedder = load_embedder(f"file:{tmp_path / 'aef.tif'}")
    read = []
    plain = rasterio.DatasetReader.read

    def counted(dataset, *arguments, window: Window, **options):
        read.append((window.width, window.height))
        return plain(dataset, *arguments, window=window, **options)

    monkeypatch.setattr(rasterio.DatasetReader, "read", counted)
    rows, columns = np.array([10, 12, 270, 160]), np.array([20, 21, 5, 160])
    np.testing.assert_allclose(embedder.embed(positions(rows, columns)), vectors[rows, columns], atol=TOLERANCE)
    assert sorted(read) == [(1, 1), (1, 1), (2, 3)]


def test_bilinear_lies_between_the_pixels(tmp_path, vectors):
    path = write_raster(tmp_path / "plain.tif", np.moveaxis(vectors, -1, 0).copy())
    nearest, bilinear = load_embedder(f"file:{path}"), load_embedder(f"file:{path}?sample=bilinear")
    between = positions([10], [10], within=1.0)  # the corner of four pixels
    mean = vectors[10:12, 10:12].mean(axis=(0, 1))
    np.testing.assert_allclose(bilinear.embed(between)[0], mean / np.linalg.norm(mean), atol=1e-4)
    center = positions([10], [10])
    np.testing.assert_allclose(bilinear.embed(center), nearest.embed(center), atol=1e-4)
    assert np.isnan(bilinear.embed([(0.0, 0.0)])).all()


def test_float_bands_respect_nodata_nan_scale_and_offset(tmp_path):
    bands = np.ones((3, 2, 2), np.float32)
    bands[0, 0, 1], bands[2, 1, 0] = -9999, np.nan
    path = write_raster(tmp_path / "plain.tif", bands, tiled=False, nodata=-9999)
    with rasterio.open(path, "r+") as dataset:
        dataset.scales, dataset.offsets = (2.0, 1.0, 1.0), (0.0, 0.0, 1.0)
    found = load_embedder(f"file:{path}").embed(positions([0, 0, 1, 1], [0, 1, 0, 1]))
    assert np.isnan(found).all(axis=1).tolist() == [False, True, True, False]
    np.testing.assert_allclose(found[0], np.array([2, 1, 2]) / 3, atol=1e-6)


def test_longitudes_from_0_to_360(tmp_path):
    bands = np.moveaxis(unit_vectors((18, 36), 4), -1, 0).copy()
    path = write_raster(
        tmp_path / "world.tif", bands, tiled=False, crs="EPSG:4326", transform=from_origin(0, 90, 10, 10)
    )
    found = load_embedder(f"file:{path}").embed([(42.0, -71.0), (42.0, 289.0), (-85.0, 5.0)])
    np.testing.assert_allclose(found[0], bands[:, 4, 28], atol=1e-6)
    np.testing.assert_allclose(found[1], found[0])
    np.testing.assert_allclose(found[2], bands[:, 17, 0], atol=1e-6)


def tessera(vectors):
    """int8 and scales of vectors."""
    scales = np.abs(vectors).max(axis=-1) / 127
    return np.rint(vectors / scales[..., None]).astype(np.int8), scales.astype(np.float32)


def test_tessera_with_a_raster_of_scales(tmp_path):
    vectors = 3 * unit_vectors((40, 30), 128)
    steps, scales = tessera(vectors)
    scales[5, 29] = np.nan
    write_raster(tmp_path / "tile.tif", np.moveaxis(steps, -1, 0).copy())
    with pytest.raises(InputError, match=r"tile_scales.tif is no file"):
        load_embedder(f"file:{tmp_path / 'tile.tif'}")
    write_raster(tmp_path / "tile_scales.tif", scales[None])
    embedder = load_embedder(f"file:{tmp_path / 'tile.tif'}")
    found = embedder.embed(positions(ROWS, COLUMNS))
    assert np.isnan(found).all(axis=1).tolist() == [False, True, False, False]
    np.testing.assert_allclose(found[[0, 2, 3]], vectors[ROWS, COLUMNS][[0, 2, 3]] / 3, atol=0.01)
    assert embedder.title == "TESSERA (tile.tif)"
    write_raster(tmp_path / "other.tif", scales[None, :20])
    with pytest.raises(InputError, match="is not the raster of scales"):
        load_embedder(f"file:{tmp_path / 'tile.tif'}?scales={tmp_path / 'other.tif'}")


@pytest.mark.parametrize("beside", [True, False])
def test_tessera_as_numpy_files(tmp_path, beside):
    vectors = unit_vectors((40, 30), 128)
    steps, scales = tessera(vectors)
    folder = tmp_path / "global_0.1_degree_representation" / "2024" / "grid_-71.05_42.35"
    folder.mkdir(parents=True)
    path = folder / "grid_-71.05_42.35.npy"
    np.save(path, steps)
    np.save(path.with_name("grid_-71.05_42.35_scales.npy"), scales)
    with pytest.raises(InputError, match="does not say where it lies"):
        load_embedder(f"file:{path}")
    masks = folder if beside else tmp_path / "global_0.1_degree_tiff_all"
    masks.mkdir(exist_ok=True)
    write_raster(masks / "grid_-71.05_42.35.tiff", np.ones((1, 40, 30), np.uint8))
    found = load_embedder(f"file:{path}").embed(positions(ROWS, COLUMNS))
    np.testing.assert_allclose(found, vectors[ROWS, COLUMNS], atol=0.01)


def test_geotessera_s_geotiffs_are_recognized(tmp_path):
    bands = np.moveaxis(unit_vectors((40, 30), 128), -1, 0).copy()
    path = write_raster(tmp_path / "grid_2024.tif", bands, names=["Tessera_Band_0"], tags={"TESSERA_YEAR": "2024"})
    embedder = load_embedder(f"file:{path}")
    assert embedder.title == "TESSERA (grid_2024.tif)"
    assert "2024" in embedder.provenance.source
    assert embedder.provenance.licence.startswith("unknown")


def test_a_vrt_over_tiles(tmp_path, vectors):
    from rasterio.shutil import copy

    write_alphaearth(tmp_path / "tile.tif", vectors)
    copy(tmp_path / "tile.tif", tmp_path / "all.vrt", driver="VRT")
    found = load_embedder(f"file:{tmp_path / 'all.vrt'}").embed(positions(ROWS, COLUMNS))
    np.testing.assert_allclose(found, vectors[ROWS, COLUMNS], atol=TOLERANCE)


@pytest.mark.parametrize(
    ("bands", "options", "complaint"),
    [
        (np.ones((1, 4, 4), np.float32), {}, "has 1 bands"),
        (np.ones((3, 4, 4), np.uint8), {}, r"3 bands of uint8\. Known are"),
        (np.ones((60, 4, 4), np.int8), {}, "60 bands of int8"),
        (np.ones((3, 4, 4), np.float32), {"crs": None}, "does not say where it lies"),
    ],
)
def test_what_holds_no_known_embeddings_is_refused(tmp_path, bands, options, complaint):
    path = write_raster(tmp_path / "odd.tif", bands, tiled=False, **options)
    with pytest.raises(InputError, match=complaint):
        load_embedder(f"file:{path}")


def test_whole_numbers_are_taken_when_asked(tmp_path):
    path = write_raster(tmp_path / "odd.tif", np.full((3, 4, 4), 7, np.int16), tiled=False)
    found = load_embedder(f"file:{path}?kind=float").embed(positions([1], [1]))
    np.testing.assert_allclose(found[0], 3**-0.5, atol=1e-6)
    with pytest.raises(InputError, match="cannot be read as alphaearth"):
        load_embedder(f"file:{path}?kind=alphaearth")


def test_blocks_that_would_fill_the_memory_are_refused(tmp_path, monkeypatch):
    from unigeoclip.embedders.files import raster

    path = write_raster(tmp_path / "wide.tif", np.ones((4, 300, 300), np.float32))
    monkeypatch.setattr(raster, "_LARGEST_BLOCK_BYTES", 4 * 256 * 256 * 4 - 1)
    with pytest.raises(InputError, match="gdal_translate -of COG"):
        load_embedder(f"file:{path}")


@pytest.mark.parametrize("content", [b"", b"not a tiff", quantized(np.ones(9)).tobytes()])
def test_damaged_files_are_refused(tmp_path, content):
    (tmp_path / "bad.tif").write_bytes(content)
    with pytest.raises(InputError, match=r"bad.tif cannot be read as a GeoTIFF or VRT"):
        load_embedder(f"file:{tmp_path / 'bad.tif'}")


def test_truncated_pixels_are_an_error_not_a_gap(tmp_path):
    path = write_raster(tmp_path / "cut.tif", np.random.default_rng(0).normal(size=(8, 512, 512)).astype(np.float32))
    embedder = load_embedder(f"file:{path}")
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    west, north = BOSTON_UTM
    points = positions([500], [500], transform=from_origin(west, north, 10, 10))
    with pytest.raises(InputError, match=r"cut.tif cannot be read"):
        embedder.embed(points)
