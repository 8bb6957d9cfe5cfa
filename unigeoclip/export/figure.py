"""Compared maps as one figure for a paper: PNG, SVG or PDF with title, legends, scale bar, credit and provenance."""

from __future__ import annotations

import gzip
import io
import json
import math
import textwrap
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.errors import InputError
from unigeoclip.extras import needs_extra
from unigeoclip.geo import METERS_PER_DEGREE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from unigeoclip.atlas.provenance import Provenance
    from unigeoclip.atlas.store import Atlas
    from unigeoclip.similarity.grid import Grid

__all__ = ["FORMS", "MapPane", "map_figure", "scale_bar_m"]

FORMS = ("png", "svg", "pdf")
DPI = 300
WIDTH_IN = 7.2  # two columns of a journal
MOST_PANES = 12
_WIDE = 1.3  # width over height of a region whose maps are two in a row, not three
_TRUE_SCALE = 0.1  # by which the scale of a region may change for a scale bar to be true
_BAR_SHARE = 0.3  # of a map's width that a scale bar takes at most
_INK, _PAPER, _NO_DATA, _LINE = "#16232b", "#ffffff", "#dfe5e8", "#ffffff"
_TITLE_PT, _TEXT_PT, _SMALL_PT = 8.0, 6.5, 5.5
_CHARACTERS_AN_IN = 24  # of the small print
# Heights and widths of what is around the maps, in inches.
_LEFT_IN, _GAP_IN, _HEAD_IN, _TITLE_IN, _TICKS_IN, _LINE_IN = 0.35, 0.15, 0.35, 0.22, 0.18, 0.1
# Matplotlib's settings are of the whole process, and its fonts are not safe with threads.
_DRAWING = threading.Lock()
_SETTINGS: Any = {
    "text.parse_math": False,
    "svg.hashsalt": "unigeoclip",
    "pdf.fonttype": 42,
    "font.family": "DejaVu Sans",
    "font.size": _TEXT_PT,
}


@dataclass(frozen=True)
class MapPane:
    """One map of a figure.

    Attributes:
        title: Its name.
        rgb: (n, 3) sRGB of the grid's cells.
        legend: What the colors mean, as the app's maps take it: "title"; "stops", [fraction, value, color], "ticks",
            [fraction, text], "low" and "high" of a bar; "swatches", [color, text, figure]; "words".
        points: (lat, lon) of points to mark.
        grid: Its cells, where they are only some of the figure's.
    """

    title: str
    rgb: NDArray[np.uint8]
    legend: Mapping[str, Any]
    points: tuple[tuple[float, float], ...] = ()
    grid: Grid | None = None


def map_figure(
    atlas: Atlas,
    grid: Grid,
    panes: Sequence[MapPane],
    form: str,
    *,
    title: str,
    explanation: str = "",
    provenance: Provenance | None = None,
) -> bytes:
    """Draw maps of one region side by side.

    Longitude and latitude are drawn as they are, stretched to be true to scale in the middle of the region. A scale bar
    and an arrow to the north are drawn where the scale changes by less than a tenth over the region. The same input
    gives the same bytes.

    Args:
        atlas: Whose coasts and borders are drawn, where it has some.
        grid: The region.
        panes: One to twelve maps of it.
        form: One of `FORMS`; pixels of a PNG are at 300 dpi, maps in SVG and PDF have one pixel a cell.
        title: Of the figure.
        explanation: What the colors mean, below the maps.
        provenance: Whom to credit, below the maps; all of it is kept in the file's metadata.

    Raises:
        InputError: Another format, no panes or too many, or the number of colors is not that of the cells.
        MissingPackageError: Matplotlib is not installed.
    """
    if form not in FORMS:
        raise InputError(f"A figure is written as {', '.join(FORMS)}; not {form!r}.")
    if not 1 <= len(panes) <= MOST_PANES:
        raise InputError(f"A figure has 1 to {MOST_PANES} maps, not {len(panes)}.")
    for pane in panes:
        cells = len(pane.grid or grid)
        if pane.rgb.shape != (cells, 3):
            raise InputError(f"{cells} cells need as many colors, (n, 3); {pane.title!r} has {pane.rgb.shape}.")
    with needs_extra("plot"):
        import matplotlib

    out = io.BytesIO()
    with _DRAWING, matplotlib.rc_context(_SETTINGS):
        figure = _drawn(atlas, grid, panes, title, _notes(grid, explanation, provenance))
        metadata = _metadata(form, title, explanation, provenance)
        figure.savefig(out, format=form, dpi=DPI, facecolor=_PAPER, metadata=metadata)
    return out.getvalue()


