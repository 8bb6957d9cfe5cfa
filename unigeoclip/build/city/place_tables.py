"""The places of a city, its street views and what is said of them: from the drawn rasters to the tables of an atlas."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from unigeoclip.atlas import schema
from unigeoclip.atlas.rasters import Raster
from unigeoclip.atlas.store import known_share
from unigeoclip.build import parquet
from unigeoclip.build.city import captions, cells
from unigeoclip.build.city.own import user_photos
from unigeoclip.build.city.own.user_data import covered, refuse_uncovered
from unigeoclip.build.sentences import number_sentences, write_sentence_vectors
from unigeoclip.city import street_view
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from unigeoclip.build.city.own.prepared import Prepared
    from unigeoclip.build.city.parts import Part
    from unigeoclip.build.sentences import Embed, Sentence
    from unigeoclip.build.stages import Progress

__all__ = ["MARGIN_M", "Described", "Told", "describe_part", "write_places", "write_vectors"]

MARGIN_M = 220.0  # between the centre of a place and the edge: half a window, and room to draw positions in
VIEW_STEP_DEG = 2.0**-18  # 0.4 m: positions that are exact in binary pack well
GALLERY_PLACES = 4_500  # what is shown and searched; encoded when an atlas is first opened
GALLERY_PICTURES = 500  # beside them, places that have what few places have


@dataclass(frozen=True)
class Described:
    """The places of one city.

    Attributes:
        cells: As `cells.land_cells` makes them.
        poses: Cameras of its streets; none where street views are photos.
        places: What is said of each place.
    """

    cells: pd.DataFrame
    poses: pd.DataFrame
    places: list[captions.Description]


@dataclass(frozen=True)
class Told:
    """What later stages need of the places: sentences of the gallery, and the shares of places with own data."""

    gallery_texts: list[str]
    shares: dict[str, float]


def describe_part(part: Part, prepared: Prepared, report: Progress) -> Described:
    """Choose the places and cameras of a city and describe them.

    Args:
        part: The city.
        prepared: What a person has of it: small pictures draw places to their middles.
        report: Called with what is being done.
    """
    report("choosing places", 0.0)
    table = cells.land_cells(part.rasters, MARGIN_M)
    if len(prepared.spots):
        table = cells.moved_to(table, (prepared.spots / VIEW_STEP_DEG).round() * VIEW_STEP_DEG)
    if table.empty:
        return Described(table, pd.DataFrame(), [])
    report("choosing views", 0.1)
    poses = pd.DataFrame()
    if prepared.photos is None:
        poses = street_view.view_poses(part.layers, part.rasters.grid, part.rasters)
    report("writing texts", 0.2)
    latlon = table[["lat", "lon"]].to_numpy(np.float64)
    return Described(table, poses, captions.describe(list(table["place_id"]), latlon, part.layers, part.rasters))


def write_places(
    staging: Path, parts: list[Described], prepared: Prepared, window_m: float, remarks: list[str], report: Progress
) -> Told:
    """Write places, views and sentences; what is left out or lacking is added to ``remarks``.

    Raises:
        InputError: There is no place, or none has what a person brought.
    """
    table = pd.concat([part.cells for part in parts], ignore_index=True)
    if table.empty:
        raise InputError(
            f"No place lies {MARGIN_M:.0f} m or more inside the city on land. Choose a larger --bbox, or one with land."
        )
    order = np.argsort(table["cell"].to_numpy(), kind="stable")  # along the curve, which keeps neighbors together
    table = table.iloc[order].reset_index(drop=True)
    said = [place for part in parts for place in part.places]
    described = [said[row] for row in order]
    blocks = cells.held_out_blocks(table[["lat", "lon"]].to_numpy(np.float64))
    photos = prepared.photos
    poses = pd.concat([part.poses for part in parts], ignore_index=True) if photos is None else photos.table
    snapped = {name: (poses[name] / VIEW_STEP_DEG).round() * VIEW_STEP_DEG for name in ("lat", "lon")}
    views = cells.split_views(poses.assign(**snapped), table, blocks).assign(photo="")
    if photos is not None:
        report("storing photos", 0.1)
        views, left_out = _stored_photos(staging, views, photos)
        remarks += left_out
    table = cells.split_cells(table, views, blocks)
    present = _present(staging, prepared, table, views, window_m)
    shares = {}
    for modality, here in present.items():
        name, share, sentence = covered(modality, here)
        shares[name] = share
        remarks += [sentence] if sentence else []
    shares["places inside a town's boundary"] = round(float(np.mean([place.bounded for place in described])), 4)
    report("writing tables", 0.9)
    gallery = _choose_gallery(len(table), present)
    sentences, rows, in_gallery = number_sentences([place.sentences for place in described], gallery)
    table = table.assign(
        name=[place.name for place in described],
        country="",
        stratum=[place.stratum for place in described],
        gallery=gallery,
        sentences=rows,
    )
    _write_tables(staging, table, views, sentences)
    return Told([text for _, text in sentences[:in_gallery]], shares)


def _choose_gallery(count: int, present: dict[str, NDArray[np.bool_]]) -> NDArray[np.bool_]:
    """Which of the places are shown and searched, (count,); ``present`` says which have what few have."""
    gallery = np.zeros(count, bool)
    gallery[_evenly(count, GALLERY_PLACES)] = True  # along the curve of the cells, which fills the city evenly
    for here in present.values():
        if not here.all():
            having = np.flatnonzero(here)
            gallery[having[_evenly(len(having), GALLERY_PICTURES)]] = True
    return gallery


def _stored_photos(staging: Path, views: pd.DataFrame, photos: user_photos.Photos) -> tuple[pd.DataFrame, list[str]]:
    """Store the photos of views; returns the views that have one, and notes on what is left out.

    Raises:
        InputError: None is left.
    """
    count = photos.table["path"].nunique()
    if views.empty:
        raise InputError(
            f"None of the {count:,} photos of --street was taken in a place of the city: places are on land, "
            f"{MARGIN_M:.0f} m or more inside the --bbox."
        )
    remarks = []
    if lost := count - views["path"].nunique():
        remarks.append(
            f"{lost:,} of {count:,} photos are left out: they were taken on water, or less than {MARGIN_M:.0f} m from "
            "the edge of the city."
        )
    stored_as, broken = user_photos.store_photos(views, staging / schema.PHOTOS_FOLDER)
    views = views.assign(photo=stored_as)
    return views[views["photo"].notna()].reset_index(drop=True), [*remarks, *broken]


def _present(
    staging: Path, prepared: Prepared, table: pd.DataFrame, views: pd.DataFrame, window_m: float
) -> dict[str, NDArray[np.bool_]]:
    """Of each kind of own data, which places have it, (places,).

    Raises:
        InputError: Not one place has a kind.
    """
    latlon, present = table[["lat", "lon"]].to_numpy(np.float64), {}
    for modality, paths in prepared.own.given.items():
        best = 0.0
        if modality == "street":
            here = table["place_id"].isin(views["place_id"]).to_numpy(np.bool_)
        elif (valid := staging / schema.VALIDITY[modality]).is_file():
            share = known_share(Raster.open(valid), latlon, window_m)
            here, best = share >= schema.LEAST_VALID, float(share.max())
        else:
            here = np.ones(len(table), np.bool_)
        refuse_uncovered(modality, paths, here, best)
        present[modality] = here
    return present


def _evenly(count: int, most: int) -> NDArray[np.int64]:
    """At most so many of the numbers from 0 to count - 1, evenly spread."""
    return np.unique(np.rint(np.linspace(0, count - 1, min(count, most))).astype(np.int64))


def _write_tables(staging: Path, table: pd.DataFrame, views: pd.DataFrame, sentences: list[Sentence]) -> None:
    columns = [column for column in schema.place_columns("views") if column != "geometry"]
    parquet.write_places(staging / schema.PLACES, table[columns])
    parquet.write_views(staging / schema.VIEWS, views.astype({"heading_deg": np.float64}))
    parquet.write_sentences(staging / schema.SENTENCES, sentences)


def write_vectors(staging: Path, texts: list[str], embed: Embed | None, report: Progress) -> None:
    """Write vectors of sentences, unless the build before the interruption did."""
    path, note = staging / schema.SENTENCE_VECTORS, staging / "vectors.key"
    key = hashlib.sha256("\n".join(texts).encode()).hexdigest()
    if path.is_file() and note.is_file() and note.read_text() == key:
        return
    count = len(texts)
    write_sentence_vectors(path, texts, embed, lambda done: report(f"{done:,} of {count:,}", done / count))
    note.write_text(key)
