"""The training loop: one process, checkpoints, exact resume, metrics to CSV and TensorBoard."""

from __future__ import annotations

import csv
import math
import pickle
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from unigeoclip.atlas import schema
from unigeoclip.atlas.sentence_vectors import cached_sentence_vectors
from unigeoclip.config import from_dict, read_json, to_dict, write_json
from unigeoclip.errors import CheckpointError, InputError
from unigeoclip.evaluation.calibrate import record_calibration
from unigeoclip.evaluation.pairs import measured_pairs
from unigeoclip.evaluation.report import METRICS_FILE, measured
from unigeoclip.extras import needs_extra
from unigeoclip.files.atomic import atomic, reason, remove_leftovers
from unigeoclip.files.cache import cache_array, cached_array
from unigeoclip.modalities.text import sentence_encoder
from unigeoclip.model import UniGeoCLIP, load_model, save_model
from unigeoclip.parallel import processor_name
from unigeoclip.sentences import SENTENCE_DIM
from unigeoclip.training.configs import TrainConfig, centered, named_config
from unigeoclip.training.gradients import backward, decay_groups
from unigeoclip.training.location_stage import tune_location
from unigeoclip.training.sampler import PlaceSampler
from unigeoclip.training.street_sampler import StreetSampler
from unigeoclip.training.text_stage import tune_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas

LOG_EVERY = 10
_MAKE_ROOM = "Make room on the disk, then run the same command with --resume: the last checkpoint is still good."
# What a damaged checkpoint makes torch and the archive's reader raise.
_UNREADABLE = (
    OSError, RuntimeError, EOFError, KeyError, ValueError, TypeError, AttributeError, pickle.UnpicklingError,
    zipfile.BadZipFile,
)  # fmt: skip
QUICK = 2000  # held-out items of the look taken while training, about
QUICK_PAIRS = (
    ("location", "aerial"),
    ("aerial", "surface"),
    ("text", "location"),
    ("text", "aerial"),
    ("street", "aerial"),
    ("street", "location"),
)


@dataclass(frozen=True)
class Run:
    """One training: what, on which territory, with which seed."""

    atlas: str
    data: str  # checksum of the atlas's data, so that a result names what it was trained on
    split: str
    seed: int
    config: TrainConfig


def train(
    atlas: Atlas,
    config: str | TrainConfig,
    out: Path,
    *,
    split: str | None = None,
    seed: int = 0,
    steps: int | None = None,
    resume: bool = False,
    modalities: Sequence[str] | None = None,
    sentences: Path | None = None,
    brief: bool = False,
) -> dict[str, Any]:
    """Train a model on an atlas.

    The folder ``out`` receives ``run.json``, ``checkpoint.pt`` (for resuming), ``history.csv``, ``tensorboard/`` and at
    the end ``model/`` with ``config.json``, ``model.safetensors``, ``metrics.json``, ``calibration.json``: what ships.

    Args:
        atlas: The atlas, with all its places (as the builder writes it).
        config: Name of a configuration, or one.
        out: Folder of the run; new, unless ``resume``.
        split: ``random`` or ``blocks``; in a city ``views`` or ``blocks``; the first by default.
        seed: Of initial weights and all draws.
        steps: In place of the configuration's.
        resume: Go on from the last checkpoint in ``out``; the result equals an unbroken training.
        modalities: Those to train, two or more; all of the configuration by default.
        sentences: Folder that keeps the vectors of the atlas's sentences, for trainings that share them; by default
            ``out``.
        brief: Leave out, at the end, what takes minutes in a city: galleries of all its places, and the calibration.

    Returns:
        The content of ``metrics.json``.

    Raises:
        InputError: Unknown configuration, split or modality, or ``out`` holds another run.
        CheckpointError: Nothing to resume.
    """
    split = chosen_split(atlas, split)
    run = Run(atlas.name, atlas.data_hash, split, seed, planned_config(atlas, config, steps, modalities))
    return run_training(BriefTrainer if brief else Trainer, atlas, run, out, resume, sentences)


