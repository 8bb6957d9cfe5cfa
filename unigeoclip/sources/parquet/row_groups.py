"""Which parts of a Parquet file have rows of an area, and how large they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection

    import pyarrow.parquet as pq

    from unigeoclip.geo import Bounds

__all__ = ["BBOX", "LARGEST_GROUP_BYTES", "check_groups", "group_bytes", "groups_touching"]

LARGEST_GROUP_BYTES = 1_500_000_000  # of the columns that are read, when unpacked: they are in memory at once
# Where GeoParquet 1.1 has the box of each row: south, west, north, east as (column of the lower, of the upper edge).
BBOX = ("bbox.ymin", "bbox.xmin", "bbox.ymax", "bbox.xmax")


def groups_touching(metadata: pq.FileMetaData, bounds: Bounds, columns: tuple[str, str, str, str] = BBOX) -> list[int]:
    """Numbers of the row groups that may have rows that touch a box; all of them where nothing says otherwise.

    Args:
        metadata: Of the file.
        bounds: South, west, north, east in degrees.
        columns: With the south, west, north and east edge of each row.
    """
    south, west, north, east = bounds
    place = {metadata.schema.column(number).path: number for number in range(metadata.num_columns)}
    found = []
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)

        def edge(name: str, which: str, group: pq.RowGroupMetaData = group) -> float | None:
            said = group.column(place[name]).statistics if name in place else None
            return float(getattr(said, which)) if said is not None and said.has_min_max else None

        least_south, least_west = edge(columns[0], "min"), edge(columns[1], "min")
        most_north, most_east = edge(columns[2], "max"), edge(columns[3], "max")
        outside = (
            (least_south is not None and least_south > north)
            or (least_west is not None and least_west > east)
            or (most_north is not None and most_north < south)
            or (most_east is not None and most_east < west)
        )
        if not outside:
            found.append(number)
    return found


def group_bytes(metadata: pq.FileMetaData, number: int, columns: Collection[str]) -> tuple[int, int]:
    """Bytes of some columns of a row group: as stored, and unpacked.

    Args:
        metadata: Of the file.
        number: Of the row group.
        columns: Names of whole columns; of a record all its parts count.
    """
    group, stored, plain = metadata.row_group(number), 0, 0
    for place in range(group.num_columns):
        part = group.column(place)
        if part.path_in_schema.partition(".")[0] in columns:
            stored, plain = stored + part.total_compressed_size, plain + part.total_uncompressed_size
    return stored, plain


def check_groups(metadata: pq.FileMetaData, numbers: Collection[int], columns: Collection[str], where: str) -> None:
    """Refuse row groups that would not fit into memory.

    Raises:
        InputError: One is larger than `LARGEST_GROUP_BYTES`.
    """
    for number in numbers:
        if (size := group_bytes(metadata, number, columns)[1]) > LARGEST_GROUP_BYTES:
            raise InputError(
                f"{where} has a row group of {size / 1e9:.1f} GB; at most {LARGEST_GROUP_BYTES / 1e9:.1f} GB are read "
                "at once. Write it again with smaller row groups."
            )
