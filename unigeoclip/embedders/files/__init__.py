"""Embeddings that others have computed and published: read out of a file where the points are, not computed.

``file:PATH`` names one wherever the name of an embedder is taken; see `address` for its options, and `embedder` for the
kinds of files.
"""

from unigeoclip.embedders.files.address import PREFIX, FileAddress, is_file
from unigeoclip.embedders.files.embedder import FileEmbedder

__all__ = ["PREFIX", "FileAddress", "FileEmbedder", "is_file"]
