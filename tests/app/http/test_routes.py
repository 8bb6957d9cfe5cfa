"""The app's own routes, without Streamlit."""

import io

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from pages.ui import query_string
from pages.ui.explore.display import draw
from pages.ui.explore.session import answer_query
from pages.ui.http import overlays, routes
from pages.ui.http.urls import urls
from pages.ui.services import serving
from pages.ui.services.overlays import OverlayStore
from tests.app import fake, fake_city
from unigeoclip.errors import AtlasError


def client_of(served):
    """A client of the routes of some services."""
    for name in served.explorers.names():
        assert served.explorers.opening(name).wait(30)
    return TestClient(Starlette(routes=routes.table(served)))


@pytest.fixture
def served():
    made = fake.services(("boston", "world"))
    yield made
    made.close()


@pytest.fixture
def client(served):
    return client_of(served)


@pytest.fixture
def atlas():
    return fake.FakeAtlas()


def test_heatmaps_of_a_querys_items_are_there_by_its_key(served, client, atlas):
    explorer = served.explorers.explorer("world")
    query = explorer.query((query_string.words("sea"), query_string.point(46.0, 9.0)))
    address = urls.live_query(atlas, served.weighed.keep(explorer, query))
    answer = client.get(address)
    assert answer.content == explorer.heatmaps_of_terms(query).to_bytes()
    assert answer.headers["cache-control"].startswith("private")
    assert client.get(urls.live_query(atlas, "0" * 24)).status_code == 404


def test_what_the_live_map_computes_from_is_that_of_the_present_model(client, atlas, monkeypatch):
    for address in (urls.live(atlas, "fake"), urls.live_encoder(atlas, "fake")):
        answer = client.get(address)
        assert answer.status_code == 200
        assert int.from_bytes(answer.content[:4], "little") < len(answer.content)
        assert answer.headers["cache-control"].startswith("public")
    for address in (urls.live(atlas, "before"), urls.live_encoder(atlas, "before")):
        answer = client.get(address)
        assert (answer.status_code, "another model" in answer.text) == (404, True)
    monkeypatch.setattr(fake.FakeExplorer, "has_browser_encoder", False)
    assert client.get(urls.live_encoder(atlas, "fake")).status_code == 404


def test_tiles_are_pictures_and_the_relief_leaves_the_sea_open(client, atlas):
    for style, mode in (("photo", "RGB"), ("plain", "RGBA")):
        address = urls.tiles(atlas, style).format(z=1, x=1, y=0)
        tile = Image.open(io.BytesIO(client.get(address).content))
        assert (tile.size, tile.mode) == ((256, 256), mode)
    assert tile.getpixel((250, 250))[3] == 0  # the Pacific of the made-up world
    assert tile.getpixel((60, 160))[3] == 255  # its Eurasia


@pytest.mark.parametrize(
    "address",
    [
        "/data/world/tiles/satellite/1/0/0",
        "/data/atlantis/tiles/photo/1/0/0",
        "/data/atlantis/pictures/aerial/1,2",
        "/data/atlantis/suggestions",
        "/data/atlantis/vectors/coast",
        "/data/atlantis/heights/1,2",
        "/data/world/vectors/rivers",
        "/data/world/vectors/..%2F..%2Fatlas",
        "/data/world/pictures/text/1,2",
        "/data/overlays/0000.png",
        "/data/progress/nothing",
        "/web/nothing.js",
    ],
)
def test_what_does_not_exist_is_not_found(client, address):
    assert client.get(address).status_code == 404


HUGE = ["9" * 400, "9" * 5000, "1000000000", "25", "-1", "1.5", "²", "nan", ""]


@pytest.mark.parametrize("number", HUGE, ids=lambda number: number[:12])
def test_numbers_out_of_bounds_are_refused_before_anything_is_computed(client, number):
    """A zoom of 400 digits once froze the whole server, with an error message that computed 2 to its power."""
    addresses = [
        f"/data/world/tiles/photo/{number}/0/0",
        f"/data/world/tiles/plain/3/{number}/0",
        f"/data/world/tiles/photo/3/0/{number}",
        f"/data/boston/street/42.36,-71.12,90.jpg?w={number}",
        f"/data/boston/street/{number}{number},-71.12,90.jpg",
    ]
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code in (400, 404), address
        assert len(answer.content) < 200


