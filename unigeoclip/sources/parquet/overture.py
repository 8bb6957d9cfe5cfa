"""Overture Maps from its public bucket: the row groups of an area, as local GeoParquet.

The index of a release (STAC as GeoParquet) says which files touch an area; the footers of these say which of their row
groups do, and what those weigh. Only the paths of the index are used, not its addresses.
"""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from unigeoclip.errors import DownloadError, InputError, excerpt
from unigeoclip.files.atomic import atomic, reason, remove_leftovers
from unigeoclip.files.cache import cache_folder
from unigeoclip.sources.parquet.remote_table import open_table
from unigeoclip.sources.parquet.row_groups import check_groups, group_bytes, groups_touching
from unigeoclip.sources.plan import check_bounds, size_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from unigeoclip.geo import Bounds
    from unigeoclip.sources.web import Web

__all__ = ["BUCKET", "CATALOG", "RELEASE", "OverturePlan", "fetch_overture", "plan_overture"]

CATALOG = "https://stac.overturemaps.org"
BUCKET = "https://overturemaps-us-west-2.s3.us-west-2.amazonaws.com"
RELEASE = re.compile(r"\d{4}-\d{2}-\d{2}\.\d+")
MARGIN_DEG = 0.005  # some 500 m round the area: streets go on outside of it
MOST_FILES = 200
_MOST_INDEX_BYTES = 64_000_000
_PARQUET = ("parquet", "octet-stream", "application/x-")
_REQUEST_BYTES = 16_000_000  # pyarrow asks for some columns of a row group together
_BATCH = 50_000


@dataclass(frozen=True)
class _File:
    """A file of a release, and what is wanted of it."""

    kind: str
    url: str
    groups: tuple[int, ...]
    bytes: int


@dataclass(frozen=True)
class OverturePlan:
    """What is to be fetched.

    Attributes:
        word: Names the source.
        release: Such as "2026-07-22.0".
        bounds: South, west, north, east in degrees, with the margin.
        folder: Where it goes, one file for each type.
        columns: Type -> columns that are read.
        files: Files with something in the area.
    """

    word: str
    release: str
    bounds: Bounds
    folder: Path
    columns: Mapping[str, Sequence[str]]
    files: tuple[_File, ...]

    @property
    def missing(self) -> list[str]:
        """Types that are not in the folder yet."""
        return [kind for kind in dict.fromkeys(file.kind for file in self.files) if not self.path(kind).is_file()]

    @property
    def bytes(self) -> int:
        """About how many are still to be read."""
        return sum(file.bytes for file in self.files if file.kind in self.missing)

    @property
    def requests(self) -> int:
        """About how many are still to be made."""
        return sum(3 + len(file.groups) + file.bytes // _REQUEST_BYTES
                   for file in self.files if file.kind in self.missing)  # fmt: skip

    def path(self, kind: str) -> Path:
        """File of a type."""
        return self.folder / f"{kind}.parquet"

    def lines(self) -> list[str]:
        """The plan, for people."""
        much = f"{self.requests:,} requests, about {size_text(self.bytes)}" if self.missing else "all of them are here"
        kinds = dict.fromkeys(file.kind for file in self.files)
        return [
            f"map, texts from Overture Maps {self.release}: {', '.join(kinds)}; {much}",
            "  ODbL 1.0: © OpenStreetMap contributors, Overture Maps Foundation; places CDLA-Permissive-2.0 and others",
        ]


def plan_overture(
    word: str, columns: Mapping[str, Sequence[str]], bounds: Bounds, cache: Path | None, web: Web
) -> OverturePlan:
    """Find what a release has in an area; reads the index and the ends of files.

    Args:
        word: overture: for the latest release, or overture:RELEASE.
        columns: Type -> columns that are wanted, beside the geometry.
        bounds: South, west, north, east in degrees.
        cache: Folder to keep it in; the package's cache folder by default.
        web: Asks.

    Raises:
        InputError: The area cannot be used, or there is nothing in it.
        DownloadError: The index or a file cannot be read.
    """
    check_bounds(bounds)
    release = word.partition(":")[2] or _latest(web)
    south, west, north, east = bounds
    wide = (south - MARGIN_DEG, west - MARGIN_DEG, north + MARGIN_DEG, east + MARGIN_DEG)
    wanted = {kind: ("geometry", "bbox", *names) for kind, names in columns.items()}
    digest = hashlib.sha256(repr((bounds, sorted(wanted.items()))).encode()).hexdigest()[:12]
    folder = (cache or cache_folder()) / "sources" / f"overture-{release}-{digest}"
    files = []
    for kind, url in _listed(release, wide, wanted, web):
        with open_table(web, url) as table:
            metadata = table.metadata
            groups = groups_touching(metadata, wide)
            check_groups(metadata, groups, wanted[kind], url)
            size = sum(group_bytes(metadata, number, wanted[kind])[0] for number in groups)
        if groups:
            files.append(_File(kind, url, tuple(groups), size))
    if not files:
        raise InputError(f"Overture Maps {release} has nothing in the --bbox. Check the order of its numbers.")
    folder.mkdir(parents=True, exist_ok=True)
    return OverturePlan(word, release, wide, folder, wanted, tuple(files))


