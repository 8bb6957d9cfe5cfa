"""A person's own street photos: a CSV with path, lat, lon, heading, or a folder of JPEGs with positions in their EXIF.

A photo that cannot be used is left out and named in a note; only if none remains is there an error.
"""

from __future__ import annotations

import hashlib
import struct
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from unigeoclip.geo import Bounds

LONGEST_SIDE_PX = 640
MOST_PHOTOS = 20_000
MOST_PIXELS = 100_000_000  # of one photo; a JPEG is decoded at a fraction of its size
MOST_BYTES = 100_000_000  # of one photo, and of a table
NAMED = 5  # of the photos that are left out for one reason
_ENDINGS = (".jpg", ".jpeg")
_QUALITY = 82
_CHUNK = 1 << 20
# What Pillow raises over files that are cut short, hostile, or none of a picture.
_BROKEN = (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, OverflowError, EOFError, struct.error,
           Image.DecompressionBombError)  # fmt: skip
_NO_POSITION, _OUTSIDE = "have no position (GPS in the EXIF, or lat and lon in a table)", "were taken outside the city"
_GONE, _UNREADABLE, _LARGE = "do not exist", "are not readable pictures", "are too large"
_DIRECTION = "do not say which way they look: taken for north"


@dataclass(frozen=True)
class Photos:
    """The photos that can be used.

    Attributes:
        table: One row a photo: lat, lon, heading_deg, road_class ("photo"), street (empty), path.
        notes: What was left out and why, in whole sentences.
    """

    table: pd.DataFrame
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Listed:
    """A photo as it is listed: where it lies, and what the table says of it."""

    path: Path
    lat: float | None = None
    lon: float | None = None
    heading_deg: float | None = None


class _LeftOut:
    """Counts and names photos by the reason for which they are left out."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.names: dict[str, list[str]] = defaultdict(list)

    def add(self, reason: str, path: Path) -> None:
        self.names[reason].append(path.name)

    def notes(self) -> list[str]:
        return [f"{len(names):,} of {self.count:,} photos {reason}: {_some(names)}."
                for reason, names in self.names.items()]  # fmt: skip


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more


def read_photos(source: Path, bounds: Bounds) -> Photos:
    """List photos and find out where each was taken.

    Args:
        source: CSV with a column path (relative to the CSV), and lat, lon, heading in degrees where the photos do not
            carry them; or a folder, whose JPEGs are found in all its sub-folders.
        bounds: South, west, north, east of the city.

    Raises:
        InputError: No table with paths and no folder of JPEGs, a coordinate that is not a number, more than
            `MOST_PHOTOS`, or not a single photo that can be used.
    """
    listed = _in_folder(source) if source.is_dir() else _in_table(source)
    if len(listed) > MOST_PHOTOS:
        raise InputError(f"--street {source} has {len(listed):,} photos; at most {MOST_PHOTOS:,} are read.")
    left_out, undirected, rows = _LeftOut(len(listed)), _LeftOut(len(listed)), []
    south, west, north, east = bounds
    for photo in listed:
        reason, (lat, lon, heading) = _position(photo.path)
        if reason:
            left_out.add(reason, photo.path)
            continue
        if photo.lat is not None and photo.lon is not None:
            lat, lon = photo.lat, photo.lon
        heading = heading if photo.heading_deg is None else photo.heading_deg
        if lat is None or lon is None:
            left_out.add(_NO_POSITION, photo.path)
        elif not (south <= lat <= north and west <= lon <= east):
            left_out.add(_OUTSIDE, photo.path)
        else:
            if heading is None:
                undirected.add(_DIRECTION, photo.path)
            rows.append({"lat": lat, "lon": lon, "heading_deg": (heading or 0.0) % 360, "path": str(photo.path)})
    notes = left_out.notes()
    if not rows:
        raise InputError(f"--street {source}: not one photo can be used. {' '.join(notes)}")
    table = pd.DataFrame(rows).assign(road_class="photo", street="")
    return Photos(table, (*notes, *undirected.notes()))


def store_photos(views: pd.DataFrame, folder: Path) -> tuple[list[str | None], list[str]]:
    """Copy the photos of views, upright and at most `LONGEST_SIDE_PX` px, as WebP without their EXIF.

    Returns:
        Their paths in the atlas, one for each view, None where the photo is broken; and notes of those.

    Raises:
        InputError: All are broken.
    """
    folder.mkdir(parents=True, exist_ok=True)
    left_out = _LeftOut(len(views))
    names: list[str | None] = []
    for view_id, path in zip(views["view_id"], views["path"], strict=True):
        try:
            with Image.open(path) as opened:
                opened.draft("RGB", (LONGEST_SIDE_PX, LONGEST_SIDE_PX))  # a JPEG need not be decoded at full size
                picture = ImageOps.exif_transpose(opened).convert("RGB")
        except _BROKEN:
            left_out.add(_UNREADABLE, Path(path))
            names.append(None)
            continue
        picture.thumbnail((LONGEST_SIDE_PX, LONGEST_SIDE_PX))
        picture.save(folder / f"{view_id}.webp", quality=_QUALITY)
        names.append(f"{folder.name}/{view_id}.webp")
    if not any(names):
        raise InputError(f"--street: not one photo can be used. {' '.join(left_out.notes())}")
    return names, left_out.notes()


def stamp(source: Path) -> tuple[int, str]:
    """Bytes and SHA-256 of a file, or of all the JPEGs of a folder, one after the other."""
    paths = jpegs(source) if source.is_dir() else [source]
    digest, size = hashlib.sha256(), 0
    for path in paths:
        with path.open("rb") as file:
            while data := file.read(_CHUNK):
                digest.update(data)
                size += len(data)
    return size, digest.hexdigest()


# Lists of photos


def jpegs(folder: Path) -> list[Path]:
    """The JPEGs of a folder and its sub-folders, sorted."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in _ENDINGS and path.is_file())


