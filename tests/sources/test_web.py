"""Requests: paced, bounded, tried again, never led to another host, nothing secret kept."""

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from tests.sources.local_services import STALLED, TRUNCATED, Truncated
from unigeoclip.errors import DownloadError, InputError
from unigeoclip.sources import web as web_module
from unigeoclip.sources.web import AbsentError, Pace, RefusedError, UnansweredError, Web, bare

HOST = "data.test"
URL = f"https://{HOST}/index.json"


@pytest.fixture
def index(services):
    path = services.folder / HOST / "index.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"answer": 42}')
    return path


@pytest.mark.parametrize("fault", [429, 500, 502, 503, 504, 408, TRUNCATED])
def test_what_may_pass_is_tried_again(services, web, index, fault):
    services.faults[f"/{HOST}"] = [fault, fault]
    assert web.get_json(URL) == {"answer": 42}
    assert services.count(f"/{HOST}") == web.requests == 3


def test_a_service_that_fails_again_and_again(services, web, index):
    services.faults[f"/{HOST}"] = [500] * 100
    with pytest.raises(DownloadError, match=r"in 5 attempts \(HTTP 500\).*goes on where it stopped"):
        web.get_json(URL)
    assert services.count() == 5


def test_a_service_that_does_not_answer(services, web, index, monkeypatch):
    monkeypatch.setattr(web_module, "TIMEOUT_S", 0.2)
    services.faults[f"/{HOST}"] = [STALLED]
    assert web.get_json(URL) == {"answer": 42}


def test_nobody_there():
    with pytest.raises(DownloadError, match="no connection"):
        Web(mirror="", first_wait_s=0.0).get_json("http://127.0.0.1:1/x")


@pytest.mark.parametrize("said", ["7", "Thu, 01 Jan 2099 00:00:00 GMT"])
def test_a_wait_that_is_asked_for_is_kept(services, web, index, monkeypatch, said):
    waits = []
    monkeypatch.setattr(web_module.time, "sleep", waits.append)
    services.faults[f"/{HOST}"] = [PlainTextResponse("slowly", 429, {"Retry-After": said})]
    if said == "7":
        web.get_json(URL)
        assert max(waits) == 7
    else:
        with pytest.raises(DownloadError, match=r"asks to wait for [\d,]+ s"):
            web.get_json(URL)
        assert services.count() == 1


def test_other_hosts_are_refused(services, web, index):
    services.faults[f"/{HOST}"] = [RedirectResponse("https://evil.test/index.json", 302)]
    with pytest.raises(DownloadError, match=r"data\.test leads to another host, evil\.test, which is refused"):
        web.get_json(URL)
    assert services.count("/evil.test") == 0


def test_the_same_host_may_redirect_but_not_for_ever(services, web, index):
    services.faults[f"/{HOST}"] = [RedirectResponse(URL, 307)]
    assert web.get_json(URL) == {"answer": 42}
    services.faults[f"/{HOST}"] = [RedirectResponse(URL, 307)] * 100
    with pytest.raises(DownloadError, match="without end"):
        web.get_json(URL)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://data.test/x", "https:///x", "/etc/passwd"])
def test_only_https(web, url):
    with pytest.raises(DownloadError, match="is not an https address"):
        web.get_json(url)
    assert web.requests == 0


def test_plain_http_becomes_https_unless_it_is_this_machine():
    web = Web(mirror="")
    assert web._secure("http://data.test/x") == "https://data.test/x"
    assert web._secure("http://127.0.0.1:80/x") == "http://127.0.0.1:80/x"
    assert web._secure("http://127.0.0.1.evil.test/x").startswith("https://")


def test_a_mirror_is_https_or_here():
    with pytest.raises(InputError, match="UNIGEOCLIP_MIRROR is an https address"):
        Web(mirror="http://mirror.test")


def test_wrong_content_type(services, web, index):
    services.faults[f"/{HOST}"] = [Response("<html>log in</html>", media_type="text/html")]
    with pytest.raises(DownloadError, match="gave text/html.* where json was expected"):
        web.get_json(URL)


@pytest.mark.parametrize("body", ["", "{", "[" * 100_000, '"\\ud800'])
def test_no_json(services, web, index, body):
    services.faults[f"/{HOST}"] = [Response(body, media_type="application/json")]
    with pytest.raises(DownloadError, match="not JSON"):
        web.get_json(URL)


def test_absent_and_refused(services, web):
    with pytest.raises(AbsentError):
        web.get_json("https://nowhere.test/x")
    services.faults["/locked"] = [401, 403]
    for _ in range(2):
        with pytest.raises(RefusedError, match="permission"):
            web.get_json("https://locked.test/x?sig=secret")
    assert services.count() == 3, "none of these passes by itself"


