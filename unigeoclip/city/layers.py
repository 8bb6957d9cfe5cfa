"""The vector map of a city and the rasters made of it: the types that the renderers share.

Everything is in EPSG:3857 ("mercator metres"); a mercator metre is cos(latitude) metres on the ground, so sizes on the
ground are divided by `CityGrid.ground_per_mercator` on their way into the map.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import geopandas as gpd
import numpy as np

from unigeoclip import geo
from unigeoclip.city.noise import hash_points
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

CRS = "EPSG:3857"

# Layer -> columns that are always there, beside the geometry, even in a table without rows. Text columns hold str
# or what pandas takes for missing, the others float64 with NaN. Names are the local ones of the map ("name").
TEXT_COLUMNS: dict[str, tuple[str, ...]] = {
    "building": ("colour",),
    "transportation": ("class", "subclass", "brunnel", "service", "surface"),
    "transportation_area": ("class", "subclass", "brunnel"),  # squares, piers, decks: the areas among the roads
    "transportation_name": ("class", "subclass", "name", "ref"),
    "water": ("class", "brunnel"),
    "waterway": ("class", "brunnel", "name"),
    "water_name": ("class", "name"),
    "landuse": ("class",),
    "landcover": ("class", "subclass"),
    "park": ("class", "name"),
    "boundary": (),  # of countries, states, counties, municipalities and their parts
    "place": ("class", "name"),
    "poi": ("class", "subclass", "name"),
    "aeroway": ("class", "ref"),
    "aerodrome_label": ("class", "name", "iata"),
    "mountain_peak": ("class", "name"),
}
NUMBER_COLUMNS: dict[str, tuple[str, ...]] = {
    "building": ("height_m", "min_height_m"),  # height_m is NaN where the map gives the default or nothing
    "boundary": ("admin_level",),  # of OpenStreetMap: 2 a country to 11 a neighborhood
    "place": ("rank",),
    "poi": ("rank",),
    "transportation": ("layer",),
}
# What geometry a layer keeps; the rest (labels among polygons, points among lines) is dropped when the tiles are read.
GEOMETRY: dict[str, str] = {
    **dict.fromkeys(("building", "transportation_area", "water", "landuse", "landcover", "park"), "polygon"),
    **dict.fromkeys(("transportation", "transportation_name", "waterway", "boundary"), "line"),
    **dict.fromkeys(("place", "poi", "water_name", "aerodrome_label", "mountain_peak"), "point"),
    "aeroway": "any",  # runways are lines or areas
}

CityLayers: TypeAlias = dict[str, gpd.GeoDataFrame]  # every key of TEXT_COLUMNS; nothing is in it twice

# The land raster holds the place of a name in this tuple; water comes first, so that all that is not 0 is land.
LAND_CLASSES = (
    "water",
    "unknown",
    "grass",
    "park",
    "wood",
    "farmland",
    "sand",
    "rock",
    "wetland",
    "residential",
    "commercial",
    "industrial",
    "institution",  # schools, hospitals, universities
    "cemetery",
    "pitch",
    "plaza",  # paved for people: pedestrian areas, piers
    "parking",
    "road",
    "path",
    "rail",
    "runway",
    "building",
    "sidewalk",
)
LAND: dict[str, int] = {name: code for code, name in enumerate(LAND_CLASSES)}

# Widths on the ground in metres, kerb to kerb, of the classes of roads. Classes that are not here are not drawn.
ROAD_WIDTH_M: dict[str, float] = {
    "path": 2.0,
    "track": 3.0,
    "service": 4.5,
    "pedestrian": 6.0,
    "minor": 7.5,
    "busway": 7.0,
    "raceway": 9.0,
    "tertiary": 9.0,
    "secondary": 11.5,
    "primary": 13.5,
    "trunk": 15.0,
    "motorway": 15.0,
}
RAIL_WIDTH_M: dict[str, float] = {"rail": 4.0, "transit": 4.0}


@dataclass(frozen=True)
class CityGrid:
    """A raster of square pixels in EPSG:3857, north up.

    Attributes:
        west_m: Left edge, mercator metres.
        north_m: Upper edge, mercator metres.
        px_m: Side of a pixel, mercator metres.
        width: Pixels from west to east.
        height: Pixels from north to south.
    """

    west_m: float
    north_m: float
    px_m: float
    width: int
    height: int

    @classmethod
    def cover(cls, bounds_deg: tuple[float, float, float, float], ground_px_m: float) -> CityGrid:
        """The grid over (south, west, north, east) degrees whose pixels measure about ``ground_px_m`` on the ground.

        Raises:
            InputError: The bounds are empty or beyond the Mercator map.
        """
        south, west, north, east = bounds_deg
        limit = geo.MAX_MERCATOR_LAT_DEG
        if not (-limit <= south < north <= limit and -180 <= west < east <= 180 and ground_px_m > 0):
            raise InputError(f"{bounds_deg} are not south, west, north, east in degrees of a city.")
        (left, lower), (right, upper) = geo.web_mercator(np.array([[south, west], [north, east]]))
        px_m = ground_px_m / np.cos(np.radians((south + north) / 2))
        width, height = max(1, round((right - left) / px_m)), max(1, round((upper - lower) / px_m))
        return cls(float(left), float(upper), float(px_m), int(width), int(height))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.height, self.width

    @property
    def bounds_m(self) -> tuple[float, float, float, float]:
        """Left, lower, right, upper edge in mercator metres."""
        return (
            self.west_m,
            self.north_m - self.height * self.px_m,
            self.west_m + self.width * self.px_m,
            self.north_m,
        )

    @property
    def bounds_deg(self) -> tuple[float, float, float, float]:
        """South, west, north, east in degrees."""
        left, lower, right, upper = self.bounds_m
        (south, west), (north, east) = geo.inverse_web_mercator(np.array([[left, lower], [right, upper]]))
        return float(south), float(west), float(north), float(east)

    @property
    def ground_per_mercator(self) -> float:
        """Metres on the ground per mercator metre, at the middle of the grid."""
        middle = np.array([[0.0, self.north_m - self.height * self.px_m / 2]])
        return float(np.cos(np.radians(geo.inverse_web_mercator(middle)[0, 0])))

    @property
    def ground_px_m(self) -> float:
        """Side of a pixel on the ground, metres, at the middle of the grid."""
        return self.px_m * self.ground_per_mercator

    def part(self, row: int, col: int, height: int, width: int) -> CityGrid:
        """So many of its pixels from a row and a column on."""
        return CityGrid(self.west_m + col * self.px_m, self.north_m - row * self.px_m, self.px_m, width, height)

    def to_pixel(self, xy: ArrayLike) -> NDArray[np.float64]:
        """Mercator metres (..., 2) -> (col, row) (..., 2); the middle of the first pixel is (0.5, 0.5)."""
        points = np.asarray(xy, dtype=np.float64)
        return np.stack(
            [(points[..., 0] - self.west_m) / self.px_m, (self.north_m - points[..., 1]) / self.px_m], axis=-1
        )

    def to_mercator(self, pixel: ArrayLike) -> NDArray[np.float64]:
        """The inverse of `to_pixel`: (col, row) (..., 2) -> mercator metres (..., 2)."""
        points = np.asarray(pixel, dtype=np.float64)
        return np.stack([self.west_m + points[..., 0] * self.px_m, self.north_m - points[..., 1] * self.px_m], axis=-1)

    def touched_by(self, pixel: NDArray[np.float64], radius_px: NDArray[np.floating[Any]]) -> NDArray[np.bool_]:
        """Which discs reach into the grid, (n,); their middles (n, 2) count from the middle of the first pixel."""
        inside: NDArray[np.bool_] = (
            (pixel[:, 0] > -radius_px) & (pixel[:, 0] < self.width + radius_px)
            & (pixel[:, 1] > -radius_px) & (pixel[:, 1] < self.height + radius_px)
        )  # fmt: skip
        return inside

    def latlon_to_pixel(self, latlon: ArrayLike) -> NDArray[np.float64]:
        """Degrees (..., 2) latitude, longitude -> (col, row) (..., 2)."""
        return self.to_pixel(geo.web_mercator(np.asarray(latlon, dtype=np.float64)))

    def pixel_to_latlon(self, pixel: ArrayLike) -> NDArray[np.float64]:
        """The inverse of `latlon_to_pixel`."""
        return geo.inverse_web_mercator(self.to_mercator(pixel))


# Heights are whole metres. A roof is stored in one byte, its row here: by the metre, and by twelve above 200 m.
ROOF_LEVELS_M = np.concatenate([np.arange(201.0), 200.0 + 12.0 * np.arange(1, 56)]).astype(np.float32)

# Buildings are told apart by one byte: enough for two neighbours to differ and small to store. Codes up to
# `HASHED_FACADES` come from a hash of the footprint; those above stand for a colour tagged in the map.
HASHED_FACADES = 191
_TAGGED_LEVELS = 4  # of red, green and blue each: 64 colours, codes 192 to 255


@dataclass(frozen=True)
class CityRasters:
    """What the city is made of, pixel by pixel; all arrays have the shape of the grid.

    Attributes:
        grid: Where the pixels are.
        height_m: float32 metres above the ground: roofs (of `ROOF_LEVELS_M`) and tree tops, 0 elsewhere; whole metres.
        building_id: uint8, 0 where there is no building, else its façade code (`facade_codes`). The same building has
            the same code in every crop of the map.
        tree: bool, true where the height is that of a tree: where something stands that is no building.
        land: uint8, rows of `LAND_CLASSES`: what covers the ground (a tree stands on what is under it).
    """

    grid: CityGrid
    height_m: NDArray[np.float32]
    building_id: NDArray[np.uint8]
    tree: NDArray[np.bool_]
    land: NDArray[np.uint8]


def roof_levels(height_m: NDArray[np.floating[Any]]) -> NDArray[np.uint8]:
    """Nearest row of `ROOF_LEVELS_M` for each height; what stands at all has at least one metre."""
    middles = (ROOF_LEVELS_M[1:] + ROOF_LEVELS_M[:-1]) / 2
    levels = np.searchsorted(middles, height_m).astype(np.uint8)
    return np.where(np.asarray(height_m) > 0, np.maximum(levels, 1), 0).astype(np.uint8)


def facade_codes(building: gpd.GeoDataFrame) -> NDArray[np.uint8]:
    """One byte for each building (n,): the tagged colour if there is one, else a hash of where it stands."""
    center = building.geometry.centroid
    hashed = hash_points(np.stack([center.x.to_numpy(), center.y.to_numpy()], axis=1), salt=11)
    codes = (hashed % HASHED_FACADES + 1).astype(np.uint8)
    for row, color in enumerate(building["colour"]):
        if isinstance(color, str) and len(color) == 7 and color.startswith("#"):
            try:
                levels = [int(color[i : i + 2], 16) * _TAGGED_LEVELS // 256 for i in (1, 3, 5)]
            except ValueError:
                continue  # a colour that is no number: the hash stays
            codes[row] = HASHED_FACADES + 1 + (levels[0] * _TAGGED_LEVELS + levels[1]) * _TAGGED_LEVELS + levels[2]
    return codes


def tagged_color(code: int) -> tuple[int, int, int] | None:
    """The colour (r, g, b) that a façade code stands for; None for a hashed code."""
    if code <= HASHED_FACADES:
        return None
    level = code - HASHED_FACADES - 1
    step = 256 // _TAGGED_LEVELS
    red, green, blue = level // _TAGGED_LEVELS**2, level // _TAGGED_LEVELS % _TAGGED_LEVELS, level % _TAGGED_LEVELS
    return red * step + step // 2, green * step + step // 2, blue * step + step // 2
