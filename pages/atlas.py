"""Page Atlas: the data and its sources, the figures and limits of the model, and how to reproduce both."""

import streamlit as st

from pages.ui import atlas_scale, atlas_switch
from pages.ui.atlas import baseline_card, city_card, commands, limitations, model_card, results_card, retrieval
from pages.ui.formatting import literal
from unigeoclip.errors import UniGeoError

name = atlas_switch.chosen_atlas()
opening = atlas_switch.for_atlas(name)
if opening.atlas is None:
    st.stop()
atlas = opening.atlas
manifest = atlas.manifest

st.title(literal(manifest.title))
st.markdown(manifest.summary)
st.html(model_card.facts(atlas))

st.header("Data sources")
st.html(model_card.sources(manifest.sources))

st.header("Model")
try:
    card, measured, baselines = model_card.read(atlas), city_card.sections(atlas), baseline_card.section(atlas)
    trainings, results = commands.trainings(atlas), results_card.sections(atlas)
except UniGeoError as error:
    card, measured, baselines, trainings, results = None, [], "", [], []
    st.error(literal(str(error)), icon=":material/info:")
if card is None:
    st.info(
        f"This atlas has no model yet. Train one: python -m unigeoclip train --atlas {name} --config mini",
        icon=":material/lightbulb:",
    )
else:
    st.html(model_card.training(card))
    if meanings := city_card.meanings(atlas):
        st.html(meanings)
    for split, pairs in card.retrieval.items():
        st.subheader(retrieval.heading(split, manifest))
        answers = split == card.metrics.get("split")
        st.html(retrieval.split_words(split, manifest, answers=answers))
        if warning := retrieval.warning(card, split):
            st.warning(warning, icon=":material/history:")
        if words := retrieval.distance_words(card, split):
            st.html(words)
        st.html(retrieval.retrieval_table(pairs))
    if baselines:
        st.subheader(baseline_card.HEADING)
        st.html(baselines)
    for heading, html in measured:
        st.subheader(heading)
        st.html(html)
    if card.queries:
        st.subheader("Text queries")
        st.html(model_card.query_table(card.queries, card.groups))

    for section in results:
        st.subheader(section.heading)
        st.html(section.html)

st.header("Limitations")
st.html(limitations.limits(manifest))

st.header("Reproduce it, or build your own")
if atlas_scale.of(manifest).is_city:
    st.markdown("Built from the map and the files listed under Data sources; the same files give the same bytes.")
else:
    st.markdown("The data come from pinned packages and are verified by checksum; the same inputs give the same bytes.")
# Wrapped, for a keyboard cannot scroll a block of code sideways.
st.code(commands.commands(manifest, trainings), language="bash", wrap_lines=True)
