"""The training loop: one process or several, checkpoints, exact resume."""

from __future__ import annotations

import math
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from unigeoclip.atlas.records import new_records_folder, records_folder
from unigeoclip.atlas.sentence_vectors import cached_sentence_vectors
from unigeoclip.checkpoint import checkpoint_id
from unigeoclip.config import from_dict, read_json, to_dict, write_json
from unigeoclip.devices import machine
from unigeoclip.errors import CheckpointError
from unigeoclip.evaluation.calibrate import record_calibration
from unigeoclip.evaluation.pairs import measured_pairs
from unigeoclip.evaluation.report import METRICS_FILE, measured
from unigeoclip.extras import needs_extra
from unigeoclip.files.atomic import reason
from unigeoclip.files.cache import cache_array, cached_array
from unigeoclip.modalities.text import sentence_encoder
from unigeoclip.modalities.towers.text import TextTower
from unigeoclip.model import UniGeoCLIP, load_model, save_model
from unigeoclip.sentences import SENTENCE_DIM
from unigeoclip.training.fine_tuning.rates import SHARE, learning_rate, parameter_groups
from unigeoclip.training.fine_tuning.weights import check_towers, merge_adapters, started_model, towers_of
from unigeoclip.training.gradients import backward
from unigeoclip.training.journal import QUICK_PAIRS, Journal, asked_to_end, cut_history
from unigeoclip.training.processes import Processes, joined
from unigeoclip.training.runs import Run, Territory, chosen_split, claimed, of_windows, planned_config, several
from unigeoclip.training.sampling.mixture import Mixture, sampler_of
from unigeoclip.training.sharding import Shards, average_one_by_one, check_shardable, clip_gradients, is_shared
from unigeoclip.training.stages.alone import forget_stages, learn_alone
from unigeoclip.training.start import start_from, trained_how
from unigeoclip.training.state_files import UNREADABLE, read_state, write_state

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.training.configs import TrainConfig
    from unigeoclip.training.sampling.sampler import PlaceSampler

QUICK = 2000  # held-out items of the look taken while training, about


def train(
    atlas: Atlas | Sequence[Atlas],
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
    device: str | None = None,
    start: Path | None = None,
    weights: Sequence[float] | None = None,
    shard: bool = False,
) -> dict[str, Any]:
    """Train a model on an atlas, alone or as one of the processes that torchrun has started.

    The folder ``out`` receives ``run.json``, ``checkpoint.pt`` and those of its stages (for resuming), ``history.csv``,
    ``tensorboard/`` and at the end ``model/`` with ``config.json``, ``model.safetensors``, ``metrics.json``,
    ``calibration.json``: what ships. What is measured of several atlases lies where `records_folder` says.

    Args:
        atlas: The atlas, with all its places (as the builder writes it), or several, see `sampling.mixture`.
        config: Name of a configuration, or one.
        out: Folder of the run; new, unless ``resume``.
        split: ``random`` or ``blocks``; in a city ``views`` or ``blocks``; the first by default.
        seed: Of initial weights and all draws.
        steps: In place of the configuration's.
        resume: Go on from the last checkpoint in ``out``, with any number of processes; the result equals an unbroken
            training. With more ``steps`` than before a training is extended, see `runs.claimed`.
        modalities: Those to train, two or more; all of the configuration by default.
        sentences: Folder that keeps the vectors of the atlas's sentences, for trainings that share them; by default
            ``out``.
        brief: Leave out, at the end, what takes minutes in a city: galleries of all its places, and the calibration.
        device: See `devices.chosen_device`.
        start: Folder of a model whose weights are taken over where they fit, see `start.start_from`.
        weights: How often steps draw from each of several atlases, relative to the others; equally by default.
        shard: Share the weights of transformers among the processes, see `sharding`.

    Returns:
        The content of ``metrics.json``; in processes other than the first nothing.

    Raises:
        InputError: Unknown configuration, split, modality or device, the batch cannot be shared by the processes,
            ``out`` holds another run, the model to start from does not fit, or atlases do not go together.
        CheckpointError: Nothing to resume, or no model to start from.
    """
    atlases = list(atlas) if isinstance(atlas, Sequence) else [atlas]
    parts = several(atlases, split, weights)
    first, split = atlases[0], chosen_split(atlases[0], split)
    planned = planned_config(atlases, config, steps, modalities)
    known = None if start is None else checkpoint_id(start)
    run = Run(first.name, first.data_hash, split, seed, planned, start=known, atlases=parts)
    kind = BriefTrainer if brief else Trainer
    return run_training(kind, atlases, run, out, resume, sentences, device, start, shard)


