"""All-to-all InfoNCE against a loop written out by hand, with missing modalities, and across processes."""

import math

import pytest
import torch
import torch.multiprocessing as mp
import torch.nn.functional as F

from unigeoclip.errors import InputError
from unigeoclip.training.losses import all_to_all_loss, ordered_pairs

NAMES = ("location", "aerial", "surface", "text")


def batch(count=8, dim=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return {name: F.normalize(torch.randn(count, dim, generator=generator), dim=1) for name in NAMES}


def presence(count=8):
    generator = torch.Generator().manual_seed(7)
    masks = {name: torch.rand(count, generator=generator) > 0.4 for name in NAMES}
    masks["location"][:] = True
    return masks


def by_hand(embeddings, scale, present, pairs):
    losses = []
    for a, b in pairs:
        terms = []
        for i in range(len(embeddings[a])):
            if present[a][i] and present[b][i]:
                keys = [j for j in range(len(embeddings[b])) if present[b][j]]
                scores = [math.exp(scale * float(embeddings[a][i] @ embeddings[b][j])) for j in keys]
                terms.append(-math.log(scores[keys.index(i)] / sum(scores)))
        if terms:
            losses.append(sum(terms) / len(terms))
    return sum(losses) / len(losses)


def test_pairs():
    assert len(ordered_pairs(NAMES)) == 12
    assert len(ordered_pairs(NAMES, "aerial")) == 6
    with pytest.raises(InputError, match="pivot 'street'"):
        ordered_pairs(NAMES, "street")
    with pytest.raises(InputError, match="two or more"):
        ordered_pairs(["aerial"])


@pytest.mark.parametrize("pivot", [None, "aerial"])
@pytest.mark.parametrize("missing", [False, True])
def test_equals_the_definition(pivot, missing):
    embeddings, log_scale = batch(), torch.tensor(math.log(9.0))
    masks = presence() if missing else {name: torch.ones(8, dtype=torch.bool) for name in NAMES}
    loss = all_to_all_loss(embeddings, log_scale, masks, pivot)
    assert loss.item() == pytest.approx(by_hand(embeddings, 9.0, masks, ordered_pairs(NAMES, pivot)), rel=1e-5)


def test_a_missing_modality_is_neither_positive_nor_negative():
    embeddings, masks = batch(), presence()
    for name in NAMES:
        embeddings[name].requires_grad_()
    all_to_all_loss(embeddings, torch.tensor(2.0), masks).backward()
    for name in NAMES:
        assert (embeddings[name].grad[~masks[name]] == 0).all()
        assert (embeddings[name].grad[masks[name]] != 0).any()


def test_scale_is_clamped_at_100():
    embeddings = batch()
    at_limit = all_to_all_loss(embeddings, torch.tensor(math.log(100.0)))
    assert torch.equal(all_to_all_loss(embeddings, torch.tensor(9.0)), at_limit)


def test_nothing_to_contrast():
    masks = {name: torch.zeros(8, dtype=torch.bool) for name in NAMES}
    with pytest.raises(InputError, match="two modalities"):
        all_to_all_loss(batch(), torch.tensor(1.0), masks)


def _process(rank, world, port, weights, results):
    import torch.distributed as dist

    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=world)
    embeddings, masks, share = batch(), presence(), slice(rank * 4, rank * 4 + 4)
    layer = torch.nn.Linear(6, 6, bias=False)
    layer.weight.data = weights.clone()
    log_scale = torch.nn.Parameter(torch.tensor(2.0))
    local = {name: F.normalize(layer(value[share]), dim=1) for name, value in embeddings.items()}
    loss = all_to_all_loss(local, log_scale, {name: mask[share] for name, mask in masks.items()})
    loss.backward()
    for value in (loss := loss.detach(), layer.weight.grad, log_scale.grad):
        dist.all_reduce(value)  # what DistributedDataParallel does: the mean over processes
        value /= world
    results[rank] = (loss.item(), layer.weight.grad.tolist(), log_scale.grad.item())
    dist.destroy_process_group()


def test_two_processes_equal_one_on_the_joint_batch():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    weights = torch.randn(6, 6, generator=torch.Generator().manual_seed(3))
    results = mp.get_context("spawn").Manager().dict()
    mp.spawn(_process, args=(2, port, weights, results), nprocs=2)

    layer = torch.nn.Linear(6, 6, bias=False)
    layer.weight.data = weights.clone()
    log_scale = torch.nn.Parameter(torch.tensor(2.0))
    joint = {name: F.normalize(layer(value), dim=1) for name, value in batch().items()}
    loss = all_to_all_loss(joint, log_scale, presence())
    loss.backward()
    for rank in range(2):
        value, gradient, scale_gradient = results[rank]
        assert value == pytest.approx(loss.item(), rel=1e-6)
        torch.testing.assert_close(torch.tensor(gradient), layer.weight.grad, atol=1e-6, rtol=1e-5)
        assert scale_gradient == pytest.approx(log_scale.grad.item(), rel=1e-5)


def test_weights_of_modalities_multiply_and_are_normalized():
    embeddings, log_scale = batch(), torch.tensor(math.log(9.0))
    present = {name: torch.ones(8, dtype=torch.bool) for name in NAMES}
    weights = {"text": 0.5, "location": 2.0}
    pairs = ordered_pairs(NAMES)
    of_pair = {pair: math.prod(weights.get(name, 1.0) for name in pair) for pair in pairs}
    wanted = sum(of_pair[pair] * by_hand(embeddings, 9.0, present, [pair]) for pair in pairs) / sum(of_pair.values())
    assert all_to_all_loss(embeddings, log_scale, weights=weights).item() == pytest.approx(wanted, rel=1e-5)


def test_each_pair_may_have_its_own_scale():
    embeddings = batch()
    present = {name: torch.ones(8, dtype=torch.bool) for name in NAMES}
    scales = {frozenset(pair): 3.0 + number for number, pair in enumerate(ordered_pairs(NAMES))}
    pairs = ordered_pairs(NAMES)
    wanted = sum(by_hand(embeddings, scales[frozenset(pair)], present, [pair]) for pair in pairs) / len(pairs)
    loss = all_to_all_loss(embeddings, lambda a, b: torch.tensor(scales[frozenset((a, b))]).log())
    assert loss.item() == pytest.approx(wanted, rel=1e-5)
