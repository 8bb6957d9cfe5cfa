"""Files of the installed ``geoclip`` package, which carries GeoCLIP's published weights.

The package is never imported: its own dependencies (torchvision, geopy) serve an image pipeline that is not used here,
so it is installed without them, ``pip install --no-deps geoclip==1.3.0``, and its files are found by the metadata of
the installation.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from unigeoclip.errors import CheckpointError
from unigeoclip.files.atomic import read_bytes

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["IMAGE_HEAD", "LOCATION_ENCODER", "PACKAGE", "VERSION", "WeightsFile", "read_weights"]

PACKAGE, VERSION = "geoclip", "1.3.0"
_REMEDY = f"Install it with: pip install --no-deps {PACKAGE}=={VERSION}"


@dataclass(frozen=True)
class WeightsFile:
    """One file of the package, pinned.

    Attributes:
        path: In the package's installation.
        size_bytes: Its size.
        sha256: Its checksum, hexadecimal.
    """

    path: str
    size_bytes: int
    sha256: str


# As in geoclip-1.3.0-py3-none-any.whl of PyPI; the checksum of that wheel is in requirements.lock.
LOCATION_ENCODER = WeightsFile(
    "geoclip/model/weights/location_encoder_weights.pth",
    37_806_041,
    "94b80ae3af89fca78539e129dd2929d321247f5ceeeb0a31bc2c31041a253394",
)
IMAGE_HEAD = WeightsFile(
    "geoclip/model/weights/image_encoder_mlp_weights.pth",
    3_938_907,
    "5342c391eec961796d04d02f2bd670bfa97b34ce32c656d0e0676581103c2c14",
)


def read_weights(file: WeightsFile) -> dict[str, Tensor]:
    """Read a file of published weights, without running code from it.

    Args:
        file: `LOCATION_ENCODER` or `IMAGE_HEAD`.

    Returns:
        Tensors by their published names, on the CPU.

    Raises:
        CheckpointError: The package is not installed, or the file is not the published one.
    """
    path = _installed(file)
    data = read_bytes(path, file.size_bytes, error=CheckpointError)
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise CheckpointError(
            f"{path} is damaged or of another version: its checksum is not the one of {PACKAGE} {VERSION}. "
            f"{_REMEDY} --force-reinstall"
        )
    tensors: dict[str, Tensor] = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    return tensors


def _installed(file: WeightsFile) -> Path:
    """Where the file is.

    Raises:
        CheckpointError: There is no such file on this machine.
    """
    try:
        path = Path(str(importlib.metadata.distribution(PACKAGE).locate_file(file.path)))
    except importlib.metadata.PackageNotFoundError:
        raise CheckpointError(
            f"GeoCLIP's published weights come with the package {PACKAGE}, which is not installed. {_REMEDY}"
        ) from None
    if not path.is_file():
        raise CheckpointError(f"{path}, a file of GeoCLIP's published weights, is missing. {_REMEDY} --force-reinstall")
    return path
