"""What a training shows and records while it runs: a bar, history.csv and TensorBoard; and how it is asked to end."""

from __future__ import annotations

import csv
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from unigeoclip.extras import needs_extra

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import Self

__all__ = ["QUICK_PAIRS", "Journal", "asked_to_end", "cut_history"]

LOG_EVERY = 10
QUICK_PAIRS = (
    ("location", "aerial"),
    ("aerial", "surface"),
    ("text", "location"),
    ("text", "aerial"),
    ("street", "aerial"),
    ("street", "location"),
)
_HISTORY = "history.csv"


class Journal:
    """The bar on screen, and every tenth step in ``history.csv`` and for TensorBoard."""

    def __init__(
        self, out: Path, step: int, steps: int, label: str, atlases: Sequence[str] = (), *, silent: bool
    ) -> None:
        """Begin at a step.

        Args:
            out: Folder of the run.
            step: Steps that are done.
            steps: All steps.
            label: Before the bar.
            atlases: Their names where there are several: each step is then of one, and scores are of each.
            silent: Show and write nothing.
        """
        self._path, self._silent, self._scores = out / _HISTORY, silent, dict[str, float]()
        pairs = [f"{a}->{b}" for a, b in QUICK_PAIRS]
        scores = [f"{name} {pair}" for name in atlases for pair in pairs] if atlases else pairs
        self._columns = ["step", "seconds", "scale", "loss", *(["atlas"] if atlases else []), *scores]
        self._bar = tqdm(total=steps, initial=step, desc=label, unit="step", disable=silent)
        self._writer: Any = None
        if not silent:
            with needs_extra("train"):
                from torch.utils.tensorboard import SummaryWriter
            self._writer = SummaryWriter(out / "tensorboard")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()
        if self._writer is not None:
            self._writer.close()

    def note(
        self,
        step: int,
        seconds: float,
        scale: float,
        loss: float,
        scores: dict[str, float],
        last: bool,
        atlas: str | None = None,
    ) -> None:
        """Record a step.

        Args:
            step: Steps that are done.
            seconds: Since the training began.
            scale: Mean logit scale.
            loss: Of the step.
            scores: Recall of some pairs, if they were measured; the last ones are shown on.
            last: Whether it is the last step.
            atlas: Of several the one whose places were drawn.
        """
        self._scores = scores or self._scores
        if step % LOG_EVERY == 0 or last:
            values = {"loss": loss, **self._scores}
            row = {"step": step, "seconds": round(seconds, 1), "scale": round(scale, 2)} | values
            self._append(row | ({} if atlas is None else {"atlas": atlas}))
            shown = values if atlas is None else values | {f"{atlas} loss": loss}
            for key, value in shown.items():
                self._writer.add_scalar(key.replace("->", "_to_").replace(" ", "/"), value, step)
            first = list(self._scores.items())[:2]
            self._bar.set_postfix({"loss": f"{loss:.3f}", **{name: f"{value:.1f}" for name, value in first}})
        self._bar.update()

    def _append(self, row: dict[str, float | str]) -> None:
        new = not self._path.exists()
        with self._path.open("a", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, self._columns)
            if new:
                table.writeheader()
            table.writerow({name: value if isinstance(value, str) else round(value, 4) for name, value in row.items()})


def cut_history(out: Path, step: int) -> None:
    """Drop the rows of history.csv after a step, which are done again."""
    path = out / _HISTORY
    if path.exists():
        lines = path.read_text(encoding="utf-8").splitlines()
        kept = [line for i, line in enumerate(lines) if i == 0 or int(line.split(",")[0]) <= step]
        path.write_text("\n".join(kept) + "\n", encoding="utf-8")


@contextmanager
def asked_to_end() -> Iterator[threading.Event]:
    """An event that is set when the process is asked to end (SIGTERM), as schedulers do before they take it away."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():  # the only one that may handle signals
        yield asked
        return
    before = signal.signal(signal.SIGTERM, lambda *_: asked.set())
    try:
        yield asked
    finally:
        signal.signal(signal.SIGTERM, before)
