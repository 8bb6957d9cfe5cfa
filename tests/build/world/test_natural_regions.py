"""The hand-drawn gazetteer of natural regions: sound shapes, unambiguous names, and places where they belong."""

import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from shapely.geometry import Point, shape

import unigeoclip.build.world as sources

PATH = Path(sources.__file__).with_name("natural_regions.geojson")
LAND_KINDS = {"desert", "range", "plateau", "basin", "plain", "forest", "steppe", "wetland", "valley", "lowland", "ice"}
SHORE_KINDS = {"peninsula", "island", "archipelago", "coast"}
KINDS = LAND_KINDS | SHORE_KINDS | {"sea", "gulf", "lake", "river_basin"}
EARTH_RADIUS_KM = 6371.0088

# (place, longitude, latitude, regions it is in, regions it is not in)
POINTS = [
    ("Tamanrasset", 5.52, 22.79, {"Sahara", "Ahaggar"}, {"Sahel", "Libyan Desert"}),
    ("Siwa", 25.52, 29.20, {"Sahara", "Libyan Desert"}, {"Nile Valley"}),
    ("Luxor", 32.64, 25.69, {"Nile Valley"}, {"Libyan Desert"}),
    ("Niamey", 2.11, 13.51, {"Sahel"}, {"Sahara"}),
    ("Manaus", -60.02, -3.12, {"Amazon rainforest", "Amazon basin"}, {"Cerrado", "Andes"}),
    ("Brasília", -47.88, -15.79, {"Cerrado", "Brazilian Highlands"}, {"Amazon rainforest"}),
    ("Kisangani", 25.19, 0.52, {"Congo rainforest", "Congo basin"}, {"Great Rift Valley"}),
    ("Kathmandu", 85.32, 27.72, {"Himalaya"}, {"Tibetan Plateau", "Indo-Gangetic Plain"}),
    ("Lhasa", 91.12, 29.65, {"Tibetan Plateau"}, {"Himalaya", "Taklamakan Desert"}),
    ("Patna", 85.14, 25.59, {"Indo-Gangetic Plain", "Indian subcontinent"}, {"Himalaya", "Deccan Plateau"}),
    ("Innsbruck", 11.39, 47.27, {"Alps"}, {"Po Valley"}),
    ("Milan", 9.19, 45.46, {"Po Valley"}, {"Alps", "Apennines"}),
    ("Munich", 11.58, 48.14, set(), {"Alps", "North European Plain"}),
    ("Andorra la Vella", 1.52, 42.51, {"Pyrenees"}, {"Alps"}),
    ("Braşov", 25.59, 45.65, {"Carpathian Mountains"}, {"Pannonian Basin"}),
    ("Madrid", -3.70, 40.42, {"Iberian Peninsula", "Meseta Central"}, {"Pyrenees"}),
    ("Moscow", 37.62, 55.75, {"East European Plain"}, {"Siberia", "Taiga"}),
    ("Surgut", 73.40, 61.25, {"West Siberian Plain", "Siberia", "Taiga"}, {"Ural Mountains", "Arctic tundra"}),
    ("Norilsk", 88.2, 69.35, {"Siberia"}, {"West Siberian Plain"}),
    ("Provideniya", -173.2, 64.42, {"Chukchi Peninsula"}, {"Alaska"}),
    ("Petropavlovsk-Kamchatsky", 158.65, 53.02, {"Kamchatka"}, {"Sakhalin", "Siberia"}),
    ("Hotan desert", 82.0, 39.0, {"Taklamakan Desert", "Tarim Basin"}, {"Gobi Desert"}),
    ("Dalanzadgad", 104.43, 43.57, {"Gobi Desert", "Mongolian Plateau"}, {"Altai Mountains"}),
    ("Chengdu", 104.07, 30.67, {"Sichuan Basin"}, {"Tibetan Plateau"}),
    ("Beijing", 116.40, 39.90, {"North China Plain"}, {"Manchurian Plain"}),
    ("Liwa", 53.77, 23.13, {"Rub al Khali", "Arabian Desert", "Arabian Peninsula"}, {"Persian Gulf"}),
    ("Baghdad", 44.37, 33.31, {"Mesopotamia"}, {"Zagros Mountains"}),
    ("Addis Ababa", 38.75, 9.02, {"Ethiopian Highlands", "Horn of Africa"}, {"Danakil Desert"}),
    ("Maun", 23.42, -19.98, {"Okavango Delta", "Kalahari Desert"}, {"Namib Desert"}),
    ("Alice Springs", 133.88, -23.70, {"Outback"}, {"Simpson Desert", "Great Dividing Range"}),
    ("Canberra", 149.13, -35.28, {"Great Dividing Range"}, {"Outback"}),
    ("Queenstown", 168.66, -45.03, {"South Island", "Southern Alps"}, {"North Island"}),
    ("La Paz", -68.15, -16.50, {"Andes", "Altiplano", "Central Andes"}, {"Amazon rainforest"}),
    ("Calama", -68.93, -22.46, {"Atacama Desert"}, {"Patagonia", "Pampas"}),
    ("Bahía Blanca inland", -61.5, -36.5, {"Pampas"}, {"Patagonia", "Gran Chaco"}),
    ("Aspen", -106.82, 39.19, {"Rocky Mountains"}, {"Great Plains", "Appalachian Mountains"}),
    ("Dodge City", -100.02, 37.75, {"Great Plains"}, {"Rocky Mountains"}),
    ("Fresno", -119.79, 36.75, {"Central Valley"}, {"Sierra Nevada", "Mojave Desert"}),
    ("Miami", -80.19, 25.76, {"Florida"}, {"Cuba", "Gulf of Mexico"}),
    ("Summit Station", -38.46, 72.58, {"Greenland", "Greenland ice sheet"}, {"Iceland"}),
    ("Reykjavík", -21.90, 64.14, {"Iceland"}, {"Greenland"}),
    ("Inverness hills", -4.7, 57.2, {"Great Britain", "Scottish Highlands"}, {"Ireland", "Atlantic Ocean"}),
    ("Palangkaraya", 113.92, -2.21, {"Borneo"}, {"Java Sea", "Sulawesi"}),
    ("south of Malta", 15.0, 35.0, {"Mediterranean Sea"}, {"Atlantic Ocean", "Red Sea"}),
    ("Nuoro, inside Sardinia", 9.1, 40.2, {"Sardinia"}, {"Mediterranean Sea", "Corsica"}),
    ("mid-Pacific", -140.0, 0.0, {"Pacific Ocean"}, {"Atlantic Ocean", "Indian Ocean"}),
    ("Fiji waters", 175.0, -10.0, {"Pacific Ocean"}, {"Coral Sea"}),
]

