"""Options that several commands share, each as a decorator, and the query that the options of a command describe."""

from __future__ import annotations

import functools
import shlex
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unigeoclip.cli.console import Progress
from unigeoclip.cli.parser import FILE, one_of, words
from unigeoclip.errors import InputError, excerpt
from unigeoclip.files.atomic import read_bytes
from unigeoclip.parsing.numbers import bounded_float

if TYPE_CHECKING:
    from collections.abc import Callable

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.geo import Bounds
    from unigeoclip.search.explorer import Explorer, Query
    from unigeoclip.uploads import Decoded

    Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

__all__ = [
    "OURS",
    "QueryOptions",
    "as_json",
    "atlas_option",
    "bounds_of",
    "device_option",
    "embedder_options",
    "model_option",
    "opened_atlas",
    "query_options",
    "typed_command",
]

OURS = "unigeoclip"  # the embedder that is asked by text and pictures too

atlas_option = click.option(
    "--atlas", default="world", metavar="NAME", show_default=True, help="Name or folder of an atlas."
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
model_option = click.option(
    "--model", type=FILE, metavar="DIR", help="Folder of a model of your own.  [default: the atlas's model]"
)


def device_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Where models compute while the command runs, in its subprocesses, too."""

    @functools.wraps(command)
    def run(*args: Any, device: str | None, **kwargs: Any) -> Any:
        if device is None:
            return command(*args, **kwargs)
        from unigeoclip.devices import using_device

        with using_device(device):
            return command(*args, **kwargs)

    return click.option(
        "--device", type=words, metavar="NAME", help="Where models compute: cpu, cuda, mps or auto.  [default: auto]"
    )(run)


def embedder_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Which model turns coordinates into vectors: ``embedder`` and ``weights``."""
    command = click.option(
        "--weights", type=FILE, metavar="F.ckpt", help="Official checkpoint for --embedder satclip."
    )(command)
    return click.option(
        "--embedder", type=words, default=OURS, metavar="NAME", show_default=True,
        help="Or satclip, geoclip, either with -retrained, coordinates, fourier, file:PATH.",
    )(command)  # fmt: skip


@dataclass(frozen=True)
class QueryOptions:
    """What is asked, as the command line has it.

    Attributes:
        atlas: Name or folder of an atlas.
        model: Model folder in place of the atlas's, or None.
        text: Words; of these four exactly one is given.
        latlon: A point.
        image: File of a picture.
        item: Query items of a composed query; empty for none.
        modality: What the picture is.
        combine: How items are one query, see `Explorer.query`.
    """

    atlas: str
    model: Path | None
    text: str | None
    latlon: str | None
    image: Path | None
    item: tuple[str, ...]
    modality: str | None
    combine: str

    def __post_init__(self) -> None:
        one_of_these = {
            "--text": self.text,
            "--latlon": self.latlon,
            "--image": self.image,
            "--item": self.item or None,
        }
        given = [name for name, value in one_of_these.items() if value is not None]
        if not given:
            raise click.UsageError(
                f"one of the arguments {' '.join(one_of_these)} is required", click.get_current_context()
            )
        if len(given) > 1:
            raise click.UsageError(
                f"argument {given[1]}: not allowed with argument {given[0]}", click.get_current_context()
            )

    def ask(
        self, opener: Callable[[], Explorer] | None = None, area: Bounds | None = None
    ) -> tuple[Explorer, Query, list[str]]:
        """Open the atlas and encode the query; bad options fail before the atlas is opened.

        Args:
            opener: Opens another explorer than that of the atlas's own places.
            area: See `Explorer.query`.

        Returns:
            The explorer, the query, and what to know about the answer in whole sentences.
        """
        from unigeoclip.search.query_items import QueryItem, parse_item

        self._check_modality()
        items = [parse_item(text) for text in self.item]
        modality, value, label = ("", b"", "") if items else self.question()
        from unigeoclip.search.explorer import Explorer

        notes: list[str] = []
        opened = functools.partial(Explorer.open, self.atlas, model=self.model, progress=Progress())
        explorer = (opener or opened)()
        if self.image is not None:
            decoded = _decoded(self.image, value, modality, explorer.input_size(modality))
            value = decoded.array
            notes += decoded.notes
        asked = items or [QueryItem(modality, value, label=label)]
        query = explorer.query(asked, combine=self.combine, area=area)
        return explorer, query, [*notes, *(note.text for note in query.notes)]

    def question(self) -> tuple[str, Any, str]:
        """Modality, value and label of the one query option that was given; of a picture the bytes of its file."""
        self._check_modality()
        if self.text is not None:
            from unigeoclip.search.explorer import sentences_of

            sentences_of(self.text)
            return "text", self.text, self.text
        if self.latlon is not None:
            return "location", _latlon(self.latlon), self.latlon
        if self.modality is None or self.image is None:
            raise InputError("Say what the picture is: --modality aerial, street or surface.")
        from unigeoclip.uploads import MAX_FILE_BYTES

        return self.modality, read_bytes(self.image, MAX_FILE_BYTES), str(self.image)

    def _check_modality(self) -> None:
        if self.modality is not None and self.image is None:
            raise InputError("--modality says what the picture of --image is; give a picture, or leave it out.")


_QUERY_OPTIONS: tuple[Decorator, ...] = (
    atlas_option,
    model_option,
    click.option("--text", type=words, metavar="WORDS", help="A few words or sentences."),
    click.option("--latlon", type=words, metavar="LAT,LON", help="A point, degrees."),
    click.option("--image", type=FILE, metavar="FILE", help="A picture; say what it is with --modality."),
    click.option(
        "--item", type=words, multiple=True, metavar="ITEM",
        help="A part of a query, once or more: text:WORDS, at:LAT,LON, place:ID; with a weight -0.5*text:WORDS.",
    ),
    click.option(
        "--modality", type=one_of("aerial", "street", "surface"), metavar="[aerial|street|surface]",
        help="What the picture of --image is.",
    ),
    click.option(
        "--combine", type=one_of("sum", "any"), metavar="[sum|any]", default="sum", show_default=True,
        help="Of several --item: their weighted sum, or like any of them.",
    ),
)  # fmt: skip


def query_options(command: Callable[..., None]) -> Callable[..., Any]:
    """The options of a query; the command takes them as one argument, ``query``."""

    @functools.wraps(command)
    def with_query(**options: Any) -> None:
        own = {each.name: options.pop(each.name) for each in fields(QueryOptions)}
        command(query=QueryOptions(**own), **options)

    decorated: Callable[..., Any] = with_query
    for option in reversed(_QUERY_OPTIONS):
        decorated = option(decorated)
    return decorated


def bounds_of(text: str | None) -> Bounds | None:
    """The rectangle that --bbox gives, degrees; None where it is not given.

    Raises:
        InputError: It is not four numbers.
    """
    if text is None:
        return None
    numbers = text.split(",")
    if len(numbers) != 4:
        raise InputError(f"--bbox takes south,west,north,east in degrees, not '{excerpt(text)}'.")
    south, west, north, east = (bounded_float(each, -180, 540, "A number of --bbox") for each in numbers)
    return south, west, north, east


def opened_atlas(name: str, model: Path | None = None) -> Atlas:
    """The atlas of that name or folder, with another model than its own where one is given."""
    from unigeoclip.atlas.store import load_atlas

    atlas = load_atlas(name)
    return atlas if model is None else atlas.with_model(model)


def typed_command() -> str:
    """The command that runs, as it can be typed again: its name and the options that were given."""
    context = click.get_current_context()
    line = ["unigeoclip", context.info_name or ""]
    for option in context.command.params:
        source = context.get_parameter_source(option.name or "")
        value = context.params.get(option.name or "")
        if source is click.core.ParameterSource.COMMANDLINE and isinstance(option, click.Option):
            values = value if isinstance(value, tuple) else (value,)
            line += [option.opts[0]] if option.is_flag else [f"{option.opts[0]}={each}" for each in values]
    return shlex.join(line)


def _latlon(text: str) -> tuple[float, float]:
    from unigeoclip.parsing.coordinates import parse_point

    point = parse_point(text)
    if point is None:
        raise InputError(f"--latlon takes latitude,longitude in degrees, such as 42.36,-71.06; not '{excerpt(text)}'.")
    return point


def _decoded(path: Path, data: bytes, modality: str, size: tuple[int, int]) -> Decoded:
    from unigeoclip.uploads import read_upload

    try:
        return read_upload(modality, data, size)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
