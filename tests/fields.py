"""Small made-up pictures of fields, as some atlas might have, and noise, which none has."""

import numpy as np


def fields(count, seed):
    """Pictures that an atlas might have: two tones of green with a soft border, (count, 3, 16, 16)."""
    rng = np.random.default_rng(seed)
    share = 1 / (1 + np.exp(-rng.normal(0, 3, (count, 1, 1)) - np.linspace(-3, 3, 16)[None, None, :]))
    share = np.broadcast_to(share, (count, 16, 16))[:, None]
    tones = rng.uniform(0.2, 0.8, (2, count, 1, 1, 1)) * np.array([60, 160, 50])[None, None, :, None, None]
    shown = tones[0] * share + tones[1] * (1 - share) + rng.normal(0, 4, (count, 3, 16, 16))
    return np.clip(shown, 0, 255).astype(np.uint8)


NOISE = np.random.default_rng(5).integers(0, 256, (3, 16, 16), np.uint8)
