"""How a city of real data is built: ``python -m tests.real_city --tiles FOLDER``, on the machine it runs on.

A server on this machine stands in for Planetary Computer and Panoramax. It has aerial pictures of two years, four files
of some 60 MB a year, heights by lidar, and a panorama each 100 m, of a square of 5 km (``--side-km``) in the middle of
Boston; ``--center`` moves it. Everything is made, but of the size and layout of real files. What is printed, as JSON:
the time that the build takes, the most memory that it and its processes have at once, and what was fetched.

With ``--kill`` the build is done a second time and killed (SIGKILL) each time that it begins another part of its work,
and goes on; the atlas has to be the same to the last byte. It is no test, since it takes minutes, and as good as the
machine is idle.
"""

import argparse
import contextlib
import hashlib
import io
import json
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from tests.sources import pictures
from tests.sources.local_services import BLOB, LocalServices, Running, panoramax_photo, stac_item
from unigeoclip.cli.console import print_lines

LIDAR = "usgslidareuwest.blob.core.windows.net"
CENTER = (42.357, -71.071)
UTM = "EPSG:26919"
NAIP_M, DSM_M, PANORAMAS_M = 0.6, 2.0, 100.0
PANORAMAS = 16  # that differ
YEARS = ("2019", "2022")
PARTS = ("Asking", "stac", "panoramax", "Tiles", "Map", "Pictures and heights", "Land, buildings", "Places and views",
         "Sentence vectors", "The atlas is written")  # fmt: skip
BEAT_S = 0.2
DEGREE_M = 111_320.0


def square(center, side_m):
    """South, west, north, east of a square, degrees."""
    lat, lon = center
    tall, wide = side_m / 2 / DEGREE_M, side_m / 2 / DEGREE_M / math.cos(math.radians(lat))
    return lat - tall, lon - wide, lat + tall, lon + wide


