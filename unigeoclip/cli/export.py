"""Commands that write models for other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from unigeoclip.cli.console import print_lines
from unigeoclip.cli.options import atlas_option, model_option, opened_atlas, typed_command
from unigeoclip.cli.outputs import check_new_file
from unigeoclip.cli.parser import FILE, Command

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


COMMANDS: tuple[click.Command, ...] = (export_onnx,)
