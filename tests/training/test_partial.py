"""A city of which a picture shows a small part, from the build to the gallery: what is not there is nowhere used."""

from dataclasses import replace
from html import unescape
from types import SimpleNamespace
from unittest import mock

import numpy as np
import pytest
import torch

from pages.ui.atlas import limitations, retrieval
from pages.ui.explore import cards
from pages.ui.http import tiles
from pages.ui.map import component
from tests.explorable import CITY_CONFIG, PX, HashedSentences, use_hashed_sentences, write_partly_pictured_city
from unigeoclip.atlas import load_atlas
from unigeoclip.atlas.origins import upper_bound
from unigeoclip.errors import InputError
from unigeoclip.model import UniGeoCLIP, save_model
from unigeoclip.search.explorer import Explorer
from unigeoclip.search.gallery_embeddings import encode_places, gallery_rows
from unigeoclip.search.query_items import QueryItem
from unigeoclip.training import TrainConfig, loop
from unigeoclip.training.loop import Trainer
from unigeoclip.training.runs import Run
from unigeoclip.training.sampling.sampler import LEAST_SHARE, PlaceSampler, drawn
from unigeoclip.training.stages.text_stage import tune_text

pytestmark = pytest.mark.slow
TINY = TrainConfig(model=CITY_CONFIG, steps=3, batch=16, evaluate_every=100, checkpoint_every=100)


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    folder = tmp_path_factory.mktemp("partly")
    with mock.patch.dict("os.environ", {"UNIGEOCLIP_CACHE": str(folder / "cache")}):
        yield load_atlas(write_partly_pictured_city(folder / "city"))


@pytest.fixture(scope="module")
def explorer(city, tmp_path_factory):
    """The city, opened with a model that learned from it for a few steps."""
    torch.manual_seed(0)
    with mock.patch.object(loop, "sentence_encoder", HashedSentences):
        trainer = Trainer(city, Run(city.name, city.data_hash, "views", 0, TINY), tmp_path_factory.mktemp("run"))
    with trainer.held:
        losses = [trainer.update(trainer.sampler.batch(step, TINY.batch)) for step in range(TINY.steps)]
    assert np.isfinite(losses).all()
    save_model(trainer.model.eval(), city.model_path)
    return Explorer.open(city)


def vectors_of(city):
    return HashedSentences().embed(city.sentences["text"].tolist()).astype(np.float16)


def test_a_batch_says_which_windows_are_known(city):
    sampler = PlaceSampler(city, "views", vectors_of(city), {"aerial": PX, "surface": PX})
    batch = sampler.batch(0, 64)
    assert set(batch["present"]) == {"aerial"}
    here = batch["present"]["aerial"].numpy()
    assert here.tolist() == city.present_at("aerial", batch["location"]).tolist()
    assert 64 * LEAST_SHARE * 0.5 < here.sum() < 64, "what few places have is drawn often enough to be told apart"


def test_few_pictures_are_drawn_oftener_and_nothing_else_changes():
    def rng():
        return np.random.default_rng(1)

    assert drawn(1000, 40, {}, rng()).tolist() == rng().integers(1000, size=40).tolist()
    rows = drawn(1000, 40, {"aerial": np.array([7]), "surface": np.array([9])}, rng())
    assert rows[:5].tolist() == [7] * 5
    assert rows[5:10].tolist() == [9] * 5
    assert rows[10:].tolist() == rng().integers(1000, size=40).tolist()[10:]


def test_what_fills_the_gaps_teaches_nothing(city, tmp_path, monkeypatch):
    """Other pixels where nothing is known leave the loss and every gradient as they are."""
    use_hashed_sentences(monkeypatch)
    monkeypatch.setattr(loop, "sentence_encoder", HashedSentences)
    run = Run(city.name, city.data_hash, "views", 0, TINY)

    def gradients(filling):
        torch.manual_seed(0)
        trainer = Trainer(city, run, tmp_path)
        with trainer.held:
            batch = trainer.sampler.batch(0, 16)
            missing = ~batch["present"]["aerial"].numpy()
            assert 0 < missing.sum() < 16
            batch["aerial"][missing] = filling
            loss = trainer.update(batch)
        return loss, torch.cat([p.grad.ravel() for p in trainer.model.encoders["aerial"].parameters()])

    (loss, gradient), (other_loss, other_gradient) = gradients(0), gradients(255)
    assert loss == pytest.approx(other_loss, abs=1e-6)
    assert torch.allclose(gradient, other_gradient, atol=1e-6)
    assert gradient.abs().max() > 0


