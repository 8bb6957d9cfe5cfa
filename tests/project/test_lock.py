"""The lock files hold what is asked for, every package of it with checksums, and no address of anybody's mirror."""

import importlib.metadata
import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.lock import APP, ROOT, TEST, _is_kept, asked_alone, asked_by_tests
from unigeoclip.embedders import geoclip_wheel

ENTRY = re.compile(r"([a-z0-9-]+)==(\S+?)( ; [^\\\n]+)?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n")


def entries(path):
    head, _, rest = path.read_text(encoding="utf-8").partition("\n")
    found = list(ENTRY.finditer(rest))
    assert "".join(each[0] for each in found) == rest, f"{path.name} holds more than packages with checksums"
    assert "make lock" in head
    versions = {}
    for each in found:
        versions.setdefault(each[1], set()).add(each[2])
    return versions


def asked(lines):
    wanted = [line.partition("#")[0].strip() for line in lines]
    pairs = [line.split("==") for line in wanted if line]
    return {re.sub(r"[-_.]+", "-", name.partition("[")[0]).lower(): version for name, version in pairs}


def test_everything_that_is_asked_for_is_locked_in_the_same_version():
    app = asked((ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines())
    assert app.pop("torch"), "a build of torch is chosen by each machine"
    locked = entries(APP)
    assert {name: locked.get(name) for name in app} == {name: {version} for name, version in app.items()}
    both = locked | entries(TEST)
    wanted = asked(asked_by_tests())
    assert {name: both.get(name) for name in wanted} == {name: {version} for name, version in wanted.items()}


def test_the_app_has_what_its_packages_need_without_those_of_the_tests():
    alone = asked(asked_alone((ROOT / "requirements.txt").read_text(encoding="utf-8")))
    locked = entries(APP)
    for name in locked.keys() - alone.keys():
        try:
            lines = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue  # of another system or Python
        needed = [Requirement(line) for line in lines]
        names = {
            canonicalize_name(each.name) for each in needed if not each.marker or each.marker.evaluate({"extra": ""})
        }
        assert names - {"torch"} <= locked.keys(), name


def test_what_is_installed_without_dependencies_is_locked_too():
    requirements = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    alone = asked(asked_alone(requirements))
    assert alone == {geoclip_wheel.PACKAGE: geoclip_wheel.VERSION}
    locked = entries(APP)
    assert {name: locked.get(name) for name in alone} == {name: {version} for name, version in alone.items()}
    assert not {"torchvision", "geopy"} & set(locked), "geoclip's own dependencies are not installed"


def test_the_tests_lock_only_what_the_app_does_not():
    assert not set(entries(APP)) & set(entries(TEST))
    assert {"sympy", "filelock", "jinja2"} <= set(entries(APP)), "what torch needs is locked too"
    assert not [name for name in entries(APP) if name.startswith(("torch", "nvidia", "cuda", "triton"))]


def test_no_address_stands_in_the_lock():
    for path in (APP, TEST):
        assert "://" not in path.read_text(encoding="utf-8")
        assert path.stat().st_size < 120_000


def test_the_torch_of_the_makefile_is_that_of_the_requirements():
    (version,) = re.findall(r"^TORCH := (torch==\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert version in (ROOT / "requirements.txt").read_text().split()


@pytest.mark.parametrize(
    ("filename", "kept"),
    [
        ("a-1-py3-none-any.whl", True),
        ("a-1-py2.py3-none-any.whl", True),
        ("a-1-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", True),
        ("a-1-cp38-abi3-macosx_11_0_arm64.whl", True),
        ("a-1-cp313-cp313-win_amd64.whl", True),
        ("a-1-cp310-cp310-win_amd64.whl", False),
        ("a-1-cp313-cp313t-win_amd64.whl", False),
        ("a-1-cp312-cp312-musllinux_1_2_x86_64.whl", False),
        ("a-1-cp312-cp312-win32.whl", False),
        ("a-1-pp310-pypy310_pp73-win_amd64.whl", False),
    ],
)
def test_which_wheels_are_kept(filename, kept):
    assert _is_kept(filename) is kept
