"""Rasters out of STAC: a service with item search, or a static catalog of JSON files."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from unigeoclip.errors import DownloadError, InputError, excerpt
from unigeoclip.sources.base import NO_LICENSE, Found, RasterItem
from unigeoclip.sources.remote_raster import READ_AHEAD, copy_window
from unigeoclip.sources.selection import covering, longitude_m, outline
from unigeoclip.sources.services import COLLECTIONS, Collection, license_of, tokens_of
from unigeoclip.sources.stac_catalog import MOST_ITEMS, search, walk
from unigeoclip.sources.stac_catalog import link as _link
from unigeoclip.sources.web import AbsentError, bare

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import shapely

    from unigeoclip.geo import Bounds
    from unigeoclip.sources.base import Wanted
    from unigeoclip.sources.web import Web

__all__ = ["StacSource"]

CLOUDY_PERCENT = 20.0
_ASSETS = {"aerial": ("image", "visual", "data"), "surface": ("data", "dsm", "dem", "elevation")}
_COMPRESSED = 0.6  # bytes read of a byte of pixels
_BLOCK_BYTES = 500_000  # read by one request, about


class StacSource:
    """A collection: one of `COLLECTIONS` by its name, or any as URL#COLLECTION.

    Args:
        rest: Name, or address of the catalog with the name of the collection behind a #; without it, all of its items.

    Raises:
        InputError: It is neither.
    """

    def __init__(self, rest: str) -> None:
        self._token = ""
        self._known = COLLECTIONS.get(rest)
        if self._known is not None:
            self._catalog, self._name = self._known.catalog, self._known.name
            return
        self._catalog, _, self._name = rest.partition("#")
        if not self._catalog.startswith(("https://", "http://")):
            raise InputError(
                f"stac:{excerpt(rest)} is unknown. Known are {', '.join(f'stac:{name}' for name in COLLECTIONS)}; any "
                "other collection is stac:URL#COLLECTION."
            )

    def find(self, wanted: Wanted, web: Web) -> Found[RasterItem]:
        """See `RasterSource.find`."""
        if self._known is not None and self._known.modality != wanted.modality:
            raise InputError(f"stac:{self._known.name} is {self._known.title}: give it as --{self._known.modality}.")
        found: Found[RasterItem] = Found()
        usable: list[tuple[dict[str, Any], RasterItem, shapely.Geometry]] = []
        for raw, stated in itertools.islice(self._items(wanted.bounds, web), MOST_ITEMS):
            made = self._item(raw, wanted, stated)
            if isinstance(made, str):
                found.left_out[made] += 1
            else:
                usable.append((raw, *made))
        clear = self._known is not None and self._known.clear
        usable.sort(key=lambda each: _rank(each[0], each[1], clear), reverse=True)
        chosen, found.coverage = covering([each[2] for each in usable], wanted.bounds)
        found.items = [usable[number][1] for number in chosen]
        found.left_out["show what others show better"] += len(usable) - len(chosen)
        return found

    def fetch(self, item: RasterItem, wanted: Wanted, path: Path, web: Web) -> bool:
        """See `RasterSource.fetch`."""
        return copy_window(
            web,
            lambda again: self._signed(item.url, web, again),
            wanted,
            path,
            str(item.detail.get("crs", "")),
        )

    # Items

    def _items(self, bounds: Bounds, web: Web) -> Iterable[tuple[dict[str, Any], str]]:
        """Items that touch the area, as JSON, with the license of their collection."""
        root = web.get_json(self._catalog)
        if not isinstance(root, dict) or root.get("type") not in ("Catalog", "Collection"):
            raise DownloadError(f"{bare(self._catalog)} is no STAC catalog or collection. Check the address.")
        if _link(root, "search") is None:
            yield from walk(root, self._catalog, self._name, web)
            return
        stated = ""
        if self._known is None and self._name:
            said: Any = None
            with contextlib.suppress(AbsentError):
                said = web.get_json(f"{self._catalog.rstrip('/')}/collections/{self._name}")
            stated = license_of(said.get("license"), _link(said, "license")) if isinstance(said, dict) else ""
        for item in search(self._catalog, self._name, bounds, web):
            yield item, stated

    def _item(self, raw: dict[str, Any], wanted: Wanted, stated: str) -> tuple[RasterItem, shapely.Geometry] | str:
        """The item and where it lies; or why it cannot be used."""
        try:
            return self._checked(raw, wanted, stated)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError):
            return "are described in a way that cannot be read"

    def _checked(self, raw: dict[str, Any], wanted: Wanted, stated: str) -> tuple[RasterItem, shapely.Geometry] | str:
        properties = raw["properties"]
        shape = outline(raw.get("geometry"), raw.get("bbox"))
        url = _asset(raw, wanted.modality, self._known)
        if shape is None or url is None:
            return "have no outline" if shape is None else "have no GeoTIFF of the pictures asked for"
        if urlsplit(url).scheme not in ("https", "http"):
            return f"are at {excerpt(urlsplit(url).scheme, 10)}:// addresses, which need credentials"
        clouds = properties.get("eo:cloud_cover")
        if self._known is not None and self._known.clear and (clouds is None or float(clouds) > CLOUDY_PERCENT):
            return "are cloudy"
        if self._known is not None:
            said, credit = self._known.license, self._known.credit
        else:
            said = license_of(properties.get("license"), _link(raw, "license")) or stated
            credit = _providers(properties) or excerpt(self._name or urlsplit(self._catalog).hostname or "")
        if not said:
            return NO_LICENSE
        time = str(properties.get("datetime") or properties.get("start_datetime") or "")
        size, requests = _cost(properties, shape, wanted, self._known)
        epsg = properties.get("proj:code") or properties.get("proj:epsg")
        return RasterItem(
            name=_file_name(str(raw["id"])),
            url=url,
            license=said,
            credit=credit,
            year=time[:4] if re.match(r"(19|20)\d\d-", time) else "",
            page=bare(_link(raw, "self") or url),
            bytes=size,
            requests=requests,
            detail={"crs": f"EPSG:{epsg}" if str(epsg).isdecimal() else str(epsg or "")},
        ), shape

    # Signatures

    def _signed(self, url: str, web: Web, again: bool) -> str:
        """The address with the token of its service, which is asked for once and again when it has expired."""
        tokens = tokens_of(self._catalog)
        if tokens is None or not (urlsplit(url).hostname or "").endswith(".blob.core.windows.net"):
            return url
        if again or not self._token:
            said = web.get_json(tokens.format(collection=self._name), secret=True)
            if not isinstance(said, dict) or not isinstance(said.get("token"), str):
                raise DownloadError(f"{bare(tokens)} gave no token.")
            self._token = said["token"]
        return f"{url}?{self._token}"


def _asset(raw: dict[str, Any], modality: str, known: Collection | None) -> str | None:
    """Address of the file with the pixels."""
    assets = raw["assets"]
    names = (known.asset,) if known else _ASSETS[modality]
    tiffs = [name for name, asset in assets.items() if "tiff" in str(asset.get("type", ""))]
    chosen = next((name for name in names if name in assets), tiffs[0] if len(tiffs) == 1 and not known else None)
    if chosen is None:
        return None
    base = _link(raw, "self") or ""
    return urljoin(base, str(assets[chosen]["href"]))


def _providers(properties: dict[str, Any]) -> str:
    names = [str(each["name"]) for each in properties.get("providers") or []
             if {"producer", "licensor"} & set(each.get("roles") or [])]  # fmt: skip
    return excerpt(", ".join(dict.fromkeys(names)), 200)


def _cost(
    properties: dict[str, Any], shape: shapely.Geometry, wanted: Wanted, known: Collection | None
) -> tuple[int, int]:
    """About how many bytes, by how many requests, the part of an item in the area takes."""
    native = float(properties.get("gsd") or (known.ground_px_m if known else 1.0))
    step = native
    while step * 2 <= wanted.ground_px_m:
        step *= 2
    south, west, north, east = wanted.bounds
    left, low, right, high = shape.bounds
    across = max(0.0, min(right, east) - max(left, west)) * longitude_m((south + north) / 2)
    down = max(0.0, min(high, north) - max(low, south)) * longitude_m(0.0)
    pixels = across * down / max(step, 1e-3) ** 2
    size = int(pixels * (known.px_bytes if known else 4) * _COMPRESSED) + READ_AHEAD
    return size, 2 + size // _BLOCK_BYTES


def _rank(raw: dict[str, Any], item: RasterItem, clear: bool) -> tuple[float, str, str]:
    """The larger the better."""
    properties = raw["properties"]
    clouds = float(properties.get("eo:cloud_cover") or 0.0) if clear else 0.0
    return -clouds, str(properties.get("datetime") or properties.get("start_datetime") or ""), item.name


def _file_name(identifier: str) -> str:
    """A name that every file system takes, and that no other item has."""
    safe = re.sub(r"[^A-Za-z0-9._-]", "-", identifier)[:80].strip(".-")
    return f"{safe}-{hashlib.sha256(identifier.encode()).hexdigest()[:8]}"
