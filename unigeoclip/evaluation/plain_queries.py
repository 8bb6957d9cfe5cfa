"""Plain text queries of a model against their rules, told apart by whether a caption says them word for word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from unigeoclip.atlas.schema import RULES_FOLDER
from unigeoclip.evaluation.queries import load_rules, precision_at_area
from unigeoclip.modalities.towers.text import TextTower
from unigeoclip.search.gallery_embeddings import encode_cells, land_grid, mean_over_waves
from unigeoclip.search.texts import encode_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.modalities.text import TextEncoder
    from unigeoclip.model import UniGeoCLIP

__all__ = ["query_groups", "query_scores", "searched_cells"]

RESAMPLES = 10_000
_SEED = 0
GROUPS = {"in_captions": True, "not_in_captions": False}


def query_scores(model: UniGeoCLIP, atlas: Atlas) -> list[dict[str, Any]]:
    """How much of the hottest area of each query lies inside its rule.

    Empty for an atlas without rules, and for a model that does not know words or points.

    Returns:
        ``[{"query", "rule", "precision", "chance", "in_captions": bool}]``: percentages from 0 to 100; whether the
        query is, but for capitals and blanks round it, a sentence of the captions that the model learned from.
    """
    folder = atlas.path / RULES_FOLDER
    if not folder.is_dir() or not {"text", "location"} <= set(model.modalities):
        return []
    rules, grid = load_rules(folder), atlas.land_grid()
    cells = searched_cells(model, atlas)
    said = {_plain(sentence) for sentence in atlas.sentences["text"]}
    text = _encoded(model, atlas, [rule.query for rule in rules])
    scores = []
    for rule, similarity in zip(rules, text @ cells.T, strict=True):
        score = precision_at_area(similarity, grid.latlon, rule, step_deg=grid.step_deg)
        kept: dict[str, Any] = {"query": rule.query, "rule": rule.words}
        measured = {"precision": score.precision, "chance": score.chance}
        scores.append(kept | measured | {"in_captions": _plain(rule.query) in said})
    return scores


def _encoded(model: UniGeoCLIP, atlas: Atlas, queries: list[str]) -> NDArray[np.float32]:
    """Vectors of queries (n, dim), as the search encodes them."""
    encoder = model.encoders["text"]
    if isinstance(encoder, TextTower):
        whole: NDArray[np.float32] = model.encode({"text": [[query] for query in queries]})["text"].cpu().numpy()
        return whole
    vectors = cast("TextEncoder", encoder).embed(queries)
    return np.stack([encode_words(model, atlas, vectors[row : row + 1]) for row in range(len(queries))])


def _plain(sentence: str) -> str:
    return sentence.casefold().strip()


def searched_cells(model: UniGeoCLIP, atlas: Atlas) -> NDArray[np.float32]:
    """The cells of the atlas's heatmaps, as the search sees them: (cells, dim)."""
    grid = land_grid(atlas)
    return mean_over_waves(model, grid, encode_cells(model, grid.cells))


def query_groups(scores: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Mean precision of the queries that are sentences of the captions, and of those that are not.

    Args:
        scores: From `query_scores`.

    Returns:
        ``{"in_captions" | "not_in_captions": {"n", "mean_precision", "interval_95": [low, high]}}``, of the groups that
        have queries; the interval is that of a bootstrap over the queries, the 2.5th and 97.5th percentile.
    """
    rng = np.random.default_rng(_SEED)
    groups = {}
    for name, whether in GROUPS.items():
        values = np.array([score["precision"] for score in scores if score.get("in_captions") is whether])
        if len(values):
            means = values[rng.integers(len(values), size=(RESAMPLES, len(values)))].mean(1)
            low, high = np.percentile(means, [2.5, 97.5]).tolist()
            groups[name] = {"n": len(values), "mean_precision": float(values.mean()), "interval_95": [low, high]}
    return groups
