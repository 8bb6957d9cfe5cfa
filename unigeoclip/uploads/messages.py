"""Messages between whoever wants files decoded and the process that decodes them.

A message is a line of JSON, whose "bytes" says how many bytes follow it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import IO

__all__ = ["receive", "send"]

_MAX_LINE = 100_000  # bytes of a message's first line


def send(stream: IO[bytes], message: dict[str, Any], content: bytes = b"") -> None:
    """Write a message and what belongs to it."""
    stream.write(json.dumps(message | {"bytes": len(content)}).encode() + b"\n")
    stream.write(content)
    stream.flush()


def receive(stream: IO[bytes], most: int) -> tuple[dict[str, Any], bytes]:
    """Read a message and what belongs to it.

    Args:
        stream: To read from.
        most: Bytes that may follow the line.

    Raises:
        EOFError: The stream ended.
        ValueError: No message, or a larger one.
    """
    line = stream.readline(_MAX_LINE)
    if not line.endswith(b"\n"):
        raise EOFError("the stream ended" if len(line) < _MAX_LINE else "the line is too long")
    message = json.loads(line)
    count = message["bytes"]
    if type(count) is not int or not 0 <= count <= most:
        raise ValueError(f"{count} bytes were announced, at most {most} are expected")
    content = stream.read(count)
    if len(content) < count:
        raise EOFError("the stream ended")
    return message, content
