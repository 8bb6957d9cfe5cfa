"""What follows from the vectors of a region: computed once, kept in memory and, of a whole region, on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unigeoclip.files.atomic import write_bytes
from unigeoclip.files.cache import cache_array, cache_json, cached_array, cached_json, is_sound, write_cached

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import DTypeLike, NDArray

__all__ = ["DerivedCache"]


class DerivedCache:
    """Arrays and numbers computed from vectors, in files named after that of the vectors."""

    def __init__(self, vectors_file: Path | None) -> None:
        """Start with nothing in memory.

        Args:
            vectors_file: File of the vectors; None if they are not kept, and then nothing is written.
        """
        self._vectors_file = vectors_file
        self._arrays: dict[str, NDArray[Any]] = {}

    def array(
        self, what: str, shape: tuple[int, ...], dtype: DTypeLike, compute: Callable[[], NDArray[Any]]
    ) -> NDArray[Any]:
        """An array by name: from memory, from its file, or computed and written."""
        if not self.has_array(what, shape, dtype):
            self._arrays[what] = compute().astype(dtype)
            if (path := self._path(what, "npy")) is not None:
                cache_array(path, self._arrays[what])
        return self._arrays[what]

    def has_array(self, what: str, shape: tuple[int, ...], dtype: DTypeLike) -> bool:
        """Whether `array` needs no computing."""
        if what not in self._arrays and (path := self._path(what, "npy")) is not None:
            stored = cached_array(path, shape, dtype)
            if stored is not None:
                self._arrays[what] = stored
        return what in self._arrays

    def data(self, what: str, compute: Callable[[], bytes]) -> bytes:
        """Bytes by name: from their file, or computed and written."""
        path = self._path(what, "bin")
        if path is not None and is_sound(path):
            return path.read_bytes()
        computed = compute()
        if path is not None:
            write_cached(path, lambda temporary: write_bytes(temporary, computed))
        return computed

    def numbers(self, what: str, compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """JSON values by name: from their file, or computed and written."""
        path = self._path(what, "json")
        stored = None if path is None else cached_json(path)
        if isinstance(stored, dict):
            return stored
        computed = compute()
        if path is not None:
            cache_json(path, computed)
        return computed

    def has_numbers(self, what: str) -> bool:
        """Whether `numbers` needs no computing."""
        path = self._path(what, "json")
        return path is not None and path.is_file() and is_sound(path)

    def _path(self, what: str, ending: str) -> Path | None:
        file = self._vectors_file
        return None if file is None else file.with_name(f"{file.stem}-{what}.{ending}")
