"""Where a store of embeddings lies: a folder, or a prefix of a bucket. Files are written whole, and never twice.

A reader sees a file only when all of it is there, and of several writers of one name the first wins: a hard link does
that in a folder, a conditional PUT (If-None-Match) in an object store.
"""

from __future__ import annotations

import contextlib
import os
import re
from datetime import timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from unigeoclip.errors import InputError, excerpt
from unigeoclip.extras import needs_extra
from unigeoclip.files.atomic import atomic, read_bytes, reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from obstore.store import ClientConfig, RetryConfig

__all__ = ["FolderStorage", "ObjectStorage", "Storage", "is_url", "open_storage"]

MAX_NAMES = 1_000_000  # of one folder that are listed
_URL = re.compile(r"(s3|gs|az)://([a-z0-9][a-z0-9._-]{1,253}[a-z0-9])((?:/[\w.=+@ -]+)*)/?", re.ASCII)
_CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    "az": "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
}
# Where the libraries look for credentials when the environment has none: the metadata service of a cloud machine.
_NO_CREDENTIALS = (
    "/latest/api/token",
    "/latest/meta-data",
    "/computeMetadata/",
    "Account must be specified",
    "/metadata/identity",
)
_UNREACHABLE = ("error sending request", "timed out", "operation timed out", "error following redirect")


class Storage(Protocol):
    """A place for files by name; names are relative, with "/" between folder and file.

    Attributes:
        address: What a person calls it.
    """

    address: str

    def read(self, name: str, limit: int) -> bytes | None:
        """Content of a small file, at most ``limit`` bytes; None if there is none of this name."""
        ...

    def create(self, name: str, data: bytes, *, durable: bool = True) -> bool:
        """Write a file whole; False, and nothing is written, if there is one of this name.

        A file that is not ``durable`` may be lost with the power of the machine, and takes a disk less time.
        """
        ...

    def exists(self, name: str) -> bool:
        """Whether there is a file of this name."""
        ...

    def names(self, folder: str) -> set[str]:
        """Names of the files in a folder, without the folder; "" is the top."""
        ...

    def remove(self, names: Iterable[str]) -> None:
        """Remove files, those that are there."""
        ...

    def open(self, name: str) -> IO[bytes]:
        """Open a file for reading at any position.

        Raises:
            InputError: There is none of this name.
        """
        ...


def is_url(address: str) -> bool:
    """Whether the address of a store names a service rather than a folder."""
    return "://" in address


def open_storage(address: str | Path) -> Storage:
    """The storage at an address; nothing is read or written yet.

    Args:
        address: A folder, or s3://bucket/prefix, gs://bucket/prefix, az://container/prefix. Credentials, region and
            endpoint of a bucket come from the environment, as obstore reads it (AWS_ENDPOINT_URL and so on).

    Raises:
        InputError: No such kind of address, or its name cannot be that of a bucket.
        MissingPackageError: obstore is not installed.
    """
    text = str(address)
    if not is_url(text):
        return FolderStorage(Path(address).absolute())
    found = _URL.fullmatch(text)
    if found is None or any(part in (".", "..") for part in text.split("/")):
        raise InputError(
            f"'{excerpt(_without_secrets(text))}' is no place for a store: give a folder, or s3://bucket/prefix, "
            "gs://bucket/prefix, az://container/prefix, without a password; credentials come from the environment."
        )
    return ObjectStorage(text.rstrip("/"))


