"""The service that computes what page Compare shows."""

import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from pages.ui.compare.computation import ready_scheme
from pages.ui.compare.model import ColorScheme
from pages.ui.compare.panes import ComparePane
from pages.ui.services import waiters
from pages.ui.services.compare_service import CompareService
from pages.ui.services.compare_work import Work
from pages.ui.services.compare_worker import run_act
from pages.ui.services.errors import NotFoundError
from pages.ui.services.priority import Priority
from tests.app import fake
from unigeoclip.compare import figures, regions
from unigeoclip.errors import InputError
from unigeoclip.similarity.browser.compact import CompactGrid

PATIENCE_S = 120.0  # the worker may still be compiling UMAP, for an earlier test


class Recorder:
    """A queue whose work nobody does."""

    def __init__(self):
        self.queued = []

    def submit(self, rank, work, act):
        self.queued.append((work, act))


def service(load_embedders=fake.embedders, **options):
    """The service of page Compare, over made-up embedders."""
    return CompareService(options.pop("priority", Priority()), load_embedders=load_embedders, **options)


def test_what_was_stopped_stays_so_until_one_goes_on(monkeypatch, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    recorder = Recorder()
    job = service(worker=recorder).job(fake.FakeAtlas())
    job.request(["fourier", "constant"], "somebody")
    job.stop("somebody")
    job.request(["fourier", "constant"], "somebody")
    assert len(recorder.queued) == 2
    assert not any(work.busy for work in job.work.values())
    job.resume("somebody")
    job.request(["fourier", "constant"], "somebody")
    assert len(recorder.queued) == 4
    assert all(work.busy for work in job.work.values())
    assert all(work.is_running() for work in job.work.values())


def test_nobody_stops_what_somebody_else_waits_for(monkeypatch, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    compare = service(worker=Recorder())
    clock = SimpleNamespace(now=0.0, monotonic=lambda: clock.now)
    monkeypatch.setattr(waiters, "time", clock)
    job = compare.job(fake.FakeAtlas())
    for visitor in ("one", "other"):
        job.request(["fourier"], visitor)
    job.stop("one")
    work = job.work["fourier"]
    assert work.is_stopped_for("one")
    assert not work.is_stopped_for("other")
    assert work.report(1, 2)
    clock.now += 2 * waiters.GONE_S
    job.see(["fourier"], "one")  # who has stopped it, but looks at the page
    assert not work.report(1, 2), "the other one has closed the page"
    assert not work.is_stopped_for("other"), "who did not stop it"
    job.request(["fourier"], "one")
    assert job.work["fourier"] is work, "who stopped it does not begin it again"
    job.request(["fourier"], "other")
    assert job.work["fourier"].report(1, 2)
    assert job.work["fourier"].is_stopped_for("one")
    run_act(job.work["fourier"], lambda work: True)
    assert not job.work["fourier"].is_stopped_for("one"), "it is done"


def test_regions_that_somebody_waits_for_are_not_forgotten(monkeypatch, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    compare = service(worker=Recorder(), max_bytes=1)
    atlas, part, other_part = fake.FakeAtlas(), (-60.0, -60.0, 60.0, 60.0), (-50.0, -50.0, 50.0, 50.0)
    whole = compare.job(atlas)
    whole.request(["fourier"], "somebody")
    old = compare.job(atlas, part)
    compare.job(atlas, other_part)
    assert compare.job(atlas) is whole
    assert whole.work["fourier"].is_running()
    assert compare.job(atlas, part) is not old, "nobody waited for it"


def worked_through(job, *names):
    """A job whose maps are complete."""
    job.request(list(names), "somebody")
    end = time.monotonic() + PATIENCE_S
    while not all(work.complete or work.error for work in job.work.values()) and time.monotonic() < end:
        time.sleep(0.05)
    return job.comparison(list(names))


def test_regions_in_memory_are_bounded_by_bytes_and_the_oldest_go(monkeypatch, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    compare = service(worker=Recorder(), max_bytes=27_000_000)
    atlas = fake.FakeAtlas()
    parts = [(-60.0, -60.0, 60.0, 60.0 + number) for number in range(4)]
    jobs = [compare.job(atlas, part) for part in parts[:3]]
    for each in jobs:
        assert len(each.region.grid.cells)
        each.work["made-up"] = work = Work("made-up", waiters.Waiters())
        work.pictures["picture"] = bytes(10_000_000)
        assert 10_000_000 < each.nbytes < 13_000_000
    new = compare.job(atlas, parts[3])
    kept = compare.jobs
    assert kept == [jobs[1], jobs[2], new], "the least recently used went"
    assert sum(each.nbytes for each in kept) <= 27_000_000


def test_vectors_in_files_take_no_memory_of_their_own(monkeypatch, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    compare = service()
    job = compare.job(fake.FakeAtlas())
    worked_through(job, "fourier")
    vectors = job.work["fourier"].embedded.vectors
    assert isinstance(vectors, np.memmap)
    assert job.work["fourier"].nbytes < vectors.nbytes


def test_compact_grids_are_those_of_regions_in_memory_and_begin_none(monkeypatch, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    compare = service()
    job = compare.job(fake.FakeAtlas())
    worked_through(job, "fourier")
    embedded = job.work["fourier"].embedded
    assert compare.compact_bytes("world", embedded.key) == embedded.compact_bytes()
    for atlas, key in (("world", "0" * 16), ("boston", embedded.key)):
        with pytest.raises(NotFoundError, match="load the page again"):
            compare.compact_bytes(atlas, key)
    with pytest.raises(NotFoundError, match="no location encoder"):
        compare.encoder_bytes("world", embedded.key)
    embedded.embedder.location_encoder = fake.fake_encoder()
    small = fake.FakeExplorer(fake.FakeAtlas())  # with vectors as long as the encoder's
    monkeypatch.setattr(type(embedded), "compact_grid", lambda _: CompactGrid.fit(small.grid, small.cells))
    assert compare.encoder_bytes("world", embedded.key) == embedded.encoder_bytes()
    job.work["fourier"].complete = False
    for bytes_of in (compare.compact_bytes, compare.encoder_bytes):
        with pytest.raises(NotFoundError, match="load the page again"):
            bytes_of("world", embedded.key)
    assert compare.jobs == [job]


def test_what_failed_can_be_tried_again(monkeypatch, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    compare = service()
    whole = regions.embed_region

    def too_large(*_, **__):
        raise MemoryError

    monkeypatch.setattr(regions, "embed_region", too_large)
    job = compare.job(fake.FakeAtlas())
    worked_through(job, "fourier")
    assert "not enough memory" in job.work["fourier"].error
    monkeypatch.setattr(regions, "embed_region", whole)
    job.try_again(["fourier"])
    worked_through(job, "fourier")
    assert job.work["fourier"].complete
    assert not job.work["fourier"].error


def test_progress_is_that_of_all_models_and_phases(monkeypatch, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    compare = service(worker=Recorder())
    job, names = compare.job(fake.FakeAtlas()), ["fourier", "constant"]
    job.request(names, "somebody")
    words, before = job.progress(names)
    assert words == "Processing the map: Random Fourier features, 1 of 2"
    assert before == 0
    job.work["fourier"].report(1, 2)
    assert job.progress(names)[1] == pytest.approx(0.125)  # half of a map; two maps and two lots of figures
    assert job.progress(names, umap=True)[1] < 0.125
    for work in job.work.values():
        work.doing = ""
    assert job.progress(names) == ("", 1.0)


def test_measuring_and_umap_say_how_far_they_are(monkeypatch, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    compare = service()
    job = compare.job(fake.FakeAtlas())
    comparison = worked_through(job, "fourier")
    said = []
    vectors = comparison.embedded["fourier"].vectors[job.region.sample(regions.SAMPLE)]
    figures.figures(vectors, job.region.figure_sample, lambda done, total: said.append(done / total) or True)
    assert said == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])


def test_work_goes_on_without_visitors_if_nobody_stopped_it(monkeypatch, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    compare = service(worker=Recorder())
    monkeypatch.setattr(waiters, "GONE_S", -1.0)
    job = compare.job(fake.FakeAtlas())
    job.request(["fourier"], "somebody")
    assert job.work["fourier"].is_running()


def test_what_can_wait_gives_way_to_maps(monkeypatch, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    priority = Priority()
    compare = service(priority=priority)
    begun, go_on = threading.Event(), threading.Event()

    def embed(*_, **__):
        begun.set()
        assert go_on.wait(PATIENCE_S)
        raise InputError("enough")

    monkeypatch.setattr(regions, "embed_region", embed)
    priority.yield_priority()  # nobody waits for maps
    job = compare.job(fake.FakeAtlas())
    job.request(["fourier"], "somebody")
    assert begun.wait(PATIENCE_S)
    waiting = threading.Thread(target=priority.yield_priority)
    waiting.start()
    waiting.join(0.2)
    assert waiting.is_alive()
    go_on.set()
    waiting.join(PATIENCE_S)
    assert not waiting.is_alive()
    assert job.work["fourier"].error == "enough"


def work_off(recorder, acts=1_000):
    """Do what is queued, one act after the other, and what that queues."""
    for _ in range(acts):
        if not recorder.queued:
            return
        run_act(*recorder.queued.pop(0))


def test_a_page_shows_no_more_than_it_has_seen(monkeypatch, tmp_path):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    recorder, names, pair = Recorder(), ["fourier", "twisted"], ("fourier", "twisted")
    job = service(worker=recorder).job(fake.FakeAtlas())
    job.request(["fourier"], "somebody")
    work_off(recorder)
    job.request(names, "somebody", pair=pair)
    seen = [job.comparison(names)]
    assert list(seen[0].embedded) == ["fourier"]
    work_off(recorder, acts=1)
    seen.append(job.comparison(names))  # a first look at the other model
    for _ in range(3):  # the map, then the disagreement, then figures
        job.request(names, "somebody", pair=pair)
        work_off(recorder)
    seen.append(job.comparison(names))
    assert [job.has_disagreement(each, pair) for each in seen] == [False, False, True]

    wanted = ColorScheme("disagreement", pair=pair)
    assert [ready_scheme(job, each, wanted).kind for each in seen] == ["components", "components", "disagreement"]
    coarse, complete = (ComparePane(job, each, "twisted", ColorScheme()) for each in seen[1:])
    assert [coarse.is_final, complete.is_final] == [False, True]
    assert not np.array_equal(coarse.colors, complete.colors)
    assert job.cluster_names(seen[1], "twisted", 4) is not job.cluster_names(seen[2], "twisted", 4)
