"""The panel of a visitor's own points: upload, what was read, what is wrong with rows, downloads."""

from __future__ import annotations

import weakref
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import streamlit as st

from pages.ui.formatting import literal
from pages.ui.points.state import MOST_DOTS, Points, forget_points, points_of_visitor, widgets
from pages.ui.services import services
from pages.ui.widgets import progress
from unigeoclip.errors import InputError, UniGeoError
from unigeoclip.points import (
    MAX_CSV_VALUES,
    MAX_POINTS,
    csv_of,
    parquet_of,
    read_point_file,
    with_nearest,
    with_vectors,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from pages.ui.services.probe import Job
    from unigeoclip.atlas import Atlas
    from unigeoclip.points import PointFile

T = TypeVar("T")
FILES = ["csv", "tsv", "txt", "parquet", "geoparquet", "geojson", "json", "gpkg", "zip"]
WAIT_S = 0.4
MOST_LISTED = 5  # rows with a problem
MAX_BYTES = 50 * 2**20
PRIVACY = "Only this session has your table: nothing of it is written to disk, to logs or into links."


def panel(atlas: Atlas) -> None:
    """Draw the panel; the map shows the points of what was read."""
    points = points_of_visitor()
    if not points.name:
        _upload()
        if points.problem:
            st.error(literal(points.problem), icon=":material/info:")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{literal(points.name)}**")
        st.button("Remove", icon=":material/delete:", key="points-remove", on_click=forget_points)
    _wait(points)
    if points.problem:
        st.error(literal(points.problem), icon=":material/info:")
    if points.file is not None:
        _report(points.file, atlas)
        if points.file.usable.any():
            _downloads(points, points.file, atlas)
    st.caption(PRIVACY)


def _upload() -> None:
    key = f"points-upload-{widgets.turn}"
    st.file_uploader(
        "A table with a position in each row", type=FILES, key=key, on_change=_take, args=(key,),
        help=f"CSV, Parquet, GeoJSON, GeoPackage or a zipped shapefile, at most {MAX_POINTS:,} rows and 50 MB. Columns"
        " such as lat and lon are recognized, and common encodings and separators.",
    )  # fmt: skip
    st.caption(f"Shown on the map; vectors and nearest places can be downloaded. {PRIVACY}")


def _take(key: str) -> None:
    file = st.session_state[key]
    if file is not None:
        widgets.turn += 1  # Streamlit's copy of the file goes; the field is ready for the next
        begin(file.name, file.getvalue())


def begin(name: str, data: bytes) -> None:
    """Read a file in place of the one before."""
    forget_points()
    points = points_of_visitor()
    if len(data) > MAX_BYTES:
        points.problem = f"{name} has {len(data) / 2**20:.0f} MB; at most 50 MB are read. Keep fewer columns or rows."
        return
    try:
        points.reading = services().probe.read(lambda _job: read_point_file(data, name), _client())
        points.name = name
    except UniGeoError as error:
        points.problem = str(error)


def _client() -> str:
    return st.context.ip_address or "this machine"


def _wait(points: Points) -> None:
    if points.file is None and not points.problem and points.reading is not None:
        _finished(points.reading, "points-reading", "Reading the table")
        points.settle()


def _finished(job: Job[T], key: str, words: str) -> tuple[T | None, str]:
    """Result of a job, or the sentence why there is none; its progress is shown while it is at it."""
    if not job.wait(WAIT_S):
        followed = weakref.ref(job)  # a topic outlives what it tells of, and must not keep it

        def report() -> progress.Progress:
            job = followed()
            if job is None:
                return progress.Progress("ended")
            doing, share = services().probe.progress(job)
            return progress.Progress(job.version, words if doing else "", share)

        progress.follow(report, "running", key, time_left=True)
    return job.result, job.error


def _report(file: PointFile, atlas: Atlas) -> None:
    """How many rows there are, and what is wrong with which."""
    usable = int(file.usable.sum())
    st.markdown(f"{len(file):,} rows, {usable:,} with a position." + _drawn(usable))
    for note in file.notes:
        st.caption(literal(note))
    outside = int(file.outside(atlas.manifest.bounds).sum())
    if outside:
        st.warning(
            f"{outside:,} points lie outside of {literal(atlas.title)}, where its model was not trained; their vectors "
            "mean little.", icon=":material/info:",
        )  # fmt: skip
    bad = np.flatnonzero(~file.usable)
    if len(bad):
        listed = [f"Row {row + 1}: {file.problems[row]}" for row in bad[:MOST_LISTED].tolist()]
        more = f"\n- and {len(bad) - MOST_LISTED:,} more, see the column problem" if len(bad) > MOST_LISTED else ""
        st.warning(
            f"{len(bad):,} rows have no usable position. They are kept in the downloads, without a vector:\n"
            + "\n".join(f"- {literal(each)}" for each in listed) + more, icon=":material/info:",
        )  # fmt: skip


def _drawn(usable: int) -> str:
    return f" {MOST_DOTS:,} of them are drawn, spread evenly over the table." if usable > MOST_DOTS else ""


def _downloads(points: Points, file: PointFile, atlas: Atlas) -> None:
    st.caption("The nearest place of the atlas to each point:")
    writers = {"CSV": csv_of, "Parquet": parquet_of}
    with st.container(horizontal=True):
        for label, write in writers.items():
            st.download_button(
                f"Places as {label}", partial(_nearest, file, atlas, write), on_click="ignore",
                file_name=f"{_stem(points.name)}-nearest.{label.lower()}", key=f"points-nearest-{label}",
            )  # fmt: skip
    titles = _encoders(atlas)
    if not titles:
        return
    if points.model not in titles:
        points.model = next(iter(titles))
    key = f"points-model-{atlas.name}"
    st.session_state[key] = points.model
    st.selectbox(
        "Vectors of", list(titles), format_func=titles.__getitem__, key=key,
        on_change=lambda: setattr(points, "model", st.session_state[key]),
    )  # fmt: skip
    job = points.vectors.get((atlas.name, points.model))
    if job is None:
        st.button("Compute vectors", key="points-compute", on_click=_compute, args=(points, file, atlas))
        return
    table, problem = _finished(job, f"points-vectors-{atlas.name}-{points.model}", "Computing the vectors")
    if problem:
        st.error(literal(problem), icon=":material/info:")
    if table is not None:
        _vectors(points, table)


def _nearest(file: PointFile, atlas: Atlas, write: Callable[[pa.Table], bytes]) -> bytes:
    return write(with_nearest(file, atlas.places))


def _vectors(points: Points, table: pa.Table) -> None:
    lengths = table.column(table.column_names[-1]).combine_chunks().value_lengths().drop_null()
    dim = lengths[0].as_py()
    stem = f"{_stem(points.name)}-{points.model}"
    too_many = dim * len(table) > MAX_CSV_VALUES
    with st.container(horizontal=True):
        st.download_button(
            "Vectors as Parquet", partial(parquet_of, table), on_click="ignore", file_name=f"{stem}.parquet",
            key="points-vectors-parquet",
        )  # fmt: skip
        st.download_button(
            "Vectors as CSV", partial(csv_of, table), on_click="ignore", file_name=f"{stem}.csv",
            key="points-vectors-csv", disabled=too_many,
            help=f"A CSV holds at most {MAX_CSV_VALUES:,} numbers: take Parquet." if too_many else None,
        )  # fmt: skip
    st.caption(f"{len(table):,} rows, {dim} dimensions, modality: location.")


def _encoders(atlas: Atlas) -> dict[str, str]:
    """Titles of the encoders of locations of an atlas; empty while they are being loaded."""
    from unigeoclip.modalities import MODALITIES

    found, problem = _finished(
        services().probe.encoders(atlas), f"points-encoders-{atlas.name}", "Loading the encoders"
    )
    if problem:
        st.error(literal(problem), icon=":material/info:")
    titles = {} if found is None else found.titles
    return {name: title for name, title in titles.items() if name in (found.dims if found else {}) and "+" not in name
            and name not in MODALITIES and name != "ensemble"}  # fmt: skip


def _compute(points: Points, file: PointFile, atlas: Atlas) -> None:
    name = points.model

    def act(job: Job[pa.Table]) -> pa.Table:
        found, _ = services().compare.embedders(atlas)
        if name not in found:
            raise InputError(f"The encoder {name} is not one of this atlas any more: choose another one.")
        return with_vectors(file, found[name], lambda share: job.report("Computing the vectors", share))

    for job in points.vectors.values():
        job.stop()
    points.vectors.clear()
    try:
        points.vectors[atlas.name, name] = services().probe.compute(act, _client())
    except UniGeoError as error:
        points.problem = str(error)


def _stem(name: str) -> str:
    return name.rpartition(".")[0][:60] or "points"
