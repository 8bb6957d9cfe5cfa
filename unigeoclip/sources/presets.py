"""Cities of real data by one word: which sources a place has, tried in order, and why one was taken."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from unigeoclip.errors import DownloadError, InputError
from unigeoclip.sources.mapillary import TOKEN
from unigeoclip.sources.plan import make_plan
from unigeoclip.sources.web import bare

if TYPE_CHECKING:
    from pathlib import Path

    from unigeoclip.geo import Bounds
    from unigeoclip.sources.plan import Plan
    from unigeoclip.sources.web import Web

__all__ = ["PRESETS", "Choice", "Preset", "choose", "preset_bounds", "tiles_of"]

LEAST_COVERAGE = 0.8  # of the area, for a raster to be taken before the next candidate
LEAST_PHOTOS = 50
TILEJSON = "https://tiles.openfreemap.org/planet"  # names the present version of the map tiles

_US = (24.4, -125.0, 49.4, -66.9)
_NETHERLANDS = (50.75, 3.35, 53.56, 7.23)
_AMSTERDAM = (52.27, 4.72, 52.44, 5.08)


@dataclass(frozen=True)
class _Candidate:
    """A source that may have a place: where it has data at all, and what speaks for it."""

    word: str
    why: str
    where: Bounds | None = None

    @property
    def label(self) -> str:
        """The word, for sentences."""
        return self.word.rstrip(":")


_CANDIDATES: dict[str, tuple[_Candidate, ...]] = {
    "aerial": (
        _Candidate("stac:naip", "aerial photographs of 0.3 to 1 m, public domain", _US),
        _Candidate("xyz:pdok-ortho", "aerial photographs of 8 cm", _NETHERLANDS),
        _Candidate("stac:sentinel-2-l2a", "satellite pictures of 10 m, the whole world"),
    ),
    "surface": (
        _Candidate("stac:3dep-lidar-dsm", "heights of 2 m measured by lidar", _US),
        _Candidate("ahn:", "heights of 0.5 m measured by lidar", _NETHERLANDS),
        _Candidate("stac:cop-dem-glo-30", "heights of 30 m measured by radar, the whole world"),
    ),
    "street": (
        _Candidate("amsterdam:", "panoramas of every street, by the city", _AMSTERDAM),
        _Candidate("mapillary:", "street photos, the most of the world"),
        _Candidate("panoramax:", "open street photos without a token"),
    ),
}


@dataclass(frozen=True)
class Preset:
    """A place that is known to have real data; "any" is one that a person names by its box."""

    title: str
    bounds: Bounds | None = None


PRESETS: dict[str, Preset] = {
    "amsterdam-real": Preset("Amsterdam", (52.350, 4.860, 52.395, 4.933)),
    "boston-real": Preset("Boston", (42.335, -71.110, 42.380, -71.049)),
    "any": Preset(""),
}


@dataclass
class Choice:
    """What was chosen for one modality.

    Attributes:
        modality: "aerial", "surface" or "street".
        plan: Of the chosen source; None if the modality is drawn.
        reasons: Why, and why not the others; sentences.
    """

    modality: str
    plan: Plan | None = None
    reasons: list[str] = field(default_factory=list)


def choose(modality: str, bounds: Bounds, cache: Path | None, web: Web) -> Choice:
    """The best source of a modality for an area: the first that covers it, or else the one that covers most.

    Args:
        modality: "aerial", "surface" or "street".
        bounds: South, west, north, east in degrees.
        cache: Folder to keep plans in; the package's cache folder by default.
        web: Asks.

    Raises:
        InputError: An area that cannot be used.
        MissingPackageError: A package of the extra "sources" is not installed.
    """
    choice, best = Choice(modality), 0.0
    for candidate in _CANDIDATES[modality]:
        if candidate.where is not None and not _is_inside(bounds, candidate.where):
            continue
        if candidate.word == "mapillary:" and not os.environ.get(TOKEN):
            choice.reasons.append(f"mapillary is not asked: {TOKEN} is not set.")
            continue
        try:
            plan = make_plan(candidate.word, modality, bounds, cache, web)
        except DownloadError as error:
            choice.reasons.append(f"{candidate.label} is not taken: {error}")
            continue
        share, said = _share(plan)
        if share > best:
            best, choice.plan = share, plan
        if share >= 1.0:
            choice.reasons.append(f"{candidate.label} is taken: {candidate.why}; {said}.")
            return choice
        choice.reasons.append(f"{candidate.label} has {said}.")
    if choice.plan is not None:
        choice.reasons.append(f"{choice.plan.label} is taken: it has the most.")
    return choice


def tiles_of(web: Web) -> str:
    """Template of the vector tiles of OpenFreeMap, in its present version.

    Raises:
        DownloadError: The service cannot be asked.
    """
    said = web.get_json(TILEJSON)
    listed = said.get("tiles") if isinstance(said, dict) else None
    template = listed[0] if isinstance(listed, list) and listed else None
    if not isinstance(template, str) or not template.startswith("https://tiles.openfreemap.org/"):
        raise DownloadError(f"{bare(TILEJSON)} names no tiles. Give a source of vector tiles with --tiles.")
    return template


def preset_bounds(name: str, given: Bounds | None) -> Bounds:
    """The area of a preset; a person's own box goes before.

    Raises:
        InputError: No such preset, or one that needs a box.
    """
    if name not in PRESETS:
        raise InputError(f"There is no preset {name!r}. Choose one of: {', '.join(PRESETS)}.")
    bounds = given or PRESETS[name].bounds
    if bounds is None:
        raise InputError("--preset any needs --bbox south,west,north,east in degrees.")
    return bounds


def _share(plan: Plan) -> tuple[float, str]:
    """How near a plan is to what suffices, 1 or more if it does; and in words."""
    if plan.is_photos:
        return len(plan.found.items) / LEAST_PHOTOS, f"{len(plan.found.items):,} photos"
    if plan.found.coverage is None:
        return 1.0, "it is not known before how much of the area it covers"
    return plan.found.coverage / LEAST_COVERAGE, f"{plan.found.coverage:.0%} of the area"


def _is_inside(bounds: Bounds, where: Bounds) -> bool:
    """Whether the middle of an area is in a box."""
    lat, lon = (bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2
    return where[0] <= lat <= where[2] and where[1] <= lon <= where[3]
