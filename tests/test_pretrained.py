"""Models that are passed on: folders and hub ids, with a card."""

from types import SimpleNamespace

import huggingface_hub
import pytest
import torch

from tests.explorable import CONFIG
from unigeoclip.errors import CheckpointError, DownloadError
from unigeoclip.model import UniGeoCLIP

METRICS = {
    "atlas": "tiny", "data": "0123456789ab", "split": "blocks",
    "retrieval": {"text->aerial": {"recall@1": 12.34, "recall@10": 56.7, "n": 60}, "aerial->text": {"n": 3}},
}  # fmt: skip


@pytest.fixture
def model():
    torch.manual_seed(0)
    return UniGeoCLIP(CONFIG).eval()


def test_a_folder_gives_the_same_model_again(model, tmp_path):
    model.save_pretrained(tmp_path / "mine", metrics=METRICS)
    again = UniGeoCLIP.from_pretrained(tmp_path / "mine")
    for name, weights in model.state_dict().items():
        assert torch.equal(weights, again.state_dict()[name])
    card = (tmp_path / "mine" / "README.md").read_text("utf-8")
    assert "| text->aerial | 12.3 | 56.7 | 60 |" in card
    assert "| aerial->text | - | - | 3 |" in card
    assert "atlas tiny, data 0123456789ab, split blocks" in card
    again.save_pretrained(tmp_path / "mine")  # the record of the folder stays in the card
    assert (tmp_path / "mine" / "README.md").read_text("utf-8") == card
    model.save_pretrained(tmp_path / "bare")
    assert "Nothing was measured" in (tmp_path / "bare" / "README.md").read_text("utf-8")


def test_what_is_neither_folder_nor_id_is_said(tmp_path):
    with pytest.raises(CheckpointError, match="neither a folder nor an id"):
        UniGeoCLIP.from_pretrained(tmp_path / "nowhere")


def test_the_hub_is_asked_for_one_revision_and_the_size_is_said_first(model, tmp_path, monkeypatch):
    model.save_pretrained(tmp_path / "hub")
    said, fetched = [], []
    files = [SimpleNamespace(rfilename=name, size=2_000_000) for name in ("config.json", "model.safetensors", "other")]

    class Api:
        def model_info(self, repository, *, revision, files_metadata):
            assert (repository, revision, files_metadata) == ("me/mine", "v1", True)
            return SimpleNamespace(siblings=files, sha="f" * 40)

    def download(repository, name, *, revision):
        assert said, "before anything is fetched"
        fetched.append((name, revision))
        return str(tmp_path / "hub" / name)

    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    again = UniGeoCLIP.from_pretrained("me/mine", revision="v1", say=said.append)
    assert again.modalities == model.modalities
    assert said == [f"me/mine: 4 MB from the hub, revision {'f' * 40}"]
    assert fetched == [("config.json", "f" * 40), ("model.safetensors", "f" * 40)]
    files.pop(1)
    with pytest.raises(CheckpointError, match=r"model\.safetensors is missing"):
        UniGeoCLIP.from_pretrained("me/mine", revision="v1", say=said.append)


def test_a_hub_that_cannot_be_reached_is_said(monkeypatch):
    class Api:
        def model_info(self, *_arguments, **_options):
            raise OSError("no network")

    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    with pytest.raises(DownloadError, match="no network"):
        UniGeoCLIP.from_pretrained("me/mine")
