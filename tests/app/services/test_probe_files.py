"""Page Probe with embedding files that are configured on the server, through the package's own functions."""

import numpy as np
import pytest

from pages.ui.services.compare_service import load_files
from pages.ui.services.probe.library import Library
from pages.ui.services.probe.requests import Request
from tests.app import fake
from tests.embedders.files.made import unit_vectors, write_table
from unigeoclip.embedders import load_embedder
from unigeoclip.embedders.files.named import VARIABLE
from unigeoclip.evaluation.probing import run
from unigeoclip.tasks.label_table import LabelTable

ENCODERS = ("file-north", "fourier")


@pytest.fixture
def north(tmp_path, monkeypatch):
    """A file of vectors for the made-up world's north, every two degrees, and their positions."""
    lat, lon = np.meshgrid(np.arange(1.0, 89, 2), np.arange(-179.0, 180, 2), indexing="ij")
    latlon = np.stack([lat.ravel(), lon.ravel()], axis=1)
    vectors = unit_vectors(lat.shape, 8).reshape(-1, 8)
    path = write_table(tmp_path / "north.parquet", latlon, vectors)
    monkeypatch.setenv(VARIABLE, f"north={path}")
    return latlon, vectors


@pytest.fixture
def library():
    def embedders(atlas):
        files, unreadable = load_files(atlas)
        return files | {"fourier": load_embedder("fourier", atlas)}, unreadable

    return Library(embedders)


def test_a_file_of_the_server_can_be_chosen_but_is_not_chosen_at_first(north, library):
    known = library.encoders(fake.FakeAtlas())
    assert known.dims["file-north"] == 8
    assert "file-north" in known.titles
    assert "file-north" not in known.default


def test_a_probe_predicts_what_the_vectors_of_a_file_hold(north, library, monkeypatch):
    monkeypatch.setattr(run, "hashes", lambda atlas: {})  # the made-up atlas has no model
    latlon, vectors = north
    rows = np.random.default_rng(0).choice(len(latlon), 600, replace=False)
    table = LabelTable("linear", latlon[rows], (vectors[rows] @ np.arange(8.0)).astype(np.float64), "regression", "x")
    request = Request(ENCODERS, splits=("random",))
    report = library.probe(table, fake.FakeAtlas(), request, "", lambda words, share: None)
    scores = {name: result.scores["r2"].mean for name, result in report.results["random"].items()}
    assert scores["file-north"] > 0.99
    assert scores["fourier"] < scores["file-north"]
