import pytest

from tests.explorable import use_hashed_sentences, write_explorable_city
from tests.site.looker import Looker
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


@pytest.fixture
def look(browser):
    contexts, lookers = [], []

    def go(address, *, width=1280, height=800, scheme="light", **options):
        contexts.append(
            browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **options)
        )
        lookers.append(Looker(contexts[-1], address))
        return lookers[-1]

    yield go
    complaints = [text for each in lookers for text in each.complaints]
    for context in contexts:
        context.close()
    assert complaints == []
