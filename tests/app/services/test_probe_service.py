"""Jobs of page Probe: limits, turns, cancel, and that nothing of a visitor outlives the visitor."""

import gc
import logging
import threading
import weakref

import numpy as np
import pytest

from pages.ui.services.errors import NotFoundError
from pages.ui.services.priority import Priority
from pages.ui.services.probe.jobs import GONE_S, Job
from pages.ui.services.probe.library import sample_of
from pages.ui.services.probe.limits import MAX_CLASSES, MAX_PICTURE_ROWS, MAX_ROWS, check_size
from pages.ui.services.probe.private_files import PrivateFiles
from pages.ui.services.probe.requests import Request
from pages.ui.services.probe.service import ProbeService
from pages.ui.services.probe.worker import MAX_WAITING_OF_ONE, FairWorker
from pages.ui.services.rate_limits import RateLimits
from tests.app import fake, fake_probe
from unigeoclip.errors import InputError, StoppedError
from unigeoclip.tasks.label_table import LabelTable

PATIENCE_S = 30


@pytest.fixture
def service():
    made = ProbeService(Priority(), library=fake_probe.FakeLibrary(), jobs=RateLimits(1000, 1000))
    yield made
    made.close()


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def a_job(act, client="a", clock=None, most_s=60.0):
    return Job(act, client, most_s=most_s, advice="Ask for less.", **({"clock": clock} if clock else {}))


def test_a_result_belongs_to_whoever_holds_the_job():
    worker, made = FairWorker("test"), a_job(lambda job: np.ones(3))
    worker.submit(made)
    assert made.wait(PATIENCE_S)
    result, job = weakref.ref(made.result), weakref.ref(made)
    worker.submit(after := a_job(lambda job: 1))
    assert after.wait(PATIENCE_S)
    del made
    gc.collect()
    assert job() is None, "the worker still holds the job"
    assert result() is None
    worker.close()


def test_an_act_and_the_labels_in_it_are_dropped_when_it_has_run():
    labels = LabelTable("t", fake_probe.positions(20), np.arange(20.0), "regression", "x")
    kept = weakref.ref(labels)
    job = a_job(lambda _job, labels=labels: len(labels))
    del labels
    job.run()
    gc.collect()
    assert job.result == 20
    assert kept() is None


def test_time_is_limited_and_the_sentence_says_what_to_do():
    clock = Clock()

    def act(job):
        clock.now += 61
        job.report("Probing", 0.5)

    job = a_job(act, clock=clock)
    job.run()
    assert job.result is None
    assert not job.is_stopped
    assert job.error == "This took more than the 60 seconds that one visitor gets. Ask for less."


def test_waiting_for_urgent_work_does_not_count():
    clock = Clock()

    def act(job):
        clock.now += 61
        job.extend(50)
        job.report("Probing", 0.5)
        return "done"

    job = a_job(act, clock=clock)
    job.run()
    assert job.result == "done"


def test_a_job_ends_when_its_page_has_not_asked_for_long():
    clock = Clock()

    def act(job):
        clock.now += GONE_S + 1
        job.check()

    job = a_job(act, clock=clock, most_s=10_000)
    job.run()
    assert job.is_stopped
    assert job.error == ""


def test_an_engine_that_says_stopped_by_itself_counts_as_stopped():
    def act(job):
        job.stop()
        raise StoppedError("The probe was stopped.")

    job = a_job(act)
    job.run()
    assert job.is_stopped
    assert job.has_ended
    assert job.error == ""


def test_labels_do_not_get_into_the_log(caplog):
    def act(job):
        raise ValueError("could not convert string to float: 'Mrs Miller, 12 Oak St'")

    job = a_job(act)
    with caplog.at_level(logging.DEBUG):
        job.run()
    assert "ValueError" in caplog.text
    assert "Miller" not in caplog.text
    assert "Miller" not in job.error


def hold(worker, go):
    """Keep a worker busy with a job of client "a" until the event."""
    started = threading.Event()

    def act(job):
        started.set()
        go.wait(PATIENCE_S)

    worker.submit(a_job(act))
    assert started.wait(PATIENCE_S)


def test_clients_take_turns():
    worker, order, go = FairWorker("test"), [], threading.Event()
    hold(worker, go)
    jobs = [a_job(lambda job, name=name: order.append(name), name[0]) for name in ("a1", "a2", "a3", "b1", "c1")]
    for job in jobs:
        worker.submit(job)
    assert worker.ahead_of(jobs[0]) == 3  # the one at work, and one each of the other clients
    go.set()
    for job in jobs:
        assert job.wait(PATIENCE_S)
    assert order == ["b1", "c1", "a1", "a2", "a3"]
    worker.close()


