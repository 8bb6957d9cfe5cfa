"""What a store of embeddings says of itself: ``store.json``, and the same description in every part."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from unigeoclip import __version__
from unigeoclip.atlas import schema
from unigeoclip.checkpoint import checkpoint_id
from unigeoclip.config import from_dict, to_dict
from unigeoclip.encoding.storage import FolderStorage
from unigeoclip.errors import InputError
from unigeoclip.files.atomic import reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.encoding.partitions import Partitions
    from unigeoclip.encoding.storage import Storage

__all__ = [
    "CLAIMS",
    "DTYPES",
    "MANIFEST",
    "PARTS",
    "Embeddings",
    "Part",
    "StoreManifest",
    "find_manifest",
    "plan_store",
    "read_manifest",
    "settle_manifest",
]

FORMAT = 1
MANIFEST, PARTS, CLAIMS = "store.json", "parts", "claims"
DTYPES = {"float16": 1.0, "int8": 1 / 127}  # kind of number -> what a stored 1 stands for
MAX_MANIFEST_BYTES = 64_000_000
_TOKEN = re.compile(r"[0-9a-f]{1,16}")


@dataclass(frozen=True)
class Credit:
    """A source of the atlas: its name, license and whom to name, as atlas.json has them."""

    name: str
    licence: str
    attribution: str


@dataclass(frozen=True)
class Embeddings:
    """What the vectors are; "emb" in ``store.json`` and in the metadata of every part.

    Attributes:
        model_id: `checkpoint.checkpoint_id` of the model.
        model: Its name: "unigeoclip", or the folder of one of your own.
        atlas: Name of the atlas.
        data_hash: `Atlas.data_hash`.
        dim: Numbers of a vector.
        dtype: "float16" or "int8".
        scale: What a stored number is multiplied with: 1, or 1/127 for int8.
        normalized: Whether vectors have norm 1, but for rounding.
        version: Of this package.
        sources: Licenses and attribution of the atlas's data.
    """

    model_id: str
    model: str
    atlas: str
    data_hash: str
    dim: int
    dtype: str
    scale: float
    normalized: bool
    version: str
    sources: list[Credit]

    def json(self) -> str:
        """JSON in one line; the same description gives the same bytes."""
        return json.dumps(to_dict(self), ensure_ascii=False)


@dataclass(frozen=True)
class Part:
    """One partition: the cell of S2, and what its file holds.

    Attributes:
        token: Name of the cell and of the file, ``parts/<token>.parquet``.
        places: How many places lie in it.
        rows: How many vectors there are of them.
        bounds: South, west, north, east of the places, degrees.
    """

    token: str
    places: int
    rows: int
    bounds: tuple[float, float, float, float]

    @property
    def file(self) -> str:
        """Name in the store."""
        return f"{PARTS}/{self.token}.parquet"


@dataclass(frozen=True)
class StoreManifest:
    """``store.json``.

    Attributes:
        format: Version of this form.
        level: Of the cells of S2 that are the partitions.
        modalities: Modality -> number of vectors, in the order of the atlas.
        partitions: In the order of S2.
        emb: What the vectors are.
    """

    format: int
    level: int
    modalities: dict[str, int]
    partitions: list[Part]
    emb: Embeddings

    @property
    def rows(self) -> int:
        """Vectors of all parts."""
        return sum(part.rows for part in self.partitions)

    def missing(self, storage: Storage) -> list[Part]:
        """Parts that are not there yet."""
        names = storage.names(PARTS)
        return [part for part in self.partitions if f"{part.token}.parquet" not in names]


def plan_store(atlas: Atlas, dim: int, modalities: Sequence[str], dtype: str, partitions: Partitions) -> StoreManifest:
    """The manifest of a store that is to be made.

    Args:
        atlas: The atlas, with the model that encodes it.
        dim: Of the model.
        modalities: Of the atlas and the model.
        dtype: One of `DTYPES`.
        partitions: How the places are divided.
    """
    present = {name: atlas.present(name) for name in modalities}
    parts = []
    for token, rows in partitions.items():
        latlon = partitions.latlon[rows]
        (south, west), (north, east) = latlon.min(axis=0).tolist(), latlon.max(axis=0).tolist()
        count = sum(int(has[rows].sum()) for has in present.values())
        if count:
            parts.append(Part(token, len(rows), count, (south, west, north, east)))
    sources = [Credit(each.name, each.licence, each.attribution) for each in atlas.manifest.sources]
    emb = Embeddings(
        model_id=checkpoint_id(atlas.model_path),
        model="unigeoclip" if atlas.has_shipped_model else Path(atlas.model_path).absolute().name,
        atlas=atlas.name,
        data_hash=atlas.data_hash,
        dim=dim,
        dtype=dtype,
        scale=DTYPES[dtype],
        normalized=True,
        version=__version__,
        sources=list(dict.fromkeys(sources)),
    )
    counts = {name: int(has.sum()) for name, has in present.items()}
    return StoreManifest(FORMAT, partitions.level, counts, parts, emb)


def find_manifest(storage: Storage) -> StoreManifest | None:
    """The manifest of a store, or None if there is none.

    Raises:
        InputError: It cannot be read or is damaged; or there is a folder of other files.
    """
    data = storage.read(MANIFEST, MAX_MANIFEST_BYTES)
    if data is None:
        if isinstance(storage, FolderStorage) and storage.names(""):
            raise InputError(f"{storage.address} holds other files and no {MANIFEST}. Give a new or an empty folder.")
        return None
    where = f"{storage.address}/{MANIFEST}"
    try:
        manifest = from_dict(StoreManifest, json.loads(data), where)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where} is not valid JSON: {reason(error)}. Make the store again.") from error
    if manifest.format != FORMAT:
        raise InputError(
            f"{where} has format {manifest.format}; this version of unigeoclip reads format {FORMAT}. Make it again."
        )
    tokens = [part.token for part in manifest.partitions]
    if len(set(tokens)) != len(tokens) or not all(map(_TOKEN.fullmatch, tokens)):
        raise InputError(f"{where} is damaged: a name of a partition is none, or occurs twice. Make the store again.")
    if manifest.emb.dtype not in DTYPES or not set(manifest.modalities) <= set(schema.MODALITIES):
        raise InputError(f"{where} names a kind of number or a modality that is not known. Make the store again.")
    return manifest


def read_manifest(storage: Storage) -> StoreManifest:
    """The manifest of a store.

    Raises:
        InputError: There is none, it cannot be read, or it is damaged.
    """
    manifest = find_manifest(storage)
    if manifest is None:
        raise InputError(f"{storage.address} is no store of embeddings: {MANIFEST} is missing. Make one with 'encode'.")
    return manifest


def settle_manifest(storage: Storage, planned: StoreManifest) -> StoreManifest:
    """Write the manifest of a new store, or check that a store that is there is the same.

    Returns:
        The manifest in the store.

    Raises:
        InputError: The store was made for something else; says what differs.
    """
    text = json.dumps(to_dict(planned), ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    found = find_manifest(storage)
    if found is None and storage.create(MANIFEST, text.encode()):
        return planned
    found = found or read_manifest(storage)  # another process was quicker
    check_same(storage.address, found, planned)
    return found


def check_same(address: str, found: StoreManifest, planned: StoreManifest) -> None:
    """Raises InputError if a store was made for something else than what is planned."""
    options = f"continue with --modalities {','.join(found.modalities)}"
    differences = (
        ("the atlas", found.emb.atlas, planned.emb.atlas, "give another --out"),
        ("the data", found.emb.data_hash, planned.emb.data_hash, "the atlas has changed; give another --out"),
        ("the model", found.emb.model_id, planned.emb.model_id, "give that model, or another --out"),
        ("--dtype", found.emb.dtype, planned.emb.dtype, "give the same, or another --out"),
        ("--modalities", list(found.modalities), list(planned.modalities), f"{options}, or give another --out"),
        ("--partition-level", found.level, planned.level, "give the same, or another --out"),
        ("partitions", found.partitions, planned.partitions, "it is damaged; give another --out"),
    )
    for what, theirs, ours, remedy in differences:
        if theirs != ours:
            shown = "" if what == "partitions" else f" {_shown(theirs)}, not {_shown(ours)}"
            raise InputError(f"{address} was made for {what}{shown or ' of other places'}: {remedy}.")


def _shown(value: object) -> str:
    return ",".join(value) if isinstance(value, list) else str(value)
