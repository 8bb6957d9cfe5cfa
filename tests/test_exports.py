"""Compared maps as files: each is read back by somebody else's software."""

import base64
import io
import re

import geopandas
import numpy as np
import pytest
import rasterio
from PIL import Image

from tests.atlas.tiny import write_tiny_atlas
from unigeoclip import exports
from unigeoclip.atlas import load_atlas
from unigeoclip.compare import Comparison, Region, embed_region
from unigeoclip.embedders.coordinates import CoordinatesEmbedder, FourierEmbedder
from unigeoclip.errors import InputError
from unigeoclip.geo import inverse_web_mercator, web_mercator
from unigeoclip.heatmap import coloured_picture


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    return load_atlas(write_tiny_atlas(tmp_path_factory.mktemp("exports") / "tiny"))


@pytest.fixture(scope="module")
def comparison(atlas, tmp_path_factory):
    region = Region.rectangle(atlas, atlas.manifest.bounds, across=40)
    kept = tmp_path_factory.mktemp("kept")
    embedders = [FourierEmbedder(5e5), CoordinatesEmbedder()]
    return Comparison(region, {each.name: embed_region(each, region, cache_dir=kept) for each in embedders})


def test_a_geotiff_has_each_colour_in_its_cell_and_nothing_elsewhere(comparison):
    grid, rgb = comparison.region.grid, comparison.component_colours("fourier")
    with rasterio.MemoryFile(exports.colours_geotiff(grid, rgb, "three components")) as file, file.open() as tiff:
        assert tiff.crs.to_epsg() == 4326
        assert tiff.bounds == pytest.approx((grid.bounds[1], grid.bounds[0], grid.bounds[3], grid.bounds[2]))
        assert tiff.tags()["TIFFTAG_IMAGEDESCRIPTION"] == "three components"
        pixels = tiff.read()
        for cell in (0, len(grid) // 2, len(grid) - 1):
            row, column = tiff.index(grid.cells[cell, 1], grid.cells[cell, 0])
            assert pixels[:3, row, column].tolist() == rgb[cell].tolist()
        np.testing.assert_array_equal(pixels[3] == 255, grid.mask)
    with pytest.raises(InputError, match="as many colours"):
        exports.colours_geotiff(grid, rgb[:-1])


def test_geoparquet_has_a_point_and_the_vectors_of_every_model(comparison):
    table = geopandas.read_parquet(
        io.BytesIO(exports.geoparquet(comparison, {"cluster": np.arange(len(comparison.region.grid))}))
    )
    assert table.crs.to_epsg() == 4326
    np.testing.assert_allclose(np.stack([table.geometry.y, table.geometry.x], 1), comparison.region.grid.cells)
    for name, embedded in comparison.embedded.items():
        np.testing.assert_array_equal(np.stack(table[name]), embedded.vectors)
    assert table["cluster"].tolist() == list(range(len(table)))
    assert table["area_km2"].sum() == pytest.approx(comparison.region.grid.area_km2.sum())


def test_the_map_page_needs_no_network(atlas, comparison):
    grid = comparison.region.grid
    panes = [
        exports.Pane(f"<{name}>", coloured_picture(grid, comparison.component_colours(name), form="PNG"), "a note")
        for name in comparison.embedded
    ]
    page = exports.map_page(atlas, grid.mercator_bounds, panes, title="Two & more", explanation="Colours.")
    assert not re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=\"?(?!data:)", page)
    assert page.count("L.imageOverlay(") == 2 * len(panes)
    assert "&lt;fourier&gt;" in page
    assert "Two &amp; more" in page


def test_the_base_picture_lies_where_it_belongs(atlas):
    url, bounds = exports._base_picture(atlas, (20.0, -15.0, 50.0, 25.0))
    assert bounds == (20.0, -15.0, 50.0, 25.0)
    assert url.startswith("data:image/webp;base64,")
    picture = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))
    assert exports.BASE_WIDTH_PX <= picture.width <= 2 * exports.BASE_WIDTH_PX
    middle = inverse_web_mercator(web_mercator(np.array([[20.0, -15.0], [50.0, 25.0]])).mean(axis=0, keepdims=True))
    expected = atlas.raster("aerial").values(middle)[0]
    shown = np.asarray(picture)[picture.height // 2, picture.width // 2]
    assert np.abs(shown.astype(int) - expected.astype(int)).max() < 40
    _, bounds = exports._base_picture(atlas, (-60.0, 100.0, 80.0, 200.0))
    assert bounds == (-60.0, 100.0, 80.0, 180.0)


@pytest.mark.parametrize(("kind", "number"), [("components", 0), ("component", 1), ("clusters", 4)])
def test_the_python_lines_give_what_is_shown(atlas, comparison, kind, number, monkeypatch, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    region = Region.rectangle(atlas, (20.123456789, -15, 50, 25))
    names = ["fourier", "coordinates"]
    lines = exports.python_lines(str(atlas.path), region, names, kind, number)
    found = {}
    exec(lines, found)
    np.testing.assert_array_equal(found["region"].grid.cells, region.grid.cells)
    assert set(found["colours"]) == set(names)
    assert found["colours"]["coordinates"].shape == (len(region.grid), 3)
    asked = {}
    exec(exports.python_lines(str(atlas.path), region, names, kind, number, (30.0, 5.0)), asked)
    assert asked["similarity"]["fourier"].best().similarity > 0.5


def test_the_python_lines_ask_by_a_picture(atlas, monkeypatch, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "field.png").write_bytes(b"a picture")
    heard = []

    def embed(self, data, kind):
        heard.append((data, kind))
        return np.eye(self.dim, dtype=np.float32)[0]

    monkeypatch.setattr(FourierEmbedder, "embed_picture", embed, raising=False)
    region = Region.rectangle(atlas, (20, -15, 50, 25))
    lines = exports.python_lines(str(atlas.path), region, ["fourier"], "clusters", 4, picture=("field.png", "aerial"))
    found = {}
    exec(lines, found)
    assert heard == [(b"a picture", "aerial")]
    assert found["similarity"]["fourier"].values.shape == (len(region.grid),)


def test_png_is_exact(comparison):
    grid, rgb = comparison.region.grid, comparison.component_colours("fourier")
    picture = np.asarray(Image.open(io.BytesIO(coloured_picture(grid, rgb, blend=False, form="PNG"))))
    painted = picture[picture[..., 3] == 255][:, :3]
    assert {tuple(colour) for colour in painted.tolist()} <= {tuple(colour) for colour in rgb.tolist()}
