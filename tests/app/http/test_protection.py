"""Headers, limits of visitors, their pace and their uploads: what stands between strangers and the server."""

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState

from pages.ui.http import index, protection
from pages.ui.http.protection import Protection, Visitors
from tests.app import fake
from unigeoclip.errors import InputError

MESSAGE = BackMsg(rerun_script=ClientState(query_string="q=text:sea")).SerializeToString()


async def _echo(websocket):
    await websocket.accept()
    try:
        while True:
            await websocket.send_bytes(await websocket.receive_bytes())
    except WebSocketDisconnect:
        pass


async def _plain(_request):
    return PlainTextResponse("fine", headers={"Referrer-Policy": "origin"})


def client_of(visitors=None, services=None, **options):
    visitors, services = visitors or Visitors(), services or fake.services([])
    routes = [
        *index.routes(visitors, services),
        Route("/plain", _plain),
        Route("/_stcore/metrics", _plain),
        Route("/_stcore/upload_file/{session}/{file}", _plain, methods=["PUT"]),
        WebSocketRoute("/_stcore/stream", _echo),
    ]
    options = {"script_hashes": index.script_hashes()} | options
    return TestClient(
        Starlette(routes=routes, middleware=[Middleware(Protection, visitors=visitors, services=services, **options)])
    )


@pytest.mark.parametrize("path", ["/", "/compare", "/atlas", "/plain", "/nothing", "/_stcore/metrics"])
def test_every_answer_carries_the_headers(path):
    headers = client_of().get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert "camera=()" in headers["permissions-policy"]
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == "'self'"
    assert policy["object-src"] == "'none'"
    assert not {"'unsafe-inline'", "'unsafe-eval'"} & set(policy["script-src"].split())
    assert protection.TILES in policy["img-src"]
    assert headers["referrer-policy"] == ("origin" if path == "/plain" else "same-origin")  # a route's own word holds


def test_the_policy_names_the_inline_script_of_streamlits_page():
    html = client_of().get("/").text
    assert html.index("/web/backend.js") < html.index("static/js/")  # before the client reads it
    assert len(index.script_hashes()) == 1
    assert index.script_hashes()[0] in client_of().get("/").headers["content-security-policy"]


def test_metrics_are_closed_unless_asked_for(monkeypatch):
    assert client_of().get("/_stcore/metrics").status_code == 404
    monkeypatch.setenv(protection.METRICS, "1")
    assert client_of().get("/_stcore/metrics").status_code == 200


def test_a_visitor_too_many_reads_a_sentence_and_the_others_go_on():
    client = client_of(Visitors(most=4))  # of which one client gets two, and two to spare
    with client.websocket_connect("/_stcore/stream") as first:
        assert client.get("/").status_code == 200
        with client.websocket_connect("/_stcore/stream"):
            full = client.get("/compare")
            assert (full.status_code, full.headers["retry-after"]) == (503, "30")
            assert protection.FULL in full.text
            with client.websocket_connect("/_stcore/stream"), client.websocket_connect("/_stcore/stream"):
                with pytest.raises(WebSocketDenialResponse) as refused, client.websocket_connect("/_stcore/stream"):
                    pass
                assert refused.value.status_code == 503
                assert refused.value.text == protection.FULL
                first.send_bytes(MESSAGE)
                assert first.receive_bytes() == MESSAGE
        assert client.get("/").status_code == 200  # somebody left


def test_one_client_cannot_take_all_the_room():
    visitors = Visitors(most=10)
    assert sum(visitors.enter("hostile") for _ in range(50)) == 7
    assert visitors.is_full("hostile")
    assert not visitors.is_full("honest")
    assert visitors.enter("honest")
    for _ in range(7):
        visitors.leave("hostile")
    assert not visitors._open["hostile"]


def test_one_client_cannot_open_pages_without_end(monkeypatch):
    monkeypatch.setattr(protection, "CONNECTS", 3)
    monkeypatch.setattr(protection, "CONNECTS_PER_S", 1e-9)
    visitors, opened = Visitors(), []
    for _ in range(6):
        opened.append(visitors.enter("hostile"))
        if opened[-1]:
            visitors.leave("hostile")
    assert opened == [True, True, True, False, False, False]
    assert visitors.enter("honest")