def _drawn(atlas: Atlas, grid: Grid, panes: Sequence[MapPane], title: str, notes: Sequence[str]) -> Any:
    with needs_extra("plot"):
        from matplotlib.figure import Figure

    aspect = _aspect(grid)
    columns = min(len(panes), 2 if aspect > _WIDE else 3)
    across_in = (WIDTH_IN - _LEFT_IN) / columns
    map_in = (across_in - _GAP_IN) / aspect
    in_rows = [panes[start : start + columns] for start in range(0, len(panes), columns)]
    legends_in = [max(_legend_height_in(pane.legend, across_in) for pane in row) for row in in_rows]
    lines = [line for note in notes for line in textwrap.wrap(note, int(_CHARACTERS_AN_IN * (WIDTH_IN - 2 * _GAP_IN)))]
    foot_in = 0.12 + _LINE_IN * len(lines)
    height_in = _HEAD_IN + sum(_TITLE_IN + map_in + _TICKS_IN + legend_in for legend_in in legends_in) + foot_in
    figure = Figure(figsize=(WIDTH_IN, height_in))
    small: dict[str, Any] = {"size": _SMALL_PT, "color": _INK}
    title_style: dict[str, Any] = {"size": _TITLE_PT + 2, "weight": "bold", "color": _INK, "va": "center"}
    figure.text(_GAP_IN / WIDTH_IN, 1 - 0.2 / height_in, title, **title_style)
    coasts, top_in = _lines(atlas), height_in - _HEAD_IN
    for row, legend_in in zip(in_rows, legends_in, strict=True):
        below_in = top_in - _TITLE_IN - map_in
        for column, pane in enumerate(row):
            left_in, width_in = _LEFT_IN + column * across_in, across_in - _GAP_IN
            box = (left_in / WIDTH_IN, below_in / height_in, width_in / WIDTH_IN, map_in / height_in)
            axes = figure.add_axes(box)
            _draw_map(axes, grid, pane, coasts, first=column == 0)
            if pane is panes[0] and (length_m := scale_bar_m(grid)) is not None:
                _draw_scale(axes, grid, length_m)
            legend_box = (left_in, below_in - _TICKS_IN - legend_in, width_in, legend_in)
            _draw_legend(figure, pane.legend, legend_box, (WIDTH_IN, height_in))
        top_in = below_in - _TICKS_IN - legend_in
    for number, line in enumerate(lines):
        figure.text(_GAP_IN / WIDTH_IN, (foot_in - _LINE_IN * (number + 1)) / height_in, line, **small)
    return figure


def _aspect(grid: Grid) -> float:
    """Width over height of the region where it is drawn."""
    south, west, north, east = grid.bounds
    return (east - west) * math.cos(math.radians((south + north) / 2)) / (north - south)


def _draw_map(axes: Any, grid: Grid, pane: MapPane, coasts: Sequence[NDArray[np.float64]], *, first: bool) -> None:
    """A map with degrees below it and, as the first of a row, beside it."""
    with needs_extra("plot"):
        from matplotlib.collections import LineCollection
        from matplotlib.ticker import FuncFormatter, MaxNLocator

    south, west, north, east = grid.bounds
    picture = np.zeros((*grid.shape, 4), np.uint8)
    picture[(pane.grid or grid).mask] = np.column_stack([pane.rgb, np.full(len(pane.rgb), 255, np.uint8)])
    axes.set_facecolor(_NO_DATA)
    axes.imshow(picture, extent=(west, east, south, north), aspect="auto", interpolation="nearest")
    if coasts:
        axes.add_collection(LineCollection(coasts, colors=_INK, linewidths=0.3, alpha=0.7))
    for lat, lon in pane.points:
        axes.plot(lon, lat, "o", markersize=4, markerfacecolor=_INK, markeredgecolor=_PAPER, markeredgewidth=0.8)
    axes.set(xlim=(west, east), ylim=(south, north))
    axes.set_title(pane.title, size=_TITLE_PT, color=_INK, loc="left", pad=3)
    for axis, signs, shown in ((axes.yaxis, "NS", first), (axes.xaxis, "EW", True)):
        axis.set_major_locator(MaxNLocator(3))
        axis.set_major_formatter(FuncFormatter(lambda value, _, signs=signs: _degrees(value, signs)))
        axis.set_tick_params(labelsize=_SMALL_PT - 0.5, length=2, width=0.4, pad=1, colors=_INK)
        axis.set_tick_params(labelleft=shown, labelbottom=shown)
    axes.yaxis.set_tick_params(rotation=90)
    for label in axes.get_yticklabels():
        label.set_verticalalignment("center")
    for spine in axes.spines.values():
        spine.set(linewidth=0.4, color=_INK)


