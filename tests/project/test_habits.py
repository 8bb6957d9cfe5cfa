"""Files that tools and people expect at the top of a repository agree with what they describe."""

import re
import tomllib
from pathlib import Path

import yaml

import unigeoclip

ROOT = Path(__file__).resolve().parents[2]


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def lines_of(target):
    """The commands of a make target, as a shell in the checkout would be given them."""
    recipe = re.search(rf"^{target}:.*\n((?:\t.*\n)+)", read("Makefile"), re.MULTILINE)[1]
    return [line.strip().replace("$(BIN)", ".venv/bin") for line in recipe.splitlines()]


def test_hooks_before_a_commit_are_those_of_make_check():
    hooks = [hook for repo in yaml.safe_load(read(".pre-commit-config.yaml"))["repos"] for hook in repo["hooks"]]
    assert [hook["entry"] for hook in hooks] == lines_of("check")
    assert all(hook["always_run"] and not hook["pass_filenames"] and hook["language"] == "system" for hook in hooks)


def test_the_citation_is_of_this_software_and_the_paper():
    cited = yaml.safe_load(read("CITATION.cff"))
    assert cited["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= cited.keys()
    assert str(cited["version"]) == unigeoclip.__version__
    project = tomllib.loads(read("pyproject.toml"))["project"]
    assert (cited["license"], cited["keywords"]) == (project["license"], project["keywords"])
    (paper,) = cited["references"]
    assert "2604.11668" in paper["url"]
    assert [author["family-names"] for author in paper["authors"]] == re.search(
        r"UniGeoCLIP \(([\w, &]+?), EarthVision", read("README.md")
    )[1].replace(" &", ",").split(", ")


def copied(line):
    return line.split()[1:-1]


def test_the_container_is_made_of_what_is_there():
    docker = read("Dockerfile").replace("\\\n", " ")
    sources = [name for line in docker.splitlines() if line.startswith("COPY ") for name in copied(line)]
    ignore = read(".dockerignore").splitlines()
    assert {"app.py", "pages", "unigeoclip", "assets", ".streamlit", "requirements.lock"} == set(sources)
    for name in sources:
        assert (ROOT / name).exists(), name
        assert f"!{name}" in ignore
    assert "USER app" in docker.splitlines(), "not as root"
    (torch,) = re.findall(r"^TORCH := (\S+)$", read("Makefile"), re.MULTILINE)
    assert torch in docker.split()
    locked = re.search(r"^LOCKED := (.*)$", read("Makefile"), re.MULTILINE)[1]
    for option in ("--no-deps", "--only-binary :all:", "--require-hashes"):
        assert option in docker
        assert option in locked
    assert '"streamlit", "run", "app.py"' in docker
    assert lines_of("app") == [".venv/bin/streamlit run app.py"]
    version = re.search(r"^FROM python:(\d+\.\d+)-slim$", docker, re.MULTILINE)[1]
    assert version in {"3.11", "3.12", "3.13", "3.14"}, "the lock files hold wheels of these"


def test_every_module_that_the_changelog_sends_to_is_there():
    table = read("CHANGELOG.md").split("| before | now |\n")[1].split("\n\n")[0]
    rows = [re.findall(r"`([\w.]+)`", line.split("|")[2]) for line in table.splitlines()[1:-1]]
    names = []
    for row in rows:
        base = ""
        for name in row:
            base = base if name.startswith(".") else name.rpartition(".")[0]
            names.append(base + name if name.startswith(".") else name)
    assert len(names) > 20
    for name in names:
        path = ROOT.joinpath(*name.split("."))
        assert path.is_dir() or path.with_suffix(".py").is_file(), name
