"""Answers and compared maps as files: each is read back by somebody else's software."""

import html
import io
import json
import re
import shlex
import sys
from dataclasses import replace
from types import SimpleNamespace

import geopandas
import matplotlib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import rasterio
from PIL import Image

from tests.atlas.tiny import write_tiny_atlas
from unigeoclip.atlas import load_atlas
from unigeoclip.atlas.provenance import ModelSource, Provenance
from unigeoclip.cli import main
from unigeoclip.compare.regions import Comparison, Region, embed_region
from unigeoclip.embedders.coordinates import CoordinatesEmbedder, FourierEmbedder
from unigeoclip.errors import InputError, MissingPackageError
from unigeoclip.export import gis, snippets
from unigeoclip.export import page as page_files
from unigeoclip.export import results as result_files
from unigeoclip.export.embedding_tables import read_points
from unigeoclip.search.query_items import PackedVector, QueryItem, parse_item
from unigeoclip.search.results import Match, Results
from unigeoclip.similarity.grid_files import colored_picture
from unigeoclip.similarity.heatmap import Best


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    return load_atlas(write_tiny_atlas(tmp_path_factory.mktemp("exports") / "tiny"))


@pytest.fixture(scope="module")
def comparison(atlas, tmp_path_factory):
    region = Region.rectangle(atlas, atlas.manifest.bounds, across=40)
    kept = tmp_path_factory.mktemp("kept")
    embedders = [FourierEmbedder(5e5), CoordinatesEmbedder()]
    return Comparison(region, {each.name: embed_region(each, region, cache_dir=kept) for each in embedders})


def test_a_geotiff_has_each_color_in_its_cell_and_nothing_elsewhere(comparison):
    grid, rgb = comparison.region.grid, comparison.component_colors("fourier")
    with rasterio.MemoryFile(gis.colors_geotiff(grid, rgb, "three components")) as file, file.open() as tiff:
        assert tiff.crs.to_epsg() == 4326
        assert tiff.bounds == pytest.approx((grid.bounds[1], grid.bounds[0], grid.bounds[3], grid.bounds[2]))
        assert tiff.tags()["TIFFTAG_IMAGEDESCRIPTION"] == "three components"
        pixels = tiff.read()
        for cell in (0, len(grid) // 2, len(grid) - 1):
            row, column = tiff.index(grid.cells[cell, 1], grid.cells[cell, 0])
            assert pixels[:3, row, column].tolist() == rgb[cell].tolist()
        np.testing.assert_array_equal(pixels[3] == 255, grid.mask)
    with pytest.raises(InputError, match="as many colours"):
        gis.colors_geotiff(grid, rgb[:-1])


def test_geoparquet_has_a_point_and_the_vectors_of_every_model(comparison):
    table = geopandas.read_parquet(
        io.BytesIO(gis.geoparquet(comparison, {"cluster": np.arange(len(comparison.region.grid))}))
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
        page_files.Pane(f"<{name}>", colored_picture(grid, comparison.component_colors(name), form="PNG"), "a note")
        for name in comparison.embedded
    ]
    page = page_files.map_page(atlas, grid.mercator_bounds, panes, title="Two & more", explanation="Colours.")
    assert not re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=\"?(?!data:)", page)
    assert page.count("L.imageOverlay(") == 2 * len(panes)
    assert "&lt;fourier&gt;" in page
    assert "Two &amp; more" in page


def test_text_of_a_page_of_maps_is_no_template(atlas, comparison):
    grid = comparison.region.grid
    picture = colored_picture(grid, comparison.component_colors("coordinates"))
    text = "{{ 6 * 7 }}{% for"
    legend = {"title": text, "swatches": [("#fff", text)], "words": text}
    pane = page_files.Pane(text, picture, text, (page_files.Marker(1.0, 2.0, text, text),), legend)
    page = page_files.map_page(atlas, grid.mercator_bounds, [pane], title=text, explanation=text)
    assert page.count("&#123;&#123; 6 * 7 &#125;&#125;&#123;% for") == 10