def test_texts_learn_from_known_pictures_alone(city):
    sampler = PlaceSampler(city, "views", vectors_of(city), {"aerial": PX})
    model = UniGeoCLIP(replace(CITY_CONFIG, encoders={k: v for k, v in CITY_CONFIG.encoders.items() if k != "street"}))
    with mock.patch("unigeoclip.training.stages.text_stage.encode_places", wraps=encode_places) as encoded:
        tune_text(model, sampler, TrainConfig(text_steps=4), seed=0)
    rows = {call.args[2]: call.args[3] for call in encoded.call_args_list}
    assert city.present("aerial")[rows["aerial"]].all()
    assert len(rows["surface"]) == len(city.places)
    assert all(torch.isfinite(p).all() for p in model.parameters())


def test_the_gallery_holds_no_place_without_the_picture(city, explorer, monkeypatch):
    use_hashed_sentences(monkeypatch)
    here = city.present("aerial")
    assert gallery_rows(city, "aerial").tolist() == np.flatnonzero(here & city.places["gallery"]).tolist()
    found = explorer.search(explorer.query([QueryItem("text", "houses near the beach")]), k=1000)
    with_picture = set(city.places["place_id"][here])
    assert {match.place_id for match in found["aerial"]} == with_picture & {m.place_id for m in found["location"]}
    for match in found["aerial"]:
        pixels = np.asarray(explorer.picture("aerial", (match.lat, match.lon), 64))
        assert pixels.std() > 5, "not one plain square"
        assert pixels.mean() > 60, "nor a black one"
    assert len(found["location"]) > len(found["aerial"])


def test_a_place_without_a_picture_says_so(city, explorer):
    here = city.present("aerial")
    place = city.places.iloc[int(np.flatnonzero(~here)[0])]
    query = explorer.query([QueryItem("location", (place["lat"], place["lon"]))])
    matches = explorer.place_matches(query, place["place_id"])
    assert "aerial" not in matches
    assert {"location", "surface", "text"} <= set(matches)
    answer = SimpleNamespace(matches={}, here=matches)
    assert "· no aerial image" in cards.groups(explorer, answer)[0]["note"]
    with pytest.raises(InputError, match="no 'aerial' picture at this point"):
        explorer.picture("aerial", (place["lat"], place["lon"]))
    with pytest.raises(InputError, match="has no 'aerial'"):
        encode_places(explorer.model, city, "aerial", np.flatnonzero(~here)[:1])


def test_the_base_map_is_open_where_there_is_no_picture(city):
    here = city.present("aerial")
    lat, lon = city.places[["lat", "lon"]].to_numpy()[np.flatnonzero(here)[0]]
    n, z = 2**15, 15
    x = int((lon + 180) / 360 * n)
    y = int((1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2 * n)
    alpha = np.asarray(tiles.photo_tile(city, z, x, y))[..., 3]
    assert 0 < (alpha == 255).mean() < 0.6
    assert (alpha == 0).any()


def test_the_credit_stands_with_map_and_cards(city, explorer, monkeypatch):
    use_hashed_sentences(monkeypatch)
    assert component.base_map(city)["styles"][0]["attribution"] == "Madeup Survey (CC0 1.0)"
    assert "Madeup" not in component.base_map(city)["styles"][1]["attribution"]
    items = [QueryItem("text", "houses")]
    found = explorer.search(explorer.query(items), k=1)
    shown = cards.groups(explorer, SimpleNamespace(items=items, matches=found, here={}))
    notes = {group["title"]: group["note"] for group in shown}
    assert notes["Aerial image"] == "photographed · Madeup Survey (CC0 1.0)"


def test_each_modality_is_called_what_it_is(city):
    said = limitations.limits(city.manifest)
    assert "Its aerial images are photographs" in said
    assert "Its street views are drawn, not photographed" in said
    assert "pictures are drawn" not in said
    assert "of the city has an aerial picture" in said
    bound = upper_bound(city.manifest)
    assert bound.startswith("aerial images are photographs; street views, heights and texts come from OpenStreetMap")
    words = retrieval.split_words("views", city.manifest)
    assert f"<i>A{bound[1:]}.</i>" in unescape(words)
    assert "Five renderings" not in words
