"""STAC: which items, under which license, from which asset; signatures; pages; catalogs of files."""

import json

import pytest
import rasterio

from tests.sources.local_services import BLOB, PC, stac_item
from tests.sources.pictures import write_raster
from unigeoclip.errors import DownloadError, InputError
from unigeoclip.sources.base import Wanted
from unigeoclip.sources.stac import StacSource

BOUNDS = (42.30, -71.10, 42.34, -71.05)
AERIAL = Wanted(BOUNDS, "aerial", 1.25)
WEST, EAST = (42.29, -71.11, 42.35, -71.075), (42.29, -71.075, 42.35, -71.04)
SEARCH = f"/{PC}/api/stac/v1/search"
OTHER = f"https://{PC}/api/stac/v1#other"


def naip(services, name, bounds, **said):
    item = stac_item("naip", name, bounds, f"https://{BLOB}/naip/{name}.tif", **said)
    services.items["naip"].append(item)
    return item


def names(found):
    return [item.name.rpartition("-")[0] for item in found.items]


def test_the_newest_of_each_part(services, web):
    naip(services, "west-2016", WEST, time="2016-08-01T16:00:00Z")
    naip(services, "west-2021", WEST, time="2021-08-01T16:00:00Z")
    naip(services, "east-2018", EAST, time="2018-08-01T16:00:00Z")
    naip(services, "elsewhere", (41.0, -72.0, 41.1, -71.9))
    found = StacSource("naip").find(AERIAL, web)
    assert names(found) == ["west-2021", "east-2018"]
    assert [item.year for item in found.items] == ["2021", "2018"]
    assert found.coverage == pytest.approx(1.0)
    assert found.left_out == {"show what others show better": 1}
    (terms,) = {item.license for item in found.items}
    assert terms == "public domain"
    assert "USDA" in found.items[0].credit
    assert found.items[0].page.endswith("/items/west-2021")
    assert 5e6 < sum(item.bytes for item in found.items) < 1e8


def test_half_of_the_area(services, web):
    naip(services, "west", WEST)
    assert StacSource("naip").find(AERIAL, web).coverage == pytest.approx(0.5, abs=0.01)


def test_pages_of_a_search(services, web):
    services.page_size = 2
    for number in range(5):
        south = 42.30 + number * 0.008
        naip(services, f"strip-{number}", (south, -71.11, south + 0.008, -71.04))
    assert len(StacSource("naip").find(AERIAL, web).items) == 5
    assert services.count(SEARCH) == 3


def test_nothing_in_the_area(services, web):
    found = StacSource("naip").find(AERIAL, web)
    assert (found.items, found.coverage) == ([], 0.0)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        ({"assets": {}}, "have no GeoTIFF of the pictures asked for"),
        ({"assets": {"image": {"href": "s3://naip/x.tif", "type": "image/tiff"}}}, "are at s3:// addresses"),
        ({"geometry": None, "bbox": None}, "have no outline"),
        ({"geometry": {"type": "Polygon", "coordinates": [[["a"]]]}, "bbox": [1]}, "have no outline"),
        ({"properties": []}, "are described in a way that cannot be read"),
        ({"assets": ["image"]}, "are described in a way that cannot be read"),
    ],
)
def test_items_that_cannot_be_used_are_counted(services, web, damage, why):
    naip(services, "good", WEST)
    services.items["naip"].append(naip(services, "bad", EAST) | damage)
    services.items["naip"].pop(1)
    # The local service looks at the boxes of items, a real one has its own index.
    services.items["naip"][1] = _Boxed(services.items["naip"][1])
    found = StacSource("naip").find(AERIAL, web)
    assert names(found) == ["good"]
    assert [count for reason, count in found.left_out.items() if reason.startswith(why)] == [1]


class _Boxed(dict):
    """An item that lies in the area whatever its box says."""

    def __getitem__(self, key):
        return [EAST[1], EAST[0], EAST[3], EAST[2]] if key == "bbox" else super().__getitem__(key)


def test_licenses_of_an_unknown_collection(services, web):
    for name, bounds, said in (("own", WEST, {"license": "CC-BY-4.0"}), ("none", EAST, {})):
        services.items["other"].append(stac_item("other", name, bounds, f"https://{BLOB}/{name}.tif", **said))
    found = StacSource(OTHER).find(AERIAL, web)
    assert [(item.license, item.credit) for item in found.items] == [("CC BY 4.0", "USDA Farm Service Agency")]
    assert found.left_out["have no license"] == 1

    links = [{"rel": "license", "href": "https://license.test/terms"}]
    for said, expected in (("CC0-1.0", "CC0 1.0"), ("proprietary", "see https://license.test/terms")):
        services.collections["other"] = {"type": "Collection", "license": said, "links": links}
        items = StacSource(OTHER).find(AERIAL, web).items
        assert {item.license for item in items} == {"CC BY 4.0", expected}


