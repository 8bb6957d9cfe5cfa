"""The gradient of the contrastive loss of a batch, whole or encoder by encoder in small parts.

Every place is contrasted with every other, so that a batch cannot be cut in two. What needs memory are the activations
of the encoders, though, and not the loss: with `GradCache`_ the embeddings of the batch are computed part by part
without keeping activations, the loss gives the gradient at each embedding, and then the parts are computed again, one
at a time, to carry it into the weights. It costs a second pass, and the result is that of the whole batch.

.. _GradCache: Gao et al., Scaling deep contrastive learning batch size under memory limited setup, RepL4NLP 2021.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from unigeoclip.devices import autocast
from unigeoclip.modalities.street import StreetBatch
from unigeoclip.training.losses import all_to_all_loss

if TYPE_CHECKING:
    from unigeoclip.model import UniGeoCLIP
    from unigeoclip.training.configs import TrainConfig

__all__ = ["backward", "decay_groups", "descend", "presence"]


def backward(model: UniGeoCLIP, inputs: Mapping[str, Any], config: TrainConfig) -> float:
    """Add the gradient of the loss of a batch to the parameters of a model.

    Args:
        model: The model.
        inputs: Raw inputs of its modalities, or of two of them at least, and ``"present"``, see
            `sampler.PlaceSampler.batch`.
        config: Its ``micro_batch``, ``bf16``, ``pivot`` and ``weights`` count.

    Returns:
        The loss, which may not be finite.
    """
    prepared = model.prepare({name: inputs[name] for name in model.modalities if name in inputs})
    present = presence(inputs, prepared, model.log_scale.device)

    def encode(some: Mapping[str, Any]) -> dict[str, Tensor]:
        with autocast(model.log_scale.device, config.bf16):
            return model(some)  # type: ignore[no-any-return]

    def loss_of(embeddings: Mapping[str, Tensor]) -> Tensor:
        return all_to_all_loss(embeddings, model.pair_log_scale, present, config.pivot, config.weights)

    size = len(next(iter(prepared.values())))
    if not config.micro_batch or config.micro_batch >= size:
        loss = loss_of(encode(prepared))
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.item()
    starts = range(0, size, config.micro_batch)
    parts = [{name: value[start : start + config.micro_batch] for name, value in prepared.items()} for start in starts]
    return _cached(parts, encode, loss_of)


def decay_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Of what learns, matrices decay; biases, norms, registers and the temperature do not."""
    learning = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    matrices = [p for name, p in learning if p.ndim >= 2 and "registers" not in name]
    rest = [p for name, p in learning if p.ndim < 2 or "registers" in name]
    return [{"params": matrices, "weight_decay": weight_decay}, {"params": rest, "weight_decay": 0.0}]


def descend(optimizer: torch.optim.Optimizer, loss: Tensor, encoder: nn.Module, rate: float, clip_norm: float) -> None:
    """One step of an encoder that learns alone; the gradient is cut to a norm of ``clip_norm``."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(encoder.parameters(), clip_norm)
    optimizer.step()


def presence(inputs: Mapping[str, Any], prepared: Mapping[str, Any], device: torch.device) -> dict[str, Tensor]:
    """Which rows have a modality, where some lack it: what a batch says, and spots without a street view.

    Args:
        inputs: A batch, see `sampler.PlaceSampler.batch`.
        prepared: What the model made of its modalities.
        device: Of the model.

    Returns:
        Modality -> (n,) truth values.
    """
    present = {name: here.to(device) for name, here in inputs.get("present", {}).items() if name in prepared}
    for name, value in prepared.items():
        if isinstance(value, StreetBatch):
            seen = value.lengths > 0
            present[name] = seen & present[name] if name in present else seen
    return present


def _cached(
    parts: list[dict[str, Any]],
    encode: Callable[[Mapping[str, Any]], dict[str, Tensor]],
    loss_of: Callable[[Mapping[str, Tensor]], Tensor],
) -> float:
    """The same from parts of a batch, of which one at a time keeps its activations."""
    with torch.no_grad():
        pieces = [encode(part) for part in parts]
    whole = {name: torch.cat([piece[name] for piece in pieces]).requires_grad_() for name in pieces[0]}
    loss = loss_of(whole)
    loss.backward()  # type: ignore[no-untyped-call]
    start = 0
    for part, piece in zip(parts, pieces, strict=True):
        stop = start + len(next(iter(piece.values())))
        # A modality that nobody in the batch has next to another has no gradient.
        gradients = {name: value.grad[start:stop] for name, value in whole.items() if value.grad is not None}
        again = encode(part)
        torch.autograd.backward([again[name] for name in gradients], list(gradients.values()))
        start = stop
    return loss.item()
