"""Files and folders that a command will write: checked before the work whose result they will hold."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["check_new_file", "check_new_folder"]

MAX_NAME_BYTES = 255  # of a file's name, on every common file system


def check_new_folder(path: Path) -> None:
    """Check that a folder is there or can be made, before the work whose result it will hold.

    Raises:
        InputError: It is a file, lies below one, has too long a name, or may not be written.
    """
    _check_names(path)
    try:
        nearest = next(folder for folder in (path, *path.absolute().parents) if os.path.lexists(folder))
        is_folder = nearest.is_dir()
    except OSError as error:
        raise InputError(f"{path} cannot be used: {error.strerror}. Give another --out.") from error
    if not is_folder:
        raise InputError(f"{path} cannot be a folder: {nearest} is there and is none. Give another --out.")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise InputError(f"{path} cannot be written: nothing may be written to {nearest}. Give another --out.")


def check_new_file(path: Path, *inputs: Path | None) -> None:
    """Check that a file can be written, before the work whose result it will hold.

    Args:
        path: The file.
        inputs: Files that the work reads, which it must not replace.

    Raises:
        InputError: Its folder does not exist or may not be written, its name is too long, something that is no regular
            file has its name, or it is one of the inputs.
    """
    _check_names(path)
    if not path.parent.is_dir():
        raise InputError(
            f"{path} cannot be written: the folder {path.parent} does not exist. Make it, or give another."
        )
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise InputError(f"{path} cannot be written: nothing may be written to {path.parent}. Give another --out.")
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}. Give another --out.") from error
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "a device or a pipe"
        raise InputError(f"{path} cannot be written: it is {kind}, not a file. Give another --out.")
    for given in inputs:
        if given is not None and given.exists() and given.samefile(path):
            raise InputError(f"--out {path} is the file {given}, and would overwrite it. Give another --out.")


def _check_names(path: Path) -> None:
    for name in path.parts:
        if len(os.fsencode(name)) > MAX_NAME_BYTES:
            raise InputError(
                f"{path} cannot be written: a name has at most {MAX_NAME_BYTES} bytes. Give a shorter one."
            )
    if "\0" in str(path):
        raise InputError(f"{path} cannot be written: a name holds no NUL. Give another --out.")
