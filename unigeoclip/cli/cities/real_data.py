"""Real data of a city: planned, agreed to, fetched, and given to the builder as local files."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import click

from unigeoclip.cli.cities.map_data import is_fetched, map_lines, plan_map
from unigeoclip.cli.console import Progress, print_lines, remark
from unigeoclip.cli.parser import words
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from unigeoclip.geo import Bounds
    from unigeoclip.sources.plan import Plan
    from unigeoclip.sources.web import Web

__all__ = ["RealData", "prepare", "source_options"]

_Function = TypeVar("_Function", bound="Callable[..., object]")
_OPTIONS = (
    click.option(
        "--preset",
        type=words,
        metavar="NAME",
        help="Choose the sources by the place: amsterdam-real, boston-real, or any with --bbox.",
    ),
    click.option("--plan", is_flag=True, help="Print sources, sizes, licenses and what is missing; build nothing."),
    click.option("--yes", is_flag=True, help="Agree to a download of more than 200 MB or 2,000 requests."),
)


def source_options(function: _Function) -> _Function:
    """The options of this module for a command."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@dataclass(frozen=True)
class RealData:
    """What the builder is given.

    Attributes:
        words: Modality -> files and folders.
        tiles: Source of the map.
        bounds: South, west, north, east in degrees; None for all tiles.
    """

    words: dict[str, tuple[str, ...]]
    tiles: str
    bounds: Bounds | None


def prepare(
    given: Mapping[str, tuple[str, ...]],
    tiles: str | None,
    bounds: Bounds | None,
    *,
    stated: Mapping[str, str],
    preset: str | None,
    plan: bool,
    yes: bool,
) -> RealData | None:
    """Fetch what the words name that are no files, after saying how much it is.

    Args:
        given: Modality -> words of its option.
        tiles: Source of the map, if one is given.
        bounds: South, west, north, east, if given.
        stated: Modality -> license that a person states.
        preset: Name of a preset, whose sources stand in for the modalities of which nothing is given.
        plan: Print the plan and do no more.
        yes: A person agrees to a large download.

    Returns:
        None after a plan was printed.

    Raises:
        InputError: Options that do not go together, or a large download without ``yes``.
        DownloadError: Something cannot be fetched; what was fetched before stays.
    """
    from unigeoclip.sources import is_source

    fetched = preset or is_fetched(tiles) or any(is_source(word) for each in given.values() for word in each)
    if not fetched:
        if plan:
            lines = [line for name in given for line in _local_lines(name, given[name], stated)]
            print_lines(*lines, *map_lines(tiles))
            return None
        return RealData(dict(given), _needed(tiles), bounds)
    return _fetched(given, tiles, bounds, stated, preset, plan=plan, yes=yes)


def _fetched(
    given: Mapping[str, tuple[str, ...]],
    tiles: str | None,
    bounds: Bounds | None,
    stated: Mapping[str, str],
    preset: str | None,
    *,
    plan: bool,
    yes: bool,
) -> RealData | None:
    from unigeoclip.files.cache import cache_folder
    from unigeoclip.sources.parquet.overture import fetch_overture
    from unigeoclip.sources.plan import check_size, fetch
    from unigeoclip.sources.presets import preset_bounds, tiles_of
    from unigeoclip.sources.web import Web

    if preset:
        bounds = preset_bounds(preset, bounds)
    if bounds is None:
        raise InputError("data are fetched for an area: give it with --bbox SOUTH,WEST,NORTH,EAST in degrees.")
    web = Web(cache_folder())
    plans: dict[str, list[Plan | str]] = {}
    lines: list[str] = []
    for modality, each in given.items():
        plans[modality], said = _planned(modality, each, bounds, stated, preset, web)
        lines += said or [_rendered(modality)]
    of_map = plan_map(tiles, bounds, web) if tiles is not None and is_fetched(tiles) else None
    lines += of_map.lines() if of_map else map_lines(tiles or ("OpenFreeMap" if preset else None)) if plan else []
    if plan:
        print_lines(*lines)
        return None
    remark(*lines)
    remote = [source for some in plans.values() for source in some if not isinstance(source, str)]
    _check_licenses(remote, stated)
    check_size([*remote, *([of_map] if of_map else [])], yes)
    if of_map is not None:
        tiles = f"overture:{fetch_overture(of_map, web, Progress())}"
    elif tiles is None and preset:
        tiles = tiles_of(web)
    result: dict[str, tuple[str, ...]] = {}
    for modality, some in plans.items():
        paths: list[str | Path] = []
        for source in some:
            if isinstance(source, str):
                paths.append(source)
                continue
            done = fetch(source, web, Progress())
            remark(*done.notes)
            paths.append(done.path)
        result[modality] = tuple(str(path) for path in paths)
    return RealData(result, _needed(tiles), bounds)


def _planned(
    modality: str, each: tuple[str, ...], bounds: Bounds, stated: Mapping[str, str], preset: str | None, web: Web
) -> tuple[list[Plan | str], list[str]]:
    """Plans of sources and words of files, in their order; and lines for people."""
    from unigeoclip.sources import is_source
    from unigeoclip.sources.plan import make_plan
    from unigeoclip.sources.presets import choose

    if not each and preset:
        remark(f"Looking for data: {modality}")
        choice = choose(modality, bounds, None, web)
        chosen: list[Plan | str] = [choice.plan] if choice.plan else []
        lines = choice.plan.lines() if choice.plan else [_rendered(modality)]
        return chosen, [*lines, *(f"  {reason}" for reason in choice.reasons)]
    found: list[Plan | str] = []
    lines = []
    for word in each:
        if is_source(word):
            remark(f"Asking {word} what it has")
            made = make_plan(word, modality, bounds, None, web)
            found.append(made)
            lines += made.lines()
        else:
            found.append(word)
            lines += _local_lines(modality, (word,), stated)
    return found, lines


def _check_licenses(plans: list[Plan], stated: Mapping[str, str]) -> None:
    """Refuse pictures of which neither the source nor a person says the license."""
    for each in plans:
        modality = each.wanted.modality
        if modality not in stated and any(not item.license for item in each.found.items):
            raise InputError(
                f"the license of {each.word} is not known: state it with --{modality}-license, and whom to name with "
                f"--{modality}-credit."
            )


def _needed(tiles: str | None) -> str:
    if tiles is None:
        raise InputError("a city needs a map: give vector tiles with --tiles, or a --preset.")
    return tiles


def _rendered(modality: str) -> str:
    return f"{modality}: rendered from the map"


def _local_lines(modality: str, each: tuple[str, ...], stated: Mapping[str, str]) -> list[str]:
    """What a person's own files are; raises if they are not there."""
    from unigeoclip.build.city.own.inputs import resolve
    from unigeoclip.build.city.own.raster_files import list_rasters

    if not each:
        return [_rendered(modality)]
    lines = []
    for path in resolve(each, modality):
        if modality == "street":
            lines.append(f"{modality} from {path}: photos on this machine")
            continue
        rasters, notes = list_rasters([path], f"--{modality} {path}")
        size = sum(raster.path.stat().st_size for raster in rasters)
        count = f"{len(rasters):,} raster{'' if len(rasters) == 1 else 's'}"
        lines.append(f"{modality} from {path}: {count}, {size / 1e6:,.1f} MB, on this machine")
        other = stated.get(modality, "license not stated")
        terms = Counter((raster.license or other, raster.credit) for raster in rasters)
        lines += [f"  {': '.join(filter(None, said))} ({count:,})" for said, count in terms.most_common(5)]
        lines += [f"  {note}" for note in notes]
    return lines