@pytest.mark.parametrize("name", [protection.MAX_VISITORS, protection.RUNS_A_SECOND, protection.MAX_OF_ONE])
@pytest.mark.parametrize("value", ["0", "-1", "many", "", "9" * 100])
def test_a_limit_that_is_none_is_refused(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=name):
        Visitors.from_environment()


def test_the_limit_of_visitors_can_be_set(monkeypatch):
    monkeypatch.setenv(protection.MAX_VISITORS, "2")
    monkeypatch.setenv(protection.RUNS_A_SECOND, "7")
    visitors = Visitors.from_environment()
    assert visitors._runs_per_s == 7
    assert visitors.enter("a")
    assert visitors.is_full("a")
    assert visitors.enter("b")
    assert visitors.is_full("c")


def test_the_limit_of_one_client_can_be_set(monkeypatch):
    monkeypatch.setenv(protection.MAX_OF_ONE, "100")
    visitors = Visitors.from_environment()
    for _ in range(30):  # so many at once
        assert visitors.enter("a room behind one address")
    monkeypatch.setenv(protection.MAX_OF_ONE, "1")
    visitors = Visitors.from_environment()
    assert visitors.enter("a")
    assert visitors.is_full("a")
    assert not visitors.is_full("b")


def test_a_server_that_is_being_stopped_lets_nobody_in():
    services = fake.services(["world"])
    client = client_of(services=services)
    with client.websocket_connect("/_stcore/stream") as here:
        services.readiness.end()
        refused = client.get("/compare")
        assert (refused.status_code, refused.headers["retry-after"]) == (502, "5")  # a proxy asks the next server
        assert protection.ENDING in refused.text
        with pytest.raises(WebSocketDenialResponse) as denied, client.websocket_connect("/_stcore/stream"):
            pass
        assert denied.value.status_code == 502
        here.send_bytes(MESSAGE)  # who is in may finish
        assert here.receive_bytes() == MESSAGE


def test_browsers_are_told_which_replica_holds_their_session():
    client = client_of(replica="b")
    assert client.get("/plain").headers.get("set-cookie") is None
    cookie = "unigeoclip_replica=b; Path=/; HttpOnly; SameSite=Lax"
    assert client.get("/compare").headers["set-cookie"] == cookie
    with client.websocket_connect("/_stcore/stream") as stream:
        assert (b"set-cookie", cookie.encode()) in [tuple(each) for each in stream.extra_headers]
    assert client_of().get("/").headers.get("set-cookie") is None


def test_what_is_refused_is_counted(monkeypatch):
    services = fake.services([])
    client = client_of(Visitors(most=1), services)
    with client.websocket_connect("/_stcore/stream") as stream:
        stream.send_bytes(MESSAGE)
        stream.receive_bytes()
        assert client.get("/").status_code == 503
        stream.send_bytes(b"junk")
        with pytest.raises(WebSocketDisconnect):
            stream.receive_bytes()
    monkeypatch.setattr(protection, "held_uploads", lambda: {"": protection.ALL_UPLOAD_BYTES})
    assert client.put("/_stcore/upload_file/a/1").status_code == 503
    refused = {
        line.split('"')[1]: float(line.split()[-1])
        for line in services.metrics.text().decode().splitlines()
        if line.startswith("unigeoclip_refused_total")
    }
    assert refused == {"page": 1, "ending": 0, "upload": 1, "request": 0, "message": 1}


def test_acts_that_come_too_fast_wait(monkeypatch):
    """Back-pressure: what is not taken from the connection, the other side cannot send."""
    waits = []

    async def note(seconds):
        waits.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", note)
    monkeypatch.setattr(protection, "RUNS", 2)
    monkeypatch.setattr(protection, "CLIENT_RUNS", 5)
    visitors = Visitors(runs_per_s=0.01)

    async def receive():
        return {"type": "websocket.receive", "bytes": MESSAGE}

    async def take(count, client):
        waits.clear()
        page = protection._Page(receive, None, client, visitors.pace(client), fake.services([]))
        assert len([await page.receive() for _ in range(count)]) == count
        page.close()
        return waits

    assert asyncio.run(take(4, "a")) == pytest.approx([0, 0, 100, 200], rel=0.1)
    # Another page of the same client has a pace of its own; but both have that of the client.
    assert asyncio.run(take(2, "a")) == pytest.approx([0, 100 / protection.CLIENT_RUNS_PER_RUN], rel=0.1)
    assert asyncio.run(take(2, "b")) == [0, 0]


