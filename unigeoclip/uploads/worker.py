"""The process that decodes files of strangers: ``python -m unigeoclip.uploads.worker MEMORY SECONDS``.

It takes requests on its standard input and answers on its standard output until the input ends, which it does when
whoever started it ends, in whatever way. It may take so many bytes of memory more than it starts with and so many
seconds of processor time for one request; what goes beyond that is refused by the kernel, or ends it.

Its messages (see `messages`) and the answers to them:

- ``{"guess": [modality, ...]}`` -> ``{"kind": modality}``
- ``{"read": modality, "size": [width, height]}`` -> ``{"shape": [...], "dtype": "...", "notes": [...]}``
- ``{"error": sentence, "memory": whether it ran out of it}`` is the answer to what cannot be decoded.
- ``{"ready": true}`` comes first, unasked.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unigeoclip.errors import UniGeoError
from unigeoclip.uploads.headers import refusing
from unigeoclip.uploads.messages import receive, send
from unigeoclip.uploads.pictures import guess
from unigeoclip.uploads.reading import read

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

__all__ = ["main", "serve"]


def _answer(request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    try:
        with refusing("file"):
            if "guess" in request:
                return {"kind": guess(data, request["guess"])}, b""
            width, height = request["size"]
            decoded = read(request["read"], data, (width, height))
            array = decoded.array
            return {"shape": array.shape, "dtype": array.dtype.name, "notes": decoded.notes}, array.tobytes()
    except UniGeoError as error:
        return {"error": str(error), "memory": isinstance(error.__cause__, MemoryError)}, b""


def _own_streams() -> tuple[BinaryIO, BinaryIO]:
    """Input and output for messages alone: what libraries print goes nowhere, and fills nobody's log."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    return requests, answers


def _limit_memory(more: int) -> None:
    """Allow so many bytes more than the process has now, no files written and no core dumped."""
    import resource

    limits = [(resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0)]
    statm = Path("/proc/self/statm")
    if statm.exists():  # Linux; elsewhere the system does not keep to this limit, or not in these units
        taken = int(statm.read_text().split()[0]) * resource.getpagesize()
        limits.append((resource.RLIMIT_AS, taken + more))
    for limit, value in limits:
        resource.setrlimit(limit, (value, value))


def _limit_time(seconds: int) -> None:
    """Allow so many seconds of processor time from now on; beyond them the kernel ends the process."""
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + seconds + 1, hard))


def serve(answer: Callable[[dict[str, Any], bytes], tuple[dict[str, Any], bytes]], most: int) -> None:
    """Answer requests until the input ends, within the limits that the last two arguments of the process name.

    Args:
        answer: A request and the content of a file -> an answer and its content; raises nothing over a strange file.
        most: Bytes of a file.
    """
    memory, seconds = (int(argument) for argument in sys.argv[-2:])
    requests, answers = _own_streams()
    _limit_memory(memory)
    send(answers, {"ready": True})
    while True:
        try:
            request, data = receive(requests, most)
            _limit_time(seconds)
            send(answers, *answer(request, data))
        except (EOFError, BrokenPipeError):
            return
        del data


def main() -> None:
    """Serve until the input ends."""
    import rasterio  # noqa: F401  # its libraries must be loaded before memory is limited

    from unigeoclip.uploads.headers import MAX_FILE_BYTES

    serve(_answer, MAX_FILE_BYTES)


if __name__ == "__main__":
    main()
