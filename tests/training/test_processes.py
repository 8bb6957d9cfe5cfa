"""Several processes train as one: the same weights, resumed by another number of them, after one was killed."""

import csv
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.training.test_loop import EVERYTHING, TINY
from unigeoclip.config import to_dict, write_json
from unigeoclip.errors import InputError
from unigeoclip.training.processes import Processes

ROOT = Path(__file__).parents[2]
STEPS = replace(TINY, steps=20, checkpoint_every=5, evaluate_every=20)
HARD = replace(STEPS, draws=EVERYTHING.draws, weights={"text": 0.5}, micro_batch=3, averaged=0.9)
# What each process runs: a training of a tiny atlas, whose weights of every step are not touched by what comes after.
PROGRAM = """
import os, signal, sys
from pathlib import Path
import pytest
import torch
from tests.explorable import use_hashed_sentences
from unigeoclip.atlas import load_atlas
from unigeoclip.config import from_dict, read_json
from unigeoclip.modalities import text
from unigeoclip.training import TrainConfig, loop
from unigeoclip.training.sharding import is_shared
torch.set_num_threads(1)
folder, out, killed_at = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
resume, shard, names = sys.argv[4] == "resume", sys.argv[5] == "shard", sys.argv[6:]
with pytest.MonkeyPatch.context() as patch:
    use_hashed_sentences(patch)
    patch.setattr(loop, "sentence_encoder", text.sentence_encoder)
    update = loop.Trainer.update
    def watched(self, inputs):
        if self.step == killed_at and self.processes.rank == self.processes.count - 1:
            os.kill(os.getpid(), signal.SIGKILL)
        print(f"step {self.step}", flush=True)
        assert any(map(is_shared, self.model.parameters())) == shard
        return update(self, inputs)
    patch.setattr(loop.Trainer, "update", watched)
    config = from_dict(TrainConfig, read_json(folder / "config.json"))
    atlases = [load_atlas(folder / name) for name in names]
    loop.train(atlases, config, out, resume=resume, brief=True, device="cpu", shard=shard)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from tests.atlas.tiny import write_flat_atlas, write_tiny_atlas

    path = tmp_path_factory.mktemp("processes")
    write_tiny_atlas(path / "tiny")
    write_flat_atlas(path / "flat")
    return path


def started(folder, out, processes, config, *, killed_at=-1, resume=False, shard=False, atlases=("tiny",)):
    write_json(folder / "config.json", to_dict(config))
    (folder / "program.py").write_text(PROGRAM)
    run = ["torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)] if processes > 1 else []
    arguments = [str(folder / "program.py"), str(folder), str(out), str(killed_at)]
    arguments += ["resume" if resume else "begin", "shard" if shard else "whole", *atlases]
    command = [sys.executable, *(["-m", *run] if run else []), *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=environment, cwd=ROOT, **pipes)


def trained(*args, **options):
    process = started(*args, **options)
    _, errors = process.communicate(timeout=300)
    return process.returncode, errors


def weights(out):
    """Of the last step, without the bias of keys: it changes no attention, so that its gradient is rounding alone."""
    state = torch.load(out / "checkpoint.pt", weights_only=True)["model"]
    for name, value in state.items():
        if name.endswith("qkv.bias"):
            value.view(3, -1)[1] = 0
    return state


def losses(out):
    with (out / "history.csv").open() as file:
        return {int(row["step"]): float(row["loss"]) for row in csv.DictReader(file)}


def assert_same(one, other, tolerance=1e-5):
    found = weights(other)
    for name, value in weights(one).items():
        torch.testing.assert_close(found[name], value, rtol=tolerance, atol=tolerance, msg=name)


@pytest.fixture(scope="module")
def whole(folder):
    """Twenty steps in one process."""
    code, errors = trained(folder, folder / "whole", 1, HARD)
    assert code == 0, errors
    return folder / "whole"


@pytest.mark.slow
def test_two_processes_equal_one_with_the_joint_batch(folder, whole):
    code, errors = trained(folder, folder / "two", 2, HARD)
    assert code == 0, errors
    assert_same(whole, folder / "two")
    assert losses(folder / "two") == pytest.approx(losses(whole), abs=1e-4)
    recorded = json.loads((folder / "two/model/metrics.json").read_text())
    assert recorded["training"]["machine"].startswith("2 processes, ")


@pytest.mark.slow
def test_after_one_of_two_was_killed_one_alone_goes_on_as_if_nothing_had_happened(folder, whole):
    out = folder / "killed"
    code, _ = trained(folder, out, 2, HARD, killed_at=13)
    assert code != 0
    assert torch.load(out / "checkpoint.pt", weights_only=True)["step"] == 10
    assert not (out / "model").exists()
    code, errors = trained(folder, out, 1, HARD, resume=True)
    assert code == 0, errors
    assert_same(whole, out)
    assert losses(out) == pytest.approx(losses(whole), abs=1e-4)


@pytest.mark.slow
def test_two_processes_equal_one_in_a_training_of_several_atlases(folder):
    for processes in (1, 2):
        code, errors = trained(folder, folder / f"several{processes}", processes, HARD, atlases=("tiny", "flat"))
        assert code == 0, errors
    assert_same(folder / "several1", folder / "several2")
    rows = [(folder / f"several{processes}/history.csv").read_text().splitlines() for processes in (1, 2)]
    named = [[row.split(",")[4] for row in some] for some in rows]
    assert named[0] == named[1]
    assert set(named[0]) <= {"atlas", "tiny", "flat"}


@pytest.mark.slow
def test_a_training_that_is_asked_to_end_saves_first(folder):
    out, config = folder / "ended", replace(STEPS, steps=100_000, checkpoint_every=100_000, evaluate_every=100_000)
    process = started(folder, out, 1, config)
    while "step 3" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGTERM
    assert "--resume goes on" in errors
    assert torch.load(out / "checkpoint.pt", weights_only=True)["step"] >= 3


def test_a_batch_that_cannot_be_shared_is_refused():
    with pytest.raises(InputError, match="batch of 16 places .* 3 processes"):
        Processes(torch.device("cpu"), 0, 3).share(16)
    assert Processes(torch.device("cpu"), 1, 2).share(16).rows == slice(1, None, 2)


def test_alone_there_is_nothing_to_exchange():
    alone = Processes(torch.device("cpu"))
    alone.wait()
    alone.leave()
    assert alone.first
    assert alone.mean(3.5) == 3.5
    assert alone.any(True)
    assert not alone.any(False)
