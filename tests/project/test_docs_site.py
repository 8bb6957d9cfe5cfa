"""The documentation builds without a warning, and its pages load nothing from other hosts."""

import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILT_FROM = (
    "mkdocs.yml",
    "docs",
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "LICENSE",
    "notebooks",
    "unigeoclip",
)
FOREIGN = re.compile(r"(?:https?:)?//")
LOADED = {"script": ("src",), "img": ("src", "srcset"), "iframe": ("src",), "source": ("src", "srcset")}
RELATIONS = {"stylesheet", "preload", "preconnect", "dns-prefetch", "icon", "modulepreload"}

pytestmark = pytest.mark.slow


class Loads(HTMLParser):
    """Addresses that a browser fetches by itself."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.found += [values[name] for name in LOADED.get(tag, ()) if values.get(name)]
        if tag == "link" and RELATIONS & set((values.get("rel") or "").split()):
            self.found.append(values["href"])


def build(folder, out):
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(out)],
        cwd=folder,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    out = tmp_path_factory.mktemp("site")
    done = build(ROOT, out)
    assert done.returncode == 0, done.stderr
    return out


def test_every_page_is_built(site):
    for page in (ROOT / "docs").glob("*.md"):
        assert (site / f"{page.stem}.html").is_file()
    assert "Ask a map a question" in (site / "index.html").read_text(encoding="utf-8")
    assert "unigeoclip.search" in (site / "api.html").read_text(encoding="utf-8")


def test_nothing_is_loaded_from_elsewhere(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 10
    for page in pages:
        reader = Loads()
        text = page.read_text(encoding="utf-8")
        reader.feed(text)
        assert len(reader.found) > 3, page
        assert not [address for address in reader.found if FOREIGN.match(address)], page
        assert 'class="mermaid"' not in text, "the theme loads what draws such diagrams from another host"
    sheets = list(site.rglob("*.css"))
    assert sheets
    for sheet in sheets:
        used = re.findall(r"(?:url\(|@import\s+)[\"']?([^\"')\s]+)", sheet.read_text(encoding="utf-8"))
        assert not [address for address in used if FOREIGN.match(address)], sheet


@pytest.mark.parametrize("broken", ["[no such page](nowhere.md)", "[no such heading](cli.md#nowhere)"])
def test_a_broken_link_stops_the_build(tmp_path, broken):
    for name in BUILT_FROM:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "assets" / "screenshots", tmp_path / "assets" / "screenshots")
    shutil.copy(ROOT / "assets" / "ATTRIBUTION.md", tmp_path / "assets")
    with (tmp_path / "docs" / "poster.md").open("a", encoding="utf-8") as page:
        page.write(f"\n{broken}\n")
    done = build(tmp_path, tmp_path / "site")
    assert done.returncode != 0
    assert "nowhere" in done.stderr
