"""Page Atlas: what this data is, who made it, how good the model on it is, what it cannot do, how to make it again."""

import streamlit as st

from pages.ui import baselinecard, citycard, limits, modelcard, scale, waiting
from pages.ui.words import literal
from unigeoclip.errors import UniGeoError

name = waiting.chosen_atlas()
opening = waiting.for_atlas(name)
if opening.atlas is None:
    st.stop()
atlas = opening.atlas
manifest = atlas.manifest

st.title(manifest.title)
st.markdown(manifest.summary)
st.html(modelcard.facts(atlas))

st.header("Where the data come from")
st.html(modelcard.sources(manifest.sources))

st.header("The model")
try:
    card, measured, baselines = modelcard.read(atlas), citycard.sections(atlas), baselinecard.section(atlas)
    trainings = modelcard.trainings(atlas)
except UniGeoError as error:
    card, measured, baselines, trainings = None, [], "", []
    st.error(literal(str(error)), icon=":material/info:")
if card is None:
    st.info(
        f"This atlas has no model yet. Train one: python -m unigeoclip train --atlas {name} --config mini",
        icon=":material/lightbulb:",
    )
else:
    st.html(modelcard.training(card))
    if meanings := citycard.meanings(atlas, card.retrieval):
        st.html(meanings)
    for split, retrieval in card.retrieval.items():
        st.subheader(modelcard.SPLIT_TITLES.get(split, split))
        st.markdown(modelcard.split_words(split, manifest))
        if warning := modelcard.warning(card, split):
            st.warning(warning, icon=":material/history:")
        if words := modelcard.distance_words(card, split):
            st.markdown(words)
        st.html(modelcard.retrieval_table(retrieval))
    if baselines:
        st.subheader(baselinecard.HEADING)
        st.html(baselines)
    for heading, html in measured:
        st.subheader(heading)
        st.html(html)
    if card.queries:
        st.subheader("Plain text queries")
        st.html(modelcard.query_table(card.queries, card.groups))

st.header("What it cannot do")
st.html(limits.limits(manifest))

st.header("Make it again, or one of your own")
if scale.of(manifest).is_city:
    st.markdown("Drawn from OpenStreetMap vector tiles in the OpenMapTiles schema; the same tiles give the same bytes.")
else:
    st.markdown("The data come from pinned packages and are verified by checksum; the same inputs give the same bytes.")
# Wrapped, for a keyboard cannot scroll a block of code sideways.
st.code(modelcard.commands(manifest, trainings), language="bash", wrap_lines=True)
