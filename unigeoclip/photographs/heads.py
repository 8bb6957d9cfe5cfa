"""A small head on the features of a frozen trunk, into the space of an atlas's model.

Features go through a whitening projection first, which is computed and not trained: what a trunk says of pictures from
above lies in few of its directions. Each group of features is whitened by itself, or the many that say where something
is would drown the few that say what there is. A linear map keeps what the projection tells apart, a residual MLP that
begins at zero learns the rest. Only these two are trained; the trunk and all other encoders are frozen.
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unigeoclip.errors import InputError
from unigeoclip.training.losses import all_to_all_loss

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

__all__ = ["Head", "HeadConfig", "RealSpots", "encode_pictures", "mean_of", "train_head"]

_FLOOR = 0.02  # of the largest singular value, added to all: weak directions are noise
_ROWS_AT_ONCE = 1024


@dataclass(frozen=True)
class HeadConfig:
    """Shape and training of a head."""

    groups: tuple[int, ...]  # sizes of the groups of features of the trunk
    dim: int = 256  # of the shared space
    components: tuple[int, ...] = (128, 256)  # of the whitening projection of each group
    hidden: int = 512
    dropout: float = 0.3
    steps: int = 300
    batch: int = 256
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    temperature: float = 0.07

    @property
    def features(self) -> int:
        """Features of the trunk in all."""
        return sum(self.groups)

    def columns(self) -> Iterator[slice]:
        """Where the features of each group are."""
        first = 0
        for group in self.groups:
            yield slice(first, first + group)
            first += group


@dataclass(frozen=True)
class RealSpots:
    """Photographs of spots, and what the frozen encoders say of the same spots.

    Attributes:
        photos: (spots, views, f) float16: features of all years, turned and mirrored or not.
        drawn: (spots, f) float16: features of the drawn picture.
        targets: Modality -> (spots, dim) unit vectors.
    """

    photos: NDArray[np.float16]
    drawn: NDArray[np.float16]
    targets: Mapping[str, NDArray[np.float32]]

    def __len__(self) -> int:
        return len(self.photos)


class Head(nn.Module):
    """Features (n, f) -> unit vectors (n, dim)."""

    def __init__(self, config: HeadConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("mean", torch.zeros(config.features))
        self.projections = nn.ParameterList(
            nn.Parameter(torch.zeros(group, count), requires_grad=False)
            for group, count in zip(config.groups, config.components, strict=True)
        )
        self.mean: Tensor
        width = sum(config.components)
        self.linear = nn.Linear(width, config.dim)
        self.mlp = nn.Sequential(
            nn.Dropout(config.dropout),
            nn.Linear(width, config.hidden),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden, config.dim),
        )
        nn.init.orthogonal_(self.linear.weight)
        for layer in (self.linear, self.mlp[-1]):
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        nn.init.zeros_(self.mlp[-1].weight)  # type: ignore[arg-type]

    @torch.no_grad()
    def fit_projection(self, features: NDArray[np.float16]) -> None:
        """Set the whitening projection by the principal components of some features (n, f).

        Raises:
            InputError: There are fewer rows than components.
        """
        if len(features) < (most := max(self.config.components)):
            raise InputError(f"A projection on {most} components needs as many pictures, not {len(features)}.")
        rows = torch.from_numpy(features).float()
        self.mean = rows.mean(0)
        for columns, projection in zip(self.config.columns(), self.projections, strict=True):
            group = rows[:, columns] - self.mean[columns]
            _, values, directions = torch.svd_lowrank(group, q=projection.shape[1], niter=2)
            # Of a row's projection every component has about variance 1.
            projection.copy_(directions * (math.sqrt(len(rows)) / (values + _FLOOR * values[0])))

    def project(self, features: NDArray[np.float16]) -> Tensor:
        """(n, f) -> (n, components)."""
        parts = []
        for start in range(0, len(features), _ROWS_AT_ONCE):
            rows = torch.from_numpy(features[start : start + _ROWS_AT_ONCE]).float() - self.mean
            groups = zip(self.config.columns(), self.projections, strict=True)
            parts.append(torch.cat([rows[:, columns] @ projection for columns, projection in groups], dim=1))
        return torch.cat(parts)

    def forward(self, projected: Tensor) -> Tensor:
        """(n, components) -> (n, dim) unit vectors."""
        out: Tensor = F.normalize(self.linear(projected) + self.mlp(projected), dim=1)
        return out


@torch.inference_mode()
def encode_pictures(head: Head, features: NDArray[np.float16]) -> NDArray[np.float32]:
    """Features (n, f) of a trunk -> (n, dim) unit vectors."""
    vectors: NDArray[np.float32] = head.eval()(head.project(features)).numpy()
    return vectors


def mean_of(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unit vectors (n, dim) between those of two heads."""
    total = one + other
    mean: NDArray[np.float32] = total / np.linalg.norm(total, axis=1, keepdims=True)
    return mean


