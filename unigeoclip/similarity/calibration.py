"""How similar held-out queries are to their own cell of the map: what makes similarities comparable between queries.

The figures are measured by ``evaluate --calibrate`` (`evaluation.calibrate`) and lie beside the model in
``calibration.json``. This module reads them, so that search and the app need not import the evaluation.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from unigeoclip.atlas.records import records_folder
from unigeoclip.checkpoint import checkpoint_id
from unigeoclip.config import from_dict, read_json
from unigeoclip.errors import CheckpointError, InputError
from unigeoclip.similarity.certainty import TextCertainty
from unigeoclip.similarity.picture_certainty import PictureCertainty

if TYPE_CHECKING:
    from pathlib import Path

    from unigeoclip.atlas.store import Atlas

__all__ = ["FILE", "FORMAT", "MATCH_PERCENTILES", "OTHER_PERCENTILES", "Calibration", "Spread", "calibration"]

FILE = "calibration.json"
FORMAT = 1
MATCH_PERCENTILES = (5.0, 25.0, 50.0, 75.0, 95.0)
OTHER_PERCENTILES = (50.0, 95.0, 99.0, 99.9)


@dataclass(frozen=True)
class Spread:
    """Similarities of the queries of one modality to cells of the map, as the search computes them.

    Attributes:
        n: How many held-out queries.
        match: Percentile ("5" to "95") of the similarity between a query and the cell that it was taken in.
        other: Percentile ("50" to "99.9") of the similarity to cells of the map drawn by area, more than a window away.
    """

    n: int
    match: dict[str, float]
    other: dict[str, float]


@dataclass(frozen=True)
class Calibration:
    """What ``calibration.json`` says.

    Attributes:
        format: Version of the file, `FORMAT`.
        data: Checksum of the data of the atlas (`Atlas.data_hash`).
        model: Checksum of the model (`checkpoint.checkpoint_id`).
        split: Whose held-out items were the queries.
        seed: Of the drawn sentences and cells.
        modalities: Modality of the query -> its similarities.
        texts: What tells texts that are about nothing in the atlas; None where it was not measured.
        pictures: Modality -> what tells pictures that look like nothing in the atlas.
    """

    format: int
    data: str
    model: str
    split: str
    seed: int
    modalities: dict[str, Spread] = field(default_factory=dict)
    texts: TextCertainty | None = None
    pictures: dict[str, PictureCertainty] = field(default_factory=dict)


def calibration(atlas: Atlas, folder: Path | None = None) -> Calibration | None:
    """The calibration of an atlas's model; None where there is none, or only one of another model or other data.

    Args:
        atlas: The atlas.
        folder: Of the model; by default that of the atlas.

    Raises:
        CheckpointError: The file is there but cannot be read.
    """
    folder = folder or atlas.model_path
    path = records_folder(folder, atlas.name) / FILE
    if not path.is_file():
        return None
    status = path.stat()
    remedy = f"delete it, or measure again: python -m unigeoclip evaluate --atlas {atlas.name} --calibrate"
    found = _read(path, (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino), remedy)
    current = (atlas.data_hash, checkpoint_id(folder))
    return found if (found.data, found.model) == current else None


@functools.lru_cache(maxsize=64)
def _read(path: Path, _stamp: tuple[int, ...], remedy: str) -> Calibration:
    """Read and check the file, once for as long as it does not change, since every answer asks."""
    try:
        found = from_dict(Calibration, read_json(path), where=FILE)
    except InputError as error:
        raise CheckpointError(f"{path} cannot be used ({error}): {remedy}") from error
    if found.format != FORMAT:
        raise CheckpointError(f"{path} has format {found.format}, this version reads {FORMAT}: {remedy}")
    for name, spread in found.modalities.items():
        for values, wanted in ((spread.match, MATCH_PERCENTILES), (spread.other, OTHER_PERCENTILES)):
            expected = [f"{percentile:g}" for percentile in wanted]
            ordered = [values.get(key, float("nan")) for key in expected]
            if list(values) != expected or not all(a <= b for a, b in itertools.pairwise(ordered)):
                raise CheckpointError(
                    f"{path}: the percentiles of {name!r} are not rising ones of {expected}: {remedy}"
                )
    if found.texts is not None and not found.texts.is_sound:
        raise CheckpointError(f"{path}: the numbers under 'texts' are not those of a fitted model: {remedy}")
    if not all(each.is_sound for each in found.pictures.values()):
        raise CheckpointError(f"{path}: the numbers under 'pictures' are not those of a calibration: {remedy}")
    return found
