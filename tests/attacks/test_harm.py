"""The counts of attacks: what is harm is found, whichever part tells of it."""

import json
import subprocess

from tests.attacks.__main__ import MOST_MB, harm, run


def test_harm_is_found_and_nothing_else():
    assert harm({"requests": 500, "refused": 499, "http_500": 0, "exceptions": [], "peak_rss_mb": 900}) == {}
    assert harm({"http_500": 1, "unanswered": ["a.tif"]}) == {"http_500": 1, "unanswered": ["a.tif"]}
    assert harm({"peak_rss_mb": MOST_MB + 1}) == {"peak_rss_mb": MOST_MB + 1}


def test_a_part_that_ends_badly_is_not_taken_for_a_good_one(monkeypatch):
    def ended(command, **_):
        return subprocess.CompletedProcess(command, 1, stdout="no JSON")

    monkeypatch.setattr(subprocess, "run", ended)
    assert run("http", ()) == {"exit_code": 1, "printed": "no JSON"}
    monkeypatch.setattr(subprocess, "run", lambda command, **_: subprocess.CompletedProcess(command, 1, json.dumps({})))
    assert run("http", ()) == {}
