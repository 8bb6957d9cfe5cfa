"""Present pictures of a spot: from services on this machine that answer as the real ones do, and from faulty ones."""

import datetime
import io
import math

import numpy as np
import pytest
from PIL import Image
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from tests.attacks import hostile_files as hostile
from tests.sources import pictures
from tests.sources.local_services import STALLED, TRUNCATED, Truncated, panoramax_photo
from unigeoclip.errors import DownloadError
from unigeoclip.sources.spot import NothingThereError, aerial_hosts, aerial_picture, street_photo
from unigeoclip.sources.web import Web

BOSTON, DENVER, AMSTERDAM, LYON = (42.3601, -71.0589), (39.74, -104.99), (52.37, 4.9), (45.764, 4.8357)
WINDOW_M = 225.0
MASSGIS, NAIP, PDOK = "tiles.arcgis.com", "imagery.nationalmap.gov", "service.pdok.nl"
GIBS = "gibs.earthdata.nasa.gov"
PANORAMAX = "api.panoramax.xyz"
DAY = datetime.date(2026, 3, 12)


def saved(pixels, form):
    return hostile.saved(Image.fromarray(pixels), form)


def noise_tile(_z, x, y):
    return saved(np.random.default_rng(x * 7 + y).integers(0, 256, (256, 256, 3), np.uint8), "PNG")


@pytest.fixture
def there(services):
    services.tile = noise_tile
    return services


@pytest.fixture
def quick():
    """A client as the app makes one, in less of a hurry to be polite."""
    return Web(attempts=2, first_wait_s=0.001, within_s=20)


def shown(picture):
    return np.asarray(Image.open(io.BytesIO(picture.data)).convert("RGB"))


# From above


@pytest.mark.parametrize(
    ("where", "host", "time", "terms"),
    [(BOSTON, MASSGIS, "2021", "free use with credit"), (DENVER, NAIP, "", "public domain"),
     (AMSTERDAM, PDOK, "", "CC BY 4.0")],
)  # fmt: skip
def test_the_source_of_the_place(there, quick, where, host, time, terms):
    picture = aerial_picture(*where, WINDOW_M, quick)
    assert (picture.host, picture.time, picture.license) == (host, time, terms)
    assert picture.credit
    assert picture.across_m == WINDOW_M
    assert {path.split("/")[1] for path, _ in there.asked} == {host}
    assert 1 <= quick.requests <= 9
    assert shown(picture).shape == (256, 256, 3)
    assert Image.open(io.BytesIO(picture.preview)).format == "WEBP"


def test_the_window_is_the_models(there, quick):
    """A square of 100 m round the spot, drawn into the tiles, is 100 of 225 m wide in its picture, in the middle."""
    lat, lon = BOSTON
    half = 50 / math.cos(math.radians(lat))  # of Web Mercator's meters

    def tile(z, x, y):
        step = 2 * math.pi * 6378137 / 2**z / 256
        across = (x * 256 + np.arange(256) + 0.5) * step - math.pi * 6378137 - math.radians(lon) * 6378137
        up = math.pi * 6378137 - (y * 256 + np.arange(256) + 0.5) * step
        up -= 6378137 * math.asinh(math.tan(math.radians(lat)))
        inside = (abs(across)[None] < half) & (abs(up)[:, None] < half)
        north = np.broadcast_to((up > 0)[:, None], inside.shape)
        return saved(np.stack([inside * 255, north * 255, inside * 0], -1).astype(np.uint8), "PNG")

    there.tile = tile
    pixels = shown(aerial_picture(lat, lon, WINDOW_M, quick))
    assert np.sqrt((pixels[..., 0] > 127).mean()) == pytest.approx(100 / WINDOW_M, rel=0.02)
    rows, columns = np.nonzero(pixels[..., 0] > 127)
    assert (rows.mean(), columns.mean()) == pytest.approx((127.5, 127.5), abs=1.5)
    assert pixels[:120, :, 1].min() == 255, "north is up"
    assert pixels[136:, :, 1].max() == 0


