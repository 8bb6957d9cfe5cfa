"""A city of real data by one command, with services on this machine in place of the real ones."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import anyio
import pytest
import rasterio

from tests.build import made_up_tiles
from tests.sources import pictures
from tests.sources.local_services import BLOB, panoramax_photo, stac_item
from unigeoclip.atlas.store import load_atlas
from unigeoclip.cli.main import main

ROOT = Path(__file__).parents[2]
BOUNDS = made_up_tiles.bbox()
LIDAR = "usgslidareuwest.blob.core.windows.net"


@pytest.fixture
def open_data(services):
    """Two pictures and their years, heights, and panoramas of the made-up town."""
    south, west, north, east = BOUNDS
    middle = (south + north) / 2
    wide = (south - 0.002, west - 0.002, north + 0.002, east + 0.002)
    parts = {"old": (wide, "2018"), "south": ((wide[0], wide[1], middle, wide[3]), "2023"),
             "north": ((middle, wide[1], wide[2], wide[3]), "2023")}  # fmt: skip
    for name, (part, year) in parts.items():
        href = f"https://{BLOB}/naip/{name}.tif"
        services.items["naip"].append(stac_item("naip", name, part, href, time=f"{year}-07-01T16:00:00Z"))
        pictures.write_raster(services.folder / BLOB / "naip" / f"{name}.tif", part, size=(900, 1200))
    services.items["3dep-lidar-dsm"].append(
        stac_item("3dep-lidar-dsm", "dsm", wide, f"https://{LIDAR}/dsm.tif", asset="data", gsd=2)
    )
    pictures.write_raster(services.folder / LIDAR / "dsm.tif", wide, size=(600, 800), bands=1, dtype="float32",
                          nodata=-9999.0)  # fmt: skip
    services.needs_token = True
    count = 8
    for row in range(count):
        for column in range(count):
            name = f"p{row}-{column}"
            lat, lon = (low + (high - low) * (index + 0.5) / count
                        for low, high, index in ((south, north, row), (west, east, column)))  # fmt: skip
            license_ = {} if row else {"license": None}
            services.photos.append(panoramax_photo(name, lat, lon, field_of_view=360, **license_))
            path = services.folder / "panoramax.test/api/pictures" / name / "sd.jpg"
            path.parent.mkdir(parents=True)
            path.write_bytes(pictures.jpeg(1024, 512, shade=row * 20 + column))
    return services


@pytest.fixture(scope="module")
def tiles(tmp_path_factory):
    return made_up_tiles.write_tiles(tmp_path_factory.mktemp("tiles"))


def arguments(tiles, folder):
    line = ["build", "city", "--name", "town", "--tiles", str(tiles), "--bbox", ",".join(map(str, BOUNDS))]
    line += ["--aerial", "stac:naip", "--surface", "stac:3dep-lidar-dsm", "--street", "panoramax:"]
    return [*line, "--out", str(folder / "town")]


def command(services, tiles, folder):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "UNIGEOCLIP_MIRROR": services.address,
                   "UNIGEOCLIP_CACHE": str(folder / "cache")}  # fmt: skip
    line = [sys.executable, "-m", "unigeoclip", *arguments(tiles, folder)]
    return subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finished(process):
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return out, err


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_plan_fetches_and_builds_nothing(open_data, tiles, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path / "cache"))
    assert main([*arguments(tiles, tmp_path), "--plan"]) == 0
    out = capsys.readouterr().out
    assert "aerial from stac:naip: 2 rasters, 100% of the area; " in out
    assert "surface from stac:3dep-lidar-dsm: 1 raster," in out
    assert "street from panoramax: 56 photos; 56 requests" in out
    assert "8 have no license: left out" in out
    assert "CC BY-SA 4.0: somebody, Panoramax (56)" in out
    assert open_data.count(f"/{BLOB}") == open_data.count("/panoramax.test") == 0
    assert not (tmp_path / "town").exists()


@pytest.mark.slow
def test_a_city_of_real_data_that_is_killed_while_it_fetches(open_data, tiles, tmp_path, monkeypatch):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    finished(command(open_data, tiles, whole))
    atlas = load_atlas(whole / "town")
    assert atlas.manifest.pictures == {"aerial": "photographed", "surface": "measured", "street": "photographed"}
    said = json.dumps([[source.licence, source.attribution] for source in atlas.manifest.sources])
    for expected in ("public domain", "USDA Farm Service Agency", "3D Elevation Program", "CC BY-SA 4.0", "Panoramax"):
        assert expected in said
    assert "sig=" not in json.dumps(contents(whole)["town/atlas.json"].decode())
    with rasterio.open(whole / "town" / "aerial.tif") as aerial:
        assert aerial.count == 3

    # Killed in the middle of a raster, and when some of the photos are here.
    served = open_data.file
    for path in (f"/{BLOB}/naip/north.tif", "/panoramax.test/api/pictures/p3-3"):
        reached = threading.Event()

        async def stalling(request, path=path, reached=reached):
            if request.url.path.startswith(path) and not reached.is_set():
                reached.set()
                await anyio.sleep_forever()
            return await served(request)

        monkeypatch.setattr(open_data, "file", stalling)
        process = command(open_data, tiles, cut)
        assert reached.wait(200)
        process.kill()
        process.communicate(timeout=60)
        assert not (cut / "town" / "atlas.json").exists()
    monkeypatch.setattr(open_data, "file", served)
    finished(command(open_data, tiles, cut))
    assert contents(cut / "town") == contents(whole / "town")
