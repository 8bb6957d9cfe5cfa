import pytest

from tests.explorable import use_hashed_sentences, write_explorable_atlas
from unigeoclip.search.explorer import Explorer


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_explorable_atlas(tmp_path_factory.mktemp("atlases") / "tiny")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def explorer(folder, cache):
    return Explorer.open(folder, cache_dir=cache)


@pytest.fixture
def hashed_sentences(monkeypatch):
    use_hashed_sentences(monkeypatch)
