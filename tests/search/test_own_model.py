"""An atlas explored with another model than its own."""

import numpy as np
import pytest
import torch

from tests.explorable import CITY_CONFIG, CONFIG, use_hashed_sentences, write_explorable_atlas
from unigeoclip.atlas import load_atlas
from unigeoclip.checkpoint import checkpoint_id
from unigeoclip.cli.main import main
from unigeoclip.compare.regions import Region, embed_region
from unigeoclip.config import write_json
from unigeoclip.embedders import load_embedder
from unigeoclip.errors import CheckpointError, InputError
from unigeoclip.model import ModelConfig, UniGeoCLIP, save_model
from unigeoclip.search.explorer import Explorer, QueryItem


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_explorable_atlas(tmp_path_factory.mktemp("atlases") / "tiny")


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path / "cache"))
    use_hashed_sentences(monkeypatch)
    return tmp_path / "cache"


def model_at(path, config=CONFIG, seed=1, **metrics):
    torch.manual_seed(seed)
    save_model(UniGeoCLIP(config).eval(), path)
    if metrics:
        write_json(path / "metrics.json", metrics)
    return path


def without(name):
    return ModelConfig(CONFIG.dim, {each: shape for each, shape in CONFIG.encoders.items() if each != name})


def test_two_models_never_share_vectors(folder, cache, tmp_path):
    own = model_at(tmp_path / "own")
    shipped, other = Explorer.open(folder), Explorer.open(folder, model=own)
    item = QueryItem("location", (20.5, 30.5))
    assert not np.allclose(shipped.heatmap(shipped.query([item])).values, other.heatmap(other.query([item])).values)
    folders = sorted(path.name for path in cache.iterdir() if path.is_dir() and path.name.startswith("tiny-"))
    assert len(folders) == 2
    assert {name.rsplit("-", 1)[1] for name in folders} == {checkpoint_id(own), checkpoint_id(folder / "model")}
    for opened in (folder, folder):  # from the cache, each gets its own again
        again, more = Explorer.open(opened), Explorer.open(opened, model=own)
        np.testing.assert_array_equal(again.query([item]).vector, shipped.query([item]).vector)
        np.testing.assert_array_equal(
            more.heatmap(more.query([item])).values, other.heatmap(other.query([item])).values
        )


def test_two_models_never_share_compared_vectors(folder, cache, tmp_path):
    atlas = load_atlas(folder)
    region = Region.whole(atlas)
    embedders = [load_embedder("unigeoclip", each) for each in (atlas, atlas.with_model(model_at(tmp_path / "own")))]
    first, second = (embed_region(each, region).vectors for each in embedders)
    assert not np.allclose(first, second)
    np.testing.assert_array_equal(embed_region(embedders[0], region).vectors, first)


def test_answers_say_which_model_gave_them(folder, cache, tmp_path):
    own = model_at(tmp_path / "own")
    explorer = Explorer.open(folder, model=own)
    query = explorer.query([QueryItem("text", "hot desert"), QueryItem("location", (1.5, 2.5), -0.5)])
    provenance = explorer.search(query, k=1).provenance
    assert provenance.query == ("text:hot desert", "-0.5*at:1.5,2.5")
    assert provenance.models[0].source == f"checkpoint {checkpoint_id(own)}"
    assert f"--model {own}" in provenance.command
    assert explorer.heatmap(query).provenance.command.startswith(f"unigeoclip heatmap --atlas {folder} --model")
    shown = query._repr_html_()
    assert "hot desert" in shown
    assert "-0.5" in shown
    assert "&lt;b&gt;" in explorer.query([QueryItem("text", "<b> sea", label="<b> sea")])._repr_html_()


def test_pictures_of_another_model_are_refused(folder, cache, tmp_path):
    explorer, other = Explorer.open(folder), Explorer.open(folder, model=model_at(tmp_path / "own"))
    picture = np.zeros((3, 16, 16), np.uint8)
    with pytest.raises(InputError, match="another model"):
        other.query([explorer.packed(QueryItem("aerial", picture))])


def test_a_model_of_fewer_modalities_searches_those(folder, cache, tmp_path):
    explorer = Explorer.open(folder, model=model_at(tmp_path / "own", without("text")))
    assert explorer.modalities == ("location", "aerial", "surface")
    with pytest.raises(InputError, match="'text'"):
        explorer.query([QueryItem("text", "sea")])


def test_models_that_do_not_fit_are_refused(folder, cache, tmp_path):
    for path, words in (
        (model_at(tmp_path / "blind", without("location")), "no location"),
        (model_at(tmp_path / "foreign", atlas="boston", data="0" * 12), "trained on the atlas 'boston'"),
        (model_at(tmp_path / "city", CITY_CONFIG), "made for another part of the Earth"),
        (tmp_path / "nowhere", "is no model folder"),
    ):
        with pytest.raises(CheckpointError, match=words):
            Explorer.open(folder, model=path)


@pytest.mark.parametrize("command", ["search", "heatmap", "embed"])
def test_commands_take_a_model(folder, cache, tmp_path, capsys, command):
    own = model_at(tmp_path / "own")
    (tmp_path / "points.csv").write_text("lat,lon\n10,20\n")
    options = {
        "search": ["--latlon", "10,20", "--json"],
        "heatmap": ["--latlon", "10,20", "--out", str(tmp_path / "h.geojson")],
        "embed": ["--csv", str(tmp_path / "points.csv"), "--out", str(tmp_path / "e.parquet")],
    }[command]
    answers = []
    for model in ([], ["--model", str(own)]):
        assert main([command, "--atlas", str(folder), *model, *options]) == 0
        printed = capsys.readouterr().out
        out = next((path for path in (tmp_path / "h.geojson", tmp_path / "e.parquet") if path.exists()), None)
        answers.append(printed if out is None else out.read_bytes())
    assert answers[0] != answers[1]
    assert main([command, "--atlas", str(folder), "--model", str(tmp_path), *options]) == 2
    assert "is no model folder" in capsys.readouterr().err
