"""Models that have no vectors for some cells of a region, beside models that have all."""

import io

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.atlas.tiny import write_tiny_atlas
from unigeoclip.atlas import load_atlas
from unigeoclip.compare import disagreement, regions
from unigeoclip.compare.region import LEAST_PART
from unigeoclip.compare.regions import Comparison, Region, cached_region, embed_coarsely, embed_region
from unigeoclip.embedders.base import PartialEmbedder
from unigeoclip.embedders.coordinates import CoordinatesEmbedder, FourierEmbedder
from unigeoclip.errors import InputError
from unigeoclip.export.gis import geoparquet


class Half(FourierEmbedder):
    """Has vectors south of a latitude, with holes."""

    name, title = "half", "Half"
    lat = 0.0
    coverage = (-90.0, -180.0, 90.0, 180.0)

    def embed(self, latlon):
        vectors = super().embed(latlon)
        lat, lon = np.atleast_2d(latlon).T
        vectors[(lat > self.lat) | (np.sin(9 * lat) * np.sin(7 * lon) > 0.9)] = np.nan
        return vectors


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    return load_atlas(write_tiny_atlas(tmp_path_factory.mktemp("gaps") / "tiny"))


@pytest.fixture(scope="module")
def region(atlas):
    return Region.rectangle(atlas, atlas.manifest.bounds, across=60)


@pytest.fixture(scope="module")
def half(region):
    embedder = Half(5e5)
    embedder.lat = float(np.median(region.grid.cells[:, 0]))
    return embedder


@pytest.fixture(scope="module")
def comparison(region, half, tmp_path_factory):
    kept = tmp_path_factory.mktemp("kept")
    embedders = [FourierEmbedder(5e5), half, CoordinatesEmbedder()]
    return Comparison(region, {each.name: embed_region(each, region, cache_dir=kept) for each in embedders})


def test_a_model_is_embedded_where_it_has_vectors(comparison, region, half):
    assert isinstance(half, PartialEmbedder)
    embedded = comparison.embedded["half"]
    there = np.isfinite(half.embed(region.grid.cells)[:, 0])
    assert LEAST_PART < there.sum() < 0.6 * len(there)
    assert len(embedded.vectors) == len(embedded.region.grid) == there.sum()
    np.testing.assert_array_equal(embedded.region.grid.cells, region.grid.cells[there])
    np.testing.assert_allclose(np.linalg.norm(embedded.vectors, axis=1), 1, atol=1e-5)
    assert np.isfinite(embedded.scores).all()
    assert len(embedded.clusters(4)) == there.sum()
    np.testing.assert_array_equal(embedded.compact_grid().grid.mask, embedded.region.grid.mask)


def test_vectors_and_cells_are_kept_and_read_again(region, half, tmp_path):
    first = embed_region(half, region, cache_dir=tmp_path)
    second = cached_region(half, region, tmp_path)
    np.testing.assert_array_equal(second.vectors, first.vectors)
    assert second.region is first.region
    (cells,) = tmp_path.glob("*-cells.npy")
    cells.unlink()
    assert cached_region(half, region, tmp_path) is None


def test_a_coarse_look_leaves_out_what_has_no_vectors(region, half, tmp_path):
    coarse = embed_coarsely(half, region)
    exact = embed_region(half, region, cache_dir=tmp_path, coarse=coarse)
    assert np.isfinite(coarse.vectors).all()
    assert (coarse.region.grid.mask == exact.region.grid.mask).mean() > 0.9


