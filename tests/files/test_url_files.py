"""Files from web addresses, against a server of this machine: pinned, whole or not at all; copies at hand."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from unigeoclip.errors import DownloadError, InputError
from unigeoclip.files.url_files import Copy, UrlFile, fetch_url, find_copies, is_fetched

CONTENT = b"lat,lon,target\n" * 100
SIZE = len(CONTENT)
CHECKSUM = hashlib.sha256(CONTENT).hexdigest()


def digest(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def server():
    """A server of paths -> (status, content); notes what was asked for."""
    answers, asked = {}, []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            status, content = answers.get(self.path, (404, b""))
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    running.answers, running.asked = answers, asked
    running.base = f"http://127.0.0.1:{running.server_port}"
    yield running
    running.shutdown()
    running.server_close()


def url_file(server, *paths, sha256=CHECKSUM, size=SIZE, **more):
    return UrlFile("labels.csv", tuple(server.base + path for path in paths), size, sha256, **more)


def test_a_file_is_fetched_and_checked(server, tmp_path):
    server.answers["/a"] = 200, CONTENT
    said = []
    file = url_file(server, "/a")
    assert not is_fetched(file, tmp_path)
    assert fetch_url(file, tmp_path, said.append).read_bytes() == CONTENT
    assert is_fetched(file, tmp_path)
    assert "0.0 MB" in said[0]
    assert server.base in said[0]


def test_the_next_address_is_tried(server, tmp_path):
    server.answers["/b"] = 200, CONTENT
    assert fetch_url(url_file(server, "/a", "/b"), tmp_path, print).read_bytes() == CONTENT
    assert server.asked == ["/a", "/b"]


@pytest.mark.parametrize("content", [CONTENT[:-1] + b"!", CONTENT + b"more", b""])
def test_another_content_is_refused_and_nothing_is_left(server, tmp_path, content):
    server.answers["/a"] = 200, content
    with pytest.raises(DownloadError, match="could not be fetched"):
        fetch_url(url_file(server, "/a"), tmp_path, print)
    assert list(tmp_path.iterdir()) == []


def test_a_busy_server_is_asked_again(server, tmp_path):
    server.answers["/a"] = 503, b""
    with pytest.raises(DownloadError, match="HTTP 503"):
        fetch_url(url_file(server, "/a"), tmp_path, print, first_wait_s=0)
    assert len(server.asked) == 3


def test_without_a_pinned_checksum_the_found_one_is_said(server, tmp_path):
    server.answers["/a"] = 200, CONTENT
    said = []
    file = url_file(server, "/a", sha256=None)
    fetch_url(file, tmp_path, said.append)
    assert CHECKSUM in said[-1]
    assert is_fetched(file, tmp_path)


def test_copies_are_found_by_content_whatever_their_name(server, tmp_path):
    at_hand, folder = tmp_path / "mine", tmp_path / "cache"
    (at_hand / "inside").mkdir(parents=True)
    (at_hand / "inside" / "something.csv").write_bytes(CONTENT)
    assert find_copies([url_file(server, "/a")], at_hand, folder) == ["labels.csv"]
    assert (folder / "labels.csv").read_bytes() == CONTENT
    assert server.asked == []


def test_a_reduced_copy_is_right_too(server, tmp_path):
    small = b"lat,lon\n"
    file = url_file(server, "/a", sha256=None, copies=(Copy(len(small), digest(small), ("short.csv",)),))
    (tmp_path / "short.csv").write_bytes(small)
    assert find_copies([file], tmp_path, tmp_path / "cache") == ["labels.csv"]


def test_a_changed_copy_is_refused_with_both_checksums(server, tmp_path):
    changed = CONTENT.replace(b"lat", b"lot")
    (tmp_path / "known.csv").write_bytes(changed)
    with pytest.raises(InputError) as refused:
        find_copies([url_file(server, "/a", names=("known.csv",))], tmp_path, tmp_path / "cache")
    assert CHECKSUM in str(refused.value)
    assert digest(changed) in str(refused.value)
    assert not (tmp_path / "cache").exists()


def test_a_folder_at_hand_must_be_one(server, tmp_path):
    with pytest.raises(InputError, match="is no folder"):
        find_copies([url_file(server, "/a")], tmp_path / "none", tmp_path)
