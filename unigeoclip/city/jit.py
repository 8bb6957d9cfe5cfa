"""How the functions of this package that run for every pixel are compiled, and kept between runs of Python.

Numba stores compiled code in ``__pycache__`` by the file of the function that is called. What that function calls, and
the constants that it reads, are compiled into the same code, but numba does not notice when they change in another
file. Here every file of the package is part of the name under which the code is stored.
"""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable


@functools.cache
def _sources_digest() -> str:
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _cached(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """A decorator as `numba.njit`; compiled code is found again until a file of this package changes."""

    def decorate(function: Callable[..., Any]) -> Any:
        function.__qualname__ += f"_{_sources_digest()}"  # numba names the stored file by it
        return njit(cache=True, **options)(function)

    return decorate


# Of street views: rays need no check of divisors for zero (each is bounded away from it), and sums may be taken in any
# order. Stored atlases depend on every bit of what is compiled strictly.
compiled = _cached(nogil=True, error_model="numpy", fastmath={"contract", "reassoc", "arcp", "nsz"})
compiled_strictly = _cached()
