"""Descriptions in words, measured: how much phrases explain, and whether they are true of held-out places.

A phrase counts as true by the rules of `facts`, on the class and the captions of the place. Chance is how often
the same phrases are true of the other held-out places: a phrase that fits everywhere gains nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.evaluation import glossary
from unigeoclip.evaluation.held_out import encode_items, held_out
from unigeoclip.evaluation.words.facts import CITY_RULES, WORLD_RULES, rule_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.evaluation.held_out import HeldOut
    from unigeoclip.search.explorer import Explorer
    from unigeoclip.words.describer import Description
    from unigeoclip.words.vocabulary import Vocabulary

__all__ = ["measured_words"]

PLACES = 1000  # held-out places of each modality at most
RESAMPLES = 2000
SEED = 0


def measured_words(explorer: Explorer, split: str, most: int = PLACES) -> dict[str, Any]:
    """Measure the descriptions of held-out places in every modality.

    Args:
        explorer: Of the atlas and model.
        split: That of the model's training.
        most: Places of each modality at most.

    Returns:
        ``{"split", "means", "vocabulary": {"name", "phrases", "judged"}, "modalities": {name: {"n", "described",
        "phrases_per_place", "explained": {"median", "interval_95"}, "explained_by_chance", "level", "judged_phrases",
        "precision", "precision_interval_95", "chance", "gain_interval_95", "first_phrase_precision",
        "by_kind": {kind: {"n", "precision", "chance"}}}}}``. Shares lie between 0 and 1. The shares that are explained
        are those of described places; intervals come from a bootstrap over places.

    Raises:
        InputError: The model knows no words, or the atlas has no such split.
    """
    vocabulary = explorer.descriptions.describer.vocabulary
    judged = sum(rule_of(*each, _rules(vocabulary)) is not None for each in zip(*_columns(vocabulary), strict=True))
    counts = {"name": vocabulary.name, "phrases": len(vocabulary), "judged": judged}
    found: dict[str, Any] = {}
    for name in explorer.modalities:
        items = held_out(explorer.atlas, split, most, having=(name,))
        if len(items) > 1:
            found[name] = _of_modality(explorer, name, items)
    means = glossary.of_split(explorer.atlas, split)
    return {"split": split, "means": means, "vocabulary": counts, "modalities": found}


def _columns(vocabulary: Vocabulary) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return vocabulary.phrases, vocabulary.kinds


def _rules(vocabulary: Vocabulary) -> Any:
    return CITY_RULES if vocabulary.name == "city" else WORLD_RULES


def _of_modality(explorer: Explorer, name: str, items: HeldOut) -> dict[str, Any]:
    vectors = encode_items(explorer.model, explorer.atlas, name, items)
    described = [explorer.descriptions.vector(vector, name) for vector in vectors]
    reference = explorer.descriptions.reference(name)
    known = [each for each in described if each.is_known]
    explained = np.array([each.explained for each in known])
    figures: dict[str, Any] = {
        "n": len(items),
        "described": len(known) / len(items),
        "phrases_per_place": float(np.mean([len(each.phrases) for each in known])) if known else 0.0,
        "explained_by_chance": reference.chance,
        "level": reference.level,
    }
    if known:
        rng = np.random.default_rng(SEED)
        medians = np.median(explained[rng.integers(len(known), size=(RESAMPLES, len(known)))], axis=1)
        figures["explained"] = {"median": float(np.median(explained)), "interval_95": _interval(medians)}
    return figures | _precision(*_judgments(explorer, items, described))


def _judgments(
    explorer: Explorer, items: HeldOut, described: list[Description]
) -> tuple[NDArray[np.float64], list[str]]:
    """Every judged phrase of every place: (n, 4) item, rank, whether it is true, its chance; and its kind, (n,)."""
    vocabulary = explorer.descriptions.describer.vocabulary
    strata = explorer.atlas.places["stratum"].to_numpy()[items.rows]
    captions = [[(str(kind), str(text)) for kind, text in explorer.atlas.captions(int(row))] for row in items.rows]
    truths: dict[str, NDArray[np.bool_]] = {}
    rows, kinds = [], []
    for item, description in enumerate(described):
        for rank, phrase in enumerate(description.phrases):
            rule = rule_of(phrase.text, phrase.kind, _rules(vocabulary))
            if rule is None:
                continue
            if phrase.text not in truths:
                holds = [rule.holds(str(stratum), said) for stratum, said in zip(strata, captions, strict=True)]
                truths[phrase.text] = np.array(holds)
            truth = truths[phrase.text]
            others = (truth.sum() - truth[item]) / (len(truth) - 1)
            rows.append((item, rank, float(truth[item]), float(others)))
            kinds.append(phrase.kind)
    return np.array(rows, np.float64).reshape(-1, 4), kinds


def _precision(judgments: NDArray[np.float64], kinds: list[str]) -> dict[str, Any]:
    """Share of the judged phrases that are true, and the same of other places; intervals over places."""
    figures: dict[str, Any] = {"judged_phrases": len(judgments)}
    if not len(judgments):
        return figures
    _, place = np.unique(judgments[:, 0], return_inverse=True)
    sums = np.stack([np.bincount(place, column) for column in (np.ones(len(place)), *judgments.T[2:])], axis=1)
    rng = np.random.default_rng(SEED)
    drawn = np.array([sums[rng.integers(len(sums), size=len(sums))].sum(axis=0) for _ in range(RESAMPLES)])
    precision, chance = drawn[:, 1] / drawn[:, 0], drawn[:, 2] / drawn[:, 0]
    first = judgments[judgments[:, 1] == 0]
    by_kind = {}
    for kind in sorted(set(kinds)):
        some = judgments[np.array([each == kind for each in kinds])]
        by_kind[kind] = {"n": len(some), "precision": float(some[:, 2].mean()), "chance": float(some[:, 3].mean())}
    return figures | {
        "precision": float(judgments[:, 2].mean()),
        "precision_interval_95": _interval(precision),
        "chance": float(judgments[:, 3].mean()),
        "gain_interval_95": _interval(precision - chance),
        "first_phrase_precision": float(first[:, 2].mean()) if len(first) else None,
        "by_kind": by_kind,
    }


def _interval(values: NDArray[np.float64]) -> list[float]:
    low, high = np.percentile(values, [2.5, 97.5]).tolist()
    return [low, high]
