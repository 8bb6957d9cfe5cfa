"""Answers computed item by item, without an index: what a search must agree with."""

from dataclasses import replace

import numpy as np


def inside(area, latlon):
    if area is None:
        return np.ones(len(latlon), bool)
    south, west, north, east = area
    lat, lon = np.asarray(latlon).T
    return (lat >= south) & (lat <= north) & ((lon - west) % 360 <= east - west)


def balanced(explorer, items):
    """Vectors of items, and the scale and offset that give the heatmaps of their modalities one mean and spread."""
    vectors = np.stack([explorer.query([replace(each, weight=1.0)]).vector for each in items]).astype(np.float64)
    heat = explorer.cells.astype(np.float64) @ vectors.T
    names = [each.modality for each in items]
    order = ["location", "place", *explorer.model.modalities]
    spread = {name: np.sqrt(np.mean([heat[:, i].var() for i, n in enumerate(names) if n == name])) for name in names}
    mean = {name: np.mean([heat[:, i].mean() for i, n in enumerate(names) if n == name]) for name in names}
    first = min(names, key=order.index)
    scales = np.array([spread[first] / spread[name] for name in names])
    return vectors, scales, np.array([mean[first] - spread[first] / spread[name] * mean[name] for name in names])


def of_any(explorer, items, vectors):
    """Similarity of vectors to any of several examples, by the formula at the head of ``composing.alternatives``."""
    queries, scales, offsets = balanced(explorer, items)
    weights = np.array([each.weight for each in items])
    taken = (weights[:, None] * scales[:, None] * queries)[weights < 0].sum(axis=0)
    terms = [scales[i] * queries[i] + taken for i in np.flatnonzero(weights > 0)]
    values = np.stack([vectors @ term + offsets[i] for term, i in zip(terms, np.flatnonzero(weights > 0), strict=True)])
    return values.max(axis=0) / max(np.linalg.norm(term) for term in terms)


def scores(explorer, query, modality):
    """Score of every item of a gallery: similarity less what is subtracted of hubs, for the best of the terms."""
    windows, dim = explorer._windows[modality], explorer.model.dim
    rows = explorer._store.vectors(modality, np.arange(len(windows))).astype(np.float64)
    found = []
    for each in query.alternatives:
        shares = np.array([each.shares.get(kind, 0.0) for kind in explorer._kinds[modality]])
        found.append(rows[:, :dim] @ each.vector + each.offset + rows[:, dim:] @ shares)
    return np.max(found, axis=0)


def best_places(explorer, query, modality, k, area):
    """Ids and scores of the k best places of a modality, each by its best window within an area."""
    windows = explorer._windows[modality]
    ids = explorer.atlas.places["place_id"].to_numpy()[windows.rows]
    best = {}
    kept = inside(area, explorer._items(modality).latlon)
    for place_id, score, is_in in zip(ids, scores(explorer, query, modality), kept, strict=True):
        if is_in:
            best[place_id] = max(best.get(place_id, -np.inf), score)
    return sorted(best.items(), key=lambda each: -each[1])[:k]
