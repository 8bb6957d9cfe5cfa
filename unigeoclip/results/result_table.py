"""A table of figures as text, which the documentation and page Atlas show."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DASH", "ResultTable", "with_interval"]

DASH = "–"


@dataclass(frozen=True)
class ResultTable:
    """A table of figures as text.

    Attributes:
        head: Headings of its columns.
        rows: Its cells; the best of a row between double asterisks.
        source: What it is and where it comes from, where that is not said around it: words, and a link.
    """

    head: list[str]
    rows: list[list[str]]
    source: tuple[str, str] | None = None


def with_interval(value: float, low: float | None, high: float | None, digits: int = 2) -> str:
    """A figure with its interval in brackets, where it has one."""
    if low is None or high is None:
        return f"{value:.{digits}f}"
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"
