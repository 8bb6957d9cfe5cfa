"""Ask the real services: ``make online``, for whoever has a network; writes dates into docs/real-cities.md.

Each source is asked for a small area, one small download each; what comes back has to be what the adapters expect. No
test run does this: the same checks run against the services on this machine in tests/sources/test_online.py.
"""

import datetime
import os
import sys
import tempfile
from pathlib import Path

import rasterio
from PIL import Image

from unigeoclip.build.city.extracts.open_map import open_map
from unigeoclip.build.city.extracts.overture_tags import COLUMNS
from unigeoclip.cli.console import print_lines
from unigeoclip.errors import UniGeoError
from unigeoclip.sources.mapillary import TOKEN
from unigeoclip.sources.parquet.overture import fetch_overture, plan_overture
from unigeoclip.sources.plan import LIMIT_BYTES, fetch, make_plan
from unigeoclip.sources.spot import NothingThereError, aerial_picture, street_photo
from unigeoclip.sources.web import Web

PAGE = Path(__file__).parents[1] / "docs" / "real-cities.md"
NOT_YET = "not yet"
_BOSTON, _AMSTERDAM = (42.355, -71.066, 42.358, -71.062), (52.371, 4.890, 52.373, 4.893)
_UTAH, _PARIS = (38.120, -114.030, 38.124, -114.025), (48.855, 2.345, 48.857, 2.348)
CHECKS = {
    "stac:naip": ("aerial", _BOSTON),
    "stac:3dep-lidar-dsm": ("surface", _UTAH),
    "stac:3dep-lidar-hag": ("surface", _UTAH),
    "stac:cop-dem-glo-30": ("surface", _BOSTON),
    "stac:sentinel-2-l2a": ("aerial", _BOSTON),
    "stac:sentinel-2-c1-l2a": ("aerial", _BOSTON),
    "xyz:naip": ("aerial", _BOSTON),
    "xyz:massgis-2021": ("aerial", _BOSTON),
    "xyz:pdok-ortho": ("aerial", _AMSTERDAM),
    "ahn:": ("surface", _AMSTERDAM),
    "panoramax:": ("street", _PARIS),
    "amsterdam:": ("street", _AMSTERDAM),
    "alphaearth:": ("embeddings", _BOSTON),
    "mapillary:": ("street", _PARIS),
    "overture:": ("map", _BOSTON),
}
# Online pictures of the app: latitude, longitude, side of the window in meters.
SPOTS = {"Boston": (42.3601, -71.0589, 225.0), "Denver": (39.74, -104.99, 225.0), "Amsterdam": (52.372, 4.8915, 225.0),
         "Lyon on the world": (45.764, 4.8357, 333_585.0)}  # fmt: skip


def check(word, modality, bounds, cache):
    """Find and fetch; returns what was read, in words, and raises if it is not as expected."""
    web = Web(cache)
    if modality == "map":
        return _check_map(word, bounds, cache, web)
    plan = make_plan(word, modality, bounds, cache, web)
    assert plan.found.items, f"nothing found; left out: {dict(plan.found.left_out)}"
    assert all(item.license and item.credit for item in plan.found.items), "an item without license or credit"
    assert plan.found.coverage is None or plan.found.coverage > 0.5, f"covers {plan.found.coverage:.0%}"
    assert plan.bytes < LIMIT_BYTES
    fetched = fetch(plan, web)
    files = [plan.path(item) for item in plan.found.items if plan.path(item).is_file()]
    for path in files:
        (_check_photo if modality == "street" else _check_raster)(path, modality)
    assert len(files) >= 0.8 * len(plan.found.items), fetched.notes
    return f"{len(files)} files, {web.requests} requests, {web.bytes / 1e6:.1f} MB"


def _check_map(word, bounds, cache, web):
    plan = plan_overture(word, COLUMNS, bounds, cache, web)
    assert plan.bytes < LIMIT_BYTES
    layers = open_map(f"overture:{fetch_overture(plan, web)}", bounds).read_layers(lambda _text, _share: None)
    for name in ("building", "transportation", "transportation_name", "poi", "landuse"):
        assert len(layers[name]), f"no {name}"
    return f"release {plan.release}, {web.requests} requests, {web.bytes / 1e6:.1f} MB"


def check_spot(lat, lon, window_m):
    """Fetch the present pictures of a spot as the app does; returns what was read, in words."""
    web = Web(within_s=20)
    aerial = aerial_picture(lat, lon, window_m, web)
    try:
        street = street_photo(lat, lon, 1_000.0, web).host
    except NothingThereError as error:
        street = str(error)
    return f"{aerial.host} {aerial.time}; {street}; {web.requests} requests, {web.bytes / 1e6:.1f} MB"


def _check_raster(path, modality):
    with rasterio.open(path) as raster:
        assert raster.crs is not None
        assert raster.count >= {"aerial": 3, "embeddings": 64}.get(modality, 1)
        values = raster.read(1, masked=True).compressed()
        assert values.size, "no pixel is known"
        assert values.min() < values.max(), "all pixels are alike"
        if modality == "surface":
            assert -500 < values.min() <= values.max() < 9_000


def _check_photo(path, _):
    with Image.open(path) as photo:
        assert min(photo.convert("RGB").size) >= 200


def marked(text, word, said):
    """The page with another last cell in the row of a source."""
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if line.startswith(f"| `{word}` |"):
            lines[number] = f"{line.rstrip().rstrip('|').rpartition('|')[0]}| {said} |\n"
    return "".join(lines)


def main():
    failed = []
    for word, (modality, bounds) in CHECKS.items():
        if word == "mapillary:" and not os.environ.get(TOKEN):
            print_lines(f"{word:24} not checked: {TOKEN} is not set")
            continue
        with tempfile.TemporaryDirectory() as cache:
            try:
                said = check(word, modality, bounds, Path(cache))
            except (AssertionError, UniGeoError) as error:
                failed.append(word)
                print_lines(f"{word:24} FAILED: {error}")
                continue
        print_lines(f"{word:24} {said}")
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        PAGE.write_text(marked(PAGE.read_text(encoding="utf-8"), word, today), encoding="utf-8")
    for name, spot in SPOTS.items():
        try:
            print_lines(f"{name:24} {check_spot(*spot)}")
        except UniGeoError as error:
            failed.append(name)
            print_lines(f"{name:24} FAILED: {error}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
