"""How a file of embeddings is named in place of an embedder: ``file:PATH?option=value&option=value``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import get_args
from urllib.parse import parse_qsl, urlencode

from unigeoclip.embedders.files.products import Kind
from unigeoclip.errors import InputError, excerpt

__all__ = ["PREFIX", "FileAddress", "is_file"]

PREFIX = "file:"
_OPTIONS = ("kind", "sample", "within", "column", "modality", "scales", "grid", "license", "credit")
_SAMPLES = ("nearest", "bilinear")
_DISTANCE = re.compile(r"(\d{1,7}(?:\.\d{1,3})?)(k?)m")
_MOST_SIGNS = 300  # of an option


def is_file(name: str) -> bool:
    """Whether the name of an embedder is that of a file."""
    return name.startswith(PREFIX)


@dataclass(frozen=True)
class FileAddress:
    """A file of embeddings, and how to read it.

    Attributes:
        path: The file, or a folder of Parquet files.
        kind: What the numbers are, a `Kind`; None to recognize it.
        bilinear: Whether vectors of a raster are interpolated between the four pixels around a point.
        within_m: How far the nearest row of a table may be; None for three quarters of the spacing of its rows.
        column: Of the vectors in a table; None to recognize it.
        modality: Rows of a table to take, by its column "modality"; None for a table without one.
        scales: File of TESSERA's scales; None for the one beside.
        grid: GeoTIFF that says where TESSERA's NPY file lies; None for the one beside.
        licence: Of the embeddings, if the file does not say it.
        credit: Whom to name for them.
    """

    path: Path
    kind: Kind | None = None
    bilinear: bool = False
    within_m: float | None = None
    column: str | None = None
    modality: str | None = None
    scales: Path | None = None
    grid: Path | None = None
    licence: str = ""
    credit: str = ""

    @classmethod
    def parse(cls, text: str) -> FileAddress:
        """Read ``file:PATH?option=value``; the prefix may be missing.

        Raises:
            InputError: There is no path, or an option is unknown or out of range.
        """
        path, _, options = text.removeprefix(PREFIX).partition("?")
        if not path or "\0" in path:
            raise InputError("file: takes the path of a file of embeddings, such as file:embeddings.tif.")
        given = dict(parse_qsl(options, keep_blank_values=True))
        unknown = [name for name in given if name not in _OPTIONS]
        if unknown or (options and not given):
            raise InputError(
                f"file: has no option {excerpt((unknown or [options])[0], 40)!r}. Known: {', '.join(_OPTIONS)}, such as"
                " file:embeddings.tif?kind=float&license=CC+BY+4.0."
            )
        for name, value in given.items():
            if not value.strip() or len(value) > _MOST_SIGNS or not value.isprintable():
                raise InputError(f"{name}= of file: takes 1 to {_MOST_SIGNS} printable characters.")
        kind = _one_of("kind", given.get("kind"), get_args(Kind))
        sample = _one_of("sample", given.get("sample"), _SAMPLES)
        return cls(
            Path(path),
            kind,  # type: ignore[arg-type]  # one of them, as was just checked
            sample == "bilinear",
            _meters(given["within"]) if "within" in given else None,
            given.get("column"),
            given.get("modality"),
            Path(given["scales"]) if "scales" in given else None,
            Path(given["grid"]) if "grid" in given else None,
            given.get("license", ""),
            given.get("credit", ""),
        )

    @property
    def spelling(self) -> str:
        """The address without folders: what outputs say, which are read on other machines."""
        options = {
            "kind": self.kind, "sample": "bilinear" if self.bilinear else None,
            "within": None if self.within_m is None else f"{self.within_m:g}m",
            "column": self.column, "modality": self.modality,
            "scales": self.scales and self.scales.name, "grid": self.grid and self.grid.name,
            "license": self.licence or None, "credit": self.credit or None,
        }  # fmt: skip
        given = urlencode({name: value for name, value in options.items() if value is not None})
        return f"{PREFIX}{self.path.name}{'?' if given else ''}{given}"


def _one_of(name: str, value: str | None, known: tuple[str, ...]) -> str | None:
    if value is not None and value not in known:
        raise InputError(f"{name}= of file: is one of {', '.join(known)}; not {excerpt(value, 40)!r}.")
    return value


def _meters(text: str) -> float:
    found = _DISTANCE.fullmatch(text)
    meters = float(found[1]) * (1000 if found[2] else 1) if found else math.nan
    if not 0 < meters <= 1e6:
        raise InputError(
            f"within= of file: is a distance up to 1000km, such as 500m or 5km; not {excerpt(text, 40)!r}."
        )
    return meters
