"""Tokenizers of text towers, made to do what SigLIP 2 was trained with, whatever wrote their file.

Texts are in small letters, end with one token, and are cut or filled to a fixed length. A tokenizer of the library
``tokenizers`` holds all that in its JSON, so that nothing depends on how transformers wraps it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from unigeoclip.errors import CheckpointError
from unigeoclip.modalities.towers.pretrained import TOKENIZER

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["EOS", "PAD", "SEPARATOR", "read_tokenizer", "words_tokenizer"]

PAD, EOS = 0, 1  # ids that SigLIP 2 fills and ends a text with
_PAD, _EOS, _UNKNOWN = "<pad>", "<eos>", "<unk>"
SEPARATOR = "\n"  # between the sentences of a text; no token of Gemma's reaches across it


def read_tokenizer(folder: Path, tokens: int) -> Tokenizer:
    """The tokenizer of a folder in the layout of the hub.

    Args:
        folder: With ``tokenizer.json``, such as one of ``google/siglip2-base-patch16-224``.
        tokens: Length of every text.

    Raises:
        CheckpointError: The file is missing or damaged, or is of another model.
    """
    path = folder / TOKENIZER
    if not path.is_file():
        raise CheckpointError(
            f"{folder} holds no {TOKENIZER}, which the text tower needs: fetch it from the same model."
        )
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises no narrower class
        raise CheckpointError(f"{path} cannot be read ({error}): fetch it again.") from error
    if (tokenizer.token_to_id(_PAD), tokenizer.token_to_id(_EOS)) != (PAD, EOS):
        raise CheckpointError(f"{path} is of another model than SigLIP 2: it lacks {_PAD} as {PAD}, {_EOS} as {EOS}.")
    return _as_trained(tokenizer, tokens)


def words_tokenizer(texts: Iterable[str], vocabulary: int, tokens: int) -> Tokenizer:
    """A tokenizer whose tokens are the most frequent words of some texts, for towers that start at random.

    Args:
        texts: Any.
        vocabulary: Number of tokens at most, 3 of which are no words.
        tokens: Length of every text.
    """
    tokenizer = Tokenizer(models.WordLevel(unk_token=_UNKNOWN))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.WordLevelTrainer(
        vocab_size=vocabulary, special_tokens=[_PAD, _EOS, _UNKNOWN], show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return _as_trained(tokenizer, tokens)


def _as_trained(tokenizer: Tokenizer, tokens: int) -> Tokenizer:
    lower = normalizers.Lowercase()
    own = tokenizer.normalizer
    tokenizer.normalizer = lower if own is None else normalizers.Sequence([lower, own])
    tokenizer.post_processor = processors.TemplateProcessing(single=f"$A {_EOS}", special_tokens=[(_EOS, EOS)])
    tokenizer.enable_truncation(tokens)
    tokenizer.enable_padding(length=tokens, pad_id=PAD, pad_token=_PAD)
    return tokenizer
