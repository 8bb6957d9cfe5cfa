"""README and the pages of docs/ are true: their trees, make targets, commands, links and Python lines exist and run."""

import importlib
import re
import shlex
import tomllib
from pathlib import Path

import pytest

import unigeoclip
from tests.cli.parsed import parse

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
}
COMMANDS = [
    line
    for text in PAGES.values()
    for line in re.findall(r"^ {4}(?:python -m )?unigeoclip (.+?)(?: {2,}#.*)?$", text, re.MULTILINE)
]


@pytest.mark.parametrize(
    ("page", "heading", "paths"), [("README.md", "## Layout", 15), ("docs/architecture.md", "## Files", 40)]
)
def test_every_path_of_the_layout_exists(page, heading, paths):
    block = PAGES[page].split(f"{heading}\n")[1].split("```")[1]
    stack, found = [], 0
    for line in block.strip().splitlines()[1:]:
        indent, name = len(line) - len(line.lstrip()), line.split()[0]
        stack = [*stack[: indent // 2 - 1], name]
        assert ROOT.joinpath(*stack).exists(), "/".join(stack)
        found += 1
    assert found > paths


def test_the_whole_layout_names_every_folder_of_package_and_pages():
    block = PAGES["docs/architecture.md"].split("## Files\n")[1].split("```")[1]
    named = {line.split()[0] for line in block.strip().splitlines()}
    for folder in (ROOT / "unigeoclip", ROOT / "pages" / "ui"):
        packages = {path.parent.name for path in folder.glob("*/__init__.py")}
        assert packages
        assert packages <= named


def test_make_targets_exist():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page, text in PAGES.items():
        code = " ".join([*re.findall(r"`[^`]+`", text), *re.findall(r"^ {4}.*$", text, re.MULTILINE)])
        assert set(re.findall(r"\bmake ([a-z]+)", code)) <= targets, page
    assert {"app", "test", "docs"} <= set(re.findall(r"\bmake ([a-z]+)", README))


def test_the_extras_are_named():
    with (ROOT / "pyproject.toml").open("rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
    line = re.search(r"^Extras: (.+?)\.", README, re.MULTILINE)[1]
    assert set(re.findall(r"`([a-z]+)`", line)) == set(extras) - {"docs", "test"}


def test_commands_are_found():
    assert len(COMMANDS) > 30


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_parse(line):
    context = parse(shlex.split(line, comments=True))
    assert context.command.callback is not None


@pytest.mark.parametrize("page", PAGES)
def test_links_and_pictures_exist(page):
    folder = (ROOT / page).parent
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", PAGES[page]):
        assert target.startswith("http") or (folder / target).exists(), target
    for target in re.findall(r"`((?:assets|docs|pages|tests|unigeoclip)/[\w./-]+)`", PAGES[page]):
        assert (ROOT / target).exists(), target


def test_the_readme_is_short_and_links_to_every_page():
    assert len(README) < 6_000
    for page in PAGES:
        assert page == "README.md" or f"]({page}" in README, page


def test_the_public_interface_is_documented():
    documented = {}
    for path in re.findall(r"^::: (\S+)$", PAGES["docs/api.md"], re.MULTILINE):
        module, _, name = path.rpartition(".")
        documented[name] = getattr(importlib.import_module(module), name)
    public = [name for name in unigeoclip.__all__ if name != "__version__"]
    assert documented == {name: getattr(unigeoclip, name) for name in public}


@pytest.mark.slow
def test_the_python_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    example = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    exec(example[1], {})
    assert (tmp_path / "desert.tif").stat().st_size > 10_000
