"""Write requirements.lock and requirements-test.lock: every package, with the checksums of its wheels.

``make lock`` runs this with uv, which resolves for all systems at once. Kept are wheels for CPython 3.11 to 3.14 on
Linux (glibc, x86-64 and ARM), macOS and 64-bit Windows; torch and what it brings along for GPUs are left out, since a
build of it is chosen by each machine. A line "# no-deps: NAME==VERSION" asks for a package without its dependencies.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
APP, TEST = ROOT / "requirements.lock", ROOT / "requirements-test.lock"
_ALWAYS = "python_full_version >= '3.11'"
HEAD = "# Written by 'make lock' from {}; do not edit.\n"
_ALONE = re.compile(r"^# no-deps: (\S+)$", re.MULTILINE)
_OF_TORCH = re.compile(r"torch|triton|nvidia-.*|cuda-.*")
_PYTHON = re.compile(r"py3|py31[1-4]|py2\.py3|cp31[1-4]|cp3\d+-abi3")
_SYSTEM = re.compile(r"any|manylinux.*_(x86_64|aarch64)|macosx_.*_(arm64|x86_64|universal2)|win_amd64")


def asked_by_tests() -> list[str]:
    """What the tests need beside the app, the build of the documentation among it, as pyproject.toml has it."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        extras: dict[str, list[str]] = tomllib.load(file)["project"]["optional-dependencies"]
    return [*extras["test"], *extras["docs"]]


def resolved(requirements: str, *options: str, among: dict[str, list[str]] | None = None) -> dict[str, list[str]]:
    """Entries of a lock file by name of the package: of some, versions differ by system or Python.

    With ``among``, versions are those of other entries: what a package needs beside it depends on its version.
    """
    with tempfile.TemporaryDirectory() as folder:
        wanted, limits, found = (Path(folder, name) for name in ("wanted.in", "limits.txt", "pylock.toml"))
        wanted.write_text(requirements, encoding="utf-8")
        fixed = [entry.split(" \\\n")[0] for several in (among or {}).values() for entry in several]
        limits.write_text("\n".join(fixed), encoding="utf-8")
        command = [
            "uv",
            "pip",
            "compile",
            str(wanted),
            "--universal",
            "--python-version",
            "3.11",
            "--no-build",
            "--constraint",
            str(limits),
            *options,
        ]
        subprocess.run([*command, "--format", "pylock.toml", "--quiet", "-o", str(found)], check=True)
        with found.open("rb") as file:
            packages = tomllib.load(file)["packages"]
    entries: dict[str, list[str]] = {}
    for each in packages:
        if not _OF_TORCH.fullmatch(each["name"]) and not _only_in_browsers(each.get("marker", "")):
            entries.setdefault(each["name"], []).append(_lines(each))
    return entries


def _only_in_browsers(marker: str) -> bool:
    return "== 'emscripten'" in marker and " or " not in marker


def _lines(package: dict) -> str:
    marker = package.get("marker", "").removeprefix(_ALWAYS).removeprefix(" and ")
    marker = f" ; {marker}" if marker else ""
    hashes = sorted({wheel["hashes"]["sha256"] for wheel in package["wheels"] if _is_kept(_filename(wheel))})
    if not hashes:
        sys.exit(f"{package['name']} {package['version']} has no wheel for the systems that are kept.")
    rows = "".join(f" \\\n    --hash=sha256:{value}" for value in hashes)
    return f"{package['name']}=={package['version']}{marker}{rows}\n"


def _filename(wheel: dict) -> str:
    return str(wheel.get("name") or wheel["url"].rpartition("/")[2])


def _is_kept(filename: str) -> bool:
    *_, python, abi, system = filename.removesuffix(".whl").split("-")
    fits = _PYTHON.fullmatch(python) or _PYTHON.fullmatch(f"{python}-{abi}")
    return bool(fits) and not abi.endswith("t") and any(_SYSTEM.fullmatch(each) for each in system.split("."))


def asked_alone(requirements: str) -> list[str]:
    """What is installed without its dependencies, as requirements.txt has it."""
    return _ALONE.findall(requirements)


def main() -> None:
    """Resolve both together, so that they agree, and write them."""
    app = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    everything = resolved("\n".join([app, *asked_by_tests()]))
    of_app = {name: everything[name] for name in resolved(app, among=everything)}
    of_app |= resolved("\n".join(asked_alone(app)), "--no-deps")
    of_tests = {name: lines for name, lines in everything.items() if name not in of_app}
    for path, source, packages in (
        (APP, "requirements.txt", of_app),
        (TEST, "pyproject.toml [test] and [docs]", of_tests),
    ):
        path.write_text(
            HEAD.format(source) + "".join("".join(packages[name]) for name in sorted(packages)), encoding="utf-8"
        )
        print(f"{path.name}: {len(packages)} packages, {path.stat().st_size / 1e3:.0f} kB")  # noqa: T201


if __name__ == "__main__":
    main()
