"""The source archive and the wheel: built, installed outside of the checkout, and used without any extra.

What is installed for the tests lends the packages of the core; those of the extras are hidden.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.project.test_dependencies import IMPORTED_AS, PROJECT, requirements_of

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("LICENSE", "MANIFEST.in", "Makefile", "README.md", "CHANGELOG.md", "app.py", "pyproject.toml", "setup.py")
FOLDERS = ("assets", "pages", "tests", "unigeoclip")
BUILD = "import sys; from setuptools import build_meta; print(getattr(build_meta, 'build_' + sys.argv[1])(sys.argv[2]))"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """The source archive, built from a copy, since a build leaves files beside the sources."""
    checkout = tmp_path_factory.mktemp("checkout")
    for name in (*SOURCES, *(path.name for path in ROOT.glob("requirements*"))):
        shutil.copy(ROOT / name, checkout)
    for name in FOLDERS:
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    (checkout / "assets" / "atlases" / "mine").mkdir()
    (checkout / "assets" / "atlases" / "mine" / "atlas.json").write_text("{}")
    return built("sdist", checkout)


@pytest.fixture(scope="module")
def wheel(archive, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sources")
    with tarfile.open(archive) as opened:
        opened.extractall(folder, filter="data")
    (sources,) = folder.iterdir()
    return built("wheel", sources)


def built(kind, folder):
    out = folder.parent / f"{folder.name}-{kind}"
    out.mkdir()
    done = subprocess.run([sys.executable, "-c", BUILD, kind, str(out)], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    (found,) = out.iterdir()
    return found


@pytest.fixture(scope="module")
def site(wheel, tmp_path_factory):
    """A folder of installed packages with this wheel alone."""
    target = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "--no-index", "--target", str(target), str(wheel)], check=True)
    return target


def hidden():
    """Names by which the packages of the extras are imported, those that come with the core left out."""
    names = {package: name for name, package in IMPORTED_AS.items()}
    extras = [requirements_of(extra).keys() for extra in PROJECT["optional-dependencies"] if extra != "test"]
    # scikit-learn comes with the sentence encoder, the others with the hub's client.
    brought = {"scikit-learn", "anyio", "h11"}
    # The tests bring boto3, which the sentence encoder's packages import where they find it, and which needs urllib3.
    missing = (set().union(*extras) - brought) | {"boto3"}
    return sorted(names.get(name, name.replace("-", "_")) for name in missing)


@pytest.fixture
def python(site, tmp_path):
    """Run Python outside of the checkout, with the installed wheel and without the packages of the extras."""

    def run(code, *arguments):
        hide = f"import sys; sys.modules.update(dict.fromkeys({hidden()!r}))\n"
        environment = {**os.environ, "PYTHONPATH": str(site), "PYTHONSAFEPATH": "1"}
        command = [sys.executable, "-c", hide + code, *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)

    return run


def command_line(python, *arguments):
    return python("import sys; from unigeoclip.cli.main import main; sys.exit(main(sys.argv[1:]))", *arguments)


def test_the_archive_holds_the_checkout_without_its_pictures(archive):
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    kept = {"requirements.lock", "pages/explore.py", "tests/project/test_wheel.py", "assets/web/theme.css"}
    assert {*SOURCES, *kept} <= names
    assert not [name for name in names if name.startswith("assets/screenshots") or "__pycache__" in name]


def test_the_wheel_holds_the_package_and_its_data(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "unigeoclip").rglob("*.py")}
    assert {*modules, "unigeoclip/py.typed", "unigeoclip/__init__.pyi"} <= names
    for folder in ("atlases/boston", "atlases/world", "baselines", "web/leaflet", "web/site", "web/components/map"):
        shipped = [path for path in (ROOT / "assets" / folder).rglob("*") if path.is_file() and path.suffix != ".png"]
        assert shipped
        for path in shipped:
            assert f"unigeoclip/_assets/{path.relative_to(ROOT / 'assets').as_posix()}" in names
    for path in (ROOT / "unigeoclip").rglob("*.geojson"):
        assert path.relative_to(ROOT).as_posix() in names
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"unigeoclip"}
    assert not [name for name in names if "/mine/" in name or "screenshots" in name or "theme.css" in name]
    assert any(name.endswith("licenses/assets/ATTRIBUTION.md") for name in names)
    assert wheel.stat().st_size < 45_000_000


def test_an_installed_package_answers_a_text_query(python, site):
    done = python(
        "import unigeoclip\n"
        "from unigeoclip import paths\n"
        "explorer = unigeoclip.Explorer.open('boston')\n"
        "found = explorer.search(explorer.query([unigeoclip.QueryItem('text', 'a park by the river')]), k=3)\n"
        "print(unigeoclip.__file__, paths.ASSETS, {name: len(matches) for name, matches in found.items()}, sep='\\n')"
    )
    assert done.returncode == 0, done.stderr
    file, assets, counts = done.stdout.splitlines()
    assert Path(file) == site / "unigeoclip" / "__init__.py"
    assert Path(assets) == (site / "unigeoclip" / "_assets").resolve()
    assert counts == str(dict.fromkeys(("location", "aerial", "street", "surface", "text"), 3))


def test_the_command_lists_and_searches(python, site, tmp_path):
    (script,) = [path for path in (site / "bin").iterdir() if path.name == "unigeoclip"]
    assert "from unigeoclip.cli.main import main" in script.read_text()
    listed = command_line(python, "atlases", "--json")
    assert [row["name"] for row in json.loads(listed.stdout)] == ["boston", "world"]
    found = command_line(python, "search", "--atlas", "world", "--text", "desert", "--top", "2", "--json")
    assert len(json.loads(found.stdout)["results"]["aerial"]) == 2, found.stderr
    assert command_line(python, "heatmap", "--atlas", "world", "--text", "desert", "--out", "h.tif").returncode == 0
    assert (tmp_path / "h.tif").stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["train", "--atlas", "boston", "--out", "run"], "train"),
        (["build", "world", "--out", "mine"], "build"),
    ],
)
def test_a_command_that_needs_an_extra_names_it(python, arguments, extra, tmp_path):
    done = command_line(python, *arguments)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith(f"Install it with: pip install 'unigeoclip[{extra}]'"), done.stderr
    assert not list(tmp_path.iterdir())
