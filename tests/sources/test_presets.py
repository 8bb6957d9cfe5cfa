"""Which sources a place has, tried in order, and why one is taken."""

import pytest

from tests.sources.local_services import BLOB, amsterdam_panorama, panoramax_photo, stac_item
from tests.sources.test_tiles_and_sheets import write_index
from unigeoclip.errors import DownloadError, InputError
from unigeoclip.sources.presets import PRESETS, choose, preset_bounds, tiles_of

BOSTON = (42.335, -71.110, 42.345, -71.095)
AMSTERDAM = (52.360, 4.880, 52.370, 4.895)
LIMA = (-12.06, -77.05, -12.05, -77.04)
WHOLE = (-90.0, -180.0, 90.0, 180.0)


@pytest.fixture(autouse=True)
def without_token(monkeypatch):
    monkeypatch.delenv("MAPILLARY_TOKEN", raising=False)


def chosen(modality, bounds, tmp_path, web):
    choice = choose(modality, bounds, tmp_path, web)
    return choice.plan.word if choice.plan else None, choice.reasons


def add(services, collection, bounds, **said):
    services.items[collection].append(stac_item(collection, collection, bounds, f"https://{BLOB}/x.tif", **said))


def test_amsterdam(services, web, tmp_path):
    write_index(services, {"25GN1": (52.35, 4.86, 52.38, 4.91)})
    services.panoramas = [
        amsterdam_panorama(f"p{row}-{column}", 52.3602 + row * 0.0008, 4.8803 + column * 0.0012)
        for row in range(12) for column in range(12)
    ]  # fmt: skip
    assert chosen("aerial", AMSTERDAM, tmp_path, web)[0] == "xyz:pdok-ortho"
    assert chosen("surface", AMSTERDAM, tmp_path, web)[0] == "ahn:"
    word, reasons = chosen("street", AMSTERDAM, tmp_path, web)
    assert word == "amsterdam:"
    assert reasons == ["amsterdam is taken: panoramas of every street, by the city; 144 photos."]
    assert services.count("/planetarycomputer") == 0, "who has good data near by is not asked for worse"


def test_boston_where_lidar_is_missing(services, web, tmp_path):
    add(services, "naip", (42.0, -72.0, 43.0, -71.0))
    add(services, "3dep-lidar-dsm", (42.335, -71.110, 42.337, -71.095), asset="data")
    add(services, "cop-dem-glo-30", (42.0, -72.0, 43.0, -71.0), asset="data")
    assert chosen("aerial", BOSTON, tmp_path, web)[0] == "stac:naip"
    word, reasons = chosen("surface", BOSTON, tmp_path, web)
    assert word == "stac:cop-dem-glo-30"
    assert reasons[0] == "stac:3dep-lidar-dsm has 20% of the area."
    word, reasons = chosen("street", BOSTON, tmp_path, web)
    assert word is None
    assert reasons == ["mapillary is not asked: MAPILLARY_TOKEN is not set.", "panoramax has 0 photos."]


def test_elsewhere_and_too_few(services, web, tmp_path):
    add(services, "sentinel-2-l2a", (-13.0, -78.0, -12.0, -77.0), asset="visual", **{"eo:cloud_cover": 3})
    services.photos = [panoramax_photo("x", -12.055, -77.045)]
    assert chosen("aerial", LIMA, tmp_path, web)[0] == "stac:sentinel-2-l2a"
    assert chosen("street", LIMA, tmp_path, web)[1][-1] == "panoramax is taken: it has the most."


def test_a_service_that_is_down_is_not_the_end(services, web, tmp_path):
    add(services, "cop-dem-glo-30", (52.0, 4.0, 53.0, 5.0), asset="data")
    word, reasons = chosen("surface", AMSTERDAM, tmp_path, web)
    assert word == "stac:cop-dem-glo-30"
    assert reasons[0].startswith("ahn is not taken: https://service.pdok.nl/")


def test_boxes_of_presets():
    assert preset_bounds("amsterdam-real", None) == PRESETS["amsterdam-real"].bounds
    assert preset_bounds("any", LIMA) == preset_bounds("boston-real", LIMA) == LIMA
    with pytest.raises(InputError, match="--preset any needs --bbox"):
        preset_bounds("any", None)
    with pytest.raises(InputError, match=r"no preset 'paris'\. Choose one of: amsterdam-real"):
        preset_bounds("paris", None)


def test_the_present_map(services, web):
    path = services.folder / "tiles.openfreemap.org" / "planet"
    path.parent.mkdir(parents=True)
    path.write_text('{"tiles": ["https://tiles.openfreemap.org/planet/20261101_pt/{z}/{x}/{y}.pbf"]}')
    assert tiles_of(web) == "https://tiles.openfreemap.org/planet/20261101_pt/{z}/{x}/{y}.pbf"
    for content in ("{}", "[]", '{"tiles": ["https://evil.test/{z}/{x}/{y}"]}', '{"tiles": 7}', '{"tiles": [7]}'):
        path.write_text(content)
        with pytest.raises(DownloadError, match="names no tiles"):
            tiles_of(web)
