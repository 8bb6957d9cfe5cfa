"""The built-in tasks of the whole world."""

from __future__ import annotations

from unigeoclip.tasks.task import Leak, Pack, Task

__all__ = ["PACKS", "WORLD_TASKS"]

POINTS = Pack(
    "world-points",
    "5,000 points on land",
    "world",
    ("itur", "land cover", "night lights", "towns", "land", "countries"),
    "world_points.make",
)
COUNTRIES = Pack(
    "world-countries",
    "Countries of the World Factbook",
    "world",
    ("countries", "factbook", "towns"),
    "world_countries.make",
    splits=("random", "continent"),
    group_name="continent",
)
AIRPORTS = Pack("airports", "Airports", "world", ("airports",), "point_tables.airports")
STATIONS = Pack("weather-stations", "Weather stations", "world", ("stations",), "point_tables.weather_stations")
CALIFORNIA = Pack(
    "california-housing", "California housing", "california", ("california",), "point_tables.california_housing"
)
PACKS = (POINTS, COUNTRIES, AIRPORTS, STATIONS, CALIFORNIA)

_CLIMATE = Leak(
    "world", "text:climate", "The captions of the world atlas name the climate class, which follows from it."
)
_ELEVATION = Leak("world", "surface", "The surface model of the world atlas is this very grid of heights.")
_TERRAIN = Leak("world", "surface", "The surface model of the world atlas shows it.")
_COUNTRY = Leak("world", "text:country", "The captions of the world atlas name the country.")
_COVER = Leak("world", "aerial", "The aerial picture of the world atlas was made by the same instrument and shows it.")
_PEOPLE = Leak(
    "world", "text:pattern", "The captions of the world atlas say how densely people live, from the same list of towns."
)
_R2 = "R2 = 1 is perfect, 0 is no better than the mean"
_OF_COUNTRIES = (
    f"A row is a country, its vector the mean over points inside; {_R2}. "
    "Few rows: differences below 0.1 are seldom sure."
)

# Name, title, what, unit.
_FIGURES = (
    ("gdp-per-head", "GDP per head", "Gross domestic product per head at purchasing power, log10", "log10 US$"),
    ("life-expectancy", "Life expectancy", "Life expectancy at birth", "years"),
    ("infant-mortality", "Infant mortality", "Deaths of infants per 1,000 live births, log10", "log10 per 1,000"),
    ("fertility", "Fertility", "Children born per woman", "children"),
    ("median-age", "Median age", "Median age of the people", "years"),
    ("birth-rate", "Birth rate", "Births a year per 1,000 people", "per 1,000"),
    ("death-rate", "Death rate", "Deaths a year per 1,000 people", "per 1,000"),
    ("urban-share", "Urban population", "Share of the people who live in towns", "%"),
    ("internet-users", "Internet users", "Share of the people who use the internet", "%"),
    ("mobile-phones", "Mobile phones", "Mobile subscriptions per 100 people", "per 100"),
    ("physicians", "Physicians", "Physicians per 1,000 people, log10", "log10 per 1,000"),
    ("obesity", "Obesity", "Share of adults who are obese", "%"),
    ("electricity-use", "Electricity use", "Electricity used a year and head, log10", "log10 kWh"),
    ("forest-share", "Forest", "Share of the land under forest", "%"),
    ("farm-share", "Farmland", "Share of the land that is farmed or grazed", "%"),
)

WORLD_TASKS = (
    Task(
        "world-temperature", "Temperature", "Mean air temperature of the year (ITU-R P.1510)", "regression", "°C",
        POINTS, f"{_R2}. Latitude and height alone explain most of it.", (_CLIMATE,),
    ),
    Task(
        "world-rain", "Rain", "Rain of the year (ITU-R P.837), log10", "regression", "log10 mm",
        POINTS, f"{_R2}. Deserts and rain forests are told apart.", (_CLIMATE,),
    ),
    Task(
        "world-elevation", "Elevation", "Height above the sea (ITU-R P.1511)", "regression", "m",
        POINTS, f"{_R2}. Needs detail: mountains are narrow.", (_ELEVATION,),
    ),
    Task(
        "world-climate", "Climate class", "Köppen-Geiger class from monthly temperature and rain (ITU-R)",
        "classification", "", POINTS, "Share of right classes; compare with the most frequent class.", (_CLIMATE,),
    ),
    Task(
        "world-land-cover", "Land cover", "IGBP land cover class of the pixel of 0.05 degrees (MODIS, 2019)",
        "classification", "", POINTS, "Share of right classes; compare with the most frequent class.", (_COVER,),
    ),
    Task(
        "world-night-lights", "Night lights", "Brightness of the lights at night within some 15 km, log2(1 + mean)",
        "regression", "log2", POINTS,
        f"{_R2}. No encoder saw it: towns are what it has to know about.",
    ),
    Task(
        "world-population", "Population", "People in towns within 50 km (GeoNames), log10(1 + people)", "regression",
        "log10", POINTS, f"{_R2}. How densely people live.", (_PEOPLE,),
    ),
    Task(
        "world-country", "Country", "The country (Natural Earth), those with at least 20 of the points",
        "classification", "", POINTS, "Share of right countries; whole blocks held out ask for borders never seen.",
        (_COUNTRY,),
    ),
    *(
        Task(f"country-{name}", title, what, "regression", unit, COUNTRIES, _OF_COUNTRIES)
        for name, title, what, unit in _FIGURES
    ),
    Task(
        "airport-elevation", "Elevation of airports", "Height of the airport above the sea", "regression", "m",
        AIRPORTS, f"{_R2}. Airports lie in valleys: finer than a grid of heights.", (_TERRAIN,),
    ),
    Task(
        "airport-country", "Country of airports", "The country, those with at least 20 airports", "classification", "",
        AIRPORTS, "Share of right countries.", (_COUNTRY,),
    ),
    Task(
        "station-temperature", "Temperature at weather stations", "Mean air temperature of the year",
        "regression", "°C", STATIONS,
        f"{_R2}. The task of SatCLIP and CoordBench; published for GeoCLIP there: 0.922 (random), 0.909 (blocks).",
        (_CLIMATE,),
    ),
    Task(
        "station-rain", "Rain at weather stations", "Mean rain", "regression", "as published", STATIONS, f"{_R2}.",
        (_CLIMATE,),
    ),
    Task(
        "california-house-value", "House value in California", "Median value of houses in a block group of 1990",
        "regression", "100,000 US$", CALIFORNIA,
        f"{_R2}. The task of scikit-learn and CoordBench; larger blocks than 2 degrees leave few folds.",
    ),
)  # fmt: skip
