"""Pretrained towers: the published model's numbers, one place as in many, texts of any length, saved and read again."""

import numpy as np
import pytest
import torch

from tests import towers
from unigeoclip.errors import CheckpointError, InputError
from unigeoclip.modalities.street import StreetBatch
from unigeoclip.modalities.text import TextBatch
from unigeoclip.modalities.towers.pretrained import dinov2, read_tower, siglip_pictures, siglip_text
from unigeoclip.modalities.towers.text import TextTower, TextTowerConfig
from unigeoclip.modalities.towers.tokens import EOS, PAD, read_tokenizer, words_tokenizer
from unigeoclip.model import ModelConfig, UniGeoCLIP, load_model, save_model

SHAPE = towers.WIDTH, towers.DEPTH, towers.HEADS
WORDS = ["one two three four five six seven eight nine ten eleven twelve thirteen fourteen"]


@pytest.fixture(scope="module")
def siglip(tmp_path_factory):
    folder = tmp_path_factory.mktemp("siglip")
    return folder, towers.write_siglip(folder)


@pytest.fixture
def model():
    torch.manual_seed(0)
    config = towers.tiny("base-city").model
    config.encoders["street"]["kind"] = "dinov2"
    model = UniGeoCLIP(config).eval()
    model.encoders["text"].tokenizer = words_tokenizer(WORDS, towers.VOCABULARY, towers.TOKENS)
    return model


def pictures(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 3, towers.PX, towers.PX), np.uint8)


def inputs(count):
    rng = np.random.default_rng(1)
    heights = rng.normal(50, 20, (count, 1, towers.PX, towers.PX)).astype(np.float32)
    heights[0, 0, :5] = np.nan
    return {
        "location": np.stack([rng.uniform(-80, 80, count), rng.uniform(-180, 180, count)], axis=1),
        "aerial": pictures(count),
        "street": pictures(count, 2),
        "surface": heights,
        "text": [["one two", "three"] * (1 + row) for row in range(count)],
    }


@torch.inference_mode()
def test_towers_give_what_the_published_models_give(siglip, tmp_path):
    folder, published = siglip
    seen = torch.randn(2, 3, towers.PX, towers.PX)
    tower = siglip_pictures(towers.PX, towers.PATCH, *SHAPE).eval()
    read_tower(folder, tower)
    torch.testing.assert_close(tower(seen).pooler_output, published.vision_model(seen).pooler_output)
    ids = torch.randint(towers.VOCABULARY, (2, towers.TOKENS))
    tower = siglip_text(towers.VOCABULARY, towers.TOKENS, *SHAPE).eval()
    read_tower(folder, tower)
    torch.testing.assert_close(tower(ids).pooler_output, published.text_model(ids).pooler_output)
    published = towers.write_dinov2(tmp_path)
    tower = dinov2(towers.PATCH, *SHAPE).eval()
    read_tower(tmp_path, tower)
    torch.testing.assert_close(tower(seen).pooler_output, published(seen).pooler_output)


def test_dinov2_keeps_the_names_of_the_published_file():
    names = dinov2(towers.PATCH, *SHAPE).state_dict()
    assert "encoder.layer.0.attention.attention.query.weight" in names
    assert not any("q_proj" in name for name in names)


