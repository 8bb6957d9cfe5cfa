"""Street photos: where, which way, when, by whom, under which license; spread over the area, the newest first."""

import pytest
from starlette.responses import Response

from tests.sources import pictures
from tests.sources.local_services import amsterdam_panorama, panoramax_photo
from unigeoclip.errors import DownloadError, InputError
from unigeoclip.sources import amsterdam, panoramax
from unigeoclip.sources.amsterdam import AmsterdamSource
from unigeoclip.sources.base import PhotoItem, Wanted
from unigeoclip.sources.mapillary import MapillarySource
from unigeoclip.sources.panoramax import PanoramaxSource
from unigeoclip.sources.selection import boxes, spread

BOUNDS = (52.360, 4.880, 52.368, 4.894)  # 0.9 x 0.95 km: 16 searches
WANTED = Wanted(BOUNDS, "street")
SEARCH = "/api.panoramax.xyz/api/search"


def test_panoramax(services, web):
    services.photos = [
        panoramax_photo("flat", 52.361, 4.881, azimuth=-90),
        panoramax_photo(
            "round", 52.363, 4.885, field_of_view=360, license="etalab-2.0", time="2023-02-03T04:05:06+01:00"
        ),
        panoramax_photo("unturned", 52.365, 4.889, azimuth=None),
    ]
    source = PanoramaxSource("")
    flat, round_, unturned = sorted(source.find(WANTED, web).items, key=lambda item: item.lat)
    assert (flat.heading, flat.projection, flat.license) == (270.0, "perspective", "CC BY-SA 4.0")
    assert (flat.time, flat.credit) == ("2024-05-01T10:00:00Z", "somebody, Panoramax")
    assert (round_.projection, round_.license) == ("equirectangular", "Licence Ouverte 2.0 (Etalab)")
    assert round_.time == "2023-02-03T03:05:06Z"
    assert unturned.heading is None
    assert services.count(SEARCH) == len(boxes(BOUNDS, panoramax.BOX_M)) == 16
    path = services.folder / "panoramax.test/api/pictures/flat/sd.jpg"
    path.parent.mkdir(parents=True)
    path.write_bytes(pictures.jpeg())
    assert source.fetch(flat, web) == pictures.jpeg()


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        ({"license": None}, "have no license"),
        ({"license": "proprietary"}, "have no license"),
        ({"geometry": {"type": "Point", "coordinates": [4.881]}}, "are described in a way that cannot be read"),
        ({"assets": {"thumb": {"href": "x"}}}, "are described in a way that cannot be read"),
        ({"properties": None}, "are described in a way that cannot be read"),
    ],
)
def test_photos_that_cannot_be_used_are_counted(services, web, damage, why):
    bad = panoramax_photo("bad", 52.361, 4.881)
    if "license" in damage:
        bad["properties"] |= damage
    else:
        bad |= damage
    services.faults[SEARCH] = [_features(bad, panoramax_photo("good", 52.361, 4.881))]
    found = PanoramaxSource("").find(WANTED, web)
    assert [item.name for item in found.items] == ["good"]
    assert found.left_out[why] == 1


def _features(*features):
    import json

    return Response(json.dumps({"features": features, "links": []}), media_type="application/geo+json")


def test_pages_are_followed_gently(services, web):
    services.page_size = 1
    services.photos = [panoramax_photo(f"p{number}", 52.361, 4.881 + number * 1e-4) for number in range(9)]
    PanoramaxSource("").find(WANTED, web)
    assert services.count(SEARCH) == 16 + panoramax.MOST_PAGES - 1


@pytest.mark.parametrize("said", [b"[]", b"{}", b'{"features": 7}', b'{"features": null}'])
def test_what_is_no_panoramax(services, web, said):
    services.faults[SEARCH] = [Response(said, media_type="application/json")]
    with pytest.raises(DownloadError, match="did not answer as Panoramax does"):
        PanoramaxSource("").find(WANTED, web)


def test_amsterdam(services, web):
    services.page_size = 1
    services.panoramas = [
        amsterdam_panorama("TMX7316010203-000001_pano_0000_000001", 52.361, 4.881),
        amsterdam_panorama("unturned", 52.3631, 4.885, heading=0.0, pitch=0.0, roll=0.0),
        amsterdam_panorama("newer", 52.361, 4.881, time="2024-06-01T08:00:00Z"),
    ]
    source = AmsterdamSource("")
    found = source.find(WANTED, web)
    newer, unturned = sorted(found.items, key=lambda item: item.lat)
    assert newer.name == "newer"
    assert (newer.heading, newer.projection) == (0.0, "equirectangular"), "the middle of these pictures is north"
    assert unturned.heading is None
    assert found.left_out["are near to newer ones"] == 1
    assert newer.url.endswith("panorama_2000.jpg")
    assert newer.page == "https://api.data.amsterdam.nl/panorama/panoramas/newer/"
    path = services.folder / newer.url.removeprefix("https://")
    path.parent.mkdir(parents=True)
    path.write_bytes(pictures.jpeg(200, 100))
    assert source.fetch(newer, web) == pictures.jpeg(200, 100)


