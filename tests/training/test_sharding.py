"""Weights shared among processes: the training is that of one process, and its checkpoints are those of any other."""

import json

import pytest
import torch

from tests import towers
from tests.training.test_processes import losses, trained
from unigeoclip.errors import InputError
from unigeoclip.model import load_model
from unigeoclip.training.processes import Processes
from unigeoclip.training.sharding import check_shardable, clip_gradients

pytestmark = pytest.mark.slow
# Two parts of a batch in each process, towers and a ViT, rates by layer, recomputed layers.
CONFIG = towers.tuned(
    towers.tiny("base", steps=12, micro_batch=3, averaged=0.5, evaluate_every=6, checkpoint_every=4), recompute=True
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    from tests.atlas.tiny import write_tiny_atlas

    path = tmp_path_factory.mktemp("sharding")
    write_tiny_atlas(path / "tiny")
    return path


@pytest.fixture(scope="module")
def whole(folder):
    code, errors = trained(folder, folder / "whole", 1, CONFIG)
    assert code == 0, errors
    return folder / "whole"


def without_keys(name, value):
    """A bias of keys changes no attention, so that its gradient is rounding alone."""
    if name.endswith("k_proj.bias"):
        return torch.zeros_like(value)
    if name.endswith(("qkv.bias", "in_proj_bias")):
        value = value.clone()
        value.view(3, -1)[1] = 0
    return value


def assert_same(one, other):
    a, b = (torch.load(out / "checkpoint.pt", weights_only=True) for out in (one, other))
    assert a["step"] == b["step"] == 12
    for part in ("model", "averaged"):
        assert list(a[part]) == list(b[part])
        for name, value in a[part].items():
            found, wanted = (without_keys(name, each) for each in (b[part][name], value))
            torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5, msg=f"{part} {name}")
    assert a["optimiser"]["state"].keys() == b["optimiser"]["state"].keys()
    assert a["optimiser"]["param_groups"] == b["optimiser"]["param_groups"]
    assert losses(one) == pytest.approx(losses(other), abs=1e-4)


def test_two_processes_that_share_the_weights_equal_one(folder, whole):
    code, errors = trained(folder, folder / "two", 2, CONFIG, shard=True)
    assert code == 0, errors
    assert_same(whole, folder / "two")
    assert json.loads((folder / "two/model/metrics.json").read_text())["training"]["machine"].startswith("2 processes")
    one, other = (load_model(out / "model").state_dict() for out in (whole, folder / "two"))
    for name, value in one.items():
        torch.testing.assert_close(
            without_keys(name, other[name]), without_keys(name, value), rtol=1e-4, atol=1e-4, msg=name
        )


def test_a_checkpoint_is_resumed_with_and_without_shares(folder, whole):
    out = folder / "killed"
    code, _ = trained(folder, out, 2, CONFIG, killed_at=6, shard=True)
    assert code != 0
    assert torch.load(out / "checkpoint.pt", weights_only=True)["step"] == 4
    code, _ = trained(folder, out, 1, CONFIG, killed_at=10, resume=True)
    assert code != 0
    assert torch.load(out / "checkpoint.pt", weights_only=True)["step"] == 8
    code, errors = trained(folder, out, 2, CONFIG, resume=True, shard=True)
    assert code == 0, errors
    assert_same(whole, out)


def test_what_cannot_be_shared_is_refused():
    alone, two = (Processes(torch.device("cpu"), 0, count) for count in (1, 2))
    with pytest.raises(InputError, match="start them with torchrun"):
        check_shardable(CONFIG.model, alone)
    with pytest.raises(InputError, match="for towers and vision transformers"):
        check_shardable(CONFIG.with_only(["location", "text"]).model.only(["location"]), two)
    check_shardable(CONFIG.model, two)


def test_gradients_are_clipped_as_by_torch():
    torch.manual_seed(0)
    for most in (0.5, 1e3):
        some, same = ([torch.nn.Parameter(torch.zeros(5)) for _ in range(3)] for _ in range(2))
        for a, b in zip(some[:2], same[:2], strict=True):
            a.grad = torch.randn(5)
            b.grad = a.grad.clone()
        clip_gradients(some, most)
        torch.nn.utils.clip_grad_norm_(same, most)
        for a, b in zip(some[:2], same[:2], strict=True):
            torch.testing.assert_close(a.grad, b.grad)
