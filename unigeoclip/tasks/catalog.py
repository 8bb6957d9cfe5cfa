"""The built-in tasks: which there are, which are on this machine, and their tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.errors import InputError, excerpt
from unigeoclip.files.cache import cache_folder
from unigeoclip.tasks import boston_tasks, us_tasks, world_tasks
from unigeoclip.tasks.label_table import LabelTable
from unigeoclip.tasks.stored import read_column, read_pictures, read_rows

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from unigeoclip.tasks.task import Leak, Pack, Task

__all__ = [
    "PACKS",
    "TASKS",
    "WITHOUT_TEXT",
    "available_tasks",
    "find_task",
    "is_available",
    "load_pictures",
    "load_positions",
    "load_task",
    "pack_file",
    "seen_in_training",
]

PACKS: dict[str, Pack] = {pack.name: pack for pack in (*world_tasks.PACKS, *us_tasks.PACKS, *boston_tasks.PACKS)}
TASKS: dict[str, Task] = {
    task.name: task for task in (*world_tasks.WORLD_TASKS, *us_tasks.US_TASKS, *boston_tasks.BOSTON_TASKS)
}

# Ours, trained without text, so that what the captions say of a task is no advantage.
WITHOUT_TEXT = "unigeoclip-without-text"
# Encoders that learned from every modality of their atlas, through the others; see `evaluation.probing.encoders`.
_OURS = ("unigeoclip", "unigeoclip-taught", "aerial", "street", "surface", "text", "ensemble")
# The retrained baselines learned from one kind of picture: GeoCLIP's from street views, where the atlas has them.
_PICTURES = {
    "boston": {"satclip-retrained": "aerial", "geoclip-retrained": "street"},
    "world": {"satclip-retrained": "aerial", "geoclip-retrained": "aerial"},
}


def find_task(name: str) -> Task:
    """The task of a name.

    Raises:
        InputError: There is none; the message lists some.
    """
    if name not in TASKS:
        word = name.lower().split("-")[0]
        like = [known for known in TASKS if word and word in known] or list(TASKS)
        raise InputError(
            f"There is no task {excerpt(name)!r}; there are {', '.join(like[:8])} and others: unigeoclip tasks"
        )
    return TASKS[name]


def pack_file(pack: Pack) -> Path:
    """Where a pack lies in the cache folder, once it has been downloaded."""
    return cache_folder() / "tasks" / f"{pack.name}-{pack.version}.parquet"


def is_available(task: Task) -> bool:
    """Whether the task is on this machine."""
    return pack_file(task.pack).is_file()


def available_tasks(scope: str | None = None) -> list[Task]:
    """The tasks on this machine, of one scope or of all."""
    return [task for task in TASKS.values() if is_available(task) and scope in (None, task.scope)]


def load_task(name: str) -> LabelTable:
    """Read a task from the cache folder.

    Args:
        name: Key of `TASKS`.

    Returns:
        Its table; rows without a value are left out.

    Raises:
        InputError: There is no such task, or it is not on this machine; the message names the command that downloads
            it.
    """
    task = find_task(name)
    _check_available(task)
    try:
        table, notes = read_column(pack_file(task.pack), name, task.pack.version)
    except InputError as error:
        raise InputError(f"{error} Make it again: unigeoclip tasks download {task.pack.name}") from error
    return LabelTable(
        name=name,
        latlon=table.latlon,
        target=table.targets[name],
        kind=task.kind,
        target_name=task.title,
        unit=task.unit,
        groups=table.groups,
        group_name=task.pack.group_name if table.groups is not None else "",
        areas=table.areas,
        notes=tuple(notes),
    )


def load_positions(pack: Pack) -> tuple[LabelTable, dict[str, NDArray[np.bool_]]]:
    """The positions of all rows of a pack, so that what its tasks share is encoded once.

    Returns:
        A table whose target is 0 in every row, and task -> (n,) which of the rows `load_task` gives, in its order.

    Raises:
        InputError: The pack is not on this machine, or damaged.
    """
    rows, of_task = read_rows(pack_file(pack))
    nothing = np.zeros(len(rows.latlon))
    return LabelTable(pack.name, rows.latlon, nothing, "regression", "nothing", areas=rows.areas), of_task


def load_pictures(name: str) -> list[bytes]:
    """The pictures of a task whose rows are pictures, encoded, in the order of `load_task`.

    Raises:
        InputError: There is no such task, its rows are no pictures, or it is not on this machine.
    """
    task = find_task(name)
    if task.input == "location":
        raise InputError(f"The rows of {name} are positions, not pictures.")
    _check_available(task)
    return read_pictures(pack_file(task.pack), name)


def _check_available(task: Task) -> None:
    if not is_available(task):
        raise InputError(
            f"The task {task.name} is not on this machine. "
            f"Download it ({task.download_bytes / 1e6:.0f} MB): unigeoclip tasks download {task.pack.name}"
        )


def seen_in_training(task: Task, encoder: str, atlas: str) -> str | None:
    """Why a task counts as seen in the training of an encoder; None where it does not.

    Ours learned from all modalities of their atlas at once, so what one modality gives away, all have seen. A
    concatenation ("a+b") has seen what one of its parts has, and so has a mean over a neighborhood ("a@1km").

    Args:
        task: The task.
        encoder: Name as `evaluation.probing.encoders` has it.
        atlas: Name of the atlas whose model encodes.
    """
    for part in (name.partition("@")[0].removesuffix("-raw") for name in encoder.split("+")):
        for leak in task.leaks:
            if leak.atlas == atlas and _reaches(leak, part, atlas):
                return leak.why
    return None


def _reaches(leak: Leak, part: str, atlas: str) -> bool:
    """Whether what a modality gives away was in the training of an encoder of that atlas."""
    if part == WITHOUT_TEXT:
        return leak.modality.partition(":")[0] != "text"
    return part in _OURS or _PICTURES.get(atlas, {}).get(part.removesuffix("-city")) == leak.modality
