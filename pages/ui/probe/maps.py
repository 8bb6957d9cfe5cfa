"""The maps of page Probe: truth, prediction and residual of every row, in panes that move together."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from pages.ui import atlas_scale
from pages.ui.formatting import coordinates, literal, number
from pages.ui.http.urls import urls
from pages.ui.map import component
from pages.ui.probe import everywhere
from pages.ui.probe.colors import scale_of
from pages.ui.probe.scores import first_choice, split_title
from pages.ui.probe.state import EVERYWHERE, POINTS
from pages.ui.services import services
from unigeoclip.geo import distance_m
from unigeoclip.similarity.gallery_dots import colored_dots
from unigeoclip.similarity.picture_plan import within_mercator

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pages.ui.probe.state import ProbeState
    from pages.ui.protocol import Legend, MapClick, Marker, Pane
    from unigeoclip.atlas import Atlas
    from unigeoclip.evaluation.probing.results import EncoderResult
    from unigeoclip.geo import Bounds
    from unigeoclip.tasks.label_table import LabelTable

LAYERS = {POINTS: "Held-out predictions", EVERYWHERE: "Predict everywhere"}
PICTURE_PX, RADII_PX = 1600, (4, 16)
MARGIN = 0.04  # round the points, of their extent
WIDE = 0.6  # of the atlas: rows that fill more of it are shown with all of it
MOST_DEG = 180.0  # rows that are farther apart go round the Earth
REACH = 0.03  # of the extent: a click this near to a point shows it
REGION = 0.12  # of the extent: how much of it round the center of a region is shown


def choices(state: ProbeState) -> None:
    """Whose predictions are shown, under which split, of the rows or everywhere."""
    assert state.shown is not None
    report = state.shown.report
    splits = list(report.results)
    state.choose_shown(first_choice(report, splits[-1]))
    names = first_choice(report, state.split)
    titles = {name: report.results[state.split][name].title for name in names}
    st.session_state["probe-shown-encoder"], st.session_state["probe-shown-split"] = state.encoder, state.split
    st.session_state["probe-layer"] = state.layer
    st.selectbox("On the map", names, format_func=titles.__getitem__, key="probe-shown-encoder", width=280,
                 on_change=lambda: setattr(state, "encoder", st.session_state["probe-shown-encoder"]))  # fmt: skip
    names_of = {split: split_title(report, split) for split in splits}
    if len(splits) > 1:
        st.segmented_control(
            "Folds", splits, format_func=names_of.__getitem__, key="probe-shown-split", required=True,
            on_change=lambda: setattr(state, "split", st.session_state["probe-shown-split"]),
        )  # fmt: skip
    st.segmented_control(
        "Predictions", list(LAYERS), format_func=LAYERS.__getitem__, key="probe-layer", required=True,
        help="Of the rows, each by the probe that did not see it; or by one ridge probe of all rows, for every "
        "cell of the atlas.", on_change=lambda: setattr(state, "layer", st.session_state["probe-layer"]),
    )  # fmt: skip


def show(state: ProbeState, atlas: Atlas) -> None:
    """Draw the maps, and below them the row that was clicked."""
    result, used = state.result(), state.shown_table
    if used is None:
        return
    panes = [_truth(state, used)]
    if result is not None:
        panes += [_prediction(state, used, result), _residual(state, used, result)]
    if state.row is not None and state.row < len(used):
        lat, lon = used.latlon[state.row].tolist()
        for pane in panes:
            pane["markers"] = [_marker(lat, lon, atlas)]
    # The first view of one map is too near for three beside each other: each number of maps has a view of its own.
    key = f"probe-{atlas.name}" if result is not None else f"probe-labels-{atlas.name}"
    with st.container(key="probe-maps"):
        component.show(
            atlas, panes, nonce=state.revision, key=key, on_click=partial(clicked, state),
            focus=state.focus or focus_of(used, atlas),
        )  # fmt: skip
    st.caption(clicked_words(used, state, result))


def focus_of(table: LabelTable, atlas: Atlas) -> Bounds | None:
    """The part of the map that holds the rows; None where they are all over the atlas."""
    bounds, whole = extent(table), atlas.manifest.bounds
    wide = bounds[3] - bounds[1] > WIDE * (whole[3] - whole[1]) or bounds[2] - bounds[0] > WIDE * (whole[2] - whole[0])
    return None if wide else bounds


def extent(table: LabelTable) -> Bounds:
    """Bounds of the rows with a margin, degrees; all longitudes where the rows go round the Earth."""
    south, west = table.latlon.min(axis=0).tolist()
    north, east = table.latlon.max(axis=0).tolist()
    edge = MARGIN * max(north - south, east - west, 1e-3)
    bounds = max(south - edge, -90.0), max(west - edge, -180.0), min(north + edge, 90.0), min(east + edge, 180.0)
    return within_mercator(bounds if east - west <= MOST_DEG else (bounds[0], -180.0, bounds[2], 180.0))


def dots(state: ProbeState, table: LabelTable, key: Any, rgb: Callable[[], NDArray[np.uint8]]) -> Any:
    """The overlay of points in colors; drawn once, and known to this visitor's browser alone."""
    bounds = extent(table)
    if key not in state.pictures:
        order = np.random.default_rng(0).permutation(len(table))  # no value lies above all others
        picture = colored_dots(bounds, table.latlon[order], rgb()[order], width_px=PICTURE_PX, radii_px=RADII_PX)
        state.add_picture(key, services().probe.files.add(picture, "webp"))
    return {"url": urls.private(state.pictures[key].name), "bounds": bounds}