def test_too_much(services, web, monkeypatch):
    monkeypatch.setattr(web_module, "MOST_JSON_BYTES", 1000)
    services.faults["/big"] = [JSONResponse(["x" * 2000])]
    with pytest.raises(DownloadError, match="larger than the 1,000 bytes"):
        web.get_json("https://big.test/x")


def test_a_body_that_is_cut_and_stays_so(services, web):
    services.faults["/cut"] = [Truncated(b"abc", 10, "image/png")] * 9
    with pytest.raises(DownloadError, match="the answer ended early"):
        web.get("https://cut.test/x.png", types=("image/",), most_bytes=100)


def test_who_asks(services, web, index):
    web.get_json(URL)
    agent = services.asked[0][1]["user-agent"]
    assert agent.startswith("unigeoclip-explorer/")
    assert "https://" in agent


def test_the_pace(services, index, monkeypatch):
    """Ten requests a second and host, of all clients that share a pace; none is kept on this machine."""
    waited = []
    monkeypatch.setattr(web_module.time, "sleep", waited.append)
    pace = Pace(0.05)
    for host in ("a.test", "a.test", "b.test", "a.test"):
        pace.wait(host)
    assert waited[0] == waited[2] == 0
    assert 0 < waited[1] <= 0.05 < waited[3] <= 0.1
    waited.clear()
    for _ in range(3):
        Web(pace=pace).get_json(URL)
    assert not waited, "the mirror is on this machine"


def test_a_client_with_a_time_limit_gives_up(services, index, monkeypatch):
    services.faults[f"/{HOST}"] = [STALLED]
    web = Web(attempts=2, within_s=0.2)
    with pytest.raises(UnansweredError) as failure:
        web.get_json(URL)
    assert failure.value.why == "no answer in time"
    services.faults[f"/{HOST}"] = [PlainTextResponse("later", 429, {"Retry-After": "30"})]
    with pytest.raises(UnansweredError, match="asks to wait for 30 s"):
        Web(within_s=5).get_json(URL)
    services.asked.clear()
    with pytest.raises(UnansweredError):
        web.get_json(URL)
    assert not services.asked, "its time is over"


def test_a_known_answer_is_asked_for_conditionally(services, web, index):
    web.get_json(URL)
    again = Web(web._cache)
    etag = next(iter(services.folder.rglob("index.json"))).stat()
    services.faults[f"/{HOST}"] = [Response(status_code=304)]
    assert again.get_json(URL) == {"answer": 42}
    assert services.asked[-1][1]["if-none-match"]
    assert etag.st_size == 14


def test_a_damaged_answer_in_the_cache_is_asked_for_again(services, web, index):
    web.get_json(URL)
    (kept,) = (web._cache / "sources" / "answers").iterdir()
    kept.write_bytes(kept.read_bytes().replace(b"42", b"43"))
    assert web.get_json(URL) == {"answer": 42}
    assert "if-none-match" not in services.asked[-1][1]


def test_nothing_secret_is_kept_or_printed(services, web, index):
    web.get_json(f"{URL}?sig=secret", secret=True)
    web.get_json(URL, headers={"Authorization": "OAuth secret"}, secret=True)
    assert not (web._cache / "sources").exists()
    services.faults[f"/{HOST}"] = [500] * 5
    with pytest.raises(DownloadError) as failure:
        web.get_json(f"{URL}?sig=secret", secret=True)
    assert "secret" not in str(failure.value)
    assert bare("https://a/b?sig=x#y") == "https://a/b"


def test_parts(services, web, index):
    index.with_suffix(".tif").write_bytes(bytes(range(100)))
    url = URL.replace(".json", ".tif")
    part = web.get_part(url, 10, 19)
    assert part.data == bytes(range(10, 20))
    assert part.total == 100
    assert web.get_part(url, 90, 200).data == bytes(range(90, 100))
    with pytest.raises(DownloadError, match="has changed while it was read"):
        web.get_part(url, 0, 9, version='"another"')


def test_a_server_without_byte_ranges(services, web):
    services.faults["/plain"] = [Response(bytes(8), media_type="image/tiff")]
    with pytest.raises(DownloadError, match="does not support byte ranges"):
        web.get_part("https://plain.test/x.tif", 0, 9)
    services.faults["/plain"] = [Response(bytes(99), media_type="image/tiff")]
    with pytest.raises(DownloadError, match="is larger than"):
        web.get_part("https://plain.test/x.tif", 0, 9)