@pytest.mark.parametrize(
    "point", ["north,east", "1", "1,2,3", "nan,1", "1,inf", "91,0", "0,1e308", f"{'9' * 400},0", "1_0,2"]
)
def test_points_out_of_bounds_are_refused(client, point):
    for address in (f"/data/world/pictures/aerial/{point}", f"/data/boston/heights/{point}"):
        assert client.get(address).status_code == 400


def test_pictures_and_lines_are_served(client, atlas):
    picture = client.get(urls.picture(atlas, "aerial", 23.0, 8.0))
    assert Image.open(io.BytesIO(picture.content)).size == (224, 224)
    assert client.get(urls.vectors(atlas, "coast")).json()["type"] == "FeatureCollection"


def test_heatmaps_are_kept_by_content_and_only_so_many():
    store = OverlayStore(max_overlays=2)
    client = client_of(fake.services(overlays=store))
    name = store.publish(b"a heatmap")
    assert store.publish(b"a heatmap") == name
    answer = client.get(urls.overlay(name))
    assert (answer.content, answer.headers["content-type"]) == (b"a heatmap", "image/png")
    for number in range(3):
        store.publish(bytes([number]))
    assert client.get(urls.overlay(name)).status_code == 404


def test_heatmaps_are_bounded_by_bytes_and_the_newest_is_always_kept():
    store = OverlayStore(max_bytes=1000)
    client = client_of(fake.services(overlays=store))
    names = [store.publish(bytes([number]) * 400, "webp") for number in range(4)]
    assert [client.get(urls.overlay(name)).status_code for name in names] == [404, 404, 200, 200]
    assert store.nbytes == 800
    large = store.publish(b"large" * 1000)
    assert client.get(urls.overlay(large)).status_code == 200
    assert store.names == [large]
    assert store.nbytes == 5000


@pytest.mark.parametrize(
    "ending", ["svg+xml", "html", "geojson", "%F0%9F%97%BA", "x%0d%0aSet-Cookie:%20a=b", "PNG", ""]
)
def test_a_heatmap_is_what_it_was_published_as(served, client, ending):
    """The asker's ending once chose the type: a picture as a page, or a header that is none."""
    address = urls.overlay(served.overlays.publish(b"<script>alert(1)</script>"))
    answer = client.get(address.removesuffix("png") + ending)
    assert answer.status_code == 404
    assert "set-cookie" not in answer.headers


def test_the_heatmap_of_a_click_is_the_picture_that_the_page_will_publish(served, client, atlas):
    explorer = served.explorers.explorer("world")
    for display in ({}, {"colors": "cividis", "scale": "rank", "best": "5"}):
        shown = query_string.parse_display(display, ())[0]
        with serving(served):
            answer = answer_query(explorer, (query_string.point(23.4567, 8.0),), 10)
            expected = draw(explorer, answer, shown).overlay
        address = urls.heatmap(atlas, display).replace("{lat}", "23.45672").replace("{lng}", "368.0")
        led = client.get(address, follow_redirects=False)
        assert (led.status_code, led.headers["cache-control"]) == (303, "no-store")
        assert led.headers["location"] == urls.overlay(served.overlays.names[-1])
        assert client.get(led.headers["location"]).content == expected


def test_heatmaps_of_no_point_are_refused_and_so_is_a_stream_of_them(client):
    for point in ("91,0", "0", "0,nan", "0,541", "0,0,0", "a,b"):
        assert client.get(f"/data/world/heatmap/{point}").status_code == 400
    assert client.get("/data/atlantis/heatmap/1,2").status_code == 404
    answers = [client.get("/data/world/heatmap/10,10", follow_redirects=False) for _ in range(overlays.HEATMAPS)]
    assert answers[-1].status_code == 503
    assert "the page has the answer" in answers[-1].text


