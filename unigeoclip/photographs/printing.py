"""Figures on photographs as lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["real_lines"]

_WIDTH = 34


def real_lines(report: Mapping[str, Any]) -> list[str]:
    """Tables of what `report.evaluate_real` gives.

    Args:
        report: The report.
    """
    spots = sum(report["spots"].values())
    lines = [
        f"Photographs of {spots} spots in {len(report['spots'])} cities; each city is the test once, never seen.",
        f"Trunk {report['trunk']} at {report['px']} px. In brackets: 95 % interval over spots.",
    ]
    for name, figures in report["models"].items():
        lines += ["", f"{name}", f"{'':{_WIDTH}}{'first':>22}{'in first 10':>22}{'of':>8}{'seeds':>7}"]
        for pair, found in figures["retrieval"].items():
            first, ten = (_share(found, f"recall@{most}") for most in (1, 10))
            lines.append(f"{pair:{_WIDTH}}{first:>22}{ten:>22}{found['gallery']:>8.0f}{found['seeds']:>7}")
        if trees := figures.get("trees"):
            cities = ", ".join(f"{city} {value:.2f}" for city, value in trees["r2_cities"].items())
            lines.append(f"number of trees: R2 {trees['r2']:.2f} ({cities}; {trees['n']:,} photographs)")
    return lines


def _share(found: Mapping[str, Any], key: str) -> str:
    low, high = found[f"{key}_interval"]
    return f"{found[key]:.1f} [{low:.1f}, {high:.1f}]"
