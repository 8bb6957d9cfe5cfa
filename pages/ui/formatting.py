"""Formats of numbers, distances and coordinates in sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from unigeoclip.atlas.origins import RENDERED, map_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from unigeoclip.atlas import Manifest


def origin(manifest: Manifest, modality: str) -> str:
    """Origin of the pictures of a modality, as shown beside them; empty where that is not known."""
    made = manifest.pictures.get(modality, "")
    return f"rendered from {map_name(manifest)}" if made == RENDERED else made


def street_origin(manifest: Manifest, said: Mapping[str, str]) -> str:
    """Origin of a street view, with what is said of a photo: "photographed · Jane Doe, CC BY-SA 4.0, 2023-06-01"."""
    named = said.get("credit", ""), said.get("license", ""), said.get("time", "")[:10]
    credit = ", ".join(part for part in named if part)
    return " · ".join(part for part in (origin(manifest, "street"), credit) if part)


def title(modality: str) -> str:
    """Name of a modality as people read it, from the package's table."""
    from unigeoclip.modalities import MODALITIES  # brings torch along, so not before it is needed

    return MODALITIES[modality].title if modality in MODALITIES else modality.capitalize()


def coordinates(lat: float, lon: float, digits: int = 2) -> str:
    """A point as people write it: 48.85° N, 2.35° E."""
    north, east = "N" if lat >= 0 else "S", "E" if lon >= 0 else "W"
    return f"{abs(lat):.{digits}f}° {north}, {abs(lon):.{digits}f}° {east}"


def facing(heading_deg: float) -> str:
    """A heading as a point of the compass: 50 degrees are "north-east"."""
    names = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")
    return names[round(heading_deg / 45) % 8]


def similarity(value: float) -> str:
    """A cosine similarity, two decimals, with a true minus sign; NaN is one that is still being computed."""
    if math.isnan(value):
        return "…"
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")  # + 0.0: there is no minus nought


def short(text: str, limit: int = 38) -> str:
    """A text that fits on a chip."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def literal(text: str) -> str:
    """Text as Markdown that shows it as it is: what a visitor typed must not turn into formatting."""
    return "".join(f"\\{sign}" if sign in r"\`*_{}[]()#+-.!|<>$~:" else sign for sign in text)


def distance(meters: float | None) -> str:
    """A distance with the digits that matter; empty for None."""
    if meters is None:
        return ""
    if meters < 950:
        return f"{meters:.0f} m"
    kilometers = meters / 1000
    return f"{kilometers:.1f} km" if kilometers < 9.95 else f"{kilometers:,.0f} km".replace(",", "\u202f")


def weight(value: float) -> str:
    """A weight with its sign: +1, −0.5."""
    return f"{value:+g}".replace("-", "−")


def file_size(count: int) -> str:
    """A file size: 12.3 MB."""
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"


def height(meters: float) -> str:
    """A height of a scale, in whole metres with a true minus sign."""
    return f"{meters:,.0f} m".replace(",", "\u202f").replace("-", "−")


def number(value: float, digits: int = 3) -> str:
    """A number of unknown size with the digits that matter: 12,300, 4.56, 0.00789; "–" for NaN."""
    if not math.isfinite(value):
        return "–"
    rounded = float(f"{value:.{digits}g}") + 0.0
    text = f"{rounded:,.0f}" if abs(rounded) >= 10 ** (digits - 1) else f"{rounded:.{digits}g}"
    return text.replace(",", "\u202f").replace("-", "−")
