"""A late part of a training: the street encoder alone, against the windows that a search goes through.

In a batch of the training a panorama is told from some hundred places, by windows that lie within steps of its camera.
A search tells it from all places of the atlas, by windows at their centers and at a few cameras
(`search.gallery_windows`), none of which need be near. So here each panorama, drawn afresh at every step, is contrasted
with thousands of these windows, and all that lie near it are right. The other encoders are frozen: what they say of the
windows is computed once.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from scipy.spatial import cKDTree
from torch import Tensor

from unigeoclip.devices import autocast
from unigeoclip.geo import EARTH_RADIUS_M, chord, unit_xyz
from unigeoclip.search.gallery_embeddings import encode_places
from unigeoclip.search.gallery_windows import gallery_windows
from unigeoclip.training.gradients import decay_groups, descend
from unigeoclip.training.sampling.street_sampler import StreetSampler
from unigeoclip.training.stages.progress import Kept

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.model import UniGeoCLIP
    from unigeoclip.training.configs import TrainConfig
    from unigeoclip.training.sampling.mixture import Mixture
    from unigeoclip.training.sampling.sampler import PlaceSampler

STREET, MEAN = "street", "mean"
BATCH = 320  # spots
# Panoramas more often than in the training of all encoders, as they are what is searched for most.
VIEW_COUNTS = (0.35, 0.1, 0.1, 0.45)
NEAR_M = 80.0  # windows that are right: the picture overlaps what the camera looks at
FAR_M = 300.0  # windows up to there are wrong, but look alike
AGAINST, NEAR, FAR = 6144, 4, 2  # windows that a batch is contrasted with: any, and near and far ones of each spot
# The mean of all modalities is what a search by all of them compares with.
WEIGHTS = {"location": 0.3, "aerial": 1.0, "surface": 0.5, "text": 0.3, MEAN: 1.0}
BACK_WEIGHT = 0.25  # of the spots that each window has to find
RATE = 4e-4
WARM_STEPS = 200
DECAY = 0.998  # of the moving average of the weights, which is what is kept
MOST_SCALE = 40.0  # of the logits: exp(-2 * 40), the least share a window can have, is not 0 in float32
_SAME_M = 2.0  # a window so near to a camera is one of it
_SEED = 19  # beside that of the training: draws of its own


@dataclass(frozen=True)
class _Gallery:
    """The windows of one atlas, and what the frozen encoders say of them.

    Attributes:
        xyz: (n, 3) unit vectors of their positions.
        tree: Of these.
        vectors: Modality -> (n, dim) unit vectors, zeros where a window lacks it.
        present: Modality -> (n,) which windows have it.
    """

    xyz: NDArray[np.float64]
    tree: cKDTree
    vectors: dict[str, Tensor]
    present: dict[str, Tensor]


def tune_street(
    model: UniGeoCLIP, sampler: PlaceSampler | Mixture, config: TrainConfig, seed: int, kept: Kept | None = None
) -> None:
    """Train the street encoder, in place; a pure function of model, atlas, configuration and seed.

    The loss of a spot in one modality is -log of the share that windows within `NEAR_M` have of the softmax over all
    windows it is contrasted with.

    Args:
        model: With street and another modality.
        sampler: Of the training; of several atlases each step is of one of them, those without street views left out.
        config: Its ``street_steps``, share of neighbors and weights count.
        seed: Of the draws.
        kept: Where the stage is kept, so that it can go on in another process.
    """
    steps, learned = config.street_steps, [p for p in model.parameters() if p.requires_grad]
    model.eval().requires_grad_(False)
    galleries: dict[PlaceSampler, _Gallery] = {}
    encoder = model.encoders[STREET].train().requires_grad_(True)
    average = copy.deepcopy(encoder).requires_grad_(False)
    optimizer = torch.optim.AdamW(decay_groups(encoder, config.weight_decay), betas=(0.9, 0.98))
    parts: dict[str, torch.nn.Module | torch.optim.Optimizer] = {"encoder": encoder, "average": average}
    parts["optimizer"] = optimizer
    for step in (kept or Kept()).steps(steps, seed, "Street views alone", parts):
        here = sampler.at(step)
        if not isinstance(here, StreetSampler):
            continue
        if here not in galleries:
            galleries[here] = _gallery(model, here)
        rng = np.random.default_rng((seed, _SEED, step))
        loss = _loss(model, here, galleries[here], config, rng)
        if loss is None:
            continue
        rate = RATE * min(1, (step + 1) / WARM_STEPS) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * step / steps)))
        descend(optimizer, loss, encoder, rate, config.clip_norm)
        with torch.no_grad():
            for mean, new in zip(average.parameters(), encoder.parameters(), strict=True):
                mean.lerp_(new, 1 - DECAY)
    encoder.load_state_dict(average.state_dict())
    for parameter in learned:
        parameter.requires_grad_(True)
    model.eval()


def _gallery(model: UniGeoCLIP, sampler: StreetSampler) -> _Gallery:
    """The windows of places and cameras of the training split: those of held-out ones stay unseen."""
    atlas = sampler.atlas
    names = [name for name in model.modalities if name != STREET and name in atlas.manifest.modalities]
    pictures = [name for name in names if name in ("aerial", "surface")]
    windows = gallery_windows(atlas, pictures[0] if pictures else names[0], sampler.train)
    xyz = unit_xyz(windows.latlon)
    held_out = np.setdiff1d(np.arange(len(sampler.views.latlon)), sampler.cameras)
    seen = np.ones(len(windows), bool)
    if len(held_out):
        away = cKDTree(unit_xyz(sampler.views.latlon[held_out])).query(xyz)[0]
        seen = (np.arange(len(windows)) < windows.places) | (away > _reach(_SAME_M))
    rows, latlon, xyz = windows.rows[seen], windows.latlon[seen], xyz[seen]
    vectors, present = {}, {}
    for name in names:
        there = atlas.present_at(name, latlon) if name in pictures else np.ones(len(rows), bool)
        found = torch.zeros(len(rows), model.dim)
        found[torch.from_numpy(there)] = torch.from_numpy(
            encode_places(model, atlas, name, rows[there], sentence_vectors=sampler.vectors, latlon=latlon[there])
        )
        vectors[name], present[name] = found, torch.from_numpy(there)
    total = torch.stack(list(vectors.values())).sum(0)
    vectors[MEAN], present[MEAN] = F.normalize(total, dim=1), torch.stack(list(present.values())).any(0)
    return _Gallery(xyz, cKDTree(xyz), vectors, present)


def _loss(
    model: UniGeoCLIP, sampler: StreetSampler, gallery: _Gallery, config: TrainConfig, rng: np.random.Generator
) -> Tensor | None:
    """The contrastive loss of some spots with windows of the gallery; None where no spot is near any."""
    spots, _, _ = sampler.spots(BATCH, rng, VIEW_COUNTS)
    street, xyz = sampler.street(spots), unit_xyz(spots.eye)
    keys = torch.from_numpy(_keys(gallery, xyz, rng))
    away = torch.cdist(torch.from_numpy(xyz), torch.from_numpy(gallery.xyz)[keys])
    device = model.log_scale.device
    near = (away <= _reach(NEAR_M)).to(device)
    with autocast(device, config.bf16):
        own = model({STREET: model.prepare({STREET: street})[STREET].to(device)})[STREET]
    losses, total = [], 0.0
    for name, vectors in gallery.vectors.items():
        weight = WEIGHTS.get(name, 1.0) * config.weights.get(name, 1.0)
        present = gallery.present[name][keys].to(device)
        right = near & present
        if not weight or not right.any():
            continue
        scale = _scale(model, name, [each for each in gallery.vectors if each != MEAN])
        with autocast(device, config.bf16):
            cosines = own @ vectors[keys].to(device).T
        losses.append(weight * _of_modality(scale * (cosines.float() - 1), right, present))
        total += weight
    return torch.stack(losses).sum() / total if losses else None


def _keys(gallery: _Gallery, xyz: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Windows to contrast spots (n, 3) with."""
    near, far = (gallery.tree.query_ball_point(xyz, _reach(meters)) for meters in (NEAR_M, FAR_M))
    keys = [rng.integers(len(gallery.xyz), size=AGAINST)]
    for close, wide in zip(near, far, strict=True):
        if close:
            keys.append(rng.choice(close, size=min(NEAR, len(close)), replace=False))
        if wide:
            keys.append(rng.choice(wide, size=FAR))
    return np.unique(np.concatenate(keys))


