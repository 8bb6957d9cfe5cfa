"""Pretrained towers that are trained end to end: SigLIP 2 (pictures, text) and DINOv2 (pictures), through transformers.

The functions that build a tower give it random weights and never touch the network; `read_tower` then fills it from a
folder in the layout of the Hugging Face hub. Parameters have the names of the published files, in every version of
transformers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import safetensors
import torch
from safetensors import SafetensorError

from unigeoclip.errors import CheckpointError
from unigeoclip.files.atomic import reason

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import Tensor, nn

__all__ = [
    "DINOV2",
    "FILES",
    "SIGLIP2",
    "TOKENIZER",
    "check_tower",
    "dinov2",
    "read_tower",
    "siglip_pictures",
    "siglip_text",
    "tower_layers",
]

SIGLIP2, DINOV2 = "siglip2", "dinov2"
CONFIG, WEIGHTS, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"
FILES = (CONFIG, WEIGHTS)
_DINOV2_GRID = 37  # patches a side of the published position embeddings; other sizes are interpolated from them
_PREFIX = {"siglip_vision_model": "vision_model.", "siglip_text_model": "text_model.", "dinov2": ""}
# What the files hold and a tower does not need: positions by number, and the token of masked patches.
_NOT_NEEDED = ("position_ids", "mask_token")
_ATTENTION = (
    ("attention.attention.query", "attention.q_proj"),
    ("attention.attention.key", "attention.k_proj"),
    ("attention.attention.value", "attention.v_proj"),
    ("attention.output.dense", "attention.o_proj"),
)
_SAME = (
    "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "patch_size", "image_size",
    "vocab_size", "max_position_embeddings", "hidden_act", "mlp_ratio",
)  # fmt: skip


def siglip_pictures(px: int, patch: int, width: int, depth: int, heads: int) -> nn.Module:
    """SigLIP 2's image tower (Tschannen et al., arXiv 2502.14786) with random weights.

    Args:
        px: Side of the pictures, pixels; a multiple of ``patch``.
        patch: Side of a patch, pixels.
        width: Of every token.
        depth: Transformer layers.
        heads: Of attention.

    Returns:
        A module that takes (n, 3, px, px) and gives ``pooler_output`` (n, width).
    """
    from transformers import SiglipVisionConfig, SiglipVisionModel

    config = SiglipVisionConfig(
        image_size=px, patch_size=patch, hidden_size=width, intermediate_size=4 * width, num_hidden_layers=depth,
        num_attention_heads=heads,
    )  # fmt: skip
    return _inner(SiglipVisionModel(config), "vision_model")


def siglip_text(vocabulary: int, tokens: int, width: int, depth: int, heads: int) -> nn.Module:
    """SigLIP 2's text tower with random weights; it takes ids (n, tokens) and gives ``pooler_output`` (n, width)."""
    from transformers import SiglipTextConfig, SiglipTextModel

    config = SiglipTextConfig(
        vocab_size=vocabulary, max_position_embeddings=tokens, hidden_size=width, intermediate_size=4 * width,
        num_hidden_layers=depth, num_attention_heads=heads, projection_size=width, pad_token_id=0, bos_token_id=None,
        eos_token_id=1,
    )  # fmt: skip
    return _inner(SiglipTextModel(config), "text_model")


def dinov2(patch: int, width: int, depth: int, heads: int) -> nn.Module:
    """DINOv2 (Oquab et al., TMLR 2024) with random weights, for pictures of any side that ``patch`` divides."""
    from transformers import Dinov2Config, Dinov2Model

    config = Dinov2Config(
        image_size=_DINOV2_GRID * patch, patch_size=patch, hidden_size=width, num_hidden_layers=depth,
        num_attention_heads=heads, use_mask_token=False,
    )  # fmt: skip
    tower: nn.Module = Dinov2Model(config)
    if any("q_proj" in name for name, _ in tower.named_parameters()):
        tower.register_state_dict_post_hook(_to_published)  # type: ignore[no-untyped-call]
        tower.register_load_state_dict_pre_hook(_from_published)  # type: ignore[no-untyped-call]
    return tower


def _inner(model: Any, name: str) -> nn.Module:
    """The transformer itself: earlier versions of transformers wrap SigLIP's in one more module."""
    inner: nn.Module = getattr(model, name, model)
    return inner


