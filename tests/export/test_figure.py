"""Compared maps as a figure for a paper."""

import io
import json
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from tests.atlas.tiny import write_tiny_atlas
from unigeoclip.atlas import load_atlas
from unigeoclip.atlas.provenance import ModelSource, provenance_of
from unigeoclip.errors import InputError, MissingPackageError
from unigeoclip.export.figure import DPI, FORMS, WIDTH_IN, MapPane, map_figure, scale_bar_m
from unigeoclip.similarity.grid import Grid

BAR = {
    "title": "Disagreement with $B$", "stops": [(0, 0.2, "#000000"), (1, 0.9, "#fff")],
    "ticks": [(0, "0.20"), (1, "0.90")], "low": "shared", "high": "not shared", "words": "Mean 0.5.",
}  # fmt: skip
SWATCHES = {"title": "Clusters", "swatches": [("rgb(255, 0, 0)", "1: houses & gardens", "60 %"), ("#d33", "2", "40 %")]}


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    return load_atlas(write_tiny_atlas(tmp_path_factory.mktemp("figure") / "tiny"))


@pytest.fixture(scope="module")
def grid():
    mask = np.ones((30, 40), bool)
    mask[:10, :10] = False
    return Grid((42.3, -71.2, 42.4, -71.0), mask)


def panes(grid, count=2):
    rgb = np.zeros((len(grid), 3), np.uint8)
    rgb[:, 0] = 255
    return [MapPane(f"Model {i} <&$", rgb, SWATCHES if i % 2 else BAR, ((42.35, -71.1),)) for i in range(count)]


def origin(atlas):
    return provenance_of(atlas, [ModelSource("one", "weights 1", "MIT")], command="lines")


def drawn(atlas, grid, form, count=2, **options):
    given = {"title": "A $title$ & more", "explanation": "What colors mean.", "provenance": origin(atlas)} | options
    return map_figure(atlas, grid, panes(grid, count), form, **given)


def test_a_png_has_300_dpi_and_says_where_it_comes_from(atlas, grid):
    picture = Image.open(io.BytesIO(drawn(atlas, grid, "png")))
    assert picture.width == round(WIDTH_IN * DPI)
    assert picture.info["dpi"] == pytest.approx((DPI, DPI), abs=0.1)
    assert json.loads(picture.text["Provenance"]) == origin(atlas).members()
    assert picture.text["Title"] == "A $title$ & more"
    pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    red = (pixels == (255, 0, 0)).all(axis=1).mean()
    assert 0.1 < red < 0.6, "the maps"


def test_an_svg_has_its_words_as_metadata_and_is_well_formed(atlas, grid):
    from xml.etree import ElementTree

    root = ElementTree.fromstring(drawn(atlas, grid, "svg"))
    words = " ".join(each.text or "" for each in root.iter())
    assert "A $title$ & more" in words
    assert "one · weights 1 · MIT" in words, "the provenance"


def test_a_pdf_has_embedded_fonts_and_metadata(atlas, grid):
    pdf = drawn(atlas, grid, "pdf")
    assert pdf.startswith(b"%PDF")
    assert b"/Title (A $title$ & more)" in pdf
    assert b"/FontFile2" in pdf, "TrueType, which editors of figures can change"
    assert b"CreationDate" not in pdf


@pytest.mark.parametrize("form", FORMS)
def test_the_same_figure_has_the_same_bytes(atlas, grid, form):
    assert zlib.crc32(drawn(atlas, grid, form)) == zlib.crc32(drawn(atlas, grid, form))


@pytest.mark.parametrize(
    ("bounds", "length_m"),
    [
        ((42.25, -71.2, 42.45, -70.95), 5000),
        ((10.0, 20.0, 10.01, 20.01), 200),
        ((-60.0, -180.0, 84.0, 180.0), None),
        ((-10.0, 0.0, 10.0, 20.0), 500_000),
        ((50.0, 0.0, 60.0, 10.0), None),
    ],
)
def test_a_scale_bar_is_round_and_drawn_where_it_is_true(bounds, length_m):
    assert scale_bar_m(Grid(bounds, np.ones((4, 4), bool))) == length_m


def test_more_maps_make_more_rows(atlas, grid):
    heights = [Image.open(io.BytesIO(drawn(atlas, grid, "png", count))).height for count in (1, 2, 3, 5)]
    assert heights[1] < heights[2] < heights[3]
    world = Grid((-60.0, -180.0, 84.0, 180.0), np.ones((24, 60), bool))
    assert Image.open(io.BytesIO(drawn(atlas, world, "png"))).height < heights[0], "two maps of the world in a row"


def test_bad_requests_are_told(atlas, grid, monkeypatch):
    with pytest.raises(InputError, match="png, svg, pdf"):
        drawn(atlas, grid, "eps")
    with pytest.raises(InputError, match="1 to 12 maps"):
        drawn(atlas, grid, "png", 0)
    with pytest.raises(InputError, match="as many colors"):
        map_figure(atlas, grid, [MapPane("A", np.zeros((3, 3), np.uint8), BAR)], "png", title="")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingPackageError, match=r"unigeoclip\[plot\]"):
        drawn(atlas, grid, "png")
