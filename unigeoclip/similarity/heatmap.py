"""Heatmaps: the similarity of a query to every cell of a grid, its ranks, its colors and its files."""

from __future__ import annotations

import io
import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
from PIL import Image

from unigeoclip.errors import InputError
from unigeoclip.files.atomic import write_bytes
from unigeoclip.similarity.colormaps import DEFAULT_COLORMAP, hex_color, palette, paletted_png
from unigeoclip.similarity.grid import MAX_PICTURE_WIDTH_PX, PICTURE_WIDTH_PX
from unigeoclip.similarity.grid_files import cells_geojson, geotiff, outline
from unigeoclip.similarity.similarities import Best, Levels, Similarities

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.maps.contents import MapContents
    from unigeoclip.maps.drawing import Backend
    from unigeoclip.similarity.picture_plan import PicturePlan

__all__ = ["Best", "Heatmap", "LegendStop", "check_ending"]

Scale = Literal["similarity", "percentile", "absolute"]

MAX_PICTURE_BYTES = 150_000
LEAST_SPAN = 1e-6
_LOW_OPACITY = 0.3  # on maps: where nothing is like the query, the ground shows through
# Fewer colors compress better. 96 look like 255 on a map; the others are for maps that are almost noise.
_COLOR_LEVELS = (96, 32, 8)


class LegendStop(NamedTuple):
    """A mark of the legend: place along the colour bar (0 low, 1 high), the similarity there, its colour."""

    fraction: float
    similarity: float
    color: str