@pytest.mark.parametrize("lon", [2.35, 179.9, -180.0])
def test_the_world_has_the_picture_of_one_day(there, quick, lon):
    picture = aerial_picture(48.85, lon, 333_585.0, quick, today=DAY)
    assert picture.time == "2026-03-10"
    assert picture.remark == "One day, with its clouds."
    assert quick.requests <= 9
    assert {path.split("/")[1] for path, _ in there.asked} == {GIBS}
    assert all("/2026-03-10/" in path for path, _ in there.asked)
    assert all(0 <= int(path.split("/")[-1].removesuffix(".jpg")) < 256 for path, _ in there.asked)


def test_no_source_is_known(there, quick):
    with pytest.raises(NothingThereError, match="No open source of aerial pictures is known"):
        aerial_picture(*LYON, WINDOW_M, quick)
    with pytest.raises(NothingThereError):
        aerial_picture(89.0, 0.0, 333_585.0, quick)
    assert not there.asked


def test_hosts_of_an_atlas():
    assert aerial_hosts((42.26, -71.24, 42.46, -70.97), WINDOW_M) == (MASSGIS, NAIP)
    assert aerial_hosts((-60.0, -180.0, 84.0, 180.0), 333_585.0) == (GIBS,)
    assert aerial_hosts((45.7, 4.7, 45.8, 4.9), WINDOW_M) == ()


BLANK = Response(pictures.tile(17, 0, 0), media_type="image/png")


@pytest.mark.parametrize(
    "fault",
    [404, 403, 500, TRUNCATED, BLANK, Response("<html>", media_type="text/html"),
     RedirectResponse("https://evil.test/x", 302), Response(b"no picture", media_type="image/png"),
     Response(b"", media_type="image/png"), Truncated(b"abc", 10, "image/png")],
    ids=range(10),
)  # fmt: skip
def test_the_next_source_is_asked_when_one_fails(there, quick, fault):
    there.faults[f"/{MASSGIS}"] = [fault] * 20
    assert aerial_picture(*BOSTON, WINDOW_M, quick).host == NAIP
    assert not there.count("/evil.test")


def test_nothing_but_blank_tiles(services, quick):
    services.tile = lambda z, x, y: pictures.tile(17, 0, 0)
    with pytest.raises(NothingThereError, match=rf"No aerial picture of this spot at {MASSGIS} or {NAIP}"):
        aerial_picture(*BOSTON, WINDOW_M, quick)


def test_all_sources_fail(there, quick):
    there.faults["/"] = [PlainTextResponse("later", 503)] * 99
    with pytest.raises(DownloadError, match=rf"^{MASSGIS} did not answer: HTTP 503\. Try again later\.$"):
        aerial_picture(*BOSTON, WINDOW_M, quick)


def test_a_service_that_stalls_is_given_up(there):
    there.faults["/"] = [STALLED] * 9
    web = Web(attempts=2, within_s=0.3)
    with pytest.raises(DownloadError, match="no answer in time"):
        aerial_picture(*BOSTON, WINDOW_M, web)
    assert there.count() == 1, "the time for all requests together is over"


def test_a_tile_that_is_too_large(there, quick):
    there.faults["/"] = [Response(bytes(1_000_001), media_type="image/png")] * 9
    with pytest.raises(DownloadError, match="cannot be used"):
        aerial_picture(*BOSTON, WINDOW_M, quick)


# From the street


@pytest.fixture
def photographed(services):
    """Puts a photo on the map; its JPEG is there too."""

    def put(name, away_m, data=None, **said):
        path = services.folder / "panoramax.test" / "api" / "pictures" / name / "sd.jpg"
        path.parent.mkdir(parents=True)
        path.write_bytes(pictures.jpeg(640, 480) if data is None else data)
        services.photos.append(panoramax_photo(name, LYON[0] + away_m / 111_195, LYON[1], **said))
        return services.photos[-1]

    return put


