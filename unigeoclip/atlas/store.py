"""Opening atlas folders: everything is checked here, so that what uses an atlas can rely on it."""

from __future__ import annotations

import copy
import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pandas.util import hash_pandas_object

from unigeoclip import config, geo, paths
from unigeoclip.atlas import schema
from unigeoclip.atlas.rasters import Raster
from unigeoclip.atlas.sentence_vectors import unpack_vectors
from unigeoclip.atlas.tables import check_sentence_rows, read_places, read_sentence_vectors, read_table
from unigeoclip.atlas.verify import verify_files
from unigeoclip.errors import AtlasError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from unigeoclip.atlas.street_views import StreetViews
    from unigeoclip.city.layers import CityRasters
    from unigeoclip.city.raster_storage import StoredCity

ATLASES_FOLDER = paths.ATLASES
LAND_SHARE = 0.25  # a heatmap cell counts as land from this share on, so that islands stay
# What follows from other files, judges a model, or is only drawn.
_NOT_TRAINED_ON = (schema.SENTENCE_VECTORS, schema.RULES_FOLDER, schema.VECTORS_FOLDER)
_SAMPLES_PER_CELL = 5  # per axis, when the share is measured
_VALID_PX = 32  # side of the windows in which known pixels are counted
_POINTS_AT_ONCE = 4096  # whose windows are cut together


