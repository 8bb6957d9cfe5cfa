"""Text queries that describe places in words that no caption uses, and what counts as inside for each.

They join those of `world_queries` and read vague words as these do. What is asked for follows from understanding the
words: plants, animals, crops or the landscape say where on Earth it is.
"""

from __future__ import annotations

from unigeoclip.build.rules.world_queries import SOUTHEAST_ASIA, RuleSpec
from unigeoclip.build.rules.world_sources import OUTLINE

__all__ = ["DESCRIPTIONS"]

_OTHER_RICE_COUNTRIES = (
    "India", "Bangladesh", "Sri Lanka", "Nepal", "China", "Taiwan", "Japan", "South Korea", "North Korea",
)  # fmt: skip

DESCRIPTIONS: tuple[RuleSpec, ...] = (
    # Crops, plants and animals.
    RuleSpec(
        "where rice is grown",
        "in South, Southeast or East Asia, at least 20 % cropland, at least 900 mm of rain a year",
        ("countries", "land cover", "climate"),
        lambda e: (
            e.country(*SOUTHEAST_ASIA, *_OTHER_RICE_COUNTRIES)
            & (e.cover("cropland") >= 20)
            & (e.climate.rain_mm >= 900)
        ),
    ),
    RuleSpec(
        "olive groves and vineyards",
        "Mediterranean climate (Koeppen Cs), yearly mean at least 11 °C, or within 50 km of the Mediterranean coast",
        ("climate", OUTLINE, "countries"),
        lambda e: (
            (e.climate.is_dry_summer & (e.climate.mean_c >= 11))
            | (e.coast_within(50, sea="Mediterranean Sea") & (e.climate.rain_mm >= 300))
        ),
    ),
    RuleSpec(
        "where kangaroos live",
        "in Australia",
        ("countries",),
        lambda e: e.country("Australia"),
    ),
    RuleSpec(
        "wheat fields of Ukraine",
        "in Ukraine, at least 40 % cropland",
        ("countries", "land cover"),
        lambda e: e.country("Ukraine") & (e.cover("cropland") >= 40),
    ),
    RuleSpec(
        "cattle ranches of the Brazilian savanna",
        "in Brazil, at least half savanna and grassland",
        ("countries", "land cover"),
        lambda e: e.country("Brazil") & (e.cover("savanna") + e.cover("grassland") >= 50),
    ),
    RuleSpec(
        "grasslands of Mongolia",
        "in Mongolia, at least half grassland",
        ("countries", "land cover"),
        lambda e: e.country("Mongolia") & (e.cover("grassland") >= 50),
    ),
    RuleSpec(
        "jungle in Central Africa",
        "inside the outline of the Congo Basin and its coast, at least a third evergreen broadleaf forest",
        (OUTLINE, "land cover"),
        lambda e: e.outline("Congo Basin") & (e.cover("evergreen broadleaf forest") >= 33),
    ),
    RuleSpec(
        "pine and spruce forest in the far north",
        "north of 50 N, at least half wooded, yearly mean below 5 °C, warmest month at least 10 °C",
        ("land cover", "climate"),
        lambda e: (e.lat_deg > 50) & (e.cover("wooded") >= 50) & (e.climate.mean_c < 5) & (e.climate.warmest_c >= 10),
    ),
    RuleSpec(
        "lakes and forests of Finland",
        "in Finland, at least half wooded",
        ("countries", "land cover"),
        lambda e: e.country("Finland") & (e.cover("wooded") >= 50),
    ),
    # Heat, cold and rain.
    RuleSpec(
        "permafrost",
        "yearly mean below -3 °C, warmest month above 0 °C, less than half snow and ice",
        ("climate", "land cover"),
        lambda e: (e.climate.mean_c < -3) & (e.climate.warmest_c > 0) & (e.cover("snow and ice") < 50),
    ),
    RuleSpec(
        "snow all year round",
        "at least 30 % snow and ice, or warmest month below 2 °C",
        ("land cover", "climate"),
        lambda e: (e.cover("snow and ice") >= 30) | (e.climate.warmest_c < 2),
    ),
    RuleSpec(
        "hottest places on Earth",
        "warmest month at least 33 °C, or yearly mean at least 28 °C",
        ("climate",),
        lambda e: (e.climate.warmest_c >= 33) | (e.climate.mean_c >= 28),
    ),
    RuleSpec(
        "endless sand dunes",
        "at least 90 % barren, under 150 mm of rain a year, warmest month at least 25 °C",
        ("land cover", "climate"),
        lambda e: (e.cover("barren") >= 90) & (e.climate.rain_mm < 150) & (e.climate.warmest_c >= 25),
    ),
    RuleSpec(
        "cool mountains near the equator",
        "within 12 degrees of the equator, yearly mean below 20 °C",
        ("climate",),
        lambda e: (abs(e.lat_deg) <= 12) & (e.climate.mean_c < 20),
    ),
    RuleSpec(
        "salt flats and high desert of the Andes",
        "inside the outline of the Andes between 30 S and 14 S, under 600 mm of rain a year, yearly mean below 14 °C",
        (OUTLINE, "climate"),
        lambda e: (
            e.outline("Andes")
            & (e.lat_deg > -30)
            & (e.lat_deg < -14)
            & (e.climate.rain_mm < 600)
            & (e.climate.mean_c < 14)
        ),
    ),
    # Coasts, cities and peoples.
    RuleSpec(
        "rainy coast of West Africa",
        "between Senegal and Cameroon within 200 km of the coast, at least 1,300 mm of rain a year",
        (OUTLINE, "countries", "climate"),
        lambda e: e.coast_within(200, sea="Gulf of Guinea coast") & e.outline("Africa") & (e.climate.rain_mm >= 1300),
    ),
    RuleSpec(
        "Gulf coast of Texas and Louisiana",
        "in the United States within 150 km of the Gulf of Mexico, between Rio Grande and Mississippi",
        ("countries", OUTLINE),
        lambda e: e.country("United States of America") & e.coast_within(150, sea="Gulf coast of Texas and Louisiana"),
    ),
    RuleSpec(
        "Arctic coast of Canada",
        "in Canada north of 66 N, within 100 km of the coast",
        ("countries",),
        lambda e: e.country("Canada") & (e.lat_deg > 66) & e.coast_within(100),
    ),
    RuleSpec(
        "big cities of India",
        "in India, within 60 km of the middle of a big city",
        ("countries", "land cover", "night lights"),
        lambda e: e.country("India") & e.city_within(60),
    ),
    RuleSpec(
        "land of the Maya",
        "inside the outline of the lands of the Maya, Yucatan to western Honduras",
        (OUTLINE,),
        lambda e: e.outline("Maya lands"),
    ),
)
