"""The page's address: the one place that knows its keys, reads and validates their values, and writes them.

Keys of both pages: ``atlas``; ``v``, ``b``, ``o``, ``t`` (view, base map, opacity and threshold of the map, which the
browser writes, see ``map/address.js``); ``scale``; ``mode`` (poster mode). Page Explore adds ``q``, the items of the
query, spelled as on the command line: ``q=text:hot desert``, ``q=-1*at:48.9,2.4``; ``area`` and ``combine``, which
``composing/scope.py`` spells; and ``top``, ``best``, ``outline``, ``colors``, ``items``. Page Compare adds ``models``,
``color``, ``pair``, ``box``, ``at``; page Modalities `MODALITIES_KEYS`, which ``modalities/link.py`` spells; page Probe
``task``, ``encoder``, ``layer``. A value is in the address only where it is not the default. Points and views are
rounded when they become items, so that a link asks exactly what was asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import streamlit as st

from pages.ui import address
from pages.ui.formatting import coordinates, facing, title
from pages.ui.link_values import parse_values
from pages.ui.rectangles import parse_box
from pages.ui.view_options import (
    COUNTS,
    DEFAULT_KIND,
    DEFAULT_NUMBER,
    DEFAULT_SCALE,
    KINDS,
    LEAST,
    MATCHES,
    OUTLINES,
    SCALES,
    SHARES,
    Display,
)
from unigeoclip.errors import InputError, excerpt
from unigeoclip.geo import MAX_LON_DEG
from unigeoclip.parsing.coordinates import parse_point
from unigeoclip.parsing.numbers import MAX_ZOOM, bounded_float, bounded_int
from unigeoclip.search.query_items import VIEW, PackedVector, QueryItem, parse_item, write_item
from unigeoclip.similarity.colormaps import COLORMAPS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from unigeoclip.geo import Bounds

KEY = "q"
ATLAS = "atlas"
MODE, POSTER = "mode", "poster"
COUNT = "top"  # results of each modality
BEST, OUTLINE, COLORS, ITEMS, SCALE = "best", "outline", "colors", "items", "scale"
DISPLAY_KEYS = (BEST, OUTLINE, COLORS, ITEMS, SCALE)
AREA, COMBINE = SCOPE_KEYS = ("area", "combine")
MODELS, COLOR, PAIR, BOX, AT = "models", "color", "pair", "box", "at"
COMPARE_KEYS = (MODELS, COLOR, PAIR, BOX, AT, SCALE)
MODALITIES_KEYS = ("places", "seed", "count", "layout", "centered", "place", "pair", "figure")
TASK, ENCODER, LAYER = "task", "encoder", "layer"
PROBE_KEYS = (TASK, ENCODER, LAYER)  # their values: see `pages.ui.probe.link`
# View, base map, opacity and threshold, which the browser writes: see map/address.js in assets/web.
MAP_KEYS = ("v", "b", "o", "t")
ALIASES = {"colour": COLOR, "colours": COLORS}  # keys of links made before these were renamed

BASES = ("photo", "plain")  # see `component.base_map`
MAX_WEIGHT = 2.0
MAX_LENGTH = 400  # longer texts make addresses that mail programs cut
DIGITS = 5  # a meter is enough

_PERCENT = re.compile(r"[0-9]{1,3}")
_THRESHOLD = re.compile(r"-?[01](\.[0-9]{1,4})?")


def present() -> dict[str, list[str]]:
    """The page's address: every key with its values; keys of older links appear under their present name."""
    raw = address.current(MAP_KEYS)
    renamed = {ALIASES[key]: values for key, values in raw.items() if key in ALIASES}
    return renamed | {key: values for key, values in raw.items() if key not in ALIASES}


def selected(keys: Iterable[str]) -> dict[str, str]:
    """The last value of each of these keys that the address has."""
    now = present()
    return {key: now[key][-1] for key in keys if now.get(key)}


def items() -> tuple[str, ...]:
    """The items of the query as they are written in the address."""
    return tuple(present().get(KEY, ()))


def atlas(default: str) -> str:
    """The atlas that the address names."""
    return selected([ATLAS]).get(ATLAS, default)


def write_explore(atlas: str, items: Sequence[str], parameters: Mapping[str, str]) -> bool:
    """Make the address that of a query; one step of the browser's history, and none if nothing changes.

    An address without a query that names no atlas stays as it is.

    Args:
        atlas: Its name. Another one than before takes along what page Compare shows and the map's view, which belong
            to the atlas they were chosen in.
        items: From `write`.
        parameters: From `display_parameters` and `scope.link_of`.

    Returns:
        Whether the address says this now.
    """
    _links()[atlas] = items, parameters
    if not items and {KEY, ATLAS}.isdisjoint(present()):
        return False
    switch_atlas(atlas)
    return True


