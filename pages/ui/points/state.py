"""A visitor's table of points: in the memory of the session, and gone with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from pages.ui.http.urls import urls
from pages.ui.services import services
from pages.ui.session_state import SessionValue
from unigeoclip.similarity.gallery_dots import colored_dots
from unigeoclip.similarity.picture_plan import within_mercator

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from pages.ui.protocol import Overlay
    from pages.ui.services.probe import Job
    from pages.ui.services.probe.private_files import PrivateFile
    from unigeoclip.geo import Bounds
    from unigeoclip.points import PointFile

MOST_DOTS = 20_000
_PICTURE_PX, _RADII_PX = 2048, (3, 9)
_RGB = (0, 158, 115)  # none of the markers' and of the heatmaps' colors
_MARGIN_DEG = 1e-4


@dataclass
class Points:
    """The table, and what was made of it.

    Attributes:
        name: Of the file; empty for none.
        reading: The job that reads it.
        file: What was read.
        problem: Why nothing was.
        model: The encoder that vectors are wanted of.
        vectors: The job that computed vectors last, by atlas and encoder; those before are forgotten.
        picture: Dots of the rows, and what they cover; its address is known to this browser alone.
    """

    name: str = ""
    reading: Job[PointFile] | None = None
    file: PointFile | None = None
    problem: str = ""
    model: str = ""
    vectors: dict[tuple[str, str], Job[pa.Table]] = field(default_factory=dict)
    picture: tuple[PrivateFile, Bounds] | None = None

    def settle(self) -> None:
        """Take over what the reading has come to, if it has ended."""
        if self.file is None and self.reading is not None and self.reading.has_ended:
            self.file, self.problem = self.reading.result, self.reading.error

    def overlay(self) -> Overlay | None:
        """The dots as a picture over the map; None where there are none."""
        self.settle()
        if self.file is None or not self.file.usable.any():
            return None
        if self.picture is None:
            drawn = drawn_rows(self.file)
            bounds = _bounds(drawn)
            rgb = np.tile(np.array(_RGB, np.uint8), (len(drawn), 1))
            dots = colored_dots(bounds, drawn, rgb, width_px=_PICTURE_PX, radii_px=_RADII_PX)
            self.picture = services().probe.files.add(dots, "webp"), bounds
        file, bounds = self.picture
        return {"url": urls.private(file.name), "bounds": bounds}


def drawn_rows(file: PointFile) -> NDArray[np.float64]:
    """Positions that are drawn, at most `MOST_DOTS`, spread evenly over the table."""
    usable = file.latlon[file.usable]
    count = min(len(usable), MOST_DOTS)
    return usable[np.arange(count) * len(usable) // count]


def _bounds(latlon: NDArray[np.float64]) -> Bounds:
    south, west = (latlon.min(axis=0) - _MARGIN_DEG).tolist()
    north, east = (latlon.max(axis=0) + _MARGIN_DEG).tolist()
    lat_edge, lon_edge = 0.02 * (north - south), 0.02 * (east - west)  # dots at the edge are whole
    low = max(south - lat_edge, -90.0), max(west - lon_edge, -180.0)
    return within_mercator((*low, min(north + lat_edge, 90.0), min(east + lon_edge, 180.0)))


class _Widgets:
    points = SessionValue[Points | None]("points", None)
    turn = SessionValue("points-turn", 0)


widgets = _Widgets()


def points_of_visitor() -> Points:
    """The table of this visitor; an empty one at first."""
    if widgets.points is None:
        widgets.points = Points()
    return widgets.points


def forget_points() -> None:
    """Drop the table and all that was made of it."""
    known = points_of_visitor()
    for job in (known.reading, *known.vectors.values()):
        if job is not None:
            job.stop()
    widgets.points = Points()
