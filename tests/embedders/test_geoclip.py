"""GeoCLIP's location encoder: equal to the package's own, small on disk, and nothing but itself accepted.

``geoclip_golden.npz`` holds what ``geoclip.model.location_encoder.LocationEncoder`` of the package geoclip 1.3.0
returned, float32 on a CPU, for cities on all continents, both poles and both sides of the date line.
"""

import json
import shutil
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch

from unigeoclip.embedders import geoclip
from unigeoclip.embedders.geoclip import GEOCLIP_FOLDER, GeoCLIPEmbedder, GeoCLIPLocationEncoder, convert_geoclip
from unigeoclip.errors import CheckpointError, DownloadError
from unigeoclip.geo import as_latlon, equal_earth

GOLDEN = np.load(Path(__file__).with_name("geoclip_golden.npz"))


@pytest.fixture(scope="module")
def embedder():
    return GeoCLIPEmbedder.from_folder()


def test_equal_to_the_package(embedder):
    raw = GOLDEN["raw"]
    np.testing.assert_allclose(embedder.raw(GOLDEN["latlon"]), raw, rtol=0, atol=5e-6)
    unit = raw / np.linalg.norm(raw, axis=1, keepdims=True)
    np.testing.assert_allclose(embedder.embed(GOLDEN["latlon"]), unit, rtol=0, atol=1e-5)


def test_golden_points_reach_poles_and_date_line():
    latlon = GOLDEN["latlon"]
    assert len(latlon) >= 50
    assert {90.0, -90.0} <= set(latlon[:, 0])
    assert latlon[:, 1].min() == -180
    assert 179.99 < latlon[:, 1].max() < 180


def test_longitudes_are_the_same_meridian_however_written(embedder):
    np.testing.assert_array_equal(embedder.embed([(12.5, 180.0)]), embedder.embed([(12.5, -180.0)]))
    np.testing.assert_array_equal(embedder.embed([(48.8, 362.5)]), embedder.embed([(48.8, 2.5)]))


def test_the_projection_agrees_with_ours():
    latlon = GOLDEN["latlon"]
    theirs = geoclip._project(torch.from_numpy(latlon.astype(np.float32))).numpy()
    np.testing.assert_allclose(theirs, equal_earth(as_latlon(latlon)), atol=5e-7)


def test_no_weight_is_subnormal(embedder):
    smallest = np.finfo(np.float32).tiny
    for name, tensor in embedder.encoder.state_dict().items():
        values = tensor.abs()
        assert not ((values > 0) & (values < smallest)).any(), name


def test_parameters_and_file_size():
    assert sum(tensor.numel() for tensor in GeoCLIPLocationEncoder().state_dict().values()) == 9_449_472
    assert (GEOCLIP_FOLDER / "location_encoder.safetensors").stat().st_size <= 19_200_000


def test_provenance_names_origin_licence_and_error():
    record = json.loads((GEOCLIP_FOLDER / "provenance.json").read_text())
    assert record["package"] == "geoclip"
    assert record["version"] == "1.3.0"
    assert record["licence"] == "MIT"
    assert len(record["origin"]["wheel_sha256"]) == 64
    assert record["error"]["max_abs_unit"] < 1e-5
    assert "MIT License" in (GEOCLIP_FOLDER / "LICENSE").read_text()
    for name, entry in record["files"].items():
        data = (GEOCLIP_FOLDER / name).read_bytes()
        assert entry == {"bytes": len(data), "sha256": geoclip._sha256(data)}


@pytest.mark.parametrize("bits", [16, 17])
def test_storage_is_exact_to_half_a_step(bits):
    weight = torch.randn(7, 24, generator=torch.Generator().manual_seed(0)) * torch.logspace(-4, 2, 7)[:, None]
    weight[3] = 0
    weight[4, 5] = 1e-39
    stored = geoclip._quantized(weight, bits)
    assert stored["weight"].dtype == torch.uint8
    assert ("low" in stored) == (bits == 17)
    restored = geoclip._restored(stored["weight"], stored["high"], stored["scale"], stored.get("low"))
    step = weight.abs().amax(1, keepdim=True) / (2 ** (bits - 1) - 1)
    assert ((restored - weight).abs() <= 0.51 * step + 1e-6 * weight.abs()).all()
    assert (restored[3] == 0).all()
    assert restored[4, 5] == 0


@pytest.mark.parametrize("damage", [b"", b"no stream", zlib.compress(b"ab"), zlib.compress(bytes(10_000))])
def test_damaged_high_bytes_are_refused(damage):
    stored = geoclip._quantized(torch.ones(2, 8), 16)
    with pytest.raises(ValueError, match="high bytes"):
        geoclip._restored(stored["weight"], torch.tensor(list(damage), dtype=torch.uint8), stored["scale"], None)


def test_missing_and_damaged_weights_say_so(tmp_path):
    with pytest.raises(CheckpointError, match=r"provenance.json does not exist.*convert_geoclip"):
        GeoCLIPEmbedder.from_folder(tmp_path)
    shutil.copy(GEOCLIP_FOLDER / "provenance.json", tmp_path)
    with pytest.raises(CheckpointError, match="location_encoder"):
        GeoCLIPEmbedder.from_folder(tmp_path)
    (tmp_path / "location_encoder.safetensors").write_bytes(b"something else")
    with pytest.raises(CheckpointError, match="damaged"):
        GeoCLIPEmbedder.from_folder(tmp_path)


def test_a_file_of_other_tensors_is_refused(tmp_path):
    weights = tmp_path / "location_encoder.safetensors"
    geoclip.save_file({"capsules.0.frequencies": torch.zeros(256, 2)}, weights)
    entry = {"sha256": geoclip._sha256(weights.read_bytes())}
    (tmp_path / "provenance.json").write_text(json.dumps({"files": {weights.name: entry}}))
    with pytest.raises(CheckpointError, match="does not hold GeoCLIP's location encoder"):
        GeoCLIPEmbedder.from_folder(tmp_path)


def test_another_wheel_is_refused(tmp_path):
    with pytest.raises(DownloadError, match="cannot be read"):
        convert_geoclip(tmp_path / "no.whl", tmp_path)
    other = tmp_path / "geoclip-1.3.0-py3-none-any.whl"
    other.write_bytes(b"PK")
    with pytest.raises(DownloadError, match=r"pip download --no-deps geoclip==1\.3\.0"):
        convert_geoclip(other, tmp_path / "out")
    assert not (tmp_path / "out").exists()
