"""What a person has of a city beside the map: which files, under which license, by whom, and how much they cover."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from unigeoclip.atlas import schema
from unigeoclip.build.city.own import user_photos
from unigeoclip.build.city.own.raster_files import SOURCES, RasterFile, list_rasters
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

NOT_STATED = "license not stated"
HASHED_BYTES = 4_000_000_000  # of all files of a source; larger ones are known by their names and sizes
CREDITS = 5  # named beside a map; a photo's own is on its card
_WHAT = {
    "aerial": f"{schema.SOURCE_OF['aerial']} aerial picture",
    "surface": f"{schema.SOURCE_OF['surface']} heights",
    "street": f"{schema.SOURCE_OF['street']} street photos",
}
_PICTURES = {"aerial": "an aerial picture", "surface": "measured heights", "street": "a street photo"}


@dataclass(frozen=True)
class OwnData:
    """What a person has of the city beside the map.

    Attributes:
        aerial: Pictures in place of the drawn one: GeoTIFFs, VRTs, folders of them; see `raster_files.list_rasters`.
        surface: Heights in metres in place of the estimated ones, likewise.
        street: Photos in place of rendered views: CSVs with path, lat, lon, heading, or folders of JPEGs with GPS.
        licenses: "aerial", "surface" or "street" -> license, such as "CC BY 4.0", of files that state none themselves.
        credits: The same -> whom to name, such as "© City of Cambridge".
        aerial_year: Take pictures of this year only.
    """

    KINDS: ClassVar[tuple[str, ...]] = ("aerial", "surface", "street")

    aerial: tuple[Path, ...] = ()
    surface: tuple[Path, ...] = ()
    street: tuple[Path, ...] = ()
    licenses: Mapping[str, str] = field(default_factory=dict)
    credits: Mapping[str, str] = field(default_factory=dict)
    aerial_year: int | None = None

    @property
    def given(self) -> dict[str, tuple[Path, ...]]:
        """Modality -> files and folders, of what was given."""
        return {name: paths for name in self.KINDS if (paths := getattr(self, name))}

    def check(self) -> None:
        """Refuse a license, credit or year of what was not given.

        Raises:
            InputError: There is one.
        """
        for kind, said in (("license", self.licenses), ("credit", self.credits)):
            if lost := [modality for modality in said if modality not in self.given]:
                raise InputError(
                    f"There is a {kind} for {lost[0]!r}, but no data of that kind: add --{lost[0]} FILE, or leave out "
                    f"--{lost[0]}-{kind}."
                )
        if self.aerial_year is not None and not self.aerial:
            raise InputError("--aerial-year chooses among pictures: add --aerial FILES, or leave it out.")

    def rasters(self, modality: str) -> tuple[tuple[RasterFile, ...], tuple[str, ...]]:
        """The rasters of a modality, that on top first, each with its license and credit; and notes.

        Raises:
            InputError: See `raster_files.list_rasters`.
        """
        year = self.aerial_year if modality == "aerial" else None
        files, notes = list_rasters(self.given[modality], f"--{modality}", year)
        license_, credit = self.terms(modality)
        return tuple(
            replace(file, license=file.license or license_, credit=file.credit or credit) for file in files
        ), notes

    def terms(self, modality: str) -> tuple[str, str]:
        """License and credit of the files of a modality that state none themselves; empty where nothing is said."""
        return self.licenses.get(modality, "").strip(), self.credits.get(modality, "").strip()

    def stamps(self) -> list[str]:
        """What changes with the files: sizes and times of change."""
        found = [f"year {self.aerial_year}"] if self.aerial_year else []
        for modality, paths in self.given.items():
            for path in paths:
                files = sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]
                if modality != "street" and path.is_file() and (table := path.parent / SOURCES).is_file():
                    files.append(table)
                for file in files:
                    status = file.stat()
                    found.append(f"{file} {status.st_size} {status.st_mtime_ns}")
        return found


# Sources of an atlas


def raster_sources(modality: str, files: Sequence[RasterFile]) -> list[schema.Source]:
    """Entries of the manifest, one a license, none of them without an attribution."""
    groups: dict[str, list[RasterFile]] = defaultdict(list)
    for file in files:
        groups[file.license or NOT_STATED].append(file)
    found = []
    for licence, group in groups.items():
        name = _name_of([file.path for file in group])
        makers = _credits(file.credit or (name if len(group) == 1 else "") for file in group) or name
        urls = {file.url for file in group}
        years = sorted({file.year for file in group if file.year})
        size, sha256 = _stamp([file.path for file in group])
        url = urls.pop() if len(urls) == 1 else ""
        date = "" if not years else str(years[0]) if len(years) == 1 else f"{years[0]} to {years[-1]}"
        found.append(schema.Source(name, name, "", url, _WHAT[modality], licence, f"{makers} ({licence})", date, size,
                                   sha256))  # fmt: skip
    return found


def photo_sources(photos: pd.DataFrame, given: Sequence[Path], terms: tuple[str, str]) -> list[schema.Source]:
    """Entries of the manifest for street photos, one a license; a photo's own license and credit go before ``terms``.

    Args:
        photos: Columns path, license, credit, time.
        given: The tables and folders that they come from.
        terms: License and credit of photos that state none themselves.
    """
    licence_of = photos["license"].where(photos["license"] != "", terms[0] or NOT_STATED)
    found = []
    for licence, group in photos.groupby(licence_of, sort=True):
        name = _name_of(given)
        makers = _credits(credit or terms[1] for credit in group["credit"]) or name
        years = sorted({time[:4] for time in group["time"] if time[:4].isdecimal()})
        size, sha256 = _stamp([*(path for path in given if path.is_file()), *map(Path, dict.fromkeys(group["path"]))])
        date = "" if not years else years[0] if len(years) == 1 else f"{years[0]} to {years[-1]}"
        found.append(schema.Source(name, name, "", "", _WHAT["street"], str(licence), f"{makers} ({licence})", date,
                                   size, sha256))  # fmt: skip
    return found


def _name_of(paths: Sequence[Path]) -> str:
    """The name of a file, or how many there are in which folder."""
    if len(paths) == 1:
        return paths[0].name
    folders = {path.parent.name for path in paths}
    where = f" in {folders.pop()}" if len(folders) == 1 else ""
    return f"{len(paths):,} files{where}"


def _credits(makers: Iterable[str]) -> str:
    """Whom to name: those of most files first."""
    counts = Counter(maker for maker in makers if maker)
    names = [name for name, _ in counts.most_common()]
    return ", ".join(names[:CREDITS]) + (f" and {len(names) - CREDITS:,} more" if len(names) > CREDITS else "")


def _stamp(paths: Sequence[Path]) -> tuple[int, str]:
    """Bytes and SHA-256 of files, one after the other; of very large ones the SHA-256 of their names and sizes."""
    sizes = [path.stat().st_size for path in paths]
    if sum(sizes) <= HASHED_BYTES:
        return user_photos.stamp(paths)
    listed = "\n".join(f"{path.name} {size}" for path, size in zip(paths, sizes, strict=True))
    return sum(sizes), hashlib.sha256(listed.encode()).hexdigest()


def unlicensed(sources: Mapping[str, Sequence[schema.Source]]) -> list[str]:
    """Sentences on what has no license, by modality."""
    return [
        f"No license is stated for {source.name}: it is shown as “{NOT_STATED}”. Say it with --{modality}-license, "
        f"and whom to name with --{modality}-credit."
        for modality, found in sources.items()
        for source in found
        if source.licence == NOT_STATED
    ]


# What is covered


def covered(modality: str, present: NDArray[np.bool_]) -> tuple[str, float, str]:
    """How much of a city a person's own data cover.

    Args:
        modality: "aerial", "surface" or "street".
        present: (places,) whether a place has it.

    Returns:
        Name of the share, the share, and a sentence with the counts; the sentence is empty where all is covered.
    """
    share, what = float(present.mean()), _PICTURES[modality]
    sentence = f"{share:.1%} of the city has {what}: {int(present.sum()):,} of {len(present):,} places."
    return f"places with {what}", round(share, 4), "" if present.all() else sentence


def refuse_uncovered(modality: str, paths: Sequence[Path], present: NDArray[np.bool_], best: float) -> None:
    """Refuse data that not one place has; ``best`` is the largest share of a place's window that is known.

    Raises:
        InputError: There is none.
    """
    if not present.any():
        raise InputError(
            f"--{modality} {', '.join(map(str, paths[:3]))}: not one of {len(present):,} places has "
            f"{_PICTURES[modality]}. A place has one where "
            f"{schema.LEAST_VALID:.0%} of the square round it is known, and of none is more than {best:.0%}. Give data "
            "that cover more, a --bbox round what they cover, or squares that fit into them (--window METRES)."
        )
