"""What page Probe exports: every file can be opened by whom it is made for."""

import ast
import csv
import io
import json

import pytest

from pages.ui.probe import export
from pages.ui.probe.state import ProbeState, Shown
from pages.ui.services.probe.requests import Request
from tests.app import fake, fake_probe

REQUEST = Request(("fourier", "coordinates"), ("random", "blocks"))


def state_of(task, kind, **options):
    library, atlas = fake_probe.FakeLibrary(), fake.FakeAtlas()
    table = fake_probe.table_of(task, kind)
    report = library.probe(table, atlas, REQUEST, task, lambda words, share: None)
    layer = library.everywhere(table, atlas, "coordinates", REQUEST, lambda words, share: None)
    state = ProbeState(task=task, labels=table, shown=Shown(REQUEST, report, task), split="blocks", **options)
    state.encoder, state.everywhere = "coordinates", ((id(report), "coordinates"), layer)
    return state, atlas


@pytest.fixture(params=[("height", "regression"), ("climate", "classification")], ids=lambda each: each[1])
def made(request):
    return state_of(*request.param)


def test_predictions_hold_every_row(made):
    state, atlas = made
    text = export.predictions(state, atlas, "csv").decode()
    rows = list(csv.DictReader(line for line in io.StringIO(text) if not line.startswith("#")))
    assert len(rows) == 300
    assert {"lat", "lon", "truth", "prediction", "fold"} <= set(rows[0])
    features = json.loads(export.predictions(state, atlas, "geojson"))["features"]
    assert len(features) == 300
    assert export.predictions(state, atlas, "parquet")[:4] == b"PAR1"


def test_scores(made):
    state, _ = made
    rows = list(csv.DictReader(io.StringIO(export.scores(state, "csv").decode())))
    assert {row["encoder"] for row in rows} == {"fourier", "coordinates", "sincos", "mean"}
    assert b"\\begin{tabular}" in export.scores(state, "tex")


def test_the_report_opens_without_a_network(made):
    state, atlas = made
    page = export.html_report(state, atlas).decode()
    assert "Plain coordinates" in page
    assert "<script" not in page
    assert 'src="http' not in page


def test_the_map_is_a_geotiff(made):
    import rasterio
    from rasterio.io import MemoryFile

    state, _ = made
    with MemoryFile(export.geotiff(state)) as memory, memory.open() as tiff:
        assert tiff.crs == rasterio.crs.CRS.from_epsg(4326)
        assert tiff.read(1).any()


def test_python_lines_and_command_name_the_same(made):
    state, atlas = made
    lines = export.python_lines(state, atlas)
    ast.parse(lines)
    assert f'load_task("{state.task}")' in lines
    assert "splits=('random', 'blocks')" in lines
    assert f"--task {state.task} --atlas=world --embedders=fourier,coordinates" in export.command(state, atlas)


def test_file_names_are_plain():
    state, atlas = state_of("height", "regression")
    state.task = "../../etc/pass wd<b>"
    assert export.file_stem(state, atlas) == "world-etc-pass-wd-b"
