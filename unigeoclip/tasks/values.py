"""Values of a column as numbers or classes, in the notations that people write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from unigeoclip.errors import excerpt

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Numbers", "examples", "is_date", "missing_text", "numbers_of", "plural", "texts_of"]

# What stands for a missing number. Of classes only the first three do: NA may be Namibia.
_MISSING_TEXT = ("", "NaN", "nan", "null", "NULL", "#N/A")
_MISSING_NUMBER = (*_MISSING_TEXT, "NA", "na", "N/A", "n/a", "None", "none", "-", "--", ".", "?")
_PLAIN = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$"
_INFINITE = r"^[+-]?[iI]nf(inity)?$"
_THOUSANDS = r"^[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d*)?$"  # 1,200 or 1,200.50
_DECIMAL_COMMA = r"^[+-]?(\d+|[1-9]\d{0,2}(\.\d{3})+),\d*$"  # 1,5 or 1.200,5
_SPACED = r"^[+-]?[1-9]\d{0,2}(['’\x{00A0}\x{202F} ]\d{3})+([.,]\d*)?$"  # 1 200 or 1'200.5
_SIGNS = r"^([+-]?)[$€£¥]\s?|\s?[%€£]$"
_DATE = r"^\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([T ]\d{1,2}:\d{2}.*)?$|^\d{1,2}[./]\d{1,2}[./]\d{2,4}$"
_MOST_NUMBERS = 0.9  # share of the values of a column of numbers that must be numbers
_SHOWN = 3


@dataclass(frozen=True, eq=False)
class Numbers:
    """A column as numbers.

    Attributes:
        values: (n,) float64; NaN where a value is missing, infinite or no number.
        missing: (n,) bool: there is no value.
        bad: (n,) bool: there is a value, and it is no number.
        infinite: (n,) bool.
        texts: (n,) what is written, for messages; None for columns that hold numbers.
        notes: How values were read that are not plain numbers.
    """

    values: NDArray[np.float64]
    missing: NDArray[np.bool_]
    bad: NDArray[np.bool_]
    infinite: NDArray[np.bool_]
    texts: pa.Array | None = None
    notes: tuple[str, ...] = ()

    @property
    def are_numbers(self) -> bool:
        """Whether the column is one of numbers: nearly all of its values are."""
        present = int((~self.missing).sum())
        return present > 0 and int(self.bad.sum()) <= (1 - _MOST_NUMBERS) * present

    @property
    def whole(self) -> bool:
        """Whether all numbers are whole."""
        known = self.values[np.isfinite(self.values)]
        return bool(len(known)) and bool((known == np.round(known)).all())

    def bad_examples(self) -> str:
        """Some values that are no numbers: "'$1,200', 'unknown'"."""
        return "" if self.texts is None else examples(self.texts.filter(pa.array(self.bad)))


def examples(values: pa.Array | pa.ChunkedArray, shown: int = _SHOWN) -> str:
    """The first different values for a message, "'a', 'b', ..."."""
    some = values.slice(0, 10_000).unique().to_pylist()
    words = [repr(excerpt(value, 30)) for value in some[:shown] if value is not None]
    return ", ".join([*words, *(["..."] if len(some) > shown else [])])


def plural(number: int, what: str) -> str:
    """A count with its noun: "1 row", "7 rows"."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def missing_text(column: pa.Array) -> NDArray[np.bool_]:
    """Which texts stand for a missing class, (n,)."""
    trimmed = pc.utf8_trim_whitespace(pc.fill_null(column, ""))
    return np.asarray(pc.is_in(trimmed, value_set=pa.array(_MISSING_TEXT)))


def is_date(column: pa.Array) -> bool:
    """Whether a column holds dates."""
    if pa.types.is_timestamp(column.type):
        return True
    if not pa.types.is_string(column.type):
        return False
    present = column.filter(pa.array(~missing_text(column)))
    return len(present) > 0 and bool(pc.mean(pc.match_substring_regex(present, _DATE)).as_py() > _MOST_NUMBERS)