def ground(rng, px, bands):
    """Something with structure at every scale and the noise of a sensor, so that it is as large as a photograph."""
    made = rng.normal(0, 6, (bands, px, px)).astype(np.float32)
    for step in (8, 64, 512):
        coarse = rng.uniform(0, 70, (bands, px // step + 1, px // step + 1)).astype(np.float32)
        made += np.kron(coarse, np.ones((1, step, step), np.float32))[:, :px, :px]
    return made


def panorama(rng):
    """A JPEG of 360 degrees, 2048 pixels wide, with details everywhere."""
    stream = io.BytesIO()
    pixels = ground(rng, 2048, 3)[:, :1024].clip(0, 255).astype(np.uint8)
    Image.fromarray(pixels.transpose(1, 2, 0)).save(stream, "JPEG", quality=80)
    return stream.getvalue()


def furnish(services, bounds, side_m):
    """Put files and items of the square, and a little more, on the server."""
    rng = np.random.default_rng(0)
    south, west, north, east = square(((bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2), side_m + 400)
    middle_lat, middle_lon = (south + north) / 2, (west + east) / 2
    quarters = [(south, west, middle_lat, middle_lon), (south, middle_lon, middle_lat, east),
                (middle_lat, west, north, middle_lon), (middle_lat, middle_lon, north, east)]  # fmt: skip
    px = round((side_m + 400) / 2 / NAIP_M)
    for year in YEARS:
        for number, quarter in enumerate(quarters):
            name = f"{year}-{number}"
            href = f"https://{BLOB}/naip/{name}.tif"
            services.items["naip"].append(stac_item("naip", name, quarter, href, time=f"{year}-07-01T16:00:00Z"))
            array = ground(rng, px, 4).clip(0, 255).astype(np.uint8)
            path = services.folder / BLOB / "naip" / f"{name}.tif"
            pictures.write_raster(path, quarter, array=array, crs=UTM, compress="DEFLATE")
    whole = (south, west, north, east)
    heights = ground(rng, round((side_m + 400) / DSM_M), 1) / 10
    item = stac_item("3dep-lidar-dsm", "dsm", whole, f"https://{LIDAR}/dsm.tif", asset="data", gsd=DSM_M)
    services.items["3dep-lidar-dsm"].append(item)
    pictures.write_raster(services.folder / LIDAR / "dsm.tif", whole, array=heights, crs=UTM,
                          nodata=-9999.0)  # fmt: skip
    kinds = [panorama(rng) for _ in range(PANORAMAS)]
    count = round(side_m / PANORAMAS_M)
    for row in range(count):
        for column in range(count):
            name = f"p{row}-{column}"
            lat = bounds[0] + (row + 0.5) / count * (bounds[2] - bounds[0])
            lon = bounds[1] + (column + 0.5) / count * (bounds[3] - bounds[1])
            services.photos.append(panoramax_photo(name, lat, lon, field_of_view=360))
            path = services.folder / "panoramax.test/api/pictures" / name / "sd.jpg"
            path.parent.mkdir(parents=True)
            path.write_bytes(kinds[(row * count + column) % PANORAMAS])


class Build:
    """One run of the command: how long it takes, the memory of its processes, and an end at a part of its work."""

    def __init__(self, address, tiles, bounds, folder):
        environment = {**os.environ, "UNIGEOCLIP_MIRROR": address, "UNIGEOCLIP_CACHE": str(folder / "cache")}
        line = [sys.executable, "-m", "unigeoclip", "build", "city", "--name", "town", "--tiles", str(tiles),
                "--bbox", ",".join(f"{edge:.5f}" for edge in bounds), "--aerial", "stac:naip",
                "--surface", "stac:3dep-lidar-dsm", "--street", "panoramax:", "--yes",
                "--out", str(folder / "town")]  # fmt: skip
        self.began = time.monotonic()
        self.process = subprocess.Popen(line, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.most_bytes, self.said, self.parts = 0, [], {}
        self.listener = threading.Thread(target=self._listen)
        self.listener.start()

    def _listen(self):
        for line in self.process.stderr:
            text = line.decode(errors="replace").strip()
            self.said.append(text)
            if part := next((part for part in PARTS if text.startswith(part)), None):
                self.parts.setdefault(part, round(time.monotonic() - self.began, 1))

    def _memory(self):
        with contextlib.suppress(psutil.NoSuchProcess):
            whole = psutil.Process(self.process.pid)
            self.most_bytes = max(
                self.most_bytes, sum(each.memory_info().rss for each in [whole, *whole.children(True)])
            )

    def until(self, part=None):
        """Wait for the end, or kill at the beginning of a part; whether it came to its end."""
        while self.process.poll() is None:
            self._memory()
            if part in self.parts:
                self.process.kill()
                break
            time.sleep(BEAT_S)
        self.process.wait()
        self.listener.join()
        self.seconds = time.monotonic() - self.began
        if self.process.returncode > 0:
            raise SystemExit("\n".join(self.said[-5:]))
        return self.process.returncode == 0


def contents(folder):
    """Relative path -> checksum of the file."""
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}  # fmt: skip


def measured(services, tiles, bounds, folder):
    build = Build(services.address, tiles, bounds, folder)
    build.until()
    return {
        "seconds": round(build.seconds, 1),
        "most_memory_mb": round(build.most_bytes / 1e6),
        "parts_began_s": build.parts,
        "requests": services.count(),
        "fetched_mb": round(sum(services.sent.values()) / 1e6, 1),
        "served_mb": round(sum(path.stat().st_size for path in services.folder.rglob("*") if path.is_file()) / 1e6),
        "atlas_mb": round(sum(path.stat().st_size for path in (folder / "town").rglob("*") if path.is_file()) / 1e6, 1),
        "load_per_core": round(psutil.getloadavg()[0] / psutil.cpu_count(), 2),
    }


def killed(services, tiles, bounds, folder):
    """Kill at each part; how often, and the checksums of what comes out."""
    kills = sum(not Build(services.address, tiles, bounds, folder).until(part) for part in PARTS)
    Build(services.address, tiles, bounds, folder).until()
    return kills, contents(folder / "town")


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    options.add_argument(
        "--tiles", type=Path, required=True, help="vector tiles under the square: a folder of z/x/y.pbf"
    )
    options.add_argument("--center", default="{},{}".format(*CENTER), help="latitude,longitude of its middle")
    options.add_argument("--side-km", type=float, default=5.0)
    options.add_argument("--kill", action="store_true", help="kill a second build at each part of its work")
    chosen = options.parse_args()
    side_m = chosen.side_km * 1000
    bounds = square(tuple(map(float, chosen.center.split(","))), side_m)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        services = LocalServices(folder / "served")
        furnish(services, bounds, side_m)
        with Running(services):
            said = measured(services, chosen.tiles, bounds, folder / "whole")
            if chosen.kill:
                said["kills"], again = killed(services, chosen.tiles, bounds, folder / "cut")
                said["same_bytes"] = again == contents(folder / "whole" / "town")
    print_lines(json.dumps(said, indent=1))
    return 0 if said.get("same_bytes", True) else 1


if __name__ == "__main__":
    sys.exit(main())
