"""What one process does for a store: encode a part, and choose the next part that nobody else has.

Any number of processes on any machines may do this for one store. A process claims a part by creating a small file,
``claims/<token>.0``; of several only one succeeds. Nothing else depends on claims: what makes a part appear once and
whole is how it is written (`storage`). When no part is unclaimed any more, those that are still missing are being made
by somebody, or by nobody, since their worker died; without clocks on which machines agree this cannot be told. So they
are claimed again, as ``<token>.1``, and made once more; whoever is first writes the part. A dead worker costs nothing
but its unfinished part, and idle workers at the end may do what others are doing.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import platform
import random
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.atlas.models import load_fitting
from unigeoclip.atlas.store import load_atlas
from unigeoclip.checkpoint import checkpoint_id
from unigeoclip.encoding.manifest import CLAIMS, PARTS, read_manifest
from unigeoclip.encoding.part_file import part_bytes, stored
from unigeoclip.encoding.partitions import Partitions
from unigeoclip.encoding.storage import FolderStorage, open_storage
from unigeoclip.errors import CheckpointError, InputError
from unigeoclip.search.gallery_embeddings import encode_places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from unigeoclip.encoding.manifest import StoreManifest
    from unigeoclip.encoding.storage import Storage

    Report = Callable[
        [str, int | None], None
    ]  # token of a part, and rows encoded since the last call; None: it is there

__all__ = ["Job", "encode_part", "finish", "work"]

MAX_NORM_ERROR = 0.01
_one_at_a_time = threading.Lock()  # in a process: one part keeps all its cores busy


@dataclass(frozen=True)
class Job:
    """What a worker needs to know; the rest is in the store.

    Attributes:
        atlas: Name, or absolute path of a folder that every worker has.
        model: Absolute path of a model folder, or None for the atlas's own.
        store: Absolute path or URL.
        model_id: Of the model, `checkpoint_id`.
        data_hash: Of the atlas, `Atlas.data_hash`.
    """

    atlas: str
    model: str | None
    store: str
    model_id: str
    data_hash: str


class _Encoder:
    """An atlas and its model, opened for a store."""

    def __init__(self, job: Job) -> None:
        atlas = load_atlas(job.atlas)
        self.atlas = atlas if job.model is None else atlas.with_model(job.model)
        self.storage = open_storage(job.store)
        self.manifest = read_manifest(self.storage)
        emb = self.manifest.emb
        here = (checkpoint_id(self.atlas.model_path), self.atlas.data_hash)
        if here != (job.model_id, job.data_hash) or here != (emb.model_id, emb.data_hash):
            raise InputError(
                f"{platform.node()}: the atlas {job.atlas!r} or its model here is not that of {job.store}: install the "
                "same version of both on every machine."
            )
        # The one place where the model of a worker is made; move it to a device here.
        self.model = load_fitting(self.atlas)
        latlon = self.atlas.places[["lat", "lon"]].to_numpy(np.float64)
        self.partitions = Partitions(latlon, self.manifest.level)
        self.place_ids = self.atlas.places["place_id"].to_numpy(object)
        self._held = contextlib.ExitStack()  # rasters stay decoded from part to part, for as long as the process works
        for name in ("aerial", "surface"):
            if name in self.manifest.modalities:
                self._held.enter_context(self.atlas.raster(name).whole())
        if "street" in self.manifest.modalities:
            self._held.enter_context(self.atlas.streets.held())

    def part(self, token: str, report: Callable[[int], None] | None) -> bytes:
        """The file of a part."""
        emb, rows = self.manifest.emb, self.partitions.rows(token)
        vectors: dict[str, tuple[NDArray[np.int64], NDArray[np.float16] | NDArray[np.int8]]] = {}
        for name in self.manifest.modalities:
            numbers = np.flatnonzero(self.atlas.present(name)[rows])
            if not len(numbers):
                continue
            found = encode_places(self.model, self.atlas, name, rows[numbers], report, bulk=True)
            norms = np.sqrt(np.einsum("nd,nd->n", found, found))
            if not (np.abs(norms - 1) <= MAX_NORM_ERROR).all():  # so written that NaN fails, too
                raise CheckpointError(
                    f"The model in {self.atlas.model_path} gives no unit vectors for {name!r}: train it again."
                )
            vectors[name] = numbers, stored(found, emb.dtype)
        return part_bytes(emb, self.place_ids[rows].tolist(), self.partitions.latlon[rows], vectors)


@functools.lru_cache(maxsize=1)
def _encoder(job: Job) -> _Encoder:
    return _Encoder(job)


def encode_part(job: Job, token: str, report: Report | None = None) -> bool:
    """Encode one part and write it, unless it is there; the function that runs on a cluster.

    Args:
        job: What to do; the store has its manifest.
        token: Of the part.
        report: Called while it is being made.

    Returns:
        Whether this call has written it.

    Raises:
        UniGeoError: This machine has another atlas or model, or the store cannot be written.
    """
    with _one_at_a_time:
        encoder = _encoder(job)
        name = f"{PARTS}/{token}.parquet"
        if encoder.storage.exists(name):
            return False
        claim(encoder.storage, token, 0)
        data = encoder.part(token, None if report is None else functools.partial(report, token))
        return encoder.storage.create(name, data)


def claim(storage: Storage, token: str, turn: int) -> bool:
    """Say that this process makes a part; False if another one has said so in the same turn."""
    who = f"{platform.node()} {os.getpid()}\n"
    return storage.create(f"{CLAIMS}/{token}.{turn}", who.encode(), durable=False)


def work(job: Job, report: Report) -> Iterator[str]:
    """Encode parts until none is missing, beside any number of other processes.

    Args:
        job: What to do; the store has its manifest.
        report: Called with what is done, by this process or by others.

    Yields:
        Tokens of the parts that this process has written.
    """
    encoder = _encoder(job)
    storage, manifest = encoder.storage, encoder.manifest
    chance = random.Random()  # another order in every process: fewer meet at a part
    for turn in itertools.count():
        missing = {part.token for part in manifest.missing(storage)}
        for part in manifest.partitions:
            if part.token not in missing:
                report(part.token, None)
        if not missing:
            return
        for token in chance.sample(sorted(missing), len(missing)):
            if claim(storage, token, turn):
                if encode_part(job, token, report):
                    yield token
                report(token, None)


def finish(storage: Storage, manifest: StoreManifest) -> None:
    """Remove claims, and what killed writers left half-written, of a store whose parts are all there."""
    if manifest.missing(storage):
        return
    storage.remove([f"{CLAIMS}/{name}" for name in storage.names(CLAIMS)])
    if isinstance(storage, FolderStorage):
        # A writer whose file goes here loses nothing: the part that it was making is there.
        storage.remove_hidden(PARTS)
        storage.remove_hidden(CLAIMS)
