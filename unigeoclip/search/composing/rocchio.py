"""Votes on results refine a query: relevance feedback after Rocchio.

J. J. Rocchio, "Relevance feedback in information retrieval", in G. Salton (ed.), The SMART Retrieval System, 1971:

    q' = ALPHA q + BETA / |R| * sum of the items of R - GAMMA / |N| * sum of the items of N

for a query q, the results R that are voted up and N that are voted down. The weights are those of Salton and Buckley,
"Improving retrieval performance by relevance feedback", JASIS 41, 1990. Votes are items of the query like any other:
they are balanced with it as `QueryEncoder.encode` says, and their weights can be changed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from unigeoclip.search.query_items import ITEM, GalleryItem, QueryItem

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["ALPHA", "BETA", "DOWN", "GAMMA", "UP", "vote_of", "voted", "votes_of"]

ALPHA, BETA, GAMMA = 1.0, 0.75, 0.25
UP, DOWN = 1, -1
_DIGITS = 3  # of a weight, which stands in links


def votes_of(items: Sequence[QueryItem]) -> tuple[QueryItem, ...]:
    """The items of a query that are votes on results."""
    return tuple(item for item in items if item.modality == ITEM)


def vote_of(items: Sequence[QueryItem], voted: GalleryItem) -> int:
    """`UP` or `DOWN` for an item that was voted on, else 0."""
    weight = next((item.weight for item in votes_of(items) if item.value == voted), 0.0)
    return UP if weight > 0 else DOWN if weight < 0 else 0


def voted(items: Sequence[QueryItem], item: GalleryItem, vote: int, label: str = "") -> tuple[QueryItem, ...]:
    """The items of a query after a vote on a result; the same vote again takes it back.

    The weights of all votes become those of the formula, except what somebody has changed by hand.

    Args:
        items: Before.
        item: What is voted on.
        vote: `UP` or `DOWN`.
        label: Its name.
    """
    is_taken_back = vote_of(items, item) == vote
    others = [each for each in items if not (each.modality == ITEM and each.value == item)]
    after = others if is_taken_back else [*others, QueryItem(ITEM, item, vote * BETA, label)]
    before = {sign: _weight(items, sign) for sign in (UP, DOWN)}
    now = {sign: _weight(after, sign) for sign in (UP, DOWN)}
    result = []
    for each in after:
        sign = UP if each.weight > 0 else DOWN
        is_new = each.modality == ITEM and each.value == item
        is_automatic = each.modality == ITEM and (is_new or each.weight == before[sign])
        result.append(replace(each, weight=now[sign]) if is_automatic else each)
    return tuple(result)


def _weight(items: Sequence[QueryItem], sign: int) -> float:
    """Weight of each vote of a kind by the formula."""
    count = sum(item.weight * sign > 0 for item in votes_of(items))
    return round(sign * (BETA if sign == UP else GAMMA) / max(count, 1), _DIGITS)