def test_what_shows_where_somebody_looked_is_kept_by_their_own_browser_only(served, client, atlas, city):
    private = [
        urls.overlay(served.overlays.publish(b"a heatmap")),
        urls.picture(atlas, "aerial", 23.0, 8.0),
        urls.heights(city, 42.36, -71.12),
        urls.street(city, 42.36, -71.12, 90),
        urls.street_templates(city)["step"].format(pose="42.36,-71.13,90", way="ahead"),
        "/data/qr.svg?address=http://192.168.1.20:8501/",
    ]
    for address in private:
        assert client.get(address).headers["cache-control"].startswith("private")
    for address in (urls.tiles(atlas, "photo").format(z=1, x=1, y=0), urls.vectors(atlas, "coast")):
        assert client.get(address).headers["cache-control"].startswith("public")
    assert client.get("/data/atlantis/suggestions").headers["cache-control"] == "no-store"


def test_an_atlas_that_is_being_opened_is_worth_asking_again(served, client):
    opening = served.explorers.opening("world")
    opening.atlas = opening.explorer = None
    for address in ("/data/world/suggestions", "/data/world/pictures/aerial/1,2", "/data/world/tiles/photo/0/0/0"):
        answer = client.get(address)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert "still being opened" in answer.text
    opening.error = AtlasError("/home/somebody/atlases/world/aerial.tif is damaged.")
    broken = client.get("/data/world/suggestions")
    assert (broken.status_code, "retry-after" in broken.headers) == (503, False)
    assert "somebody" not in broken.text


class Faulty:
    """Suggestions with a fault."""

    def json(self, atlas):
        raise ZeroDivisionError("a secret of the code")


def test_a_fault_of_ours_is_an_answer_without_a_traceback(caplog):
    client = client_of(fake.services(suggestions=Faulty()))
    answer = client.get("/data/world/suggestions")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "text/plain; charset=utf-8")
    assert "secret" not in answer.text
    assert "a secret of the code" in caplog.text


def test_addresses_too_long_for_a_code_are_refused(client):
    assert client.get("/data/qr.svg", params={"address": "http://a/" + "x" * 991}).status_code == 200
    for address in ("http://a/" + "x" * 992, "http://a/" + "é" * 600, "http://a/" + "\U0001f5fa" * 300, "ftp://a/", ""):
        assert client.get("/data/qr.svg", params={"address": address}).status_code == 400


def test_scripts_are_checked_for_changes(client):
    answer = client.get("/web/components/map/map.js")
    assert answer.headers["cache-control"] == "no-cache"
    assert "javascript" in answer.headers["content-type"]
    assert (
        client.get("/web/components/map/map.js", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    )


@pytest.fixture
def city():
    return fake_city.FakeCity()


def test_beyond_the_edge_of_a_city_the_page_shows_through(client, city):
    tile = Image.open(io.BytesIO(client.get(urls.tiles(city, "photo").format(z=9, x=154, y=189)).content))
    assert tile.mode == "RGBA"
    assert {tile.getpixel((0, 0))[3], tile.getpixel((255, 0))[3], tile.getpixel((220, 60))[3]} >= {0, 255}


def test_street_views_are_served_in_the_size_asked_for(client, city):
    answer = client.get(urls.street(city, 42.36, -71.12, 90))
    assert answer.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(answer.content)).size == (448, 336)
    wide = urls.street_templates(city)["picture"].format(pose="42.36,-71.12,405", width=896)
    assert Image.open(io.BytesIO(client.get(wide).content)).size == (896, 672)
    assert client.get(wide).content == client.get(wide.replace(",405.jpg", ",45.jpg")).content


