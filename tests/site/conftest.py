import pytest

from tests.explorable import use_hashed_sentences, write_explorable_city
from unigeoclip.search.explorer import Explorer, QueryItem
from unigeoclip.site.content import Material


@pytest.fixture(scope="package")
def explorer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patched:
        use_hashed_sentences(patched)
        yield Explorer.open(write_explorable_city(folder / "madeup"), cache_dir=folder / "cache")


@pytest.fixture(scope="package")
def material(explorer):
    return Material(explorer, ["unigeoclip", "fourier", "coordinates"])


@pytest.fixture(scope="package")
def asked():
    return [QueryItem("text", "</script><b>pond", label="</script><b>pond"), QueryItem("text", "tower", -0.5, "tower")]
