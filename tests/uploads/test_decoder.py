"""The process that decodes files of strangers: its limits, its death, its queue."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from tests.attacks import hostile_files as hostile
from unigeoclip.errors import InputError
from unigeoclip.uploads import decoder as decoding
from unigeoclip.uploads import read_picture, read_surface, worker
from unigeoclip.uploads.decoder import Decoder

pytest.importorskip("resource", reason="there are no limits on this platform, and no process")

SIZE = (48, 32)
PICTURE = hostile.saved(hostile.noise(64), "PNG")
HEIGHTS = hostile.numpy_heights(hostile.ramp(64))
LARGE = hostile.saved(hostile.noise(1).resize((6_000, 6_000)), "PNG", compress_level=1)  # 108 MB decoded
GENEROUS_S = 60


@pytest.fixture
def decoder():
    made = Decoder()
    yield made
    made.close()


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return (
        Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        if Path("/proc/self").exists()
        else True
    )


def wait_until(reached, seconds=GENEROUS_S):
    until = time.monotonic() + seconds
    while not reached() and time.monotonic() < until:
        time.sleep(0.05)
    return reached()


def test_the_process_answers_as_the_functions_do(decoder):
    for kind, data, expected in (
        ("aerial", PICTURE, read_picture(PICTURE, *SIZE)),
        ("surface", HEIGHTS, read_surface(HEIGHTS, SIZE[0])),
    ):
        decoded = decoder.read(kind, data, SIZE)
        np.testing.assert_array_equal(decoded.array, expected.array)
        assert decoded.array.dtype == expected.array.dtype
        assert decoded.array.flags.writeable
        assert decoded.notes == expected.notes
    pid = decoder.pid
    assert decoder.guess(HEIGHTS, ("aerial", "surface")) == "surface"
    assert decoder.guess(PICTURE, ("aerial", "surface")) == "aerial"
    with pytest.raises(InputError, match="not a picture that can be read"):
        decoder.read("aerial", b"no picture", SIZE)
    assert decoder.pid == pid  # kept


def test_the_process_knows_neither_torch_nor_streamlit():
    code = "import sys, unigeoclip.uploads.worker; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert "unigeoclip.uploads.worker" in loaded
    assert not {"torch", "streamlit", "pandas"} & set(loaded)


def test_the_whole_answer_is_for_files_of_strangers(monkeypatch):
    asked = []
    monkeypatch.setattr(Decoder, "read", lambda self, kind, data, size: asked.append((kind, data, size)))
    monkeypatch.setattr(Decoder, "guess", lambda self, data, known: known[1])
    decoding.read_upload("aerial", PICTURE, SIZE)
    assert asked == [("aerial", PICTURE, SIZE)]
    assert decoding.guess_modality(PICTURE, ("a", "b")) == "b"
    with pytest.raises(InputError, match="empty"):
        decoding.read_upload("aerial", b"", SIZE)
    assert len(asked) == 1  # what is too small or too large is not sent anywhere


def test_more_memory_than_allowed_is_a_refusal_and_the_next_file_is_decoded():
    decoder = Decoder(memory_bytes=60_000_000)
    with pytest.raises(InputError, match="60 MB"):
        decoder.read("aerial", LARGE, SIZE)
    assert decoder.pid is None  # a process that ran out of memory is not asked again
    assert decoder.read("aerial", PICTURE, SIZE).array.shape == (3, 32, 48)
    decoder.close()


def test_memory_that_the_headers_do_not_announce_is_limited(monkeypatch, decoder):
    """Without the checks of the headers, the tile of 17 GB is refused by the kernel, in that process alone."""
    code = (
        "from unigeoclip.uploads import headers, heights, pictures, worker\n"
        "headers._check_tiff = lambda data: None\n"
        "heights.MAX_BLOCK_PX = 1 << 62\n"
        "worker.main()\n"
    )
    real = subprocess.Popen
    monkeypatch.setattr(
        decoding.subprocess,
        "Popen",
        lambda command, **options: real([command[0], "-c", code, *command[-2:]], **options),
    )
    with pytest.raises(InputError, match=r"damaged or cut short|memory"):
        decoder.read("surface", hostile.tiled_tiff(65_536), SIZE)
    status = Path(f"/proc/{decoder.pid}/status")
    if decoder.pid is not None and status.exists():
        assert int(status.read_text().split("VmPeak:")[1].split()[0]) < 3_000_000


def test_a_file_that_takes_too_long_is_given_up():
    decoder = Decoder(patience_s=0.001)
    with pytest.raises(InputError, match="could not be decoded within"):
        decoder.read("aerial", LARGE, SIZE)
    decoder.close()


def test_processor_time_is_limited(monkeypatch):
    code = (
        "from unigeoclip.uploads import worker\n"
        "def forever(*arguments):\n    while True: pass\n"
        "worker.read = forever\nworker.main()\n"
    )
    real = subprocess.Popen
    monkeypatch.setattr(
        decoding.subprocess,
        "Popen",
        lambda command, **options: real([command[0], "-c", code, *command[-2:]], **options),
    )
    decoder = Decoder(seconds=1, patience_s=GENEROUS_S)
    with pytest.raises(InputError, match="within 1 s"):
        decoder.read("aerial", PICTURE, SIZE)
    decoder.close()


def test_a_process_that_was_killed_is_replaced(decoder):
    decoder.guess(PICTURE, ("aerial",))
    first = decoder.pid
    os.kill(first, signal.SIGKILL)
    assert wait_until(lambda: not alive(first))
    assert decoder.read("aerial", PICTURE, SIZE).array.shape == (3, 32, 48)
    assert decoder.pid != first


def test_a_process_that_dies_over_a_file_is_a_refusal(decoder):
    decoder.guess(PICTURE, ("aerial",))
    os.kill(decoder.pid, signal.SIGSTOP)  # it does not answer until it is killed
    threading.Timer(0.3, os.kill, (decoder.pid, signal.SIGKILL)).start()
    with pytest.raises(InputError, match="its decoder ended"):
        decoder.read("aerial", PICTURE, SIZE)
    assert decoder.read("aerial", PICTURE, SIZE).array.shape == (3, 32, 48)


def test_a_process_is_replaced_after_many_files(monkeypatch, decoder):
    monkeypatch.setattr(decoding, "MAX_FILES", 2)
    pids = []
    for _ in range(4):
        decoder.guess(PICTURE, ("aerial",))
        pids.append(decoder.pid)
    assert [pid is None for pid in pids] == [False, True, False, True]


def test_one_file_at_a_time_and_the_others_wait_or_are_told():
    decoder = Decoder(patience_s=0.2)
    with decoder.turn_of(b""), pytest.raises(InputError, match="had no turn within"):
        decoder.read("aerial", PICTURE, SIZE)
    decoder.close()
    patient, answers = Decoder(), []
    threads = [threading.Thread(target=lambda: answers.append(patient.read("aerial", PICTURE, SIZE))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(GENEROUS_S)
    assert len(answers) == 6
    patient.close()


def test_no_process_outlives_the_one_that_started_it():
    code = (
        "import os, signal, sys\n"
        "from unigeoclip.uploads.decoder import _decoder, guess_modality\n"
        "guess_modality(b'x', ['aerial'])\n"
        "print(_decoder().pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL
    pid = int(done.stdout)
    assert wait_until(lambda: not alive(pid))


def test_without_a_process_files_are_decoded_here_after_the_same_checks(monkeypatch, decoder, caplog):
    def fail(*_arguments, **_options):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(decoding.subprocess, "Popen", fail)
    assert decoder.read("aerial", PICTURE, SIZE).array.shape == (3, 32, 48)
    assert decoder.guess(HEIGHTS, ("aerial", "surface")) == "surface"
    with pytest.raises(InputError, match="tiles of 65,536"):
        decoder.read("surface", hostile.tiled_tiff(65_536), SIZE)
    assert decoder.pid is None
    assert "without a limit" in caplog.text


def test_a_machine_without_memory_is_no_reason_to_decode_here(monkeypatch, decoder):
    def fail(*_arguments, **_options):
        raise OSError(decoding.errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setattr(decoding.subprocess, "Popen", fail)
    with pytest.raises(InputError, match="too busy"):
        decoder.read("aerial", PICTURE, SIZE)


def test_answers_that_are_not_what_was_asked_for_are_not_believed(monkeypatch, decoder):
    real = subprocess.Popen
    lie = 'import sys; sys.stdout.write(\'{"ready": 1, "bytes": 0}\\n{"bytes": 99999999999}\\n\')'
    monkeypatch.setattr(
        decoding.subprocess, "Popen", lambda command, **options: real([command[0], "-c", lie], **options)
    )
    with pytest.raises(InputError, match="could not be decoded"):
        decoder.read("aerial", PICTURE, SIZE)


def test_the_worker_refuses_in_the_words_of_the_functions():
    message, content = worker._answer({"read": "surface", "size": SIZE}, b"lat,lon\n")
    assert "no heights that can be read" in message["error"]
    assert not message["memory"]
    assert content == b""
