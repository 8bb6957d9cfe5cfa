"""SatCLIP's location encoder (Klemmer et al., AAAI 2025, arXiv 2311.17179), from its official checkpoints.

(lon, lat) -> real spherical harmonics of degrees below L -> a SIREN of two hidden layers, all in float64. Six
checkpoints were published: images seen by a ResNet18, a ResNet50 or a ViT16, L = 10 or 40. They lie on a model hub
only, so nothing here ships: :func:`download_satclip` fetches one when a person asks for it, :func:`import_satclip`
takes a file that is already there, and both keep the location encoder alone, with its licence and origin.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from unigeoclip.config import from_dict, read_json, write_json
from unigeoclip.embedders.base import Provenance, embed_in_batches
from unigeoclip.errors import CheckpointError, InputError
from unigeoclip.files.atomic import atomic, reason, sha256_of
from unigeoclip.files.cache import cache_folder
from unigeoclip.files.hub import HubFile, fetch_from_hub
from unigeoclip.geo import as_latlon

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

__all__ = [
    "SATCLIP_VARIANTS",
    "SatCLIPConfig",
    "SatCLIPEmbedder",
    "SatCLIPLocationEncoder",
    "download_satclip",
    "import_satclip",
    "spherical_harmonics",
]

# Image encoder, degrees -> commit and SHA-256 of the checkpoint as its publisher committed it; the one that the paper
# recommends first. The checksum of that one is not known to us.
_PINNED: dict[tuple[str, int], tuple[str, str | None]] = {
    ("ViT16", 40): ("0ef2acc0b91d3c8cfdf4a0cc03207095989287ab", None),
    ("ResNet50", 40): (
        "4591bb4142418299dad615d3fe7c6f88e7943078",
        "50df6453c20ce82b51ceba89811dcf1a21e7fa9d625cbc630f4cdcc4fc0de53a",
    ),
    ("ResNet18", 40): (
        "3af1b3bc10d8df9e42d87e1de0f00be728f88585",
        "6e2ed15146566170829bae8dd506d8274cd6fe4534c0ef407668dc3ccb04d2f1",
    ),
    ("ViT16", 10): (
        "a13816ad6e57e964e29782a84cd3b06b1f032af7",
        "c7596a5f7aacf72a7c49587a2a5a80f23cf61000a36b46e471c1422b273ca9c0",
    ),
    ("ResNet50", 10): (
        "716226a64b906c1906614630045b98c72aaaf732",
        "87ad5e8ca152e9564896f48de033e8d4278665bce049d36b3794847a430e69b1",
    ),
    ("ResNet18", 10): (
        "5b1d6063885cbcc7b784fdd721b467e56b22348a",
        "c4af9559afb43d9c8be2781d4f70ce3f8a1087ea5a3773906c7c50ed05479ebd",
    ),
}
# Name -> file of the hub.
SATCLIP_VARIANTS = {
    (name := f"satclip-{image.lower()}-l{degree}"): HubFile(
        f"microsoft/SatCLIP-{image}-L{degree}", f"{name}.ckpt", *pinned
    )
    for (image, degree), pinned in _PINNED.items()
}
_WEIGHTS, _PROVENANCE = "location_encoder.safetensors", "provenance.json"
_FIRST_OMEGA = 30.0  # of the first sine (Sitzmann et al., NeurIPS 2020); 1 in the others
_COPIES = ("model.location.nnet.", "model.nnet.")  # the published module registers its network twice
_OTHERS = ("model.visual.", "model.logit_scale", "model.posenc.", "model.location.posenc.")


def spherical_harmonics(latlon: NDArray[np.float64], degrees: int) -> NDArray[np.float64]:
    """The features that SatCLIP's network reads: real spherical harmonics as its published code has them.

    Orthonormal and without the Condon-Shortley phase, at the azimuth lon + 180 and the colatitude lat + 90 degrees; the
    zonal ones (order 0) are pi times as large, a slip of the published code that its checkpoints were trained with.
    Legendre functions by the recurrence over the degree, which is stable where the published polynomials cancel.

    Args:
        latlon: (n, 2) degrees.
        degrees: L: degrees 0 to L - 1.

    Returns:
        (n, L * L) float64; order m of degree l is column l * l + l + m.
    """
    lat, lon = np.radians(latlon[:, 0]), np.radians(latlon[:, 1] + 180)
    cosine, sine = -np.sin(lat), np.cos(lat)  # of the colatitude
    out = np.empty((len(latlon), degrees * degrees))
    orders = np.arange(degrees)
    phase = lon[:, None] * orders
    waves_east, waves_north = math.sqrt(2) * np.cos(phase), math.sqrt(2) * np.sin(phase)
    waves_east[:, 0] = math.pi
    before = np.zeros((len(latlon), degrees))
    last = np.zeros((len(latlon), degrees))
    for degree in range(degrees):
        row = np.zeros((len(latlon), degrees))
        low = orders[: max(degree - 1, 0)]  # orders below degree - 1, from the two rows before
        if len(low):
            a = np.sqrt((4 * degree**2 - 1) / (degree**2 - low**2))
            b = np.sqrt(((degree - 1) ** 2 - low**2) / (4 * (degree - 1) ** 2 - 1))
            row[:, low] = a * (cosine[:, None] * last[:, low] - b * before[:, low])
        if degree == 0:
            row[:, 0] = math.sqrt(1 / (4 * math.pi))
        else:
            row[:, degree - 1] = math.sqrt(2 * degree + 1) * cosine * last[:, degree - 1]
            row[:, degree] = math.sqrt((2 * degree + 1) / (2 * degree)) * sine * last[:, degree - 1]
        middle = degree * degree + degree
        out[:, middle : middle + degree + 1] = row[:, : degree + 1] * waves_east[:, : degree + 1]
        out[:, middle - degree : middle] = (row[:, 1 : degree + 1] * waves_north[:, 1 : degree + 1])[:, ::-1]
        before, last = last, row
    return out


@dataclass(frozen=True)
class SatCLIPConfig:
    """Shape of the location encoder; the names are those of the checkpoints' hyper-parameters."""

    legendre_polys: int = 40
    capacity: int = 512
    embed_dim: int = 256
    num_hidden_layers: int = 2

    def __post_init__(self) -> None:
        if min(self.legendre_polys, self.capacity, self.embed_dim, self.num_hidden_layers) < 1:
            raise InputError(f"The shape of a SatCLIP encoder must be whole numbers from 1, not {asdict(self)}.")


