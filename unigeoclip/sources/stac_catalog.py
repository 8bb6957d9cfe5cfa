"""Items of STAC: by the search of a service, through pystac-client, or out of a catalog of JSON files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from unigeoclip.errors import DownloadError, UniGeoError, excerpt
from unigeoclip.extras import needs_extra
from unigeoclip.sources.services import license_of
from unigeoclip.sources.web import bare

if TYPE_CHECKING:
    from collections.abc import Iterator

    from unigeoclip.geo import Bounds
    from unigeoclip.sources.web import Web

__all__ = ["MOST_ITEMS", "link", "search", "walk"]

MOST_ITEMS = 500  # that are looked at
MOST_FILES = 1_000  # of a catalog of files that are read
_PAGE = 100


def link(raw: dict[str, Any], rel: str) -> str | None:
    """Address of the first link of a kind, as it is written there."""
    links = raw.get("links")
    found = [each.get("href") for each in links if isinstance(each, dict)
             and each.get("rel") == rel] if isinstance(links, list) else []  # fmt: skip
    return str(found[0]) if found and found[0] else None


def search(catalog: str, collection: str, bounds: Bounds, web: Web) -> Iterator[dict[str, Any]]:
    """Items of a collection that touch an area, as a service finds them.

    Args:
        catalog: Address of the service.
        collection: Its name there; all collections if empty.
        bounds: South, west, north, east in degrees.
        web: Asks, for pystac-client too, so that its requests are as polite and bounded as all others.

    Raises:
        DownloadError: The service cannot be asked, or does not answer as STAC services do.
    """
    with needs_extra("sources"):
        from pystac import STACError, STACTypeError
        from pystac_client import Client
        from pystac_client.exceptions import APIError
        from pystac_client.stac_api_io import StacApiIO

    class PoliteIO(StacApiIO):
        def request(
            self,
            href: str,
            method: str | None = None,
            headers: dict[str, str] | None = None,
            parameters: dict[str, Any] | None = None,
        ) -> str:
            if (method or "GET").upper() != "GET":
                raise DownloadError(f"{bare(catalog)} wants a page asked for by POST, which is not supported.")
            return json.dumps(web.get_json(href, parameters))

    south, west, north, east = bounds
    try:
        client = Client.open(catalog, stac_io=PoliteIO(max_retries=None))
        yield from client.search(
            method="GET",
            bbox=[west, south, east, north],
            collections=[collection] if collection else None,
            limit=_PAGE,
            max_items=MOST_ITEMS,
        ).items_as_dicts()
    except UniGeoError:
        raise
    except (
        APIError,
        STACError,
        STACTypeError,
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        RuntimeError,
    ) as error:
        raise DownloadError(
            f"{bare(catalog)} does not answer as STAC services do ({type(error).__name__}). Check the address."
        ) from error


def walk(root: dict[str, Any], url: str, collection: str, web: Web) -> Iterator[tuple[dict[str, Any], str]]:
    """Items of a catalog of files, each with the license of its collection, and with absolute addresses of its files.

    Args:
        root: Content of the catalog or collection.
        url: Its address.
        collection: The one whose items are wanted; all if empty.
        web: Asks.

    Raises:
        DownloadError: A file cannot be read, there are more than `MOST_FILES`, or no such collection.
    """
    left, seen, met = [(root, url, "", not collection)], {url}, not collection
    while left:
        raw, at, stated, wanted = left.pop()
        if raw.get("type") == "Feature":
            if wanted:
                yield _absolute(raw, at), stated
            continue
        wanted = wanted or raw.get("id") == collection
        met = met or wanted
        stated = license_of(raw.get("license"), link(raw, "license")) or stated
        for each in raw.get("links") or []:
            if not isinstance(each, dict) or each.get("rel") not in ("child", "item"):
                continue
            href = urljoin(at, str(each.get("href")))
            if href in seen:
                continue
            seen.add(href)
            if len(seen) > MOST_FILES:
                raise DownloadError(
                    f"{bare(url)} has more than {MOST_FILES:,} files. Give the address of one of its collections."
                )
            said = web.get_json(href)
            if not isinstance(said, dict):
                raise DownloadError(f"{bare(href)} is no part of a STAC catalog.")
            left.append((said, href, stated, wanted))
    if not met:
        raise DownloadError(f"{bare(url)} has no collection {excerpt(collection)!r}.")


def _absolute(raw: dict[str, Any], at: str) -> dict[str, Any]:
    assets = raw.get("assets")
    if not isinstance(assets, dict):
        return raw
    moved = {
        name: {**asset, "href": urljoin(at, str(asset.get("href")))}
        for name, asset in assets.items()
        if isinstance(asset, dict)
    }
    return {**raw, "assets": moved}
