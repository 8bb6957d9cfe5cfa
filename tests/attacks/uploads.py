"""Hostile files through the front door: ``python -m tests.attacks.uploads``.

Starts the app and uploads file after file as a visitor of page Explore does, by Streamlit's own websocket and upload
route. Prints counts as JSON; the exit code is 1 if the server stopped, wrote a traceback, answered 500, or took more
than 2.5 GB of memory together with its children at any time, its start included.
"""

import argparse
import json
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx
import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from websockets.exceptions import WebSocketException

from tests.app import server
from tests.app.visitor import Visitor
from tests.attacks.hostile_files import hostile_files

MOST_MB = 2_500
VISIT = 40  # files of one visitor, before another one comes
SAMPLED_EVERY_S = 0.02
XSRF = "_streamlit_xsrf"


@dataclass
class Uploader(Visitor):
    """A visitor who uploads.

    Attributes:
        exceptions: Red boxes of Streamlit that the page has shown: faults of ours.
        statuses: Of the requests made, how many had which status.
    """

    exceptions: list = field(default_factory=list)
    statuses: Counter = field(default_factory=Counter)
    _field: object = None
    _kinds: dict = field(default_factory=dict)  # the control that says what a file is: its id and options
    _alerts: list = field(default_factory=list)
    _session: str = ""
    _urls: object = None

    def upload(self, name, kind, data):
        """Upload one file, said to be of a kind or "guess"; returns the error that the page shows, "" for none."""
        self._choose(kind)
        widget = self._field
        request = BackMsg()
        request.file_urls_request.request_id = name[:20]
        request.file_urls_request.file_names.append(name)
        request.file_urls_request.session_id = self._session
        self._urls = None
        self._socket.send(request.SerializeToString())
        self._until(lambda: self._urls is not None, "where to upload")
        urls = self._urls.file_urls[0]
        status = self._put(urls.upload_url, name, data)
        if status >= 400:
            return f"status {status}"
        state = ClientState(fragment_id=self._fragment)
        told = state.widget_states.widgets.add(id=widget.id).file_uploader_state_value.uploaded_file_info.add()
        told.name, told.size, told.file_id = name, len(data), urls.file_id
        told.file_urls.CopyFrom(urls)
        self._alerts.clear()
        self._rerun(state)
        self._until_script_ends()
        return next((alert for alert in self._alerts), "")

    def _choose(self, kind):
        """Say what the file will be; another field comes for another kind."""
        title = {"guess": "Detect"}.get(kind, kind)
        index = next(i for i, each in enumerate(self._kinds["options"]) if each.lower().startswith(title.lower()[:6]))
        state = ClientState(fragment_id=self._fragment)
        state.widget_states.widgets.add(id=self._kinds["id"]).string_array_value.data.append(
            self._kinds["options"][index]
        )
        self._rerun(state)
        self._until_script_ends()

    def _put(self, url, name, data):
        with httpx.Client(base_url=self.address, timeout=self.patience_s) as client:
            token = client.get("/_stcore/health").cookies.get(XSRF) or client.get("/_stcore/host-config").cookies[XSRF]
            answer = client.put(url, files={"file": (name, data)}, headers={"X-Xsrftoken": token})
        self.statuses[answer.status_code] += 1
        return answer.status_code

    def _hear(self, message):
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self._session = message.new_session.initialize.session_id
        elif kind == "file_urls_response":
            self._urls = message.file_urls_response
        elif kind == "delta":
            self._see(message.delta.new_element)
        super()._hear(message)

    def _see(self, element):
        what = element.WhichOneof("type")
        if what == "file_uploader":
            self._field = element.file_uploader
        elif what == "button_group" and element.button_group.label == "Modality":
            options = [option.content for option in element.button_group.options]
            self._kinds = {"id": element.button_group.id, "options": options}
        elif what == "alert" and element.alert.format == element.alert.ERROR:
            self._alerts.append(element.alert.body)
        elif what == "exception":
            self.exceptions.append(f"{element.exception.type}: {element.exception.message}")


