"""The cores of the machine: all at work on many small parts, and what they are called."""

from __future__ import annotations

import platform
import queue
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from pathlib import Path
from threading import Barrier, Lock
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from concurrent.futures import Future

__all__ = ["parallel_map", "processor_name", "read_ahead", "use_one_thread_per_operation"]

Part = TypeVar("Part")
Result = TypeVar("Result")


def use_one_thread_per_operation() -> None:
    """Let torch compute every operation in one thread from now on; `parallel_map` still uses all cores.

    For a server, whose threads serve different visitors. Threads that share one operation wait for the slowest: the
    query of a point with its heatmap takes 9 to 20 ms with two threads on two idle cores, 56 ms while another process
    is busy and 78 ms while two are; with one thread it takes 5, 10 and 16 ms. Call it before other threads use torch:
    those keep the number of threads that they began with.
    """
    import torch

    global _default_threads
    with _lock:
        _default_threads = _default_threads or torch.get_num_threads()
        torch.set_num_threads(1)


def parallel_map(work: Callable[[Part], Result], parts: Iterable[Part], *, steady: bool = False) -> Iterator[Result]:
    """Like ``map``, with as many parts at a time as torch uses threads by default, each in a thread of its own.

    Torch would else divide every single operation between its threads and wait for the slower one. As soon as something
    else wants a core, and a browser that draws a map does, that takes three times as long: on two cores beside one busy
    process, 16,384 locations took 7.2 s divided by operation and 3.3 s divided by parts (without: 2.2 s and 1.6 s).

    Args:
        work: Called with one part, in any thread; torch uses one thread in it.
        parts: Taken one after the other in the caller's thread, few ahead of the results.
        steady: Never divide an operation, not even of a part that is alone: sums are then added in the same order on
            any number of threads, and results are the same to the last bit.

    Yields:
        Results in the order of the parts. An exception in ``work`` or in ``parts`` ends it.
    """
    import torch

    parts = iter(parts)
    threads = 1 if hasattr(_worker, "number") else _default_threads or torch.get_num_threads()
    head = list(islice(parts, 2))
    if threads == 1 or (len(head) < 2 and not steady):
        yield from map(work, chain(head, parts))
        return
    pool = _pool(threads)
    ahead: deque[Future[Result]] = deque()
    try:
        for part in chain(head, parts):
            ahead.append(pool.submit(work, part))
            if len(ahead) > 2 * threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        for each in ahead:
            each.cancel()


def read_ahead(parts: Iterable[Part], most: int) -> Generator[Part]:
    """The same parts, made in a thread of their own while the caller works on those before.

    Args:
        parts: Read in that thread, in order.
        most: Parts that wait at any time, 1 or more.

    Yields:
        The parts in their order. An exception in ``parts`` is raised here; when the caller stops early, so does the
        thread.
    """
    ready: queue.Queue[tuple[bool, Any]] = queue.Queue(most)
    stopped = threading.Event()

    def put(more: bool, value: Any) -> bool:
        while not stopped.is_set():
            try:
                ready.put((more, value), timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def read() -> None:
        try:
            for part in parts:
                if not put(True, part):
                    return
            put(False, None)
        except BaseException as error:  # whatever it is, the caller must not wait for ever
            put(False, error)

    thread = threading.Thread(target=read, name="read ahead", daemon=True)
    thread.start()
    try:
        while True:
            more, value = ready.get()
            if more:
                yield value
            elif value is None:
                return
            else:
                raise value
    finally:
        stopped.set()
        thread.join()


def _pool(threads: int) -> ThreadPoolExecutor:
    """So many threads that live as long as the process; torch does not divide what they do."""
    import torch

    with _lock:
        if threads not in _pools:
            pool = _pools[threads] = ThreadPoolExecutor(threads, "cores")
            before = torch.get_num_threads()
            begun = Barrier(threads)

            def begin(number: int) -> None:
                _worker.number = number  # a part that used the pool again would wait for itself
                torch.get_num_threads()  # a thread's first look at it undoes what was set before
                torch.set_num_threads(1)
                begun.wait()

            list(pool.map(begin, range(threads)))
            torch.set_num_threads(before)  # what threads begin with that come later was set to one, too
        return _pools[threads]


_default_threads: int | None = None  # of torch, before it was limited to one
_worker = threading.local()
_pools: dict[int, ThreadPoolExecutor] = {}
_lock = Lock()


def processor_name(info: Path = Path("/proc/cpuinfo")) -> str:
    """Model of the processor as the system names it; its architecture where it does not.

    Args:
        info: Linux tells it in this file only.
    """
    try:
        lines = info.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # another system
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next((name for name in names if name), "") or platform.processor() or platform.machine()
