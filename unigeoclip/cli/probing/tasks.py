"""Commands that list the built-in tasks and bring them to this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from unigeoclip.cli.console import print_json, print_lines, remark
from unigeoclip.cli.options import as_json
from unigeoclip.cli.parser import FILE, Group, words
from unigeoclip.errors import DownloadError

if TYPE_CHECKING:
    from pathlib import Path

    from unigeoclip.tasks.task import Task

__all__ = ["COMMANDS"]


class _ListingGroup(Group):
    """A group that lists when no command follows."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See `click.Group.parse_args`."""
        return click.Group.parse_args(self, ctx, args)


@click.group(cls=_ListingGroup, invoke_without_command=True, subcommand_metavar="ACTION [OPTIONS]")
@as_json
@click.pass_context
def tasks(context: click.Context, as_json: bool) -> None:
    """List the built-in tasks of probes; with 'download', bring them to this machine."""
    if context.invoked_subcommand is not None:
        return
    from unigeoclip.tasks.catalog import TASKS

    if as_json:
        print_json([_described(task) for task in TASKS.values()])
        return
    print_lines(f"{'task':32} {'rows':>6}  {'here':4}  {'size':>7}  what", *(_line(task) for task in TASKS.values()))
    remark("'here' says whether a task is on this machine; for those that are not: unigeoclip tasks download NAME")


def _line(task: Task) -> str:
    from unigeoclip.tasks.catalog import is_available

    here = "yes" if is_available(task) else "no"
    unit = f" [{task.unit}]" if task.unit else ""
    return f"{task.name:32} {task.n:6,}  {here:4}  {task.download_bytes / 1e6:4.0f} MB  {task.what}{unit}"


def _described(task: Task) -> dict[str, Any]:
    from unigeoclip.tasks.catalog import is_available

    return {
        "name": task.name, "title": task.title, "what": task.what, "kind": task.kind, "unit": task.unit, "n": task.n,
        "scope": task.scope, "input": task.input, "pack": task.pack.name, "here": is_available(task),
        "bytes": task.download_bytes, "splits": list(task.splits), "reading": task.reading,
        "license": task.license, "attribution": task.attribution,
        "seen_in_training": [
            {"atlas": leak.atlas, "modality": leak.modality, "why": leak.why} for leak in task.leaks
        ],
        "sources": [
            {"name": source.name, "url": source.url, "sha256": source.sha256, "bytes": source.size_bytes,
             "license": source.license, "attribution": source.attribution, "date": source.date,
             "downloaded_by_us": source.reached}
            for source in task.sources
        ],
    }  # fmt: skip


@tasks.command()
@click.argument("name", type=words, metavar="NAME")
@click.option(
    "--from",
    "folder",
    type=FILE,
    metavar="FOLDER",
    help="Take files from this folder, whatever their names: by checksum.",
)
@as_json
def download(name: str, folder: Path | None, as_json: bool) -> None:
    """Download a task, or 'all' of them, to the cache folder.

    NAME is a task or a pack of tasks. The size is said first; files are checked, and what is here stays.
    """
    from unigeoclip.build.tasks.download import choose_packs
    from unigeoclip.build.tasks.download import download as bring

    packs = choose_packs(name)
    failed = bring(packs, remark, folder)
    here = [pack.name for pack in packs if pack.name not in failed]
    if as_json:
        print_json({"here": here, "failed": failed})
    else:
        print_lines(*here)
    if failed:
        remark(*(f"{pack}: {why}" for pack, why in failed.items() if len(failed) > 1))
        names = ", ".join(failed)
        why = next(iter(failed.values())) if len(failed) == 1 else "see above. The others are here."
        raise DownloadError(f"Not on this machine: {names}. {why}")


COMMANDS: tuple[click.Command, ...] = (tasks,)
