"""The commands that make an atlas and its models again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages.ui import atlas_scale
from pages.ui.atlas.model_card import records
from unigeoclip.atlas.records import records_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unigeoclip.atlas import Atlas
    from unigeoclip.atlas.schema import Manifest


def commands(manifest: Manifest, trainings: Sequence[str] = ()) -> str:
    """The commands that make an atlas and its model again.

    Args:
        manifest: Of the atlas.
        trainings: From `trainings`; by default that of a first model.
    """
    name = manifest.name
    build = f"build city --name {name} --tiles TILES" if atlas_scale.of(manifest).is_city else f"build {name}"
    first, last = f"python -m unigeoclip {build}", f"python -m unigeoclip evaluate --atlas {name} --json"
    return "\n".join((first, *(trainings or (f"python -m unigeoclip train --atlas {name} --config mini",)), last))


def trainings(atlas: Atlas) -> list[str]:
    """The commands that repeat the recorded trainings of an atlas's models and baselines.

    Raises:
        UniGeoError: A record cannot be read.
    """
    from unigeoclip.embedders.retrained import recorded_baselines
    from unigeoclip.training.commands import train_command

    found = [
        train_command(atlas, metrics) or f"# options of its own: see model/ for the training of the split {split}"
        for metrics in (records(records_folder(atlas.model_path, atlas.name)) if atlas.model_path.is_dir() else [])
        if metrics.get("training") and (split := metrics["split"])
    ]
    for name, record in recorded_baselines(atlas).items():
        found.append(train_command(atlas, record, name) or f"# options of its own: {name}")
    return found
