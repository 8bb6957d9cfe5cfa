"""Tables and features for tests: small, with a known relation between the two."""

import numpy as np

from unigeoclip import geo
from unigeoclip.evaluation.probing.encoders import Features
from unigeoclip.tasks import LabelTable

WORLD = (-60.0, -180.0, 80.0, 180.0)


def made_up_table(n=300, kind="regression", *, seed=0, noise=0.3, dim=6, bounds=WORLD, **fields):
    """A table whose target is a linear function of the features plus noise, and those features."""
    rng = np.random.default_rng(seed)
    latlon = geo.random_on_sphere(n, rng, bounds)
    features = rng.normal(size=(n, dim)).astype(np.float32)
    value = features @ rng.normal(size=dim) + noise * rng.normal(size=n)
    target = value if kind == "regression" else np.array(["low", "middle", "high"])[np.digitize(value, [-1, 1])]
    table = LabelTable("made up", latlon, target, kind, "value", **fields)
    return table, features


def as_encoders(**vectors):
    return {name.replace("_", "-"): Features(name.title(), each) for name, each in vectors.items()}
