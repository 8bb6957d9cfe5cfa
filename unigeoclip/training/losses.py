"""The contrastive loss: every modality against every other, no pivot (UniGeoCLIP, arXiv 2604.11668)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor

from unigeoclip.errors import InputError

MAX_SCALE = 100.0  # of the logits, as in CLIP: a temperature of 0.01


def ordered_pairs(names: Sequence[str], pivot: str | None = None) -> list[tuple[str, str]]:
    """All ordered pairs of different modalities, or only those that contain ``pivot``.

    Raises:
        InputError: Fewer than two modalities, or a pivot that is not among them.
    """
    if len(names) < 2:
        raise InputError(f"A contrastive loss needs two or more modalities; there is {', '.join(names) or 'none'}.")
    if pivot is not None and pivot not in names:
        raise InputError(f"The pivot {pivot!r} is not among the modalities {', '.join(names)}.")
    return [pair for pair in itertools.permutations(names, 2) if pivot is None or pivot in pair]


def all_to_all_loss(
    embeddings: Mapping[str, Tensor],
    log_scale: Tensor | Callable[[str, str], Tensor],
    present: Mapping[str, Tensor] | None = None,
    pivot: str | None = None,
    weights: Mapping[str, float] | None = None,
) -> Tensor:
    """Weighted mean of InfoNCE over ordered pairs of modalities.

    In each pair a row is a query if the place has both modalities; the keys are all places that have the second one. A
    missing modality is neither a positive nor a negative.

    Under torch.distributed the keys of all processes are gathered with gradients. Each process returns its own share
    times the number of processes, so that the mean over processes, which is what DistributedDataParallel takes of
    gradients, is the loss of the joint batch.

    Args:
        embeddings: Modality -> (n, dim) unit vectors, the same places in the same order.
        log_scale: () logarithm of the logit scale, clamped at log(100); or a function that gives it for two modalities.
        present: Modality -> (n,) bool; absent means all present.
        pivot: Name of the only modality that others are contrasted with; None for all-to-all.
        weights: Modality -> weight, 1 for those that are not named; a pair weighs the product of its two.

    Returns:
        () loss in nats.

    Raises:
        InputError: Fewer than two modalities, or no place at all has two of them.
    """
    pairs = ordered_pairs(list(embeddings), pivot)
    keys = {name: _gather(value) for name, value in embeddings.items()}
    here = {name: _mask(name, value, present) for name, value in embeddings.items()}
    everywhere = {name: _gather(mask.float()).bool() for name, mask in here.items()}
    processes, offset = _world_size(), _rank() * len(next(iter(embeddings.values())))
    losses, total = [], 0.0
    for a, b in pairs:
        joint = int((everywhere[a] & everywhere[b]).sum())
        if not joint:
            continue
        rows = (here[a] & here[b]).nonzero().squeeze(1)
        scale = (log_scale if isinstance(log_scale, Tensor) else log_scale(a, b)).clamp(max=math.log(MAX_SCALE)).exp()
        logits = scale * embeddings[a][rows] @ keys[b].T  # (rows, n * processes)
        logits = logits.masked_fill(~everywhere[b], -torch.inf)
        weight = math.prod((weights or {}).get(name, 1.0) for name in (a, b))
        losses.append(F.cross_entropy(logits, rows + offset, reduction="sum") * (weight * processes / joint))
        total += weight
    if not losses:
        raise InputError("No place in the batch has two modalities: there is nothing to contrast.")
    return torch.stack(losses).sum() / total


def _mask(name: str, embedding: Tensor, present: Mapping[str, Tensor] | None) -> Tensor:
    if present is None or name not in present:
        return torch.ones(len(embedding), dtype=torch.bool, device=embedding.device)
    return present[name]


def _world_size() -> int:
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def _rank() -> int:
    return dist.get_rank() if dist.is_available() and dist.is_initialized() else 0


def _gather(local: Tensor) -> Tensor:
    """Rows of all processes, in the order of ranks; every process must bring the same number of rows."""
    if _world_size() == 1:
        return local
    from torch.distributed.nn.functional import all_gather  # with gradients; slow to import

    return torch.cat(all_gather(local.contiguous()))  # type: ignore[no-untyped-call]
