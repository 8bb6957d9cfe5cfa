"""Services on this machine, and a client that takes them for the real ones."""

import pytest

from tests.sources.local_services import LocalServices, Running
from unigeoclip.sources.web import MIRROR, Web


@pytest.fixture
def services(tmp_path, monkeypatch):
    with Running(LocalServices(tmp_path / "served")) as running:
        monkeypatch.setenv(MIRROR, running.address)
        yield running


@pytest.fixture
def web(services, tmp_path):
    return Web(tmp_path / "cache", first_wait_s=0.001)
