"""Single files from web addresses: pinned by checksum, fetched whole or not at all, or taken from a folder at hand."""

from __future__ import annotations

import http.client
import itertools
import shutil
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING

from unigeoclip.errors import DownloadError, InputError
from unigeoclip.files.atomic import atomic, sha256_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

__all__ = ["Copy", "UrlFile", "fetch_url", "find_copies", "is_fetched"]

USER_AGENT = "unigeoclip-explorer/0.1 (python-urllib)"
TIMEOUT_S = 60.0
ATTEMPTS = 3
_FIRST_WAIT_S = 2.0
_CHUNK_BYTES = 1 << 20
_SLACK = 4  # a file whose checksum is not known may be so many times as large as was expected
_MOST_FILES = 5_000  # of a folder at hand that are looked at


@dataclass(frozen=True)
class Copy:
    """A file that is accepted in place of a download: the same, or one with fewer columns."""

    size_bytes: int
    sha256: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class UrlFile:
    """One file on the web.

    Attributes:
        filename: What it is called in the download cache.
        urls: Addresses, the first one that answers is used; with a commit or version in them.
        size_bytes: Its size; about, where there is no checksum.
        sha256: Of what the addresses serve. None where we could not reach them: then their commit or version is all
            that pins it, and the caller is told the checksum of the file.
        copies: What else is accepted from a folder at hand.
        names: Other names under which people have it.
    """

    filename: str
    urls: tuple[str, ...]
    size_bytes: int
    sha256: str | None
    copies: tuple[Copy, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def accepted(self) -> tuple[Copy, ...]:
        """Every content that is right."""
        own = (Copy(self.size_bytes, self.sha256, (self.filename, *self.names)),) if self.sha256 else ()
        return (*own, *self.copies)


def is_fetched(file: UrlFile, folder: Path) -> bool:
    """Whether the file is in the download cache, with a content that is right."""
    path = folder / file.filename
    if not path.is_file():
        return False
    return file.sha256 is None or _accepts(file, path)


def _accepts(file: UrlFile, path: Path) -> bool:
    size = path.stat().st_size
    candidates = {copy.sha256 for copy in file.accepted if copy.size_bytes == size}
    return bool(candidates) and sha256_of(path) in candidates


def find_copies(files: Iterable[UrlFile], at_hand: Path, folder: Path) -> list[str]:
    """Take files from a folder at hand into the download cache: by content, whatever they are called there.

    Args:
        files: What is wanted.
        at_hand: Where to look, and in the folders inside it.
        folder: The download cache.

    Returns:
        Names of the files that were taken. One whose content is pinned nowhere is taken by its name.

    Raises:
        InputError: ``at_hand`` is no folder, or a file in it has the name of a wanted one but another content; the
            message has both checksums.
        DownloadError: The download cache cannot be written.
    """
    if not at_hand.is_dir():
        raise InputError(f"{at_hand} is no folder. Give the folder that holds the files to --from.")
    found = (path for pattern in ("*", "*/*") for path in sorted(at_hand.glob(pattern)) if path.is_file())
    present = list(itertools.islice(found, _MOST_FILES))
    by_size: dict[int, list[Path]] = {}
    for path in present:
        by_size.setdefault(path.stat().st_size, []).append(path)
    taken = []
    for file in files:
        known = {file.filename, *file.names, *(name for copy in file.copies for name in copy.names)}
        named = [path for path in present if path.name in known]
        match = _matching(file, by_size) if file.accepted else next(iter(named), None)
        if match is not None:
            folder.mkdir(parents=True, exist_ok=True)
            with atomic(folder / file.filename, error=DownloadError) as temporary:
                shutil.copyfile(match, temporary)
            taken.append(file.filename)
            continue
        if named:
            pinned = " or ".join(copy.sha256 for copy in file.accepted)
            raise InputError(
                f"{named[0]} has SHA-256 {sha256_of(named[0])}; expected is {pinned}. "
                "It is another version or was changed: take the pinned one, or remove it from the folder."
            )
    return taken


def _matching(file: UrlFile, by_size: dict[int, list[Path]]) -> Path | None:
    for copy in file.accepted:
        for path in by_size.get(copy.size_bytes, []):
            if sha256_of(path) == copy.sha256:
                return path
    return None


def fetch_url(file: UrlFile, folder: Path, say: Callable[[str], None], first_wait_s: float = _FIRST_WAIT_S) -> Path:
    """Fetch one file into the download cache.

    Args:
        file: What.
        folder: The download cache.
        say: Called with what is fetched and how large it is, and with the checksum of a file that has none pinned.
        first_wait_s: Before the second attempt; twice as long before the third.

    Returns:
        The file.

    Raises:
        DownloadError: No address serves it, or what came is not the pinned content; nothing is left behind.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / file.filename
    failures = []
    for url in file.urls:
        say(f"Fetching {file.filename} ({file.size_bytes / 1e6:.1f} MB) from {url}")
        try:
            with atomic(path, error=DownloadError) as temporary:
                _stream(url, temporary, file, first_wait_s)
                found = sha256_of(temporary)
                if file.sha256 is not None and found != file.sha256:
                    raise DownloadError(f"{url} gave a file with SHA-256 {found}, expected {file.sha256}")
        except DownloadError as error:
            failures.append(str(error).rstrip("."))
            continue
        if file.sha256 is None:
            say(f"{file.filename} has SHA-256 {found}; no checksum of it is pinned, only its address.")
        return path
    raise DownloadError(f"{file.filename} could not be fetched: {'; '.join(failures)}. Use --from with a copy at hand.")


def _stream(url: str, into: Path, file: UrlFile, wait_s: float) -> None:
    limit = file.size_bytes if file.sha256 else _SLACK * file.size_bytes
    request = urllib.request.Request(url, headers={"User-Agent": USER_AGENT})
    why = ""
    for attempt in range(ATTEMPTS):
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response, into.open("wb") as opened:
                done = 0
                while chunk := response.read(_CHUNK_BYTES):
                    done += len(chunk)
                    if done > limit:
                        raise DownloadError(f"{url} is larger than the {limit:,} bytes expected")
                    opened.write(chunk)
            return
        except urllib.error.HTTPError as error:
            why = f"HTTP {error.code}"
            if error.code in (401, 403, 404, 410):
                break
        except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
            why = str(getattr(error, "reason", error)) or type(error).__name__
        if attempt + 1 < ATTEMPTS:
            time.sleep(wait_s * 2**attempt)
    raise DownloadError(f"{url}: {why}")
