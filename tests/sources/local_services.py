"""The open services on this machine: one server that has each of them under /HOST/PATH, counts, and fails when told to.

Answers have the fields of real ones (see docs/real-cities.md); the pictures are made here.
"""

import asyncio
import threading
from collections import Counter, defaultdict
from pathlib import Path
from urllib.parse import urlencode

import uvicorn
from starlette.applications import Starlette
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.sources import pictures

PC = "planetarycomputer.microsoft.com"
BLOB = "naipeuwest.blob.core.windows.net"
TRUNCATED = "truncated"  # faults, beside statuses and whole responses
STALLED = "stalled"


class Truncated(Response):
    """Announces more than it sends."""

    def __init__(self, body=b'{"features": [', announced=10_000, media_type="application/json"):
        super().__init__(body, media_type=media_type, headers={"Content-Length": str(announced)})


class LocalServices:
    """What the services have, what they were asked, and how they fail.

    Attributes:
        folder: Files that are served, under the path /HOST/PATH.
        items: Collection -> items of the STAC service.
        photos: Features of Panoramax.
        panoramas: Of Amsterdam.
        faults: Beginning of a path -> what the next requests for it get: statuses, responses, TRUNCATED, STALLED.
        asked: (path, headers) of all requests.
        sent: Path -> bytes of bodies.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.items = defaultdict(list)
        self.collections = {}
        self.photos, self.panoramas = [], []
        self.page_size = 100
        self.token = "sig=good"
        self.needs_token = False
        self.tile = pictures.tile
        self.faults = defaultdict(list)
        self.asked, self.sent = [], Counter()
        self.forever = None

    def count(self, begin=""):
        """How many requests were made for paths that begin so."""
        return sum(path.startswith(begin) for path, _ in self.asked)

    # What a server of each service does

    async def stac_root(self, request):
        here = f"https://{PC}/api/stac/v1"
        conforms = ["https://api.stacspec.org/v1.0.0/core", "https://api.stacspec.org/v1.0.0/item-search",
                    "https://api.stacspec.org/v1.0.0/collections"]  # fmt: skip
        links = [{"rel": "self", "href": here}, {"rel": "root", "href": here, "type": "application/json"},
                 {"rel": "data", "href": f"{here}/collections"},
                 {"rel": "search", "type": "application/geo+json", "href": f"{here}/search",
                  "method": "GET"}]  # fmt: skip
        return JSONResponse({"type": "Catalog", "id": "local", "stac_version": "1.0.0", "description": "made",
                             "conformsTo": conforms, "links": links})  # fmt: skip

    async def stac_collection(self, request):
        said = self.collections.get(request.path_params["name"])
        return JSONResponse(said) if said else PlainTextResponse("no", 404)

    async def stac_search(self, request):
        west, south, east, north = (float(edge) for edge in request.query_params["bbox"].split(","))
        found = [
            item
            for name in request.query_params["collections"].split(",")
            for item in self.items[name]
            if item["bbox"][0] < east and item["bbox"][2] > west and item["bbox"][1] < north and item["bbox"][3] > south
        ]
        first = int(request.query_params.get("token", 0))
        query = {**request.query_params, "token": first + self.page_size}
        onward = [{"rel": "next", "href": f"https://{PC}/api/stac/v1/search?{urlencode(query)}", "method": "GET"}]
        return JSONResponse({
            "type": "FeatureCollection", "features": found[first : first + self.page_size],
            "links": onward if first + self.page_size < len(found) else [],
        }, media_type="application/geo+json")  # fmt: skip

    async def sas_token(self, request):
        return JSONResponse({"msft:expiry": "2030-01-01T00:00:00Z", "token": self.token}, headers={"ETag": '"t"'})

    async def panoramax_search(self, request):
        west, south, east, north = (float(edge) for edge in request.query_params["bbox"].split(","))
        found = [photo for photo in self.photos if west <= photo["geometry"]["coordinates"][0] < east
                 and south <= photo["geometry"]["coordinates"][1] < north]  # fmt: skip
        first = int(request.query_params.get("page", 0)) * self.page_size
        query = {**request.query_params, "page": first // self.page_size + 1}
        links = [{"rel": "next", "href": f"https://api.panoramax.xyz/api/search?{urlencode(query)}"}]
        return JSONResponse({"type": "FeatureCollection", "features": found[first : first + self.page_size],
                             "links": links if first + self.page_size < len(found) else []})  # fmt: skip

    async def amsterdam_search(self, request):
        west, south, east, north = (float(edge) for edge in request.query_params["bbox"].split(","))
        found = [each for each in self.panoramas if west <= each["geometry"]["coordinates"][0] < east
                 and south <= each["geometry"]["coordinates"][1] < north]  # fmt: skip
        first = int(request.query_params.get("page", 0)) * self.page_size
        query = {**request.query_params, "page": first // self.page_size + 1}
        # Behind its proxy the real service gives http addresses.
        onward = {"href": f"http://api.data.amsterdam.nl/panorama/panoramas/?{urlencode(query)}"}
        return JSONResponse({
            "_links": {"self": {"href": ""}, "next": onward if first + self.page_size < len(found) else {"href": None}},
            "count": len(found), "_embedded": {"panoramas": found[first : first + self.page_size]},
        }, headers={"ETag": f'"{len(found)}"'})  # fmt: skip

    async def map_tile(self, request):
        made = self.tile(*(int(request.path_params[name]) for name in "zxy"))
        return Response(made, media_type="image/png") if made else PlainTextResponse("none", 404)

    async def file(self, request):
        host, path = request.path_params["host"], request.path_params["path"]
        if self.needs_token and host == BLOB and request.url.query != self.token:
            return Response("AuthenticationFailed", 403, media_type="application/xml")
        file = self.folder / host / path
        if not file.is_file():
            return PlainTextResponse("none", 404)
        # As object stores serve what they know no type of.
        return FileResponse(file, media_type="binary/octet-stream" if file.suffix in (".parquet", ".tiff") else None)

    # The server itself

    def app(self):
        stac = f"/{PC}/api/stac/v1"
        return Starlette(routes=[
            Route(stac, self.stac_root),
            Route(f"{stac}/search", self.stac_search),
            Route(f"{stac}/collections/{{name}}", self.stac_collection),
            Route(f"/{PC}/api/sas/v1/token/{{name}}", self.sas_token),
            Route("/api.panoramax.xyz/api/search", self.panoramax_search),
            Route("/api.data.amsterdam.nl/panorama/panoramas/", self.amsterdam_search),
            Route("/tiles.test/{z}/{x}/{y}.png", self.map_tile),
            Route("/service.pdok.nl/hwh/luchtfotorgb/wmts/v1_0/Actueel_orthoHR/EPSG:3857/{z}/{x}/{y}.jpeg",
                  self.map_tile),
            Route("/tiles.arcgis.com/{path:path}/orthos2021/MapServer/tile/{z}/{y}/{x}", self.map_tile),
            Route("/imagery.nationalmap.gov/{path:path}/USGSNAIPPlus/ImageServer/tile/{z}/{y}/{x}", self.map_tile),
            Route("/gibs.earthdata.nasa.gov/wmts/epsg3857/best/{layer}/default/{day}/GoogleMapsCompatible_Level9/"
                  "{z}/{y}/{x}.jpg", self.map_tile),
            Route("/{host}/{path:path}", self.file),
        ])  # fmt: skip

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return
        path = scope["path"]
        self.asked.append((path, {key.decode(): value.decode() for key, value in scope["headers"]}))

        async def counting(message):
            self.sent[path] += len(message.get("body", b""))
            await send(message)

        begin = next((begin for begin, left in self.faults.items() if path.startswith(begin) and left), None)
        fault = self.faults[begin].pop(0) if begin else None
        answer = self.app()
        if isinstance(fault, int):
            answer = PlainTextResponse("fault", fault)
        elif fault == TRUNCATED:
            answer = Truncated()
        elif fault == STALLED:
            self.forever = self.forever or asyncio.Event()
            await self.forever.wait()
        elif fault is not None:
            answer = fault
        await answer(scope, receive, counting)


class Running:
    """The server in a thread, at a port that was free."""

    def __init__(self, services: LocalServices):
        config = uvicorn.Config(services, port=0, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
        self.server = uvicorn.Server(config)
        self.services = services
        self.ready = threading.Event()
        begin = self.server.startup

        async def startup(sockets=None):
            await begin(sockets)
            self.ready.set()

        self.server.startup = startup
        self.thread = threading.Thread(target=self.server.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        assert self.ready.wait(20)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        self.services.address = f"http://127.0.0.1:{port}"
        return self.services

    def __exit__(self, *_):
        self.server.should_exit = self.server.force_exit = True
        self.thread.join(20)


# What services answer with


def stac_item(collection, identifier, bounds, href, *, asset="image", epsg=26919, time="2023-08-01T16:00:00Z", **said):
    """An item with the fields of recorded ones; ``bounds`` are south, west, north, east."""
    south, west, north, east = bounds
    ring = [[east, south], [east, north], [west, north], [west, south], [east, south]]
    self_link = f"https://{PC}/api/stac/v1/collections/{collection}/items/{identifier}"
    return {
        "id": identifier, "type": "Feature", "stac_version": "1.0.0", "collection": collection,
        "bbox": [west, south, east, north], "geometry": {"type": "Polygon", "coordinates": [ring]},
        "links": [{"rel": "collection", "type": "application/json",
                   "href": f"https://{PC}/api/stac/v1/collections/{collection}"},
                  {"rel": "self", "type": "application/geo+json", "href": self_link}],
        "assets": {
            asset: {"href": href, "type": "image/tiff; application=geotiff; profile=cloud-optimized", "roles": ["data"],
                    "title": "RGBIR COG tile"},
            "thumbnail": {"href": f"{href}.200.jpg", "type": "image/jpeg", "roles": ["thumbnail"]},
        },
        "properties": {"gsd": 0.6, "datetime": time, "proj:epsg": epsg,
                       "providers": [{"name": "USDA Farm Service Agency", "roles": ["producer", "licensor"]}], **said},
        "stac_extensions": ["https://stac-extensions.github.io/projection/v1.0.0/schema.json"],
    }  # fmt: skip


def panoramax_photo(identifier, lat, lon, *, azimuth=90, time="2024-05-01T10:00:00+00:00", field_of_view=67, **said):
    """A picture with the fields of recorded ones."""
    href = f"https://panoramax.test/api/pictures/{identifier}"
    return {
        "id": identifier, "type": "Feature", "collection": "c",
        "geometry": {"type": "Point", "coordinates": [lon, lat]},
        "assets": {name: {"href": f"{href}/{name}.jpg", "type": "image/jpeg"} for name in ("hd", "sd", "thumb")},
        "links": [{"rel": "license", "href": "https://creativecommons.org/licenses/by-sa/4.0/"}],
        "providers": [{"name": "somebody", "roles": ["producer"]}],
        "properties": {
            "datetime": time, "view:azimuth": azimuth, "license": "CC-BY-SA-4.0", "geovisio:producer": "somebody",
            "pers:interior_orientation": {"camera_model": "made", "field_of_view": field_of_view}, **said,
        },
    }  # fmt: skip


def amsterdam_panorama(identifier, lat, lon, *, time="2023-06-01T08:00:00Z", heading=134.2, pitch=0.1, roll=-0.2):
    """A panorama with the fields of real ones."""
    picture = f"https://t1.data.amsterdam.nl/panorama/{identifier}/equirectangular"
    links = {"self": {"href": f"https://api.data.amsterdam.nl/panorama/panoramas/{identifier}/"}}
    links |= {f"equirectangular_{size}": {"href": f"{picture}/panorama_{width}.jpg"}
              for size, width in (("full", 8000), ("medium", 4000), ("small", 2000))}  # fmt: skip
    return {
        "_links": links, "pano_id": identifier, "timestamp": time, "filename": "pano_0000.jpg", "mission_year": "2023",
        "surface_type": "L", "geometry": {"type": "Point", "coordinates": [lon, lat, 46.6]}, "roll": roll,
        "pitch": pitch, "heading": heading,
    }  # fmt: skip
