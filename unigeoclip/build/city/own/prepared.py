"""What a person has of a city, looked through before anything is built: what it becomes, and how large that is."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip import config, geo
from unigeoclip.atlas import schema
from unigeoclip.build.city.own import raster_writing, user_data, user_photos, user_rasters
from unigeoclip.build.city.own.raster_survey import Survey, survey_heights, survey_pictures
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from unigeoclip.build.city.own.user_data import OwnData
    from unigeoclip.city.layers import CityGrid

__all__ = ["Prepared", "prepare"]

SMALL_WINDOWS = 2.0  # a picture that is narrower than so many windows shows one place: that in its middle
_WINDOW_STEP_M = 5.0


@dataclass(frozen=True)
class Prepared:
    """A person's data of a city.

    Attributes:
        own: What was given.
        surveys: "aerial" and "surface" -> the rasters that lie in the city.
        sizes: The same -> what they become.
        photos: Street photos, or None.
        sources: Modality -> entries of the manifest.
        notes: What was left out, in whole sentences.
        spots: (n, 2) degrees, middles of pictures that show one place.
    """

    own: OwnData
    surveys: dict[str, Survey] = field(default_factory=dict)
    sizes: dict[str, raster_writing.RasterSize] = field(default_factory=dict)
    photos: user_photos.Photos | None = None
    sources: dict[str, list[schema.Source]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    spots: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 2)))


def prepare(own: OwnData, city: CityGrid, areas: Sequence[CityGrid]) -> Prepared:
    """Look a person's data through; no pixel is read.

    Args:
        own: What was given.
        city: Any grid over the whole city.
        areas: Grids over its parts, or itself.

    Raises:
        InputError: A raster or a table of photos that cannot be used.
    """
    surveys: dict[str, Survey] = {}
    sizes: dict[str, raster_writing.RasterSize] = {}
    notes: list[str] = []
    sources: dict[str, list[schema.Source]] = {}
    for modality, survey_of in (("aerial", survey_pictures), ("surface", survey_heights)):
        if modality in own.given:
            files, said = own.rasters(modality)
            surveys[modality] = survey_of(files, city)
            sizes[modality] = raster_writing.size_for(modality, surveys[modality], city, areas)
            sources[modality] = user_data.raster_sources(modality, [each.file for each in surveys[modality].rasters])
            notes += said
    photos = None
    if own.street:
        photos = user_photos.read_photos(own.street, city.bounds_deg)
        license_, credit = own.terms("street")
        sources["street"] = user_data.photo_sources(photos.table, own.street, (license_, credit))
        filled = {name: photos.table[name].where(photos.table[name] != "", text)
                  for name, text in (("license", license_), ("credit", credit))}  # fmt: skip
        photos = user_photos.Photos(photos.table.assign(**filled), photos.notes)
        notes += photos.notes
    notes = [*user_data.unlicensed(sources), *notes]
    return Prepared(own, surveys, sizes, photos, sources, tuple(notes))


def window_of(prepared: Prepared, asked_m: float | None, largest_m: float, least_m: float) -> float:
    """Side of the windows in metres: as asked, else the largest that fits into most of the pictures."""
    pictures = prepared.surveys.get("aerial")
    if asked_m is not None or pictures is None:
        return largest_m if asked_m is None else asked_m
    fits = float(np.median([raster.size_m for raster in pictures.rasters])) // _WINDOW_STEP_M * _WINDOW_STEP_M
    return min(largest_m, max(least_m, fits))


def spots_of(prepared: Prepared, window_m: float) -> NDArray[np.float64]:
    """Middles (n, 2) in degrees of the pictures that show one place, those on top first."""
    pictures = prepared.surveys.get("aerial")
    rasters = pictures.rasters if pictures else ()
    small = [raster.bounds_m for raster in rasters if raster.size_m < SMALL_WINDOWS * window_m]
    if not small:
        return np.zeros((0, 2))
    edges = np.array(small)
    return geo.inverse_web_mercator(np.stack([edges[:, [0, 2]].mean(axis=1), edges[:, [1, 3]].mean(axis=1)], axis=1))


def refuse_full_disk(prepared: Prepared, folder: Path) -> None:
    """Refuse what does not fit on the disk, before it is half written.

    Raises:
        InputError: It does not fit.
    """
    needed = sum(size.bytes[1] for size in prepared.sizes.values())
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free
    if needed > free:
        raise InputError(
            f"The rasters need about {needed / 1e9:,.1f} GB while they are made, {there} has {free / 1e9:,.1f} GB. "
            "Make room, choose a smaller --bbox, or make the pictures coarser: gdalwarp -tr"
        )


def write_rasters(staging: Path, prepared: Prepared, city: CityGrid, report: Callable[[str, float], None]) -> list[str]:
    """Write a person's own pictures and heights, unless the build before the interruption did; returns notes."""
    remarks: list[str] = []
    for modality, survey in prepared.surveys.items():
        size, note = prepared.sizes[modality], staging / f"{modality}.notes.json"
        if note.is_file():
            remarks += config.read_json(note)
            continue
        report(size.sentence(), 0.0)
        path, valid = staging / schema.RASTERS[modality], staging / schema.VALIDITY[modality]
        valid.unlink(missing_ok=True)

        def tell(share: float, name: str = modality) -> None:
            report(f"writing {name}", share)

        if modality == "aerial":
            pictures = user_rasters.look(survey, city, lambda share: report("looking at pictures", share / 4))
            raster_writing.write_pictures(pictures, size, path, valid, lambda share: tell(0.25 + share * 0.75))
            said = [*pictures.notes]
        else:
            said = raster_writing.write_heights(user_rasters.OwnHeights(survey), size, path, valid, tell)
        config.write_json(note, said)
        remarks += said
    return remarks
