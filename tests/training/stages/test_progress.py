"""A stage goes on where it was kept, and only if it is the same stage."""

import numpy as np
import pytest
import torch

from unigeoclip.errors import CheckpointError
from unigeoclip.training.stages import progress
from unigeoclip.training.stages.progress import Kept


class EndedError(Exception):
    pass


@pytest.fixture(autouse=True)
def often(monkeypatch):
    monkeypatch.setattr(progress, "EVERY", 3)


def learned(path, count=8, seed=1, until=None, weights=0):
    """A line through noise, learned step by step; what was learned, the steps that were made, and the file."""
    torch.manual_seed(weights)
    line, made = torch.nn.Linear(2, 1), []
    optimizer = torch.optim.AdamW(line.parameters(), lr=0.1)
    kept = Kept(path)
    for step in kept.steps(count, seed, "Line", {"line": line, "optimizer": optimizer}):
        if step == until:
            raise EndedError
        made.append(step)
        points = torch.from_numpy(np.random.default_rng((seed, step)).normal(size=(4, 2))).float()
        optimizer.zero_grad()
        (line(points) - points.sum(1, keepdim=True)).square().mean().backward()
        optimizer.step()
    return line.state_dict(), made, kept


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def test_a_stage_that_goes_on_equals_an_unbroken_one(tmp_path):
    path = tmp_path / "stage.pt"
    whole, _, _ = learned(None)
    with pytest.raises(EndedError):
        learned(path, until=5)
    again, made, kept = learned(path)
    assert made == [3, 4, 5, 6, 7], "the last two steps before the end were not kept"
    assert same(whole, again)
    assert kept.earlier_s > 0
    done, made, _ = learned(path)
    assert made == []
    assert same(whole, done)


@pytest.mark.parametrize("other", [{"count": 9}, {"seed": 2}, {"weights": 3}])
def test_another_stage_starts_from_its_beginning(tmp_path, other):
    path = tmp_path / "stage.pt"
    learned(path)
    found, made, kept = learned(path, **other)
    assert made[0] == 0
    assert same(found, learned(None, **other)[0])
    assert kept.earlier_s == 0


def test_a_damaged_file_is_told(tmp_path):
    path = tmp_path / "stage.pt"
    learned(path)
    content = bytearray(path.read_bytes())
    third = len(content) // 3  # more than a byte: one may lie in the padding of the archive, where it does no harm
    content[third : 2 * third] = bytes(each ^ 0xFF for each in content[third : 2 * third])
    for damaged in (bytes(content), content[:100], b""):
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match="damaged.*Remove it"):
            learned(path)
    path.unlink()
    assert learned(path)[1] == list(range(8))


def test_nothing_is_written_without_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    learned(None)
    assert list(tmp_path.iterdir()) == []