def test_the_clearest_satellite_picture(services, web):
    for name, clouds in (("cloudy", 60.0), ("hazy", 12.0), ("clear", 0.5), ("unknown", None)):
        item = stac_item("sentinel-2-l2a", name, WEST, f"https://{BLOB}/{name}.tif", asset="visual")
        item["properties"] |= {"eo:cloud_cover": clouds, "gsd": 10}
        services.items["sentinel-2-l2a"].append(item)
    found = StacSource("sentinel-2-l2a").find(AERIAL, web)
    assert names(found) == ["clear"]
    assert found.left_out["are cloudy"] == 2


def test_fetched_by_a_token_that_expires(services, web, tmp_path):
    item = naip(services, "tile", BOUNDS)
    write_raster(services.folder / BLOB / "naip" / "tile.tif", BOUNDS, size=(512, 512))
    services.needs_token = True
    source = StacSource("naip")
    (found,) = source.find(AERIAL, web).items
    assert "sig" not in found.url
    assert source.fetch(found, AERIAL, tmp_path / "a.tif", web)
    services.token = "sig=renewed"
    assert source.fetch(found, AERIAL, tmp_path / "b.tif", web)
    assert services.count(f"/{PC}/api/sas/v1/token/naip") == 2
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()
    with rasterio.open(tmp_path / "a.tif") as window:
        assert window.count == 3
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and "cache" in path.parts]
    assert not any(b"sig=" in content for content in kept)
    assert item["assets"]["image"]["href"] == found.url


def test_a_token_that_is_never_good(services, web, tmp_path):
    naip(services, "tile", BOUNDS)
    services.needs_token = True
    services.faults[f"/{BLOB}"] = [403] * 9
    source = StacSource("naip")
    (found,) = source.find(AERIAL, web).items
    with pytest.raises(DownloadError, match="wants a permission") as failure:
        source.fetch(found, AERIAL, tmp_path / "a.tif", web)
    assert "sig" not in str(failure.value)
    assert services.count(f"/{BLOB}") == 2


def test_tokens_are_for_the_storage_of_the_service_alone(services, web, tmp_path):
    services.items["naip"].append(stac_item("naip", "x", BOUNDS, "https://evil.test/x.tif"))
    write_raster(services.folder / "evil.test" / "x.tif", BOUNDS)
    source = StacSource("naip")
    (found,) = source.find(AERIAL, web).items
    assert source.fetch(found, AERIAL, tmp_path / "a.tif", web)
    assert services.count(f"/{PC}/api/sas") == 0


def test_a_catalog_of_files(services, web, tmp_path):
    folder = services.folder / "static.test" / "ortho"
    write_raster(folder / "pictures" / "a.tif", BOUNDS)
    item = stac_item("ortho", "a", BOUNDS, "../pictures/a.tif")
    item["links"] = [{"rel": "root", "href": "../collection.json"}, {"rel": "parent", "href": "../collection.json"}]
    collection = {
        "type": "Collection", "id": "ortho", "stac_version": "1.0.0", "description": "made", "license": "CC-BY-4.0",
        "extent": {"spatial": {"bbox": [[-72, 42, -71, 43]]}, "temporal": {"interval": [[None, None]]}},
        "links": [{"rel": "root", "href": "./collection.json"}, {"rel": "item", "href": "./items/a.json"}],
    }  # fmt: skip
    (folder / "items").mkdir()
    (folder / "items" / "a.json").write_text(json.dumps(item))
    (folder / "collection.json").write_text(json.dumps(collection))
    source = StacSource("https://static.test/ortho/collection.json")
    (found,) = source.find(AERIAL, web).items
    assert (found.url, found.license) == ("https://static.test/ortho/pictures/a.tif", "CC BY 4.0")
    assert source.fetch(found, AERIAL, tmp_path / "a.tif", web)


@pytest.mark.parametrize("href", ["/etc/passwd", "file:///etc/passwd", "../../../../etc/passwd"])
def test_a_catalog_names_no_file_of_this_machine(services, web, href):
    folder = services.folder / "static.test"
    folder.mkdir(parents=True)
    catalog = {"type": "Catalog", "id": "c", "stac_version": "1.0.0", "description": "made",
               "links": [{"rel": "item", "href": href}]}  # fmt: skip
    (folder / "catalog.json").write_text(json.dumps(catalog))
    with pytest.raises(DownloadError):
        StacSource("https://static.test/catalog.json").find(AERIAL, web)
    assert all("etc/passwd" not in path or path.startswith("/static.test/") for path, _ in services.asked)


def test_what_is_no_stac(services, web):
    folder = services.folder / "static.test"
    folder.mkdir(parents=True)
    for content in ("{}", "[]", "7", '{"type": "Feature", "stac_version": "1.0.0"}'):
        (folder / "catalog.json").write_text(content)
        with pytest.raises(DownloadError, match=r"static\.test/catalog\.json"):
            StacSource("https://static.test/catalog.json").find(AERIAL, web)


def test_words_that_name_nothing(web):
    with pytest.raises(InputError, match=r"stac:nope is unknown\. Known are stac:naip"):
        StacSource("nope")
    with pytest.raises(InputError, match="give it as --surface"):
        StacSource("3dep-lidar-dsm").find(AERIAL, web)