def switch_atlas(atlas: str) -> None:
    """Make the address that of another atlas, with the query it had there."""
    items, parameters = _links().get(atlas, ((), {}))
    dropped = {*COMPARE_KEYS, *MODALITIES_KEYS, *PROBE_KEYS, *DISPLAY_KEYS, *SCOPE_KEYS, COUNT, KEY}
    if present().get(ATLAS, [atlas]) != [atlas]:
        dropped |= set(MAP_KEYS)  # of one atlas the browser keeps them
    query = {KEY: list(items)} if items else {}
    _write(dropped, {ATLAS: [atlas]} | query | {key: [value] for key, value in parameters.items()})


def _links() -> dict[str, tuple[Sequence[str], Mapping[str, str]]]:
    """Queries as they were written last, by atlas."""
    links: dict[str, tuple[Sequence[str], Mapping[str, str]]] = st.session_state.setdefault("explore-links", {})
    return links


def write_page(keys: Iterable[str], atlas: str, parameters: Mapping[str, str]) -> None:
    """Make the address that of a page, such as Compare; adds at most one entry to the browser's history.

    Args:
        keys: The page's own, such as `COMPARE_KEYS`.
        atlas: The atlas it shows.
        parameters: Their values, such as `compare_parameters`.
    """
    named = {ATLAS: [atlas]} if parameters else {}
    _write(keys, {key: [value] for key, value in parameters.items()} | named)


def open_link(parameters: Mapping[str, Sequence[str]]) -> None:
    """Make the address this one, as if a link had been followed."""
    address.replace(parameters)


def leave_mode() -> None:
    """Take poster mode out of the address."""
    address.replace({key: values for key, values in address.current(MAP_KEYS).items() if key != MODE})


def _write(dropped: Iterable[str], added: Mapping[str, list[str]]) -> None:
    """Replace some keys; the others stay, and nothing is written where all is so already."""
    others = {key: values for key, values in present().items() if key not in set(dropped)}
    wanted = others | dict(added)
    if wanted != address.current(MAP_KEYS):
        address.replace(wanted)


def rounded(value: float) -> float:
    """A coordinate with as many decimals as a link keeps."""
    return round(value, DIGITS) + 0.0  # there is no minus nought


def degrees(value: float) -> str:
    """A coordinate as a field shows it: as many decimals as a link keeps, without zeros at the end."""
    return f"{rounded(value):.{DIGITS}f}".rstrip("0").rstrip(".")


def point(lat: float, lon: float, weight: float = 1.0) -> QueryItem:
    """A location item with its label."""
    lat, lon = rounded(lat), rounded(lon)
    return QueryItem("location", (lat, lon), weight, coordinates(lat, lon))


def write(item: QueryItem) -> str | None:
    """An item as an address spells it; None for very long texts, which cannot, and for pictures as such."""
    if item.modality in ("text", "place") and len(item.value) > MAX_LENGTH:
        return None
    return write_item(item)


def parse(text: str) -> QueryItem:
    """The item that `write` wrote.

    Raises:
        InputError: It is not one, or its weight or its text is larger than a link may hold.
    """
    try:
        item = parse_item(text)
    except InputError as error:
        raise InputError(f"A part of the link is left out: {error}") from error
    if abs(item.weight) > MAX_WEIGHT:
        raise InputError(
            f"The link's item '{excerpt(text)}' is left out: weights lie between -{MAX_WEIGHT:g} and {MAX_WEIGHT:g}."
        )
    if item.modality == "text" and len(item.value) > MAX_LENGTH:
        raise InputError(
            f"The link's item '{excerpt(text)}' is left out: in a link, a text has at most {MAX_LENGTH} characters."
        )
    if item.modality == "location":
        lat, lon = item.value
        return point(lat, lon, weight=item.weight)
    if item.modality == VIEW:
        lat, lon, heading = item.value
        return view(lat, lon, heading, weight=item.weight)
    if isinstance(item.value, PackedVector) and not item.label:
        return replace(item, label=title(item.modality))
    return item


