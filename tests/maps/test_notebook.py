"""The notebook runs from top to bottom, without a network, and is kept without outputs."""

import os
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from unigeoclip.paths import IMPORT_ROOT

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "explorer.ipynb"

# The kernel itself is connected already when this runs, its own sockets are of 127.0.0.1.
NO_NETWORK = """
import socket as _socket

def _guarded(method):
    def guarded(self, address, *rest):
        if self.family in (_socket.AF_INET, _socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1"):
            raise RuntimeError(f"a request to {address}")
        return method(self, address, *rest)
    return guarded

def _no_names(host, *rest, **options):
    raise RuntimeError(f"the address of {host} was asked for")

_socket.socket.connect = _guarded(_socket.socket.connect)
_socket.socket.connect_ex = _guarded(_socket.socket.connect_ex)
_socket.getaddrinfo = _no_names
"""


@pytest.fixture
def notebook():
    return nbformat.read(NOTEBOOK, as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_it_is_kept_without_outputs(notebook):
    assert 8 <= len(code(notebook)) <= 12
    assert [cell for cell in code(notebook) if cell.outputs or cell.execution_count] == []
    assert NOTEBOOK.stat().st_size < 20_000


@pytest.mark.slow
def test_it_runs_without_a_network(notebook, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(IMPORT_ROOT), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook.cells.insert(0, nbformat.v4.new_code_cell(NO_NETWORK))
    client = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(tmp_path)}})
    client.create_kernel_manager()
    client.km.kernel_spec.argv[0] = sys.executable  # not that of an installed kernel of the same name
    client.execute()
    maps = [
        output.data
        for cell in code(notebook)
        for output in cell.outputs
        if "application/vnd.jupyter.widget-view+json" in output.get("data", {})
    ]
    assert len(maps) == 5
    states = list(client.widget_state.values())
    assert states
    assert not [state["url"] for state in states if str(state.get("url", "")).startswith("http")]
    assert (tmp_path / "heatmap.tif").stat().st_size > 10_000
    page = (tmp_path / "map.html").read_text(encoding="utf-8")
    assert "a city by the sea" in page
