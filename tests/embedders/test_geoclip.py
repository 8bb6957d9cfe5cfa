"""GeoCLIP's location encoder: equal to the package's own, and no other weights than the published ones accepted.

``geoclip_golden.npz`` holds what ``geoclip.model.location_encoder.LocationEncoder`` of the package geoclip 1.3.0
returned, float32 on a CPU, for cities on all continents, both poles and both sides of the date line.
"""

import importlib.metadata
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from unigeoclip.atlas.store import load_atlas
from unigeoclip.embedders import geoclip, geoclip_wheel, load_all
from unigeoclip.embedders.geoclip import GeoCLIPEmbedder, GeoCLIPLocationEncoder
from unigeoclip.embedders.geoclip_wheel import IMAGE_HEAD, LOCATION_ENCODER, read_weights
from unigeoclip.errors import CheckpointError
from unigeoclip.geo import as_latlon, equal_earth

PUBLISHED_HEAD = Path(str(importlib.metadata.distribution("geoclip").locate_file(IMAGE_HEAD.path)))
GOLDEN = np.load(Path(__file__).with_name("geoclip_golden.npz"))


@pytest.fixture(scope="module")
def embedder():
    return GeoCLIPEmbedder.from_package()


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


def test_weights_are_the_published_ones(embedder):
    published = read_weights(LOCATION_ENCODER)
    assert sum(tensor.numel() for tensor in embedder.encoder.state_dict().values()) == 9_449_472
    assert sum(tensor.numel() for tensor in GeoCLIPLocationEncoder().state_dict().values()) == 9_449_472
    last = embedder.encoder.capsules[2].layers[3]
    torch.testing.assert_close(last.weight, published["LocEnc2.head.0.weight"], rtol=0, atol=1e-20)
    torch.testing.assert_close(last.bias, published["LocEnc2.head.0.bias"], rtol=0, atol=1e-20)


def test_the_geoclip_package_itself_is_not_imported():
    code = (
        "import sys; from unigeoclip.embedders.geoclip import GeoCLIPEmbedder as E; E.from_package();"
        "print([name for name in sys.modules if name.split('.')[0] in ('geoclip', 'torchvision', 'geopy')])"
    )
    root = Path(__file__).resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", code], check=True, cwd=root, capture_output=True).stdout == b"[]\n"


@pytest.fixture
def installation(tmp_path, monkeypatch):
    """An installation of geoclip in an empty folder, in place of this machine's."""
    metadata = tmp_path / "geoclip-1.3.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: geoclip\nVersion: 1.3.0\n")
    found = importlib.metadata.PathDistribution(metadata)
    monkeypatch.setattr(geoclip_wheel.importlib.metadata, "distribution", lambda name: found)
    return tmp_path


@pytest.fixture
def no_installation(monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(geoclip_wheel.importlib.metadata, "distribution", missing)


def put(installation, file, data):
    path = installation / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def test_without_the_package_the_command_that_installs_it_is_told(no_installation):
    for file in (LOCATION_ENCODER, IMAGE_HEAD):
        with pytest.raises(
            CheckpointError, match=r"not installed\. Install it with: pip install --no-deps geoclip==1\.3"
        ):
            read_weights(file)


def test_without_the_package_geoclip_is_among_the_unavailable_models(no_installation, tmp_path, monkeypatch):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path))
    found, missing = load_all(load_atlas("world"))
    assert "geoclip" not in found
    assert "pip install --no-deps geoclip==1.3.0" in missing["geoclip"]
    assert "pip install --no-deps geoclip==1.3.0" in missing["geoclip-retrained"]
    assert {"unigeoclip", "coordinates", "satclip-retrained"} <= set(found)


def test_a_file_that_the_installation_lacks(installation):
    with pytest.raises(CheckpointError, match=r"location_encoder_weights\.pth.* is missing.*--force-reinstall"):
        read_weights(LOCATION_ENCODER)


@pytest.mark.parametrize("damage", ["cut", "one bit", "longer"])
def test_a_damaged_file_is_refused(installation, damage):
    data = bytearray(PUBLISHED_HEAD.read_bytes())
    if damage == "one bit":
        data[len(data) // 2] ^= 1
    put(installation, IMAGE_HEAD, {"cut": data[:-1], "one bit": data, "longer": data + b"0"}[damage])
    with pytest.raises(CheckpointError, match="checksum|larger than"):
        read_weights(IMAGE_HEAD)


def test_weights_of_another_version_are_refused_before_they_are_parsed(monkeypatch):
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("parsed a file whose checksum is wrong"))
    with pytest.raises(CheckpointError, match="damaged or of another version.*--force-reinstall"):
        read_weights(replace(LOCATION_ENCODER, sha256=64 * "0"))
