"""Text through a pretrained transformer that reads the words themselves: SigLIP 2's.

The text of a place is its sentences, one a line, in pieces of as many tokens as the tower reads at once; the mean over
the pieces, weighted by their tokens, goes on. A `TextBatch` then holds token ids where it holds sentence vectors for
`TextEncoder`: whatever gathers rows of one gathers rows of the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from unigeoclip.errors import CheckpointError, InputError
from unigeoclip.modalities.text import TextBatch, check_sentences
from unigeoclip.modalities.towers.pictures import TowerEncoder, check_heads, identity_head
from unigeoclip.modalities.towers.pretrained import SIGLIP2, siglip_text
from unigeoclip.modalities.towers.tokens import EOS, PAD, SEPARATOR

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["TextTower", "TextTowerConfig"]

_MOST_VOCABULARY = 1_000_000


@dataclass(frozen=True)
class TextTowerConfig:
    """Shape of the text tower; the defaults are those of SigLIP 2 ViT-B/16.

    Attributes:
        kind: ``siglip2``.
        vocabulary: Number of tokens there are.
        tokens: Number of tokens read at once, with the one that ends a text.
        width: Of each.
        depth: Transformer layers.
        heads: Of attention.
    """

    kind: str = SIGLIP2
    vocabulary: int = 256_000
    tokens: int = 64
    width: int = 768
    depth: int = 12
    heads: int = 12

    def __post_init__(self) -> None:
        """Check that the parts fit.

        Raises:
            InputError: They do not.
        """
        check_heads(self.width, self.heads)
        if self.tokens < 2 or not 2 < self.vocabulary <= _MOST_VOCABULARY:
            raise InputError(
                f"tokens ({self.tokens}) must be 2 or more, and vocabulary ({self.vocabulary}) 3 to "
                f"{_MOST_VOCABULARY:,}."
            )


class TextTower(TowerEncoder):
    """Texts of places -> embeddings. The tokenizer belongs to the weights and is saved with them."""

    def __init__(self, config: TextTowerConfig, dim: int) -> None:
        super().__init__()
        self.config = config
        self.tower = siglip_text(config.vocabulary, config.tokens, config.width, config.depth, config.heads)
        self.head = identity_head(config.width, dim)
        self._tokenizer: Tokenizer | None = None

    @property
    def tokenizer(self) -> Tokenizer:
        """What turns words into numbers, see `towers.tokens`.

        Raises:
            CheckpointError: None was given yet.
        """
        if self._tokenizer is None:
            raise CheckpointError("This text tower has no tokenizer: read a trained model, or train one.")
        return self._tokenizer

    @tokenizer.setter
    def tokenizer(self, tokenizer: Tokenizer) -> None:
        size = tokenizer.get_vocab_size()
        if size > self.config.vocabulary:
            raise CheckpointError(f"The tokenizer has {size:,} tokens; the text tower has {self.config.vocabulary:,}.")
        self._tokenizer = tokenizer

    def get_extra_state(self) -> Tensor:
        """The tokenizer as the bytes of its JSON, uint8; a tensor, for safetensors holds nothing else."""
        text = "" if self._tokenizer is None else self._tokenizer.to_str()
        return torch.from_numpy(np.frombuffer(bytearray(text.encode()), np.uint8))

    def set_extra_state(self, state: Tensor) -> None:
        """Read what `get_extra_state` returned.

        Raises:
            RuntimeError: It is damaged.
        """
        if not len(state):
            return
        try:
            self.tokenizer = Tokenizer.from_str(state.cpu().numpy().tobytes().decode())
        except Exception as error:  # the library raises no narrower class
            raise RuntimeError(f"the tokenizer is damaged ({error})") from error

    def embed(self, sentences: Sequence[str], progress: Callable[[int], None] | None = None) -> NDArray[np.int32]:
        """Token ids of sentences, (m, tokens) int32, ended by `EOS` and filled with `PAD`; what is longer is cut.

        Args:
            sentences: Any texts.
            progress: Called with the number of sentences done.
        """
        ids = np.array([each.ids for each in self.tokenizer.encode_batch(list(sentences))], np.int32)
        if progress is not None:
            progress(len(sentences))
        return ids.reshape(len(sentences), self.config.tokens)

    def prepare(self, texts: TextBatch | Sequence[Sequence[str]]) -> TextBatch:
        """Lists of sentences, one list a place, or a `TextBatch` of rows of `embed`, as pieces the tower can read.

        Raises:
            InputError: A place without a sentence, a sentence without a letter, or sentence vectors of another encoder.
        """
        if not isinstance(texts, TextBatch):
            check_sentences(texts)
            ids = self.embed([sentence for sentences in texts for sentence in sentences])
            texts = TextBatch(torch.from_numpy(ids), torch.tensor([len(sentences) for sentences in texts]))
        if texts.vectors.is_floating_point() or texts.vectors.shape[1:] != (self.config.tokens,):
            raise InputError(
                f"This text encoder reads token ids of shape (m, {self.config.tokens}), not sentence vectors: give it "
                "the sentences themselves."
            )
        return _pieces(texts, self.config.tokens, self._separator)

    @property
    def _separator(self) -> list[int]:
        found: list[int] = self.tokenizer.encode(SEPARATOR, add_special_tokens=False).ids
        return [token for token in found if token != PAD]

    def forward(self, texts: TextBatch) -> Tensor:
        """(n places), as pieces of :meth:`prepare` -> (n, dim), not normalised."""
        output: Any = self.tower(texts.vectors)
        pooled = output.pooler_output.float()  # (pieces, width)
        weights = (texts.vectors != PAD).sum(1, keepdim=True).to(pooled.dtype)
        place = torch.repeat_interleave(texts.lengths)  # (pieces,): the row each belongs to
        total = pooled.new_zeros(len(texts), pooled.shape[1]).index_add_(0, place, weights * pooled)
        sums = weights.new_zeros(len(texts), 1).index_add_(0, place, weights)
        out: Tensor = self.head(total / sums.clamp(min=1))
        return out


def _pieces(texts: TextBatch, tokens: int, separator: list[int]) -> TextBatch:
    """Sentences of each place, (m, tokens) ids, put into as few rows as hold them in their order."""
    rows, ends = texts.vectors.tolist(), np.cumsum(texts.lengths.numpy())
    pieces: list[list[int]] = []
    counts: list[int] = []
    for end, length in zip(ends.tolist(), texts.lengths.tolist(), strict=True):
        own: list[list[int]] = []
        for row in rows[end - length : end]:
            words = row[: row.index(EOS)] if EOS in row else row[: tokens - 1]
            if own and len(own[-1]) + len(separator) + len(words) < tokens:
                own[-1] += separator + words
            else:
                own.append(list(words))
        pieces += own
        counts.append(len(own))
    ids = torch.full((len(pieces), tokens), PAD, dtype=torch.int64)
    for number, piece in enumerate(pieces):
        ids[number, : len(piece) + 1] = torch.tensor([*piece, EOS])
    return TextBatch(ids, torch.tensor(counts))
