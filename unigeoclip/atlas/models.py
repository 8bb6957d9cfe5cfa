"""The model of an atlas, checked to be made for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np

from unigeoclip.config import read_json
from unigeoclip.devices import chosen_device
from unigeoclip.errors import CheckpointError, InputError
from unigeoclip.geo import EARTH_RADIUS_M, EQUAL_EARTH_X_MAX, distance_m, equal_earth, in_round_figures
from unigeoclip.model import load_model

if TYPE_CHECKING:
    from pathlib import Path

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.modalities.location import LocationEncoder
    from unigeoclip.model import UniGeoCLIP

__all__ = ["load_fitting"]

# An atlas that is more than so many of a model's longest wavelengths wide has places which it cannot tell apart.
_MOST_WAVES = 50


def load_fitting(atlas: Atlas) -> UniGeoCLIP:
    """The model of an atlas, on the chosen device; one of your own (`Atlas.with_model`) must be made for this atlas.

    Raises:
        CheckpointError: See `load_model`; or the model encodes no location, or was trained on another atlas, or its
            coordinates or wavelengths are those of another part of the Earth.
    """
    folder = atlas.model_path
    model = load_model(folder).to(chosen_device())
    if "location" not in model.modalities:
        raise CheckpointError(
            f"{folder} encodes {', '.join(model.modalities) or 'nothing'} but no location, which every map needs: give "
            "a model that was trained with the modality 'location'."
        )
    if atlas.has_shipped_model:
        return model
    trained_on = _trained_on(folder)
    if trained_on not in (None, atlas.name):
        raise CheckpointError(
            f"{folder} was trained on the atlas {trained_on!r}, not on {atlas.name!r}: use it with --atlas "
            f"{trained_on}, or give a model that was trained on {atlas.name}."
        )
    _refuse_elsewhere(model, atlas)
    return model


def _trained_on(folder: Path) -> str | None:
    """The name of the atlas that a model's record names, if there is one."""
    path = folder / "metrics.json"
    try:
        record = read_json(path) if path.exists() else {}
    except InputError as error:
        raise CheckpointError(f"{path} cannot be used ({error}): restore it, or train again.") from error
    name = record.get("atlas") if isinstance(record, dict) else None
    return name if isinstance(name, str) else None


def _refuse_elsewhere(model: UniGeoCLIP, atlas: Atlas) -> None:
    """Raises CheckpointError if a location encoder's centre or wavelengths are those of another part of the Earth."""
    south, west, north, east = atlas.manifest.bounds
    middle = ((south + north) / 2, (west + east) / 2)
    width_m = 2 * max(float(distance_m(middle, corner)) for corner in ((south, west), (north, west), middle))
    encoder = cast("LocationEncoder", model.encoders["location"])
    waves_m = encoder.wavelengths_m()
    if min(waves_m) > width_m or max(waves_m) * _MOST_WAVES < width_m:
        raise CheckpointError(
            f"The model in {atlas.model_path} tells places {in_round_figures(min(waves_m))} to "
            f"{in_round_figures(max(waves_m))} apart, but the atlas {atlas.name!r} is {in_round_figures(width_m)} "
            "wide: it was made for another part of the Earth. Give a model that was trained on this atlas."
        )
    away = np.subtract(encoder.config.centre, equal_earth(np.array([middle]))[0])
    away_m = float(np.hypot(*away)) * EQUAL_EARTH_X_MAX * EARTH_RADIUS_M
    if max(waves_m) < width_m and away_m > width_m:  # a model of wide waves may keep its centre where it likes
        raise CheckpointError(
            f"The coordinates of the model in {atlas.model_path} start {in_round_figures(away_m)} from the middle of "
            f"the atlas {atlas.name!r}: it was made for another part of the Earth. Give a model that was trained on "
            "this atlas."
        )
