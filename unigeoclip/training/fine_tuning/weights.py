"""Towers at the start and the end of a training: filled, adapted or frozen, and whole again."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from unigeoclip.errors import CheckpointError, DownloadError, InputError
from unigeoclip.extras import needs_extra
from unigeoclip.modalities.towers.pictures import TowerEncoder
from unigeoclip.modalities.towers.pretrained import FILES, TOKENIZER, check_tower, read_tower
from unigeoclip.modalities.towers.text import TextTower
from unigeoclip.modalities.towers.tokens import read_tokenizer, words_tokenizer
from unigeoclip.model import UniGeoCLIP
from unigeoclip.pretrained import HUB_ID, fetched_folder
from unigeoclip.training.fine_tuning.options import FROZEN, LORA, RANDOM, FineTuning

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from unigeoclip.model import ModelConfig

__all__ = ["check_towers", "fill_towers", "merge_adapters", "prepare_towers", "started_model", "towers_of"]

_LORA_ALPHA = 2  # times the rank: adapters count double, as is usual
# Matrices of attention and MLPs, of SigLIP and DINOv2; the pooling head of SigLIP learns by its MLP.
_ADAPTED = r".*\.(q_proj|k_proj|v_proj|out_proj|o_proj|query|key|value|dense|fc1|fc2)"


def towers_of(model: UniGeoCLIP) -> dict[str, TowerEncoder]:
    """The encoders of a model that are pretrained towers, by modality."""
    return {name: encoder for name, encoder in model.encoders.items() if isinstance(encoder, TowerEncoder)}


def check_towers(config: ModelConfig, weights: dict[str, str], say: Callable[[str], None]) -> None:
    """Make sure, before anything is written, that every tower of a configuration can be filled.

    Args:
        config: Of the model.
        weights: See `FineTuning.weights`.
        say: Called with what is fetched from the hub before it is, and with which towers start at random.

    Raises:
        InputError: A tower has no entry, or an entry is of no tower.
        CheckpointError: A folder does not hold what the tower needs.
        DownloadError: The hub cannot be reached.
    """
    with torch.device("meta"):
        model = UniGeoCLIP(config)
    for name, folder in _folders(model, weights, say).items():
        if folder is None:
            say(f"The tower of {name} starts at random, without pretrained weights, as asked for by {RANDOM!r}.")


def fill_towers(model: UniGeoCLIP, weights: dict[str, str], texts: Callable[[], Sequence[str]]) -> None:
    """Read the weights of all towers of a model, in place.

    Args:
        model: With any encoders.
        weights: See `FineTuning.weights`.
        texts: What a text tower that starts at random finds its words in.

    Raises:
        UniGeoError: As `check_towers`; or a file of weights is damaged.
    """
    for name, folder in _folders(model, weights, None).items():
        tower = towers_of(model)[name]
        if folder is not None:
            read_tower(folder, tower.tower)
        if isinstance(tower, TextTower):
            vocabulary, tokens = tower.config.vocabulary, tower.config.tokens
            tower.tokenizer = (
                words_tokenizer(texts(), vocabulary, tokens) if folder is None else read_tokenizer(folder, tokens)
            )


def started_model(config: ModelConfig, options: FineTuning, texts: Callable[[], Sequence[str]]) -> UniGeoCLIP:
    """A model as a training begins with it: see `fill_towers`, then `prepare_towers`."""
    model = UniGeoCLIP(config)
    fill_towers(model, options.weights, texts)
    prepare_towers(model, options)
    return model


def _folders(model: UniGeoCLIP, weights: dict[str, str], say: Callable[[str], None] | None) -> dict[str, Path | None]:
    """Where the weights of each tower are, of the shape that it has; None for one that starts at random."""
    towers = towers_of(model)
    if lacking := [name for name in towers if name not in weights]:
        raise InputError(
            f"No weights are named for the tower of {lacking[0]}. Give --towers SOURCE: a folder or hub id such as "
            f"google/siglip2-base-patch16-224 or facebook/dinov2-base, or {RANDOM} to start without pretrained ones."
        )
    if unknown := [name for name in weights if name not in towers]:
        raise InputError(f"fine_tuning.weights names {unknown[0]!r}, which has no pretrained tower in this model.")
    found: dict[str, Path | None] = {}
    for name, tower in towers.items():
        is_text = isinstance(tower, TextTower)
        found[name] = folder = None if weights[name] == RANDOM else _folder(weights[name], is_text, say)
        if folder is not None:
            check_tower(folder, tower.tower)
            if is_text and not (folder / TOKENIZER).is_file():
                raise CheckpointError(
                    f"{folder} lacks {TOKENIZER}, which the text tower needs; it comes with the weights."
                )
    return found


def _folder(source: str, is_text: bool, say: Callable[[str], None] | None) -> Path:
    """The folder of a tower's files: the one named, or that in the hub's cache, where what is missing is fetched to."""
    from huggingface_hub import try_to_load_from_cache

    if Path(source).is_dir():
        return Path(source)
    if not HUB_ID.fullmatch(source):
        raise CheckpointError(
            f"{source} is neither a folder nor an id of the hub such as google/siglip2-base-patch16-224."
        )
    needed = (*FILES, TOKENIZER) if is_text else FILES
    kept = [try_to_load_from_cache(source, name) for name in needed]
    if all(isinstance(path, str) for path in kept):
        return Path(str(kept[0])).parent
    try:
        return fetched_folder(source, needed, what="pretrained tower", say=say)
    except DownloadError as error:
        raise DownloadError(f"{error} In a training: --towers FOLDER, or --towers {RANDOM}.") from error


def prepare_towers(model: UniGeoCLIP, options: FineTuning) -> None:
    """Freeze or adapt the towers of a model, and make transformers recompute, as a configuration says; in place.

    Raises:
        MissingPackageError: ``lora`` without the package peft.
    """
    for tower in towers_of(model).values():
        if options.mode == FROZEN:
            tower.tower.requires_grad_(False)
        elif options.mode == LORA:
            _adapt(tower.tower, options.lora_rank)
    if options.recompute:
        for encoder in model.encoders.values():
            for layer in getattr(encoder, "layers", ()):
                # On the instance and not by a wrapping module, so that names of weights stay as they are.
                layer.forward = functools.partial(checkpoint, layer.forward, use_reentrant=False)


def _adapt(tower: nn.Module, rank: int) -> None:
    """Add adapters to a tower and freeze all else of it."""
    with needs_extra("lora"):
        from peft import LoraConfig, inject_adapter_in_model
    names = [
        name for name, module in tower.named_modules()
        if isinstance(module, nn.Linear) and re.fullmatch(_ADAPTED, name) and not name.startswith("head.attention")
    ]  # fmt: skip
    inject_adapter_in_model(LoraConfig(r=rank, lora_alpha=_LORA_ALPHA * rank, target_modules=names), tower)


def merge_adapters(model: UniGeoCLIP) -> None:
    """Add what adapters have learned to the weights and remove them, in place: nothing needs peft to read the model."""
    adapted = [
        (module, name, child) for tower in towers_of(model).values() for module in tower.tower.modules()
        for name, child in module.named_children() if hasattr(child, "lora_A")
    ]  # fmt: skip
    for module, name, child in adapted:
        merging = cast("Any", child)
        merging.merge(safe_merge=True)
        setattr(module, name, merging.get_base_layer())
