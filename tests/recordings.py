"""Check the STAC adapter on recorded answers of the Planetary Computer: ``python -m tests.recordings FOLDER``.

The folder holds JSON files, each a list of STAC items as the service returned them; they are not part of this project.
A server on this machine serves them. Each item must be found, with everything that an atlas states of its pictures, and
downloaded: a synthetic raster lies at its address, in its projection, and needs a token. The synthetic items of the
tests must have no field that real ones lack. One line is printed for each file; the exit status is 1 if one fails.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import rasterio
import shapely.geometry

from tests.sources.local_services import PC, LocalServices, Running, stac_item
from tests.sources.pictures import write_raster
from unigeoclip.cli.console import print_lines
from unigeoclip.errors import UniGeoError
from unigeoclip.sources.base import Wanted
from unigeoclip.sources.plan import LIMIT_BYTES
from unigeoclip.sources.services import COLLECTIONS
from unigeoclip.sources.stac import StacSource
from unigeoclip.sources.web import MIRROR, Web

HALF_DEG = 0.004  # of the area that is asked for, within each item
GROUND_PX_M = {"aerial": 2.0, "surface": 4.0}
TOKENS = f"/{PC}/api/sas/"


def check(path, services, cache):
    """Check the recording of a collection.

    Args:
        path: The JSON file.
        services: Serves it in place of the real service.
        cache: Folder for downloads.

    Returns:
        A summary.

    Raises:
        AssertionError: An item is read wrongly.
    """
    items = json.loads(path.read_text(encoding="utf-8"))
    assert items, f"{path.name} has no item"
    (name,) = {item["collection"] for item in items}
    assert name in COLLECTIONS, f"{name} is none of {', '.join(COLLECTIONS)}"
    said = {_check_item(item, services, cache) for item in items}
    _check_made(name, items)
    return f"{len(items)} items of {name}: {'; '.join(sorted(said))}"


def _check_item(item, services, cache):
    """Find and download an item; returns a summary."""
    known, identifier = COLLECTIONS[item["collection"]], item["id"]
    outline = shapely.geometry.shape(item["geometry"])
    area = outline.representative_point().buffer(HALF_DEG, cap_style="square")
    west, south, east, north = area.bounds
    services.items[known.name] = [item]  # alone: where several lie over each other, only the best is taken
    wanted = Wanted((south, west, north, east), known.modality, GROUND_PX_M[known.modality])
    web, source = Web(cache), StacSource(known.name)
    found = source.find(wanted, web)
    assert not found.left_out.total(), f"{identifier}: {dict(found.left_out)}"
    covered = outline.intersection(area).area / area.area
    assert abs(found.coverage - covered) < 0.01, f"{identifier} covers {covered}, not {found.coverage}"
    (raster,) = found.items
    assert raster.page.endswith(f"/{identifier}"), f"{identifier} has the page {raster.page}"
    properties = item["properties"]
    epsg, time = properties["proj:epsg"], properties["datetime"] or properties["start_datetime"]
    assert raster.url == item["assets"][known.asset]["href"], f"{identifier} is at {raster.url}"
    assert raster.detail["crs"] == (f"EPSG:{epsg}" if epsg else ""), f"{identifier} is in {raster.detail['crs']}"
    assert raster.year == time[:4], f"{identifier} is of {raster.year}"
    assert raster.license, f"{identifier} has no license"
    assert raster.credit, f"{identifier} has no credit"
    assert 0 < raster.bytes < LIMIT_BYTES, f"{identifier} takes {raster.bytes} bytes"

    def fetch():
        cache.mkdir(exist_ok=True)
        target = cache / "window.tif"
        assert source.fetch(raster, wanted, target, web), f"{identifier} shows nothing"
        return target

    _check_pixels(raster, item, wanted, services, fetch)
    return f"{raster.year}, {raster.detail['crs'] or 'projection in the file'}, {raster.license}"


def _check_pixels(raster, item, wanted, services, fetch):
    """Check the download of a synthetic raster at the address of an item; ``fetch`` returns the file."""
    address = urlsplit(raster.url)
    assert address.scheme == "https", f"{item['id']} is at {raster.url}"
    south, west, north, east = wanted.bounds
    bounds = south - HALF_DEG, west - HALF_DEG, north + HALF_DEG, east + HALF_DEG
    kind = {"bands": 4} if wanted.modality == "aerial" else {"bands": 1, "dtype": "float32"}
    crs = raster.detail["crs"] or _projection(item)
    write_raster(services.folder / address.hostname / address.path.lstrip("/"), bounds, crs=crs, **kind)
    tokens = services.count(TOKENS)
    with rasterio.open(fetch()) as read:
        values = read.read(1, masked=True).compressed()
        assert values.size > 0.9 * read.width * read.height, f"{item['id']} has pixels for {values.size}"
        assert values.min() < values.max(), f"{item['id']} is of one color"
    assert services.count(TOKENS) > tokens, f"{item['id']} was fetched without a token"


def _projection(item):
    """The horizontal projection of an item that states it as PROJJSON only."""
    stated = item["properties"]["proj:projjson"]
    system = next((each for each in stated.get("components", [stated]) if each["type"] == "ProjectedCRS"), stated)
    return rasterio.CRS.from_string(json.dumps(system))


def _check_made(name, items):
    """Check that synthetic items of this collection have no field that real ones lack."""
    made = stac_item(name, "x", (0, 0, 1, 1), "https://x.test/x.tif", asset=COLLECTIONS[name].asset)
    for item in items:
        assert made.keys() <= item.keys(), f"{name} has no {made.keys() - item.keys()}"
        for asset in set(made["assets"]) & set(item["assets"]):
            lacking = made["assets"][asset].keys() - item["assets"][asset].keys()
            assert not lacking, f"file {asset} of {name} has no {lacking}"
    if name == "naip":  # of which synthetic items have the properties
        lacking = made["properties"].keys() - items[0]["properties"].keys()
        assert not lacking, f"{name} has no {lacking}"


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="with a JSON file for each collection")
    paths = sorted(parser.parse_args(arguments).folder.glob("*.json"))
    if not paths:
        parser.error("no JSON file is there")
    failed = False
    with tempfile.TemporaryDirectory() as folder, Running(LocalServices(Path(folder) / "served")) as services:
        os.environ[MIRROR], services.needs_token = services.address, True
        for path in paths:
            try:
                print_lines(check(path, services, Path(folder) / path.stem))
            except (AssertionError, AttributeError, LookupError, ValueError, UniGeoError) as error:
                failed = True
                print_lines(f"{path.name} FAILED: {error!r}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
