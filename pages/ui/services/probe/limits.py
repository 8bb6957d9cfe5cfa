"""What one visitor may ask page Probe for: rows, classes, and the size of all embeddings together.

Time is limited as well, see `service`; these limits refuse before the work what would not fit into memory or time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unigeoclip.errors import InputError, excerpt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pages.ui.services.probe.requests import Request
    from unigeoclip.tasks.label_table import LabelTable

MAX_ROWS = 200_000
MAX_CLASSES = 200  # of a task; each is one more column that every fold solves for
MAX_VALUES = 160_000_000  # embeddings of all encoders: 640 MB of float32
MAX_SOLVED = 4_000_000_000  # rows x dimensions x classes of all encoders and splits
MAX_PICTURE_ROWS = 20_000  # encoding a picture takes a hundred times as long as encoding a location
PICTURE_ENCODERS = ("aerial", "street", "surface", "text", "ensemble")
MAX_ENCODERS, MOST_AT_FIRST = 8, 6  # that can be chosen, and that are at first


def check_size(table: LabelTable, request: Request, dims: Mapping[str, int]) -> None:
    """Refuse, before anything is encoded, a probe that is too large, with advice.

    Args:
        table: What is probed.
        request: With which encoders, and how.
        dims: Length of the vectors of each encoder that there is.

    Raises:
        InputError: It is too large; the message says by what and what to choose instead.
    """
    rows, names = len(table), request.encoders
    classes = 1 if table.kind == "regression" else len(set(table.target.tolist()))
    if rows > MAX_ROWS:
        raise InputError(f"The table has {rows:,} rows; a probe takes at most {MAX_ROWS:,}. Use a sample of them.")
    if classes > MAX_CLASSES:
        raise InputError(
            f"The target has {classes:,} classes; a probe on this page takes at most {MAX_CLASSES}. Merge the rare "
            "ones, or choose another column: one with so many values is often an identifier."
        )
    if not names or len(names) > MAX_ENCODERS:
        raise InputError(f"{len(names)} encoders are chosen; choose 1 to {MAX_ENCODERS}.")
    if unknown := [name for name in names if name not in dims]:
        raise InputError(f"The encoder {excerpt(unknown[0])!r} is not one of this atlas.")
    if rows > MAX_PICTURE_ROWS and any(name in PICTURE_ENCODERS for name in names):
        raise InputError(
            f"To encode pictures and texts at {rows:,} positions takes too long for one visitor. Choose encoders of "
            f"locations, or a sample of at most {MAX_PICTURE_ROWS:,} rows under Options."
        )
    lengths = [dims[name] for name in names]
    values = rows * (sum(lengths) + max(lengths))  # one floor has as many dimensions as the largest encoder
    share = min(MAX_VALUES / values, MAX_SOLVED / (values * classes * len(request.splits)))
    if share < 1:
        fewer = max(1, int(len(lengths) * share))
        raise InputError(
            f"{rows:,} rows with {len(lengths)} encoders"
            + (f" and {classes} classes" if classes > 1 else "")
            + f" are more than this server computes for one visitor. Choose about {fewer} of the encoders, or a "
            "sample of the rows under Options; the command line has no such limit."
        )
