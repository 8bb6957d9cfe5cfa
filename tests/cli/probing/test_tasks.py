"""The command that lists tasks and brings them to this machine."""

import pytest

from unigeoclip.build.tasks import download as module
from unigeoclip.tasks.catalog import TASKS

pytestmark = pytest.mark.usefixtures("surroundings")


def test_tasks_are_listed(run):
    printed = run("tasks")
    assert all(name in printed for name in TASKS)
    assert " no " in printed


def test_tasks_are_listed_as_json(run):
    rows = {row["name"]: row for row in run("tasks", "--json")}
    assert set(rows) == set(TASKS)
    row = rows["world-climate"]
    assert row["here"] is False
    assert row["bytes"] > 1e8
    assert row["seen_in_training"][0]["atlas"] == "world"
    assert len(row["sources"][0]["sha256"]) == 64


def test_download_says_what_is_here(run, monkeypatch):
    monkeypatch.setattr(module, "download", lambda packs, say, at_hand: {})
    assert run("tasks", "download", "boston-income", "--json") == {"here": ["boston-tracts"], "failed": {}}
    assert run("tasks", "download", "boston-income").strip() == "boston-tracts"


def test_download_fails_in_one_line(refused, monkeypatch):
    monkeypatch.setattr(module, "download", lambda packs, say, at_hand: {"boston-tracts": "No network."})
    assert "boston-tracts. No network." in refused("tasks", "download", "boston-income")
    assert "no task 'moon'" in refused("tasks", "download", "moon")


def test_what_is_no_action_is_refused(refused):
    assert "invalid choice 'fetch'" in refused("tasks", "fetch")
