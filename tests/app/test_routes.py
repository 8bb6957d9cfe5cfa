"""The app's own routes, without Streamlit."""

import io

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from pages.ui import engine, routes
from tests.app import fake


@pytest.fixture
def client(monkeypatch):
    fake.install(monkeypatch.setattr)
    assert engine.opening("world").wait(30)
    return TestClient(Starlette(routes=routes.ROUTES))


@pytest.fixture
def atlas():
    return fake.FakeAtlas()


def test_tiles_are_pictures_and_the_relief_leaves_the_sea_open(client, atlas):
    for style, mode in (("photo", "RGB"), ("plain", "RGBA")):
        address = routes.tile_url(atlas, style).format(z=1, x=1, y=0)
        tile = Image.open(io.BytesIO(client.get(address).content))
        assert (tile.size, tile.mode) == ((256, 256), mode)
    assert tile.getpixel((250, 250))[3] == 0  # the Pacific of the made-up world
    assert tile.getpixel((60, 160))[3] == 255  # its Eurasia


@pytest.mark.parametrize(
    "address",
    [
        "/data/world/tiles/photo/1/7/0",
        "/data/world/tiles/satellite/1/0/0",
        "/data/atlantis/tiles/photo/1/0/0",
        "/data/world/vectors/rivers",
        "/data/world/vectors/..%2F..%2Fatlas",
        "/data/world/pictures/aerial/north,east",
        "/data/overlays/0000.png",
        "/web/nothing.js",
    ],
)
def test_what_does_not_exist_is_not_found(client, address):
    assert client.get(address).status_code == 404


def test_pictures_and_lines_are_served(client, atlas):
    picture = client.get(routes.picture_url(atlas, "aerial", 23.0, 8.0))
    assert Image.open(io.BytesIO(picture.content)).size == (224, 224)
    assert client.get(routes.vector_url(atlas, "coast")).json()["type"] == "FeatureCollection"


def test_heatmaps_are_kept_by_content_and_only_so_many(client, monkeypatch):
    address = routes.publish_overlay(b"a heatmap")
    assert routes.publish_overlay(b"a heatmap") == address
    answer = client.get(address)
    assert (answer.content, answer.headers["content-type"]) == (b"a heatmap", "image/png")
    monkeypatch.setattr(routes, "MAX_OVERLAYS", 2)
    for number in range(3):
        routes.publish_overlay(bytes([number]))
    assert client.get(address).status_code == 404


def test_scripts_are_checked_for_changes(client):
    answer = client.get("/web/map/map.js")
    assert answer.headers["cache-control"] == "no-cache"
    assert "javascript" in answer.headers["content-type"]
    assert client.get("/web/map/map.js", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
