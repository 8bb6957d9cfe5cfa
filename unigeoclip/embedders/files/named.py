"""Files of embeddings that whoever runs a server or a command names beforehand, in an environment variable."""

from __future__ import annotations

import os
import re
import shlex

from unigeoclip.embedders.files.address import FileAddress
from unigeoclip.errors import InputError, excerpt

__all__ = ["NAMED", "VARIABLE", "named_files"]

VARIABLE = "UNIGEOCLIP_EMBEDDING_FILES"
NAMED = "file-"  # begins the name of an embedder of such a file; its own name follows
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def named_files() -> dict[str, FileAddress]:
    """Name of the embedder -> its file, as ``UNIGEOCLIP_EMBEDDING_FILES`` has them; nothing is opened.

    The variable holds NAME=PATH with spaces between them, and options as ``file:`` takes them:
    ``boston=/data/aef.tif "leeds=/data/my tiles.vrt?license=CC BY 4.0"``.

    Raises:
        InputError: It is no such list, or has a name twice.
    """
    given = os.environ.get(VARIABLE, "")
    try:
        words = shlex.split(given)
    except ValueError as error:
        raise InputError(f"{VARIABLE} is '{excerpt(given)}': a quotation mark is not closed.") from error
    found: dict[str, FileAddress] = {}
    for word in words:
        name, _, where = word.partition("=")
        if not _NAME.fullmatch(name) or not where:
            raise InputError(
                f"{VARIABLE} has '{excerpt(word)}'; it takes NAME=PATH with spaces between them, such as "
                "aef=/data/aef.tif. Names are small letters, digits and hyphens."
            )
        if f"{NAMED}{name}" in found:
            raise InputError(f"{VARIABLE} names '{name}' twice.")
        found[f"{NAMED}{name}"] = FileAddress.parse(where)
    return found