@dataclass(frozen=True)
class LandGrid:
    """Cells of a regular grid in degrees that are on land.

    Attributes:
        step_deg: Side of a cell.
        bounds: South, west, north, east of the whole grid.
        mask: (rows, cols) true on land; the first row is the northernmost.
        latlon: (cells, 2) centres of the land cells, in the order of ``mask.ravel()``.
    """

    step_deg: float
    bounds: tuple[float, float, float, float]
    mask: NDArray[np.bool_]
    latlon: NDArray[np.float64]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the whole grid."""
        return self.mask.shape[0], self.mask.shape[1]


class Atlas:
    """One atlas, opened and checked by `load_atlas`. Safe to share between threads; tables are not to be changed.

    Attributes:
        path: The folder.
        manifest: What ``atlas.json`` says.
        places: One row a place (columns: `schema.place_columns`), index 0 to n - 1.
        sentences: Distinct sentences, columns kind and text; those of the gallery's places come first.
    """

    def __init__(
        self, path: Path, manifest: schema.Manifest, places: gpd.GeoDataFrame, sentences: pd.DataFrame
    ) -> None:
        """Use `load_atlas`."""
        self.path = path
        self.manifest = manifest
        self.places = places
        self.sentences = sentences
        self._rasters: dict[str, Raster] = {}
        self._present: dict[str, NDArray[np.bool_]] = {}
        self._model_path: Path | None = None

    @property
    def name(self) -> str:
        """Name of the atlas, as on the command line."""
        return self.manifest.name

    @property
    def title(self) -> str:
        """Name of the atlas on screen."""
        return self.manifest.title

    @property
    def window_m(self) -> float:
        """Side of the aerial and surface windows in local metres."""
        return self.manifest.window_m

    @property
    def model_path(self) -> Path:
        """Folder of the atlas's model: the one that ships with it (it may not exist yet), or that of `with_model`."""
        return self._model_path or self.path / schema.MODEL_FOLDER

    @property
    def opened_as(self) -> str:
        """What `load_atlas` and ``--atlas`` open this atlas by: its name where that suffices, else its folder."""
        found = self.path.resolve()
        return self.name if found == (ATLASES_FOLDER / self.name).resolve() else str(self.path)

    @property
    def has_shipped_model(self) -> bool:
        """Whether the model is the one that ships with the atlas."""
        return self._model_path is None

    def with_model(self, folder: str | Path) -> Atlas:
        """The same atlas with another model; whether it fits shows when it is loaded, see `atlas.models.load_fitting`.

        Args:
            folder: Of the model: ``config.json`` and ``model.safetensors``.
        """
        other = copy.copy(self)
        other._model_path = Path(folder)
        return other

    @functools.cached_property
    def data_hash(self) -> str:
        """Twelve hexadecimal digits that change with any file a model is trained on: they name it in a result."""
        return self._hash(lambda name: name.partition("/")[0] not in _NOT_TRAINED_ON)

    @functools.cached_property
    def pictures_hash(self) -> str:
        """Twelve hexadecimal digits that change with what a model without text is trained on.

        That is `data_hash` without sentences, and without the names of places.
        """
        places = self.places.drop(columns=["name", "country", "sentences", "geometry"])
        digest = hashlib.sha256(hash_pandas_object(places, index=False).to_numpy().tobytes()).hexdigest()
        texts = (*_NOT_TRAINED_ON, schema.SENTENCES, schema.PLACES)
        return self._hash(lambda name: name.partition("/")[0] not in texts, [f"places {digest}"])

    @functools.cached_property
    def files_hash(self) -> str:
        """Twelve hexadecimal digits that change with any file of the atlas: a key for caches."""
        return self._hash(lambda _name: True)

    def _hash(self, counts: Callable[[str], bool], more: Sequence[str] = ()) -> str:
        files = sorted(self.manifest.files.items())
        listed = [f"{name} {entry.sha256}" for name, entry in files if counts(name)]
        return hashlib.sha256("\n".join([*listed, *more]).encode()).hexdigest()[:12]

    def raster(self, name: str) -> Raster:
        """The raster of "aerial", "surface" or "land", opened once.

        Raises:
            InputError: The atlas has no such raster.
        """
        known = {
            **{key: file for key, file in schema.RASTERS.items() if key in self.manifest.modalities},
            "land": schema.LAND,
        }
        if name not in known:
            raise InputError(f"The atlas {self.name} has no raster {name!r}; it has {', '.join(known)}.")
        if name not in self._rasters:
            self._rasters[name] = Raster.open(self._raster_path(name, known[name]))
        return self._rasters[name]

    def _raster_path(self, name: str, file: str) -> Path:
        """Land and heights of a city follow from what is stored of it."""
        if file in self.manifest.files or schema.CITY not in self.manifest.files:
            return self.path / file
        return self._city.drawn_raster(name)

    @functools.cached_property
    def _city(self) -> StoredCity:
        from unigeoclip.city.raster_storage import StoredCity

        areas = tuple(self.manifest.areas)
        return StoredCity(self.path / schema.CITY, f"{self.name}-{self.data_hash}", areas)

    def validity(self, modality: str) -> Raster | None:
        """Which pixels of "aerial" or "surface" are known, 255 or 0; None where all are.

        Raises:
            InputError: The atlas has no such modality.
        """
        self._check_modality(modality)
        file = schema.VALIDITY.get(modality)
        if file is None or file not in self.manifest.files:
            return None
        if file not in self._rasters:
            self._rasters[file] = Raster.open(self.path / file)
        return self._rasters[file]

    def present(self, modality: str) -> NDArray[np.bool_]:
        """Which places have a modality: (n,) truth values in the order of ``places``.

        Of street views those with a camera; of the aerial picture and the surface those whose window is known to
        `schema.LEAST_VALID`; of all others every place.

        Raises:
            InputError: The atlas has no such modality.
        """
        if modality not in self._present:
            self._check_modality(modality)
            if modality == "street":
                found = self.places["place_id"].isin(self.views["place_id"]).to_numpy(np.bool_)
            else:
                found = self.present_at(modality, self.places[["lat", "lon"]].to_numpy(np.float64))
            found.setflags(write=False)
            self._present[modality] = found
        return self._present[modality]

    def present_at(self, modality: str, latlon: ArrayLike) -> NDArray[np.bool_]:
        """Whether a modality can be taken at points (n, 2) degrees; (n,) truth values.

        Location and text can everywhere; a street view is there where a camera stands, so ask for its place.

        Raises:
            InputError: The atlas has no such modality, or it is "street".
        """
        self._check_modality(modality)
        if modality == "street":
            raise InputError("Street views are of cameras, not of points: ask which places have one, or for `views`.")
        points = geo.as_latlon(latlon)
        valid = self.validity(modality)
        return (
            np.ones(len(points), bool)
            if valid is None
            else known_share(valid, points, self.window_m) >= schema.LEAST_VALID
        )

    def _check_modality(self, modality: str) -> None:
        if modality not in self.manifest.modalities:
            raise InputError(
                f"The atlas {self.name} has no {modality!r}; it has {', '.join(self.manifest.modalities)}."
            )

    def captions(self, row: int) -> list[tuple[str, str]]:
        """Sentences of the place in a row of ``places``: (kind, text) each.

        Raises:
            InputError: No such row.
        """
        if not 0 <= row < len(self.places):
            raise InputError(f"The atlas {self.name} has places 0 to {len(self.places) - 1}; there is no place {row}.")
        kinds, texts = self._said
        return [(kinds[sentence], texts[sentence]) for sentence in self._sentences_of[row]]

    @functools.cached_property
    def _sentences_of(self) -> list[Sequence[int]]:
        """Rows of ``sentences`` for each place; see `_said`."""
        return list(self.places["sentences"])

    @functools.cached_property
    def _said(self) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
        """Kinds and texts of the sentences, quicker to look up than rows of a table: every answer shows dozens."""
        return self.sentences["kind"].to_numpy(object), self.sentences["text"].to_numpy(object)

    @functools.cached_property
    def _sentence_vectors(self) -> NDArray[np.float32]:
        vectors = unpack_vectors(read_sentence_vectors(self.path / schema.SENTENCE_VECTORS))
        vectors.setflags(write=False)
        return vectors

    def sentence_vectors(self) -> NDArray[np.float32]:
        """Unit vectors of the frozen sentence encoder, (m, 384) float32: row i belongs to row i of ``sentences``.

        Only the first m sentences have one: those that places of the gallery use.
        """
        return self._sentence_vectors

    def is_land(self, latlon: ArrayLike) -> NDArray[np.bool_]:
        """Whether points (n, 2) are on land in this atlas; (n,) truth values, false outside its bounds."""
        inside: NDArray[np.bool_] = self.raster("land").values(latlon)[:, 0] > 0
        return inside

    def land_grid(self, step_deg: float | None = None) -> LandGrid:
        """Cells of the heatmap grid that are on land, at the manifest's spacing or another one.

        Raises:
            InputError: A spacing that is not positive or gives more than 10 million cells.
        """
        step = self.manifest.grid.step_deg if step_deg is None else step_deg
        south, west, north, east = self.manifest.bounds
        if not step > 0 or (north - south) * (east - west) / step**2 > 1e7:
            raise InputError(
                f"A grid of {step} degrees cannot be made; this atlas is {north - south:g} x {east - west:g} degrees."
            )
        rows, cols = max(1, round((north - south) / step)), max(1, round((east - west) / step))
        offsets = (np.arange(_SAMPLES_PER_CELL) + 0.5) / _SAMPLES_PER_CELL
        lats = north - (np.arange(rows)[:, None] + offsets).ravel() * (north - south) / rows
        lons = west + (np.arange(cols)[:, None] + offsets).ravel() * (east - west) / cols
        samples = (self.raster("land").values_on_grid(lats, lons)[0] > 0).reshape(rows, _SAMPLES_PER_CELL, cols, -1)
        mask = samples.mean(axis=(1, 3)) >= LAND_SHARE
        row, col = np.nonzero(mask)
        centers = np.stack(
            [north - (row + 0.5) * (north - south) / rows, west + (col + 0.5) * (east - west) / cols], axis=1
        )
        return LandGrid(step, (south, west, north, east), mask, centers)

    @functools.cached_property
    def views(self) -> pd.DataFrame:
        """Street views, one row a pose (columns: `schema.VIEW_COLUMNS`), index 0 to n - 1; ordered by place.

        Raises:
            InputError: The atlas has no street views.
            AtlasError: The table is not as it must be.
        """
        if "street" not in self.manifest.modalities:
            raise InputError(
                f"The atlas {self.name} has no street views; it has {', '.join(self.manifest.modalities)}."
            )
        return read_table(self.path / schema.VIEWS, schema.VIEW_COLUMNS)

    @functools.cached_property
    def streets(self) -> StreetViews:
        """The street views: cameras, what they see, and how to walk on.

        Raises:
            InputError: The atlas has no street views.
        """
        from unigeoclip.atlas.street_views import StreetViews

        is_rendered = self.manifest.pictures.get("street") == "rendered"
        return StreetViews(self.name, self.path, self.views, self.places, self._city if is_rendered else None)

    def city_rasters(self) -> CityRasters:
        """What street views are rendered from, read whole: heights, buildings, trees, land classes.

        Raises:
            InputError: The atlas has no rendered street views.
        """
        if schema.CITY not in self.manifest.files:
            raise InputError(f"The atlas {self.name} has no rendered street views.")
        return self._city.read()

    def line_layers(self) -> dict[str, Path]:
        """Lines of the drawn base map by name ("coast", "borders"): files of gzipped GeoJSON."""
        folder = f"{schema.VECTORS_FOLDER}/"
        listed = sorted(name for name in self.manifest.files if name.startswith(folder) and name.endswith(schema.LINES))
        return {Path(name).name.removesuffix(schema.LINES): self.path / name for name in listed}


