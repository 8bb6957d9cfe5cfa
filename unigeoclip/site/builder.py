"""Build a site of one or several atlases: a folder for any static host, or one file to take home."""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
from typing import TYPE_CHECKING, Any

from unigeoclip.config import read_json
from unigeoclip.errors import InputError
from unigeoclip.files.atomic import reason
from unigeoclip.site.content import LOW_OPACITY, AtlasContent, Material, atlas_content, color_scale
from unigeoclip.site.grids import DETAILS
from unigeoclip.site.page import folder_files, one_page

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

__all__ = [
    "ATLAS_BYTES",
    "MARKER",
    "PAGE_BYTES",
    "PAPER",
    "check_site_folder",
    "page_of",
    "single_contents",
    "site_files",
    "site_page",
    "write_site",
]

ATLAS_BYTES = 15_000_000  # of all files of an atlas in a folder
PAGE_BYTES = 12_000_000  # of one file
MARKER = "unigeoclip-site.json"  # in a folder that was written here: the names of its files
PAPER = "https://arxiv.org/abs/2604.11668"
_BASE64 = 4 / 3
_PAGE_ROOM = 600_000  # for scripts, styles and what the page is told
_FORMAT = 1


def site_files(materials: Sequence[Material], report: Callable[[str], None] = lambda _: None) -> dict[str, bytes]:
    """The files of a static site, by path.

    Args:
        materials: Its atlases; the first is shown first.
        report: Called with what is being done.

    Raises:
        InputError: An atlas takes more than `ATLAS_BYTES` however coarsely its vectors are kept.
    """
    contents = []
    for each in materials:
        contents += _fitting([each], ATLAS_BYTES, f"The atlas {each.explorer.atlas.name!r}", report)
    return folder_files(_about(contents), _parts(contents))


def site_page(materials: Sequence[Material], report: Callable[[str], None] = lambda _: None) -> bytes:
    """The same as one file.

    Args:
        materials: As for `site_files`.
        report: Called with what is being done.

    Raises:
        InputError: It takes more than `PAGE_BYTES` however coarsely vectors are kept.
    """
    return page_of(single_contents(materials, report))


def single_contents(
    materials: Sequence[Material], report: Callable[[str], None] = lambda _: None
) -> list[AtlasContent]:
    """What stands in one file, see `site_page`."""
    return _fitting(materials, int((PAGE_BYTES - _PAGE_ROOM) / _BASE64), "The file", report)


def page_of(contents: Sequence[AtlasContent]) -> bytes:
    """One file of contents."""
    return one_page(_about(contents), _parts(contents))


def _fitting(materials: Sequence[Material], most: int, what: str, report: Callable[[str], None]) -> list[AtlasContent]:
    """The contents of atlases, as fine as they are small enough together."""
    for detail in DETAILS:
        contents = [atlas_content(each, detail, report) for each in materials]
        if (found := sum(content.nbytes for content in contents)) <= most:
            return contents
        report(f"{found / 1e6:.1f} MB with {detail.ours[0]} components: too large, a coarser grid is made")
    raise InputError(
        f"{what} would take {found / 1e6:.1f} MB, more than {most / 1e6:.1f} MB: name fewer atlases or --models."
    )


def _about(contents: Sequence[AtlasContent]) -> dict[str, Any]:
    from unigeoclip import __version__

    titles = " and ".join(content.about["title"] for content in contents)
    return {
        "title": f"UniGeoCLIP: {titles}",
        "version": __version__,
        "project": PAPER,
        "lowOpacity": LOW_OPACITY,
        "colors": color_scale("inferno"),
        "atlases": [content.about for content in contents],
    }


def _parts(contents: Sequence[AtlasContent]) -> dict[str, bytes]:
    return {name: data for content in contents for name, data in content.parts.items()}


def check_site_folder(folder: Path) -> None:
    """Check that a site may be written to a folder: it is new, empty, or holds only a site that was written here.

    Raises:
        InputError: It is not.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder. Give another --out.")
    try:
        held = {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()}
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {reason(error)}. Give another --out.") from error
    if not held:
        return
    marker = folder / MARKER
    told = read_json(marker) if marker.is_file() else None
    files = told.get("files") if isinstance(told, dict) else None
    if not isinstance(files, list):
        raise InputError(f"{folder} holds files that 'unigeoclip site' did not write. Give another --out.")
    if others := sorted(held - {MARKER, *map(str, files)}):
        raise InputError(
            f"{folder} holds {others[0]!r}, which 'unigeoclip site' did not write: move it away, or give another --out."
        )


def write_site(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a site to a folder, whole or not at all; one that was written here before is replaced.

    Args:
        folder: Where.
        files: From `site_files`.

    Raises:
        InputError: It cannot be written, or the folder holds something else, see `check_site_folder`.
    """
    check_site_folder(folder)
    folder = folder.resolve()
    written = folder.with_name(f".{folder.name[:200]}.{secrets.token_hex(8)}.tmp")
    before = written.with_suffix(".old")
    marker = json.dumps({"made by": "unigeoclip site", "format": _FORMAT, "files": sorted(files)}, indent=1).encode()
    try:
        for name, data in {**files, MARKER: marker}.items():
            path = written / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        if folder.exists():
            folder.replace(before)
        try:
            written.replace(folder)
        except OSError:
            if before.exists():
                before.replace(folder)
            raise
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {reason(error)}. Choose another place, or make room.") from error
    finally:
        # The site before is removed only where another has taken its place.
        for leftover in (written, *([before] if folder.exists() else [])):
            with contextlib.suppress(OSError):
                shutil.rmtree(leftover)
