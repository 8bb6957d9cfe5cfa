"""Köppen-Geiger climate classes from monthly normals, and how people call them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The words of each class, most usual first. Several ways of saying it, because people search in few and varied words.
CLIMATE_WORDS: dict[str, tuple[str, ...]] = {
    "Af": (
        "tropical rainforest climate",
        "tropical rainforest",
        "hot and humid all year, equatorial rainforest",
        "rainforest",
        "rain forest",
        "tropical rain forest",
        "dense jungle",
        "hot, wet and green all year",
        "heavy rain all year",
    ),
    "Am": (
        "tropical monsoon climate",
        "tropical monsoon forest",
        "tropical and very rainy with a short dry season",
        "jungle",
        "tropical rain forest",
        "tropical jungle",
        "very heavy rain",
        "monsoon jungle",
    ),
    "Aw": (
        "tropical savanna climate",
        "savanna",
        "tropical savanna with a dry season",
        "tropical grassland",
        "savannah",
        "tropical savannah",
        "grassland with scattered trees",
        "hot, with a wet and a dry season",
    ),
    "BWh": (
        "hot desert",
        "hot desert climate",
        "hot and dry, hardly any rain",
        "desert",
        "hot and arid",
        "no rain and no plants",
        "scorching desert",
        "very dry and very hot",
    ),
    "BWk": (
        "cold desert",
        "cold desert climate",
        "arid land with cold winters",
        "desert",
        "dry desert with freezing winters",
        "arid",
        "hardly any rain, cold in winter",
    ),
    "BSh": (
        "hot semi-arid climate",
        "hot semi-arid steppe",
        "dry bush and thorn savanna",
        "hot dry grassland",
        "semi-desert",
        "dry scrubland",
        "thorn bush",
        "dry savannah",
    ),
    "BSk": (
        "cold semi-arid climate",
        "cold semi-arid steppe",
        "dry grassland with cold winters",
        "steppe",
        "semi-desert",
        "dry prairie",
        "grassy steppe",
        "grassland without trees",
    ),
    "Csa": (
        "hot-summer Mediterranean climate",
        "Mediterranean climate",
        "hot dry summers and mild wet winters",
        "rain in winter and drought in summer",
        "sunny dry summers",
        "summer drought and winter rain",
    ),
    "Csb": (
        "warm-summer Mediterranean climate",
        "Mediterranean climate",
        "dry mild summers and wet winters",
        "rain in winter and dry warm summers",
        "hardly any rain in summer",
        "rainy winters",
    ),
    "Csc": (
        "cool Mediterranean highland climate",
        "cool dry summers and wet winters",
    ),
    "Cwa": (
        "humid subtropical climate with dry winters",
        "subtropical monsoon climate",
        "subtropical with summer rain",
        "monsoon climate",
        "monsoon rain in summer",
        "rainy summers and dry winters",
    ),
    "Cwb": (
        "subtropical highland climate",
        "mild highland climate with dry winters",
        "temperate tropical highlands",
        "cool tropical highlands",
        "spring weather all year",
    ),
    "Cwc": (
        "cold subtropical highland climate",
        "cold highlands with dry winters",
    ),
    "Cfa": (
        "humid subtropical climate",
        "subtropical with hot humid summers",
        "warm and humid, no dry season",
        "hot sticky summers and mild winters",
        "warm and rainy",
        "sultry summers",
    ),
    "Cfb": (
        "temperate oceanic climate",
        "oceanic climate",
        "mild and rainy all year",
        "temperate climate",
        "maritime climate",
        "cool, damp and green",
        "cloudy and rainy",
        "mild winters and cool summers",
    ),
    "Cfc": (
        "subpolar oceanic climate",
        "cool and rainy oceanic climate",
        "cool, wet and windy",
        "chilly and rainy",
    ),
    "Dsa": (
        "continental climate with hot dry summers",
        "cold winters and hot dry summers",
        "snow in winter",
    ),
    "Dsb": (
        "continental climate with warm dry summers",
        "cold snowy winters and dry summers",
        "snow in winter",
    ),
    "Dsc": (
        "subarctic climate with dry summers",
        "boreal climate with dry summers",
        "cold mountain forest",
    ),
    "Dsd": (
        "extremely cold subarctic climate with dry summers",
        "extremely cold winters",
        "bitter cold",
    ),
    "Dwa": (
        "continental monsoon climate with hot summers",
        "cold dry winters and hot rainy summers",
        "freezing winters and hot wet summers",
    ),
    "Dwb": (
        "continental monsoon climate with warm summers",
        "cold dry winters and warm rainy summers",
        "freezing dry winters and wet summers",
    ),
    "Dwc": (
        "subarctic monsoon climate",
        "boreal forest with dry winters",
        "taiga",
        "cold boreal climate",
        "coniferous forest with very cold winters",
        "larch forest",
    ),
    "Dwd": (
        "extremely cold subarctic climate",
        "Siberian taiga with dry winters",
        "extremely cold winters",
        "bitter cold",
        "larch forest",
    ),
    "Dfa": (
        "hot-summer humid continental climate",
        "continental climate",
        "cold winters and hot humid summers",
        "four seasons with hot summers and snow in winter",
        "snowy winters",
    ),
    "Dfb": (
        "warm-summer humid continental climate",
        "continental climate",
        "cold snowy winters and warm summers",
        "four seasons with snow in winter",
        "snowy winters",
        "freezing winters",
        "snow in winter",
    ),
    "Dfc": (
        "subarctic climate",
        "boreal forest",
        "taiga",
        "cold boreal forest climate with long winters",
        "northern coniferous forest",
        "conifer forest",
        "long snowy winters",
        "spruce forest",
    ),
    "Dfd": (
        "extremely cold subarctic climate",
        "Siberian taiga",
        "boreal forest with extremely cold winters",
        "coldest winters",
        "bitter cold",
    ),
    "ET": (
        "tundra",
        "tundra climate",
        "treeless cold tundra",
        "polar and alpine tundra",
        "too cold for trees",
        "cold land without trees",
        "moss and lichen",
    ),
    "EF": (
        "ice cap",
        "ice cap climate",
        "permanent ice and snow",
        "frozen all year, ice sheet",
        "ice sheet",
        "polar ice",
        "glacier ice",
    ),
}

# One broad word per class for short settings such as "desert town" or "tundra coast".
CLIMATE_ADJECTIVES: dict[str, str] = {
    **dict.fromkeys(("Af", "Am"), "tropical rainforest"),
    "Aw": "savanna",
    **dict.fromkeys(("BWh", "BWk"), "desert"),
    **dict.fromkeys(("BSh", "BSk"), "steppe"),
    **dict.fromkeys(("Csa", "Csb", "Csc"), "Mediterranean"),
    **dict.fromkeys(("Cwa", "Cwb", "Cwc", "Cfa"), "subtropical"),
    **dict.fromkeys(("Cfb", "Cfc"), "temperate"),
    **dict.fromkeys(("Dsa", "Dsb", "Dwa", "Dwb", "Dfa", "Dfb"), "continental"),
    **dict.fromkeys(("Dsc", "Dsd", "Dwc", "Dwd", "Dfc", "Dfd"), "boreal forest"),
    "ET": "tundra",
    "EF": "ice cap",
}


def koeppen_geiger(
    temperature_c: NDArray[np.floating], rain_mm: NDArray[np.floating], lat_deg: NDArray[np.floating]
) -> NDArray[np.str_]:
    """Classify climates after Peel, Finlayson & McMahon (2007), table 1, with 0 degrees C between C and D.

    Args:
        temperature_c: (n, 12) mean temperature of January to December in degrees C.
        rain_mm: (n, 12) mean precipitation of January to December in mm.
        lat_deg: (n,) latitude: says which half of the year is summer (April to September in the north).

    Returns:
        (n,) classes such as "BWh", the keys of `CLIMATE_WORDS`.
    """
    t = np.asarray(temperature_c, dtype=np.float64)
    p = np.asarray(rain_mm, dtype=np.float64)
    mean_t, total = t.mean(axis=1), p.sum(axis=1)
    northern_summer = np.isin(np.arange(12), range(3, 9))
    summer = np.where(np.asarray(lat_deg)[:, None] >= 0, northern_summer, ~northern_summer)
    summer_rain = np.where(summer, p, 0).sum(axis=1)
    driest_summer = np.where(summer, p, np.inf).min(axis=1)
    driest_winter = np.where(summer, np.inf, p).min(axis=1)
    wettest_summer = np.where(summer, p, -np.inf).max(axis=1)
    wettest_winter = np.where(summer, -np.inf, p).max(axis=1)

    share = summer_rain / np.maximum(total, 1e-9)
    threshold = 2 * mean_t + np.select([share >= 0.7, share <= 0.3], [28.0, 0.0], 14.0)
    arid = total < 10 * threshold
    dry = np.where(total < 5 * threshold, "BW", "BS")
    dry = np.char.add(dry, np.where(mean_t >= 18, "h", "k"))

    driest = p.min(axis=1)
    tropical = np.select([driest >= 60, driest >= 100 - total / 25], ["Af", "Am"], "Aw")
    polar = np.where(t.max(axis=1) > 0, "ET", "EF")

    main = np.where(t.min(axis=1) > 0, "C", "D")
    dry_summer = (driest_summer < 40) & (driest_summer < wettest_winter / 3)
    dry_winter = driest_winter < wettest_summer / 10
    both = dry_summer & dry_winter  # decided by the half with more rain
    season = np.select([both & (share >= 0.5), both, dry_summer, dry_winter], ["w", "s", "s", "w"], "f")
    warm_months = (t >= 10).sum(axis=1)
    heat = np.select(
        [t.max(axis=1) >= 22, warm_months >= 4, (t.min(axis=1) < -38) & (main == "D")], ["a", "b", "d"], "c"
    )
    temperate = np.char.add(np.char.add(main, season), heat)
    cold = t.max(axis=1) < 10
    return np.select([cold, arid, t.min(axis=1) >= 18], [polar, dry, tropical], temperate).astype(np.str_)
