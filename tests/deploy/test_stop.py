"""How the server ends: what runs may end, nobody new comes in, and nothing half-written is left."""

import json
import signal
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest
from websockets.exceptions import ConnectionClosed

from pages.ui.http import protection
from tests.app import fake, server
from tests.app.visitor import Visitor
from tests.deploy import replicas, slow_app

pytestmark = pytest.mark.slow
COMMAND = ["-m", "streamlit", "run", str(fake.ROOT / "tests" / "deploy" / "slow_app.py"), "--server.port"]
PATIENCE_S = 120


@pytest.fixture
def slow(tmp_path):
    """Starts the slow app, given how long it may take to stop; yields that and the file for which its queries wait."""
    (tmp_path / "cache").mkdir()
    waits_for = tmp_path / "wait"

    def start(within_s):
        environment = {
            "PYTHONPATH": str(fake.ROOT),
            "UNIGEOCLIP_STOP_WITHIN_S": str(within_s),
            slow_app.WAIT: str(waits_for),
            slow_app.WRITE: str(tmp_path / "cache" / "endless.bin"),
        }
        return server.running(COMMAND, environment)

    yield start, waits_for
    assert list((tmp_path / "cache").iterdir()) == []  # what was being written is gone


def until(is_so):
    end = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


def state(address):
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=PATIENCE_S) as answer:
            return answer.status, json.load(answer)["state"]
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)["state"]


def test_a_run_ends_before_the_server_does_and_nobody_new_comes_in(slow):
    start, waits_for = slow
    with start(600) as served, Visitor(served.address, "world") as visitor, ThreadPoolExecutor(1) as beside:
        until(lambda: state(served.address) == (200, "ready"))
        waits_for.touch()
        click = beside.submit(visitor.click, 23.0, 8.0)
        until(lambda: replicas.metric(served.address, "unigeoclip_page_runs_running") > 0)
        process = psutil.Process(served.pid)
        process.send_signal(signal.SIGTERM)
        until(lambda: state(served.address) == (503, "ending"))
        with pytest.raises(urllib.error.HTTPError, match="502") as refused:
            urllib.request.urlopen(f"{served.address}/", timeout=PATIENCE_S)
        assert protection.ENDING in refused.value.read().decode()
        assert process.is_running()
        waits_for.unlink()
        shown = click.result(PATIENCE_S)
        assert (shown.point, shown.bytes > 0) == ((23.0, 8.0), True)
        process.wait(PATIENCE_S)
        assert "Traceback" not in served.written()


def test_a_run_without_end_does_not_keep_the_server(slow):
    start, waits_for = slow
    with start(1) as served, Visitor(served.address, "world") as visitor, ThreadPoolExecutor(1) as beside:
        until(lambda: state(served.address) == (200, "ready"))
        waits_for.touch()
        click = beside.submit(visitor.click, 23.0, 8.0)
        until(lambda: replicas.metric(served.address, "unigeoclip_page_runs_running") > 0)
        process = psutil.Process(served.pid)
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)
        with pytest.raises(ConnectionClosed):
            click.result(PATIENCE_S)