def test_a_step_is_the_next_camera_looking_the_same_way(client, city):
    step = urls.street_templates(city)["step"]

    def go(pose, way):
        return client.get(step.format(pose=pose, way=way)).json()

    here = fake_city.FakeStreets().nearest(42.36, -71.13)
    ahead = go(f"{here.lat},{here.lon},90", "ahead")
    assert ahead["lng"] == pytest.approx(here.lon + fake_city.STEP_DEG)
    assert (ahead["heading"], ahead["street"]) == (90, "Middle Street")  # its camera looks west, the visitor east
    back = go(f"{here.lat},{here.lon},90", "back")
    assert back["lng"] == pytest.approx(here.lon - fake_city.STEP_DEG)
    assert back["heading"] == 90
    # Who looks at the houses goes along the street, and goes on looking at the houses.
    aside = go(f"{here.lat},{here.lon},10", "ahead")
    assert aside["lng"] == pytest.approx(here.lon + fake_city.STEP_DEG)
    assert aside["heading"] == 10
    assert go(f"{here.lat},{fake_city.FIRST_LON},270", "ahead") is None


def test_a_step_names_whose_the_next_photo_is(client, city, monkeypatch):
    here = fake_city.FakeStreets().nearest(42.36, -71.13)
    credits_of = {here.lon: "Jane Doe", here.lon + fake_city.STEP_DEG: "John Roe"}

    def photo_of(_, lat, lon, heading_deg):
        return {"credit": next(who for at, who in credits_of.items() if abs(at - lon) < 1e-7), "license": "CC BY 4.0"}

    monkeypatch.setattr(fake_city.FakeStreets, "photo_of", photo_of)
    step = urls.street_templates(city)["step"].format(pose=f"{here.lat},{here.lon},90", way="ahead")
    assert client.get(step).json()["origin"].endswith("John Roe, CC BY 4.0")


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/data/boston/street/42.36,-71.12,90.jpg?w=9000", 400, "from 64 to 1344"),
        ("/data/boston/street/42.36,-71.12,90.jpg?w=big", 400, "from 64 to 1344"),
        ("/data/boston/street/10,10,0.jpg", 400, "outside this city"),
        ("/data/boston/street/95,10,0.jpg", 400, "latitude"),
        ("/data/boston/street/42.36,-71.12,nan.jpg", 400, "heading"),
        ("/data/boston/street/here.jpg", 400, "latitude,longitude,heading"),
        ("/data/boston/street/42.36,-71.12/ahead", 400, "latitude,longitude,heading"),
        ("/data/boston/street/42.36,-71.12,90/up", 404, "ahead or back"),
        ("/data/world/street/42.36,-71.12,90.jpg", 404, "no street views"),
        ("/data/atlantis/street/42.36,-71.12,90.jpg", 404, "no such atlas"),
    ],
)
def test_what_is_no_street_view_is_refused_in_words(client, address, status, words):
    answer = client.get(address)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/plain; charset=utf-8")
    assert words in answer.text


def test_the_height_scale_of_a_window_is_in_meters(client, city):
    scale = client.get(urls.heights(city, 42.36, -71.12)).json()
    assert (scale["low"], scale["high"]) == ("0 m", "38 m")
    assert len(set(scale["colors"])) > 5
    assert client.get("/data/atlantis/heights/1,2").status_code == 404
    assert client.get("/data/boston/heights/north").status_code == 400


def test_the_place_search_finds_names_and_points(client, atlas):
    def asked(text):
        return client.get(urls.names(atlas), params={"text": text, "v": "1"})

    first = asked("lodz").json()["names"][0]
    assert (first["name"], first["detail"]) == ("Łódź", "Poland")
    assert 51 < first["lat"] < 52.5
    assert 19 < first["lng"] < 20
    (point,) = asked("42.36, -71.06").json()["names"]
    assert (point["lat"], point["lng"]) == (42.36, -71.06)
    assert asked("").json() == {"names": [], "problem": ""}
    assert asked("qqqq<b>").json() == {"names": [], "problem": "No place of this map is called “qqqq<b>”."}
    assert "outside" in asked("95, 10").json()["problem"]
    assert asked("a" * 81).status_code == 400
    assert client.get("/data/atlantis/names?text=a").status_code == 404


def test_points_outside_of_a_city_are_not_found(client):
    answer = client.get(urls.names(fake_city.FakeCity()), params={"text": "48.85, 2.35"}).json()
    assert answer == {"names": [], "problem": "The point 48.85, 2.35 is outside of this map."}