class Memory(threading.Thread):
    """Watches the resident memory of a process and its children until it is stopped.

    Attributes:
        peak_mb: The largest sum since the process started; memory that they share is counted for each.
        parts_mb: What each of them took at that moment, by what it is.
        peak_at_s: When that was, seconds after the watch began.
        opened_at_s: When `opened` was called, likewise; what came before is the server's start, not the files.
        opened_mb: The sum at that moment.
        files_peak_mb: The largest sum since that moment.
        files_parts_mb: What each of them took then.
    """

    def __init__(self, pid):
        super().__init__(daemon=True)
        self._process, self.stopped, self._begun = psutil.Process(pid), threading.Event(), time.monotonic()
        self.peak_mb, self.parts_mb, self.peak_at_s = 0, {}, 0.0
        self.opened_mb, self.opened_at_s, self.files_peak_mb, self.files_parts_mb = 0, None, 0, {}

    def opened(self):
        """Say that the page is open and the files begin; the peak of the whole is kept as it is."""
        if self.opened_at_s is None:
            self.opened_mb, self.opened_at_s = sum(self._parts().values()), self._now()

    def run(self):
        while not self.stopped.wait(SAMPLED_EVERY_S):
            try:
                parts = self._parts()
            except psutil.Error:
                return
            total = sum(parts.values())
            if total > self.peak_mb:
                self.peak_mb, self.parts_mb, self.peak_at_s = total, parts, self._now()
            if self.opened_at_s is not None and total > self.files_peak_mb:
                self.files_peak_mb, self.files_parts_mb = total, parts

    def report(self):
        """All of it."""
        return {
            "peak_rss_mb": self.peak_mb, "peak_parts_mb": self.parts_mb, "peak_at_s": self.peak_at_s,
            "opened_rss_mb": self.opened_mb, "opened_at_s": self.opened_at_s,
            "files_peak_rss_mb": self.files_peak_mb, "files_peak_parts_mb": self.files_parts_mb,
        }  # fmt: skip

    def _now(self):
        return round(time.monotonic() - self._begun, 1)

    def _parts(self):
        parts = {}
        for each in [self._process, *self._process.children(recursive=True)]:
            try:
                what = " ".join(each.cmdline()[1:])
                name = "decoder" if "uploads.worker" in what else "server" if each == self._process else what[:60]
                parts[f"{name} {each.pid}"] = round(each.memory_info().rss / 1e6)
            except psutil.Error:  # it has just ended
                continue
        return parts


def replay(served, atlas, files, report, memory):
    """Upload files until none is left or the server has stopped; adds to the report, and returns what was left."""
    files = list(files)
    while files and psutil.pid_exists(served.pid):
        try:
            with Uploader(served.address, atlas) as visitor:
                memory.opened()
                for _ in range(min(VISIT, len(files))):
                    file = files.pop(0)
                    begun = time.monotonic()
                    problem = visitor.upload(*file)
                    took = time.monotonic() - begun
                    report["refused" if problem else "accepted"] += 1
                    report["files"] += 1
                    report["slowest_s"] = max(report["slowest_s"], round(took, 1))
                    report["outcomes"].append((file.name[:40], file.kind, round(took, 1), problem[:160]))
                report["exceptions"] += visitor.exceptions
                report["http_500"] += sum(count for status, count in visitor.statuses.items() if status == 500)
                report["statuses"].update(visitor.statuses)
        except (TimeoutError, OSError, WebSocketException) as error:
            report["files"] += 1
            report["unanswered"].append(f"{file.name[:40]}: {type(error).__name__}: {error}")
    return files


def main():
    """Replay all of them and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--atlas", default="boston")
    parser.add_argument("--only", default="", metavar="WORD", help="files with this in their names")
    parser.add_argument("--fake", action="store_true", help="made-up data: to try this script")
    parser.add_argument("--verbose", action="store_true", help="what became of each file")
    arguments = parser.parse_args()
    report = {
        "files": 0, "accepted": 0, "refused": 0, "unanswered": [], "server_stops": 0, "tracebacks": 0, "http_500": 0,
        "exceptions": [], "peak_rss_mb": 0, "memory": [],
        "slowest_s": 0.0, "statuses": Counter(), "outcomes": [],
    }  # fmt: skip
    files = [file for file in hostile_files(arguments.count, arguments.seed) if arguments.only in file.name]
    while files:
        with server.running(server.FAKE if arguments.fake else server.REAL) as served:
            memory = Memory(served.pid)
            memory.start()
            files = replay(served, arguments.atlas, files, report, memory)
            report["server_stops"] += not psutil.pid_exists(served.pid) or bool(files)
            memory.stopped.set()
            log = served.written()
        report["tracebacks"] += log.count("Traceback")
        report["memory"].append(memory.report())  # of each server that was started: one, if none stopped
        report["peak_rss_mb"] = max(report["peak_rss_mb"], memory.peak_mb)
        if log.count("Traceback"):
            sys.stderr.write(log[-5_000:])
    if not arguments.verbose:
        del report["outcomes"]
    sys.stdout.write(json.dumps(report, indent=1) + "\n")
    bad = report["server_stops"] or report["tracebacks"] or report["http_500"] or report["unanswered"]
    sys.exit(bool(bad or report["exceptions"] or report["peak_rss_mb"] > MOST_MB))


if __name__ == "__main__":
    main()
