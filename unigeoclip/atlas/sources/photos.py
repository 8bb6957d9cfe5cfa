"""A person's own street photos: a CSV with path, lat, lon and heading, or positions in the photos themselves (EXIF)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from unigeoclip.geo import Bounds

LONGEST_SIDE_PX = 640
_QUALITY = 82


def read_photos(table_path: Path, bounds: Bounds) -> pd.DataFrame:
    """Read a table of photos and find out where each was taken.

    Args:
        table_path: CSV with a column path (relative to the CSV), and lat, lon, heading in degrees where the photos do
            not carry them.
        bounds: South, west, north, east of the city.

    Returns:
        One row a photo: lat, lon, heading_deg, road_class ("photo"), street (empty), path.

    Raises:
        InputError: A table without paths, a photo that is missing or unreadable, without position, or outside the city;
            the message names the row.
    """
    try:
        table = pd.read_csv(table_path)
    except (OSError, ValueError) as error:
        raise InputError(f"--street {table_path} cannot be read as a CSV table: {error}.") from error
    if "path" not in table or table.empty:
        raise InputError(
            f"--street {table_path} needs a column 'path' and at least one row; it has {list(table.columns)}."
        )
    rows = []
    for number, row in enumerate(table.to_dict("records"), start=2):  # the header is line 1
        where = f"--street {table_path}, line {number}"
        path = table_path.parent / str(row["path"])
        lat, lon, heading = (_number(row.get(column), column, where) for column in ("lat", "lon", "heading"))
        in_photo = _position(path, where)
        if lat is None or lon is None:
            lat, lon = in_photo[:2]
        heading = in_photo[2] if heading is None else heading
        if lat is None or lon is None:
            raise InputError(
                f"{where}: {path.name} has no position. Give lat and lon, or a photo with GPS in its EXIF."
            )
        south, west, north, east = bounds
        if not (south <= lat <= north and west <= lon <= east):
            raise InputError(f"{where}: {path.name} was taken at {lat:.5f}, {lon:.5f}, outside the city.")
        rows.append({"lat": lat, "lon": lon, "heading_deg": (heading or 0.0) % 360, "path": str(path)})
    return pd.DataFrame(rows).assign(road_class="photo", street="")


def store_photos(views: pd.DataFrame, folder: Path) -> list[str]:
    """Copy the photos of views, upright and at most `LONGEST_SIDE_PX` px, as WebP without their EXIF.

    Returns:
        Their paths in the atlas, one for each view.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = []
    for view_id, path in zip(views["view_id"], views["path"], strict=True):
        with Image.open(path) as opened:
            picture = ImageOps.exif_transpose(opened).convert("RGB")
        picture.thumbnail((LONGEST_SIDE_PX, LONGEST_SIDE_PX))
        picture.save(folder / f"{view_id}.webp", quality=_QUALITY)
        names.append(f"{folder.name}/{view_id}.webp")
    return names


def _number(value: Any, column: str, where: str) -> float | None:
    if value is None or pd.isna(value):
        return None
    try:
        number = float(value)
    except ValueError as error:
        raise InputError(f"{where}: {column} is {value!r}, not a number of degrees.") from error
    return number if np.isfinite(number) else None


def _position(path: Path, where: str) -> tuple[float | None, float | None, float | None]:
    """Latitude, longitude and heading from the EXIF, none where it does not say; also checks that it is a picture."""
    try:
        with Image.open(path) as opened:
            gps = opened.getexif().get_ifd(ExifTags.IFD.GPSInfo)
    except FileNotFoundError as error:
        raise InputError(f"{where}: there is no photo {path}.") from error
    except (UnidentifiedImageError, OSError) as error:
        raise InputError(f"{where}: {path} is not a readable picture.") from error
    lat = _degrees(gps.get(ExifTags.GPS.GPSLatitude), gps.get(ExifTags.GPS.GPSLatitudeRef) == "S")
    lon = _degrees(gps.get(ExifTags.GPS.GPSLongitude), gps.get(ExifTags.GPS.GPSLongitudeRef) == "W")
    heading = gps.get(ExifTags.GPS.GPSImgDirection)
    return lat, lon, None if heading is None else float(heading)


def _degrees(parts: Any, negative: bool) -> float | None:
    if parts is None or len(parts) != 3:
        return None
    degrees, minutes, seconds = (float(part) for part in parts)
    value = degrees + minutes / 60 + seconds / 3600
    return -value if negative else value