def _degrees(value: float, signs: str) -> str:
    wrapped = (value + 180) % 360 - 180 if signs == "EW" and abs(value) > 180 else value
    return f"{abs(wrapped):g}°" + (signs[0] if wrapped > 0 else signs[1] if wrapped < 0 else "")


def _lines(atlas: Atlas) -> list[NDArray[np.float64]]:
    """Coasts and borders of an atlas as lines of (lon, lat), (n, 2) each."""
    found = []
    for path in atlas.line_layers().values():
        for feature in json.loads(gzip.decompress(path.read_bytes()))["features"]:
            geometry = feature["geometry"]
            parts = geometry["coordinates"] if geometry["type"] == "MultiLineString" else [geometry["coordinates"]]
            for part in parts:
                line = np.asarray(part, np.float64)[:, :2]
                found += np.split(line, np.flatnonzero(np.abs(np.diff(line[:, 0])) > 180) + 1)  # at the date line
    return found


def scale_bar_m(grid: Grid) -> float | None:
    """Length of a scale bar in meters, a round number; None where no bar is true for the whole region."""
    south, west, north, east = grid.bounds
    scales = [math.cos(math.radians(lat)) for lat in (south, north)]
    if south < 0 < north:
        scales.append(1.0)
    if max(scales) - min(scales) > _TRUE_SCALE * max(scales):
        return None
    most = _BAR_SHARE * (east - west) * METERS_PER_DEGREE * math.cos(math.radians((south + north) / 2))
    power: float = 10.0 ** math.floor(math.log10(most))
    return next(step * power for step in (5, 2, 1) if step * power <= most)


def _draw_scale(axes: Any, grid: Grid, length_m: float) -> None:
    """A bar in the lower left corner, and an arrow to the north above it."""
    south, west, north, east = grid.bounds
    width = length_m / (METERS_PER_DEGREE * math.cos(math.radians((south + north) / 2))) / (east - west)
    left, bottom = 0.05, 0.05
    name = f"{length_m / 1000:g} km" if length_m >= 1000 else f"{length_m:g} m"
    box = {"transform": axes.transAxes, "zorder": 5}
    axes.add_patch(_rectangle((left - 0.025, bottom - 0.025), max(width, 0.12) + 0.05, 0.215, alpha=0.85, **box))
    axes.plot([left, left + width], [bottom + 0.02] * 2, color=_INK, linewidth=1.6, solid_capstyle="butt", **box)
    axes.text(left, bottom + 0.04, name, size=_SMALL_PT, color=_INK, va="bottom", **box)
    arrow = {"arrowstyle": "-|>", "color": _INK, "linewidth": 0.8, "mutation_scale": 6}
    axes.annotate("", xy=(left + 0.02, bottom + 0.18), xytext=(left + 0.02, bottom + 0.1), xycoords="axes fraction",
                  arrowprops=arrow, zorder=6)  # fmt: skip
    axes.text(left + 0.05, bottom + 0.13, "N", size=_SMALL_PT, weight="bold", color=_INK, va="center", **box)


def _rectangle(corner: tuple[float, float], width: float, height: float, **options: Any) -> Any:
    with needs_extra("plot"):
        from matplotlib.patches import Rectangle

    return Rectangle(corner, width, height, facecolor=_PAPER, edgecolor="none", **options)


def _swatch_columns(legend: Mapping[str, Any]) -> int:
    """Named swatches stand below each other, short ones side by side."""
    longest = max((len(" ".join(each[1:])) for each in legend["swatches"]), default=0)
    return 1 if longest > 18 else 2 if longest > 9 else 4


def _legend_height_in(legend: Mapping[str, Any], across_in: float) -> float:
    height = 0.16
    if legend.get("stops"):
        height += 0.36
    if legend.get("swatches"):
        height += 0.11 * math.ceil(len(legend["swatches"]) / _swatch_columns(legend))
    return height + 0.1 * len(_wrapped(legend.get("words", ""), across_in))