@pytest.mark.parametrize("said", [b"[]", b"{}", b'{"_embedded": []}', b'{"_embedded": {"panoramas": []}, "_links": 7}'])
def test_what_is_no_amsterdam(services, web, said):
    services.faults["/api.data.amsterdam.nl"] = [Response(said, media_type="application/json")]
    with pytest.raises(DownloadError, match="did not answer as the city's service does"):
        AmsterdamSource("").find(WANTED, web)
    assert amsterdam.MOST_PAGES == 2


def test_mapillary(services, web, monkeypatch, tmp_path):
    monkeypatch.setenv("MAPILLARY_TOKEN", "MLY|secret")
    raw = {"id": "123", "geometry": {"type": "Point", "coordinates": [4.8, 52.3]}, "captured_at": 1_700_000_000_000,
           "computed_geometry": {"type": "Point", "coordinates": [4.881, 52.361]}, "compass_angle": 10.0,
           "computed_compass_angle": 371.5, "is_pano": False, "creator": {"username": "somebody"}}  # fmt: skip
    import json

    def answer(value):
        return Response(json.dumps(value), media_type="application/json")

    services.faults["/graph.mapillary.com/images"] = [answer({"data": [raw, {}]}), *[answer({"data": []})] * 15]
    source = MapillarySource("")
    (photo,) = source.find(WANTED, web).items
    assert (photo.lat, photo.lon, photo.heading, photo.license) == (52.361, 4.881, 11.5, "CC BY-SA 4.0")
    assert photo.credit == "somebody, Mapillary"
    assert services.asked[0][1]["authorization"] == "OAuth MLY|secret"
    services.faults["/graph.mapillary.com/123"] = [answer({"thumb_1024_url": "https://pictures.test/x.jpg?oh=signed"})]
    services.faults["/pictures.test"] = [Response(pictures.jpeg(), media_type="image/jpeg")]
    assert source.fetch(photo, web) == pictures.jpeg()
    assert "authorization" not in services.asked[-1][1], "the token is for Mapillary alone"
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"secret" in path.read_bytes()]


def test_mapillary_without_a_token(monkeypatch):
    for token in (None, "", "two\nlines"):
        monkeypatch.delenv("MAPILLARY_TOKEN", raising=False)
        if token is not None:
            monkeypatch.setenv("MAPILLARY_TOKEN", token)
        with pytest.raises(InputError, match=r"needs a token.*MAPILLARY_TOKEN.*--street panoramax:") as failure:
            MapillarySource("")
        assert not token or token not in str(failure.value)


def test_what_is_no_jpeg(services, web):
    photo = PhotoItem("x", "https://pictures.test/x.jpg", 52.0, 4.0, None, "CC0 1.0", "x")
    services.faults["/pictures.test"] = [Response(b"\x89PNG", media_type="image/jpeg")]
    with pytest.raises(DownloadError, match="is no JPEG"):
        PanoramaxSource("").fetch(photo, web)


# Which ones


def photo(name, lat, lon, time="2020", heading=0.0):
    return PhotoItem(name, "u", lat, lon, heading, "CC0 1.0", "c", time)


def test_one_photo_of_each_cell():
    photos = [photo(f"{row}-{column}-{year}", 52.36 + row * 0.001, 4.88 + column * 0.002, year)
              for row in range(5) for column in range(5) for year in ("2019", "2023", "2021")]  # fmt: skip
    chosen, others = spread([*photos, *photos, photo("outside", 52.0, 4.0)], BOUNDS)
    assert len(chosen) == 25
    assert {each.time for each in chosen} == {"2023"}
    assert others == 50
    assert spread(reversed(photos), BOUNDS)[0] == chosen, "the order of the answers does not matter"


def test_a_photo_that_says_where_it_looks_goes_before_a_newer_one():
    chosen, _ = spread([photo("new", 52.361, 4.881, "2024", None), photo("old", 52.361, 4.881, "2020", 90.0)], BOUNDS)
    assert [each.name for each in chosen] == ["old"]


def test_an_area_that_takes_too_many_searches():
    assert len(boxes((52.30, 4.80, 52.40, 4.95), 1000.0)) < 150
    with pytest.raises(InputError, match=r"would take [\d,]+ searches"):
        boxes((52.0, 4.0, 52.9, 4.9), 250.0)


@pytest.mark.parametrize("source", [PanoramaxSource, AmsterdamSource])
def test_words_behind_the_colon(source):
    with pytest.raises(InputError, match="alone"):
        source("paris")
