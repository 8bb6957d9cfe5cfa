"""A model in a city it never saw: what is measured, what is refused, what is written down."""

import json
from dataclasses import replace

import pytest
import torch

from tests.explorable import CITY_CONFIG, CONFIG, use_hashed_sentences, write_explorable_atlas, write_explorable_city
from unigeoclip.atlas import load_atlas
from unigeoclip.config import write_json
from unigeoclip.errors import InputError
from unigeoclip.evaluation import evaluate
from unigeoclip.evaluation.out_of_distribution import check_elsewhere, elsewhere_report, recorded_elsewhere
from unigeoclip.model import UniGeoCLIP, load_model, save_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("atlases")


@pytest.fixture(scope="module")
def far(folder):
    return load_atlas(write_explorable_city(folder / "far", "far", east_m=1000.0, model=False))


@pytest.fixture(scope="module")
def atlas(folder):
    return load_atlas(write_explorable_city(folder / "madeup"))


@pytest.fixture(autouse=True)
def _clean(atlas, monkeypatch):
    use_hashed_sentences(monkeypatch)
    yield
    for path in atlas.model_path.glob("elsewhere-*"):
        path.unlink()


def test_every_pair_but_those_of_location(atlas, far):
    report = elsewhere_report(load_model(atlas.model_path), atlas, far)
    names = ("aerial", "street", "surface", "text")
    pairs = {f"{a}->{b}" for a in names for b in names if a != b}
    assert set(report) == pairs | {
        "street->ensemble",
        "photo->ensemble",
        *(f"photo->{b}" for b in names if b != "street"),
    }
    with_street = {figures["n"] for pair, figures in report.items() if "street" in pair or "photo" in pair}
    assert with_street == {far.views["place_id"].nunique()}, "every place with a camera counts"
    assert report["aerial->text"]["n"] == len(far.places), "and every place where no camera is needed"


def test_nothing_is_written_unless_asked(atlas, far):
    found = evaluate(atlas, elsewhere=far)
    assert found["elsewhere"]["far"]["recorded"] is False
    assert "location" in found["elsewhere"]["far"]["means"]
    assert found["means"]["street"] == "panorama of four headings with known compass"
    assert found["means"]["photo"] == "one 90-degree view, compass unknown"
    assert found["note"].startswith("five renderings of one map")
    means = found["splits"]["views"]["means"]
    assert means.startswith("new camera positions and views in known territory")
    assert "pairs without street views are not held out" in means
    assert not list(atlas.model_path.glob("elsewhere-*"))
    assert "elsewhere" not in evaluate(atlas)
    json.dumps(found, allow_nan=False)


def test_what_is_recorded_is_shown_later(atlas, far):
    measured = evaluate(atlas, elsewhere=far, record=True)["elsewhere"]["far"]
    later = evaluate(atlas)["elsewhere"]
    assert later == {"far": measured | {"recorded": True}}


def test_figures_of_another_checkpoint_are_marked(atlas, far, tmp_path):
    evaluate(atlas, elsewhere=far, record=True)
    kept = json.loads((atlas.model_path / "elsewhere-far.json").read_text())
    assert kept["elsewhere_data"] == far.data_hash
    write_json(atlas.model_path / "elsewhere-far.json", kept | {"checkpoint": "0" * 12})
    assert recorded_elsewhere(atlas.model_path, atlas)["far"]["outdated"] is True
    write_json(atlas.model_path / "elsewhere-far.json", kept | {"data": "0" * 12})
    old = recorded_elsewhere(atlas.model_path, atlas)["far"]
    assert (old["data"], old["data_now"], old["outdated"]) == ("0" * 12, atlas.data_hash, True)
    write_json(atlas.model_path / "elsewhere-far.json", {})
    with pytest.raises(InputError, match="--record again"):
        recorded_elsewhere(atlas.model_path, atlas)


def test_what_is_refused(atlas, far, folder, tmp_path):
    model = load_model(atlas.model_path)
    with pytest.raises(InputError, match="was trained on madeup"):
        check_elsewhere(model, atlas, atlas)
    near = load_atlas(write_explorable_city(tmp_path / "near", "near", east_m=300.0, model=False))
    with pytest.raises(InputError, match="near lies there"):
        check_elsewhere(model, atlas, near)
    world = load_atlas(write_explorable_atlas(tmp_path / "tiny"))
    with pytest.raises(InputError, match="tiny has no street views"):
        check_elsewhere(model, atlas, world)
    with pytest.raises(InputError, match="does not read street views"):
        check_elsewhere(UniGeoCLIP(CONFIG), world, far)
    wide = load_atlas(far.path)
    wide.manifest = replace(wide.manifest, window_m=300.0)
    with pytest.raises(InputError, match=r"windows of 225 m, but those of far are 300 m"):
        check_elsewhere(model, atlas, wide)


def test_a_model_folder_of_ones_own_keeps_its_figures(atlas, far, tmp_path):
    torch.manual_seed(1)
    save_model(UniGeoCLIP(CITY_CONFIG).eval(), tmp_path)
    write_json(tmp_path / "metrics.json", {"data": atlas.data_hash, "split": "views"})
    evaluate(atlas, tmp_path, elsewhere=far, record=True)
    assert (tmp_path / "elsewhere-far.json").is_file()
    assert not list(atlas.model_path.glob("elsewhere-*"))