def fetch_overture(plan: OverturePlan, web: Web, progress: Callable[[str, float], None] | None = None) -> Path:
    """Fetch the types that are missing; after an interruption, go on with the next one.

    Args:
        plan: What to fetch.
        web: Asks.
        progress: Called with what is being done and the share done.

    Returns:
        The folder.

    Raises:
        DownloadError: Something cannot be fetched; types fetched before stay.
    """
    report = progress or (lambda _text, _share: None)
    remove_leftovers(plan.folder)
    missing, whole = plan.missing, max(plan.bytes, 1)
    done = 0
    for kind in missing:
        report(f"Overture: {kind}", done / whole)
        files = [file for file in plan.files if file.kind == kind]
        with atomic(plan.path(kind), error=DownloadError, failures=(pa.ArrowException,)) as temporary:
            _write(temporary, plan, files, web)
        done += sum(file.bytes for file in files)
    report(f"Overture: {len(missing)} types fetched", 1.0)
    return plan.folder


def _write(path: Path, plan: OverturePlan, files: list[_File], web: Web) -> None:
    writer: pq.ParquetWriter | None = None
    try:
        for file in files:
            with open_table(web, file.url) as table:
                names = [name for name in plan.columns[file.kind] if name in table.schema_arrow.names]
                for batch in table.iter_batches(_BATCH, row_groups=list(file.groups), columns=names, use_threads=False):
                    rows = _touching(batch, plan.bounds)
                    if writer is None:
                        writer = pq.ParquetWriter(path, rows.schema, compression="zstd")
                    if rows.num_rows:
                        writer.write_batch(rows)
    finally:
        if writer is not None:
            writer.close()


def _touching(batch: pa.RecordBatch, bounds: Bounds) -> pa.RecordBatch:
    """The rows whose box touches another."""
    south, west, north, east = bounds
    box = batch.column("bbox")

    def edge(name: str) -> pa.Array:
        return pc.struct_field(box, name)

    here = pc.and_(
        pc.and_(pc.less_equal(edge("ymin"), north), pc.greater_equal(edge("ymax"), south)),
        pc.and_(pc.less_equal(edge("xmin"), east), pc.greater_equal(edge("xmax"), west)),
    )
    return batch.filter(here)


# The index


def _latest(web: Web) -> str:
    said = web.get_json(f"{CATALOG}/catalog.json")
    latest = said.get("latest") if isinstance(said, dict) else None
    if not isinstance(latest, str) or not RELEASE.fullmatch(latest):
        raise DownloadError(
            f"{CATALOG}/catalog.json does not say which release is the latest. Name one: overture:RELEASE."
        )
    return latest


def _listed(release: str, bounds: Bounds, kinds: Mapping[str, Any], web: Web) -> list[tuple[str, str]]:
    """Type and address of each file that touches the area, in the order of types and names."""
    url = f"{CATALOG}/{release}/collections.parquet"
    data = web.get(url, types=_PARQUET, most_bytes=_MOST_INDEX_BYTES)
    try:
        table = pq.read_table(io.BytesIO(data), columns=["assets", "bbox"])
        rows = [row for batch in table.to_batches() for row in _touching(batch, bounds).column("assets").to_pylist()]
    except (pa.ArrowException, KeyError, ValueError, TypeError) as error:
        raise DownloadError(f"{url} cannot be read as an index of Overture: {reason(error)}.") from error
    # The column that names the type has been empty in whole releases, and names of assets have changed.
    form = re.compile(rf"release/{re.escape(release)}/theme=[a-z_]+/type=([a-z_]+)/[\w.=-]+\.parquet")
    found = {}
    for row in rows:
        for text in _texts(row):
            if (path := form.search(text)) and path[1] in kinds:
                found[path[0]] = path[1]
    if len(found) > MOST_FILES:
        raise InputError(f"The --bbox touches {len(found):,} files of Overture. Choose a smaller one: a city.")
    if not found:
        raise DownloadError(f"{excerpt(url)} lists no file of Overture that touches the --bbox. Check its order.")
    order = list(kinds)
    return [(kind, f"{BUCKET}/{path}") for path, kind in sorted(found.items(), key=lambda e: (order.index(e[1]), e[0]))]


def _texts(value: Any) -> Iterator[str]:
    """All texts in records and lists."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
