"""Fetching a published file from the model hub, its size said first, checked against what the hub announced."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from unigeoclip.errors import DownloadError
from unigeoclip.files import sha256_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["fetch_from_hub"]


def fetch_from_hub(
    repository: str, file: str, say: Callable[[str], None], endpoint: str | None, remedy: str
) -> tuple[Path, str]:
    """Bring a file into the hub's own cache on this machine.

    Args:
        repository: Owner and name on the hub.
        file: In it.
        say: Called with what and how much is fetched, before it is.
        endpoint: Of the hub, in place of https://huggingface.co.
        remedy: What else a person can do, a sentence for the error's end.

    Returns:
        The file, and the revision it is of.

    Raises:
        DownloadError: The hub cannot be reached, or what came is not what it announced.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url

    url = hf_hub_url(repository, file, endpoint=endpoint)
    try:
        announced = get_hf_file_metadata(url)
        say(f"{file}: {(announced.size or 0) / 1e6:.0f} MB from {url}, MIT licence")
        revision = announced.commit_hash or "main"
        path = Path(hf_hub_download(repository, file, revision=revision, endpoint=endpoint))
    except Exception as error:  # whatever the hub's client and the network library below it raise
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DownloadError(f"{url} cannot be fetched ({why}). {remedy}") from error
    # Large files are named by their SHA-256 on the hub, so its own announcement is the checksum.
    if announced.etag and len(announced.etag) == 64 and sha256_of(path) != announced.etag:
        raise DownloadError(f"{path} is not the file that {url} announced (SHA-256 {announced.etag}): remove it.")
    return path, revision
