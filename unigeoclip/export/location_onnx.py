"""The location encoder as an ONNX graph: degrees in, unit vectors out, for programs without PyTorch."""

from __future__ import annotations

import json
import math
import warnings
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn

from unigeoclip.errors import CheckpointError, InputError
from unigeoclip.extras import needs_extra
from unigeoclip.files.atomic import atomic
from unigeoclip.geo import EQUAL_EARTH_A, EQUAL_EARTH_X_MAX

if TYPE_CHECKING:
    from pathlib import Path

    from unigeoclip.atlas.provenance import Provenance
    from unigeoclip.modalities.location import LocationEncoder
    from unigeoclip.model import UniGeoCLIP

__all__ = ["INPUT", "OUTPUT", "check_onnx_out", "export_onnx"]

INPUT, OUTPUT = "latlon", "embedding"
OPSET = 18
# ONNX Runtime has no arcsine in float64: the one in float32 is right to 1e-7, each step squares that error.
_NEWTON_STEPS = 2
_EXAMPLE = ((42.36, -71.06), (-33.9, 151.2))


class _LocationGraph(nn.Module):
    """Degrees -> unit vectors, the projection in float64 as in `geo.equal_earth`, whose rounding errors it shares."""

    def __init__(self, encoder: LocationEncoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.register_buffer("center", torch.tensor(encoder.config.centre, dtype=torch.float64))
        self.center: Tensor

    def forward(self, latlon: Tensor) -> Tensor:
        """(n, 2) float64 degrees -> (n, dim) float32 of L2 norm 1; longitudes may be those of any turn."""
        a1, a2, a3, a4 = EQUAL_EARTH_A
        lon = latlon[:, 1] - 360 * torch.floor((latlon[:, 1] + 180) / 360)
        lat, lon = latlon[:, 0] * (math.pi / 180), lon * (math.pi / 180)
        sine = math.sqrt(3) / 2 * torch.sin(lat)
        cosine = torch.sqrt(1 - sine * sine)  # theta lies within 60 degrees of zero
        theta = torch.asin(sine.float()).double()
        for _ in range(_NEWTON_STEPS):
            theta = theta - (torch.sin(theta) - sine) / cosine
        t2 = theta * theta
        t6 = t2 * t2 * t2
        x = 2 * math.sqrt(3) * lon * cosine / (3 * (9 * a4 * t6 * t2 + 7 * a3 * t6 + 3 * a2 * t2 + a1))
        y = theta * (a4 * t6 * t2 + a3 * t6 + a2 * t2 + a1)
        xy = torch.stack([x, y], dim=1) / EQUAL_EARTH_X_MAX - self.center
        return nn.functional.normalize(self.encoder(xy.float()), dim=-1)


def check_onnx_out(out: Path) -> None:
    """Check that a graph can be written, before the model is loaded.

    Raises:
        InputError: The file's name does not end in .onnx.
        MissingPackageError: What writes ONNX is not installed.
    """
    if out.suffix.lower() != ".onnx":
        raise InputError(f"{out}: the graph is written as ONNX; give --out a name that ends in .onnx.")
    with needs_extra("onnx"):
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401


def export_onnx(model: UniGeoCLIP, out: Path, provenance: Provenance | None = None) -> None:
    """Write the location encoder of a model as an ONNX graph, one file, whole or not at all.

    The graph takes "latlon", (n, 2) float64 degrees for any n, and gives "embedding", (n, dim) float32 unit vectors. It
    holds the Equal Earth projection in float64; it checks nothing: latitudes must lie in [-90, 90].

    Args:
        model: In evaluation mode.
        out: File to write, named .onnx.
        provenance: Kept in the file's metadata under "provenance", as JSON.

    Raises:
        CheckpointError: The model encodes no location.
        InputError: See `check_onnx_out`; or the file cannot be written.
    """
    check_onnx_out(out)
    if "location" not in model.modalities:
        raise CheckpointError("This model encodes no location; only location encoders are written as ONNX.")
    with needs_extra("onnx"):
        import onnx

    graph = _LocationGraph(cast("LocationEncoder", model.encoders["location"])).eval()
    example = torch.tensor(_EXAMPLE, dtype=torch.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the exporter's own parts
        program = torch.onnx.export(
            graph, (example,), dynamo=True, input_names=[INPUT], output_names=[OUTPUT], opset_version=OPSET,
            dynamic_shapes=({0: torch.export.Dim("points", min=1)},), verbose=False,
        )  # fmt: skip
    assert program is not None
    proto = program.model_proto
    facts = {"dim": str(model.dim), "input": "latitude, longitude in WGS84 degrees, float64", "norm": "L2 = 1"}
    if provenance is not None:
        facts["provenance"] = json.dumps(provenance.members(), ensure_ascii=False)
    onnx.helper.set_model_props(proto, facts)
    with atomic(out) as temporary:
        temporary.write_bytes(proto.SerializeToString(deterministic=True))
