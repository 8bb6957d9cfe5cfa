"""GeoCLIP's side of images: CLIP ViT-L/14, then a small head into the space of its locations (arXiv 2309.16020).

CLIP (Radford et al., ICML 2021) is 1.7 GB, so nothing here ships: :func:`download_geoclip_images` fetches it from the
hub when a person asks for it, or takes a folder that is already there. The head is read from the installed ``geoclip``
package, see :mod:`unigeoclip.embedders.geoclip_wheel`.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from torch import nn

from unigeoclip.config import read_json, write_json
from unigeoclip.embedders.geoclip_wheel import IMAGE_HEAD, read_weights
from unigeoclip.errors import CheckpointError, InputError
from unigeoclip.files.atomic import reason
from unigeoclip.files.cache import cache_folder
from unigeoclip.files.hub import HubFile, fetch_from_hub

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["NAME", "GeoCLIPImages", "download_geoclip_images"]

NAME = "geoclip-images"
REPOSITORY = "openai/clip-vit-large-patch14"
_REVISION = "32bd64288804d66eefd0ccbe215aa642df71cc41"
_CLIP_FILES = {
    "config.json": "8a09b467700c58138c29d53c605b34ebc69beaadd13274a8a2af8ad2c2f4032a",
    "model.safetensors": "a2bf730a0c7debf160f7a6b50b3aaf3703e7e88ac73de7a314903141db026dcb",
}  # with the SHA-256 of each
_RECORD = "provenance.json"
_WIDTHS = (768, 768, 512)  # CLIP's projection, hidden, embedding
_PX = 224
# Of the pictures that CLIP was trained on, by channel.
_MEAN, _STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
_REMEDY = f"Get it with 'python -m unigeoclip baselines download {NAME}' (1.7 GB), or add --from FOLDER of CLIP."


class GeoCLIPImages:
    """Pictures into the space of GeoCLIP's locations."""

    def __init__(self, clip: nn.Module, head: nn.Module) -> None:
        """Wrap both parts; `from_cache` reads them.

        Args:
            clip: ``transformers.CLIPVisionModelWithProjection``.
            head: (n, 768) -> (n, 512).
        """
        self.clip, self.head = clip.eval(), head.eval()

    @classmethod
    def from_cache(cls) -> GeoCLIPImages:
        """Read what was fetched; never from the network.

        Raises:
            CheckpointError: CLIP, or the ``geoclip`` package with the head, is missing or damaged; the message
                says how to get it.
        """
        folder = _folder()
        if not (folder / _RECORD).is_file():
            raise CheckpointError(f"GeoCLIP's image encoder, CLIP ViT-L/14, is not on this machine. {_REMEDY}")
        try:
            record = read_json(folder / _RECORD)
            return cls(_clip(Path(record["clip"])), _published_head())
        except (InputError, KeyError, TypeError) as error:
            raise CheckpointError(f"GeoCLIP's image encoder cannot be used ({error}). {_REMEDY}") from error

    @torch.inference_mode()
    def embed(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Embed one picture.

        Args:
            picture: (3, 224, 224) uint8 RGB.

        Returns:
            (512,) float32 of L2 norm 1.

        Raises:
            InputError: Another shape.
        """
        if picture.shape != (3, _PX, _PX):
            raise InputError(f"GeoCLIP reads pictures of shape (3, {_PX}, {_PX}), not {picture.shape}.")
        pixels = torch.from_numpy(picture).float() / 255
        pixels = (pixels - torch.tensor(_MEAN).view(3, 1, 1)) / torch.tensor(_STD).view(3, 1, 1)
        vector: NDArray[np.float32] = F.normalize(self.head(self.clip(pixels[None]).image_embeds), dim=1)[0].numpy()
        return vector

    def embed_file(self, data: bytes) -> NDArray[np.float32]:
        """Embed the central square of a picture, given as the content of its file; see `embed`.

        Raises:
            InputError: It is no picture, or too large a one.
        """
        from unigeoclip.uploads import read_upload

        return self.embed(read_upload("aerial", data, (_PX, _PX)).array)


def download_geoclip_images(say: Callable[[str], None], clip: Path | None = None, endpoint: str | None = None) -> Path:
    """Fetch CLIP from the hub, unless it is in a folder, and keep where it is.

    Args:
        say: Called with what and how much is fetched, before it is.
        clip: A folder with CLIP's "config.json" and "model.safetensors", in place of the hub.
        endpoint: Of the hub, in place of https://huggingface.co.

    Returns:
        The folder in the cache that holds the record.

    Raises:
        DownloadError: Something cannot be fetched, or is not what was announced.
        CheckpointError: The folder holds no CLIP ViT-L/14, or the ``geoclip`` package, which has the head, is missing.
    """
    read_weights(IMAGE_HEAD)  # before 1.7 GB are fetched that would be of no use without it
    if clip is None:
        remedy = f"With CLIP from elsewhere: baselines download {NAME} --from FOLDER."
        wanted = [HubFile(REPOSITORY, file, _REVISION, sha256) for file, sha256 in _CLIP_FILES.items()]
        files = [fetch_from_hub(file, say, endpoint, remedy) for file in wanted]
        clip = files[0].parent
    _clip(clip)
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    record: dict[str, Any] = {
        "name": "GeoCLIP image encoder",
        "paper": "Vivanco, Nayak & Shah: GeoCLIP, NeurIPS 2023, arXiv 2309.16020",
        "licence": "MIT",
        "clip": str(clip.resolve()),
    }
    write_json(folder / _RECORD, record)
    return folder


def _published_head() -> nn.Sequential:
    """Raises CheckpointError if the ``geoclip`` package is not installed."""
    head = nn.Sequential(nn.Linear(_WIDTHS[0], _WIDTHS[1]), nn.ReLU(), nn.Linear(_WIDTHS[1], _WIDTHS[2]))
    head.load_state_dict(read_weights(IMAGE_HEAD))
    return head


def _clip(folder: Path) -> nn.Module:
    """CLIP's image half out of a folder in the hub's layout.

    Raises:
        CheckpointError: It holds something else.
    """
    from transformers import CLIPVisionModelWithProjection
    from transformers.utils.logging import get_verbosity, set_verbosity

    absent = [name for name in _CLIP_FILES if not (folder / name).is_file()]
    if absent:
        raise CheckpointError(f"{folder} holds no CLIP: {absent[0]} is missing.")
    heard = get_verbosity()
    set_verbosity(logging.ERROR)  # the other half, of texts, is left in the file on purpose
    try:
        found: Any = CLIPVisionModelWithProjection.from_pretrained(
            folder, local_files_only=True, output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(f"{folder} holds no CLIP that can be read: {reason(error)}.") from error
    finally:
        set_verbosity(heard)
    clip, report = found
    strange = report["missing_keys"] or report["mismatched_keys"]
    if strange or clip.config.projection_dim != _WIDTHS[0] or clip.config.image_size != _PX:
        raise CheckpointError(f"{folder} holds another model than CLIP ViT-L/14 ({REPOSITORY}).")
    model: nn.Module = clip
    return model


def _folder() -> Path:
    return cache_folder() / "baselines" / NAME
