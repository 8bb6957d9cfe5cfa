"""The target and the groups of a table of labels, out of the columns of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from unigeoclip.errors import InputError, excerpt
from unigeoclip.tasks.values import Numbers, examples, is_date, numbers_of, plural, texts_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from unigeoclip.tasks.label_table import Kind, LabelTable

__all__ = ["MAX_CLASSES", "as_groups", "as_target", "check_target", "guess_kind"]

MAX_CLASSES = 500
MAX_CLASS_CHARACTERS = 200
MAX_WHOLE_CLASSES = 20  # different whole numbers that are taken for classes
FEW_OF_A_CLASS = 5
FEW_ROWS = 100
_PADDED = r"^0\d"  # a post code


def guess_kind(numbers: Numbers, column: pa.Array) -> Kind:
    """Whether a column is classes or amounts: few different whole numbers are classes.

    Args:
        numbers: The column as numbers.
        column: The column itself.
    """
    if pa.types.is_boolean(column.type) or not numbers.are_numbers:
        return "classification"
    if pa.types.is_string(column.type) and pc.any(pc.match_substring_regex(column, _PADDED)).as_py():
        return "classification"
    known = numbers.values[np.isfinite(numbers.values)]
    distinct = len(np.unique(known))
    if distinct <= 2:
        return "classification"
    few = distinct <= min(MAX_WHOLE_CLASSES, np.sqrt(len(known)))
    return "classification" if few and numbers.whole else "regression"


def as_target(
    column: pa.Array, name: str, kind: Kind | None
) -> tuple[NDArray[np.float64] | NDArray[np.str_], Kind, list[str]]:
    """The values of a target; NaN or "" in rows that have none.

    Args:
        column: The column.
        name: What it is called.
        kind: What it is; guessed if None.

    Returns:
        (n,) float64 or str; what it is; sentences on what was left out or guessed.

    Raises:
        InputError: It holds dates or, of a regression, text.
    """
    shown = excerpt(name, 40)
    if is_date(column):
        raise InputError(
            f"Column {shown!r} holds dates ({examples(column.cast(pa.string()))}): make a number of them, such as the"
            " year, and choose that column."
        )
    numbers = numbers_of(column)
    notes = []
    found: Kind = guess_kind(numbers, column) if kind is None else kind
    if found == "regression":
        return _amounts(numbers, shown), "regression", _left_out(numbers, shown)
    if kind is None and not pa.types.is_boolean(column.type) and numbers.are_numbers:
        different = len(np.unique(numbers.values[np.isfinite(numbers.values)]))
        notes.append(
            f"Column {shown!r} is taken for {different} classes, since"
            " it holds few different numbers; choose regression if they are amounts."
        )
    words, missing = texts_of(column)
    if missing.any():
        notes.append(f"Left out: {plural(int(missing.sum()), 'row')} without a value of {shown!r}.")
    return words, "classification", notes


def _amounts(numbers: Numbers, shown: str) -> NDArray[np.float64]:
    present = int((~numbers.missing).sum())
    if present and not numbers.are_numbers:
        raise InputError(
            f"{int(numbers.bad.sum()):,} of {present:,} values of {shown!r} are no numbers: {numbers.bad_examples()}."
            " Choose classification, or another column."
        )
    return numbers.values


def _left_out(numbers: Numbers, shown: str) -> list[str]:
    notes = [f"Column {shown!r}: {note}." for note in numbers.notes]
    present = int((~numbers.missing).sum())
    if numbers.missing.any():
        notes.append(f"Left out: {plural(int(numbers.missing.sum()), 'row')} without a value of {shown!r}.")
    if numbers.bad.any():
        notes.append(
            f"Left out: {int(numbers.bad.sum()):,} of {present:,} values of {shown!r}, which are no numbers:"
            f" {numbers.bad_examples()}."
        )
    if numbers.infinite.any():
        notes.append(f"Left out: {plural(int(numbers.infinite.sum()), 'infinite value')} of {shown!r}.")
    return notes


def check_target(table: LabelTable) -> list[str]:
    """Notes on the target of a table.

    Raises:
        InputError: There is nothing to predict: one value, or as many classes as an identifier has.
    """
    shown = excerpt(table.target_name, 40)
    values, counts = np.unique(table.target, return_counts=True)
    if len(values) == 1:
        raise InputError(
            f"Column {shown!r} has the value {excerpt(values[0], 30)!r} in all {len(table):,} rows: there is nothing to"
            " predict. Choose another column."
        )
    notes = []
    if len(table) < FEW_ROWS:
        notes.append(f"With {len(table)} rows the scores are uncertain: look at the intervals.")
    if table.kind == "regression":
        whole = np.asarray(table.target, np.float64)
        if len(values) == len(table) and (np.abs(np.diff(whole)) == 1).all():
            notes.append(f"Column {shown!r} counts the rows: it looks like a number of the row, not like an amount.")
        return notes
    if len(values) > MAX_CLASSES:
        many = "nearly as many as rows, like an identifier" if len(values) > 0.5 * len(table) else "too many classes"
        raise InputError(
            f"Column {shown!r} has {len(values):,} different values in {len(table):,} rows, {many}; at most"
            f" {MAX_CLASSES} classes are predicted. Choose another column, or regression if they are amounts."
        )
    if len(values) > 0.5 * len(table):
        raise InputError(
            f"Column {shown!r} has {len(values):,} different values in {len(table):,} rows, so most classes have one"
            " row and cannot be learned. Choose another column."
        )
    longest = max(values.tolist(), key=len)
    if len(longest) > MAX_CLASS_CHARACTERS:
        raise InputError(
            f"Column {shown!r} holds long texts ({excerpt(longest, 40)!r}), not names of classes. Choose another"
            " column."
        )
    rare = int((counts < FEW_OF_A_CLASS).sum())
    if rare:
        notes.append(
            f"{rare:,} of {len(values):,} classes have fewer than {FEW_OF_A_CLASS} rows; they are hardly learned."
        )
    if "NA" in values:
        notes.append(f"The value 'NA' of {shown!r} counts as a class; leave the cell empty where it means missing.")
    return notes


def as_groups(column: pa.Array, name: str, used: NDArray[np.bool_]) -> tuple[NDArray[np.str_], list[str]]:
    """The group of each row, "" where there is none.

    Args:
        column: The column of folds.
        name: What it is called.
        used: (n,) rows that have a position and a target.

    Raises:
        InputError: The rows have fewer than two groups.
    """
    words, missing = texts_of(column)
    shown, notes = excerpt(name, 40), []
    groups = np.unique(words[used & ~missing])
    if len(groups) < 2:
        which = f"one value, {excerpt(groups[0], 30)!r}" if len(groups) else "no value"
        raise InputError(
            f"The column of folds {shown!r} has {which} in the rows that are used; it needs at least two. Choose"
            " another column, or other folds."
        )
    if missing[used].any():
        notes.append(f"Left out: {plural(int(missing[used].sum()), 'row')} without a value of {shown!r}.")
    if len(groups) > 0.5 * used.sum():
        notes.append(f"Column {shown!r} has {len(groups):,} values: folds by it differ little from random ones.")
    return words, notes