def _of_modality(logits: Tensor, right: Tensor, present: Tensor) -> Tensor:
    """The loss in one modality.

    Args:
        logits: (spots, windows), 0 at most.
        right: (spots, windows) whether a window is near a spot and has the modality.
        present: (windows,) whether it has it.
    """
    shares = logits.exp() * present
    answered = right.any(1)
    of_right = (shares * right).sum(1)[answered]
    there = (shares.sum(1)[answered].log() - of_right.log()).mean()
    # One right window of each spot has to find a spot that it is right for.
    windows = right.int().argmax(1)[answered]
    to_spots, of_spots = shares[:, windows], right[:, windows]
    back = (to_spots.sum(0).log() - (to_spots * of_spots).sum(0).log()).mean()
    return (there + BACK_WEIGHT * back) / (1 + BACK_WEIGHT)


def _scale(model: UniGeoCLIP, name: str, others: list[str]) -> float:
    """The logit scale of street views with a modality; with the mean, the geometric mean of all."""
    names = others if name == MEAN else [name]
    logarithms = [float(model.pair_log_scale(STREET, each).detach()) for each in names]
    return min(MOST_SCALE, math.exp(sum(logarithms) / len(logarithms)))


def _reach(meters: float) -> float:
    """Straight distance between unit vectors so far apart on the Earth."""
    return float(chord(meters / EARTH_RADIUS_M))
