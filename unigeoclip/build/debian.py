"""Files inside Debian packages, read without unpacking or installing them."""

from __future__ import annotations

import io
import lzma
import tarfile
from typing import TYPE_CHECKING

from unigeoclip.errors import DownloadError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read_debian_member"]


def read_debian_member(package: Path, member: str) -> bytes:
    """Read one file of a Debian package: an ar archive that holds data.tar.xz.

    Raises:
        DownloadError: It is no such package, or does not hold the file.
    """
    try:
        data = package.read_bytes()
        if not data.startswith(b"!<arch>\n"):
            raise ValueError("no Debian package")
        position = 8
        while position + 60 <= len(data):
            name, size = data[position : position + 16].strip().rstrip(b"/"), int(data[position + 48 : position + 58])
            if name == b"data.tar.xz":
                content = lzma.decompress(data[position + 60 : position + 60 + size])
                with tarfile.open(fileobj=io.BytesIO(content)) as archive:
                    opened = archive.extractfile(member)
                    if opened is not None:
                        return opened.read()
            position += 60 + size + size % 2
        raise KeyError(member)
    except (OSError, ValueError, KeyError, lzma.LZMAError, tarfile.TarError) as error:
        raise DownloadError(
            f"{package} does not hold {member} ({error}). Delete it to have it fetched again."
        ) from error