@dataclass(frozen=True, eq=False)
class Heatmap(Similarities):
    """Similarities of a query to every cell of a grid as pictures, maps, tables and files; see `Similarities`."""

    def _fractions(
        self,
        scale: Scale,
        floor_percentile: float,
        top_share: float | None,
        least_span: float,
        limits: tuple[float, float] | None,
    ) -> tuple[NDArray[np.float32], float]:
        """Place of each cell along the colour bar (0 low, 1 high), and the place where painting starts."""
        floor = _color_floor(floor_percentile, top_share)
        if scale == "absolute":
            low, high = _checked_limits(limits)
            fractions = ((self.values - low) / (high - low)).astype(np.float32)
        elif scale == "similarity":
            low, high = self.similarity_at(floor), float(self.values.max())
            span = max(high - low, least_span)
            fractions = ((self.values - (high - span)) / span).astype(np.float32)
        elif scale == "percentile":
            _, below, order = self._ranks
            fractions = np.empty(len(self.values), dtype=np.float32)
            fractions[order] = (below - floor / 100) / (1 - floor / 100)
        else:
            raise InputError(f"There is no colour scale {scale!r}; choose 'similarity', 'percentile' or 'absolute'.")
        return fractions, -np.inf if top_share is None else float(fractions[self.hottest(top_share)].min())

    def cell_colors(
        self,
        colormap: str = DEFAULT_COLORMAP,
        floor_percentile: float = 50.0,
        *,
        top_share: float | None = None,
        scale: Scale = "similarity",
        limits: tuple[float, float] | None = None,
        least_span: float = LEAST_SPAN,
    ) -> NDArray[np.uint8]:
        """The color that ``png`` gives each cell with the same options, (n, 3) sRGB, whether painted or not.

        Raises:
            InputError: An option is unknown or out of range.
        """
        levels = _COLOR_LEVELS[0]
        fractions, _ = self._fractions(scale, floor_percentile, top_share, least_span, limits)
        colors: NDArray[np.uint8] = palette(colormap, levels)[np.clip(fractions * levels, 0, levels - 1).astype(int)]
        return colors

    def png(
        self,
        colormap: str = DEFAULT_COLORMAP,
        opacity: float = 1.0,
        floor_percentile: float = 50.0,
        *,
        top_share: float | None = None,
        scale: Scale = "similarity",
        limits: tuple[float, float] | None = None,
        low_opacity: float | None = None,
        least_span: float = LEAST_SPAN,
        width_px: int | None = None,
        describe: bool = False,
    ) -> bytes:
        """Draw the heatmap as a paletted PNG in Web Mercator (EPSG:3857), to be laid over ``bounds``.

        Args:
            colormap: One of ``colormaps.COLORMAPS``.
            opacity: 0 invisible to 1 opaque; off the grid the picture is always transparent.
            floor_percentile: Cells less similar than this percentage of the area have the lowest colour. The median
                by default: similarities of unlike places differ little, and would else use up half of the colours.
            top_share: Paint only the hottest share, (0, 1], of the area; the colours start there or at the floor.
            scale: Colour by similarity over the range of this heatmap, by percentile of area, or by similarity over
                ``limits``, whatever this heatmap holds ("absolute"): weak answers then look weak.
            limits: Similarities of the lowest and the highest colour, for the scale "absolute"; the floor and the span
                do not count there.
            low_opacity: Opacity at the low end of the colours, rising to ``opacity`` at the high end, so that the map
                below shows where nothing is like the query. The same as ``opacity`` by default.
            least_span: Difference of similarity that the colours reach over at least, so that noise is not stretched.
            width_px: Width of the picture, `Grid.picture_width_px` by default; its height follows from the bounds.
            describe: Whether the provenance goes into the file, as the text "Provenance" in JSON.

        Returns:
            The file, at most 150 kB unless the picture is wider than 1024 px.

        Raises:
            InputError: An option is unknown or out of range.
        """
        width_px = self.grid.picture_width_px if width_px is None else width_px
        if not 1 <= width_px <= MAX_PICTURE_WIDTH_PX:
            raise InputError(f"The picture can be 1 to {MAX_PICTURE_WIDTH_PX} pixels wide, not {width_px}.")
        low_opacity = opacity if low_opacity is None else low_opacity
        for name, value in (("opacity", opacity), ("low_opacity", low_opacity)):
            if not 0 <= value <= 1:
                raise InputError(f"{name} must lie between 0 (invisible) and 1 (opaque); it is {value:g}.")
        fractions, cut = self._fractions(scale, floor_percentile, top_share, least_span, limits)
        plan = self.grid.picture_plan(width_px)
        along_bar = plan.weights @ fractions
        texts = {"Provenance": self.provenance.json()} if describe and self.provenance is not None else {}
        texts["Comment"] = "EPSG:3857; south, west, north, east = {}, {}, {}, {}".format(*self.bounds)
        data = b""
        for levels in _COLOR_LEVELS:
            alpha = np.round(np.linspace(low_opacity, opacity, levels) * 255).astype(np.uint8)
            colors = np.column_stack([palette(colormap, levels), alpha])
            data = paletted_png(_numbered(plan, along_bar, cut, levels), colors, texts)
            if len(data) <= MAX_PICTURE_BYTES or width_px > PICTURE_WIDTH_PX:
                break
        return data

    def legend(
        self,
        colormap: str = DEFAULT_COLORMAP,
        floor_percentile: float = 50.0,
        *,
        top_share: float | None = None,
        scale: Scale = "similarity",
        limits: tuple[float, float] | None = None,
        least_span: float = LEAST_SPAN,
        stops: int = 6,
    ) -> list[LegendStop]:
        """Marks of the colour bar that belongs to ``png`` with the same options, from low to high.

        Raises:
            InputError: An option is out of range.
        """
        floor = _color_floor(floor_percentile, top_share)
        if scale == "absolute":
            low, high = _checked_limits(limits)
        else:
            high = float(self.values.max())
            low = high - max(high - self.similarity_at(floor), least_span)
        marks = []
        for fraction, rgb in zip(np.linspace(0, 1, stops).tolist(), palette(colormap, stops), strict=True):
            by_area = self.similarity_at(floor + fraction * (100 - floor))
            similarity = by_area if scale == "percentile" else low + fraction * (high - low)
            marks.append(LegendStop(fraction, similarity, hex_color(rgb)))
        return marks

    def percentiles_png(self) -> bytes:
        """Percentile of every cell as a grey 8-bit PNG of the grid, (h, w), row 0 in the north.

        A pixel is one more than the percentage of the area that is less similar, in whole numbers from 1 to 100; 0
        where cells do not count.
        """
        _, below, order = self._ranks
        ranks = np.empty(len(self.values), np.uint8)
        less = below - self.grid.area_km2[order] / self.grid.area_km2.sum()
        ranks[order] = np.clip(np.floor(100 * less), 0, 99).astype(np.uint8) + 1
        return self._grey_png(ranks)

    def levels_png(self, levels: Levels) -> bytes:
        """The codes of ``levels`` as a grey 8-bit PNG of the grid, (h, w), row 0 in the north; 0 where none counts."""
        return self._grey_png(levels.codes)

    def _grey_png(self, codes: NDArray[np.uint8]) -> bytes:
        pixels = np.zeros(self.grid.shape, np.uint8)
        pixels[self.grid.mask] = codes
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "PNG", compress_type=zlib.Z_RLE)  # as small as by default, in half the time
        return file.getvalue()

    def outline(self, share: float) -> dict[str, Any]:
        """Where the hottest cells end: a GeoJSON MultiPolygon (longitude, latitude), with the corners of cells rounded.

        Args:
            share: Share of the grid's area that is outlined, (0, 1].

        Raises:
            InputError: The share is out of range.
        """
        return outline(self.grid, self.hottest(share))

    def geotiff(self) -> bytes:
        """The similarities as a float32 GeoTIFF in EPSG:4326, one pixel per cell, NaN for no data."""
        return geotiff(
            self.grid,
            self.raster(),
            band="similarity",
            tags=None if self.provenance is None else self.provenance.tags(),
        )

    def geojson(self, share: float = 0.05) -> bytes:
        """The hottest cells as GeoJSON polygons with their similarity, hottest first, in UTF-8.

        Args:
            share: Share of the grid's area to write, (0, 1].

        Raises:
            InputError: The share is out of range.
        """
        cells = np.flatnonzero(self.hottest(share))
        cells = cells[np.argsort(-self.values[cells], kind="stable")]
        collection = cells_geojson(self.grid, cells, self.values[cells])
        if self.provenance is not None:
            collection = {"type": collection.pop("type"), "provenance": self.provenance.members(), **collection}
        return json.dumps(collection, ensure_ascii=False).encode()

    def to_geodataframe(self) -> Any:
        """The cells as a GeoDataFrame of squares in EPSG:4326: "lat", "lon" of the centre, and "similarity"."""
        import geopandas
        import shapely

        lat, lon = self.grid.cells.T
        lat_step, lon_step = self.grid.step_deg
        squares = shapely.box(lon - lon_step / 2, lat - lat_step / 2, lon + lon_step / 2, lat + lat_step / 2)
        columns = {"lat": lat, "lon": lon, "similarity": self.values}
        table = geopandas.GeoDataFrame(columns, geometry=squares, crs="EPSG:4326")
        if self.provenance is not None:
            table.attrs["provenance"] = self.provenance.members()
        return table

    def plot(self, ax: Any = None, colormap: str = DEFAULT_COLORMAP, **options: Any) -> Any:
        """Draw the heatmap with matplotlib, degrees on both axes.

        Args:
            ax: Axes to draw into; new ones by default.
            colormap: One of ``colormaps.COLORMAPS``.
            options: More of ``Axes.imshow``.

        Returns:
            The axes.

        Raises:
            MissingPackageError: matplotlib is not installed.
        """
        from unigeoclip.similarity.notebook import plotted

        return plotted(self.raster(), self.grid.bounds, ax, colormap, options)

    def _repr_png_(self) -> bytes:
        """The picture, for notebooks."""
        return self.png(describe=True)

    def _repr_html_(self) -> str:
        """The picture with its range of similarity and the query, for notebooks."""
        from unigeoclip.similarity.notebook import shown

        stops, best = self.legend(), self.best()
        query = () if self.provenance is None else self.provenance.query
        between = (stops[0].similarity, stops[-1].similarity)
        return shown(self.png(describe=True), query, between, (best.lat, best.lon))

    def map_contents(
        self, base: Atlas | None = None, *, opacity: float = 0.8, name: str = "Similarity", **drawn: Any
    ) -> MapContents:
        """The heatmap as the contents of a map, with its legend.

        Args:
            base: The atlas whose aerial picture lies below; None for an empty ground.
            opacity: 0 invisible to 1 opaque, to begin with.
            name: What the heatmap is called in the list of layers and the legend.
            drawn: Options of `png`; ``low_opacity`` is 0.3 by default.

        Raises:
            InputError: An option is unknown or out of range.
        """
        from unigeoclip.atlas.base_picture import base_overlay
        from unigeoclip.maps.contents import Legend, LegendMark, MapContents, Overlay

        ground = None if base is None else base_overlay(base, self.bounds)
        # What does not change the colors is not an option of the legend.
        bar = {key: value for key, value in drawn.items() if key not in ("low_opacity", "width_px")}
        marks = tuple(LegendMark(*stop) for stop in self.legend(**bar))
        return MapContents(
            self.bounds,
            ground,
            Overlay(name, self.png(**{"low_opacity": _LOW_OPACITY, **drawn}), self.bounds, opacity),
            Legend(name, marks),
        )

    def to_leafmap(
        self,
        base: Atlas | None = None,
        *,
        backend: Backend = "ipyleaflet",
        tiles: str | None = None,
        opacity: float = 0.8,
        name: str = "Similarity",
        height_px: int = 600,
        **drawn: Any,
    ) -> Any:
        """The heatmap on a leafmap map, with a legend and a slider for its opacity; needs ``unigeoclip[notebook]``.

        Args:
            base: The atlas whose aerial picture lies below; None for an empty ground.
            backend: "ipyleaflet" for a live notebook, "folium" for a page that can be saved by ``to_html``.
            tiles: Name of a base map of leafmap, "OpenStreetMap" say, whose tiles the browser fetches from the network;
                by default nothing is fetched.
            opacity: 0 invisible to 1 opaque, to begin with.
            name: What the heatmap is called in the list of layers and the legend.
            height_px: Height of the map.
            drawn: Options of `png`; ``low_opacity`` is 0.3 by default.

        Returns:
            A ``leafmap.leafmap.Map`` or a ``leafmap.foliumap.Map``.

        Raises:
            InputError: An option is unknown or out of range.
            MissingPackageError: leafmap is not installed.
        """
        from unigeoclip.maps.drawing import draw_map

        contents = self.map_contents(base, opacity=opacity, name=name, **drawn)
        return draw_map(contents, backend, tiles=tiles, height_px=height_px)

    def save(self, path: str | Path, **options: Any) -> None:
        """Write the heatmap in the form that the ending of the file's name says: .tif, .png or .geojson.

        Args:
            path: File to write.
            options: Those of `png` or `geojson`.

        Raises:
            InputError: Another ending, an option out of range, or the file cannot be written.
        """
        check_ending(path)
        ending = Path(path).suffix.lower()
        if ending == ".png":
            options = {"describe": True, **options}
        write_bytes(path, _ENCODERS[ending](self, **options))

    def to_png(self, path: str | Path, **options: Any) -> None:
        """Write `png` with its provenance, whatever the file's ending."""
        write_bytes(path, self.png(**{"describe": True, **options}))

    def to_geotiff(self, path: str | Path) -> None:
        """Write `geotiff`, whatever the file's ending."""
        write_bytes(path, self.geotiff())

    def to_geojson(self, path: str | Path, share: float = 0.05) -> None:
        """Write `geojson`, whatever the file's ending."""
        write_bytes(path, self.geojson(share))


