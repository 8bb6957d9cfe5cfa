"""Two servers of the app behind nginx on free ports of this machine, by the files of ``deploy``."""

import contextlib
import getpass
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tests.app import fake, server

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
DEPLOY = fake.ROOT / "deploy"
NAMES = ("a", "b")
PORTS = {"a": 8501, "b": 8502}  # as deploy/replicas.conf has them
SECRET = {"STREAMLIT_SERVER_COOKIE_SECRET": "of the tests"}
# What Debian's own nginx.conf has round the files of conf.d, as far as it matters here.
AROUND = """
{user}
daemon off;
pid nginx.pid;
error_log error.log;
events {{ worker_connections 1024; }}
http {{
    access_log access.log;
    {temporary}
    include {folder}/conf.d/*.conf;
}}
"""
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@dataclass(frozen=True)
class Served:
    """What runs: the address of nginx, and the servers behind it, each of which can be asked itself."""

    address: str
    replicas: tuple[server.Server, ...]
    folder: Path


@contextlib.contextmanager
def running(arguments=server.FAKE, environment=None):
    """Serve the app by two replicas behind nginx until the block ends; see `server.running`."""
    with contextlib.ExitStack() as stack:
        started = tuple(
            stack.enter_context(
                server.running(arguments, {**SECRET, "UNIGEOCLIP_REPLICA": name, **(environment or {})})
            )
            for name in NAMES
        )
        ports = {name: int(each.address.rpartition(":")[2]) for name, each in zip(NAMES, started, strict=True)}
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="unigeoclip-nginx-")))
        yield Served(stack.enter_context(_nginx(folder, ports)), started, folder)


def restart(served, name, arguments=server.FAKE):
    """A context in which a replica that was killed runs again, on its port."""
    port = int(served.replicas[NAMES.index(name)].address.rpartition(":")[2])
    return server.running(arguments, {**SECRET, "UNIGEOCLIP_REPLICA": name}, port)


@contextlib.contextmanager
def _nginx(folder, ports):
    """Run nginx by the files of ``deploy``, in which the ports alone are others; yields its address."""
    port = server.free_port()
    (folder / "conf.d").mkdir()
    (folder / "conf.d" / "nginx.conf").write_text(_replaced("nginx.conf", {"listen 80;": f"listen 127.0.0.1:{port};"}))
    places = {f"127.0.0.1:{PORTS[name]} ": f"127.0.0.1:{ports[name]} " for name in NAMES}
    (folder / "conf.d" / "replicas.conf").write_text(_replaced("replicas.conf", places))
    (folder / "nginx.conf").write_text(
        AROUND.format(
            user=f"user {getpass.getuser()};",
            temporary=" ".join(f"{name}_temp_path {name};" for name in TEMPORARY),
            folder=folder,
        )
    )
    process = subprocess.Popen([NGINX, "-p", str(folder), "-e", "error.log", "-c", str(folder / "nginx.conf")])
    try:
        until = time.monotonic() + server.STARTS_WITHIN_S
        while not _listens(port):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"nginx did not start:\n{(folder / 'error.log').read_text()}")
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _listens(port):
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def _replaced(name, places):
    text = (DEPLOY / name).read_text(encoding="utf-8")
    for before, after in places.items():
        assert before in text, f"deploy/{name} does not hold '{before}'"
        text = text.replace(before, after)
    return text


def metric(address, name):
    """A value of a server's metrics."""
    with urllib.request.urlopen(f"{address}/metrics", timeout=60) as response:
        return float(re.search(rf"^{re.escape(name)} (\S+)$", response.read().decode(), re.MULTILINE)[1])
