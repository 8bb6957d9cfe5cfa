"""Bulk encoding: all places of an atlas into GeoParquet parts, by any number of workers, and reading them."""

from unigeoclip.encoding.bulk import Encoded, encode_atlas
from unigeoclip.encoding.part_file import decoded
from unigeoclip.encoding.reader import read_parts, store_manifest

__all__ = ["Encoded", "decoded", "encode_atlas", "read_parts", "store_manifest"]
