"""The folder of a Lance store: one table a modality, and index.json, which names the version of each that counts.

A version of a table is complete or absent, and index.json is replaced as one: whoever opens the folder sees all
modalities as they were after one build or append, also while the next is being written.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unigeoclip.config import from_dict, to_dict
from unigeoclip.errors import InputError, excerpt
from unigeoclip.extras import needs_extra
from unigeoclip.files.atomic import read_bytes, reason, write_bytes
from unigeoclip.stores.filters import check_name

if TYPE_CHECKING:
    from unigeoclip.errors import UniGeoError

__all__ = ["MANIFEST", "LanceFolder", "Manifest", "TableVersion"]

MANIFEST = "index.json"
FORMAT = 1
MAX_MANIFEST_BYTES = 64_000_000  # it names every part: some hundred thousand
_REMOTE = re.compile(r"(s3|gs|az)://[^\s?#]+")


@dataclass(frozen=True)
class TableVersion:
    """The table of a modality.

    Attributes:
        version: Of Lance, which counts.
        rows: How many it has.
        indexed: Rows that its vector index was trained on; 0 where it has none and search is exact.
    """

    version: int
    rows: int
    indexed: int


@dataclass(frozen=True)
class Manifest:
    """What index.json says.

    Attributes:
        format: Of this file.
        dim: Length of the vectors.
        attributes: Columns to filter by -> one of `filters.KINDS`.
        parts: Names of the parts that are in it.
        tables: Modality -> its table.
        emb: What `encode` says of the vectors: model, atlas, dtype.
    """

    format: int
    dim: int
    attributes: dict[str, str]
    parts: tuple[str, ...]
    tables: dict[str, TableVersion]
    emb: dict[str, Any] = field(default_factory=dict)


class LanceFolder:
    """A local folder, or a prefix of an object store: s3://, gs:// or az://, credentials from the environment."""

    def __init__(self, where: str | Path) -> None:
        """Name the folder; nothing is read.

        Raises:
            InputError: An address of another kind.
            MissingPackageError: The extra `scale` is not installed.
        """
        self.uri = str(where)
        self.is_remote = "://" in self.uri
        if self.is_remote and _REMOTE.fullmatch(self.uri) is None:
            raise InputError(f"'{excerpt(self.uri)}' is no folder, and no address s3://, gs:// or az://.")

    def connect(self) -> Any:
        """The database of LanceDB in the folder.

        Raises:
            InputError: It cannot be reached.
            MissingPackageError: The extra `scale` is not installed.
        """
        os.environ.setdefault("LANCEDB_LOG", "error")  # it warns on stderr of every table that it makes
        with needs_extra("scale"):
            import lancedb
        try:
            return lancedb.connect(self.uri)
        except Exception as error:
            raise self.failure(error) from error

    def failure(self, error: BaseException) -> UniGeoError:
        """What an exception of LanceDB's or of an object store's means; these libraries have no common base class."""
        return InputError(f"{self.uri} cannot be used ({reason(error)}): restore it, or build it again.")

    def read(self) -> Manifest | None:
        """What index.json says; None where there is none.

        Raises:
            InputError: It cannot be read, or is of another format.
        """
        data = self._bytes()
        if data is None:
            return None
        try:
            said = json.loads(data)
            if not isinstance(said, dict) or said.get("format") != FORMAT:
                raise InputError(f"it is not of format {FORMAT}")
            manifest = from_dict(Manifest, said, MANIFEST)
        except (InputError, ValueError, RecursionError) as error:
            raise InputError(f"{self.uri}/{MANIFEST} is damaged ({reason(error)}): build the index again.") from error
        for name in (*manifest.tables, *manifest.attributes):
            check_name(name, "a table")
        return manifest

    def write(self, manifest: Manifest) -> None:
        """Replace index.json.

        Raises:
            InputError: It cannot be written.
        """
        data = (json.dumps(to_dict(manifest), indent=1) + "\n").encode()
        if not self.is_remote:
            write_bytes(Path(self.uri) / MANIFEST, data, durable=True)
            return
        try:
            self._store().put(MANIFEST, data)
        except Exception as error:
            raise self.failure(error) from error

    def _bytes(self) -> bytes | None:
        if not self.is_remote:
            path = Path(self.uri) / MANIFEST
            return read_bytes(path, MAX_MANIFEST_BYTES) if path.exists() else None
        try:
            found = self._store().get(MANIFEST)
            if found.meta["size"] > MAX_MANIFEST_BYTES:
                raise InputError(f"{MANIFEST} is larger than {MAX_MANIFEST_BYTES:,} bytes")
            return bytes(found.bytes())
        except FileNotFoundError:
            return None
        except Exception as error:
            raise self.failure(error) from error

    def _store(self) -> Any:
        with needs_extra("scale"):
            import obstore.store
        return obstore.store.from_url(self.uri)
