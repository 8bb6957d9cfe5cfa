"""Plans and downloads: the cost is said before, interruptions cost little, what cannot be used is counted."""

import csv
import json

import pytest
import rasterio

from tests.sources import pictures
from tests.sources.local_services import BLOB, STALLED, panoramax_photo, stac_item
from unigeoclip.errors import DownloadError, InputError
from unigeoclip.sources import SOURCES, is_source, open_source, plan
from unigeoclip.sources import web as web_module
from unigeoclip.sources.plan import check_size, fetch, fetch_word, make_plan
from unigeoclip.sources.web import Web

BOUNDS = (42.30, -71.10, 42.31, -71.09)


@pytest.fixture
def naip(services):
    """Three items of NAIP, each a third of the area."""
    for number in range(3):
        part = (42.30 + number / 300, -71.101, 42.30 + (number + 1) / 300, -71.089)
        name = f"tile-{number}"
        services.items["naip"].append(stac_item("naip", name, part, f"https://{BLOB}/naip/{name}.tif"))
        pictures.write_raster(services.folder / BLOB / "naip" / f"{name}.tif", part, size=(300, 300))
    return services


@pytest.fixture
def photos(services):
    for number in range(12):
        name = f"p{number}"
        services.photos.append(panoramax_photo(name, 42.3005 + number * 0.0008, -71.095, azimuth=None if number else 7))
        path = services.folder / "panoramax.test/api/pictures" / name / "sd.jpg"
        path.parent.mkdir(parents=True)
        path.write_bytes(pictures.jpeg(shade=number))
    return services


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_rasters_with_their_licenses(naip, web, tmp_path):
    made = make_plan("stac:naip", "aerial", BOUNDS, tmp_path, web)
    assert len(made.lines()) == 3
    assert made.lines()[0].startswith("aerial from stac:naip: 3 rasters, 100% of the area; ")
    assert "public domain: USDA" in made.lines()[2]
    assert naip.count(f"/{BLOB}") == 0
    folder = fetch(made, web).path
    table = rows(folder / "sources.csv")
    assert [row["year"] for row in table] == ["2023"] * 3
    assert {row["license"] for row in table} == {"public domain"}
    for row in table:
        assert row["url"].startswith("https://planetarycomputer.microsoft.com/")
        with rasterio.open(folder / row["path"]) as picture:
            assert picture.count == 3
    assert made.missing == []
    assert "all of them are here" in made.lines()[0]


def test_photos_with_their_licenses(photos, web, tmp_path):
    made = make_plan("panoramax:", "street", BOUNDS, tmp_path, web)
    table = fetch(made, web).path
    assert table.name == "photos.csv"
    first, *others = sorted(rows(table), key=lambda row: float(row["lat"]))
    assert (first["heading"], first["license"], first["time"]) == ("7.0", "CC BY-SA 4.0", "2024-05-01T10:00:00Z")
    assert {row["heading"] for row in others} == {""}, "not taken for north here: the builder decides"
    assert (table.parent / first["path"]).read_bytes() == pictures.jpeg(shade=0)


def test_the_second_time_nothing_is_asked(naip, web, tmp_path):
    fetch(make_plan("stac:naip", "aerial", BOUNDS, tmp_path, web), web)
    asked = naip.count()
    naip.items["naip"].clear()
    again = Web(tmp_path)
    fetch(make_plan("stac:naip", "aerial", BOUNDS, tmp_path, again), again)
    assert naip.count() == asked
    assert again.requests == 0


def test_an_interrupted_download_goes_on_with_identical_bytes(naip, web, tmp_path):
    whole = fetch(make_plan("stac:naip", "aerial", BOUNDS, tmp_path / "whole", web), web).path
    naip.faults[f"/{BLOB}/naip/tile-0"] = [500] * 5
    with pytest.raises(DownloadError, match="goes on where it stopped"):
        fetch(make_plan("stac:naip", "aerial", BOUNDS, tmp_path / "cut", web), web)
    cut = make_plan("stac:naip", "aerial", BOUNDS, tmp_path / "cut", web)
    assert len(cut.missing) < 3
    assert not (cut.folder / "sources.csv").exists()
    assert contents(fetch(cut, web).path) == contents(whole)


def test_a_damaged_plan_is_made_again(naip, web, tmp_path):
    made = make_plan("stac:naip", "aerial", BOUNDS, tmp_path, web)
    for content in ("", "{", "[]", '{"items": [{}], "left_out": {}, "coverage": 1}'):
        (made.folder / "plan.json").write_text(content)
        assert make_plan("stac:naip", "aerial", BOUNDS, tmp_path, web).found.items == made.found.items
    json.loads((made.folder / "plan.json").read_text())


def test_files_that_cannot_be_used_are_left_out(photos, web, tmp_path):
    broken, gone = (photos.folder / "panoramax.test/api/pictures" / name / "sd.jpg" for name in ("p3", "p5"))
    broken.write_bytes(b"GIF89a")
    gone.unlink()
    photos.faults["/panoramax.test/api/pictures/p7"] = [403]
    fetched = fetch(make_plan("panoramax:", "street", BOUNDS, tmp_path, web), web)
    assert len(rows(fetched.path)) == 9
    assert fetched.notes[0].startswith("panoramax: 3 of 12 files are left out")


