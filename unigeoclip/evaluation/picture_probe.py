"""Probing an image encoder on tasks whose rows are pictures."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.atlas.models import load_fitting
from unigeoclip.evaluation.probing.encoders import Features
from unigeoclip.evaluation.probing.probe import probe
from unigeoclip.evaluation.probing.run import hashes
from unigeoclip.evaluation.probing.work import Work
from unigeoclip.tasks.catalog import find_task, load_pictures, load_task
from unigeoclip.uploads.pictures import decode_picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.evaluation.probing.results import ProbeReport
    from unigeoclip.evaluation.probing.work import Cancelled, Progress

__all__ = ["PICTURE_ATLAS", "picture_features", "probe_pictures"]

PICTURE_ATLAS = "boston"  # whose aerial encoder sees the ground at the scale of photographs

_AT_ONCE = 64  # pictures decoded together
_PIXELS_SIDE = 8


def picture_features(
    pictures: Sequence[bytes],
    atlas: Atlas,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
) -> dict[str, Features]:
    """Encode pictures by the aerial encoder of an atlas, and by what it has to beat.

    Args:
        pictures: Encoded pictures of the ground from above, north up: JPEG, PNG, TIFF ...
        atlas: Whose model encodes. Each picture is brought to the size of its input, whatever ground it shows.
        progress: Called with what is being done, and the share of all that is done, 0 to 1.
        cancelled: Asked between batches.

    Returns:
        Encoder -> title and (n, dim) float32 features: "aerial"; "pixels", the picture in 8 x 8 pixels; "colors", mean
        and standard deviation of red, green and blue; "mean".

    Raises:
        InputError: The model has no aerial encoder, or a picture cannot be read.
        StoppedError: It was cancelled.
    """
    model = load_fitting(atlas)
    px = model.input_size("aerial")[0]
    work = Work(len(pictures), progress, cancelled)
    work.begin("Encoding the pictures")
    aerial, pixels, colors = [], [], []
    for start in range(0, len(pictures), _AT_ONCE):
        some = pictures[start : start + _AT_ONCE]
        decoded = np.stack([decode_picture(data, px) for data in some])
        aerial.append(model.encode({"aerial": decoded})["aerial"].numpy())
        pixels.append(np.stack([decode_picture(data, _PIXELS_SIDE) for data in some]).reshape(len(some), -1))
        flat = decoded.reshape(len(some), 3, -1).astype(np.float32)
        colors.append(np.concatenate([flat.mean(axis=2), flat.std(axis=2)], axis=1))
        work.step(len(some))
    return {
        "aerial": Features("UniGeoCLIP, aerial picture", np.concatenate(aerial)),
        "pixels": Features(f"{_PIXELS_SIDE} x {_PIXELS_SIDE} pixels", np.concatenate(pixels).astype(np.float32)),
        "colors": Features("Mean and spread of colors", np.concatenate(colors)),
        "mean": Features("Mean of the training rows", np.zeros((len(pictures), 1), np.float32)),
    }


def probe_pictures(
    name: str, atlas: Atlas, progress: Progress | None = None, *, splits: Sequence[str] | None = None, **options: Any
) -> ProbeReport:
    """Probe the aerial encoder and its floors on a built-in task whose rows are pictures.

    Args:
        name: Of the task.
        atlas: Whose model encodes.
        progress: Called with what is being done, and the share of all that is done, 0 to 1.
        splits: Under which folds; those of the task by default.
        options: Of `probing.probe.probe`.

    Raises:
        InputError: The task is not on this machine, its rows are no pictures, or an option cannot be used.
    """
    task = find_task(name)
    features = picture_features(load_pictures(name), atlas, progress)
    report = probe(load_task(name), features, splits=splits or task.splits, **options)
    return replace(report, settings={**report.settings, "atlas": atlas.name, **hashes(atlas)})
