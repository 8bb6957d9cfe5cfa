"""Scripts in one file: what ES modules import is put before them, so that a page opened from a disk can run them.

Browsers refuse to load modules of ``file://`` pages. The modules of this project use few forms, which is all that is
read here: ``import { a, b } from "./x.js"``, and ``export`` before a function, a class or a constant.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from unigeoclip.errors import UniGeoError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["bundle"]

_IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?function|class|const|let) (\w+)", re.MULTILINE)
_OTHER = re.compile(r"^(?:import|export)\b.*|^.*\bimport\.meta\b.*", re.MULTILINE)


def bundle(entry: Path) -> str:
    """One classic script that does what a module and those it imports do; each keeps names of its own.

    Args:
        entry: File of the module.

    Raises:
        UniGeoError: A module imports or exports in a form that is not read here.
    """
    modules: dict[Path, str] = {}
    _add(entry.resolve(), modules)
    numbers = {path: number for number, path in enumerate(modules)}
    bodies = []
    for path, text in modules.items():
        body = text
        for found in _IMPORT.finditer(text):
            taken = f"const {{{_renamed(found[1])}}} = m[{numbers[_target(path, found[2])]}];\n"
            body = body.replace(found[0], taken, 1)
        names = [name for _, name in _EXPORT.findall(body)]
        body = _EXPORT.sub(r"\1 \2", body)
        if other := _OTHER.search(body):
            raise UniGeoError(f"{path.name} cannot be put into one file: {other[0]!r} is of a form that is not read.")
        bodies.append(f"m[{numbers[path]}] = (() => {{\n{body}return {{ {', '.join(names)} }};\n}})();")
    return '(() => {\n"use strict";\nconst m = [];\n' + "\n".join(bodies) + "\n})();\n"


def _add(path: Path, modules: dict[Path, str]) -> None:
    """Put a module behind those that it imports."""
    if path in modules:
        return
    text = path.read_text(encoding="utf-8")
    for found in _IMPORT.finditer(text):
        _add(_target(path, found[2]), modules)
    modules[path] = text


def _target(path: Path, specifier: str) -> Path:
    return (path.parent / specifier).resolve()


def _renamed(names: str) -> str:
    """What stands between the braces of an import, as destructuring has it."""
    return " ".join(names.split()).replace(" as ", ": ")
