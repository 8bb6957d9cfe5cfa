"""What the page says of online pictures: what is asked of whom, where a picture is from, what a model makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pages.ui.formatting import distance, facing, title
from pages.ui.services.online import Missing
from pages.ui.widgets.upload_fields import kinds_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unigeoclip.atlas.schema import Manifest
    from unigeoclip.sources.spot import SpotPicture

_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December")  # fmt: skip


def what_is_asked(manifest: Manifest) -> str:
    """What the switch does, before anybody uses it."""
    from unigeoclip.sources.spot import STREET_HOSTS, aerial_hosts

    aerial = aerial_hosts(manifest.bounds, manifest.window_m)
    asked = f"{_either(aerial)} for an aerial picture, and " if aerial else ""
    return (
        f"Off: nothing is requested from other services. On: for each point that you click, this server asks {asked}"
        f"{_either(STREET_HOSTS)} for a street photo, which it then fetches from the server that holds it. They are "
        "told where the point is and see the address of this server, not yours. Pictures are not saved. No link "
        "contains this switch."
    )


def _either(hosts: Sequence[str]) -> str:
    return " or ".join((", ".join(hosts[:-1]), hosts[-1]) if len(hosts) > 1 else hosts)


def lines(picture: SpotPicture) -> list[str]:
    """Lines below a picture: when, where, whose."""
    when = date(picture.time)
    if picture.modality == "aerial":
        where = f"{distance(picture.across_m)} across, north up"
    else:
        looking = "" if picture.heading is None else f", looking {facing(picture.heading)}"
        where = f"{distance(picture.distance_m)} away{looking}"
    first = [f"{when} · {where}" if when else where]
    return [*first, *([picture.remark] if picture.remark else []), f"{picture.credit}, {picture.license}"]


def date(time: str) -> str:
    """A time in ISO 8601, a date or a year, as people write it, to the day at most."""
    year, _, rest = time[:10].partition("-")
    month, _, day = rest.partition("-")
    if not (month.isdecimal() and 1 <= int(month) <= 12):
        return year
    return f"{int(day)} {_MONTHS[int(month) - 1]} {year}" if day.isdecimal() else f"{_MONTHS[int(month) - 1]} {year}"


def about_queries(manifest: Manifest, parts: Sequence[SpotPicture | Missing]) -> str:
    """What there is to know before one of these pictures is used as a query; or nothing."""
    shown = [part.modality for part in parts if not isinstance(part, Missing)]
    usable = [name for name in shown if name in kinds_of(manifest)]
    said = [
        f"The model of this atlas has no encoder of {title(name).lower()}s, so that one is only shown."
        for name in shown
        if name not in usable
    ]
    if any(manifest.pictures[name] == "rendered" for name in usable):
        said.append("The model was trained on pictures rendered from a map: photographs are unlike all that it knows.")
    return " ".join(said)
