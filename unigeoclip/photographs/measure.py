"""Figures of a model on photographs of spots: who finds what, how well trees are counted. Arrays in, numbers out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.evaluation.retrieval import ranks
from unigeoclip.extras import needs_extra

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["Found", "probe_trees", "rank_among", "summary"]

RESAMPLES = 2000
_PENALTIES = np.logspace(0, 5, 11)


@dataclass(frozen=True)
class Found:
    """Ranks of the right answer, for the queries of all cities, once for each seed.

    Attributes:
        ranks: (seeds, n) int64, 1 is best.
        gallery: Mean number of items among which was searched.
    """

    ranks: NDArray[np.int64]
    gallery: float


def rank_among(queries: NDArray[np.float32], gallery: NDArray[np.float32]) -> NDArray[np.int64]:
    """Rank (n,) of each query's own item, which has the same row; ties count against the query.

    Args:
        queries: (n, dim) unit vectors.
        gallery: (m, dim) unit vectors, m at least n.
    """
    return ranks(queries, gallery)[0]


def summary(found: Found, seed: int = 0) -> dict[str, Any]:
    """Recall in percent: mean over seeds, with a 95 % interval over queries and the spread of the seeds.

    The interval is a percentile bootstrap over the queries, of which each counts with its mean over the seeds.
    """
    rng = np.random.default_rng(seed)
    count = found.ranks.shape[1]
    draws = rng.integers(count, size=(RESAMPLES, count))
    out: dict[str, Any] = {"n": count, "gallery": found.gallery, "seeds": len(found.ranks)}
    for most in (1, 10):
        hits = (found.ranks <= most).astype(np.float64)
        of_query = hits.mean(axis=0)
        low, high = np.percentile(of_query[draws].mean(axis=1), [2.5, 97.5])
        out[f"recall@{most}"] = 100 * float(of_query.mean())
        out[f"recall@{most}_interval"] = [100 * float(low), 100 * float(high)]
        out[f"recall@{most}_seeds"] = (100 * hits.mean(axis=1)).tolist()
    return out


def probe_trees(
    vectors: NDArray[np.floating[Any]], trees: NDArray[np.float64], city: NDArray[np.object_], test: str
) -> float:
    """R2 of the number of trees in the photographs of one city, by a ridge fitted on the other cities.

    The penalty is chosen on the other cities alone, each left out once; R2 is against the mean of the test city.

    Args:
        vectors: (n, dim) features of photographs.
        trees: (n,) counts, NaN where nobody counted.
        city: (n,) city of each photograph.
        test: The city that is predicted.

    Raises:
        MissingPackageError: scikit-learn is not installed.
    """
    with needs_extra("compare"):
        from sklearn.linear_model import Ridge
        from sklearn.metrics import r2_score
        from sklearn.model_selection import GridSearchCV, LeaveOneGroupOut
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

    known = np.isfinite(trees)
    fitted_on, tested = known & (city != test), known & (city == test)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), Ridge()), {"ridge__alpha": _PENALTIES}, scoring="r2", cv=LeaveOneGroupOut()
    )
    search.fit(vectors[fitted_on], trees[fitted_on], groups=city[fitted_on])
    return float(r2_score(trees[tested], search.predict(vectors[tested])))


def scores_of_trees(scores: Mapping[str, Sequence[float]], n: int) -> dict[str, Any]:
    """R2 by city, one value a seed: the mean over cities and seeds, and the lowest and highest city.

    Args:
        scores: City -> R2 of each seed.
        n: Photographs with a count.
    """
    by_city = {city: float(np.mean(values)) for city, values in scores.items()}
    seeds = np.array(list(scores.values())).mean(axis=0)
    return {"n": n, "r2": float(seeds.mean()), "r2_seeds": seeds.tolist(), "r2_cities": by_city}
