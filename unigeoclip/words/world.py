"""The phrases that describe parts of the world, by kind: what a window of some hundred kilometers can be like.

No names of places. Kinds have some twenty to thirty phrases each, so that none wins by its number.
"""

from __future__ import annotations

# fmt: off
WORLD: dict[str, tuple[str, ...]] = {
    "climate": (
        "tropical rainforest climate", "tropical monsoon climate", "tropical savanna climate", "hot desert climate",
        "cold desert climate", "hot semi-arid climate", "cold semi-arid climate", "Mediterranean climate",
        "humid subtropical climate", "subtropical highland climate", "oceanic climate", "cool rainy climate",
        "continental climate", "subarctic climate", "polar climate", "tundra climate", "ice cap climate",
        "monsoon climate", "dry climate", "humid climate", "arid land", "extreme climate", "mild climate",
        "equatorial climate", "alpine climate",
    ),
    "seasons": (
        "hot and humid all year", "mild and rainy all year", "frozen all year", "hot dry summers",
        "dry summers and mild rainy winters", "hot humid summers", "warm summers", "short cool summers",
        "cool wet summers", "long cold winters", "extremely cold winters", "cold snowy winters", "cold dry winters",
        "mild winters", "no winter", "summer rain", "rainy season and dry season", "long dry season",
        "short dry season", "monsoon rains", "midnight sun and polar night", "hardly any rain", "heavy rain all year",
        "four seasons",
    ),
    "land cover": (
        "tropical rainforest", "jungle", "tropical dry forest", "mangroves", "cloud forest", "savanna",
        "savanna woodland", "thorn scrub", "grassland", "steppe", "prairie", "semi-desert shrubland", "sagebrush",
        "sand desert", "sand dunes", "stony desert", "salt flats", "boreal forest", "taiga", "conifer forest",
        "deciduous forest", "mixed forest", "temperate rainforest", "Mediterranean scrub", "moorland", "peat bog",
        "tundra", "bare rock", "treeless land", "wetland",
    ),
    "farming": (
        "farmland", "wheat fields", "corn and soybeans", "rice paddies", "irrigated fields", "vineyards",
        "olive groves", "fruit orchards", "cotton fields", "sugar cane", "coffee plantations", "tea plantations",
        "oil palm plantations", "banana plantations", "pasture and dairy farms", "sheep grazing", "cattle ranches",
        "nomadic herding", "terraced fields", "small farms", "large-scale grain farming", "shifting cultivation",
        "reindeer herding", "date palms and oases", "no agriculture",
    ),
    "terrain": (
        "flat lowland", "low-lying plain", "rolling plain", "flat plain", "hills", "rolling hills", "plateau",
        "high plateau", "tableland", "mountains", "high mountains", "very high mountains", "mountain range",
        "mountain valleys", "foothills", "canyons", "escarpment", "basin between mountains", "land below sea level",
        "rugged terrain", "steep slopes", "old low mountains", "coastal plain", "rift valley", "gorges",
    ),
    "rock and fire": (
        "volcanoes", "active volcano", "lava fields", "hot springs and geysers", "limestone karst",
        "granite mountains", "red sandstone", "basalt plain", "loess hills", "gravel plains", "caves and sinkholes",
        "earthquake country", "volcanic islands", "black sand", "badlands", "buttes and mesas", "salt domes",
        "meteorite crater", "cracked clay", "rocky outcrops",
    ),
    "ice and snow": (
        "ice sheet", "glaciers", "permanent ice and snow", "snowy mountains", "permafrost", "sea ice", "frozen lakes",
        "ice-covered island", "glaciated fjords", "snow in winter", "snow all year", "no snow ever", "ski resort",
        "avalanche slopes", "polar desert", "icebergs", "frozen ground", "patches of snow in summer",
    ),
    "rivers and lakes": (
        "great river", "river delta", "river valley", "flood plain", "rainforest river", "many lakes", "large lake",
        "lakes and forest", "salt lake", "swamp", "marsh", "seasonally flooded land", "dry river beds", "oasis",
        "reservoirs and dams", "waterfalls", "mountain streams", "inland delta", "irrigation canals",
        "no surface water",
    ),
    "coast and sea": (
        "by the sea", "coast", "rocky coast", "sandy beaches", "fjords", "coral reef", "coral atoll", "lagoons",
        "cliffs by the sea", "desert by the sea", "tropical coast", "cold coast", "windswept coast", "estuary",
        "peninsula", "strait", "fishing coast", "beach resorts", "near the coast", "not far from the sea",
    ),
    "islands and interior": (
        "small island", "tropical island", "mountainous island", "large island", "remote ocean island",
        "group of islands", "island surrounded by the sea", "inland", "far inland", "heart of the continent",
        "far from any ocean", "interior plains", "continental interior", "mainland", "isolated place",
        "landlocked region", "away from the sea", "Arctic islands",
    ),
    "population": (
        "densely populated area", "crowded region", "very many people", "populated countryside",
        "many towns and villages", "scattered villages", "sparsely populated", "few people live here",
        "hardly anyone lives here", "uninhabited land", "empty wilderness", "remote wilderness", "millions of people",
        "nomads", "far from any town", "settled farmland", "rural area", "depopulated countryside",
    ),
    "settlement": (
        "megacity", "big city", "major urban area", "medium-sized city", "small town", "town", "village",
        "rural village", "countryside", "industrial city", "capital city", "port city", "mountain village",
        "desert town", "fishing village", "mining town", "suburbs of a big city", "old city", "new city",
        "research station", "oasis town",
    ),
    "city setting": (
        "big city by the sea", "city in the mountains", "city on a plain", "city on a high plateau", "city on a river",
        "town in the hills", "town on an island", "coastal town", "desert city", "city in the tropics",
        "city with cold winters", "city among farmland", "village in the mountains", "village on the coast",
        "town in the forest", "city in the steppe", "city on a lake", "northern city", "Mediterranean town",
        "savanna village",
    ),
    "use": (
        "oil fields", "gas fields", "coal mines", "copper mines", "gold mining", "diamond mines", "logging",
        "plantations", "heavy industry", "steel works", "shipping port", "fisheries", "tourism", "national park",
        "game reserve", "wind farms", "hydropower dam", "trade routes", "irrigation projects", "untouched nature",
        "ranches", "greenhouses",
    ),
    "animals and plants": (
        "elephants and lions", "penguins", "polar bears", "reindeer", "kangaroos", "camels", "llamas", "yaks",
        "tigers", "monkeys and parrots", "bison", "wolves and bears", "whales and seals", "cactus", "palm trees",
        "pine forest", "birch and larch", "eucalyptus", "bamboo", "mosses and lichens", "baobab trees", "acacia trees",
        "oak forest", "ferns",
    ),
}
# fmt: on
