"""What the similarities of a query mean: the levels measured for its modality, where its form allows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from unigeoclip.search.query_items import space_of
from unigeoclip.similarity.levels import Levels, levels_of_modality

if TYPE_CHECKING:
    from collections.abc import Sequence

    from unigeoclip.search.query_items import QueryItem
    from unigeoclip.similarity.calibration import Calibration

__all__ = ["levels_of_query"]


def levels_of_query(measured: Calibration | None, items: Sequence[QueryItem]) -> Levels | None:
    """The levels of a query, which are measured for single items only.

    A weighted sum is shorter or longer than its terms by an amount that depends on how they agree, and what is
    subtracted shifts all similarities: no calibration of its terms holds for it.

    Args:
        measured: As `levels_of_modality` takes it.
        items: Terms of the query.

    Returns:
        None for sums, for what is only subtracted, for whole places, and where nothing was measured.
    """
    if len(items) != 1 or items[0].weight <= 0:
        return None
    return levels_of_modality(measured, space_of(items[0]))