class SatCLIPLocationEncoder(nn.Module):
    """The network, with random weights: features of :func:`spherical_harmonics` -> (n, embed_dim), any length."""

    def __init__(self, config: SatCLIPConfig) -> None:
        super().__init__()
        self.config = config
        widths = [config.legendre_polys**2, *[config.capacity] * config.num_hidden_layers]
        layers = [nn.Linear(before, after) for before, after in itertools.pairwise(widths)]
        for number, layer in enumerate(layers):  # uniform, as SIREN: the first within 1 / n, the others root 6 / n
            bound = math.sqrt(6 / layer.in_features) if number else 1 / layer.in_features
            nn.init.uniform_(layer.weight, -bound, bound)
            nn.init.uniform_(layer.bias, -bound, bound)
        self.layers = nn.ModuleList(layers)
        self.last_layer = nn.Linear(config.capacity, config.embed_dim)

    def forward(self, features: Tensor) -> Tensor:
        """Sines of 30 times the first layer and of the others, then the last layer."""
        omega = _FIRST_OMEGA
        for layer in self.layers:
            features, omega = torch.sin(omega * layer(features)), 1.0
        out: Tensor = self.last_layer(features)
        return out


class SatCLIPEmbedder:
    """SatCLIP's published location encoder, in float64 as it was trained; the output is rounded to float32."""

    name = "satclip"

    def __init__(self, encoder: SatCLIPLocationEncoder, title: str, provenance: Provenance) -> None:
        """Wrap an encoder; `from_file` and `from_cache` read one."""
        self.encoder = encoder.double().eval()
        self.dim: int = encoder.config.embed_dim
        self.title = title
        self.provenance = provenance

    @classmethod
    def from_file(cls, path: Path) -> SatCLIPEmbedder:
        """Read a checkpoint in the official layout, whole.

        Raises:
            CheckpointError: It is missing, damaged or of another layout.
        """
        encoder = _read_official(path)
        return cls(encoder, f"SatCLIP ({path.stem})", _provenance(f"Checkpoint {path.name}"))

    @classmethod
    def from_cache(cls, variant: str | None = None) -> SatCLIPEmbedder:
        """Read what :func:`download_satclip` or :func:`import_satclip` kept.

        Args:
            variant: Key of `SATCLIP_VARIANTS`; by default the first of those that are there.

        Raises:
            CheckpointError: None is there, or its files are damaged.
        """
        wanted = list(SATCLIP_VARIANTS) if variant is None else [_known(variant)]
        found = next((name for name in wanted if (_folder(name) / _PROVENANCE).is_file()), None)
        if found is None:
            raise CheckpointError(
                f"No weights of SatCLIP are on this machine. Get them with 'python -m unigeoclip baselines download "
                f"{wanted[0]}' (about 100 MB), or from a file with --from."
            )
        folder = _folder(found)
        remedy = f"fetch it again with 'python -m unigeoclip baselines download {found}'"
        try:
            record = read_json(folder / _PROVENANCE)
            if sha256_of(folder / _WEIGHTS) != record["sha256"]:
                raise CheckpointError(f"{folder / _WEIGHTS} is damaged (another checksum than recorded): {remedy}.")
            encoder = _encoder(from_dict(SatCLIPConfig, record["config"]), load_file(folder / _WEIGHTS), found)
        except (InputError, OSError, KeyError, TypeError, SafetensorError) as error:
            raise CheckpointError(f"The weights of {found} cannot be read ({error}): {remedy}.") from error
        return cls(encoder, f"SatCLIP ({found.removeprefix('satclip-')})", _provenance(record["source"]))

    def embed(self, latlon: ArrayLike) -> NDArray[np.float32]:
        """See :meth:`unigeoclip.embedders.base.Embedder.embed`."""
        return embed_in_batches(latlon, self.dim, self._encode)

    def raw(self, latlon: ArrayLike) -> NDArray[np.float32]:
        """The encoder's output before it is brought to length one: (n, 2) degrees -> (n, dim) float32.

        Raises:
            InputError: Not coordinates; the message names the first bad row.
        """
        return self._outputs(as_latlon(latlon)).float().numpy()

    @torch.inference_mode()
    def _outputs(self, points: NDArray[np.float64]) -> Tensor:
        features = torch.from_numpy(spherical_harmonics(points, self.encoder.config.legendre_polys))
        outputs: Tensor = self.encoder(features)
        return outputs

    @torch.inference_mode()
    def _encode(self, points: NDArray[np.float64]) -> NDArray[np.float32]:
        vectors: NDArray[np.float32] = F.normalize(self._outputs(points), dim=1).float().numpy()
        return vectors


