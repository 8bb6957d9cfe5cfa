"""Files of embeddings from anybody: read in a process of their own, named by their content."""

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from tests.embedders.files.made import BOSTON_UTM, positions, spread_out, unit_vectors, write_alphaearth, write_table
from unigeoclip.embedders.base import PartialEmbedder, is_private
from unigeoclip.embedders.files import upload
from unigeoclip.embedders.files.upload import UploadedEmbedder
from unigeoclip.errors import InputError


@pytest.fixture(scope="module", autouse=True)
def decoder():
    yield
    upload._decoder().close()


def test_a_raster_is_read_in_another_process(tmp_path):
    vectors = unit_vectors((20, 30), 64)
    data = write_alphaearth(tmp_path / "aef.tif", vectors).read_bytes()
    embedder = UploadedEmbedder(data, "../../etc/aef.tif")
    assert upload._decoder().pid is not None
    assert isinstance(embedder, PartialEmbedder)
    assert is_private(embedder)
    assert (embedder.title, embedder.nbytes) == ("AlphaEarth Foundations (aef.tif)", len(data))
    assert embedder.provenance.licence.startswith("CC BY 4.0. Credit: ")
    found = embedder.embed([*positions([3, 19], [4, 29]), (0.0, 0.0)])
    np.testing.assert_allclose(found[:2], vectors[[3, 19], [4, 29]], atol=0.02)
    assert np.isnan(found[2]).all()
    assert UploadedEmbedder(data, "aef.tif").name == embedder.name


def test_a_table_is_read_in_another_process(tmp_path):
    latlon, vectors = spread_out(6, 8), unit_vectors((6, 8), 5).reshape(-1, 5)
    data = write_table(tmp_path / "t.parquet", latlon, vectors).read_bytes()
    np.testing.assert_allclose(UploadedEmbedder(data, "t.parquet").embed(latlon), vectors, atol=1e-6)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "empty"),
        (b"lat,lon\n1,2\n", "neither a GeoTIFF nor a Parquet file"),
        (b"II*\0" + bytes(100), "cannot be read as a GeoTIFF"),
        (b"PAR1" + bytes(50) + b"PAR1", "cannot be read as Parquet"),
        (b"<VRTDataset><SRS/><VRTRasterBand><SourceFilename>/etc/passwd</SourceFilename>", "neither a GeoTIFF"),
    ],
)
def test_what_holds_no_embeddings_is_refused(data, complaint):
    with pytest.raises(InputError, match=complaint):
        UploadedEmbedder(data, "file.tif")


def test_a_file_that_would_unfold_to_more_than_the_memory_is_refused(tmp_path):
    path = tmp_path / "bomb.tif"
    with rasterio.open(
        path, "w", driver="GTiff", count=300, height=512, width=512, dtype="float32", crs="EPSG:32619", tiled=True,
        blockxsize=512, blockysize=512, transform=from_origin(*BOSTON_UTM, 10, 10), sparse_ok=True,
    ):  # fmt: skip
        pass  # no block is written, all are zero
    assert path.stat().st_size < 100_000
    with pytest.raises(InputError, match="300 MB with all bands; at most 256 MB"):
        UploadedEmbedder(path.read_bytes(), "bomb.tif")
