"""Dataclasses to JSON and back, strictly: a wrong, unknown or missing key is an error that names it."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

from unigeoclip.errors import InputError
from unigeoclip.files import json_files
from unigeoclip.files.json_files import read_json

__all__ = ["from_dict", "read_json", "to_dict", "write_json"]

T = TypeVar("T")


def to_dict(value: Any) -> Any:
    """Turn a dataclass (nested, with lists, tuples and dictionaries) into plain JSON values."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_dict(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): to_dict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_dict(item) for item in value]
    return value


def from_dict(cls: type[T], data: Any, where: str = "") -> T:
    """Build the dataclass ``cls`` from parsed JSON.

    Args:
        cls: A dataclass with resolvable annotations.
        data: Parsed JSON.
        where: Name of the place in the file, for the error message.

    Raises:
        InputError: A key is unknown or missing, or a value has another type; the message names the key.
    """
    if not isinstance(data, dict):
        raise InputError(f"{where or cls.__name__}: expected an object with named values, found {type(data).__name__}.")
    fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    if unknown := sorted(set(data) - set(fields)):
        raise InputError(f"{where or cls.__name__}: unknown key {unknown[0]!r}; known are {', '.join(sorted(fields))}.")
    hints = typing.get_type_hints(cls)
    values = {}
    for name, field in fields.items():
        if name in data:
            values[name] = _convert(hints[name], data[name], f"{where}.{name}" if where else name)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise InputError(f"{where or cls.__name__}: the key {name!r} is missing.")
    return cls(**values)


def _convert(hint: Any, value: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return _convert(next(kind for kind in arguments if kind is not type(None)), value, where)
    if dataclasses.is_dataclass(hint):
        return from_dict(typing.cast("type[Any]", hint), value, where)
    if origin in (list, tuple) and isinstance(value, list):
        kinds = arguments if origin is tuple and arguments[-1] is not Ellipsis else (arguments[0],) * len(value)
        if len(kinds) != len(value):
            raise InputError(f"{where}: expected {len(kinds)} values, found {len(value)}.")
        return origin(
            _convert(kind, item, f"{where}[{i}]") for i, (kind, item) in enumerate(zip(kinds, value, strict=True))
        )
    if origin is dict and isinstance(value, dict):
        return {key: _convert(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return _finite(value, where)
    if isinstance(hint, type) and isinstance(value, hint) and (hint is bool or not isinstance(value, bool)):
        return value
    raise InputError(f"{where}: expected {getattr(hint, '__name__', hint)}, found {str(value)[:80]!r}.")


def _finite(value: float, where: str) -> float:
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InputError(f"{where}: the number is too large.")
    return number


def write_json(path: Path, value: Any) -> None:
    """Write a value as `to_dict` turns it into JSON, see `json_files.write_json`.

    Raises:
        InputError: The file cannot be written.
    """
    json_files.write_json(path, to_dict(value))
