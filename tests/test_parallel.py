"""Many parts on all cores."""

import threading
import time

import pytest
import torch

from unigeoclip import parallel
from unigeoclip.parallel import parallel_map, processor_name, read_ahead


@pytest.fixture(params=[1, 2, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize("count", [0, 1, 2, 30])
def test_results_come_in_the_order_of_the_parts(threads, count):
    def work(number):
        time.sleep(0.002 * (number % 3))
        return number**2

    assert list(parallel_map(work, range(count))) == [number**2 for number in range(count)]
    assert torch.get_num_threads() == threads


def test_each_part_has_one_thread_of_torch_and_they_overlap(threads):
    meeting = threading.Barrier(threads, timeout=20)

    def work(_):
        meeting.wait()  # ends only if as many parts are in the making
        return torch.get_num_threads()

    assert list(parallel_map(work, range(4 * threads))) == [1] * (4 * threads)


def test_threads_of_others_keep_theirs(threads):
    inside, others = threading.Event(), []

    def work(number):
        inside.set()
        time.sleep(0.01)
        return number

    results = parallel_map(work, range(20))
    next(results)
    assert inside.is_set()
    other = threading.Thread(target=lambda: others.append(torch.get_num_threads()))
    other.start()
    other.join()
    assert others == [threads]
    assert len(list(results)) == 19


def test_parts_are_not_taken_far_ahead_of_the_results(threads):
    taken = []

    def parts():
        for number in range(100):
            taken.append(number)
            yield number

    results = parallel_map(lambda number: number, parts())
    assert next(results) == 0
    assert len(taken) <= 2 * threads + 1
    results.close()
    assert torch.get_num_threads() == threads


def test_a_fault_ends_it(threads):
    def work(number):
        if number == 7:
            raise ValueError("seven")
        return number

    seen = []
    with pytest.raises(ValueError, match="seven"):
        seen.extend(parallel_map(work, range(100)))
    assert torch.get_num_threads() == threads


def test_the_processor_is_named_where_the_system_names_it(tmp_path):
    info = tmp_path / "cpuinfo"
    info.write_text(
        "processor\t: 0\nmodel name\t: Quick 9000 @ 3 GHz\nprocessor\t: 1\nmodel name\t: Quick 9000 @ 3 GHz\n"
    )
    assert processor_name(info) == "Quick 9000 @ 3 GHz"
    info.write_text("processor\t: 0\n")
    assert processor_name(info) == processor_name(tmp_path / "missing") != ""


def test_a_part_that_is_alone_is_not_limited_where_results_must_be_steady(threads):
    assert list(parallel_map(lambda _: torch.get_num_threads(), [0], steady=True)) == [1]
    assert torch.get_num_threads() == threads


def test_reading_ahead_keeps_the_order_and_its_bound():
    made = []
    may_go_on = threading.Event()

    def parts():
        for number in range(20):
            made.append(number)
            if number == 3:
                may_go_on.set()
            yield number

    ahead = read_ahead(parts(), 2)
    assert next(ahead) == 0
    assert may_go_on.wait(20)  # 1 and 2 wait, 3 is in the making, while the caller does something else
    assert made == [0, 1, 2, 3]
    assert list(ahead) == list(range(1, 20))


def test_reading_ahead_ends_with_its_caller_and_passes_errors_on():
    def endless():
        while True:
            yield 1

    ahead = read_ahead(endless(), 1)
    assert next(ahead) == 1
    ahead.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "read ahead"]

    def failing():
        yield 1
        raise ValueError("cannot be read")

    with pytest.raises(ValueError, match="cannot be read"):
        list(read_ahead(failing(), 3))


@pytest.fixture
def limited(monkeypatch):
    """As a server that has called `use_one_thread_per_operation` with two threads of torch."""
    before = torch.get_num_threads()
    monkeypatch.setattr(parallel, "_default_threads", None)
    torch.set_num_threads(2)
    parallel.use_one_thread_per_operation()
    yield
    torch.set_num_threads(before)


def test_operations_have_one_thread_and_parts_have_all_cores(limited):
    seen = []
    thread = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    assert seen == [torch.get_num_threads()] == [1]
    meeting = threading.Barrier(2, timeout=20)
    assert list(parallel_map(lambda _: meeting.wait() >= 0, range(6))) == [True] * 6
    parallel.use_one_thread_per_operation()  # another atlas is opened
    assert list(parallel_map(lambda _: meeting.wait() >= 0, range(6))) == [True] * 6
    assert torch.get_num_threads() == 1


def test_parts_within_parts_do_not_wait_for_themselves(limited):
    results = parallel_map(lambda part: sum(parallel_map(lambda number: number, range(part))), range(20))
    assert list(results) == [sum(range(part)) for part in range(20)]
