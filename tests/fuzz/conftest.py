"""How long fuzz tests search, and what keeps them from harming the machine.

By default (profile "quick") each test tries a few examples, the same ones at every run. With
``UNIGEOCLIP_FUZZ_SECONDS=600 python -m pytest tests/fuzz`` (profile "long") the tests search at random, round after
round, for 600 s in all, each for an equal share; what they find is kept in ``.hypothesis`` and tried first next time.

Tests in this folder are ordinary hypothesis tests (``@given``); nothing has to be done to take part. The fixture
``fenced`` limits the memory that the process may still take, for tests of code that could take all of it.
"""

import contextlib
import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

try:
    import resource
except ImportError:  # Windows
    resource = None

SECONDS = float(os.environ.get("UNIGEOCLIP_FUZZ_SECONDS", "0"))
EXAMPLES = 25  # of a test, in the quick profile
ROUND = 100  # examples between two looks at the clock, in the long profile
FENCE_BYTES = 2_000_000_000

_common = {
    "deadline": None,  # a busy machine is slow, not broken
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
}
settings.register_profile("quick", max_examples=EXAMPLES, derandomize=True, database=None, **_common)
settings.register_profile("long", max_examples=ROUND, print_blob=True, **_common)
settings.load_profile("long" if SECONDS else "quick")

_share_s = pytest.StashKey[float]()


def pytest_collection_finish(session):
    """Share the time among the fuzz tests that will run."""
    searching = sum(_searches(item) for item in session.items)
    session.config.stash[_share_s] = SECONDS / max(1, searching)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """In the long profile, run a fuzz test again and again, at random, until its share of the time is used up."""
    if not SECONDS or not _searches(pyfuncitem):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    until = time.monotonic() + pyfuncitem.config.stash[_share_s]
    while True:
        pyfuncitem.obj(**arguments)
        if time.monotonic() >= until:
            return True


def _searches(item):
    return getattr(getattr(item, "obj", None), "is_hypothesis_test", False) and "fuzz" in item.nodeid.split("/")


@pytest.fixture(scope="session")
def fenced():
    """A context manager: within it the process may take 2 GB more than it has; beyond that, memory is refused."""
    return _fence


@contextlib.contextmanager
def _fence(more=FENCE_BYTES):
    statm = Path("/proc/self/statm")
    if resource is None or not statm.exists():
        yield
        return
    taken = int(statm.read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (taken + more, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
