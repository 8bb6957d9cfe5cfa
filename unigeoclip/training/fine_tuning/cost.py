"""What one step of a training costs at its true size: operations, memory and time, with random weights and inputs."""

from __future__ import annotations

import resource
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count

from unigeoclip.geo import random_on_sphere
from unigeoclip.modalities.street import StreetBatch
from unigeoclip.modalities.text import TextBatch
from unigeoclip.modalities.towers.text import TextTower
from unigeoclip.modalities.towers.tokens import EOS, words_tokenizer
from unigeoclip.model import UniGeoCLIP
from unigeoclip.sentences import SENTENCE_DIM
from unigeoclip.training.fine_tuning.rates import parameter_groups
from unigeoclip.training.fine_tuning.weights import prepare_towers
from unigeoclip.training.gradients import backward

if TYPE_CHECKING:
    from unigeoclip.training.configs import TrainConfig

__all__ = ["step_cost"]

VIEWS = 2  # street views a place, about as many as `StreetSampler` draws
SENTENCES = 8  # a place, for encoders of sentence vectors; for a text tower a text is one whole piece
_RELIEF_M = 100.0
_MB = 1e6


def step_cost(config: TrainConfig, places: int) -> dict[str, Any]:
    """Run one optimizer step on made-up inputs, in one part, on the GPU if there is one.

    Args:
        config: Any; its towers start at random.
        places: In the batch.

    Returns:
        Plain values: "device"; "places"; "weights", all and by encoder; "flops" of the step and "flops_per_place", two
        for each multiplication with its addition, of matrix products, convolutions and attention, backward pass and
        recomputation included; "forward_flops_per_place" by encoder; "seconds"; "peak_mb", of the GPU or else resident
        in this whole process.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(0)
    model = UniGeoCLIP(config.model)
    prepare_towers(model, config.fine_tuning)
    model.to(device).train()
    optimizer = torch.optim.AdamW(parameter_groups(model, config.fine_tuning, config.weight_decay), lr=1e-5)
    inputs = _inputs(model, places)
    started = time.monotonic()
    with FlopCounterMode(display=False, custom_mapping=_cpu_attention()) as counter:
        forward = _counting_forward(model, counter)
        # Processors without matrix units for bfloat16 emulate it slowly; the count is the same.
        backward(model, inputs, replace(config, micro_batch=0, bf16=config.bf16 and device.type == "cuda"))
    optimizer.step()
    if device.type == "cuda":
        torch.cuda.synchronize()
    seconds = time.monotonic() - started
    flops = counter.get_total_flops()
    return {
        "device": torch.cuda.get_device_name() if device.type == "cuda" else "CPU",
        "places": places,
        "weights": {"all": _count(model)} | {name: _count(each) for name, each in model.encoders.items()},
        "flops": flops,
        "flops_per_place": flops // places,
        "forward_flops_per_place": {name: count // places for name, count in forward.items()},
        "seconds": round(seconds, 2),
        "peak_mb": round(_peak_bytes(device) / _MB),
    }


def _counting_forward(model: UniGeoCLIP, counter: FlopCounterMode) -> dict[str, int]:
    """Operations of the forward pass of each encoder, filled in as they run."""
    found: dict[str, int] = {}
    for name, encoder in model.encoders.items():
        encoder.register_forward_pre_hook(lambda *_, name=name: found.update({name: -counter.get_total_flops()}))
        encoder.register_forward_hook(
            lambda *_, name=name: found.update({name: found[name] + counter.get_total_flops()})
        )
    return found


def _count(module: torch.nn.Module) -> int:
    return sum(each.numel() for each in module.parameters())


def _peak_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def _cpu_attention() -> dict[Any, Any]:
    """Formulas of attention on CPUs, which the counter of torch lacks."""
    name = "_scaled_dot_product_flash_attention_for_cpu"
    return {
        getattr(torch.ops.aten, name): lambda *shapes, **_: sdpa_flop_count(*shapes[:3]),  # type: ignore[no-untyped-call]
        getattr(torch.ops.aten, f"{name}_backward"): lambda *shapes, **_: sdpa_backward_flop_count(*shapes[:4]),  # type: ignore[no-untyped-call]
    }


def _inputs(model: UniGeoCLIP, places: int) -> dict[str, Any]:
    """Raw inputs of every modality of a model."""
    rng = np.random.default_rng(0)
    inputs: dict[str, Any] = {"location": random_on_sphere(places, rng)}
    if "aerial" in model.modalities:
        px = model.window_px("aerial")
        inputs["aerial"] = rng.integers(0, 256, (places, 3, px, px), np.uint8)
    if "surface" in model.modalities:
        px = model.window_px("surface")
        inputs["surface"] = rng.normal(0, _RELIEF_M, (places, 1, px, px)).astype(np.float32)
    if "street" in model.modalities:
        width, height = model.input_size("street")
        pictures = torch.from_numpy(rng.integers(0, 256, (places * VIEWS, 3, height, width), np.uint8))
        headings = torch.from_numpy(rng.uniform(0, 360, places * VIEWS).astype(np.float32))
        inputs["street"] = StreetBatch(pictures, headings, torch.full((places,), VIEWS))
    if "text" in model.modalities:
        inputs["text"] = _texts(model.encoders["text"], places, rng)
    return inputs


def _texts(encoder: Any, places: int, rng: np.random.Generator) -> TextBatch:
    if not isinstance(encoder, TextTower):
        vectors = rng.normal(size=(places * SENTENCES, SENTENCE_DIM)).astype(np.float32)
        return TextBatch(torch.from_numpy(vectors), torch.full((places,), SENTENCES))
    shape = encoder.config
    encoder.tokenizer = words_tokenizer(["word"], shape.vocabulary, shape.tokens)
    ids = rng.integers(EOS + 1, shape.vocabulary, (places, shape.tokens))
    ids[:, -1] = EOS
    return TextBatch(torch.from_numpy(ids), torch.ones(places, dtype=torch.int64))