def test_a_wrong_folder_is_told(siglip, tmp_path):
    folder, _ = siglip
    tower = siglip_pictures(towers.PX, towers.PATCH, *SHAPE)
    with pytest.raises(CheckpointError, match=r"config\.json is missing"):
        read_tower(tmp_path, tower)
    with pytest.raises(CheckpointError, match="num_attention_heads 2; the configuration has 4"):
        read_tower(folder, siglip_pictures(towers.PX, towers.PATCH, towers.WIDTH, towers.DEPTH, 4))
    with pytest.raises(CheckpointError, match="type 'siglip', not 'dinov2'"):
        read_tower(folder, dinov2(towers.PATCH, *SHAPE))
    for name in ("config.json", "tokenizer.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    weights = (folder / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_tower(tmp_path, tower)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(CheckpointError, match="cannot be used"):
        read_tower(tmp_path, tower)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_tokenizer(tmp_path, towers.TOKENS)
    with pytest.raises(CheckpointError, match=r"lacks|holds no tokenizer"):
        read_tokenizer(tmp_path / "nowhere", towers.TOKENS)


def test_a_batch_of_one_equals_its_row_in_a_batch_of_many(model):
    whole = model.encode(inputs(3))
    for row in range(3):
        one = model.encode({name: value[row : row + 1] for name, value in inputs(3).items()})
        for name in whole:
            torch.testing.assert_close(one[name][0], whole[name][row], atol=2e-6, rtol=1e-4, msg=name)
    assert all(vectors.norm(dim=1).allclose(torch.ones(3)) for vectors in whole.values())


def test_a_model_with_towers_is_read_with_its_tokenizer(model, tmp_path):
    save_model(model, tmp_path)
    again = load_model(tmp_path)
    for name, vectors in model.encode(inputs(2)).items():
        assert torch.equal(again.encode(inputs(2))[name], vectors), name
    assert again.encoders["text"].tokenizer.to_str() == model.encoders["text"].tokenizer.to_str()


def test_heights_without_data_do_not_matter(model):
    heights = inputs(2)["surface"]
    lower = heights.copy()
    lower[0] -= 1e-3 * np.nanmean(heights[0])
    moved = model.encode({"surface": lower})["surface"]
    torch.testing.assert_close(moved[1], model.encode({"surface": heights})["surface"][1], atol=1e-6, rtol=1e-5)
    empty = model.encode({"surface": np.full_like(heights, np.nan)})["surface"]
    assert torch.isfinite(empty).all()


def test_sentences_go_into_as_few_pieces_as_hold_them(model):
    encoder = model.encoders["text"]  # reads 12 tokens: 11 words and the end
    five = "one two three four five"
    pieces = encoder.prepare([[five, five, "six"], ["seven"]])
    assert pieces.lengths.tolist() == [1, 1]
    assert (pieces.vectors[0] != PAD).sum() == 12
    pieces = encoder.prepare([[five, five, "six seven"], ["eight"]])
    assert pieces.lengths.tolist() == [2, 1]
    assert ((pieces.vectors == EOS).sum(1) == 1).all()
    number = {word: encoder.tokenizer.token_to_id(word) for word in WORDS[0].split()}
    assert pieces.vectors[1, :3].tolist() == [number["six"], number["seven"], EOS]
    long = encoder.prepare([WORDS])
    assert long.vectors[0, :11].tolist() == [number[word] for word in WORDS[0].split()[:11]]
    assert long.vectors[0, 11] == EOS


def test_rows_of_sentences_read_like_the_sentences(model):
    encoder, sentences = model.encoders["text"], ["one two", "THREE", "one two three four five six seven eight"]
    rows = TextBatch(torch.from_numpy(encoder.embed(sentences)), torch.tensor([2, 1]))
    torch.testing.assert_close(
        model.encode({"text": rows})["text"], model.encode({"text": [["one two", "three"], sentences[2:]]})["text"]
    )


def test_text_towers_refuse_what_they_cannot_read(model):
    encoder = model.encoders["text"]
    with pytest.raises(InputError, match="not sentence vectors"):
        encoder.prepare(TextBatch(torch.zeros(1, 384), torch.ones(1, dtype=torch.int64)))
    with pytest.raises(InputError, match="Text 1 must be a list"):
        encoder.prepare([["one"], []])
    with pytest.raises(CheckpointError, match="no tokenizer"):
        TextTower(TextTowerConfig(vocabulary=20, tokens=8, width=8, depth=1, heads=1), 8).prepare([["one"]])
    with pytest.raises(CheckpointError, match="17 tokens; the text tower has 4"):
        TextTower(TextTowerConfig(vocabulary=4, tokens=8, width=8, depth=1, heads=1), 8).tokenizer = encoder.tokenizer
    with pytest.raises(RuntimeError, match="tokenizer is damaged"):
        encoder.set_extra_state(torch.zeros(9, dtype=torch.uint8))


def test_a_tokenizer_does_what_the_model_was_trained_with(siglip):
    tokenizer = read_tokenizer(siglip[0], 6)
    upper, lower = tokenizer.encode("A Quiet RIVER").ids, tokenizer.encode("a quiet river").ids
    assert upper == lower
    assert upper[3:] == [EOS, PAD, PAD]
    assert len(tokenizer.encode("a quiet street by the river hot desert").ids) == 6


def test_the_projection_of_a_tower_as_wide_as_the_space_changes_nothing_at_first(model):
    encoder = model.encoders["aerial"]
    seen = encoder.prepare(pictures(2))
    torch.testing.assert_close(encoder(seen), encoder.features(seen))


def test_views_are_averaged_and_a_spot_without_one_disturbs_nobody(model):
    encoder = model.encoders["street"]
    views = torch.from_numpy(pictures(3))
    batch = StreetBatch(views, torch.tensor([10.0, float("nan"), 90.0]), torch.tensor([2, 0, 1]))
    found = encoder(batch)
    torch.testing.assert_close(found[0], encoder.features(views[:2]).mean(0), atol=2e-6, rtol=1e-4)
    torch.testing.assert_close(encoder(batch[1:2])[0], found[1])


@pytest.mark.parametrize(
    ("encoders", "message"),
    [
        ({"aerial": {"kind": "vit"}}, "no kind 'vit' of encoder; known are siglip2, dinov2"),
        ({"location": {"kind": "siglip2"}}, "leave out 'kind'"),
        ({"aerial": {"kind": "siglip2", "px": 30}}, "multiple of patch"),
        ({"aerial": {"kind": "siglip2", "heads": 0}}, "multiple of heads"),
        ({"surface": {"kind": "vit", "depth": 0}}, "1 or more"),
        ({"text": {"kind": "siglip2", "vocabulary": 10**9}}, "vocabulary"),
        ({"text": {"kind": ["siglip2"]}}, "no kind"),
    ],
)
def test_options_that_describe_no_encoder_are_told(encoders, message):
    with pytest.raises(InputError, match=message):
        UniGeoCLIP(ModelConfig(encoders=encoders))