def _pane(name: str, title: str, overlay: Any, legend: Legend) -> Pane:
    return {
        "id": name, "title": title, "overlay": overlay, "legend": legend, "markers": [],
        "label": f"{title}. Arrow keys move the map, plus and minus zoom, Enter reads the row nearest to the center.",
    }  # fmt: skip


def _truth(state: ProbeState, table: LabelTable) -> Pane:
    scale = scale_of(table)
    overlay = dots(state, table, ("truth", id(table)), lambda: scale.rgb(table.target))
    return _pane("truth", "Truth", overlay, scale.legend(table.target_name))


def _prediction(state: ProbeState, table: LabelTable, result: EncoderResult) -> Pane:
    scale = scale_of(table)
    if state.layer == EVERYWHERE and state.everywhere is not None:
        return everywhere.pane(state, table)
    key = ("prediction", state.split, result.name)
    overlay = dots(state, table, key, lambda: scale.rgb(result.predictions))
    legend: Legend = {**scale.repeated_legend(f"{table.target_name}, predicted"), "fixed": True}
    return _pane("prediction", f"Prediction: {result.title}", overlay, legend)


def _residual(state: ProbeState, table: LabelTable, result: EncoderResult) -> Pane:
    scale = scale_of(table)
    key = ("residual", state.split, result.name)
    overlay = dots(state, table, key, lambda: scale.residual_rgb(table.target, result.predictions))
    title = "Residual" if table.kind == "regression" else "Errors"
    return _pane("residual", title, overlay, {**scale.residual_legend(), "fixed": True})


def _marker(lat: float, lon: float, atlas: Atlas) -> Marker:
    where = coordinates(lat, lon, atlas_scale.of(atlas.manifest).digits)
    return {"id": "query-0", "kind": "query", "lat": lat, "lng": lon, "sign": "", "label": f"The row at {where}"}


def clicked(state: ProbeState, click: MapClick) -> None:
    """A map was clicked: note the point and the row next to it."""
    if state.shown_table is not None:
        state.revision += 1
        state.point = click["lat"], click["lng"]
        state.row = nearest(state.shown_table, *state.point)


def nearest(table: LabelTable, lat: float, lon: float) -> int | None:
    """The row next to a point, if it is near enough to be meant."""
    meters = distance_m((lat, lon), table.latlon)
    row = int(np.argmin(meters))
    low, high = table.latlon.min(axis=0), table.latlon.max(axis=0)
    reach = REACH * max(float(distance_m((low[0], low[1]), high[None])[0]), 1000.0)
    return row if float(meters[row]) <= reach else None


def clicked_words(table: LabelTable, state: ProbeState, result: EncoderResult | None) -> str:
    """What is known of the point that was clicked, in sentences."""
    if state.point is None:
        return "Click a map to read the nearest row."
    predicted = everywhere.value_at(state, *state.point)
    where = coordinates(*state.point, 4)
    here = f"Predicted at {where}: {value(table, predicted)}. " if predicted is not None else ""
    return here + (_row(table, state, result) if state.row is not None else f"There is no row near {where}.")


def _row(table: LabelTable, state: ProbeState, result: EncoderResult | None) -> str:
    """What is known of the row that was clicked, in a sentence."""
    assert state.row is not None
    row = min(state.row, len(table) - 1)
    lat, lon = table.latlon[row].tolist()
    said = [f"Row at {coordinates(lat, lon, 4)}: true {value(table, table.target[row])}"]
    if result is not None and state.shown is not None:
        fold = int(state.shown.report.folds[state.split][row]) + 1
        said.append(f"predicted {value(table, result.predictions[row])} (held out in fold {fold})")
        if table.kind == "regression":
            off = float(table.target[row]) - float(result.predictions[row])
            said.append(f"residual {number(off)}")
    if table.groups is not None:
        said.append(f"{literal(table.group_name)} {literal(str(table.groups[row]))}")
    return ", ".join(said) + "."


def value(table: LabelTable, of: Any) -> str:
    """A target as text."""
    if table.kind == "classification":
        return literal(str(of))
    return f"{number(float(of), 4)} {literal(table.unit)}".rstrip()


def region_bounds(table: LabelTable, lat: float, lon: float) -> Bounds:
    """The part of the map round the center of a region."""
    low, high = table.latlon.min(axis=0), table.latlon.max(axis=0)
    half = REGION * max(float(high[0] - low[0]), float(high[1] - low[1]), 0.01)
    south, north = max(lat - half, -85.0), min(lat + half, 85.0)
    return south, max(lon - half, -180.0), north, min(lon + half, 180.0)
