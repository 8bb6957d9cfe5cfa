"""A model in a city that it never saw: the out-of-distribution test of the paper."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from unigeoclip.atlas.records import data_state
from unigeoclip.checkpoint import checkpoint_id
from unigeoclip.config import read_json, write_json
from unigeoclip.errors import InputError
from unigeoclip.evaluation import glossary
from unigeoclip.evaluation.pairs import measured_pairs

if TYPE_CHECKING:
    from pathlib import Path

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.model import UniGeoCLIP

_FILE = "elsewhere-{}.json"


def check_elsewhere(model: UniGeoCLIP, atlas: Atlas, other: Atlas) -> None:
    """Check that a model can be measured in another city.

    Args:
        model: The model.
        atlas: The atlas it was trained on.
        other: The atlas to measure it on.

    Raises:
        InputError: The other atlas has no street views, was trained on, or has windows of another size; or the model
            has no street views.
    """
    if "street" not in model.modalities:
        raise InputError(
            f"The model of {atlas.name} does not read street views ({', '.join(model.modalities)}), which is what asks "
            "in another city. Give the atlas of a city with --atlas."
        )
    if "street" not in other.manifest.modalities:
        raise InputError(
            f"The atlas {other.name} has no street views to ask with; it has {', '.join(other.manifest.modalities)}. "
            "Build one of a city: python -m unigeoclip build city"
        )
    if other.data_hash == atlas.data_hash or _overlap(atlas.manifest.bounds, other.manifest.bounds):
        raise InputError(
            f"The model was trained on {atlas.name}, and {other.name} lies there: what it does in known territory is "
            "what the splits measure. Give another city."
        )
    if not math.isclose(atlas.window_m, other.window_m, rel_tol=1e-3):
        raise InputError(
            f"The model was trained on windows of {atlas.window_m:g} m, but those of {other.name} are "
            f"{other.window_m:g} m wide. Build {other.name} again with this version of unigeoclip."
        )


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def elsewhere_report(model: UniGeoCLIP, atlas: Atlas, other: Atlas) -> dict[str, dict[str, Any]]:
    """Retrieval in a city that no training saw: one camera a place, 2,000 at most, all ordered pairs but of location.

    See `measured_pairs`, with galleries.

    Args:
        model: The model.
        atlas: The atlas it was trained on.
        other: The city.

    Raises:
        InputError: See `check_elsewhere`.
    """
    check_elsewhere(model, atlas, other)
    # The location encoder learned one city by heart: of another it can only say noise, in the ensemble, too.
    return measured_pairs(model, other, None, without=("location",), galleries=True)


def record_elsewhere(folder: Path, atlas: Atlas, other: Atlas, retrieval: dict[str, dict[str, Any]]) -> Path:
    """Write the figures into the model's folder, whole or not at all.

    Args:
        folder: Of the model.
        atlas: What it was trained on.
        other: Where it was measured.
        retrieval: From `elsewhere_report`.
    """
    path = folder / _FILE.format(re.sub(r"[^\w-]", "-", other.name))
    known = {"atlas": atlas.name, "data": atlas.data_hash, "checkpoint": checkpoint_id(folder)}
    measured = {"elsewhere": other.name, "title": other.title, "elsewhere_data": other.data_hash}
    write_json(path, known | measured | {"retrieval": retrieval})
    return path


def recorded_elsewhere(folder: Path, atlas: Atlas) -> dict[str, dict[str, Any]]:
    """What was written down of a model in other cities: name -> figures, with ``"recorded": true``.

    Figures of another checkpoint than the one in the folder, or of one that was trained on other data than the atlas
    holds now, carry ``"outdated": true``.

    Args:
        folder: Of the model.
        atlas: What it was trained on.

    Raises:
        InputError: A file cannot be read.
    """
    found = {}
    for path in sorted(folder.glob(_FILE.format("*"))):
        kept = read_json(path)
        if not isinstance(kept, dict) or not {"elsewhere", "retrieval"} <= set(kept):
            raise InputError(
                f"{path} does not say where it was measured; run evaluate --elsewhere NAME --record again."
            )
        entry = {
            "title": kept.get("title", kept["elsewhere"]),
            "means": glossary.ELSEWHERE,
            "retrieval": kept["retrieval"],
            "recorded": True,
        } | data_state(atlas, kept)
        if kept.get("checkpoint") != checkpoint_id(folder):
            entry["outdated"] = True
        found[kept["elsewhere"]] = entry
    return found
