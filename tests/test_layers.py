"""The floor plan of the package: who may import whom, and what an import may not do."""

import ast
import json
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "unigeoclip"

# From the ground up: a room may import its own row and the rows above it in this list, never those below.
FLOOR_PLAN = [
    {"errors", "extras", "paths", "parsing", "geo", "files", "config", "parallel", "uploads"},
    {"modalities"},
    {"model", "checkpoint", "pretrained"},
    {"atlas", "city"},
    {"embedders"},
    {"similarity", "search"},
    {"evaluation"},
    {"training", "compare"},
    {"export", "bench", "build"},
    {"cli", "__main__"},
]
ROW = {room: row for row, rooms in enumerate(FLOOR_PLAN) for room in rooms}
FILES = sorted(PACKAGE.rglob("*.py"))


def module_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path) for path in FILES}


def imports(path: Path) -> list[tuple[str, int, bool]]:
    """Absolute names a file imports, with the line, and whether that happens when the file itself is imported."""
    found = []

    def visit(node: ast.AST, at_import: bool) -> None:
        for child in ast.iter_child_nodes(node):
            inside = at_import and not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                inside = False
            if isinstance(child, ast.Import):
                found.extend((alias.name, child.lineno, inside) for alias in child.names)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{path}:{child.lineno} imports relatively; write the whole name"
                names = [f"{child.module}.{alias.name}" for alias in child.names]
                found.extend((name if name in MODULES else child.module, child.lineno, inside) for name in names)
            visit(child, inside)

    visit(ast.parse(path.read_text(encoding="utf-8")), True)
    return found


def room_of(module: str) -> str | None:
    """Top-level room of a module of the package; None for the package itself and for other packages."""
    parts = module.split(".")
    return parts[1] if parts[0] == "unigeoclip" and len(parts) > 1 else None


def test_every_room_is_in_the_floor_plan():
    rooms = {room_of(module_of(path)) for path in FILES} - {None}
    assert rooms <= set(ROW), f"give {sorted(rooms - set(ROW))} a row in FLOOR_PLAN and in the README"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_upward(path):
    room = room_of(module_of(path))
    for name, line, _ in imports(path):
        target = room_of(name)
        if room is not None and target is not None:
            assert ROW[target] <= ROW[room], f"{path}:{line}: {room} imports {name}, which lies below it"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_package_knows_no_user_interface(path):
    for name, line, _ in imports(path):
        assert name.split(".")[0] not in ("streamlit", "streamlit_folium", "pages", "app"), (
            f"{path}:{line} imports {name}"
        )


def test_no_module_imports_itself_round_a_corner():
    graph = {
        module_of(path): {name for name, _, at_import in imports(path) if at_import and name in MODULES}
        - {module_of(path)}
        for path in FILES
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"import cycle: {' -> '.join(error.args[1])}")


IMPORT_EVERYTHING = """
import importlib, json, os, random, sys, threading, warnings
import numpy, pyogrio, rasterio, torch  # these set variables of the environment for themselves
def state():
    return [torch.get_num_threads(), torch.get_num_interop_threads(), str(torch.get_default_dtype()),
            torch.is_grad_enabled(), torch.initial_seed(), torch.random.get_rng_state().sum().item(),
            hash(random.getstate()), int(numpy.random.get_state()[1].sum()), sorted(os.environ), os.getcwd(),
            threading.active_count()]
before = state()
for name in sys.argv[1:]:
    importlib.import_module(name)
after = state()
print(json.dumps({"changed": [[a, b] for a, b in zip(before, after) if a != b],
                  "streamlit": [name for name in sys.modules if name.split(".")[0] == "streamlit"]}, default=str))
"""


def run_python(code: str, *arguments: str, cwd: Path) -> str:
    command = [sys.executable, "-c", code, *arguments]
    environment = {"PYTHONPATH": str(PACKAGE.parent), "HOME": str(cwd), "PATH": ""}
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=cwd, env=environment).stdout


def test_importing_the_package_is_light(tmp_path):
    loaded = run_python("import unigeoclip, sys; print(*sys.modules)", cwd=tmp_path).split()
    assert "unigeoclip" in loaded
    assert not {"streamlit", "torch", "numpy", "rasterio", "geopandas"} & set(loaded)


def test_importing_every_module_has_no_side_effect(tmp_path):
    modules = sorted(MODULES - {"unigeoclip.__main__"})
    report = json.loads(run_python(IMPORT_EVERYTHING, *modules, cwd=tmp_path).splitlines()[-1])
    assert report == {"changed": [], "streamlit": []}
    assert list(tmp_path.iterdir()) == [], "an import wrote files"
