"""A table of positions with one target: what a probe learns to predict, of a built-in task or of a person's file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from unigeoclip.errors import InputError
from unigeoclip.geo import as_latlon

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Kind", "LabelTable"]

Kind = Literal["regression", "classification"]


@dataclass(frozen=True, eq=False)
class LabelTable:
    """Positions with a target, checked: no missing target, every position on the globe.

    Attributes:
        name: Key of the task, or the name of the file.
        latlon: (n, 2) float64 degrees, n >= 1.
        target: (n,) float64 and finite for a regression; (n,) str for a classification.
        kind: What the target is.
        target_name: What it is called, as the column of a file.
        unit: Its unit, for people; empty for none.
        groups: (n,) str, the fold column of a person's file, a country or a state; None without.
        group_name: What the groups are called.
        areas: (n, k, 2) float64 degrees for targets of areas, such as census tracts: points over which the embedding of
            a row is averaged; NaN pads rows with fewer points. None where a row is its position.
        notes: Sentences on what was left out or changed while the table was read.
    """

    name: str
    latlon: NDArray[np.float64]
    target: NDArray[np.float64] | NDArray[np.str_]
    kind: Kind
    target_name: str
    unit: str = ""
    groups: NDArray[np.str_] | None = None
    group_name: str = ""
    areas: NDArray[np.float64] | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check that the columns belong together.

        Raises:
            InputError: Lengths or types differ from what is described above, a target is missing, or a position is not
                on the globe.
        """
        object.__setattr__(self, "latlon", as_latlon(self.latlon))
        n = len(self.latlon)
        if n == 0:
            raise InputError(f"The table {self.name!r} has no row with a position and a target.")
        for what, column in (("target", self.target), ("groups", self.groups), ("areas", self.areas)):
            if column is not None and len(column) != n:
                raise InputError(f"The table {self.name!r} has {n} positions but {len(column)} {what}.")
        numeric = np.issubdtype(self.target.dtype, np.floating)
        if numeric != (self.kind == "regression"):
            raise InputError(f"A {self.kind} does not have targets of type {self.target.dtype}.")
        if numeric and not np.isfinite(np.asarray(self.target, np.float64)).all():
            raise InputError(f"The table {self.name!r} has targets that are missing or infinite: leave those rows out.")

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.latlon)

    def points(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Row (m,), rising, and position (m, 2) of every point: of the rows, or of their areas.

        An area without a point is its position.
        """
        if self.areas is None:
            return np.arange(len(self)), self.latlon
        inside = np.isfinite(self.areas.sum(axis=2))
        empty = np.flatnonzero(~inside.any(axis=1))
        owner = np.concatenate([np.nonzero(inside)[0], empty])
        order = np.argsort(owner, kind="stable")
        return owner[order], np.concatenate([self.areas[inside], self.latlon[empty]])[order]

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> LabelTable:
        """The table of some of its rows, by number or mask.

        Raises:
            InputError: None is left.
        """
        return replace(
            self,
            latlon=self.latlon[rows],
            target=self.target[rows],
            groups=None if self.groups is None else self.groups[rows],
            areas=None if self.areas is None else self.areas[rows],
        )