def _in_folder(folder: Path) -> list[_Listed]:
    paths = jpegs(folder)
    if not paths:
        raise InputError(f"--street {folder} holds no JPEG ({', '.join(_ENDINGS)}), nor do its sub-folders.")
    return [_Listed(path) for path in paths]


def _in_table(table_path: Path) -> list[_Listed]:
    if table_path.exists() and not table_path.is_file():
        raise InputError(f"--street {table_path} is neither a CSV table nor a folder of JPEGs.")
    if table_path.is_file() and table_path.stat().st_size > MOST_BYTES:
        raise InputError(f"--street {table_path} is larger than {MOST_BYTES / 1e6:,.0f} MB: no table of photos.")
    try:
        table = pd.read_csv(table_path)
    except (OSError, ValueError) as error:
        raise InputError(f"--street {table_path} cannot be read as a CSV table: {error}.") from error
    if "path" not in table or table.empty:
        raise InputError(
            f"--street {table_path} needs a column 'path' and at least one row; it has {list(table.columns)}."
        )
    listed = []
    for number, row in enumerate(table.to_dict("records"), start=2):  # the header is line 1
        where = f"--street {table_path}, line {number}"
        lat, lon, heading = (_number(row.get(column), column, where) for column in ("lat", "lon", "heading"))
        listed.append(_Listed(table_path.parent / str(row["path"]), lat, lon, heading))
    return listed


def _number(value: Any, column: str, where: str) -> float | None:
    if value is None or pd.isna(value):
        return None
    try:
        number = float(value)
    except ValueError as error:
        raise InputError(f"{where}: {column} is {value!r}, not a number of degrees.") from error
    return number if np.isfinite(number) else None


# Positions in photos

_Position = tuple[float | None, float | None, float | None]
_NOWHERE: _Position = (None, None, None)


def _position(path: Path) -> tuple[str, _Position]:
    """Why a photo cannot be used, or nothing; latitude, longitude and heading of its EXIF, None where it is silent."""
    try:
        if not path.is_file():
            return _GONE, _NOWHERE
        if path.stat().st_size > MOST_BYTES:
            return _LARGE, _NOWHERE
        with Image.open(path) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                return _LARGE, _NOWHERE
            gps = _gps(opened)
    except Image.DecompressionBombError:
        return _LARGE, _NOWHERE
    except (UnidentifiedImageError, *_BROKEN):
        return _UNREADABLE, _NOWHERE
    lat = _degrees(gps.get(ExifTags.GPS.GPSLatitude), gps.get(ExifTags.GPS.GPSLatitudeRef) == "S")
    lon = _degrees(gps.get(ExifTags.GPS.GPSLongitude), gps.get(ExifTags.GPS.GPSLongitudeRef) == "W")
    return "", (lat, lon, _finite(gps.get(ExifTags.GPS.GPSImgDirection)))


def _gps(opened: Image.Image) -> dict[int, Any]:
    """GPS of the EXIF; a damaged EXIF says nothing, the picture may still be good."""
    try:
        return dict(opened.getexif().get_ifd(ExifTags.IFD.GPSInfo))
    except _BROKEN:
        return {}


def _degrees(parts: Any, negative: bool) -> float | None:
    if not isinstance(parts, tuple | list) or len(parts) != 3:
        return None
    degrees, minutes, seconds = (_finite(part) for part in parts)
    if degrees is None or minutes is None or seconds is None:
        return None
    value = degrees + minutes / 60 + seconds / 3600
    return -value if negative else value


def _finite(value: Any) -> float | None:
    """A number of the EXIF; None for none, and for a fraction over nought."""
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    return number if np.isfinite(number) else None
