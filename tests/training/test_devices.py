"""Which device computes, in which precision, and that a training and queries work on another than the processor."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from unigeoclip import devices
from unigeoclip.errors import InputError

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_all_of_it_works_on_another_device():
    # In a process of its own: PyTorch must know a device before the first backward pass.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/training/on_another_device.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("....")


def test_what_is_no_device_is_refused(monkeypatch):
    for name in ("tpu", "cuda:x", "cpu:1", "auto:0"):
        with pytest.raises(InputError, match="Unknown device"):
            devices.chosen_device(name)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="no device cuda"):
        devices.chosen_device("cuda")
    assert devices.chosen_device("cpu") == torch.device("cpu")
    with devices.using_device("cpu"):
        assert devices.chosen_device() == torch.device("cpu")
    monkeypatch.setenv(devices.VARIABLE, "nowhere")
    with pytest.raises(InputError, match="nowhere"):
        devices.chosen_device()


@pytest.mark.parametrize(("can", "expected"), [({"avx512_f": True}, False), ({"avx512_bf16": True}, True)])
def test_bfloat16_is_used_where_the_processor_multiplies_it(monkeypatch, can, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: can)
    assert devices.computes_bf16(torch.device("cpu")) is expected
    with devices.autocast(torch.device("cpu"), wanted=True):
        assert torch.is_autocast_enabled("cpu") is expected
    with devices.autocast(torch.device("cpu"), wanted=False):
        assert not torch.is_autocast_enabled("cpu")
