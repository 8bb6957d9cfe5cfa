"""Weights shared among processes (FSDP2), for transformers whose weights, gradients and moments outgrow one GPU.

Each process keeps a part of every matrix of the transformers and the moments that belong to it; the layers are put
together one by one while they compute. What is not a transformer is small and stays whole in every process. Checkpoints
hold whole tensors in the form of any other training, so that they are resumed by any number of processes, and without
shares.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.optim.swa_utils import get_ema_avg_fn

from unigeoclip.errors import InputError
from unigeoclip.model import UniGeoCLIP

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch.optim import Optimizer
    from torch.optim.swa_utils import AveragedModel

    from unigeoclip.model import ModelConfig
    from unigeoclip.training.processes import Processes

__all__ = ["Shards", "average_one_by_one", "check_shardable", "clip_gradients", "is_shared"]


def check_shardable(config: ModelConfig, processes: Processes) -> None:
    """Make sure, before anything is written, that there is something to share, and someone to share it with.

    Raises:
        InputError: One process alone, or a model without transformers in layers.
    """
    if processes.count == 1:
        raise InputError("--shard divides the weights among several processes: start them with torchrun.")
    with torch.device("meta"):
        model = UniGeoCLIP(config)
    if not _layered(model):
        raise InputError("--shard is for towers and vision transformers, such as those of the configuration base.")


def is_shared(tensor: Tensor) -> bool:
    """Whether each process has a part of a tensor."""
    return isinstance(tensor, DTensor)


def clip_gradients(parameters: Iterable[Tensor], most: float) -> None:
    """`clip_grad_norm_` of parameters of which some are shared, by the norm of all of them together."""
    gradients = [each.grad for each in parameters if each.grad is not None]
    apart = [[each for each in gradients if is_shared(each) == shared] for shared in (False, True)]
    norms = [_whole(nn.utils.get_total_norm(some)) for some in apart]
    factor = min(1.0, most / (float(torch.stack(norms).norm()) + 1e-6))
    for each in gradients:
        each.mul_(factor)


class Shards:
    """The weights of a training, shared among its processes from the first step to the last."""

    def __init__(self, model: UniGeoCLIP, averaged: AveragedModel | None, processes: Processes) -> None:
        """Share the weights, in place; optimizers that held them have to be made again, see `optimizer`.

        Args:
            model: The same in all processes, in main memory: a GPU never holds more than its own part and a layer.
            averaged: Its moving average, if there is one.
            processes: Two or more.
        """
        # For all that is not a step of the training: the first process evaluates and writes it while others wait.
        self.whole = copy.deepcopy(model) if processes.first else None
        self._first = processes.first
        mesh = init_device_mesh(processes.device.type, (processes.count,))
        for each in (model, *([] if averaged is None else [cast("UniGeoCLIP", averaged.module)])):
            for encoder in _layered(each):
                # FSDP refuses other strides than those of the shape.
                for parameter in encoder.parameters():
                    parameter.data = parameter.data.contiguous()
                for layer in cast("Any", encoder).layers:
                    fully_shard(layer, mesh=mesh, reshard_after_forward=True)
                fully_shard(encoder, mesh=mesh, reshard_after_forward=True)
            each.to(processes.device)

    def optimizer(self, groups: list[dict[str, Any]], before: Optimizer) -> Optimizer:
        """AdamW with the moments of another one, of the same parameters when they were whole.

        Args:
            groups: Parameters, shared, in the groups of ``before``.
            before: Of whole parameters.
        """
        state = before.state_dict()
        parameters = [each for group in groups for each in group["params"]]
        moments = {number: _shared_as(parameters[number], values) for number, values in state["state"].items()}
        # Operations on many tensors at once take no mixture of shared and whole ones.
        after = torch.optim.AdamW(groups, **{key: before.defaults[key] for key in ("lr", "betas")}, foreach=False)
        after.load_state_dict({"state": moments, "param_groups": _with_foreach(state["param_groups"], False)})
        return after

    def gathered(self, state: dict[str, Any]) -> dict[str, Any]:
        """A state with whole tensors, in main memory, in the first process; nothing in the others.

        All processes ask together.
        """
        whole = _gathered(state, keep=self._first)
        if self._first and "optimiser" in whole:
            whole["optimiser"]["param_groups"] = _with_foreach(whole["optimiser"]["param_groups"], None)
        return whole if self._first else {}


def average_one_by_one(averaged: AveragedModel, decay: float) -> None:
    """Make a moving average take shared weights, by operations on one tensor at a time."""
    averaged.multi_avg_fn, averaged.avg_fn = None, get_ema_avg_fn(decay)  # type: ignore[no-untyped-call]


def _shared_as(parameter: Tensor, values: dict[str, Tensor]) -> dict[str, Tensor]:
    """The moments of a parameter, shared as it is."""
    if not isinstance(parameter, DTensor):
        return values
    return {
        name: distribute_tensor(value, parameter.device_mesh, parameter.placements) if value.ndim else value
        for name, value in values.items()
    }


def _gathered(value: Any, *, keep: bool) -> Any:
    if isinstance(value, Tensor):
        whole = _whole(value.detach())
        return whole.cpu() if keep else None
    if isinstance(value, dict):
        return {name: _gathered(each, keep=keep) for name, each in value.items()}
    return value


def _with_foreach(groups: list[dict[str, Any]], foreach: bool | None) -> list[dict[str, Any]]:
    return [group | {"foreach": foreach} for group in groups]


def _layered(model: UniGeoCLIP) -> list[nn.Module]:
    return [encoder for encoder in model.encoders.values() if len(getattr(encoder, "layers", ()))]


def _whole(tensor: Tensor) -> Tensor:
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor
