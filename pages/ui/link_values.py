"""Values of links, read one by one: those that cannot be read are left out, and said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def parse_values(
    values: Mapping[str, str], parsers: Mapping[str, Callable[[str], dict[str, Any]]]
) -> tuple[dict[str, Any], str]:
    """What the values of a link say.

    Args:
        values: By key.
        parsers: By key, what gives the fields that a value stands for, and raises `InputError` if it cannot be read.

    Returns:
        Fields of the values that can be read, and a sentence on the last one that cannot; empty if there is none.
    """
    valid: dict[str, Any] = {}
    problem = ""
    for key, text in values.items():
        try:
            valid |= parsers[key](text)
        except InputError as error:
            problem = f"The link's part '{key}' was left out. {error}"
    return valid, problem
