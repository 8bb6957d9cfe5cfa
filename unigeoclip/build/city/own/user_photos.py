"""A person's own street photos: CSVs with path, lat, lon, heading, or folders of JPEGs with positions in their EXIF.

A photo that cannot be used is left out and named in a note; only if none remains is there an error. Panoramas are cut
into pictures of a quarter turn each.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from unigeoclip.errors import InputError, excerpt
from unigeoclip.parallel import parallel_map
from unigeoclip.uploads import panoramas

if TYPE_CHECKING:
    from unigeoclip.geo import Bounds

LONGEST_SIDE_PX = 640
CUT_PX = (640, 480)  # of one picture out of a panorama
MOST_PHOTOS = 20_000
MOST_PIXELS = 100_000_000  # of one photo; a JPEG is decoded at a fraction of its size
MOST_PANORAMA_PX = (4096, 2048)  # larger ones are made smaller before they are cut
MOST_BYTES = 100_000_000  # of one photo, and of a table
NAMED = 5  # of the photos that are left out for one reason
PERSPECTIVE, EQUIRECTANGULAR = "perspective", "equirectangular"
_ENDINGS = (".jpg", ".jpeg")
_QUALITY, _EFFORT = 82, 2  # of WebP: with the usual effort of 4 it takes twice as long and is 5 % smaller
_CHUNK = 1 << 20
_SAID = ("time", "license", "credit", "url")
# What Pillow raises over files that are cut short, hostile, or none of a picture.
_BROKEN = (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, OverflowError, EOFError, struct.error,
           Image.DecompressionBombError)  # fmt: skip
_NO_POSITION, _OUTSIDE = "have no position (GPS in the EXIF, or lat and lon in a table)", "were taken outside the city"
_GONE, _UNREADABLE, _LARGE = "do not exist", "are not readable pictures", "are too large"
_NO_DIRECTION = "do not say which way they look (GPS image direction in the EXIF, or heading in a table)"
_UNLICENSED = "have no license in the column of licenses"
_POSE = re.compile(rb"GPano:PoseHeadingDegrees(?:>|=\")\s*([0-9.]{1,12})")
_TIME = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)")  # of EXIF


@dataclass(frozen=True)
class Photos:
    """The photos that can be used.

    Attributes:
        table: One row a picture: lat, lon, heading_deg, road_class ("photo"), street (empty), path, turn_deg (where a
            picture lies in a panorama, NaN in no panorama), time, license, credit, url (empty where nobody says).
        notes: What was left out and why, in whole sentences.
    """

    table: pd.DataFrame
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Photo:
    """A photo as it is listed: where it lies, and what a table or the file says of it."""

    path: Path
    lat: float | None = None
    lon: float | None = None
    heading_deg: float | None = None
    projection: str = ""
    time: str = ""
    license: str = ""
    credit: str = ""
    url: str = ""
    lacks_license: bool = False


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


def read_photos(sources: Sequence[Path], bounds: Bounds) -> Photos:
    """List photos and find out where each was taken.

    Args:
        sources: CSVs with a column path (relative to the CSV), lat, lon, heading in degrees where the photos do not
            carry them, and projection, time, license, credit, url where they are known; or folders, whose JPEGs are
            found in all their sub-folders.
        bounds: South, west, north, east of the city.

    Raises:
        InputError: No table with paths and no folder of JPEGs, a coordinate that is not a number, more than
            `MOST_PHOTOS`, or not a single photo that can be used.
    """
    listed = [photo for source in sources for photo in (_in_folder(source) if source.is_dir() else _in_table(source))]
    named = f"--street {', '.join(map(str, sources[:3]))}"
    if len(listed) > MOST_PHOTOS:
        raise InputError(f"{named} has {len(listed):,} photos; at most {MOST_PHOTOS:,} are read.")
    left_out, rows, guessed = _LeftOut(len(listed)), [], _LeftOut(len(listed))
    south, west, north, east = bounds
    for each in listed:
        reason, photo = (_UNLICENSED, each) if each.lacks_license else _completed(each)
        lat, lon, heading = photo.lat, photo.lon, photo.heading_deg
        if reason:
            left_out.add(reason, photo.path)
        elif lat is None or lon is None:
            left_out.add(_NO_POSITION, photo.path)
        elif not (south <= lat <= north and west <= lon <= east):
            left_out.add(_OUTSIDE, photo.path)
        elif heading is None:
            left_out.add(_NO_DIRECTION, photo.path)
        else:
            if photo.projection != each.projection:
                guessed.add("are twice as wide as high and taken for panoramas (projection in a table says it)",
                            photo.path)  # fmt: skip
            turns = panoramas.TURNS_DEG if photo.projection == EQUIRECTANGULAR else (np.nan,)
            said = {name: getattr(photo, name) for name in _SAID}
            rows += [{"lat": lat, "lon": lon, "heading_deg": (heading + np.nan_to_num(turn)) % 360,
                      "path": str(photo.path), "turn_deg": turn, **said} for turn in turns]  # fmt: skip
    notes = left_out.notes()
    if not rows:
        raise InputError(f"{named}: not one photo can be used. {' '.join(notes)}")
    table = pd.DataFrame(rows).assign(road_class="photo", street="")
    return Photos(table, (*notes, *guessed.notes()))


def store_photos(views: pd.DataFrame, folder: Path) -> tuple[list[str | None], list[str]]:
    """Copy the photos of views, upright and at most `LONGEST_SIDE_PX` px, as WebP without their EXIF.

    Args:
        views: Columns view_id, path, turn_deg.
        folder: Where they go.

    Returns:
        Their paths in the atlas, one for each view, None where the photo is broken; and notes of those.

    Raises:
        InputError: All are broken.
    """
    folder.mkdir(parents=True, exist_ok=True)
    left_out = _LeftOut(views["path"].nunique())
    names: dict[str, str | None] = {}
    by_photo = [(Path(path), group) for path, group in views.groupby("path", sort=False)]
    stored = parallel_map(lambda each: _store(*each, folder), by_photo)
    for (path, group), made in zip(by_photo, stored, strict=True):
        if made is None:
            left_out.add(_UNREADABLE, path)
        names.update(made or dict.fromkeys(group["view_id"]))
    if not any(names.values()):
        raise InputError(f"--street: not one photo can be used. {' '.join(left_out.notes())}")
    return [names[view_id] for view_id in views["view_id"]], left_out.notes()


def _store(path: Path, views: pd.DataFrame, folder: Path) -> dict[str, str | None] | None:
    """Write the pictures of one photo; their paths in the atlas by view, or None for a broken one."""
    try:
        pictures = _pictures(path, views["turn_deg"].tolist())
    except _BROKEN:
        return None
    names: dict[str, str | None] = {}
    for view_id, picture in zip(views["view_id"], pictures, strict=True):
        picture.save(folder / f"{view_id}.webp", quality=_QUALITY, method=_EFFORT)
        names[view_id] = f"{folder.name}/{view_id}.webp"
    return names


def _pictures(path: Path, turns_deg: list[float]) -> list[Image.Image]:
    """The pictures of one photo: itself, or what is cut out of a panorama."""
    is_flat = bool(np.isnan(turns_deg).any())
    with Image.open(path) as opened:
        # A JPEG need not be decoded at full size.
        opened.draft("RGB", (LONGEST_SIDE_PX, LONGEST_SIDE_PX) if is_flat else MOST_PANORAMA_PX)
        picture = (ImageOps.exif_transpose(opened) if is_flat else opened).convert("RGB")
    if is_flat:
        picture.thumbnail((LONGEST_SIDE_PX, LONGEST_SIDE_PX))
        return [picture] * len(turns_deg)
    picture.thumbnail(MOST_PANORAMA_PX)
    pixels = np.asarray(picture)
    return [Image.fromarray(panoramas.cut(pixels, turn, *CUT_PX)) for turn in turns_deg]


def stamp(paths: Sequence[Path]) -> tuple[int, str]:
    """Bytes and SHA-256 of files, one after the other."""
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


def _in_folder(folder: Path) -> list[_Photo]:
    paths = jpegs(folder)
    if not paths:
        raise InputError(f"--street {folder} holds no JPEG ({', '.join(_ENDINGS)}), nor do its sub-folders.")
    return [_Photo(path) for path in paths]


def _in_table(table_path: Path) -> list[_Photo]:
    if table_path.exists() and not table_path.is_file():
        raise InputError(f"--street {table_path} is neither a CSV table nor a folder of JPEGs.")
    if table_path.is_file() and table_path.stat().st_size > MOST_BYTES:
        raise InputError(f"--street {table_path} is larger than {MOST_BYTES / 1e6:,.0f} MB: no table of photos.")
    try:
        table = pd.read_csv(table_path, index_col=False)
    except (OSError, ValueError) as error:
        raise InputError(f"--street {table_path} cannot be read as a CSV table: {excerpt(error)}.") from error
    if "path" not in table or table.empty:
        raise InputError(
            f"--street {table_path} needs a column 'path' and at least one row; it has {list(table.columns)}."
        )
    listed = []
    for number, row in enumerate(table.to_dict("records"), start=2):  # the header is line 1
        where = f"--street {table_path}, line {number}"
        lat, lon, heading = (_number(row.get(column), column, where) for column in ("lat", "lon", "heading"))
        said = {name: _text(row.get(name)) for name in (*_SAID, "projection")}
        said["projection"] = said["projection"].lower()
        if said["projection"] not in ("", PERSPECTIVE, EQUIRECTANGULAR):
            raise InputError(
                f"{where}: the projection is {excerpt(said['projection'])!r}; known are {PERSPECTIVE} and "
                f"{EQUIRECTANGULAR}."
            )
        lacks_license = "license" in table and not said["license"]
        listed.append(_Photo(table_path.parent / str(row["path"]), lat, lon, heading, **said,
                             lacks_license=lacks_license))  # fmt: skip
    return listed


def _text(value: Any) -> str:
    return "" if value is None or pd.isna(value) else " ".join(str(value).split())


def _number(value: Any, column: str, where: str) -> float | None:
    if value is None or pd.isna(value):
        return None
    try:
        number = float(value)
    except ValueError as error:
        raise InputError(f"{where}: {column} is {value!r}, not a number of degrees.") from error
    return number if np.isfinite(number) else None


# What photos say themselves


def _completed(photo: _Photo) -> tuple[str, _Photo]:
    """Why a photo cannot be used, or nothing; and what its EXIF adds to what a table says of it."""
    path = photo.path
    try:
        if not path.is_file():
            return _GONE, photo
        if path.stat().st_size > MOST_BYTES:
            return _LARGE, photo
        with Image.open(path) as opened:
            width, height = opened.size
            if width * height > MOST_PIXELS:
                return _LARGE, photo
            gps, time, xmp = _gps(opened), _time(opened), bytes(opened.info.get("xmp", b""))
    except Image.DecompressionBombError:
        return _LARGE, photo
    except (UnidentifiedImageError, *_BROKEN):
        return _UNREADABLE, photo
    lat, lon, heading = photo.lat, photo.lon, photo.heading_deg
    if lat is None or lon is None:
        lat = _degrees(gps.get(ExifTags.GPS.GPSLatitude), gps.get(ExifTags.GPS.GPSLatitudeRef) == "S")
        lon = _degrees(gps.get(ExifTags.GPS.GPSLongitude), gps.get(ExifTags.GPS.GPSLongitudeRef) == "W")
    if heading is None:
        heading = _finite(gps.get(ExifTags.GPS.GPSImgDirection))
    if heading is None and (pose := _POSE.search(xmp)):
        heading = _finite(pose[1].decode())
    flat = photo.projection or (EQUIRECTANGULAR if panoramas.is_panorama(width, height) else "")
    return "", replace(photo, lat=lat, lon=lon, heading_deg=heading, projection=flat, time=photo.time or time)


def _time(opened: Image.Image) -> str:
    """When a photo was taken by its EXIF, as ISO 8601 without a zone; empty where it does not say."""
    try:
        exif = opened.getexif()
        said = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
    except _BROKEN:
        return ""
    found = _TIME.match(str(said))
    return f"{found[1]}-{found[2]}-{found[3]}T{found[4]}" if found else ""


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
