"""Exceptions as one line for people: what was wrong, and how to mend it."""

from __future__ import annotations

import errno
import re
from typing import TYPE_CHECKING

from unigeoclip.errors import UniGeoError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["DEBUG", "failure_line", "one_line"]

DEBUG = "UNIGEOCLIP_DEBUG"  # environment variable: 1 prints the traceback of every failure
MAX_LINE_CHARACTERS = 1500
_LONG_WORD = re.compile(r"\S{301,}")
_KEPT_HEAD, _KEPT_TAIL = 120, 60

_REMEDIES = {
    errno.ENOENT: "check the spelling",
    errno.EACCES: "change its permissions, or give another",
    errno.EPERM: "change its permissions, or give another",
    errno.EEXIST: "move it away, or give another name",
    errno.ENOTDIR: "give a path whose folders are folders",
    errno.EISDIR: "give a file",
    errno.ENAMETOOLONG: "give a shorter name; 255 bytes are the most",
    errno.ENOSPC: "free some space, or write elsewhere",
    errno.EDQUOT: "free some space, or write elsewhere",
    errno.EROFS: "write elsewhere",
    errno.EMFILE: "raise the limit with 'ulimit -n 4096'",
    errno.ENOMEM: "close other programs, or ask for less at once",
}


def failure_line(error: BaseException) -> str:
    """The line that says what went wrong and how to mend it, without a line break or an unprintable character.

    Args:
        error: Any exception; what is not foreseen is called a fault of this package, and where to find the traceback.
    """
    if isinstance(error, UniGeoError):
        return one_line(str(error))
    for kind, words in _WORDS:
        if isinstance(error, kind):
            return one_line(words(error))
    return one_line(
        f"this is a fault of unigeoclip, not of yours ({type(error).__name__}: {_shortened(str(error), 300)}). Please "
        f"report it, with the command and the traceback that it prints with {DEBUG}=1."
    )


def one_line(text: str) -> str:
    """Text in one printable line: white space joined, control characters escaped, what is very long shortened."""
    text = " ".join(text[: 100 * MAX_LINE_CHARACTERS].split())
    text = _LONG_WORD.sub(lambda word: f"{word[0][:_KEPT_HEAD]}…{word[0][-_KEPT_TAIL:]}", text)
    text = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)
    return _shortened(text, MAX_LINE_CHARACTERS)


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - _KEPT_TAIL - 1]}…{text[-_KEPT_TAIL:]}"


def _of_system(error: BaseException) -> str:
    assert isinstance(error, OSError)
    reason = error.strerror or str(error) or type(error).__name__
    where = "" if error.filename is None else f"{_name(error.filename)}: "
    if error.errno == errno.ENOSPC and error.filename is None:
        where = "the output cannot be written: "
    remedy = _REMEDIES.get(error.errno or 0, "check that it is there and that it may be read and written")
    return f"{where}{reason}; {remedy}."


def _name(filename: object) -> str:
    return filename.decode(errors="backslashreplace") if isinstance(filename, bytes) else str(filename)


def _of_memory(error: BaseException) -> str:
    return "there is not enough memory; close other programs, or ask for less at once: fewer rows, a smaller picture."


def _of_depth(error: BaseException) -> str:
    return "something in a file or an option is nested too deeply to be read; it is damaged, restore or rewrite it."


def _of_decoding(error: BaseException) -> str:
    return f"a file or an option holds bytes that are not text in UTF-8 ({error}); save it as UTF-8."


def _of_encoding(error: BaseException) -> str:
    return f"a name or a text cannot be written in this encoding ({error}); use UTF-8, as with PYTHONIOENCODING=utf-8."


# The first that fits counts.
_WORDS: tuple[tuple[type[BaseException], Callable[[BaseException], str]], ...] = (
    (OSError, _of_system),
    (MemoryError, _of_memory),
    (RecursionError, _of_depth),
    (UnicodeDecodeError, _of_decoding),
    (UnicodeError, _of_encoding),
)