def texts_of(column: pa.Array, numbers: Numbers | None = None) -> tuple[NDArray[np.str_], NDArray[np.bool_]]:
    """A column as names of classes or groups.

    Args:
        column: Of any type.
        numbers: The same column as numbers, where it is one of whole numbers.

    Returns:
        (n,) str, trimmed, empty where missing; (n,) bool, which are missing.
    """
    if pa.types.is_boolean(column.type):
        missing = np.asarray(column.is_null())
        words = np.where(np.asarray(pc.fill_null(column, False)), "true", "false")
    elif pa.types.is_string(column.type):
        missing = missing_text(column)
        trimmed = pc.utf8_trim_whitespace(pc.fill_null(column, ""))
        lower = pc.utf8_lower(trimmed)
        if set(lower.filter(pa.array(~missing)).unique().to_pylist()) <= {"true", "false"}:
            trimmed = lower  # R writes TRUE, Python True
        words = np.array(trimmed.to_pylist(), dtype=np.str_)
    elif pa.types.is_timestamp(column.type):
        missing = np.asarray(column.is_null())
        words = np.array([str(value) for value in column.to_pylist()], dtype=np.str_)
    else:
        found = numbers_of(column) if numbers is None else numbers
        missing = ~np.isfinite(found.values)
        words = np.array([f"{value:.15g}" for value in found.values.tolist()], dtype=np.str_)
    return np.where(missing, "", words), missing


def numbers_of(column: pa.Array, decimal_comma: bool = False) -> Numbers:
    """A column as numbers.

    Args:
        column: Of numbers, true and false (1 and 0), or text.
        decimal_comma: Take "1,200" for 1.2, as in columns of degrees.
    """
    if pa.types.is_string(column.type):
        return _of_text(pc.utf8_trim_whitespace(column), decimal_comma)
    missing = np.asarray(column.is_null())
    nothing = np.zeros(len(column), bool)
    if pa.types.is_timestamp(column.type):
        return Numbers(np.full(len(column), np.nan), missing, ~missing, nothing, column.cast(pa.string()))
    values = np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64).copy()
    infinite = np.isinf(values)
    missing |= np.isnan(values)
    values[infinite] = np.nan
    return Numbers(values, missing, nothing, infinite)


def _of_text(texts: pa.StringArray, decimal_comma: bool) -> Numbers:
    texts = pc.fill_null(texts, "")
    missing = np.asarray(pc.is_in(texts, value_set=pa.array(_MISSING_NUMBER)))
    written = pc.replace_substring(texts, "\u2212", "-")  # the typographic minus
    infinite = _matches(written, _INFINITE) & ~missing
    signed = pc.replace_substring_regex(written, _SIGNS, r"\1")
    notes = []
    has_sign = np.asarray(pc.not_equal(signed, written)) & ~missing
    if has_sign.any():
        notes.append(f"signs were left out, as in {_first(written, has_sign)}")
    plain = pc.replace_substring_regex(signed, "(\\d)['’\u00a0\u202f ](\\d{3})", r"\1\2")
    spaced = _matches(signed, _SPACED) & ~missing
    # Twice, since neighbouring groups share a digit's place: 1 234 567.
    plain = pc.replace_substring_regex(plain, "(\\d)['’\u00a0\u202f ](\\d{3})", r"\1\2")
    plain = pc.if_else(pa.array(spaced), plain, signed)
    plain, said = _without_commas(plain, missing, decimal_comma)
    notes += said
    good = _matches(plain, _PLAIN) & ~missing
    values = np.full(len(texts), np.nan)
    values[good] = np.asarray(plain.filter(pa.array(good)).cast(pa.float64()))
    infinite |= np.isinf(values)
    values[infinite] = np.nan
    return Numbers(values, missing, ~good & ~missing & ~infinite, infinite, texts, tuple(notes))


def _without_commas(texts: pa.Array, missing: NDArray[np.bool_], decimal: bool) -> tuple[pa.Array, list[str]]:
    """Numbers with commas as plain ones: what commas mean is decided for the column as a whole."""
    thousands = _matches(texts, _THOUSANDS) & ~missing
    commas = _matches(texts, _DECIMAL_COMMA) & ~missing
    if not (thousands.any() or commas.any()):
        return texts, []
    points = np.asarray(pc.match_substring(texts, ".")) & _matches(texts, _PLAIN)
    surely = commas & ~thousands
    meaning: Literal["decimal", "thousands"] = "thousands"
    if decimal or (surely.any() and surely.sum() >= points.sum()):
        meaning = "decimal"
    if meaning == "decimal":
        moved = pc.replace_substring(pc.replace_substring(texts, ".", ""), ",", ".")
        rows, words = commas, "decimal commas"
    else:
        moved = pc.replace_substring(texts, ",", "")
        rows, words = thousands, "thousands separators"
    if not rows.any():
        return texts, []
    example = _first(texts, rows)
    number = float(moved.filter(pa.array(rows))[0].as_py())
    return pc.if_else(pa.array(rows), moved, texts), [f"commas were read as {words}, {example} as {number:.15g}"]


def _matches(texts: pa.Array, pattern: str) -> NDArray[np.bool_]:
    return np.asarray(pc.match_substring_regex(texts, pattern))


def _first(texts: pa.Array, rows: NDArray[np.bool_]) -> str:
    return repr(excerpt(texts.filter(pa.array(rows))[0].as_py(), 30))
