"""How people call sizes of settlements, relief, nearness of the sea, density of people, and countries.

Several ways of saying each, because people search in few and varied words; the most usual ones first.
"""

from __future__ import annotations

SETTLEMENT_WORDS: dict[str, tuple[str, ...]] = {
    "megacity": (
        "megacity",
        "a huge city of many millions",
        "in a megacity",
        "big city",
        "metropolis",
        "megalopolis",
        "one of the largest cities",
    ),
    "large city": (
        "large city",
        "big city",
        "in a large city",
        "major urban area",
        "metropolis",
        "large urban area",
    ),
    "city": ("city", "in a city", "urban area", "medium-sized city"),
    "town": (
        "town",
        "in a town",
        "a small town",
        "provincial town",
        "market town",
    ),
    "village": (
        "village",
        "a small village",
        "rural village",
        "village in the countryside",
        "hamlet",
    ),
    "countryside": (
        "countryside",
        "rural area",
        "open country between villages",
        "in the countryside",
        "rural land",
    ),
    "wilderness": (
        "remote wilderness",
        "uninhabited wilderness",
        "far from any town",
        "nobody lives here",
        "wild land",
        "untouched nature",
    ),
}
TERRAIN_WORDS: dict[str, tuple[str, ...]] = {
    "very high mountains": (
        "very high mountains",
        "high mountain peaks",
        "towering snowy mountains",
        "mountains",
        "snow-capped peaks",
        "alpine peaks",
    ),
    "high mountains": (
        "high mountains",
        "mountain range",
        "rugged high mountains",
        "mountains",
        "alpine mountains",
        "alpine landscape",
    ),
    "mountains": (
        "mountains",
        "mountainous terrain",
        "mountain valleys and ridges",
        "in the mountains",
        "steep slopes",
    ),
    "hills": (
        "hills",
        "hilly terrain",
        "rolling hills",
        "hill country",
        "low hills",
        "hilly country",
    ),
    "high plateau": (
        "high plateau",
        "very high plateau",
        "elevated plain between mountains",
        "plateau",
        "high tableland",
    ),
    "plateau": (
        "plateau",
        "upland plateau",
        "highland plain",
        "tableland",
        "uplands",
    ),
    "plain": (
        "plain",
        "gently rolling plain",
        "flat to undulating land",
        "plains",
        "flat land",
        "flatland",
    ),
    "lowland": (
        "flat lowland",
        "low-lying plain",
        "lowland plain",
        "flat land close to sea level",
        "flat, low land",
    ),
    "depression": ("land below sea level", "depression below sea level", "low basin below the level of the sea"),
}
WATER_WORDS: dict[str, tuple[str, ...]] = {
    "small island": (
        "small island",
        "island in the ocean",
        "an island surrounded by the sea",
        "island",
        "isle",
    ),
    "coast": (
        "coast",
        "by the sea",
        "on the coast",
        "seaside",
        "coastal",
        "seashore",
        "shoreline",
        "ocean shore",
    ),
    "near the coast": (
        "near the coast",
        "not far from the sea",
        "coastal hinterland",
        "near the ocean",
    ),
    "inland": ("inland", "away from the sea", "in the interior"),
    "deep inland": (
        "deep in the interior of the continent",
        "far inland",
        "far from any ocean",
        "heart of the continent",
    ),
}
PATTERN_WORDS: dict[str, tuple[str, ...]] = {
    "dense": (
        "densely populated area",
        "very many people live here",
        "crowded, built-up region",
        "densely settled",
        "crowded with people",
        "heavily populated",
    ),
    "populated": ("populated area", "many towns and villages", "settled farmland and towns"),
    "sparse": (
        "sparsely populated",
        "few people live here",
        "scattered villages",
        "thinly populated",
    ),
    "empty": (
        "almost uninhabited",
        "hardly anyone lives here",
        "empty land",
        "uninhabited",
        "deserted",
        "no people",
    ),
}
# Other everyday names of countries than the one GeoNames uses.
COUNTRY_ALIASES: dict[str, tuple[str, ...]] = {
    "US": ("USA", "the United States of America", "America"),
    "GB": ("UK", "Great Britain", "Britain"),
    "NL": ("Netherlands", "Holland"),
    "CD": ("DR Congo", "Congo"),
    "CG": ("Congo-Brazzaville", "Congo"),
    "CI": ("Ivory Coast",),
    "MM": ("Burma", "Myanmar"),
    "CZ": ("Czech Republic",),
    "AE": ("Emirates", "UAE"),
    "TR": ("Turkey", "Türkiye"),
    "KR": ("Korea",),
    "TL": ("East Timor",),
    "SZ": ("Swaziland",),
    "CV": ("Cape Verde",),
    "MK": ("Macedonia",),
    "PG": ("New Guinea",),
    "RU": ("Russian Federation",),
}
