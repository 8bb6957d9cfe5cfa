import json

import pytest

from tests.explorable import use_hashed_sentences, write_explorable_atlas
from tests.sources.local_services import LocalServices, Running
from unigeoclip.cli.main import main
from unigeoclip.sources.web import MIRROR


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_explorable_atlas(tmp_path_factory.mktemp("atlases") / "tiny")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def surroundings(monkeypatch, cache):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(cache))
    use_hashed_sentences(monkeypatch)


@pytest.fixture
def run(capsys):
    """Run a command; returns what it printed, parsed if it is JSON."""

    def call(*arguments):
        code = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        assert code == 0, printed.err
        return json.loads(printed.out) if "--json" in arguments else printed.out

    return call


@pytest.fixture
def refused(capsys):
    """Run a command that must fail; returns its one line on stderr."""

    def call(*arguments):
        code = main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        assert code == 2
        assert printed.out == ""
        lines = printed.err.splitlines()
        assert len(lines) == 1, printed.err
        assert lines[0].startswith("error: ")
        return lines[0]

    return call


@pytest.fixture
def services(tmp_path, monkeypatch):
    """The open services on this machine, as in tests/sources, and a cache folder without anything."""
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MAPILLARY_TOKEN", raising=False)
    with Running(LocalServices(tmp_path / "served")) as running:
        monkeypatch.setenv(MIRROR, running.address)
        yield running