def _provenance(source: str) -> Provenance:
    return Provenance(
        made_by="Klemmer, Rolf, Robinson, Mackey & Russwurm (AAAI 2025), trained on 100,000 Sentinel-2 images.",
        source=source,
        licence="MIT, copyright (c) Microsoft Corporation",
    )


def _known(variant: str) -> str:
    if variant not in SATCLIP_VARIANTS:
        raise InputError(f"Unknown checkpoint {variant!r}. Known: {', '.join(SATCLIP_VARIANTS)}.")
    return variant


def _folder(variant: str) -> Path:
    return cache_folder() / "baselines" / variant


# Official checkpoints

_LARGEST = 4096  # of what a checkpoint says of its shape; memory is taken for it before the weights are compared


def _read_official(path: Path) -> SatCLIPLocationEncoder:
    """The location encoder of a Lightning checkpoint; every name and shape must be the published one."""
    if path.exists() and not path.is_file():  # a pipe would be waited for
        raise CheckpointError(f"{path} is no regular file. Give the path of a checkpoint.")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise CheckpointError(f"{path} does not exist.") from error
    except Exception as error:  # the reader of pickles fails in as many ways as there are wrong bytes
        raise CheckpointError(
            f"{path} is no checkpoint that can be read without running its code: {reason(error)}. Get it again."
        ) from error
    parts = content if isinstance(content, dict) else {}
    known, state = parts.get("hyper_parameters"), parts.get("state_dict")
    if not isinstance(known, dict) or not isinstance(state, dict):
        raise CheckpointError(f"{path} has no hyper_parameters and state_dict: it is no official SatCLIP checkpoint.")
    for key, value in (("le_type", "sphericalharmonics"), ("pe_type", "siren")):
        if known.get(key, value) != value:
            raise CheckpointError(f"{path} has {key} {known[key]!r}; only {value!r} was published and is understood.")
    shape = {key: known[key] for key in asdict(SatCLIPConfig()) if key in known}
    try:
        config = from_dict(SatCLIPConfig, shape)
    except InputError as error:
        raise CheckpointError(f"{path}: {error}") from error
    if max(asdict(config).values()) > _LARGEST:
        raise CheckpointError(f"{path} declares a network that was never published: {shape}.")
    return _encoder(config, _network(state, path), str(path))


