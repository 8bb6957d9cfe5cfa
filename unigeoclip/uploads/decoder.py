"""Decoding files of strangers in a process of its own, one at a time, within limits of memory and time.

Checks of the headers stop every bomb that we know; the process stops those that we do not. It is started when the first
file comes and kept. What it sends back is numbers and sentences, checked here: nothing is unpickled.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import importlib.util
import logging
import math
import os
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.errors import InputError
from unigeoclip.paths import IMPORT_ROOT
from unigeoclip.uploads.headers import check_size
from unigeoclip.uploads.messages import receive, send
from unigeoclip.uploads.pictures import Decoded, guess
from unigeoclip.uploads.reading import read

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Decoder", "guess_modality", "read_upload"]

MEMORY_BYTES = 1_000_000_000  # a picture of 50 megapixels takes up to 0.8 GB, see the tests
SECONDS = 20  # of processor time for one file; 50 megapixels take two or three
PATIENCE_S = 40.0  # how long a file waits for its turn, and then for its answer
STARTS_WITHIN_S = 60.0  # a busy machine is slow, not broken
MAX_FILES = 200  # decoded by one process: what decoders leak does not add up
# More threads would each reserve address space, which is what is limited.
_ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_TOO_BUSY = (errno.ENOMEM, errno.EAGAIN)

_log = logging.getLogger(__name__)


def read_upload(kind: str, data: bytes, size: tuple[int, int]) -> Decoded:
    """Decode a file that anybody may have sent, of a modality, within limits of memory and time.

    Args:
        kind: The modality: heights for "surface", else a picture.
        data: Content of the file.
        size: Width and height in pixels that its encoder takes.

    Returns:
        See `read_picture` and `read_surface`.

    Raises:
        InputError: See `read_picture` and `read_surface`; or it takes too much memory or time, or too many files are
            waiting.
    """
    check_size(data, min(size))
    return _decoder().read(kind, data, size)


def guess_modality(data: bytes, known: Sequence[str]) -> str:
    """Which modality a file is likely to be of: heights by its numbers, a street view by its shape or camera.

    Args:
        data: Content of the file; what cannot be read counts as a picture.
        known: The modalities to choose among, one at least.

    Returns:
        One of ``known``.
    """
    try:
        check_size(data, 1)
        return _decoder().guess(data, known)
    except InputError:  # whoever reads it next says why
        return known[0]


@functools.cache
def _decoder() -> Decoder:
    """The one of this process."""
    return Decoder()


class _StartError(Exception):
    """No process can be had on this platform."""


class Decoder:
    """A process that decodes, started when it is needed and replaced when it has ended.

    Where there can be none (no module ``resource``, as on Windows, or no way to start a program) it decodes in this
    process, one file at a time: then the checks of the headers are all that limits it.
    """

    worker: tuple[str, ...] = ("unigeoclip.uploads.worker",)  # the module that it runs, and its arguments

    def __init__(
        self, memory_bytes: int = MEMORY_BYTES, seconds: int = SECONDS, patience_s: float = PATIENCE_S
    ) -> None:
        """Start nothing yet.

        Args:
            memory_bytes: How much memory a file may take to decode.
            seconds: How much time of the processor.
            patience_s: How long a caller waits for its turn, and for the answer.
        """
        self._memory, self._seconds, self._patience_s = memory_bytes, seconds, patience_s
        self._turn = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._served = 0
        self._alone = importlib.util.find_spec("resource") is None or not sys.executable

    @property
    def pid(self) -> int | None:
        """Of the process, if there is one."""
        return None if self._process is None else self._process.pid

    def read(self, kind: str, data: bytes, size: tuple[int, int]) -> Decoded:
        """See `read_upload`."""
        shape = (1, size[0], size[0]) if kind == "surface" else (3, size[1], size[0])
        dtype = np.dtype(np.float32 if kind == "surface" else np.uint8)
        with self.turn_of(data):
            answer = self.ask({"read": kind, "size": list(size)}, data, math.prod(shape) * dtype.itemsize)
            if answer is None:
                return read(kind, data, size)
            message, content = answer
            if (tuple(message["shape"]), message["dtype"]) != (shape, dtype.name):
                self.close()
                raise RuntimeError(f"The decoder answered {message['shape']} {message['dtype']}, not {shape} {dtype}.")
        array = np.frombuffer(content, dtype).reshape(shape).copy()
        return Decoded(array, tuple(str(note) for note in message["notes"]))

    def guess(self, data: bytes, known: Sequence[str]) -> str:
        """See `guess_modality`; raises InputError if there was no answer."""
        with self.turn_of(data):
            answer = self.ask({"guess": list(known)}, data, 0)
            if answer is None:
                return guess(data, known)
        kind = answer[0]["kind"]
        return kind if kind in known else known[0]

    def close(self) -> None:
        """End the process; the next file starts another one."""
        process, self._process, self._served = self._process, None, 0
        if process is None:
            return
        process.kill()
        for stream in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()
        process.wait()

    @contextlib.contextmanager
    def turn_of(self, data: bytes) -> Iterator[None]:
        """Wait for the turn of a file; raises InputError if it does not come."""
        if not self._turn.acquire(timeout=self._patience_s):
            raise InputError(
                f"Other files are being decoded, and this one of {len(data) / 2**20:.1f} MB had no turn within"
                f" {self._patience_s:.0f} s: try again in a minute."
            )
        try:
            yield
        finally:
            self._turn.release()

    def ask(self, request: dict[str, Any], data: bytes, most: int) -> tuple[dict[str, Any], bytes] | None:
        """One answer, for whoever has the turn; None where there can be no process.

        Args:
            request: See the module of the worker.
            data: Content of the file.
            most: Bytes that the answer may have.

        Raises:
            InputError: The file was refused, or there was no answer within the limits.
        """
        if self._alone:
            return None
        try:
            process = self._running()
        except _StartError as error:
            _log.warning("Files are decoded in this process, without a limit of memory or time: %s", error)
            self._alone = True
            return None
        assert process.stdin is not None and process.stdout is not None  # noqa: PT018
        try:
            with _ended_after(process, self._patience_s) as overdue:
                send(process.stdin, request, data)
                message, content = receive(process.stdout, most)
        except (OSError, EOFError, ValueError, KeyError) as error:
            self.close()
            raise self._refusal(process.returncode, overdue.is_set()) from error
        self._served += 1
        if message.get("memory") or self._served >= MAX_FILES:
            self.close()
        if message.get("memory"):
            raise InputError(
                f"The file takes more than {self._memory / 1e6:.0f} MB of memory to decode: make it smaller, or save it"
                " in another format."
            )
        if "error" in message:
            raise InputError(str(message["error"]))
        return message, content

    def _refusal(self, code: int, overdue: bool) -> InputError:
        """Why there was no answer, by how the process ended."""
        import signal

        if overdue or code == -signal.SIGXCPU:
            limit = f"{self._patience_s if overdue else self._seconds:.0f} s"
            return InputError(f"The file could not be decoded within {limit}: make it smaller, or save it again.")
        _log.warning("The process that decodes files ended with code %s.", code)
        return InputError(
            f"The file could not be decoded: its decoder ended, perhaps for want of memory (it has"
            f" {self._memory / 1e6:.0f} MB). Make the file smaller, or save it in another format."
        )

    def _running(self) -> subprocess.Popen[bytes]:
        """The process, started if it is not there.

        Raises:
            _StartError: There can be none.
            InputError: There is none now.
        """
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.close()
        try:
            self._process = process = subprocess.Popen(
                [sys.executable, "-P", "-m", *self.worker, str(self._memory), str(self._seconds)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment(),
            )  # fmt: skip
        except OSError as error:
            if error.errno in _TOO_BUSY:
                raise InputError("The machine is too busy to decode a file now: try again in a minute.") from error
            raise _StartError(str(error)) from error
        assert process.stdout is not None
        try:
            with _ended_after(process, STARTS_WITHIN_S):
                receive(process.stdout, 0)
        except (OSError, EOFError, ValueError, KeyError) as error:
            self.close()
            _log.warning("The process that decodes files did not start: it ended with code %s.", process.returncode)
            raise InputError("The decoder of files could not be started; see the log of the server.") from error
        return process


def _environment() -> dict[str, str]:
    """The environment, and this package where it lies, installed or not."""
    path = os.pathsep.join(filter(None, (str(IMPORT_ROOT), os.environ.get("PYTHONPATH"))))
    return os.environ | _ONE_THREAD | {"PYTHONPATH": path}


@contextlib.contextmanager
def _ended_after(process: subprocess.Popen[bytes], seconds: float) -> Iterator[threading.Event]:
    """End the process if the block takes longer; whoever reads or writes its pipes then gets an error or an end."""
    overdue = threading.Event()

    def end() -> None:
        overdue.set()
        process.kill()

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield overdue
    finally:
        timer.cancel()