def planned_config(
    atlas: Atlas, config: str | TrainConfig, steps: int | None, modalities: Sequence[str] | None = None
) -> TrainConfig:
    """The configuration that a training on an atlas follows, given the options of ``train``.

    Args:
        atlas: The atlas.
        config: Name of a configuration, or one.
        steps: In place of the configuration's.
        modalities: Those to train; all of the configuration by default.

    Raises:
        InputError: Unknown configuration or modality.
    """
    city = "street" in atlas.manifest.modalities
    config = named_config(config, city=city) if isinstance(config, str) else config
    config = config if modalities is None else config.with_only(modalities)
    return centered(config if steps is None else config.shortened(steps), atlas.manifest.bounds)


def chosen_split(atlas: Atlas, split: str | None) -> str:
    """The split asked for, or the first one of the kind of atlas.

    Raises:
        InputError: The atlas has no such split.
    """
    split = split or ("views" if "street" in atlas.manifest.modalities else "random")
    if split not in atlas.places:
        raise InputError(f"The atlas {atlas.name} has no split {split!r}.")
    return split


def run_training(
    kind: type[Trainer], atlas: Atlas, run: Run, out: Path, resume: bool, sentences: Path | None = None
) -> dict[str, Any]:
    """Begin or resume a run, fit and finish it; returns what `Trainer.finish` does."""
    with needs_extra("train"):  # before anything is computed or written
        import torch.utils.tensorboard
    restore = _claim(out, run, resume)
    torch.manual_seed(run.seed)
    trainer = kind(atlas, run, out, sentences)
    if restore:
        trainer.restore()
    with trainer.held:
        trainer.fit()
        return trainer.finish()


def _claim(out: Path, run: Run, resume: bool) -> bool:
    """Make the run's folder, or check that it holds this very run; returns whether there is a checkpoint to restore."""
    record, checkpoint = out / "run.json", out / "checkpoint.pt"
    if not record.exists():
        if resume:
            raise CheckpointError(f"{out} has no checkpoint.pt to resume from; start without --resume.")
        out.mkdir(parents=True, exist_ok=True)
        write_json(record, run)
        return False
    if checkpoint.exists() and not resume:
        raise InputError(f"{out} holds a training already; continue it with --resume or give another --out.")
    if from_dict(type(run), read_json(record)) != from_dict(type(run), to_dict(run)):
        raise InputError(f"{record} describes another training than asked for; give the same options or another --out.")
    remove_leftovers(out)
    if not checkpoint.exists():  # the training ended before it wrote one
        tqdm.write(
            f"{out} holds this training, but no checkpoint of it yet: it starts from the beginning.", file=sys.stderr
        )
        (out / "history.csv").unlink(missing_ok=True)
    return checkpoint.exists()


def learning_rate(config: TrainConfig, step: int) -> float:
    """Linear warm-up, then a cosine to a hundredth; after that the second cosine, if there is one."""
    if step >= config.steps and config.restart_steps:
        return _cosine(config.restart_rate, (step - config.steps) / config.restart_steps)
    warm = max(1, round(config.warmup * config.steps))
    if step < warm:
        return config.learning_rate * (step + 1) / warm
    return _cosine(config.learning_rate, (step - warm) / max(1, config.steps - warm))


def _cosine(rate: float, progress: float) -> float:
    return rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0))))


def all_sentence_vectors(atlas: Atlas, cache: Path) -> NDArray[np.float16]:
    """Vectors of every distinct sentence of an atlas, (sentences, 384) float16, embedded once and kept in ``cache``.

    Those of the gallery, which come first, are taken over from the build of the atlas where it was made on this
    machine. Without it they are embedded by themselves as well: other sentences beside them would change the last bits.
    """
    path = cache / f"sentences-{atlas.data_hash}.npy"
    kept = cached_array(path, (len(atlas.sentences), SENTENCE_DIM), np.float16)
    if kept is not None:
        return kept
    texts = atlas.sentences["text"].tolist()
    gallery = len(atlas.sentence_vectors())
    known = cached_sentence_vectors(texts[:gallery])
    parts = [] if known is None else [known]
    wanted = [some for some in (texts[:gallery] if known is None else [], texts[gallery:]) if some]
    with tqdm(total=sum(map(len, wanted)), desc="Embedding sentences", unit="sentence", disable=not wanted) as bar:
        parts += [sentence_encoder().embed(some, progress=bar.update).astype(np.float16) for some in wanted]
    vectors: NDArray[np.float16] = np.concatenate(parts)
    cache_array(path, vectors)
    return vectors


