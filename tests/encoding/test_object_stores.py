"""Stores in buckets: the same bytes as in a folder, and one sentence for what goes wrong. All on loopback."""

import http.server
import os
import socket
import threading
import urllib.request

import pyarrow as pa
import pytest

from tests.encoding.conftest import OPTIONS
from tests.encoding.stores import parts_of
from unigeoclip.encoding import encode_atlas, read_parts
from unigeoclip.encoding.storage import open_storage
from unigeoclip.errors import InputError

pytest.importorskip("obstore")
server = pytest.importorskip("moto.server")


@pytest.fixture
def no_credentials(monkeypatch):
    for name in list(os.environ):
        if name.startswith(("AWS_", "GOOGLE_", "AZURE_")):
            monkeypatch.delenv(name)


@pytest.fixture
def credentials(no_credentials, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


@pytest.fixture
def bucket(credentials, monkeypatch):
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    endpoint = f"http://127.0.0.1:{running.get_host_and_port()[1]}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST")).close()
    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/places", method="PUT")).close()
    yield "s3://places/stores/tiny"
    running.stop()


@pytest.fixture
def denying():
    """A server that denies everything."""

    class Denying(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(403)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_PUT = do_GET  # noqa: N815

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Denying) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_a_store_in_a_bucket(atlas, serial, bucket):
    done = encode_atlas(atlas, bucket, quiet=True, **OPTIONS)
    storage = open_storage(bucket)
    assert done.added == len(done.manifest.partitions)
    expected = parts_of(serial)
    assert {name: storage.read(name, 10**7) for name in expected} == expected
    assert storage.names("claims") == set()
    assert pa.concat_tables(read_parts(bucket)).equals(pa.concat_tables(read_parts(serial)))
    box = (-20.0, 12.0, 40.0, 60.0)
    ids = [pa.concat_tables(read_parts(store, ["place_id"], box)) for store in (bucket, serial)]
    assert ids[0].equals(ids[1])
    part = done.manifest.partitions[0]
    storage.remove([part.file])
    with pytest.raises(InputError, match=r"s3://places/stores/tiny is not finished: 1 of"):
        next(read_parts(bucket))
    assert encode_atlas(atlas, bucket, quiet=True, **OPTIONS).added == 1
    with pytest.raises(InputError, match="made for --dtype"):
        encode_atlas(atlas, bucket, quiet=True, dtype="int8", **OPTIONS)


def test_the_first_writer_wins(bucket, tmp_path):
    for storage in (open_storage(bucket), open_storage(tmp_path / "store")):
        assert storage.create("parts/a", b"first")
        assert not storage.create("parts/a", b"second")
        assert storage.read("parts/a", 100) == b"first"
        assert storage.read("parts/b", 100) is None
        assert (storage.exists("parts/a"), storage.exists("parts/b")) == (True, False)
        assert (storage.names("parts"), storage.names("claims")) == ({"a"}, set())
        with pytest.raises(InputError, match="larger than the 4 bytes"):
            storage.read("parts/a", 4)
        with pytest.raises(InputError, match="parts/b"):
            storage.open("parts/b")
        storage.remove(["parts/a", "parts/b"])
        assert storage.names("parts") == set()


def test_a_bucket_that_does_not_exist(bucket):
    with pytest.raises(InputError, match=r"s3://nowhere/x: the bucket does not exist"):
        open_storage("s3://nowhere/x").create("a", b"")


def test_no_credentials(no_credentials, denying, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", denying)
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", denying)  # else a machine of the cloud is asked
    with pytest.raises(InputError, match="there are no credentials. Set AWS_ACCESS_KEY_ID"):
        open_storage("s3://places/x").create("a", b"")
    with pytest.raises(InputError, match="there are no credentials. Set AZURE_STORAGE_ACCOUNT_NAME"):
        open_storage("az://places/x")


def test_denied(credentials, denying, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", denying)
    with pytest.raises(InputError, match="access was denied"):
        open_storage("s3://places/x").create("a", b"")


def test_nobody_answers(credentials, monkeypatch):
    with socket.socket() as taken:  # bound, but nothing listens
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(InputError, match="cannot be reached"):
            open_storage("s3://places/x").create("a", b"")


@pytest.mark.parametrize(
    "address",
    ["s3://", "s3:///x", "s3://b", "http://b/x", "file:///x", "memory://x", "s3://places/../x", "s3://places/a?b=c",
     "s3://key:secret@places/x", "s3://places/a\nb"],
)  # fmt: skip
def test_addresses_that_are_none(address):
    with pytest.raises(InputError, match="is no place for a store") as caught:
        open_storage(address)
    assert "secret" not in str(caught.value)


def test_a_folder_that_cannot_be_made(atlas, tmp_path):
    (tmp_path / "file").write_text("a file")
    with pytest.raises(InputError, match="cannot be"):
        encode_atlas(atlas, tmp_path / "file" / "store", quiet=True, **OPTIONS)
