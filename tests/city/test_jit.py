"""Compiled code that is kept between runs: a change in any file of the package is noticed."""

import importlib
import shutil
import sys
from pathlib import Path

import pytest

from unigeoclip.city import jit

CITY = Path(jit.__file__).parent
OUTER = """
from kernels.constants import OFFSET
from kernels.inner import step
from kernels.jit import compiled

@compiled
def run(x):
    return step(x) + OFFSET
"""
INNER = """
from kernels.jit import compiled

@compiled
def step(x):
    return x + {}
"""


@pytest.fixture
def fresh_run(tmp_path, monkeypatch):
    """A function that imports the package ``kernels`` of ``tmp_path``, as a new process would, and runs it on 1."""
    folder = tmp_path / "kernels"
    folder.mkdir()
    shutil.copy(CITY / "jit.py", folder)
    (folder / "__init__.py").touch()
    (folder / "outer.py").write_text(OUTER)
    (folder / "inner.py").write_text(INNER.format("1"))
    (folder / "constants.py").write_text("OFFSET = 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def run():
        for name in [name for name in sys.modules if name.split(".")[0] == "kernels"]:
            del sys.modules[name]
        importlib.invalidate_caches()
        outer = importlib.import_module("kernels.outer")
        return outer.run(1), sum(outer.run.stats.cache_hits.values())

    yield run
    for name in [name for name in sys.modules if name.split(".")[0] == "kernels"]:
        del sys.modules[name]


def test_compiled_code_is_kept(fresh_run):
    assert fresh_run() == (2, 0)
    assert fresh_run() == (2, 1)


def test_a_change_of_a_function_called_from_another_file_is_noticed(fresh_run, tmp_path):
    fresh_run()
    (tmp_path / "kernels" / "inner.py").write_text(INNER.format("10"))
    assert fresh_run() == (11, 0)


def test_a_change_of_a_constant_of_another_file_is_noticed(fresh_run, tmp_path):
    fresh_run()
    (tmp_path / "kernels" / "constants.py").write_text("OFFSET = 100\n")
    assert fresh_run() == (102, 0)


@pytest.mark.parametrize("path", sorted(CITY.glob("*.py")), ids=lambda path: path.name)
def test_all_compiled_functions_of_the_package_are_kept_that_way(path):
    assert path.name == "jit.py" or "njit" not in path.read_text(encoding="utf-8")