class Trainer:
    """State of one training: model, optimiser, step, clock."""

    brief = False  # see `train`

    def __init__(self, atlas: Atlas, run: Run, out: Path, sentences: Path | None = None) -> None:
        self.atlas, self.run, self.out = atlas, run, out
        self.config = run.config
        self.model = self.build().train()
        self.averaged = _averaged(self.model, self.config.averaged)
        self.vectors = np.zeros((len(atlas.sentences), SENTENCE_DIM), np.float16)  # what reads no text needs none
        if "text" in self.model.modalities:
            self.vectors = all_sentence_vectors(atlas, sentences or out)
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs
        self.held = ExitStack()  # rasters that are kept decoded for the time of the training
        self.sampler = self._sampler()
        self.optimizer = torch.optim.AdamW(decay_groups(self.model, self.config.weight_decay), betas=(0.9, 0.98))
        self.step, self.seconds = 0, 0.0

    def build(self) -> UniGeoCLIP:
        """The model with its first weights."""
        return UniGeoCLIP(self.config.model)

    def _sampler(self) -> PlaceSampler:
        """The sampler of the atlas and of the modalities that the model has."""
        model, run = self.model, self.run
        windows = {name: model.window_px(name) for name in schema.RASTERS if name in model.modalities}
        for name in windows:
            self.held.enter_context(self.atlas.raster(name).whole())
        if "street" not in model.modalities:
            return PlaceSampler(self.atlas, run.split, self.vectors, windows, run.seed, run.config.draws)
        width, height = model.input_size("street")
        return StreetSampler(
            self.atlas, run.split, self.vectors, windows, (height, width), run.seed, run.config.draws, stack=self.held
        )

    def fit(self) -> None:
        """Run the remaining steps."""
        with needs_extra("train"):
            from torch.utils.tensorboard import SummaryWriter

        started = time.monotonic() - self.seconds
        bar = tqdm(total=self.config.all_steps, initial=self.step, desc=f"Training ({self.run.split})", unit="step")
        scores: dict[str, float] = {}
        # The next batch is drawn while this one is learned from.
        with SummaryWriter(self.out / "tensorboard") as writer, bar, ThreadPoolExecutor(1) as ahead:
            following = ahead.submit(self.sampler.batch, self.step, self.config.batch)
            while self.step < self.config.all_steps:
                inputs = following.result()
                following = ahead.submit(self.sampler.batch, self.step + 1, self.config.batch)
                loss = self.update(inputs)
                self.step += 1
                self.seconds = time.monotonic() - started
                last = self.step == self.config.all_steps
                if self.step % self.config.evaluate_every == 0 or last:
                    scores = self.quick_scores()
                if self.step % LOG_EVERY == 0 or last:
                    self.log(writer, {"loss": loss, **scores})
                    bar.set_postfix({"loss": f"{loss:.3f}", **{k: f"{v:.1f}" for k, v in list(scores.items())[:2]}})
                if self.step % self.config.checkpoint_every == 0 or last:
                    self.save()
                bar.update()

    def update(self, inputs: dict[str, Any]) -> float:
        """One optimiser step on a batch of raw inputs; returns the loss.

        Raises:
            CheckpointError: The loss is not finite; the last checkpoint is still good.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.config, self.step)
        self.optimizer.zero_grad(set_to_none=True)
        loss = backward(self.model, inputs, self.config)
        if not math.isfinite(loss):
            raise CheckpointError(f"The loss became {loss} at step {self.step}; resume with a lower learning rate.")
        nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip_norm)
        self.optimizer.step()
        if self.averaged is not None:
            self.averaged.update_parameters(self.model)
        return loss

    @torch.inference_mode()
    def quick_scores(self) -> dict[str, float]:
        """Recall@1 of a few pairs among some 2,000 held-out items: a look while training, not the result."""
        self.model.eval()
        only = [f"{a}->{b}" for a, b in QUICK_PAIRS]
        found = measured_pairs(self.model, self.atlas, self.run.split, self.vectors, only=only, most=QUICK)
        self.model.train()
        return {pair: found[pair]["recall@1"] for pair in only if "recall@1" in found.get(pair, {})}

    def log(self, writer: Any, values: dict[str, float]) -> None:
        """Append a row to history.csv and to TensorBoard."""
        scale = self.model.log_scale.exp().mean().item()
        row = {"step": self.step, "seconds": round(self.seconds, 1), "scale": round(scale, 2)} | {
            key: round(value, 4) for key, value in values.items()
        }
        path = self.out / "history.csv"
        columns = ["step", "seconds", "scale", "loss", *(f"{a}->{b}" for a, b in QUICK_PAIRS)]
        new = not path.exists()
        with path.open("a", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, columns)
            if new:
                table.writeheader()
            table.writerow(row)
        for key, value in values.items():
            writer.add_scalar(key.replace("->", "_to_"), value, self.step)

    def save(self) -> None:
        """Write checkpoint.pt whole or not at all."""
        path = self.out / "checkpoint.pt"
        state = {"model": self.model.state_dict(), "optimiser": self.optimizer.state_dict()}
        if self.averaged is not None:
            state["averaged"] = self.averaged.state_dict()
        with (
            atomic(path, error=CheckpointError, remedy=_MAKE_ROOM, durable=True) as temporary,
            temporary.open("wb") as file,  # a file of Python's: torch's own writer hides why it could not write
        ):
            torch.save(state | {"step": self.step, "seconds": self.seconds}, file)

    def restore(self) -> None:
        """Read checkpoint.pt and cut history.csv back to its step."""
        path = self.out / "checkpoint.pt"
        try:
            # torch believes flipped bytes; the checksums of the archive do not.
            if (bad := zipfile.ZipFile(path).testzip()) is not None:
                raise zipfile.BadZipFile(f"the checksum of {bad} differs")
            state = torch.load(path, weights_only=True)
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimiser"])
            if self.averaged is not None:
                self.averaged.load_state_dict(state["averaged"])
            self.step, self.seconds = int(state["step"]), float(state["seconds"])
        except _UNREADABLE as error:
            raise CheckpointError(
                f"{path} is damaged ({reason(error)}). Restore a copy of it, or remove it and run the same command "
                "again: the training then starts from the beginning."
            ) from error
        path = self.out / "history.csv"
        if path.exists():
            lines = path.read_text(encoding="utf-8").splitlines()
            kept = [line for i, line in enumerate(lines) if i == 0 or int(line.split(",")[0]) <= self.step]
            path.write_text("\n".join(kept) + "\n", encoding="utf-8")

    def finish(self) -> dict[str, Any]:
        """Train location and the head of text alone, export the model as it ships and measure exactly that file."""
        started = time.monotonic()
        if self.averaged is not None:
            self.model.load_state_dict(self.averaged.module.state_dict())
        if self.config.location_steps:
            tune_location(self.model, self.sampler, self.config, self.run.seed)
        if self.config.text_steps:
            tune_text(self.model, self.sampler, self.config, self.run.seed)
        self.seconds += time.monotonic() - started
        folder = self.out / "model"
        save_model(self.model, folder, compact=True)
        model = load_model(folder)
        metrics = {
            "atlas": self.run.atlas,
            "data": self.run.data,
            "split": self.run.split,
            "seed": self.run.seed,
            "training": to_dict(self.config) | {"seconds": round(self.seconds), "machine": machine(self.model)},
            **measured(model, self.atlas, self.run.split, galleries=not self.brief),
        }
        write_json(folder / METRICS_FILE, metrics)
        if "location" in model.modalities and not self.brief:
            record_calibration(model, self.atlas, self.run.split, folder)
        return metrics


class BriefTrainer(Trainer):
    """A training among many, of which recalls are compared and nothing else."""

    brief = True


def _averaged(model: UniGeoCLIP, decay: float) -> AveragedModel | None:
    """The moving average of a model's weights, if it is wanted."""
    average: Any = get_ema_multi_avg_fn(decay) if decay else None  # type: ignore[no-untyped-call]
    return AveragedModel(model, multi_avg_fn=average) if decay else None


def machine(model: nn.Module | None = None) -> str:
    """What computed, in words: the device that a model is on, threads and PyTorch version.

    Args:
        model: On the device in question; by default the processor is named.
    """
    device = next((parameter.device for parameter in model.parameters()), None) if model is not None else None
    if device is None or device.type == "cpu":
        name = f"{processor_name()}, {torch.get_num_threads()} threads"
    else:
        name = torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
    return f"{name}, PyTorch {torch.__version__}"
