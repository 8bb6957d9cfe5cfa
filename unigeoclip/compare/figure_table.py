"""Figures of several embedders as a table: rows with values and intervals, as CSV, and as LaTeX for a paper."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from unigeoclip.compare.block_bootstrap import NORMAL_95

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Estimate", "Row", "method_of", "ring_name", "table_csv", "table_latex", "table_rows"]


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval of 95 %.

    Attributes:
        value: The figure.
        half: Half the width of the interval, 1.96 standard errors of the block bootstrap; None where there is none.
    """

    value: float
    half: float | None = None


@dataclass(frozen=True)
class Row:
    """A figure of all embedders.

    Attributes:
        key: Name in JSON and CSV.
        title: What it is.
        meaning: In a sentence.
        digits: After the decimal point.
        values: One an embedder; None where it is not defined.
        scale: What values are multiplied by to be shown: 100 for percent.
    """

    key: str
    title: str
    meaning: str
    digits: int
    values: tuple[Estimate | None, ...]
    scale: float = 1.0

    @property
    def unit(self) -> str:
        """Of the values as they are shown."""
        return "%" if self.scale == 100 else ""

    def interval(self, number: int) -> tuple[float, float] | None:
        """The interval of 95 % of an embedder's value, which ends at 1 where values do; None where there is none."""
        each = self.values[number]
        if each is None or each.half is None:
            return None
        high = each.value + each.half
        return each.value - each.half, high if self.key == "effective_rank" else min(high, max(1.0, each.value))


def table_rows(
    figures: Mapping[str, Mapping[str, Any]], agreement: Mapping[str, Mapping[str, Any]], reference: str
) -> list[Row]:
    """Rows of the table.

    Args:
        figures: By embedder, from `figures.figures`.
        agreement: By embedder, from `figures.agreement` with the reference; may lack some.
        reference: Title of the embedder that the others are compared with.
    """
    of = list(figures.values())
    alike = [agreement.get(name, {}) for name in figures]
    return [
        Row("variance", "Variance", "spread of the embeddings of this region, 0 (all the same) to 1", 3,
            _of(of, "variance")),
        Row("first_three", "First three components",
            "share of that variance that they explain, which the color scheme Components shows", 0,
            _of([{**each, "first_three": sum(each["shares"][:3])} for each in of], "first_three"), 100),
        Row("effective_rank", "Effective rank", "number of dimensions that are effectively used", 1,
            _of(of, "effective_rank")),
        Row("smooth_share", "Smooth in position",
            "share of the variance that a smooth function of position explains, cross-validated; the rest is detail, "
            "such as parks, coasts and districts", 0, _of(of, "smooth_share"), 100),
        Row("position_r2", "Position from the embedding",
            "R² of a linear probe that predicts the position, in blocks it was not fitted on: 1 = the embedding gives "
            "the position away, 0 or less = it does not", 2, _of(of, "position_r2")),
        *_moran_rows(of),
        Row("cka", f"CKA with {reference}", "how far the two models agree on which places are similar, 0 to 1", 2,
            _of(alike, "cka")),
        Row("neighbors", f"Shared neighbors with {reference}", "of the ten most similar places in a sample", 0,
            _of(alike, "neighbors"), 100),
    ]  # fmt: skip


def _of(figures: Sequence[Mapping[str, Any]], key: str) -> tuple[Estimate | None, ...]:
    return tuple(_estimate(each.get(key), each.get("errors", {}).get(key)) for each in figures)


def _estimate(value: float | None, error: float | None) -> Estimate | None:
    return None if value is None else Estimate(value, None if error is None else NORMAL_95 * error)


