"""The checks of ``make online``, with services on this machine in place of the real ones; and its table in docs."""

import re

import numpy as np
import pytest

from tests import online
from tests.build import made_up_extracts
from tests.sources import pictures
from tests.sources.local_services import BLOB, amsterdam_panorama, panoramax_photo, stac_item
from tests.sources.parquet import aef
from tests.sources.parquet.conftest import BUCKET_HOST, RELEASE, publish
from tests.sources.test_spot import noise_tile
from tests.sources.test_tiles_and_sheets import SHEETS, write_index
from unigeoclip.errors import DownloadError, InputError
from unigeoclip.sources import SOURCES
from unigeoclip.sources.services import COLLECTIONS, TILES

ROW = re.compile(r"^\| `(\S+)` \| .+ \| (.+) \| (not yet|\d{4}-\d\d-\d\d) \|$", re.MULTILINE)


def wide(bounds):
    return bounds[0] - 0.01, bounds[1] - 0.01, bounds[2] + 0.01, bounds[3] + 0.01


@pytest.mark.parametrize("word", ["stac:naip", "stac:3dep-lidar-dsm", "stac:sentinel-2-l2a", "xyz:pdok-ortho", "ahn:"])
def test_rasters(services, tmp_path, word):
    modality, bounds = online.CHECKS[word]
    name, bands = word.partition(":")[2], 4 if modality == "aerial" else 1
    dtype = "uint8" if modality == "aerial" else "float32"
    if word.startswith("stac:"):
        item = stac_item(name, "x", wide(bounds), f"https://{BLOB}/x.tif", asset=COLLECTIONS[name].asset)
        item["properties"]["eo:cloud_cover"] = 1.0
        services.items[name].append(item)
        pictures.write_raster(services.folder / BLOB / "x.tif", wide(bounds), bands=bands, dtype=dtype)
    write_index(services, {"25": wide(bounds)})
    path = services.folder / f"{SHEETS[1:]}/R_25.tif"
    pictures.write_raster(path, wide(bounds), bands=1, dtype="float32", crs="EPSG:28992")
    services.tile = lambda z, x, y: pictures.jpeg(256, 256)
    assert "files" in online.check(word, modality, bounds, tmp_path / "cache")


@pytest.mark.parametrize("word", ["panoramax:", "amsterdam:"])
def test_photos(services, tmp_path, word):
    modality, (south, west, north, east) = online.CHECKS[word]
    lat, lon = (south + north) / 2, (west + east) / 2
    services.photos, services.panoramas = [panoramax_photo("x", lat, lon)], [amsterdam_panorama("x", lat, lon)]
    for path in ("panoramax.test/api/pictures/x/sd.jpg",
                 "t1.data.amsterdam.nl/panorama/x/equirectangular/panorama_2000.jpg"):  # fmt: skip
        (services.folder / path).parent.mkdir(parents=True)
        (services.folder / path).write_bytes(pictures.jpeg(1000, 500))
    assert online.check(word, modality, (south, west, north, east), tmp_path / "cache").startswith("1 files")


def test_embeddings(services, tmp_path):
    modality, bounds = online.CHECKS["alphaearth:"]
    bands = aef.vectors(np.random.default_rng(1), 128)
    aef.write_index(services, [aef.write_file(services, 2024, "19N", "a", 32619, 329_800.0, 4_691_700.0, bands)])
    assert online.check("alphaearth:", modality, bounds, tmp_path / "cache").startswith("1 files")


def test_maps(services, tmp_path):
    modality, _ = online.CHECKS["overture:"]
    publish(services)
    assert f"release {RELEASE}" in online.check("overture:", modality, made_up_extracts.BBOX, tmp_path / "cache")
    (services.folder / BUCKET_HOST / f"release/{RELEASE}/theme=buildings/type=building/part-0.parquet").unlink()
    with pytest.raises(DownloadError, match="does not exist"):
        online.check("overture:", modality, made_up_extracts.BBOX, tmp_path / "other")


@pytest.mark.parametrize("name", online.SPOTS)
def test_spots(services, name):
    services.tile = noise_tile
    assert "no street photo within 1,000 m" in online.check_spot(*online.SPOTS[name])


def test_what_is_not_as_expected_fails(services, tmp_path):
    with pytest.raises(AssertionError, match="nothing found"):
        online.check("stac:naip", *online.CHECKS["stac:naip"], tmp_path)
    modality, bounds = online.CHECKS["stac:naip"]
    services.items["naip"].append(stac_item("naip", "x", wide(bounds), f"https://{BLOB}/x.tif"))
    with pytest.raises(InputError, match="none of 1 files"):
        online.check("stac:naip", modality, bounds, tmp_path)


def test_every_source_has_a_row_a_check_and_its_license():
    rows = {word: terms for word, terms, _ in ROW.findall(online.PAGE.read_text(encoding="utf-8"))}
    known = {f"stac:{name}": each.license for name, each in COLLECTIONS.items()}
    known |= {f"xyz:{name}": each.license for name, each in TILES.items()}
    others = {entry.example for name, entry in SOURCES.items() if name not in ("stac", "xyz")}
    assert rows.keys() == online.CHECKS.keys() == known.keys() | others | {"overture:"}
    assert {word: rows[word] for word in known} == known


def test_dates_are_written_into_the_row():
    page = online.PAGE.read_text(encoding="utf-8")
    after = online.marked(page, "ahn:", "2026-12-01")
    assert [word for word, _, said in ROW.findall(after) if said == "2026-12-01"] == ["ahn:"]
    assert [line for line in after.splitlines() if "`ahn:`" not in line] == [
        line for line in page.splitlines() if "`ahn:`" not in line
    ]
