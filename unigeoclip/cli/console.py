"""What commands write to the terminal: results to stdout; progress, remarks and failures to stderr."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

__all__ = ["Progress", "complain", "drop_output", "print_json", "print_lines", "remark"]


class Progress:
    """Progress on stderr: one line that is written over on a terminal, one line per stage elsewhere."""

    def __init__(self) -> None:
        self._stage = ""

    def __call__(self, words: str, share: float) -> None:
        """Say what is being done, and the share of it that is, 0 to 1."""
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{words} {share:4.0%}{'' if share < 1 else chr(10)}")
            sys.stderr.flush()
        elif words != self._stage:
            remark(words)
        self._stage = words


def print_lines(*lines: str) -> None:
    """Print lines on stdout."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def print_json(value: Any) -> None:
    """Print JSON; in pure ASCII where the output is not in a Unicode encoding, whose escapes for é are no JSON."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    ascii_only = not encoding.lower().startswith("utf")
    print_lines(json.dumps(value, indent=1, ensure_ascii=ascii_only, allow_nan=False))


def remark(*lines: str) -> None:
    """Print lines on stderr at once: what to know that is no result."""
    sys.stderr.write("".join(f"{line}\n" for line in lines))
    sys.stderr.flush()


def complain(line: str) -> None:
    """Print a line on stderr, over the progress that stands there; if even that fails, the exit code must say it."""
    if sys.stderr is None:
        return
    try:
        remark(f"\r\x1b[K{line}" if sys.stderr.isatty() else line)
    except (OSError, ValueError):
        return


def drop_output(*, unless_it_can_be_written: bool = False) -> None:
    """Let what is still to be printed go nowhere, or Python complains once more while it exits."""
    try:
        if unless_it_can_be_written:
            sys.stdout.flush()
            return
    except (OSError, ValueError, AttributeError):
        pass
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError, AttributeError):  # it is closed, or no file: nothing will be written at the exit
        return
