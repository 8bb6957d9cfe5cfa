"""Frozen features of the rows of a table, by the name of what encodes them.

Names are those of the table of embedders ("unigeoclip" is our location encoder, "geoclip-raw" GeoCLIP's vectors before
they are brought to length one), of our other modalities ("aerial", "street", "surface", "text": the atlas's window,
view or caption at a position), "ensemble" (the mean of all modalities of our model), concatenations ("a+b"), and the
floors that any encoder has to beat: "mean", "sincos", "harmonics-D" or "fourier-D", of D numbers. "a@1km" is the mean
of an embedder of locations over a disc of that radius, "a@500m" over a smaller one. "file:PATH" is a file of
embeddings.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from unigeoclip.embedders import EMBEDDERS, WITHOUT, is_file, load_embedder
from unigeoclip.embedders.files.named import NAMED
from unigeoclip.embedders.satclip import spherical_harmonics
from unigeoclip.embedders.taught import NAME as TAUGHT
from unigeoclip.errors import InputError, excerpt
from unigeoclip.evaluation.probing.atlas_items import ModalityFeatures
from unigeoclip.evaluation.probing.folds import extent_deg
from unigeoclip.evaluation.probing.work import Work
from unigeoclip.geo import EARTH_RADIUS_M, METERS_PER_DEGREE, in_round_figures, unit_xyz
from unigeoclip.tasks.neighborhoods import spread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.embedders.base import Embedder
    from unigeoclip.evaluation.probing.work import Cancelled, Progress
    from unigeoclip.tasks.label_table import LabelTable

__all__ = [
    "ENSEMBLE",
    "MODALITIES",
    "Features",
    "features",
    "floor_names",
    "is_floor",
    "is_ours",
    "with_floors",
]

MODALITIES = ("aerial", "street", "surface", "text")  # of ours beside location, whose name is "unigeoclip"
OURS, ENSEMBLE = "unigeoclip", "ensemble"
MEAN, SINCOS, HARMONICS, FOURIER = "mean", "sincos", "harmonics", "fourier"
RAW = "-raw"  # ends the name of an embedder whose vectors are not brought to length one
MOST_DIM, MOST_PARTS = 4096, 6  # of a concatenation
LEAST_FLOOR_DIM, MOST_FLOOR_DIM = 16, 1024
_WORLD_DEG = 60.0  # extent from which on the floor is harmonics, which see nothing of a city
_FLOOR = re.compile(rf"({HARMONICS}|{FOURIER})-(\d{{1,4}})")
_AROUND = re.compile(r"(.+)@(\d{1,6}(?:\.\d{1,3})?)(k?)m")
_LONGEST, _SHORTEST = 2.0, 40.0  # waves of the Fourier floor: from half of the extent to a fortieth
_POINTS_AT_ONCE = 200_000  # of areas, embedded together
_TITLES = {
    "aerial": "UniGeoCLIP, aerial picture",
    "street": "UniGeoCLIP, street view",
    "surface": "UniGeoCLIP, surface model",
    "text": "UniGeoCLIP, text",
    ENSEMBLE: "UniGeoCLIP, mean of all modalities",
    MEAN: "Mean of the training rows",
    SINCOS: "Sine and cosine of latitude and longitude",
}


class Features(NamedTuple):
    """What one encoder gives for the rows of a table.

    Attributes:
        title: Name of the encoder for people.
        vectors: (n, dim) float32; a row of NaN where the encoder has nothing to encode.
    """

    title: str
    vectors: NDArray[np.float32]


def is_floor(name: str) -> bool:
    """Whether an encoder has learned nothing and is there to be beaten."""
    return name in (MEAN, SINCOS) or _FLOOR.fullmatch(name) is not None


def is_ours(name: str) -> bool:
    """Whether an encoder is of our model, or a concatenation with it: such a one is no baseline."""
    return any(
        part in (OURS, TAUGHT, ENSEMBLE, *MODALITIES) or part.startswith(WITHOUT) or part == f"{OURS}{RAW}"
        for part in (split_radius(each)[0] for each in name.split("+"))
    )


def split_radius(name: str) -> tuple[str, float | None]:
    """The embedder and the radius in meters of "geoclip@1km"; None for a name without one."""
    found = _AROUND.fullmatch(name)
    return (found[1], float(found[2]) * (1000 if found[3] else 1)) if found else (name, None)


def floor_names(table: LabelTable, dim: int) -> tuple[str, ...]:
    """The floors of a table, for encoders of up to ``dim`` dimensions.

    The mean, sine and cosine of the position, and as many smooth functions of it as the largest encoder has dimensions:
    spherical harmonics for the world, random Fourier features of the region's scale elsewhere.
    """
    dim = int(np.clip(dim, LEAST_FLOOR_DIM, MOST_FLOOR_DIM))
    if extent_deg(table.latlon) >= _WORLD_DEG:
        return MEAN, SINCOS, f"{HARMONICS}-{int(np.sqrt(dim)) ** 2}"
    return MEAN, SINCOS, f"{FOURIER}-{dim // 2 * 2}"


def features(
    names: Sequence[str],
    table: LabelTable,
    atlas: Atlas | None,
    progress: Progress | None = None,
    cancelled: Cancelled | None = None,
    *,
    raw: bool = False,
    floors: bool = True,
    most: int | None = None,
    loaded: Mapping[str, Embedder] | None = None,
) -> dict[str, Features]:
    """Encode the rows of a table.

    Args:
        names: Encoders, see the module.
        table: Positions; where it has areas, the vector of a row is the mean over its points.
        atlas: Where models, pictures and texts come from; None where no name needs it.
        progress: Called with what is being encoded, and the share of all that is done, 0 to 1.
        cancelled: Asked between batches.
        raw: Take vectors before they are brought to length one where an embedder gives them, as CoordBench does.
        floors: Add `floor_names`.
        most: Numbers that the vectors of all encoders may hold together; None for any.
        loaded: Embedders that are loaded already, by name.

    Returns:
        Encoder -> title and (n, dim) float32 vectors, in the order of the names, floors last.

    Raises:
        InputError: Unknown name, one that needs an atlas, a concatenation that is too large, a modality that the atlas
            lacks at most of the rows, or too many rows for so many encoders.
        CheckpointError: Weights are missing or damaged.
        StoppedError: It was cancelled.
    """
    wanted = list(dict.fromkeys(names))
    source = _Source(table, atlas, loaded or {}, raw=raw)
    needed = list(dict.fromkeys(part for name in wanted for part in source.parts(name)))
    numbers = len(table) * sum(source.dim(part) for name in wanted for part in source.parts(name))
    if most is not None and numbers > most:
        raise InputError(
            f"{len(wanted)} encoders of {len(table):,} rows are {numbers:,} numbers, at most {most:,} are probed: "
            "name fewer encoders, or use a sample of the rows."
        )
    work = Work(sum(source.cost(part) for part in needed), progress, cancelled)
    found: dict[str, Features] = {part: source.one(part, work) for part in needed}
    out = {name: _joined(name, source.parts(name), found) for name in wanted}
    return with_floors(out, table) if floors else out


def with_floors(found: Mapping[str, Features], table: LabelTable) -> dict[str, Features]:
    """Features of the rows of a table, and after them those of its floors, see `floor_names`."""
    out = dict(found)
    largest = max((each.vectors.shape[1] for each in out.values()), default=0)
    for name in floor_names(table, largest):
        if name not in out:
            out[name] = _floor_features(name, table)
    return out


def _floor_features(name: str, table: LabelTable) -> Features:
    return Features(_floor_title(name), _averaged(table, lambda latlon: _floor(name, latlon, table)))


def _joined(name: str, parts: list[str], found: Mapping[str, Features]) -> Features:
    if len(parts) == 1:
        return found[parts[0]]
    vectors = np.concatenate([found[part].vectors for part in parts], axis=1)
    return Features(" + ".join(found[part].title for part in parts), vectors)


class _Source:
    """Encodes the rows of one table; what several names need is made once."""

    def __init__(self, table: LabelTable, atlas: Atlas | None, loaded: Mapping[str, Embedder], *, raw: bool) -> None:
        self._table, self._atlas, self._raw = table, atlas, raw
        self._embedders = dict(loaded)
        self._items: ModalityFeatures | None = None

    def parts(self, name: str) -> list[str]:
        """The encoders that a name concatenates, checked.

        Raises:
            InputError: Unknown, too many or too large.
        """
        parts = name.split("+")
        if len(parts) > MOST_PARTS or len(set(parts)) < len(parts):
            raise InputError(f"{excerpt(name)!r} concatenates {len(parts)} encoders: {MOST_PARTS} at most, each once.")
        for part in parts:
            self._check(part)
        if len(parts) > 1 and (dim := sum(self.dim(part) for part in parts)) > MOST_DIM:
            raise InputError(f"{excerpt(name)!r} has {dim:,} dimensions, at most {MOST_DIM:,}: leave an encoder out.")
        return parts

    def _check(self, name: str) -> None:
        if is_floor(name):
            found = _FLOOR.fullmatch(name)
            if found and not 1 <= int(found[2]) <= MOST_FLOOR_DIM:
                raise InputError(f"A floor has 1 to {MOST_FLOOR_DIM:,} dimensions, not {found[2]}.")
        elif name in (*MODALITIES, ENSEMBLE):
            self._of_atlas().check(name)
        else:
            self._load(split_radius(name)[0])

    def _load(self, name: str) -> None:
        plain = name.removesuffix(RAW)
        if plain not in self._embedders:
            if plain not in EMBEDDERS and not plain.startswith((WITHOUT, NAMED)) and not is_file(plain):
                known = ", ".join([*EMBEDDERS, "file:PATH", *MODALITIES, ENSEMBLE, MEAN, SINCOS])
                raise InputError(
                    f"Unknown encoder {excerpt(name)!r}. Known: {known}, {HARMONICS}-484, {FOURIER}-512, and two or "
                    "more of them joined by '+'."
                )
            self._embedders[plain] = load_embedder(plain, self._atlas)
        if name != plain and not hasattr(self._embedders[plain], "raw"):
            raise InputError(f"The embedder {plain!r} has no vectors before length one: name it {plain!r}.")

    def _of_atlas(self) -> ModalityFeatures:
        if self._atlas is None:
            raise InputError("Pictures and texts are those of an atlas: name an atlas.")
        if self._items is None:
            self._items = ModalityFeatures(self._table, self._atlas)
        return self._items

    def dim(self, name: str) -> int:
        """Length of the vectors of one encoder that is no concatenation."""
        if found := _FLOOR.fullmatch(name):
            return int(found[2])
        if is_floor(name):
            return 4
        if name in (*MODALITIES, ENSEMBLE):
            return self._of_atlas().dim
        return self._embedders[split_radius(name)[0].removesuffix(RAW)].dim

    def cost(self, name: str) -> float:
        """Rough cost of encoding all rows, in location encodings."""
        if is_floor(name):
            return 0.0
        if name in (*MODALITIES, ENSEMBLE):
            return self._of_atlas().cost(name)
        return float(_point_count(self._around(name)))

    def _around(self, name: str) -> LabelTable:
        """The table, or that of the neighborhoods which a name asks for."""
        radius_m = split_radius(name)[1]
        return self._table if radius_m is None else spread(self._table, radius_m)

    def one(self, name: str, work: Work) -> Features:
        """Encode all rows by one encoder that is no concatenation."""
        if is_floor(name):
            return _floor_features(name, self._table)
        if name in (*MODALITIES, ENSEMBLE):
            return Features(_TITLES[name], self._of_atlas().vectors(name, work))
        plain, radius_m = split_radius(name)
        embedder = self._embedders[plain.removesuffix(RAW)]
        raw = getattr(embedder, "raw", None) if self._raw or plain.endswith(RAW) else None
        work.begin(f"Encoding the rows: {embedder.title}")

        def encode(latlon: NDArray[np.float64]) -> NDArray[np.float32]:
            parts = []
            for start in range(0, len(latlon), _AT_ONCE):
                some = latlon[start : start + _AT_ONCE]
                parts.append(embedder.embed(some) if raw is None else raw(some))
                work.step(len(some))
            return np.concatenate(parts)

        title = embedder.title if raw is None else f"{embedder.title}, not of unit length"
        title += "" if radius_m is None else f", mean within {in_round_figures(radius_m)}"
        return Features(title, _averaged(self._around(name), encode))


_AT_ONCE = 4096  # points between two looks at whether the work is still wanted


def _point_count(table: LabelTable) -> int:
    return len(table.points()[0])


def _averaged(table: LabelTable, encode: Callable[[NDArray[np.float64]], NDArray[np.float32]]) -> NDArray[np.float32]:
    """Vectors of positions, or the means over the points of areas; (n, dim) float32."""
    if table.areas is None:
        return encode(table.latlon)
    owner, points = table.points()
    first = np.searchsorted(owner, np.arange(len(table) + 1))  # of the points of each row
    out: NDArray[np.float32] | None = None
    rows_at_once = max(1, _POINTS_AT_ONCE // table.areas.shape[1])
    for start in range(0, len(table), rows_at_once):
        stop = min(start + rows_at_once, len(table))
        vectors = encode(points[first[start] : first[stop]]).astype(np.float64)
        counts, begins = np.diff(first[start : stop + 1]), first[start:stop] - first[start]
        known = np.isfinite(vectors).all(axis=1)
        if not known.all():  # a mean over the points that have a vector; none where no point has one
            vectors[~known] = 0
            counts = np.add.reduceat(known.astype(np.float64), begins)
            counts[counts == 0] = np.nan
        means = np.add.reduceat(vectors, begins, axis=0) / counts[:, None]
        if out is None:
            out = np.empty((len(table), means.shape[1]), np.float32)
        out[start:stop] = means
    assert out is not None
    return out


# Floors


def _floor_title(name: str) -> str:
    if name in _TITLES:
        return _TITLES[name]
    kind, dim = name.split("-")
    return f"{'Spherical harmonics' if kind == HARMONICS else 'Random Fourier features'} ({dim})"


def _floor(name: str, latlon: NDArray[np.float64], table: LabelTable) -> NDArray[np.float32]:
    """Features of a floor, scaled so that float32 holds what differs within a city."""
    if name == MEAN:
        return np.zeros((len(latlon), 1), np.float32)
    if name == SINCOS:
        return _sincos(latlon, table)
    kind, dim = name.split("-")
    if kind == HARMONICS:
        found = spherical_harmonics(latlon, int(np.ceil(np.sqrt(int(dim)))))[:, : int(dim)]
        return np.asarray(found, np.float32)
    return _fourier(latlon, int(dim), extent_deg(table.latlon))


def _sincos(latlon: NDArray[np.float64], table: LabelTable) -> NDArray[np.float32]:
    lat, lon = np.radians(latlon).T
    waves = np.stack([np.sin(lat), np.cos(lat), np.sin(lon), np.cos(lon)], axis=1)
    if extent_deg(table.latlon) >= 1:
        return waves.astype(np.float32)
    lat, lon = np.radians(table.latlon).T
    center = np.stack([np.sin(lat), np.cos(lat), np.sin(lon), np.cos(lon)], axis=1).mean(axis=0)
    return np.asarray(waves - center, np.float32)


def _fourier(latlon: NDArray[np.float64], dim: int, extent: float) -> NDArray[np.float32]:
    """Random Fourier features (Rahimi & Recht 2007) of the position on the sphere, of many lengths, (n, dim).

    The lengths lie between half and a fortieth of the extent in equal ratios: one length alone is a weaker floor.
    """
    extent_m = max(extent, 1e-3) * METERS_PER_DEGREE
    count = -(-dim // 2)
    lengths_m = extent_m / np.geomspace(_LONGEST, _SHORTEST, count)
    frequencies = np.random.default_rng(0).normal(size=(3, count)) * (EARTH_RADIUS_M / lengths_m)
    phase: NDArray[np.float64] = unit_xyz(latlon) @ frequencies
    waves: NDArray[np.float64] = np.concatenate([np.cos(phase), np.sin(phase)], axis=1)
    return waves[:, :dim].astype(np.float32)
