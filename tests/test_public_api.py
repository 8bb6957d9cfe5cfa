"""What ``import unigeoclip`` offers: the documented names, loaded when they are used."""

import ast
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import unigeoclip

ROOT = Path(__file__).resolve().parents[1]
STUB = ROOT / "unigeoclip" / "__init__.pyi"

MODULES_OF = """
import json, sys
before = set(sys.modules)
{code}
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def modules_loaded_by(code):
    command = [sys.executable, "-c", MODULES_OF.format(code=code)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout)


def test_every_public_name_can_be_had_and_is_told():
    for name in unigeoclip.__all__:
        assert getattr(unigeoclip, name)
        assert name in dir(unigeoclip)
        assert name in unigeoclip.__doc__ or name == "__version__"


def test_each_is_the_object_of_its_module():
    for name, home in unigeoclip._HOME.items():
        assert getattr(unigeoclip, name) is getattr(import_module(home), name)


def test_type_checkers_see_the_same_names_from_the_same_modules():
    tree = ast.parse(STUB.read_text(encoding="utf-8"))
    seen = {alias.name: node.module for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == unigeoclip._HOME
    (names,) = [ast.literal_eval(node.value) for node in tree.body if isinstance(node, ast.Assign)]
    assert names == sorted(names)
    assert set(names) == set(unigeoclip.__all__)


def test_the_package_says_that_it_is_typed():
    assert (ROOT / "unigeoclip" / "py.typed").is_file()


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'unigeoclip' has no attribute 'Explorers'"):
        _ = unigeoclip.Explorers
    assert not hasattr(unigeoclip, "Explorers")


def test_the_import_loads_nothing_else():
    loaded = [name for name in modules_loaded_by("import unigeoclip") if name.partition(".")[0] != "unigeoclip"]
    assert {name.partition(".")[0] for name in loaded} <= set(sys.stdlib_module_names)
    assert len(loaded) < 30


def test_the_name_of_the_errors_needs_no_torch():
    assert "torch" not in modules_loaded_by("import unigeoclip; unigeoclip.UniGeoError")


def test_a_star_import_brings_the_public_names():
    names = {}
    exec("from unigeoclip import *", names)
    assert set(unigeoclip.__all__) <= names.keys()
