"""Location: latitude and longitude seen at many spatial scales at once.

The scaled latitude-longitude encoder of UniGeoCLIP (arXiv 2604.11668): the Equal Earth position is turned into one
token of Fourier features per scale, and a transformer lets the scales attend to each other. Parameters do not grow with
the number of scales.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unigeoclip.errors import InputError
from unigeoclip.geo import EARTH_RADIUS_M, EQUAL_EARTH_X_MAX, as_latlon, equal_earth

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(frozen=True)
class LocationConfig:
    """Shape of the location encoder."""

    scales: tuple[float, ...] = (2.0, 8.0, 32.0, 128.0)  # sigma per token; 1 / sigma Equal Earth units is a wavelength
    width: int = 256  # D, of every token
    depth: int = 1  # transformer blocks; 0 leaves plain Fourier features
    heads: int = 4
    mlp_ratio: float = 2.0
    registers: int = 1
    # Residual MLPs on the mean over the scale tokens; a weight here costs one product a place, in a block one a token.
    pooled_blocks: int = 3
    pooled_ratio: float = 8.0  # their hidden width over D
    coarse: int = 0  # so many of the coarsest scales also reach the embedding by a matrix, past all that mixes them
    centre: tuple[float, float] = (0.0, 0.0)  # Equal Earth (x, y) taken off in float64 before anything is rounded

    def __post_init__(self) -> None:
        if not self.scales or min(self.scales) <= 0:
            raise InputError(f"location.scales must be one or more positive numbers, not {self.scales}.")
        if self.width % (2 * self.heads):
            raise InputError(
                f"location.width ({self.width}) must be a multiple of twice location.heads ({self.heads})."
            )
        if not 0 <= self.coarse <= len(self.scales):
            raise InputError(
                f"location.coarse must be 0 to {len(self.scales)}, the scales there are, not {self.coarse}."
            )

    def wavelengths_m(self) -> list[float]:
        """Wavelength at one standard deviation of each scale's frequencies, metres on the ground."""
        return [EQUAL_EARTH_X_MAX * EARTH_RADIUS_M / scale for scale in self.scales]


class Attention(nn.Module):
    """Multi-head self-attention over the tokens of each place: (batch, tokens, width) -> the same.

    Attention runs over dimension 1, never across the batch: a place does not depend on its neighbours in the batch.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, tokens: Tensor, queries: int) -> Tensor:
        """Attend to all tokens, from the last ``queries`` of them only: (b, t, d) -> (b, queries, d)."""
        batch, count, width = tokens.shape
        q, k, v = self.qkv(tokens).view(batch, count, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q[:, :, count - queries :], k, v)  # (b, heads, queries, d / heads)
        out: Tensor = self.out(mixed.transpose(1, 2).reshape(batch, queries, width))
        return out


class Block(nn.Module):
    """Pre-norm transformer block; ``pool`` makes it the last one, which returns the mean over the scale tokens.

    Only the scale tokens leave the last block, so registers need no query there, and the second matrix of the MLP,
    being linear, is applied once after the mean rather than once per token. Both are exact.
    """

    def __init__(self, width: int, heads: int, mlp_ratio: float) -> None:
        super().__init__()
        hidden = int(width * mlp_ratio)
        self.norm_attention = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.norm_mlp = nn.LayerNorm(width)
        self.expand = nn.Linear(width, hidden)
        self.contract = nn.Linear(hidden, width)

    def forward(self, tokens: Tensor, pool: int | None = None) -> Tensor:
        """(b, t, d) -> (b, t, d), or (b, d): the mean of the last ``pool`` tokens."""
        queries = tokens.shape[1] if pool is None else pool
        tokens = tokens[:, tokens.shape[1] - queries :] + self.attention(self.norm_attention(tokens), queries)
        hidden = F.gelu(self.expand(self.norm_mlp(tokens)))
        if pool is not None:
            tokens, hidden = tokens.mean(1), hidden.mean(1)
        out: Tensor = tokens + self.contract(hidden)
        return out


class PooledBlock(nn.Module):
    """Pre-norm residual MLP on one vector a place: (b, d) -> (b, d)."""

    def __init__(self, width: int, mlp_ratio: float) -> None:
        super().__init__()
        hidden = int(width * mlp_ratio)
        self.mlp = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block."""
        mixed: Tensor = self.mlp(x)
        return x + mixed


