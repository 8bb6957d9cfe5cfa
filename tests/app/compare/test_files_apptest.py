"""Files of embeddings on page Compare: uploaded by visitors, or named by whoever runs the server."""

import numpy as np
import pytest

from pages.ui.compare.model import ColorScheme
from pages.ui.compare.panes import ComparePane, columns
from pages.ui.formatting import literal
from pages.ui.services.compare_jobs import Job
from pages.ui.services.compare_service import load_files
from pages.ui.services.compare_worker import Rank, run_act
from tests.app import fake
from tests.app.compare.test_compare_apptest import settled
from tests.embedders.files.made import unit_vectors, write_alphaearth, write_table
from unigeoclip.compare.region import Region
from unigeoclip.embedders import load_embedder
from unigeoclip.embedders.files import upload
from unigeoclip.embedders.files.named import VARIABLE


@pytest.fixture(scope="module", autouse=True)
def decoder():
    yield
    upload._decoder().close()


@pytest.fixture
def table(tmp_path):
    """Vectors for the made-up world's north, every two degrees."""
    lat, lon = np.meshgrid(np.arange(1.0, 89, 2), np.arange(-179.0, 180, 2), indexing="ij")
    latlon = np.stack([lat.ravel(), lon.ravel()], axis=1)
    vectors = unit_vectors(lat.shape, 8).reshape(-1, 8)
    return write_table(tmp_path / "north.parquet", latlon, vectors)


@pytest.fixture
def page(app):
    return settled(app.switch_page("pages/compare.py"))


def captions(page):
    return " ".join(caption.value for caption in page.caption)


class Now:
    """A queue of work that is done when it is asked for, what comes first before the rest; nothing ahead of need."""

    def __init__(self):
        self.waiting = []

    def submit(self, rank, work, act):
        if rank is not Rank.AHEAD:
            self.waiting.append((rank, work, act))

    def finish(self):
        while self.waiting:
            first = min(self.waiting, key=lambda each: each[0])
            self.waiting.remove(first)
            run_act(*first[1:])


def test_maps_legends_and_files_of_a_model_with_gaps(serve, monkeypatch, tmp_path, table):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    serve()
    atlas, queue, file = fake.FakeAtlas(), Now(), load_embedder(f"file:{table}")
    job = Job(atlas, Region.whole(atlas), fake.embedders(atlas)[0], queue)
    job.offer({file.name: file})
    names = ["fourier", file.name]
    for pair in ((), (), tuple(names), tuple(names)):
        job.request(names, "somebody", pair=pair)
        queue.finish()
    comparison = job.comparison(names)
    common = comparison.common
    assert 100 < len(common.grid) < len(job.region.grid)
    assert all(common in job.work[name].figures for name in names)
    for scheme in (ColorScheme(), ColorScheme("clusters", 4), ColorScheme("disagreement", pair=tuple(names))):
        pane = ComparePane(job, comparison, file.name, scheme)
        assert len(pane.colors) == len(common.grid)
        assert pane.for_map(np.ones(len(job.region.grid), bool))["note"].startswith("has vectors for ")
        assert pane.png()[:4] == b"\x89PNG"
    example = job.work[file.name].examples["fourier"]
    assert all(each.cell in job.region.grid.rows_of(common.grid) for each in example)
    shown = {name: ComparePane(job, comparison, name, ColorScheme("clusters", 4)) for name in names}
    found = columns(shown)
    assert found["cluster_fourier"].dtype == np.int64
    lacks = found[f"cluster_{file.name.replace('-', '_')}"].isna()
    assert lacks.sum() == len(job.region.grid) - len(common.grid)
    gap = tuple(job.region.grid.cells[np.flatnonzero(lacks)[-1]])
    asked = ComparePane(job, comparison, file.name, ColorScheme(point=gap))
    assert "has no vector at this point" in asked.unavailable
    assert asked.for_map()["legend"]["title"] == "No result"
    assert 'models = ["file:north.parquet"]' in asked.provenance().command


@pytest.mark.slow
def test_an_upload_is_compared_and_can_be_removed(page, drawn, table):
    page.file_uploader[1].upload("north.parquet", table.read_bytes(), "application/octet-stream")
    settled(page)
    assert not page.exception
    pane = next(pane for pane in drawn["panes"] if pane["title"] == "north.parquet")
    assert pane["note"].startswith("has vectors for ")
    assert literal("License of north.parquet: unknown; look it up before you publish") in captions(page)
    assert "of the area for which all these models have vectors" in captions(page)
    page.button(key=f"remove-{pane['id']}").click()
    settled(page)
    assert pane["id"] not in [each["id"] for each in drawn["panes"]]


def test_files_that_cannot_be_compared_are_told(page, tmp_path):
    page.file_uploader[1].upload("notes.tif", b"no raster", "image/tiff").run()
    assert literal("notes.tif") in page.error[0].value
    assert "neither a GeoTIFF nor a Parquet file" in page.error[0].value
    assert not page.exception


def test_files_of_the_server_are_offered_where_they_overlap(tmp_path, monkeypatch, table):
    boston = write_alphaearth(tmp_path / "aef.tif", unit_vectors((20, 20), 64))
    monkeypatch.setenv(VARIABLE, f"north={table} gone={tmp_path}/secret/gone.tif boston={boston}")
    found, unreadable = load_files(fake.FakeAtlas())
    assert list(found) == ["file-north", "file-boston"]
    assert "secret" not in unreadable["file-gone"]
    atlas = fake.FakeAtlas()
    atlas.manifest.bounds = (-40.0, 110.0, -10.0, 160.0)
    assert not load_files(atlas)[0]


def test_a_link_cannot_name_a_path(page, tmp_path):
    page.query_params["models"] = f"fourier,file:{tmp_path}/aef.tif"
    page.run()
    assert "Unknown model" in page.error[0].value
    page.query_params["models"] = "fourier,file-aef-0123456789abcdef"
    page.run()
    assert "upload it with Add embeddings" in page.error[0].value
