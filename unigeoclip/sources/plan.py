"""What a download would cost, before it begins; and the download, which an interruption does not make begin again.

A plan is kept in the folder of the download. While it is there, the same words and area give the same files, whatever a
service adds meanwhile; remove the folder to look again.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from unigeoclip.errors import DownloadError, InputError, UniGeoError, excerpt
from unigeoclip.files.atomic import remove_leftovers, write_bytes
from unigeoclip.files.cache import cache_folder
from unigeoclip.files.json_files import read_json, write_json
from unigeoclip.sources import open_source
from unigeoclip.sources.base import Found, PhotoItem, RasterItem, Wanted
from unigeoclip.sources.web import UnusableError, Web

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from unigeoclip.geo import Bounds
    from unigeoclip.sources.base import PhotoSource, RasterSource

__all__ = [
    "LIMIT_BYTES",
    "LIMIT_REQUESTS",
    "PHOTOS",
    "RASTERS",
    "Cost",
    "Fetched",
    "Plan",
    "check_bounds",
    "check_size",
    "fetch",
    "fetch_word",
    "make_plan",
    "size_text",
]

LIMIT_BYTES = 200_000_000  # above either of these a person has to agree
LIMIT_REQUESTS = 2_000
GROUND_PX_M = {"aerial": 1.25, "surface": 2.0, "street": 1.0, "embeddings": 10.0}  # what the builder makes use of
RASTERS, PHOTOS = "sources.csv", "photos.csv"
MOST_FAILURES = 10  # in a row
WIDEST_DEG = 1.0  # of an area: about 100 km
_FORM = 1  # raised when plans of before cannot be read any more
_PLAN = "plan.json"
_FILES = "files"
_NOTHING = ".nothing"  # ending of a note that the service has nothing for an item


@dataclass
class Plan:
    """What is to be fetched from one source.

    Attributes:
        word: Names the source.
        wanted: Area, modality, ground resolution.
        folder: Where it is kept.
        found: Items, and what was left out.
    """

    word: str
    wanted: Wanted
    folder: Path
    found: Found[Any]

    @property
    def label(self) -> str:
        """The word, for sentences."""
        return self.word.rstrip(":")

    @property
    def is_photos(self) -> bool:
        """Whether its items are photos."""
        return self.wanted.modality == "street"

    @property
    def missing(self) -> list[Any]:
        """Items that are not in the folder yet."""
        return [item for item in self.found.items if not self.path(item).is_file() and not self.note(item).is_file()]

    @property
    def bytes(self) -> int:
        """About how many are still to be read."""
        return sum(item.bytes for item in self.missing)

    @property
    def requests(self) -> int:
        """About how many are still to be made."""
        return sum(item.requests for item in self.missing)

    def path(self, item: RasterItem | PhotoItem) -> Path:
        """File of an item."""
        return self.folder / _FILES / f"{item.name}{'.jpg' if self.is_photos else '.tif'}"

    def note(self, item: RasterItem | PhotoItem) -> Path:
        """File that says that the service has nothing for an item."""
        return self.folder / _FILES / f"{item.name}{_NOTHING}"

    def lines(self) -> list[str]:
        """The plan, for people."""
        items, kind = self.found.items, "photo" if self.is_photos else "raster"
        much = f"{self.requests:,} requests, about {size_text(self.bytes)}" if self.missing else "all of them are here"
        covered = "" if self.found.coverage is None else f", {self.found.coverage:.0%} of the area"
        kind += "" if len(items) == 1 else "s"
        lines = [f"{self.wanted.modality} from {self.label}: {len(items):,} {kind}{covered}; {much}"]
        times = sorted({year for item in items if (year := _year(item))})
        if times:
            lines.append(f"  from {times[0]}" + (f" to {times[-1]}" if len(times) > 1 else ""))
        for (terms, credit), count in Counter((item.license, item.credit) for item in items).most_common(5):
            lines.append(f"  {terms or 'license not stated'}: {credit}" + (f" ({count:,})" if self.is_photos else ""))
        lines += [f"  {count:,} {why}: left out" for why, count in self.found.left_out.items() if count]
        return lines


@dataclass(frozen=True)
class Fetched:
    """What was fetched.

    Attributes:
        path: The folder of the rasters with `RASTERS`, or the table `PHOTOS`.
        notes: What was left out, in whole sentences.
    """

    path: Path
    notes: list[str]


def make_plan(word: str, modality: str, bounds: Bounds, cache: Path | None, web: Web) -> Plan:
    """Ask a source what it has in an area; the pixels and photos themselves are not asked for.

    Args:
        word: SCHEME:REST, see `SOURCES`.
        modality: "aerial", "surface", "street" or "embeddings".
        bounds: South, west, north, east in degrees.
        cache: Folder to keep it in; the package's cache folder by default.
        web: Asks.

    Raises:
        InputError: No such source, or an area that cannot be used.
        DownloadError: The service cannot be asked.
    """
    check_bounds(bounds)
    source = open_source(word, modality)
    wanted = Wanted(bounds, modality, GROUND_PX_M[modality])
    key = json.dumps([_FORM, word, modality, bounds, wanted.ground_px_m])
    scheme = word.partition(":")[0]
    digest = hashlib.sha256(key.encode()).hexdigest()[:16]
    folder = (cache or cache_folder()) / "sources" / f"{modality}-{scheme}-{digest}"
    kept = _read(folder, modality)
    if kept is None:
        kept = source.find(wanted, web)
        (folder / _FILES).mkdir(parents=True, exist_ok=True)
        if kept.items:  # else a service may have something another time
            write_json(folder / _PLAN, {
                "form": _FORM, "word": word, "bounds": list(bounds), "coverage": kept.coverage,
                "left_out": dict(kept.left_out), "items": [asdict(item) for item in kept.items],
            })  # fmt: skip
    return Plan(word, wanted, folder, kept)


class Cost(Protocol):
    """A download that a person may have to agree to; see `Plan`."""

    @property
    def word(self) -> str:
        """Names the source."""

    @property
    def folder(self) -> Path:
        """Where it is kept."""

    @property
    def bytes(self) -> int:
        """About how many are still to be read."""

    @property
    def requests(self) -> int:
        """About how many are still to be made."""


def check_size(plans: Sequence[Cost], yes: bool) -> None:
    """Refuse a large download to which nobody has agreed, or for which there is no room.

    Raises:
        InputError: It is above `LIMIT_BYTES` or `LIMIT_REQUESTS`, or above what is free on the disk.
    """
    size, requests = sum(plan.bytes for plan in plans), sum(plan.requests for plan in plans)
    if not yes and (size > LIMIT_BYTES or requests > LIMIT_REQUESTS):
        words = ", ".join(plan.word for plan in plans)
        raise InputError(
            f"This fetches about {size_text(size)} in {requests:,} requests from {words}. "
            "If that is meant, add --yes; else choose a smaller --bbox."
        )
    for plan in plans:
        if size * 2 > (free := shutil.disk_usage(plan.folder).free):
            raise InputError(
                f"This fetches about {size_text(size)}, but {plan.folder} has {size_text(free)} free. Make room, or "
                "set UNIGEOCLIP_CACHE to a folder on a larger disk."
            )


def fetch(plan: Plan, web: Web, progress: Callable[[str, float], None] | None = None) -> Fetched:
    """Fetch what is missing; after an interruption, go on where it stopped.

    Args:
        plan: What to fetch.
        web: Asks.
        progress: Called with what is being done and the share done.

    Raises:
        InputError: The source has nothing in the area that can be used.
        DownloadError: Something cannot be fetched; what was fetched before stays.
    """
    report = progress or (lambda _text, _share: None)
    if not plan.found.items:
        why = "; ".join(f"{count:,} {why}" for why, count in plan.found.left_out.items() if count)
        raise InputError(f"{plan.label} has nothing that can be used in the --bbox{f': {why}' if why else ''}.")
    source: Any = open_source(plan.word, plan.wanted.modality)
    remove_leftovers(plan.folder / _FILES)
    missing, whole = plan.missing, len(plan.found.items)
    failures: list[UnusableError] = []
    row = 0  # failures without a success between them
    for number, item in enumerate(missing):
        done = whole - len(missing) + number
        report(f"{plan.label}: {done:,} of {whole:,} fetched, {size_text(web.bytes)}", done / whole)
        try:
            _fetch_one(source, plan, item, web)
            row = 0
        except UnusableError as error:
            failures.append(error)
            row += 1
            if row >= MOST_FAILURES:
                raise DownloadError(
                    f"{plan.label}: {row} files in a row cannot be used. The last one: {error}"
                ) from error
    there = [item for item in plan.found.items if plan.path(item).is_file()]
    if not there:
        why = f" The last one: {failures[-1]}" if failures else ""
        raise InputError(f"{plan.label}: none of {whole:,} files has anything in the --bbox that can be used.{why}")
    report(f"{plan.label}: {len(there):,} of {whole:,} fetched", 1.0)
    table = plan.folder / (PHOTOS if plan.is_photos else RASTERS)
    write_bytes(table, _table(plan, there), error=DownloadError)
    notes = [f"{plan.label}: {len(failures):,} of {whole:,} files are left out: {failures[0]}"] if failures else []
    return Fetched(table if plan.is_photos else plan.folder, notes)


def fetch_word(word: str, modality: str, bounds: Bounds, cache: Path | None) -> Path:
    """Plan and fetch in one step, as long as it is small.

    Args:
        word: SCHEME:REST, see `SOURCES`.
        modality: "aerial", "surface" or "street".
        bounds: South, west, north, east in degrees.
        cache: Folder to keep it in; the package's cache folder by default.

    Returns:
        The folder of the rasters, or the table of the photos.

    Raises:
        InputError: It cannot be used, or is above `LIMIT_BYTES` or `LIMIT_REQUESTS`.
        DownloadError: It cannot be fetched.
    """
    web = Web(cache or cache_folder())
    plan = make_plan(word, modality, bounds, cache, web)
    check_size([plan], yes=False)
    return fetch(plan, web).path


def _fetch_one(source: RasterSource | PhotoSource, plan: Plan, item: Any, web: Web) -> None:
    """Write the file of an item, or a note that there is nothing."""
    if plan.is_photos:
        write_bytes(plan.path(item), cast("PhotoSource", source).fetch(item, web), error=DownloadError)
    elif not cast("RasterSource", source).fetch(item, plan.wanted, plan.path(item), web):
        write_bytes(plan.note(item), b"", error=DownloadError)


def _table(plan: Plan, items: list[Any]) -> bytes:
    columns = ["path", "license", "credit"]
    if not all(item.license for item in items):
        columns = ["path"]  # a person states both; an empty cell would mean that there is no license
    columns += ["lat", "lon", "heading", "time", "projection"] if plan.is_photos else ["year"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*columns, "url"])
    for item in items:
        cells = {**asdict(item), "path": f"{_FILES}/{plan.path(item).name}"}
        writer.writerow(["" if cells[name] is None else cells[name] for name in columns] + [item.page])
    return text.getvalue().encode()


def _read(folder: Path, modality: str) -> Found[Any] | None:
    """The plan that is kept in a folder; None if there is none that can be read."""
    if not (folder / _PLAN).is_file():
        return None
    try:
        said = read_json(folder / _PLAN)
        made: Any = PhotoItem if modality == "street" else RasterItem
        return Found([made(**item) for item in said["items"]], Counter(said["left_out"]), said["coverage"])
    except (UniGeoError, KeyError, TypeError, ValueError):
        return None


def check_bounds(bounds: Bounds) -> None:
    """Refuse what is no area, or a larger one than a city.

    Raises:
        InputError: It is one of these.
    """
    south, west, north, east = bounds
    if not (-85 <= south < north <= 85 and -180 <= west < east <= 180):
        raise InputError(f"--bbox {excerpt(','.join(map(str, bounds)))} is no area: south,west,north,east in degrees.")
    if max(north - south, east - west) > WIDEST_DEG:
        raise InputError(f"--bbox is wider than the {WIDEST_DEG:g} degrees for which data are fetched. Choose a city.")


def _year(item: RasterItem | PhotoItem) -> str:
    return item.year if isinstance(item, RasterItem) else item.time[:4]


def size_text(count: float) -> str:
    """Bytes in MB or GB, for people."""
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{max(count / 1e6, 0.1):,.1f} MB"
