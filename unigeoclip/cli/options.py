"""What the options of the command line may hold: checked when they are read, before anything is computed or written."""

from __future__ import annotations

import argparse
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from _typeshed import SupportsWrite

__all__ = ["MAX_SEED", "Parser", "check_new_file", "check_new_folder", "joined", "seed", "whole_number", "words"]

MAX_SEED = 2**32 - 1  # what NumPy, PyTorch and the libraries below them all take
MAX_NAME_BYTES = 255  # of a file's name, on every common file system
_WITH_MINUS = ("--latlon", "--bbox", "--item")


class Parser(argparse.ArgumentParser):
    """A parser whose errors are `InputError`, and that refuses an option that is given twice."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for action in (None, "store"):
            self.register("action", action, _StoreOnce)

    def error(self, message: str) -> NoReturn:
        """Refuse a command line.

        Raises:
            InputError: Always.
        """
        raise InputError(f"{message}; see '{self.prog} --help'.")

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        if message and file is not None:  # argparse itself would be silent where nothing can be written
            file.write(message)


class _StoreOnce(argparse.Action):
    """Keep a value; argparse itself would let the last of several win without a word."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        given: set[str] = namespace.__dict__.setdefault("_given", set())
        if self.dest in given:
            raise argparse.ArgumentError(self, "given more than once; give it once")
        given.add(self.dest)
        setattr(namespace, self.dest, values)


def joined(argv: Sequence[str]) -> list[str]:
    """Write ``--latlon -33.9,151.2`` as one word: argparse would take what begins with a minus for an option.

    Raises:
        InputError: The value of an option is "--", which argparse takes for the end of the options and drops.
    """
    whole: list[str] = []
    for word in argv:
        if whole and whole[-1] in _WITH_MINUS:
            whole[-1] += f"={word}"
        else:
            whole.append(word)
    for word in whole:
        if word.startswith("--") and word.endswith("=--"):
            raise InputError(f"{word.removesuffix('=--')} needs a value, and '--' is none; see --help.")
    return whole


def words(text: str) -> str:
    """Text of an option; bytes that are not UTF-8, which Python passes on as lone surrogates, are refused."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not UTF-8: type it in a terminal that is set to UTF-8"
        ) from error
    return text


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """A reader of whole numbers from ``low`` to ``high``, both included."""

    def read(text: str) -> int:
        number = int(text)
        if number < low:
            raise argparse.ArgumentTypeError(f"must be {low} or more, not {number}")
        if number > high:
            raise argparse.ArgumentTypeError(f"must be {high:,} or less, not {number}")
        return number

    read.__name__ = "number"  # how argparse calls it when it is not one
    return read


seed = whole_number(0, MAX_SEED)


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
