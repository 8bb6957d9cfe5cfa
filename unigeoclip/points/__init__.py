"""Tables of points that people bring: read row by row, with vectors and the nearest places of an atlas beside them."""

from unigeoclip.points.files import MAX_POINTS, PointFile, read_point_file
from unigeoclip.points.tables import MAX_CSV_VALUES, csv_of, parquet_of, with_nearest, with_vectors

__all__ = [
    "MAX_CSV_VALUES",
    "MAX_POINTS",
    "PointFile",
    "csv_of",
    "parquet_of",
    "read_point_file",
    "with_nearest",
    "with_vectors",
]
