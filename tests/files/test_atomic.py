"""Writing whole or not at all, reading up to a limit."""

import errno
import os
from pathlib import Path

import pytest

from unigeoclip.errors import AtlasError, InputError
from unigeoclip.files.atomic import atomic, is_leftover, owner_of_temporary, read_bytes, reason, write_bytes


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_whole(tmp_path):
    with atomic(tmp_path / "a.bin") as temporary:
        temporary.write_bytes(b"whole")
        assert not (tmp_path / "a.bin").exists()
        assert owner_of_temporary(temporary.name) == os.getpid()
    assert (tmp_path / "a.bin").read_bytes() == b"whole"
    assert names(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("failure", [ValueError("no"), KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left")])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, failure):
    write_bytes(tmp_path / "a.bin", b"old")
    expected = InputError if isinstance(failure, OSError) else type(failure)

    def write():
        with atomic(tmp_path / "a.bin", durable=True) as temporary:
            temporary.write_bytes(b"half")
            raise failure

    with pytest.raises(expected):
        write()
    assert (tmp_path / "a.bin").read_bytes() == b"old"
    assert names(tmp_path) == ["a.bin"]


def test_processes_of_one_number_in_two_containers_do_not_meet(tmp_path, monkeypatch):
    """Both write the same file of a shared folder at the same time, each as process 7."""
    monkeypatch.setattr(os, "getpid", lambda: 7)
    with atomic(tmp_path / "a.bin") as ours, atomic(tmp_path / "a.bin") as theirs:
        assert ours != theirs
        theirs.write_bytes(b"theirs")
        ours.write_bytes(b"ours")
    assert (tmp_path / "a.bin").read_bytes() == b"ours"
    assert names(tmp_path) == ["a.bin"]


@pytest.mark.skipif(os.name == "nt", reason="has no such locks")
def test_what_a_process_of_another_container_writes_is_no_leftover(tmp_path, monkeypatch):
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(os, "getpid", lambda: 2**30)  # no process of this machine
        with atomic(tmp_path / "a.bin") as temporary:
            temporary.write_bytes(b"half")
            assert not is_leftover(temporary)
    temporary.write_bytes(b"half")  # as after kill -9, which closes what was open
    assert is_leftover(temporary)


def test_a_full_disk_is_said_with_the_reason_and_the_remedy(tmp_path, monkeypatch):
    def full(self, data):
        self.open("wb").close()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(AtlasError, match=r"a\.bin cannot be written: No space left on device\. Make room\."):
        write_bytes(tmp_path / "a.bin", b"x", error=AtlasError, remedy="Make room.")
    assert names(tmp_path) == []


def test_a_directory_in_the_way(tmp_path):
    (tmp_path / "a.bin").mkdir()
    with pytest.raises(InputError, match=r"a\.bin cannot be written: Is a directory"):
        write_bytes(tmp_path / "a.bin", b"x")
    assert names(tmp_path) == ["a.bin"]


def test_an_error_of_a_library_counts_where_it_is_named(tmp_path):
    with (
        pytest.raises(InputError, match="cannot be written: disk trouble"),
        atomic(tmp_path / "a", failures=(RuntimeError,)),
    ):
        raise RuntimeError("disk trouble\nsecond line")
    assert names(tmp_path) == []


def test_the_longest_names_work_and_longer_ones_are_refused(tmp_path):
    write_bytes(tmp_path / ("é" * 127), b"x")  # 254 bytes
    assert len(names(tmp_path)) == 1
    with pytest.raises(InputError, match="File name too long"):
        write_bytes(tmp_path / ("a" * 256), b"x")
    with pytest.raises(InputError, match="cannot be written"):
        write_bytes("/", b"x")
    assert len(names(tmp_path)) == 1


def test_permissions_are_those_of_any_new_file(tmp_path):
    (tmp_path / "plain").write_bytes(b"")
    with atomic(tmp_path / "a") as temporary:
        temporary.unlink()
        os.close(os.open(temporary, os.O_CREAT | os.O_WRONLY, 0o600))  # as safetensors does
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_reading_stops_at_the_limit(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    assert read_bytes(tmp_path / "a", 5) == b"12345"
    with pytest.raises(InputError, match="larger than the 4 bytes"):
        read_bytes(tmp_path / "a", 4)
    with pytest.raises(AtlasError, match="does not exist"):
        read_bytes(tmp_path / "missing", 5, error=AtlasError)


def test_only_regular_files_are_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/zero", tmp_path / "pipe", tmp_path):
        with pytest.raises(InputError, match="no regular file"):
            read_bytes(path, 100)
    with pytest.raises(InputError):
        read_bytes("a\0b", 100)


@pytest.mark.parametrize(
    ("name", "process"),
    [(".0123456789abcdef.17.0.tmp", 17), (".grid.npy.17.tmp", 17), (".land.17.tmp.tif", 17), ("17.tmp", None),
     ("grid.npy", None), (".hidden", None)],
)  # fmt: skip
def test_temporary_names_tell_their_process(name, process):
    assert owner_of_temporary(name) == process


def test_reasons_are_never_empty():
    assert reason(OSError()) == "OSError"
    assert reason(OSError(errno.ENOSPC, "No space left on device")) == "No space left on device"
    assert reason(ValueError("first.\nsecond")) == "first"


@pytest.mark.parametrize("links", [True, False])
def test_a_new_file_never_replaces_another(tmp_path, monkeypatch, links):
    if not links:  # as on exFAT

        def refuse(*_):
            raise PermissionError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "link", refuse)
    write_bytes(tmp_path / "a.bin", b"first", new=True)
    with pytest.raises(FileExistsError):
        write_bytes(tmp_path / "a.bin", b"second", new=True)
    assert (tmp_path / "a.bin").read_bytes() == b"first"
    assert names(tmp_path) == ["a.bin"]
