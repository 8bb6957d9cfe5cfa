"""Retrieval from street views, as in tables 1 and 5 of the paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unigeoclip.evaluation.held_out import HeldOut, encode_photos
from unigeoclip.evaluation.retrieval import ensemble, retrieval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.model import UniGeoCLIP


def street_report(
    model: UniGeoCLIP, atlas: Atlas, items: HeldOut, embeddings: dict[str, NDArray[np.float32]]
) -> dict[str, dict[str, float]]:
    """What single views and ensembles add to the pairs of modalities.

    "street" is a panorama of four headings, "photo" a single view whose heading is not told; "ensemble" is the
    normalised mean of all other modalities, where there are two or more.

    Args:
        model: The model.
        atlas: The atlas.
        items: With cameras.
        embeddings: Of the items, from `encode_items`.
    """
    others = {name: vectors for name, vectors in embeddings.items() if name != "street"}
    targets = others | ({"ensemble": ensemble(list(others.values()))} if len(others) > 1 else {})
    photos = encode_photos(model, atlas, items)
    report = {f"photo->{name}": retrieval(photos, vectors, items.latlon) for name, vectors in targets.items()}
    if "ensemble" in targets:
        report["street->ensemble"] = retrieval(embeddings["street"], targets["ensemble"], items.latlon)
    return report