def _wrapped(words: str, across_in: float) -> list[str]:
    return textwrap.wrap(words, max(20, int(_CHARACTERS_AN_IN * (across_in - 0.2))))


def _draw_legend(
    figure: Any, legend: Mapping[str, Any], box_in: tuple[float, float, float, float], size_in: tuple[float, float]
) -> None:
    """The legend of a map in a box (left, bottom, width, height); all lengths in inches."""
    left, bottom, width, height = box_in
    y = bottom + height - 0.08

    def text(x_in: float, words: str, **options: Any) -> None:
        figure.text(x_in / size_in[0], y / size_in[1], words, **({"size": _SMALL_PT, "color": _INK, "va": "center"}
                    | options))  # fmt: skip

    text(left, str(legend.get("title", "")), size=_TEXT_PT)
    if legend.get("stops"):
        y -= 0.16
        colors = [[color for _, _, color in legend["stops"]]]
        bar = figure.add_axes((left / size_in[0], (y - 0.03) / size_in[1], width / size_in[0], 0.08 / size_in[1]))
        bar.imshow(_rgb(colors), aspect="auto", interpolation="bilinear", extent=(0, 1, 0, 1))
        bar.set_axis_off()
        y -= 0.1
        ticks = legend.get("ticks", [])
        for number, (fraction, label) in enumerate(ticks):
            side = "left" if number == 0 else "right" if number == len(ticks) - 1 else "center"
            text(left + fraction * width, label, ha=side)
        y -= 0.1
        text(left, str(legend.get("low", "")))
        text(left + width, str(legend.get("high", "")), ha="right")
    if legend.get("swatches"):
        columns = _swatch_columns(legend)
        for number, (color, *label) in enumerate(legend["swatches"]):
            if number % columns == 0:
                y -= 0.11
            x = left + width * (number % columns) / columns
            at = (x / size_in[0], (y - 0.035) / size_in[1])
            patch = _rectangle(at, 0.09 / size_in[0], 0.07 / size_in[1], transform=figure.transFigure)
            patch.set_facecolor(_rgb([[color]])[0, 0])
            figure.add_artist(patch)
            text(x + 0.13, textwrap.shorten(" ".join(label), int(_CHARACTERS_AN_IN * width / columns), placeholder="…"))
    for line in _wrapped(str(legend.get("words", "")), width + 0.15):
        y -= 0.1
        text(left, line)


def _rgb(colors: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Colors as CSS writes them, "#rrggbb", "#rgb" or "rgb(r, g, b)", as (rows, columns, 3) from 0 to 1."""
    with needs_extra("plot"):
        from matplotlib.colors import to_rgb

    def one(color: str) -> tuple[float, ...]:
        if color.startswith("rgb("):
            return tuple(int(part) / 255 for part in color[4:-1].split(","))
        return to_rgb(color)

    return np.array([[one(color) for color in row] for row in colors])


def _notes(grid: Grid, explanation: str, provenance: Provenance | None) -> list[str]:
    """Small print below the maps: what the colors mean, projection, credit."""
    south, _, north, _ = grid.bounds
    middle = _degrees(round((south + north) / 2, 2), "NS")
    scale = "" if scale_bar_m(grid) is not None else "; no scale bar, since the scale changes with latitude"
    notes = [explanation, f"Equirectangular projection, true to scale at {middle}{scale}."]
    if provenance is not None:
        notes += [
            f"Models: {'; '.join(provenance.members().get('model', []))}",
            "Data: " + "; ".join(provenance.attribution),
        ]
        notes.append(f"{provenance.software}, atlas {provenance.atlas} {provenance.data}")
    return [note for note in notes if note]


def _metadata(form: str, title: str, explanation: str, provenance: Provenance | None) -> dict[str, Any]:
    """What the file says of itself; without a date, so that the same figure has the same bytes."""
    origin = "" if provenance is None else provenance.json()
    rights = "" if provenance is None else "; ".join(provenance.attribution)
    software = "unigeoclip" if provenance is None else provenance.software
    if form == "png":
        return {"Title": title, "Description": explanation, "Copyright": rights, "Software": software,
                "Provenance": origin}  # fmt: skip
    if form == "svg":
        return {"Title": title, "Description": explanation, "Rights": rights, "Creator": software, "Source": origin,
                "Date": None}  # fmt: skip
    return {"Title": title, "Subject": explanation, "Author": rights, "Creator": software, "Keywords": origin,
            "CreationDate": None}  # fmt: skip
