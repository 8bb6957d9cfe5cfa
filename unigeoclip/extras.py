"""Packages that only an extra of this package installs, like ``unigeoclip[compare]``."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from unigeoclip.errors import MissingPackageError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["needs_extra"]


@contextlib.contextmanager
def needs_extra(name: str) -> Iterator[None]:
    """Import optional packages in this context: if one is missing, the error says how to install it.

    Args:
        name: The extra that installs them, as in pyproject.toml.

    Raises:
        MissingPackageError: A package is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"The package {error.name} is not installed. Install it with: pip install 'unigeoclip[{name}]'",
            name=error.name,
        ) from error
