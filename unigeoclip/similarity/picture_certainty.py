"""Whether a picture looks like those of an atlas: how far its colors and textures are from theirs.

An encoder gives every picture a vector, even noise, and the vector does not show that the picture is out of
distribution: the encoder was never trained to reject. So the picture itself is described by a few statistics, and
compared with the atlas's own pictures by the Mahalanobis distance. A picture that is further away than nearly all
held-out ones is like nothing in the atlas. (The same distance between features of a network: Lee et al., A Simple
Unified Framework for Detecting Out-of-Distribution Samples and Adversarial Attacks, NeurIPS 2018.)
"""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

__all__ = ["JUDGED", "STATISTICS", "PictureCertainty", "packed", "statistics"]

JUDGED = ("aerial", "street")  # modalities whose pictures are judged: those that are photographs or drawings in color
_HALVINGS = 3  # sizes at which the texture is described: pixels, then means of 2 x 2 and of 4 x 4
_FAINT = 0.01  # steps between neighbors, of a range of 1, that no eye sees
_LEAST = 0.003  # added before a logarithm: a step of less than a grey level of 255 is none
STATISTICS = 11 + 8 * _HALVINGS  # how many numbers describe a picture


def statistics(pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Describe pictures by numbers that hardly change with what is where in them.

    Args:
        pictures: (n, 3, height, width) RGB, at least 8 pixels wide and high.

    Returns:
        (n, `STATISTICS`): mean, spread and correlations of the channels, mean and spread of the saturation; and at each
        of three sizes the mean step from pixel to pixel in each channel and direction, the share of faint ones and the
        size of large ones.
    """
    values: NDArray[np.float32] = pictures.astype(np.float32) / np.float32(255)
    spread = values.std(axis=(2, 3))
    apart = values - values.mean(axis=(2, 3), keepdims=True)
    together = np.stack([(apart[:, i] * apart[:, j]).mean(axis=(1, 2)) for i, j in ((0, 1), (1, 2), (0, 2))], axis=1)
    scales = np.stack([(spread[:, i] + _FAINT) * (spread[:, j] + _FAINT) for i, j in ((0, 1), (1, 2), (0, 2))], axis=1)
    saturation = values.max(axis=1) - values.min(axis=1)
    found = [values.mean(axis=(2, 3)), spread, together / scales]
    found += [saturation.mean(axis=(1, 2))[:, None], saturation.std(axis=(1, 2))[:, None]]
    for _ in range(_HALVINGS):
        found.append(_steps(values))
        values = _halved(values)
    return np.concatenate(found, axis=1).astype(np.float64)


def _steps(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The steps between neighboring pixels, (n, 3, h, w) -> (n, 8)."""
    across, down = np.abs(np.diff(values, axis=3)), np.abs(np.diff(values, axis=2))
    means = [np.log(steps.mean(axis=(2, 3)) + _LEAST) for steps in (across, down)]
    large = np.log(np.sqrt((across**2).mean(axis=(1, 2, 3))) + _LEAST)
    faint = (across < _FAINT).mean(axis=(1, 2, 3))
    return np.concatenate([*means, large[:, None], faint[:, None]], axis=1)


def _halved(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of 2 x 2 pixels; an odd last row or column is left out."""
    count, channels, height, width = values.shape
    even = values[:, :, : height // 2 * 2, : width // 2 * 2]
    means: NDArray[np.float32] = even.reshape(count, channels, height // 2, 2, width // 2, 2).mean(axis=(3, 5))
    return means


@dataclass(frozen=True)
class PictureCertainty:
    """The pictures of one modality of an atlas, and from which distance on a picture is unlike them.

    Attributes:
        mean: Of their statistics.
        whitening: Lower triangle, row by row, of the matrix that makes their statistics uncorrelated and of variance 1,
            encoded by `packed`.
        threshold: Distance beyond which a picture is like nothing in the atlas.
        tested: ``n_fitting`` held-out pictures and how many percent of them lie beyond, ``fitting_refused``; and how
            many percent of each kind of foreign pictures do, by its name, of ``n_foreign`` in all, ``foreign_refused``.
    """

    mean: tuple[float, ...]
    whitening: str
    threshold: float
    tested: dict[str, float] = field(default_factory=dict)

    def distances(self, pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
        """How far pictures (n, 3, height, width) are from those of the atlas, (n,)."""
        root = np.zeros((STATISTICS, STATISTICS))
        root[np.tril_indices(STATISTICS)] = _unpacked(self.whitening)
        found: NDArray[np.float64] = np.linalg.norm((statistics(pictures) - self.mean) @ root.T, axis=1)
        return found

    @property
    def is_sound(self) -> bool:
        """Whether there are as many numbers as there have to be, and all are finite."""
        try:
            triangle = _unpacked(self.whitening)
        except ValueError:  # binascii.Error is one
            return False
        right = len(self.mean) == STATISTICS and len(triangle) == STATISTICS * (STATISTICS + 1) // 2
        return right and all(map(math.isfinite, (*self.mean, *triangle, self.threshold))) and self.threshold > 0


def packed(numbers: NDArray[np.floating]) -> str:
    """Numbers as text: the base64 of their 32-bit floats, the lowest byte first."""
    return base64.b64encode(numbers.astype("<f4").tobytes()).decode()


def _unpacked(text: str) -> NDArray[np.float32]:
    return np.frombuffer(base64.b64decode(text, validate=True), "<f4")