def _to_published(_module: nn.Module, state: dict[str, Tensor], prefix: str, _metadata: Any) -> None:
    """Give DINOv2's attention the names of its files, which later versions of transformers changed."""
    _rename(state, prefix, [(own, published) for published, own in _ATTENTION])


def _from_published(_module: nn.Module, state: dict[str, Tensor], prefix: str, *_rest: Any) -> None:
    """The reverse of `_to_published`."""
    _rename(state, prefix, _ATTENTION)


def _rename(state: dict[str, Tensor], prefix: str, pairs: Sequence[tuple[str, str]]) -> None:
    for name in [each for each in state if each.startswith(prefix)]:
        for old, new in pairs:
            if f".{old}." in name:
                state[name.replace(f".{old}.", f".{new}.")] = state.pop(name)


def tower_layers(tower: Any) -> list[nn.Module]:
    """The transformer layers of a tower, from the input on."""
    return list(tower.encoder.layers if hasattr(tower.encoder, "layers") else tower.encoder.layer)


def read_tower(folder: Path, tower: nn.Module) -> None:
    """Fill a tower with published weights, in place.

    Args:
        folder: With ``config.json`` and ``model.safetensors`` of ``google/siglip2-base-patch16-224``,
            ``facebook/dinov2-base`` or another model of the same classes and of the tower's shape.
        tower: As built by a function of this module.

    Raises:
        CheckpointError: A file is missing or damaged, or holds another kind or size of model.
    """
    check_tower(folder, tower)
    try:
        with safetensors.safe_open(folder / WEIGHTS, "pt") as file:
            state = _part(file, tower)
        missing, unexpected = tower.load_state_dict(state, strict=False)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{folder / WEIGHTS} cannot be read ({reason(error)}): fetch it again.") from error
    except RuntimeError as error:  # shapes differ
        raise CheckpointError(f"{folder / WEIGHTS} does not fit its {CONFIG}: {str(error).splitlines()[-1]}") from error
    if missing or unexpected:
        first = f"{missing[0]} is missing" if missing else f"{unexpected[0]} is unknown"
        raise CheckpointError(f"{folder / WEIGHTS} does not fit its {CONFIG}: {first}.")


def _part(file: Any, tower: Any) -> dict[str, Tensor]:
    """The weights of a tower out of a file that may hold others, too; those of a single tower may lack the prefix."""
    names, prefix = file.keys(), _PREFIX[tower.config.model_type]
    prefix = prefix if any(name.startswith(prefix) for name in names) else ""
    chosen = [name for name in names if name.startswith(prefix) and not name.endswith(_NOT_NEEDED)]
    return {name.removeprefix(prefix): file.get_tensor(name).to(torch.float32) for name in chosen}


def check_tower(folder: Path, tower: Any) -> None:
    """Check that a folder holds the weights of a tower, by its ``config.json``; weights alone would not tell its heads.

    Args:
        folder: See `read_tower`.
        tower: As built by a function of this module, on any device.

    Raises:
        CheckpointError: A file is missing, or describes another kind or size of model.
    """
    from transformers import AutoConfig

    for name in FILES:
        if not (folder / name).is_file():
            raise CheckpointError(f"{folder} holds no pretrained tower: {name} is missing.")
    wanted = tower.config
    try:
        found: Any = AutoConfig.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{folder / CONFIG} cannot be used ({reason(error)}).") from error
    if found.model_type == "siglip" and wanted.model_type.startswith("siglip"):
        found = found.vision_config if wanted.model_type == "siglip_vision_model" else found.text_config
    if found.model_type != wanted.model_type:
        raise CheckpointError(
            f"{folder} holds a model of type {found.model_type!r}, not {wanted.model_type!r}: give a folder of "
            "google/siglip2-base-patch16-224 or facebook/dinov2-base, as the encoder's kind says."
        )
    for name in _SAME:
        if hasattr(wanted, name) and getattr(found, name, None) != getattr(wanted, name):
            raise CheckpointError(
                f"{folder} holds a tower with {name} {getattr(found, name, None)}; the configuration has "
                f"{getattr(wanted, name)}. Change the encoder's options, or give another folder."
            )