def run_training(
    kind: type[Trainer],
    atlas: Atlas | Sequence[Atlas],
    run: Run,
    out: Path,
    resume: bool,
    sentences: Path | None = None,
    device: str | None = None,
    start: Path | None = None,
    shard: bool = False,
) -> dict[str, Any]:
    """Begin or resume a run, fit and finish it; returns what `Trainer.finish` does."""
    with needs_extra("train"):  # before anything is computed or written
        import torch.utils.tensorboard
    with joined(device) as processes:
        processes.share(run.config.batch)
        if shard:
            check_shardable(run.config.model, processes)
        check_towers(run.config.model, run.config.fine_tuning.weights, processes.say)
        if processes.first:  # the others read what it wrote
            run, restore = claimed(out, run, resume)
        processes.wait()
        if not processes.first:
            run = from_dict(type(run), read_json(out / "run.json"))
            restore = (out / "checkpoint.pt").exists()
        torch.manual_seed(run.seed)
        trainer = kind(atlas, run, out, sentences, processes, shard)
        if restore:
            trainer.restore()
        elif start is not None:
            trainer.start_from(start)
        with trainer.held:
            trainer.fit()
            processes.leave()
            return trainer.finish() if processes.first else {}


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
    before: dict[str, Any] | None = None  # how the model was trained that this training started from

    def __init__(
        self,
        atlas: Atlas | Sequence[Atlas],
        run: Run,
        out: Path,
        sentences: Path | None = None,
        processes: Processes | None = None,
        shard: bool = False,
    ) -> None:
        self.atlases = list(atlas) if isinstance(atlas, Sequence) else [atlas]
        self.atlas, self.run, self.out = self.atlases[0], run, out
        self.splits = [part.split for part in run.atlases] or [run.split]
        self.processes = processes or Processes(torch.device("cpu"))
        self.config = run.config
        # Weights that will be shared are not brought to a GPU before each has its part.
        self.model = self.build().train().to("cpu" if shard else self.processes.device)
        self.averaged = _averaged(self.model, self.config.averaged)
        self.vectors = self._sentence_inputs(sentences or out)  # of each atlas
        self.model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # missing in torch's stubs
        self.held = ExitStack()  # rasters that are kept decoded for the time of the training
        self.sampler = self._sampler()
        groups = parameter_groups(self.model, self.config.fine_tuning, self.config.weight_decay)
        self.optimizer: torch.optim.Optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98))
        self.step, self.seconds = 0, 0.0
        self._shard, self.shards = shard, cast("Shards | None", None)

    def build(self) -> UniGeoCLIP:
        """The model with its first weights."""
        shape = of_windows(self.config.model, self.atlases)
        return started_model(
            shape, self.config.fine_tuning, lambda: [text for each in self.atlases for text in each.sentences["text"]]
        )

    def start_from(self, folder: Path) -> None:
        """Take over the weights of another model."""
        taken, self.before = start_from(self.model, folder), trained_how(folder)
        if self.averaged is not None:
            self.averaged.module.load_state_dict(self.model.state_dict())
        if self.processes.first and (rest := [name for name in self.model.modalities if name not in taken]):
            tqdm.write(f"{', '.join(rest)}: not in {folder} in this shape, from random weights.", file=sys.stderr)

    def _sentence_inputs(self, cache: Path) -> list[NDArray[Any]]:
        """What the text encoder reads of each atlas's sentences; vectors are embedded by the first process alone."""
        reader = self.model.encoders["text"] if "text" in self.model.modalities else None
        if reader is None:
            return [np.zeros((len(atlas.sentences), SENTENCE_DIM), np.float16) for atlas in self.atlases]
        if isinstance(reader, TextTower):
            return [reader.embed(atlas.sentences["text"].tolist()) for atlas in self.atlases]
        if not self.processes.first:
            self.processes.wait()
        vectors = [all_sentence_vectors(atlas, cache) for atlas in self.atlases]
        if self.processes.first:
            self.processes.wait()
        return vectors

    def _sampler(self) -> PlaceSampler | Mixture:
        """The sampler of the atlas, or of all of them."""
        run = self.run
        each = [
            sampler_of(*of, self.model, run.seed, run.config.draws, self.held)
            for of in zip(self.atlases, self.splits, self.vectors, strict=True)
        ]
        return Mixture(each, [part.weight for part in run.atlases], run.seed) if run.atlases else each[0]

    def fit(self) -> None:
        """Run the remaining steps.

        Raises:
            SystemExit: The process was asked to end (SIGTERM); a checkpoint has been written.
        """
        started = time.monotonic() - self.seconds
        if self._shard:
            self._share_weights()
        share = self.processes.share(self.config.batch)
        # The next batch is drawn while this one is learned from.
        with self._journal() as journal, ThreadPoolExecutor(1) as ahead, asked_to_end() as asked:
            following = ahead.submit(self.sampler.batch, self.step, self.config.batch, share)
            while self.step < self.config.all_steps:
                inputs = following.result()
                following = ahead.submit(self.sampler.batch, self.step + 1, self.config.batch, share)
                loss = self.processes.mean(self.update(inputs))
                self.step += 1
                self.seconds = time.monotonic() - started
                if ending := self.processes.any(asked.is_set()):
                    following.cancel()
                self._note(journal, loss, ending)
                if ending:
                    raise SystemExit(128 + signal.SIGTERM)
        if self.shards is not None:
            self._gather_weights()

    def _share_weights(self) -> None:
        """Give each process its part of the weights and moments."""
        self.shards = Shards(self.model, self.averaged, self.processes)
        groups = parameter_groups(self.model, self.config.fine_tuning, self.config.weight_decay)
        self.optimizer = self.shards.optimizer(groups, self.optimizer)
        if self.averaged is not None:
            average_one_by_one(self.averaged, self.config.averaged)

    def _gather_weights(self) -> None:
        """End sharing: the first process has the whole result, for what it does alone."""
        assert self.shards is not None
        state, whole = self.state(), self.shards.whole
        self.shards = None
        if whole is None:
            return
        whole.load_state_dict(state["model"])
        self.model = whole.to(self.processes.device)
        self.averaged = _averaged(whole, self.config.averaged)
        if self.averaged is not None:
            self.averaged.load_state_dict(state["averaged"])

    def _journal(self) -> Journal:
        """What shows and records the progress; nothing but in the first process."""
        of = [atlas.name for atlas in self.atlases] if self.run.atlases else []
        label = f"Training ({', '.join(of) or self.run.split})"
        return Journal(self.out, self.step, self.config.all_steps, label, of, silent=not self.processes.first)

    def _note(self, journal: Journal, loss: float, ending: bool) -> None:
        """Record a step, look at the model and write a checkpoint when it is time for that; the first process does."""
        last, config = self.step == self.config.all_steps, self.config
        looks = self.step % config.evaluate_every == 0 or last
        saves = self.step % config.checkpoint_every == 0 or last or ending
        # What is shared is put together by all processes.
        state = self.state() if saves or (looks and self.shards is not None) else {}
        if not self.processes.first:
            return
        scores = self.quick_scores(state) if looks else {}
        scale = self.model.log_scale.exp().mean().item()
        of = self.sampler.at(self.step - 1).atlas.name if self.run.atlases else None
        journal.note(self.step, self.seconds, scale, loss, scores, last, of)
        if saves:
            self.save(state)
        if ending:
            tqdm.write(f"Ended as asked at step {self.step}; the same command with --resume goes on.", file=sys.stderr)

    def update(self, inputs: dict[str, Any]) -> float:
        """One optimizer step on a batch of raw inputs; returns the loss.

        Raises:
            CheckpointError: The loss is not finite; the last checkpoint is still good.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.config, self.step) * group.get(SHARE, 1.0)
        self.optimizer.zero_grad(set_to_none=True)
        loss = backward(self.model, inputs, self.config)
        if not math.isfinite(loss):
            raise CheckpointError(f"The loss became {loss} at step {self.step}; resume with a lower learning rate.")
        # Those of what is shared are averaged already.
        self.processes.average_gradients(each for each in self.model.parameters() if not is_shared(each))
        clip = nn.utils.clip_grad_norm_ if self.shards is None else clip_gradients
        clip(self.model.parameters(), self.config.clip_norm)
        self.optimizer.step()
        if self.averaged is not None:
            self.averaged.update_parameters(self.model)
        return loss

    @torch.inference_mode()
    def quick_scores(self, state: Mapping[str, Any] | None = None) -> dict[str, float]:
        """Recall@1 of a few pairs among some 2,000 held-out items: a look while training, not the result."""
        model = self.model
        if self.shards is not None and self.shards.whole is not None and state:
            model = self.shards.whole.to(self.processes.device)
            model.load_state_dict(state["model"])
        model.eval()
        only, scores = [f"{a}->{b}" for a, b in QUICK_PAIRS], dict[str, float]()
        for atlas, split, vectors in zip(self.atlases, self.splits, self.vectors, strict=True):
            found = measured_pairs(model, atlas, split, vectors, only=only, most=QUICK)
            of = f"{atlas.name} " if self.run.atlases else ""
            scores |= {f"{of}{pair}": found[pair]["recall@1"] for pair in only if "recall@1" in found.get(pair, {})}
        model.train()
        if model is not self.model:  # make room for the training again
            model.to("cpu")
        return scores

    def state(self) -> dict[str, Any]:
        """The weights and moments of the training, whole; of shared ones in the first process alone."""
        state = {"model": self.model.state_dict(), "optimiser": self.optimizer.state_dict()}
        if self.averaged is not None:
            state["averaged"] = self.averaged.state_dict()
        return state if self.shards is None else self.shards.gathered(state)

    def save(self, state: Mapping[str, Any]) -> None:
        """Write checkpoint.pt whole or not at all."""
        known = {"step": self.step, "seconds": self.seconds, "before": self.before}
        write_state(self.out / "checkpoint.pt", {**state, **known})

    def restore(self) -> None:
        """Read checkpoint.pt and cut history.csv back to its step."""
        path = self.out / "checkpoint.pt"
        try:
            state = read_state(path)
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimiser"])
            if self.averaged is not None:
                self.averaged.load_state_dict(state["averaged"])
            self.step, self.seconds, self.before = int(state["step"]), float(state["seconds"]), state.get("before")
        except UNREADABLE as error:
            raise CheckpointError(
                f"{path} is damaged ({reason(error)}). Restore a copy of it, or remove it and run the same command "
                "again: the training then starts from the beginning."
            ) from error
        cut_history(self.out, self.step)

    def finish(self) -> dict[str, Any]:
        """Train some encoders alone, export the model as it ships and measure exactly that file."""
        started = time.monotonic()
        if self.averaged is not None:
            self.model.load_state_dict(self.averaged.module.state_dict())
        self.seconds += learn_alone(self.model, self.sampler, self.config, self.run.seed, self.out)
        self.seconds += time.monotonic() - started
        folder = self.out / "model"
        merge_adapters(self.model)
        save_model(self.model, folder, compact=not towers_of(self.model))  # rounding is measured for compact encoders
        model = load_model(folder).to(self.processes.device)
        parts = self.run.atlases or (Territory(self.run.atlas, self.run.data, self.run.split, 1.0),)
        for atlas, part in zip(self.atlases[1:], parts[1:], strict=True):
            new_records_folder(folder, atlas.name)
            self._measure(model, atlas, part, folder)
        metrics = self._measure(model, self.atlas, parts[0], folder)
        forget_stages(self.out)
        return metrics

    def _measure(self, model: UniGeoCLIP, atlas: Atlas, part: Territory, folder: Path) -> dict[str, Any]:
        """Measure the finished model on an atlas, and record it."""
        metrics = {
            "atlas": part.atlas,
            "data": part.data,
            "split": part.split,
            "seed": self.run.seed,
            **({} if self.run.start is None else {"start": self.run.start, "training_before": self.before}),
            **({"atlases": to_dict(self.run.atlases)} if self.run.atlases else {}),
            "training": to_dict(self.config)
            | {"seconds": round(self.seconds), "machine": machine(self.model, self.processes.count)},
            **measured(model, atlas, part.split, galleries=not self.brief),
        }
        write_json(records_folder(folder, atlas.name) / METRICS_FILE, metrics)
        if "location" in model.modalities and not self.brief:
            record_calibration(model, atlas, part.split, folder)
        return metrics


class BriefTrainer(Trainer):
    """A training among many, of which recalls are compared and nothing else."""

    brief = True


def _averaged(model: UniGeoCLIP, decay: float) -> AveragedModel | None:
    """The moving average of a model's weights, if it is wanted."""
    average: Any = get_ema_multi_avg_fn(decay) if decay else None  # type: ignore[no-untyped-call]
    return AveragedModel(model, multi_avg_fn=average) if decay else None
