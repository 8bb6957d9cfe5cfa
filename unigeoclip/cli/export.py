"""Commands that write models for other programs, and maps for other machines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from unigeoclip.cli.console import Progress, complain, print_lines
from unigeoclip.cli.options import atlas_option, model_option, opened_atlas, typed_command
from unigeoclip.cli.outputs import check_new_file, check_new_folder
from unigeoclip.cli.parser import FILE, Command, words
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["COMMANDS"]


@click.command("export-onnx", cls=Command)
@atlas_option
@model_option
@click.option("--out", type=FILE, required=True, metavar="F.onnx", help="ONNX graph: degrees in, unit vectors out.")
def export_onnx(atlas: str, model: Path | None, out: Path) -> None:
    """Write an atlas's location encoder as ONNX."""
    from unigeoclip.export import location_onnx

    check_new_file(out)
    location_onnx.check_onnx_out(out)
    from unigeoclip.atlas.models import load_fitting
    from unigeoclip.atlas.provenance import ModelSource, provenance_of
    from unigeoclip.checkpoint import checkpoint_id

    opened = opened_atlas(atlas, model)
    loaded = load_fitting(opened)
    source = ModelSource("unigeoclip", f"checkpoint {checkpoint_id(opened.model_path)}", "")
    location_onnx.export_onnx(loaded, out, provenance_of(opened, [source], command=typed_command()))
    print_lines(f"{out}: {loaded.dim} dimensions")


@click.command("site", cls=Command)
@click.option(
    "--atlas", "atlases", type=words, default="boston,world", metavar="A,B", show_default=True,
    help="Names or folders of atlases; the first is shown first.",
)  # fmt: skip
@click.option("--models", type=words, metavar="A,B", help="Embedders beside ours.  [default: two at hand]")
@click.option("--out", type=FILE, metavar="DIR", help="Folder of a static site; a site that is there is replaced.")
@click.option("--single-file", type=FILE, metavar="F.html", help="One file instead, which opens without a network.")
def site(atlases: str, models: str | None, out: Path | None, single_file: Path | None) -> None:
    """Write maps that answer in a browser without a server."""
    if (out is None) == (single_file is None):
        raise InputError("Give --out DIR for a static site, or --single-file F.html for one file.")
    from unigeoclip.site import builder

    if out is not None:
        check_new_folder(out)
        builder.check_site_folder(out)
    if single_file is not None:
        check_new_file(single_file)
    names, listed = _listed(atlases, "--atlas"), None if models is None else _listed(models, "--models")
    from unigeoclip.files.atomic import write_bytes
    from unigeoclip.search.explorer import Explorer
    from unigeoclip.site.content import Material
    from unigeoclip.site.grids import chosen_embedders

    opened = [opened_atlas(name, None) for name in names]
    chosen = [chosen_embedders(each, listed) for each in opened]
    explorers = [Explorer.open(each, progress=Progress()) for each in opened]
    materials = [Material(*each) for each in zip(explorers, chosen, strict=True)]
    if single_file is not None:
        page = builder.site_page(materials, complain)
        write_bytes(single_file, page)
        print_lines(f"{single_file}: {len(page) / 1e6:.1f} MB")
    elif out is not None:
        files = builder.site_files(materials, complain)
        builder.write_site(out, files)
        print_lines(f"{out}: {len(files)} files, {sum(map(len, files.values())) / 1e6:.1f} MB")


def _listed(text: str, option: str) -> list[str]:
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise InputError(f"{option} takes names separated by commas, not {text!r}.")
    return names


COMMANDS: tuple[click.Command, ...] = (export_onnx, site)
