"""Made-up embedders that need no weights: one that sees nothing, one that is slow, one that agrees with no other."""

import time
from types import SimpleNamespace

import numpy as np
import torch

from unigeoclip.geo import as_latlon, unit_xyz
from unigeoclip.modalities.location import LocationConfig, LocationEncoder


def fake_encoder():
    """An untrained location encoder of vectors of three numbers, the same each time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = LocationConfig(scales=(1.0, 4.0), width=16, heads=2, depth=2, registers=1, coarse=1)
        encoder = LocationEncoder(config, 3).eval()
        torch.nn.init.normal_(encoder.coarse.weight, std=0.3)  # it begins at zero
        for norm in (module for module in encoder.modules() if isinstance(module, torch.nn.LayerNorm)):
            torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
            torch.nn.init.uniform_(norm.bias, -0.2, 0.2)
        return encoder


class ConstantEmbedder:
    """Sees no difference anywhere."""

    name, title, dim = "constant", "Constant", 4
    provenance = SimpleNamespace(made_by="A test", source="none", licence="none")

    def embed(self, latlon):
        return np.full((len(as_latlon(latlon)), 4), 0.5, np.float32)


class SlowEmbedder:
    """Needs seconds for a map, and no time for a point."""

    name, title, dim = "slow", "Slow", 3
    provenance = SimpleNamespace(made_by="A test", source="none", licence="none")

    def embed(self, latlon):
        time.sleep((len(latlon) - 1) / 60)  # a second page has to open before a whole map is there
        return unit_xyz(as_latlon(latlon)).astype(np.float32)


class TwistedEmbedder:
    """Finds places similar that lie on one spiral: it agrees with no other."""

    name, title, dim = "twisted", "Twisted", 3
    provenance = SimpleNamespace(made_by="A test", source="none", licence="none")

    def embed(self, latlon):
        lat, lon = as_latlon(latlon).T
        return unit_xyz(np.stack([lat / 2, 7 * lat + 5 * lon], axis=1)).astype(np.float32)
