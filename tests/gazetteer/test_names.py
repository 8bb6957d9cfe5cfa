"""Names of made-up atlases, and of the shipped ones."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from unigeoclip.atlas import load_atlas
from unigeoclip.gazetteer import Gazetteer, names_of
from unigeoclip.geo import distance_m


def atlas_of(tmp_path, names, sentences, said, latlon, modalities=("location", "street"), bounds=(-90, -180, 90, 180)):
    places = pd.DataFrame(
        {
            "place_id": [f"p{i}" for i in range(len(names))], "name": names, "sentences": [np.array(s) for s in said],
            "lat": [lat for lat, _ in latlon], "lon": [lon for _, lon in latlon],
        }
    )  # fmt: skip
    manifest = SimpleNamespace(modalities=modalities, bounds=bounds)
    table = pd.DataFrame(sentences, columns=["kind", "text"])
    return SimpleNamespace(places=places, sentences=table, manifest=manifest, path=tmp_path)


@pytest.fixture
def city(tmp_path):
    pd.DataFrame(
        {
            "place_id": ["p0", "p0", "p1", "p2"], "lat": [42.3, 42.31, 42.32, 42.4],
            "lon": [-71.0, -71.0, -71.0, -71.1],
            "street": ["Elm Street", "Elm Street", "Elm Street", "Elm Street"],
        }
    ).to_parquet(tmp_path / "views.parquet")  # fmt: skip
    sentences = [
        ("transit", "near Elm Square"), ("transit", "Elm Square, a subway station"), ("transit", "a station close by"),
        ("water", "by the Mystic River"), ("restaurant", "Elm Diner"), ("park", "Oak Park"),
    ]  # fmt: skip
    names = ["Elm Street, Southend, Boston", "Southend, Boston", "Elm Street, Newton", "Newton"]
    said = [[1, 3], [0, 3], [2, 4], [5]]
    return atlas_of(tmp_path, names, sentences, said, [(42.3, -71.0), (42.33, -71.0), (42.4, -71.1), (42.42, -71.1)])


def test_a_city_has_towns_their_parts_streets_and_sights(city):
    found = {(place.name, place.detail): place for place in names_of(city)}
    assert set(found) == {
        ("Boston", "town or city"), ("Newton", "town or city"), ("Southend", "Boston"),
        ("Elm Street", "street in Boston"), ("Elm Street", "street in Newton"),
        ("Elm Square", "station in Boston"), ("Mystic River", "water in Boston"), ("Oak Park", "park in Newton"),
    }  # fmt: skip
    assert found["Elm Street", "street in Boston"].lat == 42.31  # the middle of its views
    assert found["Elm Square", "station in Boston"].lat == 42.3  # where it is, not where it is near


def test_the_world_has_towns_landscapes_and_countries(tmp_path):
    names = ["Sahara, Algeria", "near Nowhere, Algeria", "Tinyville, Algeria", "Algiers, Algeria"]
    sentences = [("natural_region", "in the Sahara"), ("natural_region", "Sahara"), ("climate", "dry")]
    where = [(25.0, 3.0), (25.1, 3.0), (30.0, 3.0), (36.76, 3.05)]
    world = atlas_of(tmp_path, names, sentences, [[0], [1], [2], [2]], where, modalities=("location",))
    found = [place for place in names_of(world) if place.detail in ("Algeria", "landscape", "country")]
    names = {place.name: place for place in found}
    assert {"Sahara", "Tinyville", "Algiers", "Oran"} <= set(names)
    assert names["Sahara"].kind == "landscape"
    assert "Nowhere" not in names  # what is near it is not it
    assert [place.weight > 1_000_000 for place in found if place.name == "Algiers"] == [True]  # GeoNames' own, once


def test_towns_are_those_within_the_bounds(tmp_path):
    bounds = (45.5, 5.8, 47.9, 10.6)
    alps = atlas_of(tmp_path, ["Zürich, Switzerland"], [], [[]], [(47.37, 8.54)], ("location",), bounds)
    places = names_of(alps)
    assert {"Zürich", "Geneva", "Bern"} <= {place.name for place in places}
    assert all(bounds[0] <= place.lat <= bounds[2] and bounds[1] <= place.lon <= bounds[3] for place in places)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("atlas", "text", "name", "where"),
    [
        ("world", "munchen", "Munich", (48.14, 11.58)),
        ("world", "tokio", "Tokyo", (35.69, 139.69)),
        ("world", "москва", "Moscow", (55.75, 37.62)),
        ("world", "paris, texas", "Paris", (33.66, -95.56)),
        ("boston", "harvard sq", "Harvard Square", (42.3736, -71.119)),
        ("boston", "back bay", "Back Bay", (42.35, -71.08)),
        ("boston", "logan airport", "Logan Airport Ferry Terminal", (42.36, -71.03)),
        ("boston", "newbury st", "Newbury Street", (42.35, -71.08)),
    ],
)
def test_shipped_atlases_know_well_known_names(atlas, text, name, where, gazetteers):
    first, *_ = gazetteers[atlas].search(text)
    assert first.name == name
    assert distance_m((first.lat, first.lon), where) < (50_000 if atlas == "world" else 3_000)


@pytest.fixture(scope="module")
def gazetteers():
    return {name: Gazetteer(names_of(load_atlas(name))) for name in ("boston", "world")}