def parse_all(parts: Sequence[str], most: int) -> tuple[tuple[QueryItem, ...], str]:
    """The items of a link, without those that cannot be read.

    Args:
        parts: As they stand in the address.
        most: How many are read; the others are left out.

    Returns:
        The items, and a sentence on what is left out; empty if nothing is.
    """
    items, problems = [], []
    for part in parts[:most]:
        try:
            items.append(parse(part))
        except InputError as error:
            problems.append(str(error))
    if len(problems) > 1:
        problems = [f"{problems[0]} {len(problems) - 1} more of its parts cannot be read either."]
    if len(parts) > most:
        problems.append(f"The link holds {len(parts)} items, a query at most {most}: the first {most} were read.")
    return tuple(items), " ".join(problems)


def words(text: str, weight: float = 1.0) -> QueryItem:
    """A text item with its label."""
    return QueryItem("text", text, weight, text)


def view(lat: float, lon: float, heading_deg: float, name: str = "", weight: float = 1.0) -> QueryItem:
    """A street view that the atlas draws, as an item; ``name`` is that of its street."""
    lat, lon, heading = rounded(lat), rounded(lon), float(round(heading_deg) % 360)
    label = f"{name or coordinates(lat, lon, 4)}, looking {facing(heading)}"
    return QueryItem(VIEW, (lat, lon, heading), weight, label)


def place(place_id: str, name: str) -> QueryItem:
    """A place of the atlas as an item."""
    return QueryItem("place", place_id, 1.0, name)


def picture(modality: str, value: Any, name: str) -> QueryItem:
    """A picture as an item; ``name`` is that of its file."""
    return QueryItem(modality, value, 1.0, name)


def map_problem(values: dict[str, str]) -> str:
    """What is wrong with the map's part of an address, in a sentence; the browser then leaves that out. Or nothing."""
    view, base, opacity = values.get("v", "0,0,0"), values.get("b", BASES[0]), values.get("o", "0")
    if not _is_view(view):
        return f"The link's view 'v={excerpt(view, 40)}' is left out: latitude, longitude, zoom, as in v=48.85,2.35,5."
    if base not in BASES:
        return f"The link's base map 'b={excerpt(base, 40)}' is left out: available are {' and '.join(BASES)}."
    if not _THRESHOLD.fullmatch(values.get("t", "0")):
        return f"The link's threshold 't={excerpt(values['t'], 40)}' is left out: it is a similarity, as in t=0.42."
    if not (_PERCENT.fullmatch(opacity) and int(opacity) <= 100):
        return f"The link's opacity 'o={excerpt(opacity, 40)}' is left out: it is a percentage, 0 to 100."
    return ""


def _is_view(text: str) -> bool:
    parts = text.split(",", 3)
    if len(parts) != 3:
        return False
    try:
        for part, low, high in zip(parts, (-90, -MAX_LON_DEG, 0), (90, MAX_LON_DEG, MAX_ZOOM), strict=True):
            bounded_float(part, low, high, "A number of the view")
    except InputError:
        return False
    return True


def display_parameters(display: Display, count: int) -> dict[str, str]:
    """What of a display and of the number of results differs from the default."""
    default = Display()
    values = {field.name: getattr(display, field.name) for field in fields(Display)}
    changed = {key: str(value) for key, value in values.items() if value != getattr(default, key)}
    return changed | ({COUNT: str(count)} if count != MATCHES else {})


def parse_display(values: Mapping[str, str], modalities: Iterable[str]) -> tuple[Display, int, str]:
    """The display and the number of results in a link.

    Args:
        values: By key of `DISPLAY_KEYS`, and `COUNT`.
        modalities: Whose items can be shown.

    Returns:
        The display, the number of results, and a sentence on what is left out; empty if nothing is.
    """
    choices: dict[str, dict[str, Any]] = {
        BEST: _by_text(SHARES), OUTLINE: _by_text(OUTLINES), COLORS: _by_text(COLORMAPS),
        ITEMS: _by_text(("", *modalities)), SCALE: _by_text(SCALES), COUNT: _by_text(COUNTS),
    }  # fmt: skip
    valid = {key: choices[key][text] for key, text in values.items() if text in choices[key]}
    problem = ""
    if unread := [key for key in values if key not in valid]:
        part = f"{unread[0]}={excerpt(values[unread[0]], 40)}"
        problem = f"The link's part '{part}' is left out: it is not one of the options."
    count = valid.pop(COUNT, MATCHES)
    return Display(**valid), count, problem


def _by_text(choices: Iterable[Any]) -> dict[str, Any]:
    return {str(choice): choice for choice in choices}