def _network(state: dict[Any, Any], path: Path) -> dict[str, Tensor]:
    """Tensors of the network under short names; the two copies must agree and nothing else may be there."""
    for key, value in state.items():
        if not isinstance(key, str) or not isinstance(value, Tensor):
            raise CheckpointError(f"{path} holds {key!r} among its weights, which is no named tensor.")
        if not torch.isfinite(value).all():
            raise CheckpointError(f"{path} is damaged: {key!r} holds numbers that are not finite. Get it again.")
    copies = [{k.removeprefix(start): v for k, v in state.items() if k.startswith(start)} for start in _COPIES]
    if strange := [key for key in state if not key.startswith((*_COPIES, *_OTHERS))]:
        raise CheckpointError(f"{path} holds {strange[0]!r}, which no official SatCLIP checkpoint has.")
    first, second = copies
    differing = [k for k in first.keys() | second.keys() if not _same(first.get(k), second.get(k))]
    if first and second and differing:
        raise CheckpointError(f"{path} holds two location encoders that differ in {min(differing)!r}.")
    return first or second


def _same(one: Tensor | None, other: Tensor | None) -> bool:
    return one is not None and other is not None and torch.equal(one, other)


def _encoder(config: SatCLIPConfig, state: dict[str, Tensor], source: str) -> SatCLIPLocationEncoder:
    """The encoder with these weights, float64."""
    encoder = SatCLIPLocationEncoder(config).double()
    wanted = {name: tuple(value.shape) for name, value in encoder.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in state.items()}
    if wrong := sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)):
        name = wrong[0]
        raise CheckpointError(
            f"{source}: {name} is {found.get(name, 'missing')}, but a SatCLIP encoder of L = {config.legendre_polys} "
            f"has {wanted.get(name, 'no such tensor')}."
        )
    encoder.load_state_dict({name: value.double() for name, value in state.items()})
    return encoder


# Getting them


def import_satclip(variant: str, path: Path, source: str | None = None) -> Path:
    """Keep the location encoder of an official checkpoint in the cache, with its origin.

    Args:
        variant: Key of `SATCLIP_VARIANTS`: which one it is.
        path: The ``.ckpt`` file.
        source: Where it is from, in words; its name by default.

    Returns:
        The folder in the cache.

    Raises:
        InputError: No such variant, or the checkpoint has another L than its name says.
        CheckpointError: The file is missing, damaged or of another layout.
    """
    folder = _folder(_known(variant))
    encoder = _read_official(path)
    degrees = int(variant.rpartition("-l")[2])
    if encoder.config.legendre_polys != degrees:
        raise InputError(f"{path} has L = {encoder.config.legendre_polys}, so it is not {variant}: give its own name.")
    folder.mkdir(parents=True, exist_ok=True)
    with atomic(folder / _WEIGHTS, error=CheckpointError, failures=(SafetensorError,)) as temporary:
        save_file({name: value.contiguous() for name, value in encoder.state_dict().items()}, temporary)
    record = {
        "name": variant,
        "paper": "Klemmer et al.: SatCLIP, AAAI 2025, arXiv 2311.17179",
        "licence": "MIT",
        "source": source or f"Checkpoint {path.name}",
        "checkpoint_sha256": sha256_of(path),
        "config": asdict(encoder.config),
        "sha256": sha256_of(folder / _WEIGHTS),
    }
    write_json(folder / _PROVENANCE, record)
    return folder


def download_satclip(variant: str, say: Callable[[str], None], endpoint: str | None = None) -> Path:
    """Fetch an official checkpoint from the hub, check it, and keep its location encoder in the cache.

    Args:
        variant: Key of `SATCLIP_VARIANTS`.
        say: Called with what and how much is fetched, before it is.
        endpoint: Of the hub, in place of https://huggingface.co.

    Returns:
        The folder in the cache.

    Raises:
        InputError: No such variant.
        DownloadError: The hub cannot be reached, or what came is not what it announced.
        CheckpointError: The file is of another layout.
    """
    wanted = SATCLIP_VARIANTS[_known(variant)]
    remedy = f"With the file from elsewhere: baselines download {variant} --from FILE."
    path = fetch_from_hub(wanted, say, endpoint, remedy)
    return import_satclip(variant, path, f"{wanted.repository} at {wanted.revision}, {wanted.file}")
