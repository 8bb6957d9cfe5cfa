"""The controls of page Compare: which models, how maps are colored, a query by image, a region."""

from __future__ import annotations

import itertools
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from pages.ui.compare import image_query
from pages.ui.compare.state import Widgets, widgets
from pages.ui.formatting import coordinates, literal
from pages.ui.rectangles import parse_box
from pages.ui.view_options import DEFAULT_NUMBER, KINDS, LEAST, SCALES
from unigeoclip.embedders import first_compared
from unigeoclip.errors import InputError

if TYPE_CHECKING:
    from pages.ui.compare.state import CompareState
    from unigeoclip.atlas import Atlas
    from unigeoclip.embedders import Embedder

_SCALE_HELP = (
    "Absolute: from the similarity of unrelated places to that of matches, as measured on held-out places, where a "
    "model has such a measurement. Similarity: each map over its own range. Rank: by share of the area."
)
MOST, MOST_SCALES = 4, 5
NUMBER_PX, PAIR_PX = 130, 340
KIND_TITLES = {"components": "Components", "component": "One component", "clusters": "Clusters", "umap": "UMAP",
               "disagreement": "Disagreement"}  # fmt: skip
SIMILARITY = "similarity"  # what a query switches the color scheme to
_RETRAINED = "the published design, trained by this project on its own data. There is none for this atlas."
_FINER = "the same with waves fine enough for a city. There is none for this atlas."
_UNAVAILABLE = {  # title, and what a visitor has to know
    "unigeoclip-taught": (
        "UniGeoCLIP (taught by GeoCLIP)",
        "our model, trained further with GeoCLIP's vectors as an additional target. There is none for this atlas.",
    ),
    "satclip": (
        "SatCLIP",
        "the published model, learned from satellite images. It was not downloaded to this machine.",
    ),
    "geoclip": ("GeoCLIP", "the published model, learned from photographs. It is not installed on this machine."),
    "satclip-retrained": ("SatCLIP (retrained)", _RETRAINED),
    "geoclip-retrained": ("GeoCLIP (retrained)", _RETRAINED),
    "satclip-retrained-city": ("SatCLIP (retrained, finer scales)", _FINER),
    "geoclip-retrained-city": ("GeoCLIP (retrained, finer scales)", _FINER),
}
SUBJECTS = {"models": "Models", "scales": "Scales of UniGeoCLIP"}


def follow_link(atlas: Atlas, state: CompareState, known: list[str]) -> None:
    """Take over the page's address; the controls then show what it says."""
    if state.read_link(known):
        for key in (_subject_key(atlas), *(f"{subject}-{atlas.name}" for subject in SUBJECTS), *LEAST):
            st.session_state.pop(key, None)


def _subject_key(atlas: Atlas) -> str:
    return f"compared-{atlas.name}"


def subject(atlas: Atlas, state: CompareState, scales: list[str]) -> str:
    """Whether different models are compared, or ours with scales switched off: a key of `SUBJECTS`."""
    if not scales:
        return "models"
    key = _subject_key(atlas)
    st.session_state.setdefault(key, "scales" if set(state.models) & set(scales) else "models")
    chosen = st.segmented_control("Compare", list(SUBJECTS), format_func=SUBJECTS.__getitem__, required=True, key=key)
    return chosen or "models"


def models(
    atlas: Atlas, state: CompareState, embedders: dict[str, Embedder], scales: list[str], subject: str
) -> list[str]:
    """Names of the models to show, two to four."""
    if subject == "scales":
        first = next(iter(embedders))
        options, always, most, label = scales, [first], MOST_SCALES, "Without"
        labels = {name: embedders[name].title.removeprefix(f"{embedders[first].title} without ") for name in scales}
    else:
        options, always, most, label = [name for name in embedders if name not in scales], [], MOST, "Models"
        labels = {name: embedders[name].title for name in options}
    key = f"{subject}-{atlas.name}"
    linked = [name for name in state.models if name in options]
    default = options[-MOST_SCALES:] if subject == "scales" else first_compared(options)  # the finest are the last
    st.session_state.setdefault(key, linked or default)
    chosen = st.pills(
        label, options, selection_mode="multi", format_func=labels.__getitem__, key=key,
        label_visibility="visible" if subject == "scales" else "collapsed",
    )  # fmt: skip
    if not 2 - len(always) <= len(chosen) <= most:
        chosen = default
        st.caption(f"Choose {2 - len(always)} to {most}; showing {', '.join(labels[name] for name in chosen)}.")
    names = [*always, *(name for name in options if name in chosen)]
    state.models = () if subject == "models" and names == default else tuple(names)
    return names


