"""Windows of GeoTIFFs on a server: the right pixels, few bytes, and clear words where it cannot be."""

import numpy as np
import pytest
import rasterio
from rasterio.warp import transform_bounds
from rasterio.windows import from_bounds

from tests.sources.pictures import write_raster, write_vast
from unigeoclip.errors import DownloadError
from unigeoclip.sources import remote_raster
from unigeoclip.sources.base import Wanted
from unigeoclip.sources.remote_raster import copy_window
from unigeoclip.sources.web import AbsentError

HOST = "data.test"
URL = f"https://{HOST}/a.tif"
BOUNDS = (42.30, -71.10, 42.34, -71.05)
INSIDE = (42.310, -71.090, 42.311, -71.089)


def copy(web, path, bounds=INSIDE, modality="aerial", px=0.1, **options):
    return copy_window(web, lambda _: URL, Wanted(bounds, modality, px), path, **options)


@pytest.fixture
def there(services):
    return services.folder / HOST / "a.tif"


def test_a_small_window_of_a_large_file_costs_few_bytes(services, web, there, tmp_path):
    pixels = np.ones((4, 4096, 4096), np.uint8)  # zeros would be left out
    write_raster(there, BOUNDS, array=pixels, driver="GTiff", tiled=True, interleave="pixel")
    size = there.stat().st_size
    assert size > 64_000_000
    with rasterio.open(there) as dataset:
        lon, lat = dataset.lnglat()
        step = 64 * dataset.res[0] / 111_000
    assert copy(web, tmp_path / "w.tif", (lat - step / 2, lon - step * 0.67, lat + step / 2, lon + step * 0.67))
    with rasterio.open(tmp_path / "w.tif") as window:
        assert 56 <= window.width <= 80
        assert 56 <= window.height <= 80
    assert services.sent[f"/{HOST}/a.tif"] == web.bytes
    assert web.bytes < 0.05 * size
    assert services.count() <= 6


def test_a_window_of_a_mosaic_of_forty_gigabytes(web, there, tmp_path):
    south, west, north, east = small = (42.3100, -71.0900, 42.3103, -71.0896)
    with write_vast(there, BOUNDS) as mosaic:
        at = from_bounds(*transform_bounds("EPSG:4326", mosaic.crs, west, south, east, north), mosaic.transform)
        at = at.round_offsets().round_lengths()
        pixels = np.random.default_rng(0).integers(1, 255, (4, int(at.height), int(at.width))).astype(np.uint8)
        mosaic.write(pixels, window=at)
    assert copy(web, tmp_path / "w.tif", small, px=0.01)
    with rasterio.open(tmp_path / "w.tif") as window, rasterio.open(there) as whole:
        same = from_bounds(*window.bounds, transform=whole.transform)
        np.testing.assert_array_equal(window.read(), whole.read(window=same))
        assert (window.read() > 0).mean() > 0.5
    assert web.bytes < 20_000_000


def test_the_pixels_are_those_of_the_file(web, there, tmp_path):
    write_raster(there, BOUNDS, size=(700, 600), blocksize=128)
    assert copy(web, tmp_path / "w.tif")
    with rasterio.open(tmp_path / "w.tif") as window, rasterio.open(there) as whole:
        assert window.count == 3
        assert window.crs == whole.crs
        assert window.colorinterp[0].name == "red"
        at = from_bounds(*window.bounds, transform=whole.transform)
        np.testing.assert_array_equal(window.read(), whole.read([1, 2, 3], window=at))


def test_the_window_crosses_the_strips_in_which_it_is_copied(web, there, tmp_path, monkeypatch):
    monkeypatch.setattr(remote_raster, "ROWS_AT_ONCE", 128)
    write_raster(there, BOUNDS, size=(700, 600), bands=1, blocksize=128)
    assert copy(web, tmp_path / "w.tif", BOUNDS)
    with rasterio.open(tmp_path / "w.tif") as window, rasterio.open(there) as whole:
        np.testing.assert_array_equal(window.read(), whole.read())


def test_a_coarser_level_where_it_suffices(services, web, there, tmp_path):
    write_raster(there, BOUNDS, size=(1024, 1024), bands=1, blocksize=128)
    with rasterio.open(there) as dataset:
        native = dataset.res[0]
        assert dataset.overviews(1) == [2, 4, 8]
    for px, factor in ((native, 1), (native * 3.9, 2), (native * 4.2, 4), (native * 100, 8)):
        copy(web, tmp_path / "w.tif", BOUNDS, px=px)
        with rasterio.open(tmp_path / "w.tif") as window:
            assert window.res[0] == pytest.approx(native * factor, rel=0.01)


