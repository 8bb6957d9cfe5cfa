"""Commands and options of stores beyond memory: index, and search --store."""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unigeoclip.cli.console import Progress, print_json, print_lines, remark
from unigeoclip.cli.options import QueryOptions, as_json, bounds_of
from unigeoclip.cli.outputs import check_new_folder
from unigeoclip.cli.parser import FILE, Command, words
from unigeoclip.errors import InputError, excerpt
from unigeoclip.parsing.numbers import bounded_float

if TYPE_CHECKING:
    from collections.abc import Callable

    from unigeoclip.search.query import Query
    from unigeoclip.search.results import Results
    from unigeoclip.search.store_explorer import StoreExplorer

__all__ = ["COMMANDS", "StoreOptions", "store_options"]


@click.command(cls=Command)
@click.option("--from", "source", type=FILE, required=True, metavar="STORE", help="Folder that 'encode' wrote.")
@click.option(
    "--out",
    type=words,
    required=True,
    metavar="DIR",
    help="Folder of the index, or s3://, gs://, az://; extended if there.",
)
@as_json
def index(source: Path, out: str, as_json: bool) -> None:
    """Index encoded places for search beyond memory."""
    from unigeoclip.stores.lance_writer import index_parts

    if "://" not in out:
        check_new_folder(Path(out))
    manifest = index_parts(source, out, say=remark)
    tables = {name: {"rows": table.rows, "exact": not table.indexed} for name, table in manifest.tables.items()}
    if as_json:
        print_json({"out": out, "dim": manifest.dim, "parts": len(manifest.parts), "modalities": tables})
        return
    print_lines(f"{out}: {len(manifest.parts)} parts, {manifest.dim} dimensions")
    print_lines(*(f"  {name:9} {table['rows']:12,} rows" for name, table in tables.items()))


@dataclass(frozen=True)
class StoreOptions:
    """Where to search instead of the atlas's own places, as the command line has it.

    Attributes:
        store: Folder or address of an index; without, the others are refused.
        places: GeoParquet with names.
        bbox: S,W,N,E degrees; of the atlas's own places, too.
        where: NAME=VALUE or NAME=LOW..HIGH, any number of them.
    """

    store: str | None
    places: Path | None
    bbox: str | None
    where: tuple[str, ...]

    def __post_init__(self) -> None:
        given = {"--places": self.places, "--where": self.where or None}
        if self.store is None and (first := next((name for name, value in given.items() if value is not None), None)):
            raise click.UsageError(f"argument {first}: belongs to --store", click.get_current_context(silent=True))

    def search(self, query: QueryOptions, top: int) -> tuple[Results, Query, list[str]]:
        """Open the store and answer; bad options fail before anything is opened."""
        bbox, where = bounds_of(self.bbox), dict(map(_condition, self.where))
        explorer, asked, notes = query.ask(lambda: self._opened(query))
        found: Results = _as_store(explorer).search(asked, k=top, bbox=bbox, where=where)
        return found, asked, notes

    def _opened(self, query: QueryOptions) -> StoreExplorer:
        from unigeoclip.search.store_explorer import StoreExplorer

        assert self.store is not None
        options: dict[str, Any] = {"places": self.places, "model": query.model, "progress": Progress()}
        return StoreExplorer.over(self.store, query.atlas, **options)


def _as_store(explorer: Any) -> StoreExplorer:
    from unigeoclip.search.store_explorer import StoreExplorer

    assert isinstance(explorer, StoreExplorer)
    return explorer


def _condition(text: str) -> tuple[str, str | bool | float | tuple[float, float]]:
    """An attribute and what it must be; numbers, "true" and "false" are read as such, text in quotes as text."""
    name, equals, value = text.partition("=")
    if not equals or not value:
        raise InputError(f"--where takes NAME=VALUE or NAME=LOW..HIGH, not '{excerpt(text)}'.")
    if len(value) > 1 and value[0] == value[-1] == '"':
        return name, value[1:-1]
    if value in ("true", "false"):
        return name, value == "true"
    low, dots, high = value.partition("..")
    try:
        if dots:
            return name, (_number(low), _number(high))
        return name, _number(value)
    except InputError:
        return name, value


def _number(text: str) -> float:
    return bounded_float(text, -1e300, 1e300, "A number of --where")


_OPTIONS = (
    click.option("--store", type=words, metavar="DIR", help="Search an index that 'index' wrote: folder, or s3:// ..."),
    click.option("--places", type=FILE, metavar="FILE", help="Names in GeoParquet, of --store. [default: atlas's]"),
    click.option("--bbox", type=words, metavar="S,W,N,E", help="Only within these degrees."),
    click.option(
        "--where", type=words, multiple=True, metavar="NAME=VALUE",
        help="Only rows with this attribute, of --store; or NAME=LOW..HIGH; once or more.",
    ),
)  # fmt: skip


def store_options(command: Callable[..., None]) -> Callable[..., Any]:
    """The options of a store; the command takes them as one argument, ``elsewhere``."""

    @functools.wraps(command)
    def with_store(**options: Any) -> None:
        own = {each.name: options.pop(each.name) for each in fields(StoreOptions)}
        command(elsewhere=StoreOptions(**own), **options)

    decorated: Callable[..., Any] = with_store
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated


COMMANDS: tuple[click.Command, ...] = (index,)
