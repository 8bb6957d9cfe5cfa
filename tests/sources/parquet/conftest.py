"""Overture's index and bucket on this machine."""

from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.build import made_up_extracts
from unigeoclip.sources.parquet.overture import BUCKET, CATALOG

RELEASE = "2026-07-22.0"
INDEX_HOST, BUCKET_HOST = urlsplit(CATALOG).netloc, urlsplit(BUCKET).netloc


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path / "cache"))


def publish(services, tables=None, row_group_size=20, bounds=made_up_extracts.BBOX, host="elsewhere.example"):
    """Write a release and its index, in which the column of types is empty, as it has been in real ones."""
    bucket, index = services.folder / BUCKET_HOST, services.folder / INDEX_HOST
    release = made_up_extracts.write_overture(bucket / "release" / RELEASE, tables, row_group_size=row_group_size)
    paths = sorted(path.relative_to(bucket).as_posix() for path in release.rglob("*.parquet"))
    south, west, north, east = bounds
    box = {"xmin": west, "ymin": south, "xmax": east, "ymax": north}
    far = {"xmin": 10.0, "ymin": 10.0, "xmax": 20.0, "ymax": 20.0}
    rows = [(path, box) for path in paths] + [(path.replace("part-0", "part-1"), far) for path in paths]
    (index / RELEASE).mkdir(parents=True, exist_ok=True)
    assets = [{"aws": {"href": f"https://{host}/{path}", "type": "application/vnd.apache.parquet"}} for path, _ in rows]
    pq.write_table(pa.table({
        "assets": assets, "bbox": [each for _, each in rows], "collection": pa.nulls(len(rows), pa.string()),
    }), index / RELEASE / "collections.parquet")  # fmt: skip
    (index / "catalog.json").write_text(f'{{"latest": "{RELEASE}"}}')
    return release