def _moran_rows(figures: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Moran's I at a short, a middle and a long distance that some model has a figure for."""
    count = min((len(each["moran"]) for each in figures), default=0)
    rings = [ring for ring in range(count) if any(each["moran"][ring][1] is not None for each in figures)]
    chosen = sorted({rings[0], rings[len(rings) // 2], rings[-1]}) if rings else []
    names = {rings[0]: "near", rings[-1]: "far"} if rings else {}
    rows = []
    for ring in chosen:
        errors = [(each["errors"].get("moran") or [None] * count)[ring] for each in figures]
        values = [_estimate(each["moran"][ring][1], error) for each, error in zip(figures, errors, strict=True)]
        rows.append(
            Row(
                f"moran_{names.get(ring, 'middle')}", f"Moran's I up to {ring_name(figures[0]['moran'][ring][0])}",
                "spatial autocorrelation, as a correlation of pairs: 1 = places at this distance are similar, "
                "0 = random", 2, tuple(values),
            )
        )  # fmt: skip
    return rows


def ring_name(meters: float) -> str:
    """A distance with the digits that matter."""
    if meters < 950:
        return f"{meters:.0f} m"
    return f"{meters / 1000:.1f} km" if meters < 9950 else f"{meters / 1000:,.0f} km".replace(",", "\u202f")


def method_of(figures: Mapping[str, Any]) -> str:
    """How the figures of a table were computed, in a sentence; ``figures`` are those of any of its embedders."""
    share = figures.get("share", 1.0)
    where = "" if share == 1 else f" in the {100 * share:.0f} % of the area for which all these models have vectors"
    return (
        f"{figures['n']:,} cells sampled by area{where}; intervals of 95 % from a bootstrap of {figures['blocks']} "
        f"square blocks, {figures['draws']} draws, seed {figures['seed']}."
    )


def table_csv(rows: Sequence[Row], embedders: Mapping[str, str], figures: Mapping[str, Any]) -> bytes:
    """The table as CSV in UTF-8, one line a figure of an embedder.

    Args:
        rows: From `table_rows`.
        embedders: Titles by name, in the order of the values.
        figures: Of any of the embedders, which say how they were computed.

    Returns:
        Columns "figure", "title", "embedder", "embedder_title", "value", "low", "high" (interval of 95 %), "n",
        "blocks", "draws", "seed"; empty where a value is not defined.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    made = [figures[key] for key in ("n", "blocks", "draws", "seed")]
    writer.writerow(
        ["figure", "title", "embedder", "embedder_title", "value", "low", "high", "n", "blocks", "draws", "seed"]
    )
    for row in rows:
        for number, ((name, title), each) in enumerate(zip(embedders.items(), row.values, strict=True)):
            ends = row.interval(number) or ()
            cells = ["" if each is None else f"{each.value:.6g}", *([f"{end:.6g}" for end in ends] or ["", ""])]
            writer.writerow([row.key, row.title, name, title, *cells, *made])
    return out.getvalue().encode()


def table_latex(
    rows: Sequence[Row], embedders: Mapping[str, str], figures: Mapping[str, Any], caption: str = ""
) -> bytes:
    r"""The table as LaTeX in UTF-8, for ``\usepackage{booktabs}``: values with half the width of their interval.

    Args:
        rows: From `table_rows`.
        embedders: Titles by name, in the order of the values.
        figures: Of any of the embedders, which say how they were computed.
        caption: What the table is about; how it was computed is added.
    """
    head = " & ".join(["", *(_escaped(title) for title in embedders.values())])
    lines = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{_escaped(f'{caption} {method_of(figures)}'.strip())}}}",
        rf"  \begin{{tabular}}{{l{'r' * len(embedders)}}}",
        r"    \toprule",
        rf"    {head} \\",
        r"    \midrule",
    ]
    for row in rows:
        title = f"{row.title} ({row.unit})" if row.unit else row.title
        lines.append(rf"    {' & '.join([_escaped(title), *(_cell(row, each) for each in row.values)])} \\")
    lines += [r"    \bottomrule", r"  \end{tabular}", r"\end{table}"]
    return ("\n".join(lines) + "\n").encode()


def _cell(row: Row, each: Estimate | None) -> str:
    if each is None:
        return "--"
    value = f"{row.scale * each.value:.{row.digits}f}"
    return f"${value}$" if each.half is None else rf"${value} \pm {row.scale * each.half:.{max(row.digits, 1)}f}$"


_SPECIAL = {sign: f"\\{sign}" for sign in "&%$#_{}"} | {
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}", "²": "$^2$", "\u202f": r"\,"
}  # fmt: skip


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(sign, sign) for sign in text)
