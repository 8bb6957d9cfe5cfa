"""GeoCLIP's published location encoder (Vivanco, Nayak & Shah, NeurIPS 2023, arXiv 2309.16020).

(lat, lon) -> Equal Earth -> three capsules, one per scale sigma = 1, 16, 256: Gaussian Fourier features, then an MLP
512-1024-1024-1024-512 with ReLU between; the capsules' outputs are summed. 9.4 million parameters, 512 dimensions.

The weights ship inside the ``geoclip`` wheel, whose dependencies need an image stack that a location does not. So
:func:`convert_geoclip` takes them out of the wheel once, and :class:`GeoCLIPEmbedder` reads what it wrote.
"""

from __future__ import annotations

import functools
import hashlib
import io
import itertools
import math
import pickle
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from unigeoclip.config import read_json, write_json
from unigeoclip.embedders.base import Provenance, embed_in_batches
from unigeoclip.errors import CheckpointError, DownloadError, InputError
from unigeoclip.files.atomic import atomic, write_bytes
from unigeoclip.files.downloads import Package
from unigeoclip.geo import EQUAL_EARTH_A, as_latlon, random_on_sphere

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from unigeoclip.embedders.geoclip_images import GeoCLIPImages

__all__ = ["GEOCLIP_FOLDER", "GeoCLIPEmbedder", "GeoCLIPLocationEncoder", "convert_geoclip"]

GEOCLIP_FOLDER = Path(__file__).resolve().parents[2] / "assets" / "baselines" / "geoclip"

_VERSION = "1.3.0"
WHEEL = Package(
    "geoclip",
    _VERSION,
    f"geoclip-{_VERSION}-py3-none-any.whl",
    40_292_198,
    "08a93791166a279d52b95c466a952c75f17f654cc61bdf6ab20355325b564dec",
)
_WEIGHTS_IN_WHEEL = "geoclip/model/weights/location_encoder_weights.pth"
_LICENCE_IN_WHEEL = f"geoclip-{_VERSION}.dist-info/licenses/LICENSE"
_WEIGHTS, _LICENCE, _PROVENANCE = "location_encoder.safetensors", "LICENSE", "provenance.json"

_CAPSULES = 3
_WIDTHS = (512, 1024, 1024, 1024, 512)  # Fourier features, three hidden layers, embedding
_LAYER_NAMES = ("capsule.1", "capsule.3", "capsule.5", "head.0")  # as the published file has them
_EQUAL_EARTH_SCALE = 66.50336  # then divided by 180: (0, 180 E) becomes (1, 0)

# Weight decay has left the published file with weights down to the subnormal range (4 % of one matrix), where a
# processor multiplies ten times slower. Below this they change no bit of any output.
_NEGLIGIBLE_WEIGHT = 1e-20
# Bits per weight. Sixteen leave errors of up to 1.4e-5 in the unit vector; seventeen halve those. The first capsule, of
# the coarsest scale, adds little of it, and its seventeenth bit would cost half a megabyte.
_BITS = (16, 17, 17)


