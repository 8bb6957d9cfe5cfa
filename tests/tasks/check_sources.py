"""Make the built-in tasks from their real sources and compare them with what the catalog says of them.

    python -m tests.tasks.check_sources FOLDER [PACK ...]

FOLDER holds what no registry serves; the rest is fetched. Nothing of it is collected by pytest. Tasks whose sources are
neither there nor reachable are named; with --rows the counts are printed as `unigeoclip/tasks/rows.py` has them.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from unigeoclip.build.tasks.download import choose_packs, download
from unigeoclip.errors import UniGeoError
from unigeoclip.tasks.catalog import PACKS, TASKS, load_task


def say(line):
    sys.stdout.write(f"{line}\n")


def problems_of(task):
    """What is wrong with a task that is here, in words."""
    table = load_task(task.name)
    found = []
    if len(table) != task.n:
        found.append(f"{len(table):,} rows, the catalog says {task.n:,}")
    if table.kind != task.kind:
        found.append(f"a {table.kind}, the catalog says {task.kind}")
    if table.kind == "regression" and np.ptp(table.target) == 0:
        found.append("the target is constant")
    if table.kind == "classification" and len(np.unique(table.target)) < 2:
        found.append("one class only")
    if bool(task.pack.group_name) != (table.groups is not None):
        found.append("groups where there should be none, or none where there should be some")
    if task.input == "location" and len(np.unique(table.latlon.round(6), axis=0)) < 0.5 * len(table):
        found.append("most positions occur twice or more")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("packs", nargs="*")
    parser.add_argument("--rows", action="store_true")
    options = parser.parse_args()
    packs = [pack for name in options.packs or PACKS for pack in choose_packs(name)]
    try:
        failed = download(packs, lambda text: sys.stderr.write(f"{text}\n"), options.folder, again=True)
    except UniGeoError as error:
        sys.exit(f"error: {error}")
    wrong = 0
    for task in TASKS.values():
        if task.pack not in packs:
            continue
        if task.pack.name in failed:
            say(f"{task.name}: not made: {failed[task.pack.name]}")
            continue
        if options.rows:
            say(f'    "{task.name}": {len(load_task(task.name)):_},')
            continue
        problems = problems_of(task)
        wrong += bool(problems)
        say(f"{task.name}: {'; '.join(problems) or 'as the catalog says'}")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
