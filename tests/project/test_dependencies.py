"""The ranges of pyproject.toml, the pins of requirements.txt and what the code imports agree."""

import ast
import importlib
import importlib.metadata
import re
import sys
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.lock import ROOT
from unigeoclip.errors import MissingPackageError, UniGeoError
from unigeoclip.extras import needs_extra

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
OURS = {"unigeoclip", "pages", "app", "tests"}
# Packages whose import has another name; the metadata of an installation does not tell for those without files.
IMPORTED_AS = {
    "PIL": "pillow",
    "yaml": "pyyaml",
    "google": "protobuf",
    "faiss": "faiss-cpu",
    "umap": "umap-learn",
    "sklearn": "scikit-learn",
}
INSTALLED_APART = {"_typeshed"}  # known to type checkers only


def requirements_of(extra=None):
    """Requirements of the core or of an extra, those of the extras that it includes with them."""
    found = {}
    for line in PROJECT["dependencies"] if extra is None else PROJECT["optional-dependencies"][extra]:
        each = Requirement(line)
        if canonicalize_name(each.name) == "unigeoclip":
            for inner in each.extras:
                found |= requirements_of(inner)
        else:
            found[canonicalize_name(each.name)] = each
    return found


def pins():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.partition("#")[0].strip().split("==") for line in lines if line.partition("#")[0].strip()]
    return {canonicalize_name(name): version for name, version in pairs}


RANGES = {
    name: each for extra in (None, "app", "build", "train", "notebook") for name, each in requirements_of(extra).items()
}


def test_what_the_app_installs_is_what_the_core_and_the_extras_ask_for():
    assert pins().keys() == RANGES.keys()


@pytest.mark.parametrize("name", sorted(RANGES))
def test_the_pin_is_in_the_range(name):
    assert pins()[name] in RANGES[name].specifier


@pytest.mark.parametrize("name", sorted(RANGES))
def test_every_range_has_a_floor(name):
    assert [each for each in RANGES[name].specifier if each.operator == ">="]


def test_pins_in_extras_are_only_those_of_tests_and_documentation():
    for extra in PROJECT["optional-dependencies"].keys() - {"test", "docs"}:
        for name, requirement in requirements_of(extra).items():
            assert "==" not in str(requirement.specifier), f"{name} of {extra} could not be installed beside others"


def third_party(path):
    """(package, line, extra) of every import; extra is that of the ``with needs_extra(...)`` around it."""
    found = []

    def visit(node, extra):
        if isinstance(node, ast.With):
            for item in node.items:
                call = item.context_expr
                if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "needs_extra":
                    extra = ast.literal_eval(call.args[0])
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module]
        for name in names:
            top = name.partition(".")[0]
            if name.startswith("torch.utils.tensorboard"):
                top = "tensorboard"  # a thin layer of torch over it
            if top not in OURS | INSTALLED_APART | set(sys.stdlib_module_names):
                found.append((canonicalize_name(IMPORTED_AS.get(top, top)), node.lineno, extra))
        for child in ast.iter_child_nodes(node):
            visit(child, extra)

    visit(ast.parse(path.read_text(encoding="utf-8")), None)
    return found


@pytest.mark.parametrize(
    "path", sorted((ROOT / "unigeoclip").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT))
)
def test_the_package_imports_its_core_or_names_the_extra(path):
    core = requirements_of()
    for package, line, extra in third_party(path):
        allowed = core.keys() if extra is None else requirements_of(extra).keys()
        assert package in allowed, f"{path}:{line}: {package} is not in the core, wrap it: with needs_extra(...)"


def test_the_app_imports_what_its_extra_installs():
    allowed = requirements_of() | requirements_of("app")
    for path in [ROOT / "app.py", *(ROOT / "pages").rglob("*.py")]:
        for package, line, _ in third_party(path):
            assert package in allowed, f"{path}:{line} imports {package}, which the extra 'app' lacks"


def test_the_tests_import_what_is_installed_for_them():
    allowed = RANGES | requirements_of("test") | requirements_of("notebook")
    for path in (ROOT / "tests").rglob("*.py"):
        for package, line, _ in third_party(path):
            assert package in allowed, f"{path}:{line} imports {package}, which the extra 'test' lacks"


def test_every_requirement_is_imported_somewhere():
    files = [ROOT / "app.py", *(ROOT / "pages").rglob("*.py"), *(ROOT / "unigeoclip").rglob("*.py")]
    imported = {package for path in files for package, _, _ in third_party(path)}
    assert not RANGES.keys() - imported


def test_a_missing_package_is_told_with_the_command_that_installs_it():
    with (
        pytest.raises(
            MissingPackageError, match=r"no_such_package is not installed.*pip install 'unigeoclip\[compare\]'"
        ),
        needs_extra("compare"),
    ):
        importlib.import_module("no_such_package")
    assert issubclass(MissingPackageError, UniGeoError)
    assert issubclass(MissingPackageError, ImportError)


def test_other_errors_of_an_import_are_not_hidden():
    with pytest.raises(ImportError, match="cannot import name") as caught, needs_extra("compare"):
        from json import no_such_name  # noqa: F401
    assert not isinstance(caught.value, UniGeoError)


def test_every_extra_that_is_named_exists():
    named = set()
    for path in [*(ROOT / "unigeoclip").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]:
        named |= set(re.findall(r"needs_extra\(\"(\w+)\"\)", path.read_text(encoding="utf-8")))
    assert named
    assert named <= PROJECT["optional-dependencies"].keys()


def test_names_of_imports_are_those_of_the_installed_packages():
    by_import = importlib.metadata.packages_distributions()
    for name, package in IMPORTED_AS.items():
        assert package in {canonicalize_name(each) for each in by_import[name]}
