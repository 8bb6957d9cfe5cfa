"""The built-in tasks of Boston, and the one whose rows are photographs."""

from __future__ import annotations

from unigeoclip.tasks.task import Leak, Pack, Task

__all__ = ["BOSTON_TASKS", "PACKS", "TRACT_COLUMNS"]

TRACTS = Pack(
    "boston-tracts", "Census tracts of 2012 in Boston", "boston", ("boston tracts",), "boston_census.tracts_of_2012"
)
TRACTS_1970 = Pack(
    "boston-1970", "Census tracts of 1970 in Boston", "boston", ("boston 1970",), "boston_census.tracts_of_1970"
)
AIRBNB = Pack(
    "boston-airbnb", "Airbnb listings of 2023 in Boston", "boston", ("boston airbnb",), "point_tables.boston_airbnb"
)
MAP = Pack("boston-map", "What the Boston atlas is drawn from", "boston", (), "boston_map.surroundings", atlas="boston")
POIS = Pack(
    "boston-pois",
    "Points of interest in Boston",
    "boston",
    ("boston tiles",),
    "boston_map.points_of_interest",
    atlas="boston",
)
TREES = Pack(
    "socal-trees",
    "Aerial photographs of Southern California",
    "california",
    ("socal trees",),
    "socal_trees.make",
    splits=("city",),
    group_name="city",
)
COVER = Pack(
    "boston-land-cover",
    "Grids of windows in Boston",
    "boston",
    (),
    "boston_map.land_cover",
    splits=("window",),
    group_name="window",
    atlas="boston",
)
PACKS = (TRACTS, TRACTS_1970, AIRBNB, MAP, POIS, COVER, TREES)

_AREA = "A row is a census tract, its vector the mean over points inside; R2 = 1 is perfect, 0 is the mean."
_POINT = "R2 = 1 is perfect, 0 is the mean."
_DRAWN = "All pictures of the Boston atlas are drawn from the map that the target is read from."
_SEEN = (Leak("boston", "aerial", _DRAWN), Leak("boston", "surface", _DRAWN), Leak("boston", "street", _DRAWN))
_HEIGHT = (Leak("boston", "surface", "The surface model of the Boston atlas is this raster."),)
_SAID = (Leak("boston", "text", "The captions of the Boston atlas say what is within walking distance."),)
_PARKS = (*_SEEN, *_SAID)

# Column of the file of 1970 -> name, title, what, unit; log10 where the unit says so.
TRACT_COLUMNS: dict[str, tuple[str, str, str, str]] = {
    "CMEDV": (
        "boston1970-house-value", "House value, 1970", "Median value of owner-occupied houses", "log10 1,000 US$",
    ),
    "RM": ("boston1970-rooms", "Rooms, 1970", "Mean number of rooms", "rooms"),
    "DENSITY": ("boston1970-density", "Population density, 1970", "People by area", "log10 per km²"),
    "AGE": ("boston1970-old-houses", "Old houses, 1970", "Share of owner-occupied houses built before 1940", "%"),
    "LSTAT": (
        "boston1970-low-status", "Poorer households, 1970", "Adults without high school and laborers, mean share", "%",
    ),
    "CRIM": ("boston1970-crime", "Crime, 1970", "Crimes per head, by town", "log10"),
    "NOX": ("boston1970-air-pollution", "Air pollution, 1970", "Nitrogen oxides", "parts per 10 million"),
    "INDUS": ("boston1970-industry", "Industry, 1970", "Share of land of non-retail business, by town", "%"),
    "DIS": (
        "boston1970-distance-to-jobs", "Distance to jobs, 1970",
        "Weighted distance to five centers of employment", "log10",
    ),
}  # fmt: skip

BOSTON_TASKS = (
    Task(
        "boston-income", "Income", "Median income (American Community Survey), log10", "regression", "log10 US$",
        TRACTS, _AREA,
    ),
    Task(
        "boston-population-density", "Population density", "People by area, log10", "regression", "log10 per km²",
        TRACTS, _AREA,
    ),
    Task(
        "boston-degrees", "Degrees", "People with a bachelor's degree as their highest, share of all people",
        "regression", "%", TRACTS, _AREA,
    ),
    *(
        Task(name, title, f"{what} (Harrison & Rubinfeld)", "regression", unit, TRACTS_1970, _AREA)
        for name, title, what, unit in TRACT_COLUMNS.values()
    ),
    Task(
        "boston-airbnb-price", "Airbnb price", "Price of a night in a whole home, log10", "regression", "log10 US$",
        AIRBNB, f"{_POINT} Size and quality of a home are not in its position, so 0.3 is much.",
    ),
    Task(
        "boston-airbnb-room-price", "Airbnb price of a room", "Price of a night in a private room, log10", "regression",
        "log10 US$", AIRBNB, f"{_POINT} Size and quality of a room are not in its position, so 0.3 is much.",
    ),
    Task(
        "boston-building-height", "Building height", "Mean height of buildings within 100 m", "regression", "m", MAP,
        _POINT, _HEIGHT,
    ),
    Task(
        "boston-building-density", "Building density", "Share of the ground under buildings within 100 m", "regression",
        "%", MAP, _POINT, _SEEN,
    ),
    Task(
        "boston-tree-cover", "Trees", "Share of the ground under trees within 100 m", "regression", "%", MAP, _POINT,
        _SEEN,
    ),
    Task(
        "boston-park-distance", "Distance to a park",
        "Distance to the nearest park of at least a hectare, log10(10 + m)", "regression",
        "log10 m", MAP, _POINT, _PARKS,
    ),
    Task(
        "boston-land-use", "Land use", "Class of land that covers most of the ground within 100 m", "classification",
        "", MAP, "Share of right classes; compare with the most frequent class.", _SEEN,
    ),
    Task(
        "boston-transit-distance", "Distance to transit",
        "Distance to the nearest station of train or subway, log10(10 + m)", "regression",
        "log10 m", POIS, _POINT, _SAID,
    ),
    Task(
        "boston-restaurants", "Restaurants", "Restaurants, cafes and bars within 300 m, log2(1 + number)", "regression",
        "log2", POIS, _POINT, _SAID,
    ),
    Task(
        "boston-shops", "Shops", "Shops within 300 m, log2(1 + number)", "regression", "log2", POIS, _POINT, _SAID,
    ),
    Task(
        "boston-land-cover", "Land cover segmentation",
        "Class of the ground in the middle of each of 144 windows of a grid", "classification", "", COVER,
        "Share of right windows, and mean intersection over union (mIoU) of the classes; folds are whole grids.", _SEEN,
        also=("mean_iou",),
    ),
    Task(
        "socal-trees", "Number of trees", "Trees counted by hand in an aerial photograph 154 m wide", "regression",
        "trees", TREES,
        "R2 = 1 is perfect; folds are whole cities. These are photographs; the encoders learned from drawn pictures.",
        input="aerial",
    ),
)  # fmt: skip
