"""The checksum of a file of embeddings, whatever its size."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from unigeoclip.errors import InputError
from unigeoclip.files.atomic import reason

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["checksum_of"]

WHOLE_BYTES = 256 * 2**20  # files of up to so many bytes together are read whole: under a second
_PARTS, _PART_BYTES = 64, 2**20


def checksum_of(files: Sequence[Path]) -> str:
    """What identifies files together, in words: "sha256 1a2b..." of all bytes.

    Of large files, "sampled sha256 1a2b..." of their sizes and of 64 parts of 1 MiB in all, evenly spaced: to read
    gigabytes would take longer than to embed with them.

    Raises:
        InputError: A file cannot be read.
    """
    try:
        sizes = [path.stat().st_size for path in files]
        whole = sum(sizes) <= WHOLE_BYTES
        digest = hashlib.sha256()
        for path, size in zip(files, sizes, strict=True):
            if len(files) > 1 or not whole:
                digest.update(f"{path.name} {size}\n".encode())
            with path.open("rb") as file:
                if whole:
                    for part in iter(lambda: file.read(_PART_BYTES), b""):
                        digest.update(part)
                    continue
                count = max(1, _PARTS // len(files))
                for number in range(count):
                    file.seek(max(0, size - _PART_BYTES) * number // max(1, count - 1))
                    digest.update(file.read(_PART_BYTES))
    except OSError as error:
        raise InputError(f"{error.filename} cannot be read: {reason(error)}.") from error
    return f"{'' if whole else 'sampled '}sha256 {digest.hexdigest()[:16]}"
