"""The model of an atlas, checked to be made for it."""

from __future__ import annotations

import math
import os
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
    from unigeoclip.modalities.location import LocationConfig, LocationEncoder
    from unigeoclip.model import UniGeoCLIP

__all__ = ["ANY_WINDOW", "load_fitting", "refuse_other_window", "unserved"]

# An atlas that is more than so many of a model's longest wavelengths wide has places which it cannot tell apart.
_MOST_WAVES = 50
ANY_WINDOW = "UNIGEOCLIP_ANY_WINDOW"  # 1 in the environment: use models on windows of any size
_FROM_ABOVE = ("aerial", "surface")


def load_fitting(atlas: Atlas) -> UniGeoCLIP:
    """The model of an atlas, on the chosen device; one of your own (`Atlas.with_model`) must be made for this atlas.

    A model of several atlases is made for each of them. It may have modalities that the atlas lacks.

    Raises:
        CheckpointError: See `load_model`; or the model encodes no location, or was trained on other atlases or on
            windows of another size, or its coordinates or wavelengths are those of another part of the Earth.
    """
    folder = atlas.model_path
    model = load_model(folder).to(chosen_device())
    if "location" not in model.modalities:
        raise CheckpointError(
            f"{folder} encodes {', '.join(model.modalities) or 'nothing'} but no location, which every map needs: give "
            "a model that was trained with the modality 'location'."
        )
    refuse_other_window(model, folder, atlas.window_m, f"those of the atlas {atlas.name}")
    if atlas.has_shipped_model:
        return model
    trained_on = _trained_on(folder)
    if trained_on and atlas.name not in trained_on:
        one, kind = trained_on[0], "atlases" if len(trained_on) > 1 else "atlas"
        raise CheckpointError(
            f"{folder} was trained on the {kind} {', '.join(map(repr, trained_on))}, not on {atlas.name!r}: use it "
            f"with --atlas {one}, or give a model that was trained on {atlas.name}."
        )
    if why := unserved(cast("LocationEncoder", model.encoders["location"]).config, atlas):
        raise CheckpointError(
            f"The location encoder of the model in {folder} {why}: it was made for another part of the Earth. Give a "
            "model that was trained on this atlas."
        )
    return model


def refuse_other_window(model: UniGeoCLIP, folder: Path, window_m: float | None, whose: str) -> None:
    """Refuse a model that knows pictures from above at another scale, unless $UNIGEOCLIP_ANY_WINDOW is 1.

    Args:
        model: The model.
        folder: Where it lies.
        window_m: Side of the windows it is to be used on; None where nobody knows.
        whose: Which these are, such as "those of the atlas boston".

    Raises:
        CheckpointError: It was trained on windows of another size.
    """
    trained_m = model.config.window_m
    if trained_m is None or window_m is None or not any(name in model.modalities for name in _FROM_ABOVE):
        return
    if math.isclose(trained_m, window_m, rel_tol=1e-3) or os.environ.get(ANY_WINDOW) == "1":
        return
    raise CheckpointError(
        f"The model in {folder} was trained on windows of {trained_m:g} m, {whose} are {window_m:g} m wide: things "
        f"would look {trained_m / window_m:.2g} times as large. Train on this atlas, or build it with --window "
        f"{trained_m:g}; {ANY_WINDOW}=1 uses the model all the same."
    )


def _trained_on(folder: Path) -> list[str]:
    """Names of the atlases that a model's record names; the first one has its record beside the model."""
    path = folder / "metrics.json"
    try:
        record = read_json(path) if path.exists() else {}
    except InputError as error:
        raise CheckpointError(f"{path} cannot be used ({error}): restore it, or train again.") from error
    if not isinstance(record, dict):
        return []
    several = record.get("atlases")
    parts = several if isinstance(several, list) and several else [record]
    names = [part.get("atlas") for part in parts if isinstance(part, dict)]
    return [name for name in names if isinstance(name, str)]


def unserved(location: LocationConfig, atlas: Atlas) -> str | None:
    """What is wrong if the waves or the centre of a location encoder are those of another part of the Earth.

    Args:
        location: Shape of the encoder.
        atlas: Where it is to be used.

    Returns:
        A predicate such as "tells places ... apart, but ..."; None if the encoder serves the atlas.
    """
    south, west, north, east = atlas.manifest.bounds
    middle = ((south + north) / 2, (west + east) / 2)
    width_m = 2 * max(float(distance_m(middle, corner)) for corner in ((south, west), (north, west), middle))
    waves_m = location.wavelengths_m()
    if min(waves_m) > width_m or max(waves_m) * _MOST_WAVES < width_m:
        return (
            f"tells places {in_round_figures(min(waves_m))} to {in_round_figures(max(waves_m))} apart, but the atlas "
            f"{atlas.name!r} is {in_round_figures(width_m)} wide"
        )
    away = np.subtract(location.centre, equal_earth(np.array([middle]))[0])
    away_m = float(np.hypot(*away)) * EQUAL_EARTH_X_MAX * EARTH_RADIUS_M
    if max(waves_m) < width_m and away_m > width_m:  # a model of wide waves may keep its centre where it likes
        return f"has coordinates that start {in_round_figures(away_m)} from the middle of the atlas {atlas.name!r}"
    return None