def train_head(
    config: HeadConfig,
    drawn: NDArray[np.float16],
    targets: Mapping[str, NDArray[np.float32]],
    real: RealSpots | None = None,
    seed: int = 0,
) -> Head:
    """Train a head on drawings, or on drawings and photographs.

    A drawing is contrasted with what the frozen encoders say of its place. A photograph is contrasted with the frozen
    encoders, with the drawing of its spot, and with another photograph of it: of another year, or turned.

    Args:
        config: Shape and training.
        drawn: (n, f) features of drawings.
        targets: Modality -> (n, dim) unit vectors of the frozen encoders.
        real: Photographs; none by default.
        seed: Of weights and draws.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    head = Head(config)
    seen = [drawn] if real is None else [drawn, real.drawn, real.photos.reshape(-1, config.features)]
    head.fit_projection(np.concatenate(seen))
    log_scale = nn.Parameter(torch.tensor(math.log(1 / config.temperature)))
    optimizer = torch.optim.AdamW(
        [
            {"params": head.parameters(), "weight_decay": config.weight_decay},
            {"params": [log_scale], "weight_decay": 0.0},
        ],
        lr=config.learning_rate,
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.steps)
    batches = _Batches(head, drawn, targets, real, rng)
    head.train()
    with _one_thread():
        for _ in range(config.steps):
            loss = batches.loss(log_scale)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return head.eval()


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Let torch use one thread: matrices are so small that threads wait for each other far longer than they work."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class _Batches:
    """Draws batches of drawings and photographs, projected once."""

    def __init__(
        self,
        head: Head,
        drawn: NDArray[np.float16],
        targets: Mapping[str, NDArray[np.float32]],
        real: RealSpots | None,
        rng: np.random.Generator,
    ) -> None:
        self.head, self.rng = head, rng
        self.drawn = head.project(drawn)
        self.targets = {name: torch.from_numpy(found) for name, found in targets.items()}
        if real is not None:
            spots, views, features = real.photos.shape
            self.photos = head.project(real.photos.reshape(-1, features)).view(spots, views, -1)
            self.spot_drawn = head.project(real.drawn)
            self.spot_targets = {name: torch.from_numpy(found) for name, found in real.targets.items()}
        self.real = real

    def loss(self, log_scale: Tensor) -> Tensor:
        """Of one batch of drawings and, if there are any, one of photographs."""
        size = self.head.config.batch
        rows = torch.from_numpy(self.rng.choice(len(self.drawn), min(size, len(self.drawn)), replace=False))
        named = {name: found[rows] for name, found in self.targets.items()}
        loss = all_to_all_loss({"picture": self.head(self.drawn[rows]), **named}, log_scale, pivot="picture")
        if self.real is None:
            return loss
        count, views = self.photos.shape[:2]
        spots = torch.from_numpy(self.rng.choice(count, min(size, count), replace=False))
        one, other = (torch.from_numpy(self.rng.integers(views, size=len(spots))) for _ in range(2))
        pictures = self.head(torch.cat([self.photos[spots, one], self.photos[spots, other], self.spot_drawn[spots]]))
        photo, again, drawing = pictures.chunk(3)
        named = {name: found[spots] for name, found in self.spot_targets.items()}
        named |= {"again": again, "drawing": drawing}
        return loss + all_to_all_loss({"photo": photo, **named}, log_scale, pivot="photo")
