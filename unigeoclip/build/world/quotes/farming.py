"""Where things that people grow or keep can be, and how they are called."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["PRODUCTS", "SHORE_PRODUCTS", "Product", "grows"]

SHORE_PRODUCTS = re.compile(
    r"\b(?:fish|shrimp|lobster|squid|crab|shellfish|seafood|tuna|whales?|seals?|krill|crayfish|conch|marine|beach|"
    r"ship|ports?\b|deepwater|harbor|coral|sea\b|salmon|aquaculture|guano|seabed)"
)


@dataclass(frozen=True)
class Product:
    """Something that is grown or kept.

    Attributes:
        climates: Beginnings of the Koeppen classes where it is.
        wordings: How people say that it is there.
    """

    climates: tuple[str, ...]
    wordings: tuple[str, ...]


_WARM = ("A", "Cwa", "Cwb", "Cfa", "BSh")
_TROPICAL = ("A", "Cwa", "Cwb")
_MILD = ("C", "D", "BS")
_COOL = ("Cfb", "Cfc", "Csb", "D", "BSk")
_DRY_SUMMER = ("Cs", "BS", "BWh", "Cfa", "Cfb")
_GRASS = ("A", "B", "C", "D", "ET")


def _crop(climates: tuple[str, ...], *wordings: str) -> Product:
    return Product(climates, wordings)


_RICE = _crop((*_WARM, "Dwa", "Dfa", "Csa", "BWh"), "rice", "rice fields", "rice paddies", "paddy fields")
_CORN = _crop(("A", "C", "D", "BS", "BWh"), "corn", "cornfields", "maize fields", "fields of corn")
_CATTLE = _crop(("A", "BS", "C", "D"), "cattle", "cattle ranches", "cattle pastures", "grazing cattle")
_SHEEP = _crop(_GRASS, "sheep", "sheep pastures", "flocks of sheep")
_CASSAVA = _crop(("A", "Cwa"), "cassava", "cassava fields")
_SUGARCANE = _crop((*_WARM, "BWh"), "sugarcane", "sugarcane fields", "sugar plantations")
_SUNFLOWER = _crop(_MILD, "sunflowers", "sunflower fields")
_CITRUS = _crop((*_DRY_SUMMER, "A", "Cw"), "citrus", "orange and lemon groves", "citrus groves")
_PEANUTS = _crop((*_WARM, "BWh"), "peanuts", "peanut fields")
_GRAPES = _crop((*_DRY_SUMMER, "Dfa", "Dfb", "BWk"), "grapes", "vineyards", "wine country")
_CASHEWS = _crop(_TROPICAL, "cashew nuts", "cashew trees")

# By the words of the Factbook.
PRODUCTS: dict[str, Product] = {
    "rice": _RICE,
    "wheat": _crop((*_MILD, "BWh", "BWk"), "wheat", "wheat fields", "fields of wheat"),
    "corn": _CORN,
    "maize": _CORN,
    "barley": _crop(_MILD, "barley", "barley fields"),
    "rye": _crop(_COOL, "rye", "rye fields"),
    "oats": _crop(_COOL, "oats", "fields of oats"),
    "cereals": _crop(_MILD, "cereals", "grain fields"),
    "grain": _crop(_MILD, "grain", "grain fields"),
    "grains": _crop(_MILD, "grain", "grain fields"),
    "sorghum": _crop(("A", "B", "Cwa", "Cfa"), "sorghum", "sorghum fields"),
    "millet": _crop(("A", "B", "Cwa", "Dwa"), "millet", "millet fields"),
    "potatoes": _crop(("C", "D", "BS"), "potatoes", "potato fields"),
    "sweet potatoes": _crop(_WARM, "sweet potatoes"),
    "sugar beets": _crop(("D", "Cfb", "Cs", "BS"), "sugar beets", "fields of sugar beets"),
    "sugarcane": _SUGARCANE,
    "sugar cane": _SUGARCANE,
    "cotton": _crop(("Aw", "B", "Cfa", "Cwa", "Csa", "Dsa", "Dwa"), "cotton", "cotton fields"),
    "coffee": _crop(_TROPICAL, "coffee", "coffee plantations", "coffee farms"),
    "cocoa": _crop(("A",), "cocoa", "cocoa plantations", "cacao trees"),
    "tea": _crop(("A", "Cw", "Cfa"), "tea", "tea plantations", "tea gardens"),
    "bananas": _crop(("A", "Cwa", "Cfa", "BSh"), "bananas", "banana plantations", "banana trees"),
    "plantains": _crop(("A", "Cwa"), "plantains", "plantain groves"),
    "pineapples": _crop(("A", "Cwa"), "pineapples", "pineapple plantations"),
    "mangoes": _crop(_WARM, "mangoes", "mango trees"),
    "coconuts": _crop(("A",), "coconuts", "coconut palms", "coconut plantations"),
    "copra": _crop(("A",), "copra", "coconut palms"),
    "rubber": _crop(("A", "Cwa"), "rubber", "rubber plantations", "rubber trees"),
    "palm oil": _crop(("A",), "palm oil", "oil palm plantations"),
    "cassava": _CASSAVA,
    "yams": _crop(("A",), "yams", "yam fields"),
    "taro": _crop(("A",), "taro", "taro patches"),
    "vanilla": _crop(("A",), "vanilla"),
    "jute": _crop(("A", "Cwa"), "jute", "jute fields"),
    "peanuts": _PEANUTS,
    "groundnuts": _PEANUTS,
    "soybeans": _crop(("Aw", "C", "D", "BSk"), "soybeans", "soybean fields"),
    "tobacco": _crop((*_WARM, "Cs", "Dfa", "Dwa"), "tobacco", "tobacco fields"),
    "sunflower seeds": _SUNFLOWER,
    "sunflowers": _SUNFLOWER,
    "sunflower": _SUNFLOWER,
    "rapeseed": _crop(_COOL, "rapeseed", "yellow fields of rapeseed"),
    "olives": _crop(("Cs", "BS", "BWh"), "olives", "olive groves", "olive trees"),
    "grapes": _GRAPES,
    "wine grapes": _GRAPES,
    "wine": _GRAPES,
    "citrus": _CITRUS,
    "citrus fruit": _CITRUS,
    "citrus fruits": _CITRUS,
    "apples": _crop(("Cfb", "Cs", "Cfa", "D", "BSk"), "apples", "apple orchards"),
    "dates": _crop(("BW", "BSh"), "dates", "date palms", "palm groves"),
    "cashews": _CASHEWS,
    "cashew nuts": _CASHEWS,
    "flowers": _crop(("A", "C", "D", "BS"), "flowers", "fields of flowers"),
    "cattle": _CATTLE,
    "beef": _CATTLE,
    "dairy products": _crop(("C", "D", "Aw", "BS"), "dairy products", "dairy farms", "milk cows"),
    "milk": _crop(("C", "D", "Aw", "BS"), "milk", "dairy farms"),
    "sheep": _SHEEP,
    "mutton": _SHEEP,
    "wool": _SHEEP,
    "goats": _crop(("A", "B", "C", "D"), "goats", "herds of goats"),
    "camels": _crop(("B",), "camels", "herds of camels"),
    "horses": _crop(("B", "C", "D"), "horses", "herds of horses"),
    "pigs": _crop(("A", "C", "D"), "pigs", "pig farms"),
    "pork": _crop(("A", "C", "D"), "pork", "pig farms"),
    "water buffalo": _crop((*_WARM, "BWh"), "water buffalo"),
}
_TREES = re.compile(r"timber|forest|wood|lumber")


def grows(item: str, climate: str, water: str) -> bool:
    """Whether something of a country's list is grown, kept or caught at a place.

    Args:
        item: As the Factbook calls it.
        climate: Koeppen class of the place.
        water: Key of `captions.WATER_WORDS`.
    """
    if SHORE_PRODUCTS.search(item):
        return water in ("small island", "coast", "near the coast")
    if item in PRODUCTS:
        return climate.startswith(PRODUCTS[item].climates)
    if _TREES.search(item):
        return climate[0] in "ACD"
    return climate[0] in "ABCD" and not climate.startswith("BW")
