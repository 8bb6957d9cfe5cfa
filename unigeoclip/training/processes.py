"""Several processes that train one model, as torchrun starts them; one alone is the same with nothing to exchange.

Each process renders and encodes its share of a batch (`sampler.Share`), the loss gathers the embeddings of all of them,
and the gradients are averaged once all are there. That is one exchange a step and not, as in DistributedDataParallel,
one that overlaps the backward pass: it works alike for `gradients.backward`, which goes through the encoders twice, and
for encoders that have no gradient because nobody in the batch has their modality, and beside a contrastive batch of
thousands it takes a hundredth of a step.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.distributed as dist
from torch import Tensor
from tqdm import tqdm

from unigeoclip.devices import chosen_device
from unigeoclip.errors import InputError
from unigeoclip.training.sampling.sampler import Share

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Processes", "joined"]

_BUCKET = 2**24  # numbers that are exchanged at once


@dataclass(frozen=True)
class Processes:
    """This process among those of a training.

    Attributes:
        device: Where it computes.
        rank: Its number.
        count: How many there are.
    """

    device: torch.device
    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the one that writes files and shows progress."""
        return self.rank == 0

    def share(self, batch: int) -> Share:
        """Its share of a batch.

        Raises:
            InputError: The batch cannot be shared equally.
        """
        if batch % self.count:
            raise InputError(
                f"A batch of {batch} places cannot be shared equally among {self.count} processes: start a number of "
                "processes that divides it."
            )
        return Share(self.rank, self.count)

    def say(self, text: str) -> None:
        """Write a line to stderr, once and not from every process."""
        if self.first:
            tqdm.write(text, file=sys.stderr)

    def wait(self) -> None:
        """Wait for all the others."""
        if self.count > 1:
            dist.barrier()

    def any(self, here: bool) -> bool:
        """Whether something is so in one process at least; asked by all of them at once."""
        if self.count == 1:
            return here
        flag = torch.tensor(float(here), device=self.device)
        dist.all_reduce(flag, dist.ReduceOp.MAX)
        return bool(flag)

    def mean(self, value: float) -> float:
        """The mean of a number over all processes."""
        if self.count == 1:
            return value
        total = torch.tensor(value, dtype=torch.float64, device=self.device)
        dist.all_reduce(total)
        return float(total) / self.count

    def average_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Replace the gradients by their means over all processes; what has none in any process is left without."""
        if self.count == 1:
            return
        learning = [each for each in parameters if each.requires_grad]
        having = torch.tensor([float(each.grad is not None) for each in learning], device=self.device)
        dist.all_reduce(having, dist.ReduceOp.MAX)
        for bucket in _buckets([each for each, some in zip(learning, having.tolist(), strict=True) if some]):
            gradients = [torch.zeros_like(each) if each.grad is None else each.grad for each in bucket]
            together = torch.cat([each.flatten() for each in gradients])
            dist.all_reduce(together)
            means = torch.split(together / self.count, [each.numel() for each in bucket])
            for each, gradient, mean in zip(bucket, gradients, means, strict=True):
                each.grad = gradient.copy_(mean.view_as(gradient))

    def leave(self) -> None:
        """End the exchange, when all have come so far: what follows is for one process."""
        if self.count > 1:
            dist.barrier()
            dist.destroy_process_group()


def _buckets(parameters: list[Tensor]) -> Iterator[list[Tensor]]:
    """Parameters in groups of one type and of some `_BUCKET` numbers, in the same order everywhere."""
    bucket: list[Tensor] = []
    for each in parameters:
        if bucket and (each.dtype != bucket[0].dtype or sum(map(Tensor.numel, bucket)) + each.numel() > _BUCKET):
            yield bucket
            bucket = []
        bucket.append(each)
    if bucket:
        yield bucket


@contextmanager
def joined(device: str | None = None) -> Iterator[Processes]:
    """Join the processes that torchrun has started, or be one alone.

    Args:
        device: See `devices.chosen_device`; of several processes on one machine each takes its own GPU.

    Raises:
        InputError: No such device.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Processes(chosen_device(device))
        return
    here = chosen_device(device)
    if here.type == "cuda":
        here = chosen_device(f"cuda:{os.environ.get('LOCAL_RANK', '0')}")
        torch.cuda.set_device(here)
    dist.init_process_group("nccl" if here.type == "cuda" else "gloo")
    try:
        yield Processes(here, dist.get_rank(), count)
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()
