"""The layers of the code: who may import whom, how large a file or function may be, what an import may not do."""

import ast
import json
import subprocess
import sys
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "unigeoclip"

# From the ground up: a folder or module may import its own row and the rows above it in this list, never those below.
LAYERS = [
    {"errors", "paths", "extras", "sentences"},
    {"geo", "s2_cells", "parsing", "parallel", "devices"},
    {"files"},
    {"config", "uploads", "tasks", "sources"},
    {"modalities", "trunks"},
    {"checkpoint", "pretrained"},
    {"model"},
    {"city", "maps"},
    {"atlas"},
    {"embedders", "gazetteer"},
    {"points"},
    {"similarity"},
    {"words"},
    {"stores"},
    {"search"},
    {"encoding"},
    {"evaluation"},
    {"training", "compare"},
    {"export", "bench", "build", "growth", "results"},
    {"photographs", "site"},
    {"cli", "__main__"},
]
ROW = {name: row for row, names in enumerate(LAYERS) for name in names}
# The same for the app, of modules and folders of pages/ui.
PAGE_LAYERS = [
    {
        "address",
        "formatting",
        "link_values",
        "protocol",
        "rectangles",
        "view_options",
        "network",
        "session_state",
        "atlas_titles",
        "atlas_scale",
        "modality_styles",
    },
    {"query_string", "shell"},
    {"services"},
    {"http"},
    {"widgets", "overlays"},
    {"map"},
    {"atlas_switch", "explore", "compare", "modalities", "probe", "atlas", "poster", "points"},
    {"pages/*.py"},
    {"app.py"},
]
PAGE_ROW = {name: row for row, names in enumerate(PAGE_LAYERS) for name in names}
# What a module must not make when it is imported: state belongs to objects that are made at start-up.
MUTABLE = {"dict", "list", "set", "OrderedDict", "defaultdict", "deque", "Lock", "RLock", "Condition", "Event", "Queue"}
MUTABLE |= {"ThreadPoolExecutor", "ProcessPoolExecutor", "Thread", "WeakKeyDictionary", "WeakValueDictionary", "count"}
FILES = sorted(PACKAGE.rglob("*.py"))
PAGES = [*sorted((ROOT / "pages").rglob("*.py")), ROOT / "app.py"]
LONGEST_FILE, LONGEST_FUNCTION = 450, 60  # lines
MOST_FILES = 15  # of a folder, without its __init__.py
LARGEST_SHARE = 0.25  # of all lines, of one top-level folder


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path, modules: set[str]) -> list[tuple[str, int]]:
    """Absolute names that a file imports anywhere, for types and inside of functions too, with the line."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.extend((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively; write the whole name"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found.extend((name if name in modules else str(node.module), node.lineno) for name in names)
    return found


def import_graph(files: list[Path]) -> dict[str, set[str]]:
    """Module -> the modules among these files that it imports."""
    modules = {module_of(path) for path in files}
    return {
        module_of(path): {name for name, _ in imports(path, modules) if name in modules} - {module_of(path)}
        for path in files
    }


def check_no_cycle(graph: dict[str, set[str]]) -> None:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"import cycle: {' -> '.join(error.args[1])}")


def folder_of(module: str) -> str | None:
    """Top-level folder or module of a module of the package; None for the package itself and for other packages."""
    parts = module.split(".")
    return parts[1] if parts[0] == "unigeoclip" and len(parts) > 1 else None


def test_every_folder_has_a_layer():
    folders = {folder_of(module_of(path)) for path in FILES} - {None}
    assert folders == set(ROW), "LAYERS and the folders of the package differ"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_upward(path):
    folder = folder_of(module_of(path))
    for name, line in imports(path, {module_of(each) for each in FILES}):
        target = folder_of(name)
        if folder is not None and target is not None:
            assert ROW[target] <= ROW[folder], f"{path}:{line}: {folder} imports {name}, which lies below it"
        assert name.split(".")[0] not in ("streamlit", "streamlit_folium", "pages", "app"), (
            f"{path}:{line} imports {name}: the package knows no user interface"
        )


def test_no_module_imports_itself_in_a_circle():
    check_no_cycle(import_graph(FILES))


def test_no_folder_imports_itself_in_a_circle():
    folders: dict[str, set[str]] = {}
    for module, names in import_graph(FILES).items():
        if (folder := folder_of(module)) is not None:
            folders.setdefault(folder, set()).update({folder_of(name) for name in names} - {None, folder})
    check_no_cycle(folders)


# The app


def page_part(module: str) -> str | None:
    """What PAGE_LAYERS calls a module of the app; None for the folder itself and for everything else."""
    parts = module.split(".")
    if parts == ["app"]:
        return "app.py"
    if parts[0] != "pages" or len(parts) == 1:
        return None
    if parts[1] != "ui":
        return "pages/*.py"
    return parts[2] if len(parts) > 2 else None


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_of_the_app_point_upward(path):
    part = page_part(module_of(path))
    for name, line in imports(path, {module_of(each) for each in PAGES}):
        target = page_part(name)
        if part is not None and target is not None:
            assert {part, target} <= set(PAGE_ROW), f"give {part} and {target} a row in PAGE_LAYERS"
            assert PAGE_ROW[target] <= PAGE_ROW[part], f"{path}:{line}: {part} imports {name}, which lies below it"


def test_no_module_of_the_app_imports_itself_in_a_circle():
    check_no_cycle(import_graph(PAGES))


def is_mutable(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Dict | ast.List | ast.Set):
        return not (getattr(value, "elts", None) or getattr(value, "values", None))  # filled ones are tables
    function = getattr(value, "func", None)
    name = getattr(function, "attr", getattr(function, "id", ""))
    return name in MUTABLE and not (name in ("dict", "list", "set") and value.args)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_of_the_app_hold_no_state(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            assert not is_mutable(node.value), f"{path}:{node.lineno}: {ast.unparse(node)} is shared by all visitors"
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Global)], f"{path} has globals"


# Sizes


def is_kernel(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether numba compiles a function: a loop over pixels cannot always be cut without a loss of speed."""
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    return any("njit" in name or name.startswith("compiled") for name in decorators)  # those of city.jit


