"""GeoCLIP's image side: fetched when asked for, equal to its parts, and told in one line what is missing.

CLIP ViT-L/14 itself is 1.7 GB; here its place is taken by a CLIP of the same layout with few layers.
"""

import io
import json
import shutil
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from transformers import CLIPConfig, CLIPModel

from unigeoclip.embedders import PictureEmbedder, geoclip, geoclip_images
from unigeoclip.embedders.coordinates import CoordinatesEmbedder
from unigeoclip.embedders.geoclip import GeoCLIPEmbedder, GeoCLIPLocationEncoder
from unigeoclip.embedders.geoclip_images import GeoCLIPImages, download_geoclip_images
from unigeoclip.errors import CheckpointError, DownloadError, InputError
from unigeoclip.files import downloads

PICTURE = np.random.default_rng(0).integers(0, 255, (3, 224, 224), dtype=np.uint8)


def picture_file():
    out = io.BytesIO()
    Image.new("RGB", (300, 200), (90, 120, 60)).save(out, "PNG")
    return out.getvalue()


def clip_of(folder, projection_dim=768):
    """A folder in the layout of the hub, both halves of CLIP in it."""
    torch.manual_seed(0)
    config = CLIPConfig(
        projection_dim=projection_dim,
        text_config={"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2},
        vision_config={
            "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2,
            "patch_size": 56, "image_size": 224, "projection_dim": projection_dim,
        },
    )  # fmt: skip
    CLIPModel(config).eval().save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return clip_of(tmp_path_factory.mktemp("clip"))


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "baselines" / "geoclip-images"


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """A wheel with a head of its own, which takes the place of the published one."""
    torch.manual_seed(1)
    content = io.BytesIO()
    torch.save(geoclip_images._head().state_dict(), content)
    path = tmp_path / geoclip.WHEEL.filename
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("geoclip/model/weights/image_encoder_mlp_weights.pth", content.getvalue())
    own = replace(geoclip.WHEEL, sha256=downloads.sha256_of(path), size_bytes=path.stat().st_size)
    monkeypatch.setattr(geoclip, "WHEEL", own)
    monkeypatch.setattr(geoclip_images, "WHEEL", own)

    def bring(package, into):
        return shutil.copy(path, into / package.filename)

    monkeypatch.setattr(downloads, "_from_pypi", bring)
    return path


def test_what_is_missing_is_one_line_with_the_command(cache):
    with pytest.raises(CheckpointError, match="ViT-L/14, is not on this machine.*baselines download geoclip-images"):
        GeoCLIPImages.from_cache()


def test_equal_to_its_parts(cache, clip, wheel):
    said = []
    folder = download_geoclip_images(said.append, clip)
    assert folder == cache
    assert "geoclip 1.3.0" in said[0]
    assert " MB" in said[0]
    images = GeoCLIPImages.from_cache()
    found = images.embed(PICTURE)
    assert found.shape == (512,)
    assert np.linalg.norm(found) == pytest.approx(1)
    # As the package geoclip does it: CLIP's features of the normalised picture, then the head.
    mean, std = np.array([0.48145466, 0.4578275, 0.40821073]), np.array([0.26862954, 0.26130258, 0.27577711])
    pixels = (PICTURE / 255 - mean[:, None, None]) / std[:, None, None]
    with torch.inference_mode():
        features = CLIPModel.from_pretrained(clip).get_image_features(
            pixel_values=torch.tensor(pixels, dtype=torch.float32)[None]
        )
        raw = images.head(getattr(features, "pooler_output", features))[0].numpy()
    np.testing.assert_allclose(found, raw / np.linalg.norm(raw), atol=1e-5)


def test_an_embedder_reads_picture_files_and_no_heights(cache, clip, wheel):
    download_geoclip_images(lambda _: None, clip)
    embedder = GeoCLIPEmbedder(GeoCLIPLocationEncoder())
    assert isinstance(embedder, PictureEmbedder)
    assert not isinstance(CoordinatesEmbedder(), PictureEmbedder)
    assert embedder.embed_picture(picture_file(), "street").shape == (512,)
    with pytest.raises(InputError, match="photographs, not heights"):
        embedder.embed_picture(b"", "surface")
    with pytest.raises(InputError):
        embedder.embed_picture(b"no picture", "street")


def test_another_model_in_the_folder_is_refused(cache, tmp_path, clip, wheel):
    for folder, complaint in (
        (tmp_path / "nothing", "config.json is missing"),
        (clip_of(tmp_path / "narrow", projection_dim=64), "another model"),
    ):
        with pytest.raises(CheckpointError, match=complaint):
            download_geoclip_images(lambda _: None, folder)
    torn = tmp_path / "torn"
    shutil.copytree(clip, torn)
    (torn / "model.safetensors").write_bytes(b"half")
    with pytest.raises(CheckpointError, match="can be read"):
        download_geoclip_images(lambda _: None, torn)
    assert not cache.exists()


def test_damage_is_found_when_it_is_read(cache, clip, wheel):
    download_geoclip_images(lambda _: None, clip)
    (cache / "head.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError, match="damaged.*baselines download"):
        GeoCLIPImages.from_cache()
    save_file({"0.weight": torch.zeros(1)}, cache / "head.safetensors")
    record = json.loads((cache / "provenance.json").read_text())
    record["sha256"] = downloads.sha256_of(cache / "head.safetensors")
    (cache / "provenance.json").write_text(json.dumps(record))
    with pytest.raises(CheckpointError, match="cannot be used"):
        GeoCLIPImages.from_cache()


def test_a_hub_out_of_reach_is_told_with_the_other_way(cache):
    with pytest.raises(DownloadError, match="cannot be fetched.*--from FOLDER"):
        download_geoclip_images(lambda _: None, endpoint="http://127.0.0.1:9")


def test_each_file_of_clip_is_fetched_at_one_commit_with_its_checksum(monkeypatch, tmp_path):
    wanted = []
    monkeypatch.setattr(geoclip_images, "fetch_from_hub", lambda file, *_: wanted.append(file) or tmp_path / file.file)
    monkeypatch.setattr(geoclip_images, "fetch", lambda *_args, **_options: {})
    with pytest.raises(KeyError):  # no wheel: what follows is tested above
        download_geoclip_images(print)
    assert {file.file: file.sha256 for file in wanted} == geoclip_images._CLIP_FILES
    assert {len(bytes.fromhex(file.sha256)) for file in wanted} == {32}
    assert [len(bytes.fromhex(revision)) for revision in {file.revision for file in wanted}] == [20]  # no branch