@pytest.mark.parametrize(
    ("bands", "dtype", "nodata", "modality", "kept"),
    [(4, "uint8", None, "aerial", 3), (3, "uint16", 0, "aerial", 3), (1, "float32", -9999.0, "surface", 1),
     (1, "float32", 3.4e38, "surface", 1), (1, "float32", float("nan"), "surface", 1),
     (1, "int16", None, "surface", 1)],
)  # fmt: skip
def test_kinds_of_rasters(web, there, tmp_path, bands, dtype, nodata, modality, kept):
    write_raster(there, BOUNDS, bands=bands, dtype=dtype, nodata=nodata)
    assert copy(web, tmp_path / "w.tif", modality=modality)
    with rasterio.open(tmp_path / "w.tif") as window:
        assert (window.count, window.dtypes[0]) == (kept, dtype)
        assert window.nodata == pytest.approx(nodata, nan_ok=True)


def test_nothing_there(web, there, tmp_path):
    write_raster(there, BOUNDS)
    assert not copy(web, tmp_path / "w.tif", (10.0, 10.0, 10.1, 10.1))
    assert list(tmp_path.glob("*.tif")) == []


def test_degrees_and_other_systems(web, there, tmp_path):
    for crs in ("EPSG:4326", "EPSG:28992", "EPSG:3857"):
        bounds = (52.36, 4.88, 52.38, 4.92)
        write_raster(there, bounds, bands=1, dtype="float32", crs=crs)
        assert copy(web, tmp_path / "w.tif", bounds, "surface", 5.0)
        with rasterio.open(tmp_path / "w.tif") as window:
            assert window.crs == crs


def test_a_file_without_a_system_takes_that_of_its_item(web, there, tmp_path):
    write_raster(there, BOUNDS, crs=None, edges_in="EPSG:26919", driver="GTiff")
    assert copy(web, tmp_path / "w.tif", crs="EPSG:26919")
    for stated in ("", "EPSG:99999"):
        with pytest.raises(DownloadError, match="has no coordinate reference system"):
            copy(web, tmp_path / "v.tif", crs=stated)


def test_what_is_no_geotiff(services, web, there, tmp_path):
    there.parent.mkdir(parents=True)
    (tmp_path / "secret.tif").write_bytes(b"x")
    vrt = f'<VRTDataset rasterXSize="9" rasterYSize="9"><SourceFilename>{tmp_path}/secret.tif</SourceFilename>'
    for content in (b"hello", b"", vrt.encode(), b"II*\0\xff\xff\xff\x7f", b"II*\0"):
        there.write_bytes(content)
        with pytest.raises(DownloadError):
            copy(web, tmp_path / "w.tif")
    assert not (tmp_path / "w.tif").exists()


def test_a_block_that_would_not_fit_is_not_read(services, web, there, tmp_path, monkeypatch):
    monkeypatch.setattr(remote_raster, "LARGEST_BLOCK_BYTES", 1_000_000)
    write_raster(there, BOUNDS, bands=1, size=(2048, 2048), blocksize=1024)
    with pytest.raises(DownloadError, match=r"blocks of 1,024 x 1,024 pixels, too large"):
        copy(web, tmp_path / "w.tif")


def test_faults_in_the_middle(services, web, there, tmp_path):
    write_raster(there, BOUNDS, size=(1024, 1024), blocksize=256, compress="none")
    services.faults[f"/{HOST}"] = [500, 429, 503]
    assert copy(web, tmp_path / "w.tif", BOUNDS)
    good = (tmp_path / "w.tif").read_bytes()
    services.faults[f"/{HOST}"] = [416, 404]
    with pytest.raises(DownloadError, match="HTTP 416"):
        copy(web, tmp_path / "v.tif", BOUNDS)
    with pytest.raises(AbsentError):
        copy(web, tmp_path / "v.tif", BOUNDS)
    assert copy(web, tmp_path / "v.tif", BOUNDS)
    assert (tmp_path / "v.tif").read_bytes() == good


def test_a_failure_while_gdal_reads_is_told_in_our_words(services, web, there, tmp_path, monkeypatch):
    write_raster(there, BOUNDS, size=(1024, 1024), blocksize=256, compress="none", overviews="none")
    asked = web.get_part

    def failing(url, first, last, version=""):
        services.faults[f"/{HOST}"] = [404] if first else []
        return asked(url, first, last, version)

    monkeypatch.setattr(web, "get_part", failing)
    with pytest.raises(AbsentError, match="does not exist"):
        copy(web, tmp_path / "w.tif", BOUNDS)
    assert not [path for path in tmp_path.iterdir() if path.is_file()], "nothing half-written"


def test_a_file_that_changes_while_it_is_read(services, web, there, tmp_path, monkeypatch):
    write_raster(there, BOUNDS, size=(1024, 1024), blocksize=256, compress="none", overviews="none")
    asked = web.get_part

    def changing(url, first, last, version=""):
        return asked(url, first, last, '"of before"' if version else "")

    monkeypatch.setattr(web, "get_part", changing)
    with pytest.raises(DownloadError, match="has changed while it was read"):
        copy(web, tmp_path / "w.tif", BOUNDS)