def unavailable_models(missing: dict[str, str]) -> None:
    """The models that are not on this machine, what they are, and how the administrator of the app can install them."""
    if missing:
        with st.popover("Unavailable models", help="Models that are not installed on this machine"):
            for name, why in missing.items():
                title, meaning = _UNAVAILABLE.get(name, (name, "It is not installed on this machine."))
                st.markdown(f"**{title}**: {meaning}")
                st.caption(f"For the administrator of this app: {literal(why)}")


def color_scheme(state: CompareState, models: list[str], embedders: dict[str, Embedder]) -> None:
    """How maps are colored; the control says what they show: "Similarity" as long as there is a query.

    Args:
        state: Of the page.
        models: Names of the models that are shown.
        embedders: All models.
    """
    kinds = KIND_TITLES | ({SIMILARITY: "Similarity"} if state.shows_similarity else {})
    widgets.color_by = SIMILARITY if state.shows_similarity else state.kind
    st.segmented_control("Color by", list(kinds), format_func=kinds.__getitem__, required=True,
                         key=Widgets.color_by.key, on_change=_color_by, args=(state,))  # fmt: skip
    if state.shows_similarity:
        widgets.similarity_scale = state.scale
        st.segmented_control("Scale", list(SCALES), format_func=SCALES.__getitem__, required=True, help=_SCALE_HELP,
                             key=Widgets.similarity_scale.key, on_change=_rescale, args=(state,))  # fmt: skip
    elif state.kind == "disagreement":
        _pair(state, models, embedders)
    else:
        _number(state)


def _pair(state: CompareState, models: list[str], embedders: dict[str, Embedder]) -> None:
    """Whose disagreement is shown: two of the models."""
    pairs = list(itertools.combinations(models, 2))
    current = state.pair_of(models)
    widgets.pair = current if current in pairs else current[::-1]

    def title(pair: tuple[str, ...]) -> str:
        return " and ".join(embedders[name].title for name in pair)

    st.selectbox("Between", pairs, format_func=title, key=Widgets.pair.key, on_change=_choose_pair,
                 args=(state, models), width=PAIR_PX)  # fmt: skip


def _choose_pair(state: CompareState, models: list[str]) -> None:
    state.pair = () if widgets.pair == tuple(models[:2]) else widgets.pair
    state.example = None


def _number(state: CompareState) -> None:
    """Which component, or how many clusters."""
    least, most = LEAST.get(state.kind, 0), KINDS[state.kind]
    if not most:
        state.number = 0
        return
    first = DEFAULT_NUMBER[state.kind]
    st.session_state.setdefault(state.kind, state.number if least <= state.number <= most else first)
    field = st.slider if state.kind == "clusters" else st.number_input
    state.number = field(KIND_TITLES[state.kind], least, most, key=state.kind, width=NUMBER_PX)


def _color_by(state: CompareState) -> None:
    """Show another color scheme; the query is forgotten, for the control always says what the maps show."""
    chosen = widgets.color_by
    if chosen == SIMILARITY:
        return
    state.kind, state.example = chosen, None
    if state.shows_similarity:
        state.query()


def _rescale(state: CompareState) -> None:
    state.scale = widgets.similarity_scale


def query(state: CompareState, digits: int) -> None:
    """The point or the image of the query, and the way back to colors."""
    if state.image is not None:
        name = literal(state.image.name)
    elif state.point is not None:
        name = coordinates(state.point[0], state.point[1], digits)
    else:
        return
    st.button(f"Similarity to {name}", icon=":material/close:", help="Back to colors", key="forget-point",
              on_click=state.query)  # fmt: skip


def image(atlas: Atlas, state: CompareState, first: Embedder) -> None:
    """An image as the query."""
    with st.popover("Image", icon=":material/image:", help="Search by image"):
        image_query.panel(atlas, lambda image: state.query(image=image), partial(setattr, state, "problem"), first)


def region(state: CompareState) -> None:
    """The part of the atlas that is compared, typed."""
    if widgets.typed_for != state.bounds:  # another part was chosen on the map or by a link
        widgets.typed_for = state.bounds
        widgets.typed_region = ", ".join(f"{value:.4f}" for value in state.bounds or ())
    with st.popover("Region", icon=":material/crop_free:", help="Compare a region of the atlas in detail"):
        with st.form("region", border=False):
            st.text_input("South, west, north, east in degrees", key=Widgets.typed_region.key,
                          placeholder="42.33, -71.10, 42.38, -71.03")  # fmt: skip
            st.form_submit_button("Compare this region", on_click=_region_typed, args=(state,))
        st.caption("Leave empty for the whole atlas. On the map, This view and Draw do the same.")


def _region_typed(state: CompareState) -> None:
    text = widgets.typed_region
    state.problem = ""
    try:
        state.bounds = parse_box(text) if text.strip() else None
    except InputError as error:
        state.problem = str(error)
