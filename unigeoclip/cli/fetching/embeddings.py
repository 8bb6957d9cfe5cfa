"""The command that fetches published embeddings of an area, size first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from unigeoclip.cli.console import Progress, print_lines, remark
from unigeoclip.cli.options import bounds_of
from unigeoclip.cli.outputs import check_new_file
from unigeoclip.cli.parser import FILE, Command, Group, whole_number, words
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["COMMANDS"]


@click.group(cls=Group, subcommand_metavar="PRODUCT [OPTIONS]")
def fetch() -> None:
    """Fetch published embeddings of an area."""


@fetch.command(cls=Command)
@click.option("--bbox", type=words, metavar="S,W,N,E", help="South,west,north,east in degrees.")
@click.option("--year", type=whole_number(2000, 2099), help="Of the embeddings.  [default: the newest]")
@click.option("--out", type=FILE, metavar="F.tif", help="GeoTIFF to write, for --embedder file:F.tif.")
@click.option("--plan", is_flag=True, help="Print files, size and license; fetch nothing.")
@click.option("--yes", is_flag=True, help="Agree to a download of more than 200 MB or 2,000 requests.")
def alphaearth(bbox: str | None, year: int | None, out: Path | None, plan: bool, yes: bool) -> None:
    """AlphaEarth: a vector for each 10 m of land and year since 2017."""
    from unigeoclip.files.cache import cache_folder
    from unigeoclip.sources.parquet.alphaearth import write_mosaic
    from unigeoclip.sources.plan import check_size, make_plan
    from unigeoclip.sources.plan import fetch as fetch_files
    from unigeoclip.sources.web import Web

    bounds = bounds_of(bbox)
    if bounds is None:
        raise InputError("embeddings are fetched for an area: give it with --bbox SOUTH,WEST,NORTH,EAST in degrees.")
    if not plan:
        if out is None or out.suffix.lower() not in (".tif", ".tiff"):
            raise InputError("--out names the GeoTIFF to write, such as --out alphaearth.tif.")
        check_new_file(out)
    web = Web(cache_folder())
    remark("Asking AlphaEarth what it has")
    made = make_plan(f"alphaearth:{year or ''}", "embeddings", bounds, None, web)
    if plan:
        print_lines(*made.lines())
        return
    remark(*made.lines())
    check_size([made], yes)
    done = fetch_files(made, web, Progress())
    remark(*done.notes)
    files = [path for item in made.found.items if (path := made.path(item)).is_file()]
    if out is not None:
        write_mosaic(files, out, bounds, made.found.items[0].year)
        print_lines(str(out))


COMMANDS = (fetch,)
