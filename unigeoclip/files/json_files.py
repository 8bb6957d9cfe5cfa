"""JSON files: strict, of a limited size, written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from unigeoclip.errors import InputError
from unigeoclip.files.atomic import read_bytes, reason, write_bytes

__all__ = ["MAX_JSON_BYTES", "read_json", "write_json"]

MAX_JSON_BYTES = 64_000_000


def write_json(path: Path, value: Any) -> None:
    """Write plain values as JSON in UTF-8, keys in the order given, whole or not at all.

    Raises:
        InputError: The file cannot be written.
    """
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_bytes(path, text.encode())


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        InputError: The file is missing, cannot be read, is larger than `MAX_JSON_BYTES`, or is not JSON.
    """
    try:
        return json.loads(read_bytes(path, MAX_JSON_BYTES).decode(), parse_constant=_refuse)
    except RecursionError as error:
        raise InputError(f"{path} is not valid JSON: it is nested too deeply.") from error
    except ValueError as error:  # no JSON, no UTF-8, or a number of thousands of digits
        raise InputError(f"{path} is not valid JSON: {reason(error)}.") from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number that JSON knows")
