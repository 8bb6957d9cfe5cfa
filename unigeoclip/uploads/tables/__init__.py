"""Tables that people bring, with positions in columns or geometries, read within limits or refused with a sentence.

:func:`read_table` is the door: CSV, Parquet and GeoParquet, GeoJSON, GeoPackage and zipped shapefiles, decoded in a
process of its own (`decoder`).
"""

from unigeoclip.uploads.tables.decoder import read_table
from unigeoclip.uploads.tables.file_table import MAX_COLUMNS, MAX_ROWS, MAX_TABLE_BYTES, FileTable

__all__ = ["MAX_COLUMNS", "MAX_ROWS", "MAX_TABLE_BYTES", "FileTable", "read_table"]