@pytest.mark.parametrize("folder", ["unigeoclip", "pages"])
def test_files_and_functions_are_short(folder):
    too_long = []
    for path in sorted((ROOT / folder).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if (lines := text.count("\n")) > LONGEST_FILE:
            too_long.append(f"{path.relative_to(ROOT)}: {lines} lines")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not is_kernel(node):
                lines = node.end_lineno - node.lineno + 1
                if lines > LONGEST_FUNCTION:
                    too_long.append(f"{path.relative_to(ROOT)}:{node.lineno}: {node.name} has {lines} lines")
    assert not too_long, "\n".join(too_long)


@pytest.mark.parametrize("folder", ["unigeoclip", "pages"])
def test_folders_are_small(folder):
    files = [path for path in (ROOT / folder).rglob("*.py") if path.name != "__init__.py"]
    crowded = {str(name): count for name, count in Counter(path.parent for path in files).items() if count > MOST_FILES}
    assert not crowded


def test_no_folder_holds_more_than_a_quarter_of_all_lines():
    lines: Counter[str] = Counter()
    for path in [*FILES, *(ROOT / "pages").rglob("*.py")]:
        parts = path.relative_to(ROOT).parts
        lines["/".join(parts[:2])] += path.read_text(encoding="utf-8").count("\n")
    largest, count = lines.most_common(1)[0]
    assert count <= LARGEST_SHARE * lines.total(), f"{largest} has {count} of {lines.total()} lines"


# What an import does


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
    modules = sorted({module_of(path) for path in FILES} - {"unigeoclip.__main__"})
    report = json.loads(run_python(IMPORT_EVERYTHING, *modules, cwd=tmp_path).splitlines()[-1])
    assert report == {"changed": [], "streamlit": []}
    assert list(tmp_path.iterdir()) == [], "an import wrote files"
