"""The text queries that judge models of the world, and what counts as inside for each.

A rule is what a fair-minded geographer would accept: generous where the words are vague, and never fitted to what a
model answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from unigeoclip.build.rules.world_sources import OUTLINE

if TYPE_CHECKING:
    from collections.abc import Callable

    from unigeoclip.build.rules.world_layers import Earth, Mask


@dataclass(frozen=True)
class RuleSpec:
    """One query and what counts as inside.

    Attributes:
        query: The text a person types.
        words: The rule in plain English.
        sources: Keys of `SOURCES`, and ``drawn outline``.
        mask: Expression of the layers, true inside.
    """

    query: str
    words: str
    sources: tuple[str, ...]
    mask: Callable[[Earth], Mask]


_SCANDINAVIA = ("Norway", "Sweden", "Finland", "Denmark")
_CARIBBEAN = (
    "Cuba", "Jamaica", "Haiti", "Dominican Rep.", "Puerto Rico", "Bahamas", "Cayman Is.", "Turks and Caicos Is.",
    "U.S. Virgin Is.", "British Virgin Is.", "Anguilla", "Antigua and Barb.", "St. Kitts and Nevis", "Montserrat",
    "Dominica", "Saint Lucia", "St. Vin. and Gren.", "Barbados", "Grenada", "Trinidad and Tobago", "Aruba", "Curaçao",
    "Sint Maarten", "St-Martin",
)  # fmt: skip
SOUTHEAST_ASIA = (
    "Thailand", "Vietnam", "Cambodia", "Laos", "Myanmar", "Indonesia", "Philippines", "Malaysia", "Timor-Leste",
    "Brunei",
)  # fmt: skip

# Vague words are read with these limits throughout: "by the sea" is within 100 km of the coast, a city reaches 60 km
# from its middle, a place "is" a land cover if that covers half of its land (less where fields lie scattered).
RULES: tuple[RuleSpec, ...] = (
    # Names of deserts, dry lands and grasslands.
    RuleSpec(
        "Sahara",
        "inside the outline of the Sahara, under 250 mm of rain a year",
        (OUTLINE, "climate"),
        lambda e: e.outline("Sahara") & (e.climate.rain_mm < 250),
    ),
    RuleSpec(
        "Sahel",
        "inside the outline of the Sahel belt, 100 to 900 mm of rain a year",
        (OUTLINE, "climate"),
        lambda e: e.outline("Sahel") & (e.climate.rain_mm >= 100) & (e.climate.rain_mm <= 900),
    ),
    RuleSpec(
        "Arabian desert",
        "inside the outline of the Arabian Peninsula, under 200 mm of rain a year",
        (OUTLINE, "climate"),
        lambda e: e.outline("Arabian Peninsula") & (e.climate.rain_mm < 200),
    ),
    RuleSpec(
        "Gobi desert",
        "inside the outline of the Gobi, under 350 mm of rain a year",
        (OUTLINE, "climate"),
        lambda e: e.outline("Gobi") & (e.climate.rain_mm < 350),
    ),
    RuleSpec(
        "Atacama desert",
        "inside the outline of the Atacama and its margins, under 250 mm of rain a year",
        (OUTLINE, "climate"),
        lambda e: e.outline("Atacama") & (e.climate.rain_mm < 250),
    ),
    RuleSpec(
        "Namib desert",
        "inside the outline of the Namib and its margins, under 250 mm of rain a year",
        (OUTLINE, "climate"),
        lambda e: e.outline("Namib") & (e.climate.rain_mm < 250),
    ),
    RuleSpec(
        "Australian outback",
        "in Australia, under 500 mm of rain a year, less than a fifth cropland",
        ("countries", "climate", "land cover"),
        lambda e: e.country("Australia") & (e.climate.rain_mm < 500) & (e.cover("cropland") < 20),
    ),
    RuleSpec(
        "steppe of Kazakhstan",
        "in Kazakhstan, at least half grassland and cropland",
        ("countries", "land cover"),
        lambda e: e.country("Kazakhstan") & (e.cover("grassland") + e.cover("cropland") >= 50),
    ),
    RuleSpec(
        "Patagonia",
        "inside the outline of Patagonia, on both sides of the Andes",
        (OUTLINE,),
        lambda e: e.outline("Patagonia"),
    ),
    # Names of mountains and highlands.
    RuleSpec(
        "Himalaya", "inside the outline of the Himalaya and its foothills", (OUTLINE,), lambda e: e.outline("Himalaya")
    ),
    RuleSpec(
        "Tibetan plateau",
        "inside the outline of the Tibetan Plateau",
        (OUTLINE,),
        lambda e: e.outline("Tibetan Plateau"),
    ),
    RuleSpec(
        "Andes",
        "inside the outline of the Andes, Venezuela to Tierra del Fuego",
        (OUTLINE,),
        lambda e: e.outline("Andes"),
    ),
    RuleSpec("Alps", "inside the outline of the Alps and their edge", (OUTLINE,), lambda e: e.outline("Alps")),
    RuleSpec(
        "Canadian Rockies",
        "inside the outline of the Rocky and Columbia Mountains in Canada",
        (OUTLINE,),
        lambda e: e.outline("Canadian Rockies"),
    ),
    RuleSpec(
        "Ethiopian highlands",
        "inside the outline of the Ethiopian Highlands, yearly mean below 25 °C",
        (OUTLINE, "climate"),
        lambda e: e.outline("Ethiopian Highlands") & (e.climate.mean_c < 25),
    ),
    # Names of forests and wide regions.
    RuleSpec(
        "Amazon rainforest",
        "inside the outline of Amazonia, at least half evergreen broadleaf forest",
        (OUTLINE, "land cover"),
        lambda e: e.outline("Amazonia") & (e.cover("evergreen broadleaf forest") >= 50),
    ),
    RuleSpec(
        "Congo rainforest",
        "inside the outline of the Congo Basin and its coast, at least half evergreen broadleaf forest",
        (OUTLINE, "land cover"),
        lambda e: e.outline("Congo Basin") & (e.cover("evergreen broadleaf forest") >= 50),
    ),
    RuleSpec(
        "Siberian taiga",
        "in Russia east of 60 E, at least half wooded, warmest month at least 10 °C",
        ("countries", "land cover", "climate"),
        lambda e: e.country("Russia") & (e.lon_deg > 60) & (e.cover("wooded") >= 50) & (e.climate.warmest_c >= 10),
    ),
    RuleSpec(
        "forests of the eastern United States",
        "in the United States east of 96 W, at least half wooded",
        ("countries", OUTLINE, "land cover"),
        lambda e: (
            e.country("United States of America") & e.outline("Eastern United States") & (e.cover("wooded") >= 50)
        ),
    ),
    RuleSpec(
        "Great Lakes of North America",
        "inside the outline of the land round the Great Lakes",
        (OUTLINE,),
        lambda e: e.outline("Great Lakes"),
    ),
    RuleSpec(
        "Pampas of Argentina",
        "inside the outline of the Pampas, with their continuation in Uruguay and southernmost Brazil",
        (OUTLINE,),
        lambda e: e.outline("Pampas"),
    ),
    RuleSpec(
        "Mediterranean coast",
        "within 100 km of the coast of the Mediterranean Sea",
        (OUTLINE, "countries"),
        lambda e: e.coast_within(100, sea="Mediterranean Sea"),
    ),
    # Countries and islands.
    RuleSpec(
        "Scandinavia",
        "in Norway, Sweden, Finland or Denmark, without Svalbard",
        ("countries",),
        lambda e: e.country(*_SCANDINAVIA) & (e.lat_deg < 72),
    ),
    RuleSpec(
        "Norwegian fjords",
        "in Norway without Svalbard, within 100 km of the coast",
        ("countries",),
        lambda e: e.country("Norway") & (e.lat_deg < 72) & e.coast_within(100),
    ),
    RuleSpec("Iceland", "in Iceland", ("countries",), lambda e: e.country("Iceland")),
    RuleSpec("Japan", "in Japan", ("countries",), lambda e: e.country("Japan")),
    RuleSpec("India", "in India", ("countries",), lambda e: e.country("India")),
    RuleSpec("Madagascar", "in Madagascar", ("countries",), lambda e: e.country("Madagascar")),
    RuleSpec("New Zealand", "in New Zealand", ("countries",), lambda e: e.country("New Zealand")),
    RuleSpec("islands of Indonesia", "in Indonesia", ("countries",), lambda e: e.country("Indonesia")),
    RuleSpec("Borneo", "inside an outline of the island of Borneo", (OUTLINE,), lambda e: e.outline("Borneo")),
    RuleSpec(
        "Caribbean islands",
        "in one of the island countries and territories of the Caribbean and the Bahamas",
        ("countries",),
        lambda e: e.country(*_CARIBBEAN),
    ),
    RuleSpec(
        "Alaska",
        "in the United States north of 51 N and west of 130 W",
        ("countries",),
        lambda e: e.country("United States of America") & (e.lat_deg > 51) & ((e.lon_deg < -129.5) | (e.lon_deg > 0)),
    ),
    # Ice and cold.
    RuleSpec(
        "Greenland ice",
        "in Greenland, at least half snow and ice",
        ("countries", "land cover"),
        lambda e: e.country("Greenland") & (e.cover("snow and ice") >= 50),
    ),
    RuleSpec(
        "ice cap",
        "at least half snow and ice",
        ("land cover",),
        lambda e: e.cover("snow and ice") >= 50,
    ),
    RuleSpec(
        "tundra",
        "arctic or alpine: warmest month 0 to 12 °C, less than half ice, less than a fifth forest",
        ("climate", "land cover"),
        lambda e: (
            (e.climate.warmest_c >= 0)
            & (e.climate.warmest_c <= 12)
            & (e.cover("snow and ice") < 50)
            & (e.cover("forest") < 20)
        ),
    ),
    RuleSpec(
        "extremely cold winters",
        "coldest month below -25 °C",
        ("climate",),
        lambda e: e.climate.coldest_c < -25,
    ),
    # Landscapes anywhere.
    RuleSpec(
        "hot desert",
        "desert climate (Koeppen BW), yearly mean at least 18 °C",
        ("climate",),
        lambda e: e.climate.is_desert & (e.climate.mean_c >= 18),
    ),
    RuleSpec(
        "tropical rainforest",
        "at least half evergreen broadleaf forest, coldest month at least 18 °C",
        ("land cover", "climate"),
        lambda e: (e.cover("evergreen broadleaf forest") >= 50) & (e.climate.coldest_c >= 18),
    ),
    RuleSpec(
        "high mountains",
        "inside the outline of a range with peaks above about 3,000 m",
        (OUTLINE,),
        lambda e: e.outline("high mountains"),
    ),
    RuleSpec(
        "dry summer and mild rainy winter",
        "Mediterranean climate (Koeppen Cs) on any continent",
        ("climate",),
        lambda e: e.climate.is_dry_summer,
    ),
    RuleSpec(
        "very rainy place",
        "at least 2,000 mm of rain a year",
        ("climate",),
        lambda e: e.climate.rain_mm >= 2000,
    ),
    RuleSpec(
        "densely populated city",
        "within 60 km of the middle of a big city: built-up land or bright night lights",
        ("land cover", "night lights"),
        lambda e: e.city_within(60),
    ),
    # Combinations.
    RuleSpec(
        "big city by the sea",
        "within 60 km of the middle of a big city and within 100 km of the coast",
        ("land cover", "night lights", "countries"),
        lambda e: e.city_within(60) & e.coast_within(100),
    ),
    RuleSpec(
        "desert by the sea",
        "desert climate (Koeppen BW), within 100 km of the coast",
        ("climate", "countries"),
        lambda e: e.climate.is_desert & e.coast_within(100),
    ),
    RuleSpec(
        "tropical coast",
        "coldest month at least 18 °C, within 100 km of the coast",
        ("climate", "countries"),
        lambda e: (e.climate.coldest_c >= 18) & e.coast_within(100),
    ),
    RuleSpec(
        "cold desert in Asia",
        "in Asia, desert climate or under 250 mm of rain, coldest month below 0 °C, less than a fifth forest",
        (OUTLINE, "climate", "land cover"),
        lambda e: (
            e.outline("Asia")
            & (e.climate.is_desert | (e.climate.rain_mm < 250))
            & (e.climate.coldest_c < 0)
            & (e.lat_deg < 55)
            & (e.cover("forest") < 20)
        ),
    ),
    RuleSpec(
        "mountains in Africa",
        "inside the outline of an African mountain range or mountainous highland",
        (OUTLINE,),
        lambda e: e.outline("African mountains"),
    ),
    RuleSpec(
        "savanna in Africa",
        "in Africa, at least half savanna and grassland, coldest month at least 15 °C, 400 to 1,600 mm of rain",
        (OUTLINE, "land cover", "climate"),
        lambda e: (
            e.outline("Africa")
            & (e.cover("savanna") + e.cover("grassland") >= 50)
            & (e.climate.coldest_c >= 15)
            & (e.climate.rain_mm >= 400)
            & (e.climate.rain_mm <= 1600)
        ),
    ),
    RuleSpec(
        "boreal forest in Canada",
        "in Canada, at least half wooded, yearly mean below 5 °C, warmest month at least 10 °C",
        ("countries", "land cover", "climate"),
        lambda e: (
            e.country("Canada") & (e.cover("wooded") >= 50) & (e.climate.mean_c < 5) & (e.climate.warmest_c >= 10)
        ),
    ),
    RuleSpec(
        "prairie of North America",
        "inside the outline of the Great Plains, at least half grassland and cropland",
        (OUTLINE, "land cover"),
        lambda e: e.outline("North American plains") & (e.cover("grassland") + e.cover("cropland") >= 50),
    ),
    RuleSpec(
        "farmland in Europe",
        "in Europe, at least 40 % cropland",
        (OUTLINE, "land cover"),
        lambda e: e.outline("Europe") & (e.cover("cropland") >= 40),
    ),
    RuleSpec(
        "cornfields of the American Midwest",
        "in the United States inside the outline of the Midwest, at least 40 % cropland",
        ("countries", OUTLINE, "land cover"),
        lambda e: e.country("United States of America") & e.outline("American Midwest") & (e.cover("cropland") >= 40),
    ),
    RuleSpec(
        "monsoon cropland of the Ganges plain",
        "inside the outline of the plain of the Ganges and its delta, at least half cropland",
        (OUTLINE, "land cover"),
        lambda e: e.outline("Ganges plain") & (e.cover("cropland") >= 50),
    ),
    RuleSpec(
        "rice fields of Southeast Asia",
        "in a country of Southeast Asia, at least 30 % cropland",
        ("countries", "land cover"),
        lambda e: e.country(*SOUTHEAST_ASIA) & (e.cover("cropland") >= 30),
    ),
)