# Thousands of square kilometres as commonly given in reference works; our hand-drawn outlines stay within a third.
AREAS_THOUSAND_KM2 = {
    "Sahara": 9200,
    "Amazon rainforest": 6000,
    "Himalaya": 595,
    "Greenland": 2170,
    "Alps": 190,
    "Gobi Desert": 1295,
    "Taklamakan Desert": 337,
    "Rub al Khali": 650,
    "Tibetan Plateau": 2500,
    "Mediterranean Sea": 2500,
    "Caspian Sea": 371,
    "Black Sea": 436,
    "Madagascar": 587,
    "Borneo": 743,
    "Cerrado": 2000,
    "Gulf of Mexico": 1550,
    "Scandinavian Peninsula": 750,
    "Atlantic Ocean": 85000,
}


@pytest.fixture(scope="module")
def regions():
    with PATH.open(encoding="utf-8") as file:
        features = json.load(file)["features"]
    return {feature["properties"]["name"]: (feature["properties"], shape(feature["geometry"])) for feature in features}


def area_km2(geometry):
    """Area on the sphere: a cylinder projection that keeps areas, over edges cut to a degree."""
    dense = shapely.segmentize(geometry, 1.0)
    flat = shapely.transform(dense, lambda xy: np.column_stack([np.radians(xy[:, 0]), np.sin(np.radians(xy[:, 1]))]))
    return flat.area * EARTH_RADIUS_KM**2


def test_names_are_unique_and_sorted():
    with PATH.open(encoding="utf-8") as file:
        names = [feature["properties"]["name"] for feature in json.load(file)["features"]]
    assert len(names) >= 300
    assert names == sorted(set(names))


def test_file_is_small_and_has_one_region_per_line():
    text = PATH.read_text(encoding="utf-8")
    assert len(text.encode()) <= 130_000
    assert sum(line.startswith('{"type":"Feature",') for line in text.splitlines()) == len(json.loads(text)["features"])


def test_every_name_and_alias_means_one_region(regions):
    owner = {}
    for name, (properties, _) in regions.items():
        for word in {name.casefold(), *(alias.casefold() for alias in properties["aliases"])}:
            assert owner.setdefault(word, name) == name, f"{word!r} is both {owner[word]} and {name}"


def test_properties_are_complete(regions):
    for name, (properties, _) in regions.items():
        assert set(properties) == {"name", "aliases", "kind", "words"}, name
        assert properties["kind"] in KINDS, name
        assert all(alias.strip() == alias and alias for alias in [name, *properties["aliases"]]), name
    assert {properties["kind"] for properties, _ in regions.values()} == KINDS


def test_shapes_are_valid_in_bounds_and_of_tenths_of_a_degree(regions):
    for name, (_, geometry) in regions.items():
        assert geometry.is_valid, name
        assert geometry.geom_type in {"Polygon", "MultiPolygon"}, name
        west, south, east, north = geometry.bounds
        assert min(west + 180, 180 - east, south + 90, 90 - north) >= 0, name
        coordinates = shapely.get_coordinates(geometry)
        assert np.allclose(coordinates, coordinates.round(1), atol=1e-9), name


def test_areas_are_of_a_size_a_map_can_show(regions):
    for name, (_, geometry) in regions.items():
        assert 1_000 < area_km2(geometry) < 180e6, name


@pytest.mark.parametrize("name", AREAS_THOUSAND_KM2)
def test_area_is_near_the_known_one(regions, name):
    assert area_km2(regions[name][1]) / 1000 == pytest.approx(AREAS_THOUSAND_KM2[name], rel=1 / 3)


@pytest.mark.parametrize(("place", "lon", "lat", "inside", "outside"), POINTS, ids=[row[0] for row in POINTS])
def test_known_point(regions, place, lon, lat, inside, outside):
    point = Point(lon, lat)
    assert {name for name in inside if not regions[name][1].covers(point)} == set(), f"{place} should be in these"
    assert {name for name in outside if regions[name][1].covers(point)} == set(), f"{place} should not be in these"
