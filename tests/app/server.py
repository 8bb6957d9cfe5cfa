"""A server of the app as a process of its own, on a free port."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass

from tests.app import fake

FAKE = ["-m", "tests.app.serve_fake"]
REAL = ["-m", "streamlit", "run", "app.py", "--server.address", "127.0.0.1", "--server.port"]
MOST_READ = 50_000_000  # bytes of its log
STARTS_WITHIN_S = 120  # a busy machine is slow, not broken


@dataclass(frozen=True)
class Server:
    """A server that runs: where it listens, its process, and a way to read what it has written so far."""

    address: str
    pid: int
    written: Callable[[], str]


def free_port():
    """A port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextlib.contextmanager
def running(arguments=FAKE, environment=None, port=None):
    """Serve the app until the block ends; ``arguments`` are those of Python, to which the port is added, a free one.

    Raises:
        RuntimeError: It did not start; the message holds what it wrote.
    """
    port = port or free_port()
    command = [sys.executable, *arguments, str(port)]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            command, cwd=fake.ROOT, stdout=log, stderr=subprocess.STDOUT, env=os.environ | (environment or {})
        )
        address = f"http://127.0.0.1:{port}"
        try:
            _wait_for(address, process, log)
            yield Server(address, process.pid, lambda: os.pread(log.fileno(), MOST_READ, 0).decode(errors="replace"))
        finally:
            process.terminate()
            process.wait(20)


def _wait_for(address, process, log):
    until = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    log.seek(0)
    raise RuntimeError(f"The app did not start:\n{log.read()}")
