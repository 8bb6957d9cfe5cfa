"""Comparing embedders on a region: what is embedded, kept, coloured and measured."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.atlas.tiny import write_tiny_atlas
from unigeoclip.atlas import load_atlas
from unigeoclip.compare import regions
from unigeoclip.compare.projection import StoppedError
from unigeoclip.compare.regions import Comparison, Embedded, Region, cached_region, embed_coarsely, embed_region
from unigeoclip.embedders.base import Provenance
from unigeoclip.embedders.coordinates import CoordinatesEmbedder, FourierEmbedder
from unigeoclip.errors import InputError
from unigeoclip.evaluation import structure
from unigeoclip.similarity.grid_files import colored_picture


class Constant:
    """Sees no difference anywhere."""

    name, title, dim = "constant", "Constant", 8
    provenance = Provenance("a test", "none", "none")
    asked = 0

    def embed(self, latlon):
        Constant.asked += 1
        return np.full((len(np.atleast_2d(latlon)), 8), 8**-0.5, np.float32)


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    return load_atlas(write_tiny_atlas(tmp_path_factory.mktemp("compare") / "tiny"))


@pytest.fixture(scope="module")
def region(atlas):
    south, west, north, east = atlas.manifest.bounds
    return Region.rectangle(atlas, (south, west, north, east), across=60)


@pytest.fixture(scope="module")
def comparison(region, tmp_path_factory):
    kept = tmp_path_factory.mktemp("kept")
    embedders = [CoordinatesEmbedder(), FourierEmbedder(5e5), Constant()]
    return Comparison(region, {each.name: embed_region(each, region, cache_dir=kept) for each in embedders})


def test_the_whole_atlas_is_the_grid_of_its_heatmaps(atlas):
    grid, land = Region.whole(atlas).grid, atlas.land_grid()
    np.testing.assert_array_equal(grid.mask, land.mask)


def test_a_rectangle_has_square_cells_and_is_cut_at_the_atlas(atlas):
    south, west, north, east = atlas.manifest.bounds
    region = Region.rectangle(atlas, (south - 5, west, (south + north) / 2, east + 9))
    assert region.grid.bounds == (south, west, (south + north) / 2, east)
    lat_step, lon_step = region.grid.step_deg
    assert lat_step == pytest.approx(lon_step * np.cos(np.radians((3 * south + north) / 4)), rel=0.05)
    assert max(region.grid.shape) <= regions.CELLS_ACROSS + 1


@pytest.mark.parametrize(
    ("bounds", "complaint"),
    [((50, 3, 40, 8), "rise"), ((-80, 3, -70, 8), "outside the atlas")],
)
def test_bad_rectangles_are_told(atlas, bounds, complaint):
    with pytest.raises(InputError, match=complaint):
        Region.rectangle(atlas, bounds)


def test_vectors_are_kept_and_read_again(region, tmp_path):
    before = Constant.asked
    first = embed_region(Constant(), region, cache_dir=tmp_path)
    used = Constant.asked - before
    second = embed_region(Constant(), region, cache_dir=tmp_path)
    assert Constant.asked == before + used
    np.testing.assert_array_equal(first.vectors, second.vectors)
    (kept,) = tmp_path.glob("*.npy")
    kept.write_bytes(kept.read_bytes()[:200])
    np.testing.assert_array_equal(embed_region(Constant(), region, cache_dir=tmp_path).vectors, first.vectors)


def test_rows_are_those_of_their_cells_whatever_the_order(comparison, region):
    vectors = comparison.embedded["fourier"].vectors
    np.testing.assert_allclose(vectors, FourierEmbedder(5e5).embed(region.grid.cells), atol=1e-6)


def test_work_can_be_stopped_and_leaves_nothing(region, tmp_path, monkeypatch):
    monkeypatch.setattr(regions, "_CHUNK", 50)
    said = []
    with pytest.raises(StoppedError):
        embed_region(Constant(), region, lambda done, total: said.append((done, total)) or done < 120, tmp_path)
    assert said[-1] == (150, len(region.grid))
    assert not list(tmp_path.iterdir())


class Counting(FourierEmbedder):
    def __init__(self):
        super().__init__(4e6)
        self.embedded = 0

    def embed(self, latlon):
        self.embedded += len(latlon)
        return super().embed(latlon)


def test_a_coarse_look_is_close(region):
    coarse, exact = embed_coarsely(FourierEmbedder(4e6), region), FourierEmbedder(4e6).embed(region.grid.cells)
    assert (coarse.vectors * exact).sum(1).mean() > 0.95
    assert region.n_coarse < len(region.grid) / 10


def test_what_the_coarse_look_embedded_is_not_embedded_again(region, tmp_path):
    embedder = Counting()
    coarse = embed_coarsely(embedder, region)
    whole = embed_region(embedder, region, None, tmp_path, coarse=coarse)
    assert embedder.embedded == len(region.grid)
    np.testing.assert_array_equal(whole.vectors, FourierEmbedder(4e6).embed(region.grid.cells))


def test_colors_show_what_varies_and_nothing_else(comparison):
    for name, least in (("coordinates", 20), ("fourier", 20)):
        assert comparison.component_colors(name).std(axis=0).max() > least
    assert np.ptp(comparison.component_colors("constant").astype(int)) <= 1
    gray = comparison.component_colors("fourier", (4,))
    assert (gray == gray[:, :1]).all()
    with pytest.raises(InputError, match="Components 1 to 6"):
        comparison.component_colors("fourier", (9,))


def test_clusters_of_two_models_share_names(comparison):
    ours, theirs = (comparison.cluster_labels(name, 5) for name in ("coordinates", "fourier"))
    assert set(ours) == set(range(5))
    assert (ours == theirs).mean() > 0.3


def test_similarity_is_one_at_the_point_itself(comparison, region):
    lat, lon = region.grid.cells[len(region.grid) // 3]
    heat = comparison.similarity("fourier", (lat, lon))
    assert heat.value_at(lat, lon) == pytest.approx(1, abs=1e-5)
    assert np.ptp(comparison.similarity("constant", (lat, lon)).values) < 1e-6


def test_figures_are_plain_and_honest_about_a_constant_model(comparison):
    figures = comparison.figures("fourier")
    assert 0 < figures["smooth_share"] <= 1
    assert figures["effective_rank"] > 3
    assert len(figures["moran"]) == regions.RINGS
    nothing = comparison.figures("constant")
    assert nothing["variance"] == 0
    assert nothing["smooth_share"] is None
    assert {value for _, value in nothing["moran"]} == {None}
    alike = comparison.agreement("coordinates", "coordinates")
    assert alike["cka"] == pytest.approx(1)
    assert alike["neighbors"] == 1
    assert comparison.agreement("coordinates", "constant")["cka"] is None


def test_colors_become_a_picture(comparison, region):
    rgb = comparison.component_colors("coordinates")
    for blend in (True, False):
        picture = np.asarray(Image.open(io.BytesIO(colored_picture(region.grid, rgb, blend=blend))).convert("RGBA"))
        assert picture.shape[1] == region.grid.picture_width_px
        assert set(np.unique(picture[..., 3])) <= {0, 255}
        assert (picture[..., 3] == 255).mean() == pytest.approx(region.grid.mask.mean(), abs=0.1)
    sharp = picture[..., :3][picture[..., 3] == 255]
    assert {tuple(color) for color in sharp} <= {tuple(color) for color in rgb}
    with pytest.raises(InputError, match="as many colours"):
        colored_picture(region.grid, rgb[:-1])


def test_what_follows_from_vectors_is_kept_beside_them(region, tmp_path, monkeypatch):
    first = embed_region(FourierEmbedder(5e5), region, cache_dir=tmp_path)
    comparison = Comparison(region, {"fourier": first})
    colors, figures = comparison.component_colors("fourier"), comparison.figures("fourier")
    monkeypatch.setattr(regions, "LAYOUT", 200)
    assert not first.is_laid_out
    layout = first.layout

    def never(*_, **__):
        pytest.fail("computed again")

    for name in ("principal_components", "umap_layout"):
        monkeypatch.setattr(regions.projection, name, never)
    monkeypatch.setattr(structure, "spectrum", never)
    again = cached_region(FourierEmbedder(5e5), region, cache_dir=tmp_path)
    second = Comparison(region, {"fourier": again})
    np.testing.assert_array_equal(second.component_colors("fourier"), colors)
    assert not second.is_measured("fourier")  # its agreement with the reference, here itself, is not there yet
    second.agreement("fourier", "fourier")
    assert second.is_measured("fourier")
    assert second.figures("fourier") == figures
    assert again.is_laid_out
    np.testing.assert_array_equal(again.layout, layout)
    assert cached_region(FourierEmbedder(4e6), region, cache_dir=tmp_path) is None


def test_the_compact_grid_sees_the_region_alike_and_is_made_once(region, tmp_path, monkeypatch):
    embedded = embed_region(FourierEmbedder(5e5), region, cache_dir=tmp_path)
    point = tuple(region.grid.cells[len(region.grid) // 2].tolist())
    exact = Comparison(region, {"fourier": embedded}).similarity("fourier", point).values
    compact = embedded.compact_grid()
    assert np.corrcoef(compact.similarities(compact.vector_at(*point)), exact)[0, 1] > 0.99
    data = embedded.compact_bytes()
    monkeypatch.setattr(regions.CompactGrid, "fit", lambda *_: pytest.fail("computed again"))
    again = cached_region(FourierEmbedder(5e5), region, cache_dir=tmp_path)
    assert again.compact_bytes() == data
    assert again.key == embedded.key != Embedded(Constant(), region, embedded.vectors).key


def test_damaged_figures_are_computed_again(region, tmp_path):
    embedded = embed_region(CoordinatesEmbedder(), region, cache_dir=tmp_path)
    figures = Comparison(region, {"coordinates": embedded}).figures("coordinates")
    (kept,) = tmp_path.glob("*-figures-2.json")
    kept.write_text('{"variance": 0.')
    assert Comparison(region, {"coordinates": embedded}).figures("coordinates") == figures
    assert kept.read_text().startswith("{")


def test_a_constant_model_has_no_groups(comparison):
    assert not comparison.embedded["constant"].varies
    assert set(comparison.embedded["constant"].clusters(4)) == {0}
    assert comparison.embedded["fourier"].varies