def test_a_service_that_only_refuses_is_left_alone(photos, web, tmp_path):
    photos.faults["/panoramax.test"] = [403] * 100
    with pytest.raises(DownloadError, match="10 files in a row cannot be used"):
        fetch(make_plan("panoramax:", "street", BOUNDS, tmp_path, web), web)
    assert photos.count("/panoramax.test") == plan.MOST_FAILURES


def test_nothing_there(services, web, tmp_path):
    with pytest.raises(InputError, match=r"stac:naip has nothing that can be used in the --bbox\."):
        fetch(make_plan("stac:naip", "aerial", BOUNDS, tmp_path, web), web)
    services.photos.append(panoramax_photo("x", 42.305, -71.095, license=""))
    with pytest.raises(InputError, match="nothing that can be used in the --bbox: 1 have no license"):
        fetch(make_plan("panoramax:", "street", BOUNDS, tmp_path, web), web)


def test_an_item_that_only_seems_to_be_there(services, web, tmp_path):
    """Its outline is in the area, its pixels are not."""
    services.items["naip"].append(stac_item("naip", "x", BOUNDS, f"https://{BLOB}/x.tif"))
    pictures.write_raster(services.folder / BLOB / "x.tif", (43.0, -71.0, 43.1, -70.9))
    made = make_plan("stac:naip", "aerial", BOUNDS, tmp_path, web)
    with pytest.raises(InputError, match="none of 1 files has anything in the --bbox"):
        fetch(made, web)
    assert made.missing == [], "it is not asked again"


def test_tiles_whose_license_a_person_states(services, web, tmp_path):
    made = make_plan("xyz:https://tiles.test/{z}/{x}/{y}.png", "aerial", BOUNDS, tmp_path, web)
    assert "license not stated" in made.lines()[1]
    table = rows(fetch(made, web).path / "sources.csv")
    assert table[0].keys() == {"path", "year", "url"}


# How much


@pytest.mark.parametrize(("name", "limit"), [("LIMIT_BYTES", 10), ("LIMIT_REQUESTS", 1)])
def test_large_downloads_need_a_yes(naip, web, tmp_path, monkeypatch, name, limit):
    made = make_plan("stac:naip", "aerial", BOUNDS, tmp_path, web)
    check_size([made], yes=False)
    monkeypatch.setattr(plan, name, limit)
    with pytest.raises(InputError, match=r"This fetches about .* requests from stac:naip.*add --yes"):
        check_size([made], yes=False)
    check_size([made], yes=True)
    fetch(made, web)
    check_size([made], yes=False)


def test_a_disk_that_is_too_small(naip, web, tmp_path, monkeypatch):
    made = make_plan("stac:naip", "aerial", BOUNDS, tmp_path, web)
    monkeypatch.setattr(plan.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))
    with pytest.raises(InputError, match="Make room, or set UNIGEOCLIP_CACHE"):
        check_size([made], yes=True)


def test_the_estimate_is_near(naip, web, tmp_path):
    made = make_plan("stac:naip", "aerial", BOUNDS, tmp_path, web)
    estimated, before = made.bytes, web.bytes
    fetch(made, web)
    assert 0.1 < (web.bytes - before) / estimated < 10


@pytest.mark.parametrize("bounds", [(42.0, -71.0, 41.0, -70.9), (42.0, -71.0, 44.0, -70.9), (float("nan"),) * 4])
def test_areas_that_are_none(web, tmp_path, bounds):
    with pytest.raises(InputError, match="--bbox"):
        make_plan("stac:naip", "aerial", bounds, tmp_path, web)


# Words


def test_words(tmp_path, monkeypatch):
    monkeypatch.setenv("MAPILLARY_TOKEN", "x")
    for entry in SOURCES.values():
        assert is_source(entry.example)
        for modality in entry.modalities:
            assert open_source(entry.example, modality)
    assert not is_source("C:/pictures")
    assert not is_source("aerial.tif")
    with pytest.raises(InputError, match=r"--street stac:naip is no source of that kind\. Examples: panoramax:"):
        open_source("stac:naip", "street")


def test_in_one_step(naip, tmp_path, monkeypatch):
    assert (fetch_word("stac:naip", "aerial", BOUNDS, tmp_path) / "sources.csv").is_file()
    monkeypatch.setattr(plan, "LIMIT_REQUESTS", 1)
    with pytest.raises(InputError, match="add --yes"):
        fetch_word("stac:naip", "aerial", (42.30, -71.10, 42.31, -71.091), tmp_path)


def test_a_server_that_stalls(naip, web, tmp_path, monkeypatch):
    monkeypatch.setattr(web_module, "TIMEOUT_S", 0.2)
    naip.faults[f"/{BLOB}"] = [STALLED]
    assert fetch(make_plan("stac:naip", "aerial", BOUNDS, tmp_path, web), web).notes == []