def test_figures_and_agreement_are_of_the_cells_in_common(comparison, half, region):
    common = comparison.common
    assert common is comparison.embedded["half"].region
    figures = comparison.figures("fourier")
    assert figures["share"] == pytest.approx(common.grid.area_km2.sum() / region.grid.area_km2.sum())
    assert figures["n"] == min(len(common.grid), regions.SAMPLE)
    # Where half has vectors they are those of fourier.
    assert comparison.agreement("half", "fourier")["cka"] == pytest.approx(1, abs=1e-5)
    assert comparison.agreement("half", "fourier")["neighbors"] == pytest.approx(1, abs=1e-3)
    assert comparison.figures("half") == figures
    whole = Comparison(region, {name: comparison.embedded[name] for name in ("fourier", "coordinates")})
    assert whole.common is region
    assert whole.figures("fourier")["share"] == 1


def test_colors_mean_the_same_where_models_agree(comparison):
    half, whole = (comparison.embedded[name] for name in ("half", "fourier"))
    rows = whole.region.grid.rows_of(half.region.grid)
    assert (rows >= 0).all()
    colors, others = comparison.component_colors("half"), comparison.component_colors("fourier")[rows]
    assert len(colors) == len(half.vectors)
    assert np.corrcoef(colors.ravel(), others.ravel())[0, 1] > 0.5
    labels, reference = comparison.cluster_labels("half", 3), comparison.cluster_labels("fourier", 3)[rows]
    assert (labels == reference).mean() > 0.4


def test_disagreement_is_of_the_cells_in_common(comparison, monkeypatch):
    monkeypatch.setattr(disagreement, "LEAST_CELLS", 100)
    half, whole, plain = (comparison.embedded[name] for name in ("half", "fourier", "coordinates"))
    assert disagreement.disagreement(half, whole).max() < 0.01
    values = disagreement.disagreement(plain, half)
    assert len(values) == len(half.vectors)
    np.testing.assert_array_equal(values, disagreement.disagreement(half, plain))


def test_heatmaps_have_the_model_s_cells_and_refuse_points_without_vectors(comparison, region, half):
    cells = comparison.embedded["half"].region.grid.cells
    heatmap = comparison.similarity("half", tuple(cells[7]))
    assert heatmap.grid.mask.sum() == len(cells)
    assert heatmap.values[7] == pytest.approx(1, abs=1e-5)
    gap = region.grid.cells[region.grid.cells[:, 0] > half.lat][0]
    with pytest.raises(InputError, match="Half has no vector at this point"):
        comparison.similarity("half", tuple(gap))


def test_geoparquet_has_null_for_what_has_no_vector(comparison, region):
    table = pq.read_table(io.BytesIO(geoparquet(comparison)))
    assert table.num_rows == len(region.grid)
    column = table.column("half").combine_chunks()
    there = region.grid.rows_of(comparison.embedded["half"].region.grid)
    np.testing.assert_array_equal(np.flatnonzero(column.is_valid()), there)
    vectors = np.array(column.drop_null().to_pylist(), np.float32)
    np.testing.assert_array_equal(vectors, comparison.embedded["half"].vectors)
    assert table.column("fourier").null_count == 0


def test_too_few_vectors_are_told(region, tmp_path):
    none = Half(5e5)
    none.lat = -90.0
    with pytest.raises(InputError, match=f"Half: 0 of the {len(region.grid):,} cells of this region have vectors"):
        embed_region(none, region, cache_dir=tmp_path)
    with pytest.raises(InputError, match="Choose another region"):
        embed_coarsely(none, region)


def test_a_visitor_s_own_vectors_are_not_written(region, half, tmp_path):
    own = Half(5e5)
    own.lat, own.is_private = half.lat, True
    embedded = embed_region(own, region, cache_dir=tmp_path)
    kept = embed_region(CoordinatesEmbedder(), region, cache_dir=tmp_path)
    before = sorted(tmp_path.iterdir())
    pair = Comparison(region, {"coordinates": kept, "half": embedded})
    assert pair.agreement("half", "coordinates")["cka"] is not None
    assert pair.agreement("coordinates", "half")["cka"] is not None
    written = [path.name for path in sorted(tmp_path.iterdir()) if path not in before]
    assert not [name for name in written if "half" in name or "agreement" in name]