@pytest.mark.parametrize("junk", ["hello", b"hello", b"\xff" * 100], ids=["text", "bytes", "more bytes"])
def test_junk_ends_the_connection_without_a_traceback(junk):
    with client_of().websocket_connect("/_stcore/stream") as stream:
        (stream.send_text if isinstance(junk, str) else stream.send_bytes)(junk)
        with pytest.raises(WebSocketDisconnect) as closed:
            stream.receive_bytes()
    assert closed.value.code == 1003


def test_uploads_are_bounded_by_what_is_held_in_memory(monkeypatch):
    held = {"mine": protection.SESSION_UPLOAD_BYTES - 1, "another": 5}
    monkeypatch.setattr(protection, "held_uploads", lambda: held)
    client = client_of()
    assert client.put("/_stcore/upload_file/mine/1").status_code == 200
    held["mine"] += 1
    refused = client.put("/_stcore/upload_file/mine/1")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert client.put("/_stcore/upload_file/another/1").status_code == 200
    held["a third"] = protection.ALL_UPLOAD_BYTES
    assert client.put("/_stcore/upload_file/another/1").status_code == 503


def test_uploads_take_turns_and_none_waits_without_end(monkeypatch):
    monkeypatch.setattr(protection, "held_uploads", dict)
    monkeypatch.setattr(protection, "UPLOADS_WAITING", 2)
    services, statuses, begun = fake.services([]), [], []

    async def main():
        go_on = asyncio.Event()

        async def app(_scope, _receive, send):
            begun.append(None)
            await go_on.wait()
            await PlainTextResponse("fine")(_scope, _receive, send)

        async def send(message):
            statuses.extend([message["status"]] if "status" in message else [])

        guarded = Protection(app, Visitors(), services)
        scope = {"type": "http", "method": "PUT", "path": "/_stcore/upload_file/a/1", "client": ("a", 1), "headers": []}
        tasks = []
        for _ in range(protection.UPLOADS_AT_ONCE + 3):
            tasks.append(asyncio.ensure_future(guarded(scope, None, send)))
            for _ in range(10):
                await asyncio.sleep(0)
        assert (len(begun), statuses) == (protection.UPLOADS_AT_ONCE, [503])  # two wait, the third may not
        go_on.set()
        await asyncio.gather(*tasks)
        assert sorted(statuses) == [200] * (protection.UPLOADS_AT_ONCE + 2) + [503]
        go_on.clear()
        first = [asyncio.ensure_future(guarded(scope, None, send)) for _ in range(protection.UPLOADS_AT_ONCE)]
        for _ in range(10):
            await asyncio.sleep(0)
        statuses.clear()
        monkeypatch.setattr(protection, "UPLOAD_WAITS_S", 0.0)
        await guarded(scope, None, send)
        assert statuses == [503]
        go_on.set()
        await asyncio.gather(*first)

    asyncio.run(main())
    assert 'unigeoclip_refused_total{what="upload"} 2.0' in services.metrics.text().decode()


def test_what_streamlit_holds_of_uploads_is_counted(monkeypatch):
    from types import SimpleNamespace

    from streamlit import runtime
    from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
    from streamlit.runtime.uploaded_file_manager import UploadedFileRec

    manager = MemoryUploadedFileManager("/_stcore/upload_file")
    for number in range(3):
        manager.add_file("mine", UploadedFileRec(str(number), "a.png", "image/png", b"12345"))
    monkeypatch.setattr(runtime, "exists", lambda: True)
    monkeypatch.setattr(runtime, "get_instance", lambda: SimpleNamespace(uploaded_file_mgr=manager))
    assert protection.held_uploads() == {"mine": 15}


def test_the_options_of_the_server_are_those_meant():
    import tomllib

    from tests.app import fake

    options = tomllib.loads((fake.ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert options["server"]["address"] == options["browser"]["serverAddress"] == "localhost"
