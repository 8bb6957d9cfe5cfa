import pytest

from tests.explorable import write_explorable_atlas
from unigeoclip.atlas.store import load_atlas
from unigeoclip.encoding import encode_atlas


@pytest.fixture(scope="package")
def folder(tmp_path_factory):
    return write_explorable_atlas(tmp_path_factory.mktemp("atlases") / "tiny")


@pytest.fixture(scope="package")
def atlas(folder):
    return load_atlas(folder)


@pytest.fixture(scope="package")
def serial(atlas, tmp_path_factory):
    """A store written by one process; without text, since other processes would need the real encoder of sentences."""
    out = tmp_path_factory.mktemp("stores") / "serial"
    encode_atlas(atlas, out, quiet=True, **OPTIONS)
    return out


OPTIONS = {"modalities": ["location", "aerial", "surface"], "level": 2}
