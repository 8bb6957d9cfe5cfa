"""What a person has of a city beside the map: which files, under which license, by whom, and how much they cover."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from unigeoclip.atlas import schema
from unigeoclip.build.city import user_photos
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NOT_STATED = "license not stated"
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
        aerial: Picture in place of the drawn one, any GeoTIFF.
        surface: Heights in metres in place of the estimated ones, any GeoTIFF.
        street: Photos in place of rendered views: a CSV with path, lat, lon, heading, or a folder of JPEGs with GPS.
        licenses: "aerial", "surface" or "street" -> license, such as "CC BY 4.0".
        credits: The same -> whom to name, such as "© City of Cambridge".
    """

    KINDS: ClassVar[tuple[str, ...]] = ("aerial", "surface", "street")

    aerial: Path | None = None
    surface: Path | None = None
    street: Path | None = None
    licenses: Mapping[str, str] = field(default_factory=dict)
    credits: Mapping[str, str] = field(default_factory=dict)

    @property
    def files(self) -> dict[str, Path]:
        """Modality -> file or folder, of what was given."""
        return {name: path for name in self.KINDS if (path := getattr(self, name)) is not None}

    def check(self) -> None:
        """Refuse a license or credit of what was not given.

        Raises:
            InputError: There is one.
        """
        for kind, said in (("license", self.licenses), ("credit", self.credits)):
            if lost := [modality for modality in said if modality not in self.files]:
                raise InputError(
                    f"There is a {kind} for {lost[0]!r}, but no data of that kind: add --{lost[0]} FILE, or leave out "
                    f"--{lost[0]}-{kind}."
                )

    def stamps(self) -> list[str]:
        """What changes with the files: sizes and times of change."""
        found = []
        for path in self.files.values():
            for file in user_photos.jpegs(path) if path.is_dir() else [path]:
                status = file.stat()
                found.append(f"{file} {status.st_size} {status.st_mtime_ns}")
        return found

    def sources(self) -> list[schema.Source]:
        """Entries of the manifest, none of them without an attribution."""
        found = []
        for modality, path in self.files.items():
            size, sha256 = user_photos.stamp(path)
            licence = self.licenses.get(modality, "").strip() or NOT_STATED
            maker = self.credits.get(modality, "").strip() or path.name
            found.append(
                schema.Source(path.name, path.name, "", "", _WHAT[modality], licence, f"{maker} ({licence})", "", size,
                              sha256)
            )  # fmt: skip
        return found

    def unlicensed(self) -> list[str]:
        """Sentences on what has no license."""
        return [
            f"No license is stated for {path.name}: it is shown as “{NOT_STATED}”. Say it with --{modality}-license, "
            f"and whom to name with --{modality}-credit."
            for modality, path in self.files.items()
            if not self.licenses.get(modality, "").strip()
        ]


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


def refuse_uncovered(modality: str, path: Path, present: NDArray[np.bool_], best: float) -> None:
    """Refuse data that not one place has; ``best`` is the largest share of a place's window that is known.

    Raises:
        InputError: There is none.
    """
    if not present.any():
        raise InputError(
            f"--{modality} {path}: not one of {len(present):,} places has {_PICTURES[modality]}. A place has one where "
            f"{schema.LEAST_VALID:.0%} of the square round it is known, and of none is more than {best:.0%}. Give data "
            "that cover more, a --bbox round what they cover, or squares that fit into them (--window METRES)."
        )