@dataclass(frozen=True)
class CompareLink:
    """What a link to page Compare says.

    Attributes:
        models: Names of the embedders; empty for the default ones.
        kind: One of ``view_options.KINDS``.
        number: Which component from 1, or how many clusters; 0 for other kinds.
        pair: The two embedders whose disagreement is shown; empty for the first two.
        bounds: South, west, north, east of the part that is compared; None for all of it.
        point: Latitude and longitude that every model is queried with.
        scale: One of ``view_options.SCALES``.
    """

    models: tuple[str, ...] = ()
    kind: str = DEFAULT_KIND
    number: int = 0
    pair: tuple[str, ...] = ()
    bounds: Bounds | None = None
    point: tuple[float, float] | None = None
    scale: str = DEFAULT_SCALE


def compare_parameters(link: CompareLink) -> dict[str, str]:
    """What of a comparison differs from the default."""
    values = {}
    if link.models:
        values[MODELS] = ",".join(link.models)
    if link.kind != DEFAULT_KIND:
        values[COLOR] = f"{link.kind}:{link.number}" if link.number else link.kind
    if link.pair:
        values[PAIR] = ",".join(link.pair)
    if link.bounds is not None:
        values[BOX] = ",".join(map(degrees, link.bounds))
    if link.point is not None:
        values[AT] = ",".join(map(degrees, link.point))
    if link.scale != DEFAULT_SCALE:
        values[SCALE] = link.scale
    return values


def parse_compare(values: Mapping[str, str], known: Sequence[str]) -> tuple[CompareLink, str]:
    """What a link to page Compare says.

    Args:
        values: By key of `COMPARE_KEYS`.
        known: Names of the embedders that can be shown.

    Returns:
        What it says, defaults where it cannot be read, and a sentence on the last such part; empty if there is none.
    """
    parsers: dict[str, Callable[[str], dict[str, Any]]] = {
        MODELS: lambda text: {"models": parse_models(text, known)},
        COLOR: lambda text: dict(zip(("kind", "number"), parse_color(text), strict=True)),
        PAIR: lambda text: {"pair": parse_pair(text, known)},
        BOX: lambda text: {"bounds": parse_box(text)},
        AT: lambda text: {"point": parse_at(text)},
        SCALE: lambda text: {"scale": parse_scale(text)},
    }
    valid, problem = parse_values(values, parsers)
    return CompareLink(**valid), problem


def parse_models(text: str, known: Sequence[str]) -> tuple[str, ...]:
    """Names of embedders.

    Raises:
        InputError: One of them is unknown.
    """
    names = tuple(dict.fromkeys(text.split(",")))
    if missing := [name for name in names if name not in known]:
        if missing[0].startswith("file-"):
            raise InputError(
                "The link compares with a file of embeddings that is not here: upload it with Add embeddings."
            )
        raise InputError(f"Unknown model '{excerpt(missing[0], 40)}'. Available: {', '.join(known)}.")
    return names


def parse_pair(text: str, known: Sequence[str]) -> tuple[str, ...]:
    """Names of two embedders.

    Raises:
        InputError: One of them is unknown, or there are not two.
    """
    names = parse_models(text, known)
    if len(names) != 2:
        raise InputError(f"A pair is two different models, as in {','.join(known[:2])}; not '{excerpt(text, 80)}'.")
    return names


def parse_color(text: str) -> tuple[str, int]:
    """A color scheme and its number, as in "clusters:8".

    Raises:
        InputError: There is no such scheme, or its number is out of range.
    """
    kind, _, number = text.partition(":")
    if kind not in KINDS:
        raise InputError(f"Unknown color scheme '{excerpt(kind, 40)}'. Available: {', '.join(KINDS)}.")
    if not KINDS[kind]:
        return kind, 0
    return kind, bounded_int(number, LEAST[kind], KINDS[kind], f"The number in '{kind}:{DEFAULT_NUMBER[kind]}'")


def parse_at(text: str) -> tuple[float, float]:
    """Latitude and longitude in degrees.

    Raises:
        InputError: It is something else.
    """
    point = parse_point(text)
    if point is None:
        raise InputError(f"'{excerpt(text)}' is not a latitude and longitude in degrees, as in 42.36,-71.06.")
    return round(point[0], DIGITS), round(point[1], DIGITS)


def parse_scale(text: str) -> str:
    """One of ``view_options.SCALES``.

    Raises:
        InputError: There is no such scale.
    """
    if text not in SCALES:
        raise InputError(f"Unknown scale '{excerpt(text, 40)}'. Available: {', '.join(SCALES)}.")
    return text