def test_the_newest_of_the_nearest(photographed, quick):
    photographed("far", 80, time="2026-01-01T10:00:00+00:00")
    photographed("old", 3, time="2015-01-01T10:00:00+00:00")
    photographed("near", 12, time="2024-06-01T10:00:00+00:00", azimuth=45)
    photo = street_photo(*LYON, 100.0, quick)
    assert photo.distance_m == pytest.approx(12, abs=0.1)
    assert (photo.time, photo.heading) == ("2024-06-01T10:00:00Z", 45.0)
    assert (photo.license, photo.credit) == ("CC BY-SA 4.0", "somebody, Panoramax")
    assert photo.data == pictures.jpeg(640, 480), "the model reads the file itself, as it would an upload"
    assert Image.open(io.BytesIO(photo.preview)).size == (480, 360)


def test_a_panorama_is_cut_ahead(photographed, quick):
    panorama = np.zeros((1024, 2048, 3), np.uint8)
    panorama[:, 896:1152] = (255, 0, 0)  # 45 degrees ahead
    photographed("all-around", 5, saved(panorama, "JPEG"), field_of_view=360)
    photo = street_photo(*LYON, 100.0, quick)
    assert photo.remark == "Part of a panorama."
    pixels = shown(photo)
    assert pixels.shape == (360, 480, 3)
    share = (pixels[180, :, 0] > 127).mean()
    assert share == pytest.approx(math.tan(math.radians(22.5)), abs=0.01), "of a camera of 90 degrees"


def test_a_wider_search_for_a_world(photographed, services, quick):
    photographed("far", 600)
    with pytest.raises(NothingThereError, match="no street photo within 100 m"):
        street_photo(*LYON, 100.0, quick)
    assert street_photo(*LYON, 1000.0, quick).distance_m == pytest.approx(600, abs=1)


def test_no_license_no_picture(photographed, services, quick):
    photographed("mine", 5)["properties"]["license"] = None
    with pytest.raises(NothingThereError, match="within 100 m; 1 without a license are left out"):
        street_photo(*LYON, 100.0, quick)
    assert not services.count("/panoramax.test")


def test_the_next_photo_is_taken_when_one_is_gone(photographed, services, quick):
    photographed("gone", 3)
    photographed("here", 30)
    services.faults["/panoramax.test/api/pictures/gone"] = [404]
    assert street_photo(*LYON, 100.0, quick).distance_m == pytest.approx(30, abs=1)


BAD_JPEGS = [b"", b"GIF89a", b"\xff\xd8\xff" + bytes(200), hostile.saved(hostile.noise(64), "PNG")]


@pytest.mark.parametrize("data", BAD_JPEGS, ids=len)
def test_what_is_no_photo_is_a_sentence(photographed, quick, data):
    photographed("bad", 3, data)
    with pytest.raises(DownloadError, match=r"^panoramax\.test gave something that cannot be used"):
        street_photo(*LYON, 100.0, quick)


@pytest.mark.parametrize("fault", [429, 500, TRUNCATED, PlainTextResponse("[", 200), Response(b"{}")], ids=range(5))
def test_the_search_fails(services, quick, fault):
    services.faults["/"] = [fault] * 9
    with pytest.raises(DownloadError, match=rf"^{PANORAMAX} (did not answer|gave something)"):
        street_photo(*LYON, 100.0, quick)


@pytest.mark.parametrize(
    "url",
    ["https://127.0.0.1/x.jpg", "https://10.0.0.7/x.jpg", "https://[::1]/x.jpg", "http://127.0.0.1:8501/x.jpg",
     "https://localhost/x.jpg", "https://router.local/x.jpg", "https://vault.internal/x.jpg", "file:///etc/passwd"],
)  # fmt: skip
def test_nothing_inside_the_network_is_asked(photographed, services, quick, url):
    """A photo's address is what a server of the federation says, and may be anything."""
    photographed("trap", 3)["assets"] = {"sd": {"href": url}}
    with pytest.raises(NothingThereError):
        street_photo(*LYON, 100.0, quick)
    assert services.count() == services.count(f"/{PANORAMAX}")


def test_the_search_is_small(photographed, services, quick):
    photographed("here", 3)
    street_photo(*LYON, 100.0, quick)
    assert quick.requests == 2
