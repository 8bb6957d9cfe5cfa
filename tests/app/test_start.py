"""The real command, started: what it listens on, and that it asks nothing of the internet."""

import socketserver
import threading
import urllib.error
import urllib.request

import psutil
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.app import fake, server
from tests.app.visitor import Visitor

# Put before everything else of the started Python: writes down every look-up of a name and every connection that
# leaves this machine, and lets none through.
RECORDER = """
import ipaddress, os, socket
_log = open(os.environ["RECORDED_CONNECTIONS"], "a", buffering=1)
_HERE = ("", "localhost", "0.0.0.0", "::", "192.0.2.1")  # the last is qr.py's, which sends nothing
def _local(host):
    host = host.decode() if isinstance(host, bytes) else str(host or "")
    try:
        return host in _HERE or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
def _watch(name):
    known = getattr(socket.socket, name)
    def watched(self, address, *rest):
        if self.family != socket.AF_UNIX and not _local(address[0]):
            _log.write(f"{name} {address}\\n")
            raise OSError("no connection leaves this machine here")
        return known(self, address, *rest)
    setattr(socket.socket, name, watched)
for _name in ("connect", "connect_ex"):
    _watch(_name)
_known = socket.getaddrinfo
def _looked_up(host, *rest, **more):
    if not _local(host):
        _log.write(f"getaddrinfo {host}\\n")
        raise socket.gaierror("no name is looked up here")
    return _known(host, *rest, **more)
socket.getaddrinfo = _looked_up
"""


@pytest.fixture
def proxy():
    """A proxy that passes nothing on; yields its address and the first lines of what was asked of it."""
    asked = []

    class Ask(socketserver.StreamRequestHandler):
        def handle(self):
            asked.append(self.rfile.readline().decode("latin-1").strip())
            self.wfile.write(b"HTTP/1.1 503 No\\r\\nContent-Length: 0\\r\\n\\r\\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Ask) as listening:
        listening.daemon_threads = True
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_address[1]}", asked
        listening.shutdown()


@pytest.fixture
def recorded(tmp_path, proxy):
    """Environment of a Python that is watched, and how to read what it did."""
    (tmp_path / "sitecustomize.py").write_text(RECORDER)
    log = tmp_path / "connections"
    address, asked = proxy
    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
    environment = dict.fromkeys(names, address) | {
        "PYTHONPATH": f"{tmp_path}:{fake.ROOT}",
        "RECORDED_CONNECTIONS": str(log),
        "NO_PROXY": "",
        "no_proxy": "",
    }
    return environment, lambda: [*asked, *log.read_text().splitlines()]


def interfaces(pid):
    """Addresses that a process listens on."""
    return {each.laddr.ip for each in psutil.Process(pid).net_connections() if each.status == psutil.CONN_LISTEN}


REAL = ["-m", "streamlit", "run", "app.py"]  # with the shipped atlas, as README says
STARTS = {
    "as README says": ([*REAL, "--server.port"], "127.0.0.1", "boston", (42.36, -71.06)),
    "for others": (["-m", "tests.app.serve_fake", "--server.address", "0.0.0.0"], "0.0.0.0", "world", (23.0, 8.0)),
}


@pytest.mark.slow
@pytest.mark.parametrize("start", STARTS)
def test_a_start_and_a_visit_ask_nothing_of_the_internet(recorded, start):
    environment, seen = recorded
    arguments, interface, atlas, point = STARTS[start]
    with server.running(arguments, environment) as served:
        assert interfaces(served.pid) == {interface}
        with Visitor(served.address, atlas, patience_s=600) as visitor:
            visitor.click(*point)
        with urllib.request.urlopen(f"{served.address}/") as page:
            assert page.headers["X-Content-Type-Options"] == "nosniff"
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{served.address}/_stcore/metrics")
        stream = served.address.replace("http", "ws", 1) + "/_stcore/stream"
        with pytest.raises(InvalidStatus, match="403"):  # a page of another site
            connect(stream, subprotocols=["streamlit"], origin="http://evil.example").close()
    assert seen() == []


@pytest.mark.slow
def test_the_recorder_hears_what_goes_out(recorded):
    """Else the test above could not fail."""
    import os
    import subprocess
    import sys

    environment, seen = recorded
    code = """
import socket, urllib.request
for ask in (lambda: urllib.request.urlopen("http://checkip.example/", timeout=5),
            lambda: socket.create_connection(("93.184.216.34", 80), timeout=5),
            lambda: socket.getaddrinfo("example.org", 80)):
    try:
        ask()
    except OSError:
        pass
"""
    subprocess.run([sys.executable, "-c", code], env=os.environ | environment, check=True, timeout=60)
    assert seen()[0].startswith("GET http://checkip.example/")
    assert any("93.184.216.34" in line for line in seen())
    assert "getaddrinfo example.org" in seen()