def known_share(valid: Raster, latlon: NDArray[np.float64], window_m: float) -> NDArray[np.float64]:
    """Share of the windows round points (n, 2) that is known in a raster of validity; (n,) in [0, 1]."""
    parts = [
        valid.windows(latlon[first : first + _POINTS_AT_ONCE], window_m, _VALID_PX).mean(axis=(1, 2, 3))
        for first in range(0, len(latlon), _POINTS_AT_ONCE)
    ]
    return np.concatenate(parts) / 255 if parts else np.zeros(0)


def list_atlases(root: Path | None = None) -> list[str]:
    """Names of the atlases in a folder (the shipped ones by default), sorted."""
    root = root or ATLASES_FOLDER
    return sorted(path.parent.name for path in root.glob(f"*/{schema.MANIFEST}"))


def load_atlas(name_or_path: str | Path) -> Atlas:
    """Open an atlas by name or folder and check all of it.

    Args:
        name_or_path: Name of a shipped atlas ("world") or path of a folder.

    Returns:
        The atlas; rasters are opened and decoded only when they are used.

    Raises:
        AtlasError: Missing, incomplete, changed or not an atlas; the message says which file and how to mend it.
    """
    path = _find(name_or_path)
    manifest = _read_manifest(path)
    if path.resolve().parent == ATLASES_FOLDER and path.resolve().name != manifest.name:
        raise AtlasError(
            f"{path} holds an atlas that is named {manifest.name!r}: two of one name could not be told apart here. "
            f"Rename the folder to {manifest.name}, or build the atlas again under another --name."
        )
    verify_files(path, manifest.files)
    places = read_places(path / schema.PLACES)
    sentences = read_table(path / schema.SENTENCES, schema.SENTENCE_COLUMNS)
    check_sentence_rows(path, places, sentences)
    atlas = Atlas(path, manifest, places, sentences)
    rasters = {*schema.RASTERS.values(), *schema.VALIDITY.values(), schema.LAND, schema.CITY}
    for file in rasters & set(manifest.files):
        Raster.open(path / file)
    return atlas