@pytest.mark.parametrize(("kind", "number"), [("components", 0), ("component", 1), ("clusters", 4)])
def test_the_python_lines_give_what_is_shown(atlas, comparison, kind, number, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    region = Region.rectangle(atlas, (20.123456789, -15, 50, 25))
    names = ["fourier", "coordinates"]
    lines = snippets.python_lines(str(atlas.path), region, names, kind, number)
    found = {}
    exec(lines, found)
    np.testing.assert_array_equal(found["region"].grid.cells, region.grid.cells)
    assert set(found["colors"]) == set(names)
    assert found["colors"]["coordinates"].shape == (len(region.grid), 3)
    asked = {}
    exec(snippets.python_lines(str(atlas.path), region, names, kind, number, (30.0, 5.0)), asked)
    best = asked["similarity"]["fourier"].best()
    assert best.similarity > 0.5
    printed = capsys.readouterr().out
    assert f"fourier: {len(region.grid)} cells" in printed
    assert f"fourier: {best.similarity:.2f} at {best.lat:.4f}, {best.lon:.4f}" in printed


def test_the_python_lines_measure_the_disagreement_that_is_shown(atlas, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    region = Region.rectangle(atlas, (20, -15, 50, 25))
    pair = ["fourier", "coordinates"]
    found = {}
    exec(snippets.python_lines(str(atlas.path), region, pair, "disagreement", pair=pair), found)
    assert found["values"].shape == (len(region.grid),)
    assert f"mean disagreement: {found['values'].mean():.3f}" in capsys.readouterr().out
    asked = snippets.python_lines(str(atlas.path), region, pair, "disagreement", 0, (30.0, 5.0), pair=pair)
    assert "import disagreement" not in asked


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
    lines = snippets.python_lines(str(atlas.path), region, ["fourier"], "clusters", 4, picture=("field.png", "aerial"))
    found = {}
    exec(lines, found)
    assert heard == [(b"a picture", "aerial")]
    assert found["similarity"]["fourier"].values.shape == (len(region.grid),)


def test_png_is_exact(comparison):
    grid, rgb = comparison.region.grid, comparison.component_colors("fourier")
    picture = np.asarray(Image.open(io.BytesIO(colored_picture(grid, rgb, blend=False, form="PNG"))))
    painted = picture[picture[..., 3] == 255][:, :3]
    assert {tuple(color) for color in painted.tolist()} <= {tuple(color) for color in rgb.tolist()}


# Answers


def match(modality="aerial", place_id="w000001", **other):
    values = {"name": 'Łódź, "the" city', "lat": 51.75, "lon": 19.45, "similarity": 0.5, "distance_m": None}
    return Match(modality=modality, place_id=place_id, **values | other)


def results():
    camera = match("street", "w000002", lat=51.7500001234, distance_m=12.34, heading_deg=359.94)
    return {"aerial": [match(), match(place_id="w000003", similarity=-0.1234567)], "street": [camera], "text": []}


def test_results_are_read_back_by_gis_and_by_spreadsheets(tmp_path):
    for name in ("found.geojson", "found.csv"):
        result_files.save_results(results(), tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["found.csv", "found.geojson"], "nothing temporary stays"
    points = geopandas.read_file(tmp_path / "found.geojson")
    assert points.crs.to_epsg() == 4326
    assert (points.geometry.y[0], points.geometry.x[0]) == (51.75, 19.45)
    table = pd.read_csv(tmp_path / "found.csv")
    columns = ["place_id", "modality", "name", "lat", "lon", "similarity", "distance_m", "heading_deg"]
    assert list(table.columns) == columns
    assert list(points.columns) == [*columns, "geometry"]
    assert table["name"][0] == points["name"][0] == 'Łódź, "the" city'
    assert table["place_id"].tolist() == ["w000001", "w000003", "w000002"]
    assert table["similarity"][1] == -0.123457
    assert table["distance_m"].isna().tolist() == [True, True, False]
    assert (table["distance_m"][2], table["heading_deg"][2]) == (12.3, 359.9)
    assert json.loads(result_files.results_geojson(results()))["features"][0]["properties"]["distance_m"] is None
    assert json.loads(result_files.results_geojson({}))["features"] == []


def test_results_are_not_written_where_they_cannot_be(tmp_path):
    with pytest.raises(InputError, match=r"\.geojson or \.csv"):
        result_files.save_results(results(), tmp_path / "found.xlsx")
    with pytest.raises(InputError, match="does not exist"):
        result_files.save_results(results(), tmp_path / "nowhere" / "found.csv")
    assert list(tmp_path.iterdir()) == []


def test_markers_of_a_map_page_lie_on_it_and_run_no_code(atlas, comparison):
    grid = comparison.region.grid
    picture = colored_picture(grid, comparison.component_colors("fourier"), form="PNG")
    markers = (
        page_files.Marker(20.0, 10.0, "a `${alert(1)}` \\u0041 </script><b>", "Aerial <image>", "#123456"),
        page_files.Marker(20.0, -175.0, "beyond the date line", "Aerial <image>", "#123456"),
    )
    bounds = (10.0, 170.0, 30.0, 190.0)
    pane = page_files.Pane("A query", picture, markers=markers)
    hostile = "</title><script>alert(1)</script>"
    page = page_files.map_page(atlas, bounds, [pane], title=hostile, explanation=hostile)
    assert hostile not in page
    assert "<title>&lt;/title&gt;&lt;script&gt;" in page
    assert not re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=\"?(?!data:)", page)
    assert page.count("L.circleMarker(") == 2
    assert "185.0" in page
    assert "${alert" not in page
    assert "</script><b>" not in page
    assert page.count("Aerial &lt;image&gt;") == 1


ITEMS = (
    QueryItem("text", 'it\'s a "sea"\nof $HOME', -0.5),
    QueryItem("location", (1 / 3, -7.5)),
    QueryItem("place", "w000007", 0.1),
    QueryItem("view", (42.36, -71.06, 45.0)),
    QueryItem("aerial", PackedVector.of([0.6, -0.8], "0123456789ab"), 2.0, "field.png"),
)


def test_the_lines_ask_the_very_same_and_print_the_best_places(capsys):
    asked = []

    class Recorder:
        open = classmethod(lambda cls, name: asked.append(name) or cls())
        query = staticmethod(lambda items: asked.extend(items))
        search = staticmethod(lambda query, k: results())
        heatmap = staticmethod(
            lambda query: SimpleNamespace(
                to_geotiff=str, to_png=lambda *_, **__: None, best=lambda: Best(42.36, -71.06, 0.876)
            )
        )

    lines = snippets.query_lines("boston", ITEMS, 20, {"scale": "percentile", "floor_percentile": 80.0})
    assert "to_png(\"heatmap.png\", scale='percentile', floor_percentile=80.0)" in lines
    assert "k=20" in lines
    code = re.sub(
        r"from unigeoclip.search.explorer import .*", "from unigeoclip.search.query_items import QueryItem", lines
    )
    exec(code, {"Explorer": Recorder})
    assert asked == ["boston", *(replace(item, label="") for item in ITEMS)]
    printed = capsys.readouterr().out
    assert 'aerial\n  0.50  51.7500, 19.4500  Łódź, "the" city\n' in printed
    assert "best on the map: 0.88 at 42.3600, -71.0600" in printed
    assert "PackedVector" not in snippets.query_lines("boston", ITEMS[:4])


def test_lines_over_a_store_open_it():
    source = {"store": "my indexes/boston", "places": "places.parquet"}
    lines = snippets.query_lines("boston", ITEMS[:2], source=source)
    compile(lines, "lines", "exec")
    assert 'StoreExplorer.over("my indexes/boston", "boston", places="places.parquet")' in lines
    search, heatmap = snippets.command_lines("boston", [QueryItem("location", (1.0, 2.0))], source=source).splitlines()
    assert "--store 'my indexes/boston' --places places.parquet --top 10" in search
    assert "--store" not in heatmap


def test_the_commands_ask_the_very_same():
    search, heatmap = snippets.command_lines("my city", ITEMS, 20).replace("\nof", "\0of").splitlines()
    for line in (search, heatmap):
        name, *words = shlex.split(line.replace("\0", "\n"))[3:]
        options = main.commands.commands[name].make_context(name, words).params
        assert options["atlas"] == "my city"
        asked = [parse_item(text) for text in options["item"]]
        same = [(item.modality, item.value, item.weight) for item in asked]
        assert same == [(item.modality, item.value, item.weight) for item in ITEMS]
    assert "--top 20" in search


def test_a_picture_that_is_not_packed_has_no_lines():
    items = [QueryItem("aerial", np.zeros((3, 4, 4), np.uint8), label="field.png")]
    for lines in (snippets.query_lines, snippets.command_lines):
        with pytest.raises(InputError, match="field.png.*packed"):
            lines("boston", items)


def test_the_map_page_says_where_its_maps_come_from(atlas, comparison):
    grid = comparison.region.grid
    name = next(iter(comparison.embedded))
    picture = colored_picture(grid, comparison.component_colors(name), form="PNG")
    hostile = replace(ORIGIN, query=('text:"></head><script>alert(1)</script>{{ 7 * 6 }}',))
    panes = [page_files.Pane(name, picture, provenance=origin) for origin in (ORIGIN, hostile, None)]
    page = page_files.map_page(atlas, grid.mercator_bounds, panes, title="t", explanation="e")
    found = re.findall(r'<meta name="provenance" content="([^"]*)">', page.split("</head>")[0])
    assert [json.loads(html.unescape(content)) for content in found] == [ORIGIN.members(), hostile.members()]
    assert "<script>alert(1)" not in page


def test_the_map_page_has_legends_and_the_whole_provenance(atlas, comparison):
    grid = comparison.region.grid
    note = "made by <somebody> on a very long list of data " * 5
    bar = {"title": "Similarity & more", "stops": [[0.0, 0.1, "#000004"], [1.0, 0.9, "#fcffa4"]],
           "ticks": [[0.0, "0.10"], [1.0, "0.90"]], "low": "low", "high": "high", "words": "Best 0.90."}  # fmt: skip
    swatches = {"title": "Clusters", "swatches": [["rgb(1, 2, 3)", "1: <houses>", "15 %"]]}
    panes = [
        page_files.Pane(name, colored_picture(grid, comparison.component_colors(name), form="PNG"), note, legend=legend)
        for name, legend in zip(comparison.embedded, (bar, swatches), strict=False)
    ]
    page = page_files.map_page(atlas, grid.mercator_bounds, panes, title="t", explanation="e")
    assert page.count("<aside") == len(panes)
    assert html.escape(note) in page
    for words in ("Similarity &amp; more", "0.90", "Best 0.90.", "1: &lt;houses&gt;, 15 %", "#fcffa4 100.0%"):
        assert words in page


# Where files come from


ORIGIN = Provenance(
    query=("text:Łódź\nby night", "-0.5*at:1,2"),
    models=(ModelSource("unigeoclip", "checkpoint 0123456789ab", "MIT"),),
    atlas="tiny",
    data="ba9876543210",
    attribution=("© OpenStreetMap contributors · ODbL 1.0",),
    command="unigeoclip search --atlas tiny",
    software="unigeoclip 0.1.0",
)


def test_results_say_where_they_come_from(tmp_path):
    found = Results(results(), ORIGIN)
    result_files.save_results(found, tmp_path / "found.csv")
    head = [line for line in (tmp_path / "found.csv").read_text("utf-8").splitlines() if line.startswith("#")]
    assert head[:3] == [
        "# query: text:Łódź by night", "# query: -0.5*at:1,2", "# model: unigeoclip · checkpoint 0123456789ab · MIT",
    ]  # fmt: skip
    table = pd.read_csv(tmp_path / "found.csv", comment="#")
    assert len(table) == sum(map(len, found.values()))
    frame, points = read_points(tmp_path / "found.csv", "lat", "lon")  # our own reader takes such files
    assert len(frame) == len(points) == len(table)
    collection = json.loads(result_files.results_geojson(found))
    assert list(collection)[:2] == ["type", "provenance"]
    assert collection["provenance"]["atlas"] == "tiny"
    assert collection["provenance"]["query"][0] == "text:Łódź\nby night"
    assert found.to_geodataframe().attrs["provenance"]["data"] == "ba9876543210"
    assert result_files.results_csv(found) == result_files.results_csv(Results(results(), ORIGIN))


def test_a_hash_sign_in_a_name_is_no_comment(tmp_path):
    match = Match("aerial", "p1", "Pier #5, <b>", 1.0, 2.0, 0.5, None)
    result_files.save_results(Results({"aerial": [match]}, ORIGIN), tmp_path / "found.csv")
    assert pd.read_csv(tmp_path / "found.csv", comment="#")["name"].tolist() == ["Pier #5, <b>"]
    shown = Results({"aerial": [match]})._repr_html_()
    assert "Pier #5, &lt;b&gt;" in shown
    assert "<b>" not in shown


def test_heatmaps_say_where_they_come_from(comparison):
    heat = replace(comparison.similarity("fourier", (10.0, 10.0)), provenance=ORIGIN)
    with rasterio.MemoryFile(heat.geotiff()) as file, file.open() as tiff:
        assert json.loads(tiff.tags()["PROVENANCE"]) == ORIGIN.members()
        assert tiff.tags()["TIFFTAG_SOFTWARE"] == "unigeoclip 0.1.0"
        assert tiff.tags()["TIFFTAG_COPYRIGHT"] == "© OpenStreetMap contributors · ODbL 1.0"
    assert json.loads(heat.geojson())["provenance"] == ORIGIN.members()
    assert json.loads(Image.open(io.BytesIO(heat._repr_png_())).text["Provenance"]) == ORIGIN.members()
    assert "Provenance" not in Image.open(io.BytesIO(heat.png())).text, "what the app serves stays small"
    assert heat.geotiff() == heat.geotiff()


def test_heatmaps_show_themselves_in_notebooks(comparison):
    heat = replace(comparison.similarity("fourier", (10.0, 10.0)), provenance=replace(ORIGIN, query=("text:<i>",)))
    shown = heat._repr_html_()
    assert shown.startswith('<figure><img src="data:image/png;base64,')
    assert "text:&lt;i&gt;" in shown
    assert "<i>" not in shown
    table = heat.to_geodataframe()
    np.testing.assert_allclose(table["similarity"], heat.values)
    widths = table.geometry.bounds
    np.testing.assert_allclose(widths["maxx"] - widths["minx"], heat.grid.step_deg[1])
    np.testing.assert_allclose((widths["maxy"] + widths["miny"]) / 2, table["lat"])
    matplotlib.use("Agg")
    axes = heat.plot()
    assert axes.get_images()[0].get_array().shape == heat.grid.shape


def test_plotting_without_matplotlib_says_what_to_do(comparison, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingPackageError, match=r"unigeoclip\[plot\]"):
        comparison.similarity("fourier", (10.0, 10.0)).plot()


def test_geoparquet_says_what_its_columns_are(atlas, comparison):
    labels = np.arange(len(comparison.region.grid)) % 3
    data = gis.geoparquet(comparison, {"cluster_fourier": labels}, atlas=atlas)
    assert data == gis.geoparquet(comparison, {"cluster_fourier": labels}, atlas=atlas)
    schema = pq.read_schema(io.BytesIO(data))
    geo, emb, provenance = (json.loads(schema.metadata[key]) for key in (b"geo", b"emb", b"provenance"))
    assert geo["version"] == "1.1.0"
    assert geo["columns"]["geometry"]["covering"]["bbox"]["xmin"] == ["bbox", "xmin"]
    assert emb["stac_extensions"] == [gis.EMBEDDINGS_EXTENSION]
    for name, embedded in comparison.embedded.items():
        dim = embedded.vectors.shape[1]
        assert schema.field(gis.column_name(name)).type == pa.list_(pa.float32(), dim)
        column = emb["columns"][gis.column_name(name)]
        assert (column["emb:type"], column["emb:dimensions"], column["data_type"]) == ("chip", dim, "float32")
        assert {link["rel"] for link in column["links"]} == {"emb:model", "emb:source-data"}
    assert provenance["atlas"] == atlas.name
    assert provenance["data"] == atlas.data_hash
    assert len(provenance["model"]) == len(comparison.embedded)
    table = geopandas.read_parquet(io.BytesIO(data), bbox=(-10, -10, 40, 40))
    assert 0 < len(table) < len(comparison.region.grid)
    nearest = atlas.places["name"]
    assert set(table["place"]) <= set(nearest)
    assert set(table["cluster_fourier"]) == {0, 1, 2}
