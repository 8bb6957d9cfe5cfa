"""Fetching published files from the model hub: a pinned revision, the size said first, the content checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from unigeoclip.errors import DownloadError, InputError
from unigeoclip.files.atomic import sha256_of
from unigeoclip.files.cache import cache_folder
from unigeoclip.files.json_files import read_json, write_json

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["HubFile", "fetch_from_hub"]


@dataclass(frozen=True)
class HubFile:
    """One file of the hub, pinned.

    Attributes:
        repository: Owner and name.
        file: In it.
        revision: Commit of the repository, 40 hexadecimal digits.
        sha256: Of the content, hexadecimal. None where the publisher's checksum is not known to us: then what the hub
            announces at the first download is noted, and anything else is refused from then on.
    """

    repository: str
    file: str
    revision: str
    sha256: str | None


def fetch_from_hub(wanted: HubFile, say: Callable[[str], None], endpoint: str | None, remedy: str) -> Path:
    """Bring a file into the hub's own cache on this machine.

    Args:
        wanted: What.
        say: Called with what and how much is fetched, before it is.
        endpoint: Of the hub, in place of https://huggingface.co.
        remedy: What else a person can do, a sentence for the error's end.

    Returns:
        The file.

    Raises:
        DownloadError: The hub cannot be reached, or what came is not the file that is pinned, announced or noted.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url

    url = hf_hub_url(wanted.repository, wanted.file, revision=wanted.revision, endpoint=endpoint)
    try:
        announced = get_hf_file_metadata(url)
        by_hub = "" if wanted.sha256 else "; its checksum is only what the hub announces"
        say(f"{wanted.file}: {(announced.size or 0) / 1e6:.0f} MB from {url}, MIT licence{by_hub}")
        path = Path(hf_hub_download(wanted.repository, wanted.file, revision=wanted.revision, endpoint=endpoint))
    except Exception as error:  # whatever the hub's client and the network library below it raise
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DownloadError(f"{url} cannot be fetched ({why}). {remedy}") from error
    # Large files are named by their SHA-256 on the hub.
    promised = announced.etag if announced.etag and len(announced.etag) == 64 else None
    _check(wanted, path, url, promised)
    return path


def _check(wanted: HubFile, path: Path, url: str, promised: str | None) -> None:
    """Raises DownloadError unless the content is what is pinned, or else what was noted or announced first."""
    found = sha256_of(path)
    if wanted.sha256 is not None:
        if found != wanted.sha256:
            raise DownloadError(
                f"{path} has SHA-256 {found}, but {wanted.file} is pinned to {wanted.sha256}: the hub, or something "
                "on the way, gave another file. Remove it and try another network."
            )
        return
    if promised is not None and found != promised:
        raise DownloadError(f"{path} is not the file that {url} announced (SHA-256 {promised}): remove it.")
    note, key = cache_folder() / "baselines" / "hub.json", f"{wanted.repository}/{wanted.file}@{wanted.revision}"
    try:
        known = read_json(note) if note.exists() else {}
    except InputError as error:
        raise DownloadError(
            f"{error} It holds the checksums of earlier downloads: restore it, or remove it."
        ) from error
    if not isinstance(known, dict):
        raise DownloadError(f"{note} does not hold checksums by file: restore it, or remove it.")
    if known.setdefault(key, found) != found:
        raise DownloadError(
            f"{path} has SHA-256 {found}, the first download of this very revision had {known[key]} (noted in {note}): "
            "one of the two is not the published file. Remove both and fetch it over another network."
        )
    note.parent.mkdir(parents=True, exist_ok=True)
    write_json(note, known)
