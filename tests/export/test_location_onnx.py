"""The location encoder as ONNX, run by ONNX Runtime, against PyTorch."""

import json

import numpy as np
import pytest
import torch

from tests.explorable import CITY_CONFIG, CONFIG, write_explorable_atlas
from unigeoclip.cli.main import main
from unigeoclip.embedders.base import Provenance
from unigeoclip.embedders.unigeoclip import UniGeoCLIPEmbedder
from unigeoclip.errors import CheckpointError, MissingPackageError
from unigeoclip.export.location_onnx import check_onnx_out, export_onnx
from unigeoclip.model import ModelConfig, UniGeoCLIP

onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra 'onnx' and onnxruntime")
EDGES = [
    (90, 0),
    (-90, 0),
    (90, -180),
    (0, 180),
    (0, -180),
    (0, 179.999999),
    (-16.5, 180),
    (0, 190.5),
    (12, -365),
    (0, 0),
]
CENTER = (-0.344806, 0.301296)  # Boston


def sampled(south, west, north, east, count):
    draw = np.random.default_rng(0)
    return np.stack([draw.uniform(south, north, count), draw.uniform(west, east, count)], axis=1)


@pytest.mark.slow
@pytest.mark.parametrize("scale", ["world", "city"])
def test_the_graph_gives_the_same_vectors(tmp_path, scale):
    torch.manual_seed(0)
    if scale == "world":
        config, points = CONFIG, np.concatenate([np.array(EDGES, np.float64), sampled(-90, -180, 90, 180, 990)])
    else:
        location = CITY_CONFIG.encoders["location"] | {"centre": list(CENTER)}
        config = ModelConfig(CITY_CONFIG.dim, {"location": location})
        points = sampled(42.2, -71.3, 42.5, -70.9, 1000)
    model = UniGeoCLIP(config).eval()
    export_onnx(model, tmp_path / "location.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "location.onnx")
    vectors = session.run(None, {"latlon": points})[0]
    expected = UniGeoCLIPEmbedder(model, Provenance("", "", "")).embed(points)
    # The finest waves of a city turn 10,000 radians over it, of which float32 keeps a thousandth of one: whatever order
    # of products either library takes shows there, as it does between two processors.
    np.testing.assert_allclose((vectors * expected).sum(1), 1, atol=1e-4 if scale == "city" else 1e-6)
    if scale == "world":
        np.testing.assert_allclose(vectors, expected, atol=2e-5)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    one = session.run(None, {"latlon": points[:1]})[0]
    np.testing.assert_allclose(one, vectors[:1], atol=1e-5)


@pytest.mark.slow
def test_the_command_writes_where_the_graph_comes_from(tmp_path, capsys):
    folder = write_explorable_atlas(tmp_path / "tiny")
    out = tmp_path / "tiny.onnx"
    assert main(["export-onnx", "--atlas", str(folder), "--out", str(out)]) == 0
    facts = onnxruntime.InferenceSession(out).get_modelmeta().custom_metadata_map
    assert facts["dim"] == "16"
    assert json.loads(facts["provenance"])["atlas"] == "tiny"
    assert "16 dimensions" in capsys.readouterr().out


def test_what_cannot_be_written_is_said_first(tmp_path, monkeypatch, capsys):
    assert main(["export-onnx", "--out", str(tmp_path / "a.pt")]) == 2
    assert "ends in .onnx" in capsys.readouterr().err
    blind = UniGeoCLIP(ModelConfig(16, {"text": {"hidden": 16}}))
    with pytest.raises(CheckpointError, match="no location"):
        export_onnx(blind, tmp_path / "a.onnx")
    monkeypatch.setitem(__import__("sys").modules, "onnxscript", None)
    with pytest.raises(MissingPackageError, match=r"unigeoclip\[onnx\]"):
        check_onnx_out(tmp_path / "a.onnx")
