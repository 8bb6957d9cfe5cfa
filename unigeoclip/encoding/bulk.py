"""Encode all places of an atlas into a store: GeoParquet parts in a folder or a bucket."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.atlas.models import load_fitting
from unigeoclip.config import to_dict
from unigeoclip.encoding.manifest import DTYPES, find_manifest, plan_store, settle_manifest
from unigeoclip.encoding.partitions import Partitions
from unigeoclip.encoding.runners import MAX_WORKERS, Progress, check_scheduler, on_cluster, on_processes
from unigeoclip.encoding.storage import is_url, open_storage
from unigeoclip.encoding.worker import Job, finish, work
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.encoding.manifest import StoreManifest

__all__ = ["Encoded", "encode_atlas"]


@dataclass(frozen=True)
class Encoded:
    """What `encode_atlas` has done.

    Attributes:
        manifest: Of the store.
        added: Parts that were missing before, and are there now.
        seconds: How long it took.
        rows: Vectors that were missing before.
    """

    manifest: StoreManifest
    added: int
    seconds: float
    rows: int

    def json(self) -> dict[str, Any]:
        """For the command line."""
        manifest = self.manifest
        return {
            "parts": len(manifest.partitions),
            "added": self.added,
            "rows": manifest.rows,
            "modalities": manifest.modalities,
            "level": manifest.level,
            "seconds": round(self.seconds, 2),
            "vectors_per_s": round(self.rows / self.seconds, 1),
            "emb": to_dict(manifest.emb),
        }


def encode_atlas(
    atlas: Atlas,
    out: str | Path,
    *,
    modalities: Sequence[str] | None = None,
    dtype: str = "float16",
    level: int | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    quiet: bool = False,
) -> Encoded:
    """Encode every place of an atlas in every modality that it has, once, into a store.

    The same call on another machine, or again after it was interrupted, does what is missing.

    Args:
        atlas: The atlas, with its own model or another (`Atlas.with_model`).
        out: A folder, or s3://bucket/prefix, gs://bucket/prefix, az://container/prefix.
        modalities: Some of those that atlas and model share; by default all.
        dtype: "float16", or "int8" with steps of 1/127.
        level: Of the S2 cells that are the parts, 0 to 30; by default that of the store, or as `Partitions` chooses.
        workers: Processes on this machine, 1 to 256.
        scheduler: Address of a dask scheduler, whose workers encode instead.
        quiet: Show no progress.

    Raises:
        UniGeoError: An option cannot be used; the store is of something else, or cannot be written; a worker failed.
    """
    if scheduler is not None:
        check_scheduler(scheduler)
    _check_options(workers, dtype)
    storage = open_storage(out)
    model = load_fitting(atlas)
    chosen = _chosen(atlas, model.modalities, modalities)
    there = find_manifest(storage)
    level = there.level if there is not None and level is None else level
    partitions = Partitions(atlas.places[["lat", "lon"]].to_numpy(np.float64), level)
    manifest = settle_manifest(storage, plan_store(atlas, model.dim, chosen, dtype, partitions))
    del model  # each worker has one of its own
    begun = time.perf_counter()
    missing = manifest.missing(storage)
    job = _job(atlas, storage.address, manifest)
    progress = Progress(manifest, {part.token for part in missing}, quiet or not missing)
    try:
        if missing and scheduler is not None:
            on_cluster(job, scheduler, storage, manifest, progress)
        elif missing and workers > 1:
            on_processes(job, workers, progress)
        elif missing:
            for _ in work(job, progress):
                pass
    finally:
        progress.close()
    finish(storage, manifest)
    seconds = time.perf_counter() - begun
    return Encoded(manifest, len(missing), seconds, sum(part.rows for part in missing))


def _check_options(workers: int, dtype: str) -> None:
    if not 1 <= workers <= MAX_WORKERS:
        raise InputError(f"Give 1 to {MAX_WORKERS} workers, not {workers}.")
    if dtype not in DTYPES:
        raise InputError(f"Vectors are stored as {' or '.join(DTYPES)}, not as {dtype!r}.")


def _chosen(atlas: Atlas, known: Sequence[str], wanted: Sequence[str] | None) -> list[str]:
    """Modalities in the order of the atlas."""
    shared = [name for name in atlas.manifest.modalities if name in known]
    if wanted is None:
        return shared
    if unknown := [name for name in wanted if name not in shared]:
        raise InputError(
            f"The atlas {atlas.name!r} with this model has no modality {unknown[0]!r}; it has {', '.join(shared)}."
        )
    return [name for name in shared if name in wanted]


def _job(atlas: Atlas, store: str, manifest: StoreManifest) -> Job:
    """Paths that hold in any folder that a worker runs in."""
    name = atlas.opened_as
    return Job(
        atlas=name if name == atlas.name else str(atlas.path.absolute()),
        model=None if atlas.has_shipped_model else str(atlas.model_path.absolute()),
        store=store if is_url(store) else str(Path(store).absolute()),
        model_id=manifest.emb.model_id,
        data_hash=manifest.emb.data_hash,
    )
