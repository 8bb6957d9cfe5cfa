"""GeoCLIP's image side: fetched when asked for, equal to its parts, and told in one line what is missing.

CLIP ViT-L/14 itself is 1.7 GB; here its place is taken by a CLIP of the same layout with few layers.
"""

import io
import shutil
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import CLIPConfig, CLIPModel

from unigeoclip.embedders import PictureEmbedder, geoclip_images, geoclip_wheel
from unigeoclip.embedders.coordinates import CoordinatesEmbedder
from unigeoclip.embedders.geoclip import GeoCLIPEmbedder, GeoCLIPLocationEncoder
from unigeoclip.embedders.geoclip_images import GeoCLIPImages, download_geoclip_images
from unigeoclip.errors import CheckpointError, DownloadError, InputError

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


def test_what_is_missing_is_one_line_with_the_command(cache):
    with pytest.raises(CheckpointError, match="ViT-L/14, is not on this machine.*baselines download geoclip-images"):
        GeoCLIPImages.from_cache()


def test_equal_to_its_parts(cache, clip):
    assert download_geoclip_images(print, clip) == cache
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


def test_an_embedder_reads_picture_files_and_no_heights(cache, clip):
    download_geoclip_images(lambda _: None, clip)
    embedder = GeoCLIPEmbedder(GeoCLIPLocationEncoder())
    assert isinstance(embedder, PictureEmbedder)
    assert not isinstance(CoordinatesEmbedder(), PictureEmbedder)
    assert embedder.embed_picture(picture_file(), "street").shape == (512,)
    with pytest.raises(InputError, match="photographs, not heights"):
        embedder.embed_picture(b"", "surface")
    with pytest.raises(InputError):
        embedder.embed_picture(b"no picture", "street")


def test_another_model_in_the_folder_is_refused(cache, tmp_path, clip):
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


def test_what_went_missing_is_found_when_it_is_read(cache, tmp_path, clip, monkeypatch):
    moved = shutil.copytree(clip, tmp_path / "clip")
    download_geoclip_images(print, moved)
    (moved / "config.json").unlink()
    with pytest.raises(CheckpointError, match="config.json is missing"):
        GeoCLIPImages.from_cache()
    (cache / "provenance.json").write_text("{}")
    with pytest.raises(CheckpointError, match="cannot be used.*baselines download"):
        GeoCLIPImages.from_cache()


def test_nothing_is_fetched_without_the_package_that_has_the_head(cache, clip, monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(geoclip_wheel.importlib.metadata, "distribution", missing)
    monkeypatch.setattr(geoclip_images, "fetch_from_hub", lambda *_: pytest.fail("fetched from the hub"))
    for folder in (clip, None):
        with pytest.raises(CheckpointError, match="pip install --no-deps geoclip==1.3.0"):
            download_geoclip_images(print, folder)
    assert not cache.exists()


def test_a_hub_out_of_reach_is_told_with_the_other_way(cache):
    with pytest.raises(DownloadError, match="cannot be fetched.*--from FOLDER"):
        download_geoclip_images(lambda _: None, endpoint="http://127.0.0.1:9")


def test_each_file_of_clip_is_fetched_at_one_commit_with_its_checksum(monkeypatch, tmp_path):
    wanted = []
    monkeypatch.setattr(geoclip_images, "fetch_from_hub", lambda file, *_: wanted.append(file) or tmp_path / file.file)
    with pytest.raises(CheckpointError, match="config.json is missing"):  # what follows is tested above
        download_geoclip_images(print)
    assert {file.file: file.sha256 for file in wanted} == geoclip_images._CLIP_FILES
    assert {len(bytes.fromhex(file.sha256)) for file in wanted} == {32}
    assert [len(bytes.fromhex(revision)) for revision in {file.revision for file in wanted}] == [20]  # no branch