class FolderStorage:
    """A folder, on a disk or shared between machines; see `Storage`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = str(folder)

    def read(self, name: str, limit: int) -> bytes | None:
        """See `Storage.read`."""
        path = self.folder / name
        return read_bytes(path, limit) if path.exists() else None

    def create(self, name: str, data: bytes, *, durable: bool = True) -> bool:
        """See `Storage.create`."""
        path = self.folder / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic(path, durable=durable, new=True) as temporary:
                temporary.write_bytes(data)
        except FileExistsError:
            return False
        except OSError as error:
            raise InputError(f"{path} cannot be written: {reason(error)}. Give another --out.") from error
        return True

    def exists(self, name: str) -> bool:
        """See `Storage.exists`."""
        return (self.folder / name).exists()

    def names(self, folder: str) -> set[str]:
        """See `Storage.names`; what a writer that was killed has left half-written is not among them."""
        try:
            with os.scandir(self.folder / folder) as entries:
                return {entry.name for entry in entries if entry.is_file() and not entry.name.startswith(".")}
        except FileNotFoundError:
            return set()
        except OSError as error:
            raise InputError(f"{self.folder / folder} cannot be read: {reason(error)}.") from error

    def remove(self, names: Iterable[str]) -> None:
        """See `Storage.remove`."""
        for name in names:
            with contextlib.suppress(OSError):
                (self.folder / name).unlink()

    def remove_hidden(self, folder: str) -> None:
        """Remove what writers that were killed have left half-written in a folder."""
        with contextlib.suppress(OSError):
            for path in list((self.folder / folder).iterdir()):
                if path.name.startswith(".") and path.suffix == ".tmp":
                    path.unlink(missing_ok=True)

    def open(self, name: str) -> IO[bytes]:
        """See `Storage.open`."""
        path = self.folder / name
        try:
            return path.open("rb")
        except OSError as error:
            raise InputError(f"{path} cannot be read: {reason(error)}.") from error


class ObjectStorage:
    """A prefix of a bucket, through obstore; see `Storage`."""

    def __init__(self, address: str) -> None:
        with needs_extra("scale"):
            from obstore.store import from_url
        self.address = address
        # A part goes up in one request, and may take a while; what cannot be reached must not take long.
        client: ClientConfig = {"connect_timeout": "5s", "timeout": "300s"}
        if os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://"):
            client["allow_http"] = True
        retry: RetryConfig = {
            "max_retries": 4,
            "retry_timeout": timedelta(seconds=120),
            "backoff": {"init_backoff": timedelta(seconds=0.2), "max_backoff": timedelta(seconds=5), "base": 2},
        }
        with _explained(address):
            self._store = from_url(address, client_options=client, retry_config=retry)

    def read(self, name: str, limit: int) -> bytes | None:
        """See `Storage.read`."""
        with _explained(self.address, missing_is=None) as found:
            result = self._store.get(name)
            if result.meta["size"] > limit:
                raise InputError(f"{self.address}/{name} is larger than the {limit:,} bytes that are read at most.")
            found.append(bytes(result.bytes()))
        return found[0] if found else None

    def create(self, name: str, data: bytes, *, durable: bool = True) -> bool:
        """See `Storage.create`."""
        with needs_extra("scale"):
            from obstore.exceptions import AlreadyExistsError, PreconditionError
        with _explained(self.address):
            try:
                self._store.put(name, data, mode="create", use_multipart=False)
            except (AlreadyExistsError, PreconditionError):
                return False
        return True

    def exists(self, name: str) -> bool:
        """See `Storage.exists`."""
        with _explained(self.address, missing_is=None) as found:
            found.append(self._store.head(name))
        return bool(found)

    def names(self, folder: str) -> set[str]:
        """See `Storage.names`."""
        prefix = f"{folder}/" if folder else ""
        found: set[str] = set()
        with _explained(self.address):
            for some in self._store.list(prefix or None):
                paths = (each["path"].removeprefix(prefix) for each in some)
                found.update(path for path in paths if "/" not in path)
                if len(found) > MAX_NAMES:
                    raise InputError(f"{self.address}/{folder} holds more than {MAX_NAMES:,} objects: no store does.")
        return found

    def remove(self, names: Iterable[str]) -> None:
        """See `Storage.remove`."""
        with _explained(self.address, missing_is=None):
            if paths := list(names):
                self._store.delete(paths)

    def open(self, name: str) -> IO[bytes]:
        """See `Storage.open`."""
        with needs_extra("scale"):
            from obstore import open_reader
        if not self.exists(name):
            raise InputError(f"{self.address}/{name} does not exist.")
        with _explained(self.address):
            opened: Any = open_reader(self._store, name)
        return _Reader(opened, self.address)  # type: ignore[return-value]


class _Reader:
    """A file of an object store as pyarrow takes one: reads give bytes, and failures say what failed."""

    closed = False

    def __init__(self, opened: Any, address: str) -> None:
        self._opened, self._address = opened, address

    def read(self, size: int = -1) -> bytes:
        with _explained(self._address):
            return bytes(self._opened.read(None if size < 0 else size))

    def seek(self, position: int, whence: int = os.SEEK_SET) -> int:
        return int(self._opened.seek(position, whence))

    def tell(self) -> int:
        return int(self._opened.tell())

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def flush(self) -> None:
        return

    def close(self) -> None:
        self.closed = True

    def __enter__(self) -> _Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_RAISE = object()


@contextlib.contextmanager
def _explained(address: str, missing_is: object = _RAISE) -> Iterator[list[Any]]:
    """Failures of obstore as one sentence.

    Args:
        address: Of the store.
        missing_is: None lets a missing object pass.

    Yields:
        A list for what was found.
    """
    with needs_extra("scale"):
        from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
    try:
        yield []
    except (InputError, AlreadyExistsError, PreconditionError):
        raise
    except FileNotFoundError as error:
        if missing_is is _RAISE or "NoSuchBucket" in str(error):
            raise InputError(_words(address, error)) from error
    except (BaseError, OSError, ValueError) as error:
        raise InputError(_words(address, error)) from error


def _words(address: str, error: Exception) -> str:
    said, scheme = str(error), address.partition(":")[0]
    kind = type(error).__name__
    if isinstance(error, FileNotFoundError):
        return f"{address}: the bucket does not exist, or the object was removed. Create the bucket, or check its name."
    if any(sign in said for sign in _NO_CREDENTIALS):
        return f"{address}: there are no credentials. Set {_CREDENTIALS[scheme]} in the environment of every worker."
    if kind in ("PermissionDeniedError", "UnauthenticatedError"):
        return (
            f"{address}: access was denied. Check the credentials ({_CREDENTIALS[scheme]}) and that they may list, "
            "read, write and delete below this prefix."
        )
    if any(sign in said for sign in _UNREACHABLE):
        return f"{address}: the service cannot be reached. Check the network, and AWS_ENDPOINT_URL or its equivalent."
    return f"{address} cannot be used: {_without_secrets(reason(error))}."


def _without_secrets(text: str) -> str:
    """A message without what an address may hold of signatures and passwords."""
    return re.sub(r"//[^/\s@]*@", "//…@", re.sub(r"\?\S+", "?…", text))
