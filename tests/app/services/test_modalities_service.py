"""The service behind page Modalities: one study of an atlas, layouts in turn, bounded memory."""

import threading
from types import SimpleNamespace

import numpy as np
import pytest

from pages.ui.services.modalities import LayoutKey, LayoutQueue, ModalitiesService
from pages.ui.services.priority import Priority
from pages.ui.services.rate_limits import RateLimits
from tests.app import fake
from unigeoclip.errors import AtlasError, InputError

PATIENCE_S = 60.0
VECTORS = {"a": np.eye(4, dtype=np.float32), "b": np.eye(4, dtype=np.float32)}


def key(number):
    return LayoutKey("world", (number,), "tsne", centered=False)


def explorer(name="world"):
    return fake.FakeExplorer(fake.another_world(name))


@pytest.fixture
def service():
    made = []

    def start(**options):
        made.append(ModalitiesService(Priority(), **{"measure": fake.measure} | options))
        return made[-1]

    yield start
    for each in made:
        each.close()


def test_an_atlas_is_studied_once_and_its_places_are_grouped(service):
    modalities, here = service(), explorer()
    job = modalities.job(here)
    assert modalities.job(here) is job
    assert job.wait(PATIENCE_S)
    assert job.error == ""
    assert job.study.modalities == here.modalities
    assert len(job.clusters) == 60
    assert set(job.clusters) == set(range(len(job.cluster_names)))
    assert job.nbytes > 0


@pytest.mark.parametrize(("error", "says"), [(AtlasError("Train again."), "Train again."), (ValueError("x"), "log")])
def test_what_goes_wrong_is_told_and_can_be_tried_again(service, error, says):
    def fail(_explorer, _report):
        raise error

    modalities = service(measure=fail)
    job = modalities.job(explorer())
    assert job.wait(PATIENCE_S)
    assert says in job.error
    with pytest.raises(InputError, match="not measured yet"):
        modalities.layout(job, [0, 1], "tsne", centered=False, visitor="one", client="here")
    modalities.forget(job)
    assert modalities.job(explorer()) is not job


def test_old_studies_are_forgotten_when_memory_is_full(service):
    modalities = service(max_bytes=1)
    first = modalities.job(explorer("one"))
    assert first.wait(PATIENCE_S)
    second = modalities.job(explorer("two"))
    assert modalities.job(explorer("two")) is second, "the one in use stays"
    assert modalities.job(explorer("one")) is not first


def test_a_layout_is_computed_once_and_new_ones_are_limited(service):
    computed = []

    def lay_out(vectors, method):
        computed.append(method)
        return {name: each[:, :2] for name, each in vectors.items()}

    modalities = service(lay_out=lay_out, limits=RateLimits(2, 1e-6))
    job = modalities.job(explorer())
    assert job.wait(PATIENCE_S)
    ask = SimpleNamespace(centered=False, visitor="one", client="here")
    for places in ([0, 1, 2], [0, 1, 2], [3, 4, 5]):
        task = modalities.layout(job, places, "tsne", **vars(ask))
        assert task.wait(PATIENCE_S)
        np.testing.assert_array_equal(task.positions["text"], job.study.vectors["text"][places][:, :2])
    assert computed == ["tsne", "tsne"]
    with pytest.raises(InputError, match="Many layouts"):
        modalities.layout(job, [6, 7, 8], "tsne", **vars(ask))
    other = modalities.layout(job, [6, 7, 8], "tsne", **vars(ask) | {"client": "elsewhere", "centered": True})
    assert other.wait(PATIENCE_S)
    np.testing.assert_array_equal(other.positions["text"], job.study.centered["text"][[6, 7, 8]][:, :2])


class Gate:
    """A layout that waits until the test lets it go on."""

    def __init__(self):
        self.began, self.go, self.done = threading.Semaphore(0), threading.Semaphore(0), []

    def __call__(self, vectors, method):
        self.began.release()
        assert self.go.acquire(timeout=PATIENCE_S)
        self.done.append(float(vectors["a"][0, 0]))
        return {}


def numbered(number):
    return {"a": np.full((1, 1), number, np.float32)}


def test_of_each_visitor_only_the_latest_layout_waits_and_visitors_take_turns():
    gate = Gate()
    queue = LayoutQueue(gate)
    queue.request(key(0), "greedy", numbered(0))
    assert gate.began.acquire(timeout=PATIENCE_S)
    for number in (1, 2, 3):
        last = queue.request(key(number), "greedy", numbered(number))
    modest = queue.request(key(4), "modest", numbered(4))
    assert len(queue) == 2
    assert queue.known(key(1)) is None, "nobody waits for it"
    for _ in range(3):
        gate.go.release()
    assert last.wait(PATIENCE_S)
    assert modest.wait(PATIENCE_S)
    assert gate.done == [0, 3, 4]
    queue.close()


def test_a_layout_that_another_visitor_waits_for_is_not_dropped():
    gate = Gate()
    queue = LayoutQueue(gate)
    queue.request(key(0), "one", numbered(0))
    assert gate.began.acquire(timeout=PATIENCE_S)
    shared = queue.request(key(1), "one", numbered(1))
    assert queue.request(key(1), "other", numbered(1)) is shared
    queue.request(key(2), "one", numbered(2))
    for _ in range(3):
        gate.go.release()
    assert shared.wait(PATIENCE_S)
    queue.close()


def test_layouts_are_remembered_up_to_a_number_and_failures_are_told():
    def fail(vectors, method):
        raise ValueError("a fault")

    queue = LayoutQueue(fail, most=2)
    tasks = []
    for number in range(5):
        tasks.append(queue.request(key(number), "one", VECTORS))
        assert tasks[-1].wait(PATIENCE_S)
    assert "server's log" in tasks[0].error
    assert queue.known(key(0)) is None
    assert queue.known(key(4)) is tasks[4]
    queue.close()
