"""The command that encodes all places of an atlas."""

from __future__ import annotations

from pathlib import Path

import click

from unigeoclip.cli.console import print_json, print_lines
from unigeoclip.cli.options import as_json, atlas_option, device_option, model_option, opened_atlas
from unigeoclip.cli.outputs import check_new_folder
from unigeoclip.cli.parser import Command, one_of, whole_number, words
from unigeoclip.errors import InputError

__all__ = ["COMMANDS"]

_DTYPES = {"fp16": "float16", "int8": "int8"}


@click.command(cls=Command)
@atlas_option
@model_option
@device_option
@click.option(
    "--out", type=words, required=True, metavar="STORE", help="Folder, or s3://, gs://, az:// with bucket and prefix."
)
@click.option("--modalities", type=words, metavar="A,B", help="Which of them.  [default: all]")
@click.option(
    "--dtype", type=one_of(*_DTYPES), default="fp16", metavar="[fp16|int8]", show_default=True, help="Of the vectors."
)
@click.option("--workers", type=whole_number(1, 256), metavar="N", help="Processes on this machine.  [default: 1]")
@click.option(
    "--scheduler", type=words, metavar="ADDRESS", help="Dask scheduler whose workers encode: tcp://HOST:PORT."
)
@click.option(
    "--partition-level", type=whole_number(0, 30), metavar="L", help="S2 level of the parts.  [default: by size]"
)
@as_json
def encode(
    atlas: str,
    model: Path | None,
    out: str,
    modalities: str | None,
    dtype: str,
    workers: int | None,
    scheduler: str | None,
    partition_level: int | None,
    as_json: bool,
) -> None:
    """Encode all places of an atlas into a store of GeoParquet parts."""
    if workers is not None and scheduler is not None:
        raise InputError("--workers is for this machine and --scheduler for a cluster: give one of them.")
    from unigeoclip.encoding.bulk import encode_atlas
    from unigeoclip.encoding.runners import check_scheduler
    from unigeoclip.encoding.storage import is_url, open_storage

    if scheduler is not None:
        check_scheduler(scheduler)
    open_storage(out)
    if not is_url(out):
        check_new_folder(Path(out))
    wanted = None if modalities is None else [name.strip() for name in modalities.split(",")]
    done = encode_atlas(
        opened_atlas(atlas, model), out, modalities=wanted, dtype=_DTYPES[dtype], level=partition_level,
        workers=workers or 1, scheduler=scheduler,
    )  # fmt: skip
    if as_json:
        print_json({"store": out, **done.json()})
        return
    counts = ", ".join(f"{name} {count:,}" for name, count in done.manifest.modalities.items())
    print_lines(
        f"{out}: {done.manifest.rows:,} vectors in {len(done.manifest.partitions)} parts ({counts}); "
        f"{done.added} parts were missing and were added in {done.seconds:.0f} s"
    )


COMMANDS: tuple[click.Command, ...] = (encode,)
