"""All of it on a made-up town: three quarters of it stand for three cities, random pictures for photographs."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.build import made_up_tiles as made_up
from tests.explorable import HashedSentences, use_hashed_sentences, write_explorable_city
from unigeoclip import geo
from unigeoclip.atlas import load_atlas
from unigeoclip.errors import InputError
from unigeoclip.photographs import encoded, map_views
from unigeoclip.photographs.map_views import places_between
from unigeoclip.photographs.printing import real_lines
from unigeoclip.photographs.report import evaluate_real
from unigeoclip.trunks import TRUNKS, Entry

CORNERS = {"Aville": (-250, 150), "Bville": (250, 150), "Cville": (250, -150)}
SPOTS = 34


class Colors:
    """A trunk that sees the picture in 4 x 4 pixels."""

    name, features, groups, fingerprint = "colors", 48, (48,), "one"

    def __init__(self, px):
        self.px = px

    def embed(self, pictures):
        side = self.px // 4
        parts = pictures[:, :, : 4 * side, : 4 * side].reshape(len(pictures), 3, 4, side, 4, side)
        return (parts.mean(axis=(3, 5)) / 255).reshape(len(pictures), -1).astype(np.float16)


def picture(rng):
    out = io.BytesIO()
    Image.fromarray(rng.integers(0, 255, (20, 20, 3), dtype=np.uint8)).save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Photographs of two years; those of a spot show the same noise."""
    path = tmp_path_factory.mktemp("photographs")
    (path / "aerial").mkdir()
    made_up.write_tiles(path / "vector-tiles")
    rng, rows = np.random.default_rng(0), ["file,city,year,lat,lon,trees"]
    for city, (east, north) in CORNERS.items():
        for spot in range(SPOTS):
            at = np.array([made_up.here(east + rng.uniform(-120, 120), north + rng.uniform(-120, 120))])
            lat, lon = geo.inverse_web_mercator(at)[0]
            data = picture(rng)
            for year in (2016, 2020):
                name = f"{city}_{year}_{spot}.png"
                (path / "aerial" / name).write_bytes(data)
                rows.append(f"{name},{city},{year},{lat:.6f},{lon:.6f},{rng.integers(90)}")
    (path / "chips.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def atlas(tmp_path, monkeypatch):
    monkeypatch.setenv("UNIGEOCLIP_CACHE", str(tmp_path / "cache"))
    use_hashed_sentences(monkeypatch)
    monkeypatch.setattr(encoded, "sentence_encoder", HashedSentences)
    monkeypatch.setitem(TRUNKS, "colors", Entry("Colors", Colors, "none"))
    monkeypatch.setattr(map_views, "_MARGIN_M", 120.0)
    monkeypatch.setattr(encoded, "OTHERS", 8)
    return load_atlas(write_explorable_city(tmp_path / "madeup"))


@pytest.mark.slow
def test_three_models_on_three_cities(folder, atlas):
    said = []
    options = {"components": (8,), "hidden": 8, "steps": 10, "batch": 32}
    found = evaluate_real(folder, atlas, trunk="colors", seeds=(0, 1), config=options, say=said.append)
    assert found["spots"] == dict.fromkeys(CORNERS, SPOTS)
    assert found["years"] == [2016, 2020]
    assert found["split"] == "cities"
    assert list(found["models"]) == ["mini", "small-drawings", "small-real"]
    for name, figures in found["models"].items():
        again = figures["retrieval"]["first year->last year, all"]
        assert again["n"] == again["gallery"] == 3 * SPOTS
        assert again["recall@1"] == 100, "the photographs of both years are the same"
        text = figures["retrieval"]["photograph->text"]
        assert text["n"] == 3 * SPOTS
        assert SPOTS <= text["gallery"] <= SPOTS + 8
        assert text["seeds"] == (1 if name == "mini" else 2)
        assert figures["trees"]["n"] == 6 * SPOTS
        assert figures["trees"]["r2"] < 0.3, "the counts are random"
    lines = real_lines(found)
    assert any("photograph->text" in line for line in lines)
    assert "102 spots in 3 cities" in lines[0]

    drawn = [line for line in said if line.startswith("Drawing")]
    again = []
    assert evaluate_real(folder, atlas, trunk="colors", seeds=(0, 1), config=options, say=again.append) == found
    assert len(drawn) == 3
    assert not [line for line in again if line.startswith("Drawing")], "the cache knows the views"


def test_other_places_lie_apart_and_in_the_tiles(folder):
    latlon = np.array([geo.inverse_web_mercator(np.array([made_up.here(0, 0)]))[0]])
    found = places_between(folder / "vector-tiles", latlon, 5, reach_m=250, apart_m=60)
    assert 2 <= len(found) <= 5
    away = geo.distance_m(found, latlon)
    assert (away >= 60).all()
    assert (away <= 251).all()
    between = geo.distance_m(found[:, None], found[None])
    assert between[~np.eye(len(found), dtype=bool)].min() >= 60
    again = places_between(folder / "vector-tiles", latlon, 5, reach_m=250, apart_m=60)
    assert np.array_equal(found, again)


def test_two_cities_are_too_few(folder, atlas, tmp_path):
    few = tmp_path / "few"
    few.mkdir()
    for name in ("aerial", "vector-tiles"):
        (few / name).symlink_to(folder / name)
    rows = (folder / "chips.csv").read_text(encoding="utf-8").splitlines()
    kept = [row for row in rows if "Cville" not in row]
    (few / "chips.csv").write_text("\n".join(kept), encoding="utf-8")
    with pytest.raises(InputError, match="2 cities; 3 or more"):
        evaluate_real(few, atlas, trunk="colors")
