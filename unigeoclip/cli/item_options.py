"""What ``embed`` embeds: a CSV of coordinates, texts or picture files, or a folder of pictures."""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unigeoclip.cli.parser import FILE, one_of, words
from unigeoclip.errors import InputError
from unigeoclip.parsing.numbers import bounded_float

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ItemOptions", "item_options"]


@dataclass(frozen=True)
class ItemOptions:
    """The rows to embed, as the command line has them; options that do not go together are refused.

    Attributes:
        csv: Table with a header; of this and ``images`` exactly one is given.
        images: Folder of pictures.
        lat: Column of latitudes; at most one of the pair ``lat`` and ``lon``, ``text`` and ``image`` is given.
        lon: Column of longitudes.
        text: Column of texts.
        image: Column of paths of picture files.
        modality: What the pictures are; given with pictures, and only then.
        skip_unreadable: Leave the embedding of texts and pictures that cannot be read empty.
        radius_m: Of the disc round each coordinate over which vectors are averaged, meters.
        radius_km: The same in kilometers; at most one of the two is given.
    """

    csv: Path | None
    images: Path | None
    lat: str | None
    lon: str | None
    text: str | None
    image: str | None
    modality: str | None
    skip_unreadable: bool
    radius_m: float | None
    radius_km: float | None

    def __post_init__(self) -> None:
        if self.csv is None and self.images is None:
            _refuse("one of the arguments --csv --images is required")
        kinds = {
            "--images": self.images,
            "--image": self.image,
            "--text": self.text,
            "--lat": self.lat,
            "--lon": self.lon,
        }
        given = [name for name, value in kinds.items() if value is not None]
        if self.images is not None and self.csv is not None:
            _refuse("argument --images: not allowed with argument --csv")
        if len(given) > 1 and given != ["--lat", "--lon"]:
            _refuse(f"argument {given[1]}: not allowed with argument {given[0]}")
        pictures = self.images is not None or self.image is not None
        if pictures and self.modality is None:
            _refuse("say what the pictures are: --modality aerial, street or surface")
        if self.modality is not None and not pictures:
            _refuse(
                "argument --modality: says what the pictures of --image or --images are; give those, or leave it out"
            )
        if self.skip_unreadable and not pictures and self.text is None:
            _refuse("argument --skip-unreadable: is for --text, --image and --images, not for coordinates")
        if self.radius_m is not None and self.radius_km is not None:
            _refuse("argument --radius-km: not allowed with argument --radius-m")
        if self.radius is not None and (pictures or self.text is not None):
            _refuse("a radius is for coordinates, not for --text, --image and --images")

    @property
    def radius(self) -> float | None:
        """Of the disc round each coordinate, meters; None for the coordinates themselves."""
        return self.radius_m if self.radius_km is None else 1000 * self.radius_km

    @property
    def path(self) -> Path:
        """The table or the folder."""
        path = self.csv if self.csv is not None else self.images
        assert path is not None
        return path

    @property
    def folder(self) -> Path:
        """What the paths of pictures are relative to: the folder of the table, or the folder of pictures."""
        return self.path.parent if self.csv is not None else self.path


def _radius(text: str) -> float:
    """A positive number; `embedders.around` says which radii there are."""
    try:
        return bounded_float(text, 1e-3, 1e6, "a radius")
    except InputError as error:
        raise click.BadParameter(str(error)) from error


_radius.__name__ = "number"  # how help calls such a value


def _refuse(message: str) -> None:
    raise click.UsageError(message, click.get_current_context(silent=True))


_ITEM_OPTIONS = (
    click.option("--csv", type=FILE, metavar="FILE", help="Table with a header."),
    click.option("--lat", type=words, metavar="COL", help="Column of latitudes.  [default: lat]"),
    click.option("--lon", type=words, metavar="COL", help="Column of longitudes.  [default: lon]"),
    click.option("--text", type=words, metavar="COL", help="Embed the texts of this column."),
    click.option(
        "--image", type=words, metavar="COL",
        help="Embed the pictures whose files this column names, relative to the folder of the table.",
    ),
    click.option("--images", type=FILE, metavar="DIR", help="Embed the pictures of a folder, without --csv."),
    click.option(
        "--modality", type=one_of("aerial", "street", "surface"), metavar="[aerial|street|surface]",
        help="What the pictures are.",
    ),
    click.option(
        "--skip-unreadable", is_flag=True,
        help="Leave the embedding of texts and pictures that cannot be read empty, instead of stopping.",
    ),
    click.option("--radius-m", type=_radius, metavar="M", help="Of coordinates, the mean over a disc of that radius."),
    click.option("--radius-km", type=_radius, metavar="KM", help="The same in kilometers."),
)  # fmt: skip


def item_options(command: Callable[..., None]) -> Callable[..., Any]:
    """The options of what is embedded; the command takes them as one argument, ``items``."""

    @functools.wraps(command)
    def with_items(**options: Any) -> None:
        own = {each.name: options.pop(each.name) for each in fields(ItemOptions)}
        command(items=ItemOptions(**own), **options)

    decorated: Callable[..., Any] = with_items
    for option in reversed(_ITEM_OPTIONS):
        decorated = option(decorated)
    return decorated