class LocationEncoder(nn.Module):
    """Equal Earth position -> embedding, through Fourier tokens of several scales.

    For each scale sigma_k a frozen Gaussian matrix M_k of shape (2, D/2) gives the token
    [cos(2 pi v M_k), sin(2 pi v M_k)]; register tokens join them; a pre-norm transformer mixes them; the mean over the
    scale tokens is projected to the shared space.

    In that mean the fine scales drown the coarse ones: a linear probe reads temperature from the tokens, and no longer
    from their mean. So the tokens of the coarsest scales are projected by themselves, too (``config.coarse``), by a
    matrix that starts at zero.
    """

    def __init__(self, config: LocationConfig, dim: int) -> None:
        super().__init__()
        self.config = config
        width, scales = config.width, len(config.scales)
        # One draw per scale, scaled afterwards: (2, K * D/2) so that all phases are one matrix product.
        gaussian = torch.randn(2, scales, width // 2) * torch.tensor(config.scales)[:, None]
        self.register_buffer("frequencies", gaussian.reshape(2, scales * (width // 2)))
        self.frequencies: Tensor
        self.registers = nn.Parameter(torch.randn(config.registers, width) * 0.02)
        self.blocks = nn.ModuleList(Block(width, config.heads, config.mlp_ratio) for _ in range(config.depth))
        self.pooled = nn.Sequential(*(PooledBlock(width, config.pooled_ratio) for _ in range(config.pooled_blocks)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, dim)
        self.coarse = nn.Linear(config.coarse * width, dim, bias=False) if config.coarse else None
        self.coarsest = sorted(range(scales), key=lambda k: config.scales[k])[: config.coarse]
        if self.coarse is not None:
            nn.init.zeros_(self.coarse.weight)

    def prepare(self, latlon: ArrayLike) -> Tensor:
        """Project (n, 2) degrees and take the centre off in float64; returns (n, 2) float32."""
        xy = equal_earth(as_latlon(latlon)) - np.asarray(self.config.centre)
        return torch.from_numpy(xy.astype(np.float32))

    def fourier_tokens(self, xy: Tensor) -> Tensor:
        """(n, 2) float32 -> (n, K, D). Always in fp32: at large sigma half precision loses whole turns of the phase."""
        with torch.autocast(xy.device.type, enabled=False):
            # Two products and a sum rather than a matrix product, which an accelerator may round to TF32.
            frequencies = self.frequencies.float()
            phase = 2 * math.pi * (xy[:, :1].float() * frequencies[0] + xy[:, 1:].float() * frequencies[1])
            phase = phase.view(xy.shape[0], len(self.config.scales), -1)
            return torch.cat([phase.cos(), phase.sin()], dim=-1)

    def wavelengths_m(self) -> list[float]:
        """See `LocationConfig.wavelengths_m`."""
        return self.config.wavelengths_m()

    def forward(self, xy: Tensor, without: int | None = None) -> Tensor:
        """Encode points.

        Args:
            xy: (n, 2) float32 from :meth:`prepare`.
            without: Number of a scale whose token is left out, so that nothing attends to it and the mean lacks it.

        Returns:
            (n, dim), not normalised.
        """
        waves = tokens = self.fourier_tokens(xy)
        if without is not None:
            tokens = torch.cat([tokens[:, :without], tokens[:, without + 1 :]], dim=1)
        scales = tokens.shape[1]
        if not self.blocks:
            pooled = tokens.mean(1)
        else:
            tokens = torch.cat([self.registers.expand(xy.shape[0], -1, -1), tokens], dim=1)  # (n, R + K, D)
            for block in self.blocks[:-1]:
                tokens = block(tokens)
            pooled = self.blocks[-1](tokens, pool=scales)
        out: Tensor = self.head(self.norm(self.pooled(pooled)))
        return out if self.coarse is None else out + self.coarse(self._coarse_tokens(waves, without))

    def _coarse_tokens(self, waves: Tensor, without: int | None) -> Tensor:
        """Tokens of the coarsest scales side by side, zeros for one that is left out: (n, K, D) -> (n, coarse * D)."""
        tokens = [waves[:, k] if k != without else torch.zeros_like(waves[:, k]) for k in self.coarsest]
        return torch.cat(tokens, dim=1)
