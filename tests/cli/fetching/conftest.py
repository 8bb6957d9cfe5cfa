"""Services on this machine, as in tests/sources."""

import pytest

from tests.sources.local_services import LocalServices, Running
from unigeoclip.sources.web import MIRROR


@pytest.fixture
def services(tmp_path, monkeypatch):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MAPILLARY_TOKEN", raising=False)
    with Running(LocalServices(tmp_path / "served")) as running:
        monkeypatch.setenv(MIRROR, running.address)
        yield running
