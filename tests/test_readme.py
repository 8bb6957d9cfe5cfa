"""The README keeps its word: its tree, its make targets and its commands exist."""

import re
import shlex
from pathlib import Path

import pytest

from unigeoclip.cli import main

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_path_of_the_floor_plan_exists():
    block = README.split("## Floor plan")[1].split("```")[1]
    stack, found = [], 0
    for line in block.strip().splitlines()[1:]:
        indent, name = len(line) - len(line.lstrip()), line.split()[0]
        stack = [*stack[: indent // 2 - 1], name]
        assert ROOT.joinpath(*stack).exists(), "/".join(stack)
        found += 1
    assert found > 20


def test_make_targets_exist():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"make ([a-z]+)", README)) <= targets


@pytest.mark.parametrize("line", re.findall(r"^ {4}python -m unigeoclip (.+?)(?: {2,}#.*)?$", README, re.MULTILINE))
def test_commands_parse(line):
    arguments = main._parser().parse_args(shlex.split(line, comments=True))
    assert callable(arguments.run)


def test_links_and_pictures_exist():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (ROOT / target).exists(), target
    for target in re.findall(r"`(assets/[^`*]+)`", README):
        assert (ROOT / target).exists(), target


@pytest.mark.slow
def test_the_python_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    example = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    exec(example[1], {})
    assert (tmp_path / "desert.tif").stat().st_size > 10_000