_ENCODERS = {".tif": Heatmap.geotiff, ".tiff": Heatmap.geotiff, ".png": Heatmap.png, ".geojson": Heatmap.geojson}


def check_ending(path: str | Path) -> None:
    """Check that a heatmap can be written to a file of that name, before the work is done.

    Raises:
        InputError: The ending is unknown, or the folder does not exist.
    """
    path = Path(path)
    if path.suffix.lower() not in _ENCODERS:
        raise InputError(
            f"{path.name}: a heatmap is written as .tif (GeoTIFF), .png (picture) or .geojson (hottest cells)."
        )
    if not path.parent.is_dir():
        raise InputError(f"{path} cannot be written: the folder {path.parent} does not exist.")


def _color_floor(floor_percentile: float, top_share: float | None) -> float:
    """Percentile of area at which the colours start: the floor, or the threshold if only hotter cells are painted."""
    if not 0 <= floor_percentile < 100:
        raise InputError(f"The floor of the colours must lie in [0, 100); it is {floor_percentile:g}.")
    if top_share is None:
        return floor_percentile
    if not 0 < top_share <= 1:
        raise InputError(f"The share of the area to paint must lie above 0 and at most at 1; it is {top_share:g}.")
    return max(floor_percentile, 100 * (1 - top_share))


def _checked_limits(limits: tuple[float, float] | None) -> tuple[float, float]:
    if limits is None:
        raise InputError("The scale 'absolute' needs limits: the similarities of its lowest and its highest colour.")
    low, high = limits
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise InputError(f"The limits of a colour scale are two rising numbers, not {low:g} and {high:g}.")
    return low, high


def _numbered(plan: PicturePlan, along_bar: NDArray[np.float64], cut: float, levels: int) -> NDArray[np.uint8]:
    """Pixels as numbers of colors: 0 is transparent, 1 to ``levels`` are the color map."""
    numbers = np.clip(along_bar * levels, 0, levels - 1).astype(np.uint8) + np.uint8(1)
    numbers[along_bar < cut] = 0
    pixels = np.zeros(plan.shape, dtype=np.uint8)
    pixels.ravel()[plan.pixels] = numbers
    return pixels
