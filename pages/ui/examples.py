"""Queries that show something in one click, by atlas; items are written as in links."""

from __future__ import annotations

from typing import NamedTuple


class Example(NamedTuple):
    """One ready query."""

    title: str
    link: tuple[str, ...]


_TABLE: dict[str, tuple[Example, ...]] = {
    "world": (
        Example("hot desert", ("text:hot desert",)),
        Example("Himalaya", ("text:Himalaya",)),
        Example("big city by the sea", ("text:big city by the sea",)),
        Example("tropical rainforest", ("text:tropical rainforest",)),
        Example("like Naples", ("at:40.85,14.27",)),
        Example("Switzerland − mountains + sea", ("text:Switzerland", "-1*text:mountains", "text:sea")),
    ),
}


def examples(atlas: str) -> tuple[Example, ...]:
    """Examples for an atlas; none for one that has no line here."""
    return _TABLE.get(atlas, ())
