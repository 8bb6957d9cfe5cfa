"""Files of embeddings in place of an embedder, on the command line."""

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.embedders.files.made import unit_vectors, write_table
from unigeoclip.atlas import load_atlas
from unigeoclip.search.gallery_embeddings import land_grid

pytestmark = pytest.mark.usefixtures("surroundings")


@pytest.fixture
def table(tmp_path):
    """Vectors for the north, every two degrees."""
    lat, lon = np.meshgrid(np.arange(1.0, 89, 2), np.arange(-179.0, 180, 2), indexing="ij")
    vectors = unit_vectors(lat.shape, 8).reshape(-1, 8)
    return write_table(tmp_path / "north.parquet", np.stack([lat.ravel(), lon.ravel()], axis=1), vectors)


def test_embed_writes_null_where_there_is_no_vector(run, tmp_path, table, capsys):
    (tmp_path / "cities.csv").write_text("lat,lon\n45.76,4.84\n-12.05,-77.04\n")
    out = tmp_path / "out.parquet"
    run("embed", "--embedder", f"file:{table}?license=CC0", "--csv", tmp_path / "cities.csv", "--out", out)
    back = pd.read_parquet(out)["embedding"]
    assert np.linalg.norm(back[0]) == pytest.approx(1, abs=1e-5)
    assert back[1] is None
    told = json.loads(pq.read_schema(out).metadata[b"provenance"])
    assert "north.parquet, sha256 " in told["model"][0]
    assert "CC0" in told["model"][0]


def test_heatmaps_leave_out_cells_without_a_vector(run, refused, folder, tmp_path, table):
    out = tmp_path / "map.tif"
    run("heatmap", "--embedder", f"file:{table}", "--atlas", folder, "--latlon", "45.7,4.8", "--out", out)
    import rasterio

    with rasterio.open(out) as dataset:
        painted = np.isfinite(dataset.read(1)).sum()
    grid = land_grid(load_atlas(folder))
    assert 0 < painted < len(grid)
    complaint = refused(
        "heatmap", "--embedder", f"file:{table}", "--atlas", folder, "--latlon", "-40,4.8", "--out", out
    )
    assert "has no vector at this point" in complaint


def test_where_or_what_is_of_the_cells_in_common(run, folder, table):
    found = run("where-or-what", "--atlas", folder, "--embedders", f"coordinates,file:{table}", "--json")
    assert 0.1 < found["share"] < 0.9
    assert set(found["embedders"]) == {"unigeoclip", "coordinates", f"file:{table}"}


def test_a_file_that_is_none_is_told(refused, tmp_path):
    (tmp_path / "cities.csv").write_text("lat,lon\n45.76,4.84\n")
    options = ["--csv", tmp_path / "cities.csv", "--out", tmp_path / "out.parquet"]
    assert "is no file of embeddings" in refused("embed", "--embedder", "file:nowhere.tif", *options)
    assert not (tmp_path / "out.parquet").exists()