class Capsule(nn.Module):
    """One scale: (n, 2) projected positions -> (n, 512)."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("frequencies", torch.zeros(_WIDTHS[0] // 2, 2))
        self.frequencies: Tensor
        self.layers = nn.ModuleList(nn.Linear(i, o) for i, o in itertools.pairwise(_WIDTHS))

    def forward(self, xy: Tensor) -> Tensor:
        """Fourier features, then the MLP."""
        return self.of_phase((2 * math.pi * xy) @ self.frequencies.T)

    def of_phase(self, phase: Tensor) -> Tensor:
        """The MLP on waves at these phases, (n, 256) radians -> (n, 512)."""
        hidden = torch.cat([phase.cos(), phase.sin()], dim=1)
        for layer in self.layers[:-1]:
            hidden = F.relu(layer(hidden), inplace=True)
        out: Tensor = self.layers[-1](hidden)
        return out


class GeoCLIPLocationEncoder(nn.Module):
    """The architecture, with random weights: (n, 2) float32 latitude, longitude in degrees -> (n, 512), any length."""

    def __init__(self) -> None:
        super().__init__()
        self.capsules = nn.ModuleList(Capsule() for _ in range(_CAPSULES))

    def forward(self, latlon: Tensor) -> Tensor:
        """Sum of the capsules."""
        xy = _project(latlon)
        total = torch.zeros(len(latlon), _WIDTHS[-1])
        for capsule in self.capsules:
            total += capsule(xy)
        return total


def _project(latlon: Tensor) -> Tensor:
    """Equal Earth in float32, operation by operation as the published encoder does it.

    At sigma = 256 the last bit of a float32 position moves the unit vector by up to 1e-4: the encoder was trained on
    positions rounded this way, and `geo.equal_earth`, which is exact to float64, would give another embedding.
    """
    a1, a2, a3, a4 = EQUAL_EARTH_A
    lat, lon = torch.deg2rad(latlon[:, 0]), torch.deg2rad(latlon[:, 1])
    t = torch.asin(math.sqrt(3) / 2 * torch.sin(lat))
    x = 2 * math.sqrt(3) * lon * torch.cos(t) / (3 * (9 * a4 * t**8 + 7 * a3 * t**6 + 3 * a2 * t**2 + a1))
    y = a4 * t**9 + a3 * t**7 + a2 * t**3 + a1 * t
    return torch.stack([x, y], dim=1) * _EQUAL_EARTH_SCALE / 180


class GeoCLIPEmbedder:
    """GeoCLIP's published location encoder; float32, equal to the ``geoclip`` package's own output to 1e-5."""

    name = "geoclip"
    title = "GeoCLIP"
    dim = _WIDTHS[-1]
    provenance = Provenance(
        made_by="Vivanco, Nayak & Shah (NeurIPS 2023), trained on 4.7 million geotagged photographs (MP-16).",
        source=f"Package geoclip {_VERSION} from PyPI, weights in {_WEIGHTS_IN_WHEEL}",
        licence="MIT, copyright (c) 2024 Vicente Vivanco",
    )

    def __init__(self, encoder: GeoCLIPLocationEncoder) -> None:
        """Wrap an encoder; :meth:`from_folder` reads the published one."""
        self.encoder = encoder.eval()

    @classmethod
    def from_folder(cls, folder: Path = GEOCLIP_FOLDER) -> GeoCLIPEmbedder:
        """Read the weights that :func:`convert_geoclip` wrote.

        Raises:
            CheckpointError: A file is missing, or is not the one that was written.
        """
        remedy = f"restore {folder}, or make it again with convert_geoclip"
        weights = folder / _WEIGHTS
        try:
            expected = read_json(folder / _PROVENANCE)["files"][_WEIGHTS]["sha256"]
            found = _sha256(weights.read_bytes())
        except (InputError, OSError, KeyError, TypeError) as error:
            raise CheckpointError(f"GeoCLIP's weights cannot be read ({error}): {remedy}.") from error
        if found != expected:
            raise CheckpointError(f"{weights} is damaged (its checksum is not the one of {_PROVENANCE}): {remedy}.")
        try:
            encoder = _encoder_of(_unpack(load_file(weights)))
        except (SafetensorError, RuntimeError, KeyError, ValueError) as error:
            raise CheckpointError(f"{weights} does not hold GeoCLIP's location encoder ({error}): {remedy}.") from error
        return cls(encoder)

    def embed(self, latlon: ArrayLike) -> NDArray[np.float32]:
        """See :meth:`unigeoclip.embedders.base.Embedder.embed`; 180 E is embedded as 180 W, the same meridian."""
        return embed_in_batches(latlon, self.dim, self._encode)

    def embed_picture(self, data: bytes, kind: str) -> NDArray[np.float32]:
        """See :meth:`unigeoclip.embedders.base.PictureEmbedder.embed_picture`; trained on photographs, asked by any."""
        if kind == "surface":
            raise InputError("GeoCLIP reads photographs, not heights.")
        return self._images.embed_file(data)

    @functools.cached_property
    def _images(self) -> GeoCLIPImages:
        from unigeoclip.embedders.geoclip_images import GeoCLIPImages

        return GeoCLIPImages.from_cache()

    def raw(self, latlon: ArrayLike) -> NDArray[np.float32]:
        """The encoder's output before it is brought to length one: (n, 2) degrees -> (n, 512) float32.

        Raises:
            InputError: Not coordinates; the message names the first bad row.
        """
        return self._encode(as_latlon(latlon))

    @torch.inference_mode()
    def _encode(self, points: NDArray[np.float64]) -> NDArray[np.float32]:
        vectors: NDArray[np.float32] = self.encoder(torch.from_numpy(points.astype(np.float32))).numpy()
        return vectors


# Storage: whole numbers with one float32 scale per output row. A 17-bit number is 2 q + b, with q of 16 bits and the
# bits b of a row packed eight to a byte. Of q, the low bytes are as good as random; the high bytes are not, so they are
# deflated: 0.6 MB less for the same numbers.


def _quantized(weight: Tensor, bits: int) -> dict[str, Tensor]:
    """(out, in) float32 -> what is stored of it.

    Returns:
        "weight" (out, in) uint8, the low bytes; "high", a stream of deflated high bytes, uint8; "scale" (out,) float32;
        and for 17 bits "low" (out, in / 8) uint8.
    """
    weight = torch.where(weight.abs() < _NEGLIGIBLE_WEIGHT, 0.0, weight).double()
    largest = 2 ** (bits - 1) - 1
    scale = (weight.abs().amax(1) / largest).float()
    # Divided by the scale as it is stored; a row of zeros has scale zero.
    numbers = (weight / torch.where(scale == 0, 1.0, scale).double()[:, None]).round().clamp(-largest, largest).int()
    bits_below = {}
    if bits == 17:
        bits_below = {"low": torch.from_numpy(np.packbits((numbers & 1).numpy().astype(np.uint8), axis=1))}
        numbers = numbers >> 1
    high = np.frombuffer(zlib.compress((numbers >> 8).to(torch.int8).numpy().tobytes(), 9), np.uint8).copy()
    low_bytes = (numbers & 0xFF).to(torch.uint8)
    return {"weight": low_bytes, "high": torch.from_numpy(high), "scale": scale} | bits_below


def _restored(weight: Tensor, high: Tensor, scale: Tensor, low: Tensor | None) -> Tensor:
    """The inverse of :func:`_quantized`, to float32.

    Raises:
        ValueError: The high bytes are damaged.
    """
    inflate = zlib.decompressobj()
    try:
        data = inflate.decompress(high.numpy().tobytes(), weight.numel() + 1)  # never more, whatever the file holds
    except zlib.error as error:
        raise ValueError(f"high bytes: {error}") from error
    if len(data) != weight.numel():
        raise ValueError(f"{len(data)} high bytes for {weight.numel()} weights")
    numbers = torch.frombuffer(bytearray(data), dtype=torch.int8).reshape(weight.shape).float() * 256 + weight.float()
    if low is not None:
        numbers = 2 * numbers + torch.from_numpy(np.unpackbits(low.numpy(), axis=1))
    return numbers * scale[:, None]


def _pack(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """State of the encoder -> tensors as stored; frequencies and biases stay float32."""
    packed = {name: tensor.contiguous() for name, tensor in state.items() if not name.endswith(".weight")}
    for name in state.keys() - packed.keys():
        prefix = name.removesuffix("weight")
        quantized = _quantized(state[name], _BITS[int(name.split(".")[1])])
        packed |= {prefix + part: tensor for part, tensor in quantized.items()}
    return packed


def _unpack(packed: dict[str, Tensor]) -> dict[str, Tensor]:
    """Tensors as stored -> state of the encoder, float32."""
    state = {name: tensor for name, tensor in packed.items() if name.endswith((".frequencies", ".bias"))}
    for name in packed:
        if name.endswith(".weight"):
            prefix = name.removesuffix("weight")
            stored = (packed[name], packed[prefix + "high"], packed[prefix + "scale"], packed.get(prefix + "low"))
            state[name] = _restored(*stored)
    return state


def _encoder_of(state: dict[str, Tensor]) -> GeoCLIPLocationEncoder:
    """The encoder with these tensors for weights, without drawing random ones first."""
    with torch.device("meta"):
        encoder = GeoCLIPLocationEncoder()
    encoder.load_state_dict(state, assign=True)
    return encoder


def convert_geoclip(wheel: Path, folder: Path = GEOCLIP_FOLDER) -> Path:
    """Take the location encoder out of the ``geoclip`` wheel and store it with its licence and provenance.

    The wheel comes from ``pip download --no-deps geoclip==1.3.0``.

    Args:
        wheel: The file.
        folder: Where "location_encoder.safetensors", "LICENSE" and "provenance.json" go; made if it does not exist.

    Returns:
        The safetensors file, less than 20 MB.

    Raises:
        DownloadError: The wheel cannot be read or is another one.
    """
    published, licence, origin = _read_wheel(wheel)
    packed = _pack(published)
    folder.mkdir(parents=True, exist_ok=True)
    weights = folder / _WEIGHTS
    with atomic(weights, failures=(SafetensorError,)) as temporary:
        save_file(packed, temporary)
    write_bytes(folder / _LICENCE, licence)
    record = {
        "name": "GeoCLIP location encoder",
        "paper": "Vivanco, Nayak & Shah: GeoCLIP, NeurIPS 2023, arXiv 2309.16020",
        "package": "geoclip",
        "version": _VERSION,
        "url": WHEEL.url,
        "licence": "MIT",
        "attribution": GeoCLIPEmbedder.provenance.licence,
        "origin": origin,
        "storage": "weights as 16-bit (sigma 1) and 17-bit (sigma 16, 256) whole numbers with a float32 scale per row, "
        "high bytes deflated; frequencies and biases float32",
        "error": _storage_error(published, packed),
        "made_by": "unigeoclip.embedders.geoclip.convert_geoclip",
        "files": {
            name: {"bytes": len(data), "sha256": _sha256(data)}
            for name, data in ((_WEIGHTS, weights.read_bytes()), (_LICENCE, licence))
        },
    }
    write_json(folder / _PROVENANCE, record)
    return weights


def _read_wheel(wheel: Path) -> tuple[dict[str, Tensor], bytes, dict[str, Any]]:
    """State of the encoder with the published float32 weights, the licence text, and where they were."""
    content, licence = files_of_wheel(wheel, _WEIGHTS_IN_WHEEL, _LICENCE_IN_WHEEL)
    published = published_tensors(content, f"{_WEIGHTS_IN_WHEEL} in {wheel}")
    state = {}
    for i in range(_CAPSULES):
        state[f"capsules.{i}.frequencies"] = published[f"LocEnc{i}.capsule.0.b"]
        for j, layer in enumerate(_LAYER_NAMES):
            for part in ("weight", "bias"):
                state[f"capsules.{i}.layers.{j}.{part}"] = published[f"LocEnc{i}.{layer}.{part}"]
    origin = {
        "wheel_bytes": WHEEL.size_bytes,
        "wheel_sha256": WHEEL.sha256,
        "file": _WEIGHTS_IN_WHEEL,
        "file_sha256": _sha256(content),
        "parameters": sum(tensor.numel() for tensor in state.values()),
    }
    return state, licence, origin


def files_of_wheel(wheel: Path, *names: str) -> list[bytes]:
    """Files out of the ``geoclip`` wheel.

    Raises:
        DownloadError: The wheel cannot be read or is another one.
    """
    try:
        data = wheel.read_bytes()
    except OSError as error:
        raise DownloadError(f"{wheel} cannot be read: {error.strerror}.") from error
    if _sha256(data) != WHEEL.sha256:
        raise DownloadError(
            f"{wheel} is not the wheel of geoclip {_VERSION}: get it with pip download --no-deps geoclip=={_VERSION}."
        )
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [archive.read(name) for name in names]


def published_tensors(content: bytes, where: str) -> dict[str, Tensor]:
    """A published file of weights, read without running code.

    Raises:
        DownloadError: It is something else.
    """
    try:
        tensors: dict[str, Tensor] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise DownloadError(f"{where} is not a file of tensors: {error}.") from error
    return tensors


def _storage_error(published: dict[str, Tensor], packed: dict[str, Tensor], points: int = 2000) -> dict[str, Any]:
    """The largest difference that storage makes to any component of the unit vector, at points drawn with seed 0."""
    latlon = torch.from_numpy(random_on_sphere(points, np.random.default_rng(0))).float()
    vectors = []
    for state in (published, _unpack(packed)):
        encoder = _encoder_of(state)
        with torch.inference_mode():
            vectors.append(F.normalize(encoder(latlon), dim=1))
    return {"points": points, "seed": 0, "max_abs_unit": float(f"{(vectors[0] - vectors[1]).abs().max():.2g}")}


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