def _find(name_or_path: str | Path) -> Path:
    path = Path(name_or_path)
    shipped = ATLASES_FOLDER / path
    for folder in (path, shipped):
        if (folder / schema.MANIFEST).is_file():
            return folder
    if path.is_dir():
        raise AtlasError(
            f"{path} is a folder without {schema.MANIFEST}, so no atlas. Build one: python -m unigeoclip build world"
        )
    known = ", ".join(list_atlases()) or "none yet (python -m unigeoclip build world)"
    raise AtlasError(f"There is no atlas {str(name_or_path)!r}. Give the path of an atlas folder, or one of: {known}.")


def _read_manifest(path: Path) -> schema.Manifest:
    file = path / schema.MANIFEST
    try:
        data = config.read_json(file)
        if not isinstance(data, dict) or "format" not in data:
            raise AtlasError(f"{file} is not the manifest of an atlas: it has no format number.")
        if data["format"] != schema.FORMAT:
            raise AtlasError(
                f"{file} has format {data['format']!r}; this version of unigeoclip reads format {schema.FORMAT}. "
                "Build the atlas again, or use the version of unigeoclip that wrote it."
            )
        manifest = config.from_dict(schema.Manifest, data, schema.MANIFEST)
    except InputError as error:
        raise AtlasError(f"{path}: {error} Correct {schema.MANIFEST} or build the atlas again.") from error
    _check_manifest(file, manifest)
    return manifest


def _check_manifest(file: Path, manifest: schema.Manifest) -> None:
    if unknown := sorted(set(manifest.modalities) - set(schema.MODALITIES)):
        raise AtlasError(f"{file}: unknown modality {unknown[0]!r}; known are {', '.join(schema.MODALITIES)}.")
    for modality, origin in manifest.pictures.items():
        if origin not in schema.PICTURE_ORIGINS:
            raise AtlasError(
                f"{file}: pictures.{modality} is {origin!r}; it must be one of {', '.join(schema.PICTURE_ORIGINS)}."
            )
    south, west, north, east = manifest.bounds
    if not (-90 <= south < north <= 90 and -180 <= west < east <= 180):
        raise AtlasError(f"{file}: bounds {list(manifest.bounds)} are not south, west, north, east in degrees.")
    if not manifest.window_m > 0:
        raise AtlasError(f"{file}: window_m must be a positive number of metres, not {manifest.window_m}.")
    required = [schema.PLACES, schema.SENTENCES, schema.SENTENCE_VECTORS]
    if schema.CITY not in manifest.files:  # a city's land and heights are drawn from that
        required += [schema.LAND, *(file for name, file in schema.RASTERS.items() if name in manifest.modalities)]
    elif "aerial" in manifest.modalities:
        required += [schema.RASTERS["aerial"]]
    if "street" in manifest.modalities:
        required += [schema.VIEWS] + ([schema.CITY] if manifest.pictures.get("street") == "rendered" else [])
    if unlisted := [name for name in required if name not in manifest.files]:
        raise AtlasError(f"{file}: the list of files lacks {unlisted[0]}. Build the atlas again.")
