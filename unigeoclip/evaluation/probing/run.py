"""From a table and the names of encoders to a report: what the command line and page Probe both call."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from unigeoclip.atlas.store import list_atlases, load_atlas
from unigeoclip.checkpoint import checkpoint_id
from unigeoclip.embedders import is_file, load_all, load_embedder
from unigeoclip.errors import InputError
from unigeoclip.evaluation.probing.encoders import features, split_radius, with_floors
from unigeoclip.evaluation.probing.probe import COORDBENCH, MAX_ROWS, NESTED, probe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.embedders.base import Embedder
    from unigeoclip.evaluation.probing.encoders import Features
    from unigeoclip.evaluation.probing.results import ProbeReport
    from unigeoclip.evaluation.probing.work import Cancelled, Progress
    from unigeoclip.tasks.label_table import LabelTable

__all__ = ["atlas_of", "hashes", "run_probe"]

WORLD = "world"
LEAST_INSIDE = 0.95  # of the rows, for an atlas to be the one that holds them
MAX_NUMBERS = 600_000_000  # features of all encoders together: 2.4 GB of float32
_ENCODING = 0.5  # share of the progress that encoding takes


def inside(latlon: NDArray[np.float64], atlas: Atlas) -> NDArray[np.bool_]:
    """Which points lie within the bounds of an atlas; (n, 2) degrees -> (n,)."""
    south, west, north, east = atlas.manifest.bounds
    lat, lon = latlon.T
    found: NDArray[np.bool_] = (lat >= south) & (lat <= north) & (lon >= west) & (lon <= east)
    return found


def atlas_of(table: LabelTable) -> Atlas:
    """The smallest of the shipped atlases that holds nearly all rows of a table; the world if none does.

    Raises:
        AtlasError: An atlas cannot be read.
    """
    atlases = [load_atlas(name) for name in list_atlases()]
    holding = [atlas for atlas in atlases if inside(table.latlon, atlas).mean() >= LEAST_INSIDE]
    return min(holding, key=_area, default=None) or load_atlas(WORLD)


def _area(atlas: Atlas) -> float:
    south, west, north, east = atlas.manifest.bounds
    return (north - south) * (east - west)


def run_probe(
    table: LabelTable,
    atlas: Atlas | None = None,
    names: Sequence[str] | None = None,
    *,
    encoded: Mapping[str, Features] | None = None,
    protocol: str = NESTED,
    seen: Callable[[str], str | None] | None = None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
    **options: Any,
) -> ProbeReport:
    """Encode the rows of a table and probe the features.

    Args:
        table: Positions with a target.
        atlas: Where models, pictures and texts come from; by default `atlas_of`.
        names: Encoders, see `encoders`; by default all embedders of locations on this machine. Floors are added.
        encoded: Features of the rows by encoder, in place of ``names``, where they have been made already.
        protocol: See `probe.probe`; with "coordbench" vectors are not brought to length one.
        seen: Says why the target counts as seen in the training of an encoder, by its name, or None.
        progress: Called with what is being done, and the share of all that is done, 0 to 1.
        cancelled: Asked between the steps.
        options: Of `probe.probe`.

    Raises:
        InputError: The table or an option cannot be used.
        CheckpointError: Weights are missing or damaged.
        StoppedError: It was cancelled.
    """
    if len(table) > MAX_ROWS:
        raise InputError(f"{table.name!r} has {len(table):,} rows, at most {MAX_ROWS:,} are probed: use a sample.")
    atlas = atlas_of(table) if atlas is None else atlas
    notes = [f"Models, pictures and texts are those of the atlas {atlas.name!r}."]
    if encoded is None:
        first = _part(progress, 0, _ENCODING)
        found, left_out = _encode(table, atlas, names, first, cancelled, raw=protocol == COORDBENCH)
        notes += left_out
    else:
        found = with_floors(encoded, table)
    notes += _outside_note(table, atlas)
    reasons = {} if seen is None else {name: why for name in found if (why := seen(name)) is not None}
    report = probe(
        table, found, protocol=protocol, seen_by=reasons, progress=_part(progress, _ENCODING, 1), cancelled=cancelled,
        **options,
    )  # fmt: skip
    settings = {**report.settings, "atlas": atlas.name, **hashes(atlas)}
    return replace(report, notes=(*notes, *report.notes), settings=settings)


def _encode(
    table: LabelTable,
    atlas: Atlas,
    names: Sequence[str] | None,
    progress: Progress | None,
    cancelled: Cancelled | None,
    *,
    raw: bool,
) -> tuple[dict[str, Features], list[str]]:
    """Features of the rows, and a note on embedders that are not on this machine."""
    loaded: dict[str, Embedder] = {}
    notes = []
    for name in names or ():
        for part in name.split("+"):
            plain = split_radius(part)[0]
            if is_file(plain) and plain not in loaded:
                loaded[plain] = each = load_embedder(plain)
                notes.append(f"{each.title}: {each.provenance.source}. License: {each.provenance.licence}")
    if names is None:
        loaded, missing = load_all(atlas)
        names = list(loaded)
        if missing:
            notes.append(f"Not on this machine, and left out: {', '.join(missing)}.")
    return features(names, table, atlas, progress, cancelled, raw=raw, most=MAX_NUMBERS, loaded=loaded), notes


def _outside_note(table: LabelTable, atlas: Atlas) -> list[str]:
    count = int((~inside(table.latlon, atlas)).sum())
    if not count:
        return []
    return [
        f"{count:,} of {len(table):,} rows lie outside the atlas {atlas.name!r}: what was trained on it saw nothing "
        "there."
    ]


def _part(progress: Progress | None, low: float, high: float) -> Progress | None:
    if progress is None:
        return None
    told = progress

    def tell(words: str, share: float) -> None:
        told(words, low + (high - low) * share)

    return tell


def hashes(atlas: Atlas) -> dict[str, str]:
    """What identifies the data and the model behind a figure."""
    return {"atlas_data": atlas.data_hash, "model": checkpoint_id(atlas.model_path)}
