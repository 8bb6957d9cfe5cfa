"""Like any of several examples: the largest of their similarities in place of their sum.

With balanced similarities b_i(x) = scale_i (v_i . x) + offset_i, where scale and offset give the heatmaps of all
modalities one mean and one spread (1 and 0 in a query of one modality), a place x is as similar as

    s(x) = max over i with w_i > 0 of b_i(x)  -  sum over j with w_j < 0 of |w_j| scale_j (v_j . x)

divided by one length for all, so that inner products stay within [-1, 1]. Every example that is added counts in full,
whatever its weight; what is subtracted is subtracted as in a sum. Each term of the maximum is linear in x, so the
places most similar to any example are among those most similar to each: their union is exact with any store.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from unigeoclip.stores.base import Found

__all__ = ["alternatives", "best_of_any"]


def alternatives(
    weights: NDArray[np.float64], scales: NDArray[np.float64], offsets: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The terms of the maximum, before they are divided by one length.

    Args:
        weights: (items,) of the items.
        scales: (items,) factors that balance modalities.
        offsets: (items,) summands that balance modalities.

    Returns:
        (added, items) shares of the items in each term, and (added,) what is added to each.
    """
    added = np.flatnonzero(weights > 0)
    parts = np.tile(np.where(weights < 0, weights * scales, 0.0), (len(added), 1))
    parts[np.arange(len(added)), added] = scales[added]
    return parts, offsets[added]


def best_of_any(found: Found, offsets: Sequence[float]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The rows that a search of a store for each term found, each row once, by the largest of its terms.

    Args:
        found: A line a term.
        offsets: (terms,) what is added to the inner products of each.

    Returns:
        (n,) rows, and (n,) float32 values in falling order. The first ``top`` of them are exact where the search was.
    """
    known = found.rows.ravel() >= 0
    rows = found.rows.ravel()[known]
    values = (found.similarities + np.array(offsets, np.float32)[:, None]).ravel()[known]
    order = np.argsort(-values, kind="stable")
    order = order[np.sort(np.unique(rows[order], return_index=True)[1])]
    return rows[order], values[order]
