"""DINOv2 of the same layout as the published one, with few and narrow layers of random weights."""

import numpy as np
import pytest
import torch
from transformers import Dinov2Config, Dinov2Model

from unigeoclip.errors import CheckpointError, InputError
from unigeoclip.trunks import TRUNKS, dinov2, open_trunk
from unigeoclip.trunks.dinov2 import Dinov2Small, as_hub_names, download_dinov2

PX = 56
SHAPE = {
    "hidden_size": 24, "num_attention_heads": 2, "num_hidden_layers": 2, "image_size": 70, "patch_size": 14,
}  # fmt: skip
PICTURES = np.random.default_rng(0).integers(0, 255, (5, 3, PX, PX), dtype=np.uint8)


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    monkeypatch.setattr(dinov2, "_SHAPE", SHAPE)
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path / "cache"))


def model(**options):
    torch.manual_seed(0)
    return Dinov2Model(Dinov2Config(**SHAPE | options)).eval()


@pytest.fixture
def folder(tmp_path):
    model().save_pretrained(tmp_path / "hub")
    return tmp_path / "hub"


def test_features_of_a_folder_of_the_hub(folder):
    said = []
    assert download_dinov2(said.append, folder) == folder
    assert said == [], "nothing is fetched, and what is in the folder is the person's own"
    trunk = open_trunk("dinov2-small", PX)
    found = trunk.embed(PICTURES)
    assert found.shape == (5, trunk.features) == (5, 24 * 18)
    assert found.dtype == np.float16
    assert np.isfinite(found).all()
    alone = np.concatenate([trunk.embed(PICTURES[row : row + 1]) for row in range(5)])
    assert np.allclose(found, alone, atol=0.05)
    assert np.abs(found[0].astype(float) - found[1]).max() > 0.05


def test_features_are_those_of_the_model_in_float32(folder):
    trunk = Dinov2Small.from_folder(folder, PX)
    mean, std = (np.array(each, np.float32).reshape(3, 1, 1) for each in (dinov2._MEAN, dinov2._STD))
    with torch.inference_mode():
        pixels = torch.from_numpy(((PICTURES / 255 - mean) / std).astype(np.float32))
        states = model()(pixels).last_hidden_state.numpy()
    found = trunk.embed(PICTURES).astype(np.float32)
    assert np.allclose(found[:, :24], states[:, 0], atol=0.1)
    assert np.allclose(found[:, 24:48], states[:, 1:].mean(axis=1), atol=0.1)
    # 56 px are 4 x 4 patches, so that every part of the grid is one patch.
    assert np.allclose(found[:, 48:].reshape(5, 24, 16), states[:, 1:].transpose(0, 2, 1), atol=0.1)


def test_the_fingerprint_tells_weights_and_sizes_apart(folder, tmp_path):
    one = Dinov2Small.from_folder(folder, PX)
    torch.manual_seed(1)
    Dinov2Model(Dinov2Config(**SHAPE)).save_pretrained(tmp_path / "other")
    assert one.fingerprint == Dinov2Small.from_folder(folder, PX).fingerprint
    assert one.fingerprint != Dinov2Small.from_folder(folder, 70).fingerprint
    assert one.fingerprint != Dinov2Small.from_folder(tmp_path / "other", PX).fingerprint


def test_what_is_missing_is_told_with_the_remedy():
    with pytest.raises(CheckpointError, match="baselines download dinov2-small"):
        open_trunk("dinov2-small", PX)
    with pytest.raises(InputError, match="choose dinov2-small"):
        open_trunk("vgg", PX)
    assert TRUNKS["dinov2-small"].license


def test_other_models_are_refused(tmp_path):
    model(num_hidden_layers=1).save_pretrained(tmp_path / "other")
    with pytest.raises(CheckpointError, match="another model"):
        download_dinov2(lambda _: None, tmp_path / "other")
    with pytest.raises(CheckpointError, match=r"config\.json is missing"):
        download_dinov2(lambda _: None, tmp_path)
    (tmp_path / "other" / "model.safetensors").write_bytes(b"\x08" + bytes(40))
    with pytest.raises(CheckpointError, match="no DINOv2 that can be read"):
        download_dinov2(lambda _: None, tmp_path / "other")


@pytest.mark.parametrize("px", [42, 60])
def test_sides_that_do_not_fit_are_refused(folder, px):
    with pytest.raises(InputError, match="multiple of 14"):
        Dinov2Small.from_folder(folder, px)


@pytest.mark.parametrize("wrong", [PICTURES[0], PICTURES[:, :, :28], PICTURES.astype(np.float32)])
def test_pictures_of_another_kind_are_refused(folder, wrong):
    with pytest.raises(InputError, match="takes uint8"):
        Dinov2Small.from_folder(folder, PX).embed(wrong)


def test_the_position_embedding_is_put_together_again():
    whole = {name: each.numpy() for name, each in model().state_dict().items()}
    position = whole.pop("embeddings.position_embeddings")
    whole.pop("embeddings.mask_token")
    exported = whole | {"onnx::Concat_7": position[:, :1], "onnx::Reshape_9": position[:, 1:], "other": np.ones(3)}
    named = as_hub_names(exported)
    assert np.array_equal(named["embeddings.position_embeddings"], position)
    assert set(named) == set(model().state_dict())
    with pytest.raises(CheckpointError, match="position embedding"):
        as_hub_names(whole)
