"""Files that people bring: decoded within bounds, or refused with a sentence.

Two doors lead in. :func:`read_upload` and :func:`guess_modality` are for files from anybody: they decode in a process
of its own with a limit of memory and time (`decoder`). :func:`read_picture` and :func:`read_surface` decode in the
calling process, after the same checks of the headers, for files that the caller made or trusts.

Nothing here imports torch: the process that decodes starts in a fraction of a second.
"""

from unigeoclip.uploads.decoder import guess_modality, read_upload
from unigeoclip.uploads.headers import MAX_FILE_BYTES, MAX_PIXELS
from unigeoclip.uploads.heights import decode_surface, read_surface
from unigeoclip.uploads.pictures import Decoded, decode_picture, read_picture

__all__ = [
    "MAX_FILE_BYTES",
    "MAX_PIXELS",
    "Decoded",
    "decode_picture",
    "decode_surface",
    "guess_modality",
    "read_picture",
    "read_surface",
    "read_upload",
]
