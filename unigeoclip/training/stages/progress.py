"""How far a stage is, kept in a file beside the checkpoint: a stage takes hours, and its process may end before."""

from __future__ import annotations

import time
import zlib
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from unigeoclip.errors import CheckpointError
from unigeoclip.files.atomic import reason
from unigeoclip.training.state_files import UNREADABLE, read_state, write_state

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["EVERY", "Kept"]

EVERY = 250  # steps after which a stage is kept


class Kept:
    """The file of one stage.

    Attributes:
        earlier_s: Seconds that the stage took before its process ended, once `steps` has begun.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Name the file; without one nothing is kept."""
        self.path, self.earlier_s = path, 0.0

    def steps(
        self, count: int, seed: int, what: str, parts: Mapping[str, nn.Module | torch.optim.Optimizer]
    ) -> Iterator[int]:
        """Numbers of the steps that are left; after every `EVERY` of them, and the last, all parts are kept.

        Parts that were kept by a stage of as many steps and the same seed, which began with the same weights, are
        brought to where they were.

        Args:
            count: Steps in all.
            seed: Of the draws.
            what: Beside the progress bar.
            parts: What changes in a step, by name.

        Raises:
            CheckpointError: The file is damaged, or cannot be written.
        """
        begun = {"steps": count, "seed": seed, "weights": _checksum(parts) if self.path else 0}
        done, started = self._restore(begun, parts), time.monotonic()
        for step in tqdm(range(done, count), desc=what, unit="step", mininterval=5, initial=done, total=count):
            yield step
            if self.path is not None and ((step + 1) % EVERY == 0 or step + 1 == count):
                states = {name: part.state_dict() for name, part in parts.items()}
                seconds = self.earlier_s + time.monotonic() - started
                write_state(self.path, {"begun": begun, "done": step + 1, "seconds": seconds, "parts": states})

    def _restore(self, begun: dict[str, Any], parts: Mapping[str, nn.Module | torch.optim.Optimizer]) -> int:
        """How many steps are done: those of the file, none if there is no file or it is of another stage."""
        if self.path is None or not self.path.exists():
            return 0
        try:
            kept = read_state(self.path)
            if kept["begun"] != begun:
                return 0
            for name, part in parts.items():
                part.load_state_dict(kept["parts"][name])
            self.earlier_s = float(kept["seconds"])
            return int(kept["done"])
        except UNREADABLE as error:
            raise CheckpointError(
                f"{self.path} is damaged ({reason(error)}). Remove it and run the same command again: that stage of "
                "the training then starts from its beginning."
            ) from error


def _checksum(parts: Mapping[str, nn.Module | torch.optim.Optimizer]) -> int:
    """Of the weights of all parts that have some."""
    value = 0
    for part in parts.values():
        if isinstance(part, nn.Module):
            for each in part.state_dict().values():
                assert isinstance(each, Tensor)
                value = zlib.crc32(each.detach().cpu().contiguous().numpy().tobytes(), value)
    return value