def test_one_client_cannot_fill_the_queue():
    worker, go = FairWorker("test"), threading.Event()
    hold(worker, go)
    for _ in range(MAX_WAITING_OF_ONE):
        worker.submit(a_job(lambda job: None))
    with pytest.raises(InputError, match="Try again in a minute"):
        worker.submit(a_job(lambda job: None))
    other = a_job(lambda job: "served", "b")
    worker.submit(other)
    go.set()
    assert other.wait(PATIENCE_S)
    worker.close()


def test_stopped_jobs_free_their_places():
    worker, go = FairWorker("test"), threading.Event()
    hold(worker, go)
    for _ in range(3 * MAX_WAITING_OF_ONE):
        job = a_job(lambda job: None)
        worker.submit(job)
        job.stop()
    go.set()
    worker.close()


def test_closing_gives_up_what_runs():
    worker, seen = FairWorker("test"), threading.Event()

    def act(job):
        while True:
            seen.set()
            job.check()

    job = a_job(act)
    worker.submit(job)
    assert seen.wait(PATIENCE_S)
    worker.close()
    assert job.wait(PATIENCE_S)
    with pytest.raises(InputError, match="being stopped"):
        worker.submit(a_job(lambda job: None))


def test_results_on_public_labels_are_shared_and_private_ones_are_not(service):
    atlas, table = fake.FakeAtlas(), fake_probe.table_of("height", "regression")
    request = Request(("fourier",), ("random",))
    act = lambda job: service.report(table, atlas, request, "height", job)  # noqa: E731
    jobs = [service.compute(act, client, public="key") for client in "ab"]
    assert all(job.wait(PATIENCE_S) for job in jobs)
    assert jobs[0].result is jobs[1].result
    assert len(service.library.probed) == 1
    own = [service.compute(act, client) for client in "ab"]
    assert all(job.wait(PATIENCE_S) for job in own)
    assert own[0].result is not own[1].result
    assert len(service.library.probed) == 3


def test_who_asks_too_often_has_to_wait():
    service = ProbeService(Priority(), library=fake_probe.FakeLibrary(), jobs=RateLimits(2, 0.001))
    jobs = [service.compute(lambda job: 1, "a") for _ in range(2)]
    with pytest.raises(InputError, match="in a minute"):
        service.compute(lambda job: 1, "a")
    assert all(job.wait(PATIENCE_S) for job in [*jobs, service.compute(lambda job: 1, "b")])
    service.close()


def test_what_is_known_already_is_free():
    service = ProbeService(Priority(), library=fake_probe.FakeLibrary(), jobs=RateLimits(1, 0.001))
    for _ in range(3):
        assert service.compute(lambda job: 1, "a", public="key").wait(PATIENCE_S)
    with pytest.raises(InputError, match="in a minute"):
        service.compute(lambda job: 1, "a", public="another")
    service.close()


def test_private_files_are_gone_with_whoever_keeps_them():
    files = PrivateFiles()
    kept = files.add(b"picture", "webp")
    assert files.get(kept.name).content == b"picture"
    name = kept.name
    assert len(name) > 20
    del kept
    gc.collect()
    with pytest.raises(NotFoundError):
        files.get(name)


def a_table(rows, classes=0):
    latlon = np.zeros((rows, 2))
    if not classes:
        return LabelTable("t", latlon, np.zeros(rows), "regression", "x")
    return LabelTable("t", latlon, (np.arange(rows) % classes).astype(np.str_), "classification", "x")


def request_of(*names):
    return Request(names, ("random", "blocks"))


DIMS = {"small": 16, "large": 512, "larger": 512, "aerial": 256}


def test_what_fits_is_let_in():
    check_size(a_table(MAX_ROWS), request_of("small"), DIMS)
    check_size(a_table(20_000, MAX_CLASSES), request_of("small"), DIMS)
    check_size(a_table(MAX_PICTURE_ROWS), request_of("aerial"), DIMS)


@pytest.mark.parametrize(
    ("rows", "classes", "names", "words"),
    [
        (MAX_ROWS + 1, 0, ["small"], "Use a sample"),
        (1000, MAX_CLASSES + 1, ["small"], "identifier"),
        (1000, 0, [], "choose 1 to"),
        (1000, 0, ["nothing"], "not one of this atlas"),
        (MAX_PICTURE_ROWS + 1, 0, ["aerial"], "encoders of locations"),
        (MAX_ROWS, 0, ["large", "larger"], "Choose about 1 of the encoders"),
        (100_000, 100, ["large"], "100 classes"),
    ],
)
def test_what_does_not_fit_is_refused_with_advice(rows, classes, names, words):
    with pytest.raises(InputError, match=words):
        check_size(a_table(rows, classes), request_of(*names), DIMS)


def test_a_sample_is_said_to_be_one():
    table = a_table(500)
    assert sample_of(table, 0) is table
    assert sample_of(table, 500) is table
    some = sample_of(table, 100)
    assert len(some) == 100
    assert "sample of 100 of the 500 rows" in some.notes[-1]
