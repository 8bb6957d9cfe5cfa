"""Training batches drawn afresh at every step: positions, windows and subsets of sentences are never a fixed list."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from scipy.spatial import cKDTree

from unigeoclip.geo import EARTH_RADIUS_M, as_latlon, offset_m, unit_xyz
from unigeoclip.search.gallery_embeddings import text_batch
from unigeoclip.training.sampling.draws import DrawConfig, changed, drawn_changes, with_neighbors

if TYPE_CHECKING:
    from typing import Self

    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas

JITTER = 0.5  # of the distance to the nearest other place: draws then cover the land between places
JITTER_MAX_M = 40_000.0
# A picture that few places have would hardly be told from others: so much of a batch at least is drawn where it is.
LEAST_SHARE = 0.25
# Weights of the kinds of sentences when some of a place's are drawn; 1 where none is given. Lists of what a whole
# country digs or makes say little about a place in it.
KIND_WEIGHTS = {
    "resources": 0.25, "industries": 0.25, "crops": 0.5, "factbook_climate": 0.5, "factbook_terrain": 0.5, "gloss": 0.5,
}  # fmt: skip


class Share(NamedTuple):
    """The part of a batch that one of several processes computes."""

    rank: int = 0
    of: int = 1

    @property
    def rows(self) -> slice:
        """Its places: every ``of``-th."""
        return slice(self.rank, None, self.of)


WHOLE = Share()


@dataclass(frozen=True)
class Draw:
    """Places that were drawn, before anything is cut out or rendered for them.

    Attributes:
        latlon: (n, 2) degrees.
        sentences: (n) rows of the sentences of each.
    """

    latlon: NDArray[np.float64]
    sentences: list[NDArray[np.int64]]

    def part(self, rows: slice) -> Self:
        """Some of the places."""
        return replace(self, latlon=self.latlon[rows], sentences=self.sentences[rows])


class PlaceSampler:
    """Draw the batch of a step: a pure function of (seed, step), so that a training resumes exactly.

    A place of the training split is drawn, its position moved at random by about half the distance to its neighbours,
    and the sentences are those of the training place that is then nearest. With the split ``blocks`` a position whose
    nearest place of all lies in a held-out block or in the buffer round it is drawn back to its own place.
    """

    samplers: tuple[PlaceSampler, ...]  # itself alone; see `mixture.Mixture`, which has the same interface
    share = 1.0  # of the steps that draw from it

    def __init__(
        self,
        atlas: Atlas,
        split: str,
        sentence_vectors: NDArray[np.float16],
        windows_px: dict[str, int],
        seed: int = 0,
        draws: DrawConfig = DrawConfig(),  # noqa: B008  # frozen
    ) -> None:
        """Index the training places.

        Args:
            atlas: The atlas.
            split: ``random``, ``blocks`` or ``views``; a column of the places.
            sentence_vectors: (sentences, 384) vectors of all sentences of the atlas.
            windows_px: Raster modality -> side of the window in pixels.
            seed: Of all draws.
            draws: What is done to a batch.
        """
        self.atlas, self.seed, self.windows_px, self.draws = atlas, seed, windows_px, draws
        self.samplers = (self,)
        self.vectors = sentence_vectors
        places = atlas.places
        latlon = places[["lat", "lon"]].to_numpy(np.float64)
        # Held-out cameras stand in territory that is trained on, and so do all places.
        trained = np.ones(len(places), bool) if split == "views" else (places[split] == "train").to_numpy()
        self.train = np.flatnonzero(trained)
        self.latlon = latlon[self.train]
        self.sentences: list[NDArray[np.int64]] = [
            np.asarray(rows, np.int64) for rows in places["sentences"].iloc[self.train]
        ]
        kinds, kind_of = np.unique(atlas.sentences["kind"].to_numpy(str), return_inverse=True)
        weights = np.array([KIND_WEIGHTS.get(str(kind), 1.0) for kind in kinds])
        self.sentence_weights = [kind_weights(kind_of[rows], weights) for rows in self.sentences]
        self.tree = cKDTree(unit_xyz(self.latlon))
        spacing = self.tree.query(unit_xyz(self.latlon), k=2)[0][:, 1] * EARTH_RADIUS_M
        self.sigma_m = np.minimum(JITTER * spacing, JITTER_MAX_M)
        self.rare = {name: rows for name in windows_px if (rows := self._where_rare(name, self.latlon)) is not None}
        self.held_out_tree = None
        if split == "blocks":
            self.held_out_tree = cKDTree(unit_xyz(latlon[(places[split] != "train").to_numpy()]))

    def at(self, step: int) -> PlaceSampler:
        """The sampler that a step draws from: this one, whatever the step."""
        return self

    def positions(self, count: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Draw positions on land and the row (among the training places) whose sentences go with each."""
        rows = drawn(len(self.train), count, self.rare, rng)
        return self.moved(with_neighbors(rows, self.tree, self.draws.near, rng), rng)

    def near_towns(self, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draw positions near towns, (count, 2) degrees; anywhere in an atlas that does not tell where they are."""
        rows = np.flatnonzero((self.atlas.places["stratum"].iloc[self.train] == "city").to_numpy())
        rows = rows if len(rows) else np.arange(len(self.train))
        return self.moved(rows[rng.integers(len(rows), size=count)], rng)[0]

    def _where_rare(self, modality: str, latlon: NDArray[np.float64]) -> NDArray[np.int64] | None:
        """Rows of the points that have a modality, if it is rare among them; else None."""
        if self.atlas.validity(modality) is None:
            return None
        rows = np.flatnonzero(self.atlas.present_at(modality, latlon))
        return rows if 0 < len(rows) < LEAST_SHARE * len(latlon) else None

    def moved(self, rows: NDArray[np.int64], rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Move training places at random on land: (n,) rows -> (n, 2) degrees, and rows of the sentences there."""
        move = rng.normal(size=(2, len(rows))) * self.sigma_m[rows]
        own = self.latlon[rows]
        moved = as_latlon(offset_m(own, move[0], move[1]))
        distance, nearest = self.tree.query(unit_xyz(moved))
        keep = self.atlas.is_land(moved)
        if self.held_out_tree is not None:
            keep &= self.held_out_tree.query(unit_xyz(moved))[0] > distance
        return np.where(keep[:, None], moved, own), np.where(keep, nearest, rows)

    def some_sentences(self, row: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw sentences of the training place ``row``, as `some_sentences` does."""
        return some_sentences(self.sentences[row], self.sentence_weights[row], rng)

    def batch(self, step: int, size: int, share: Share = WHOLE) -> dict[str, Any]:
        """Raw inputs of every modality for one step, as :meth:`UniGeoCLIP.prepare` takes them.

        All is drawn for the whole batch and only then cut out of rasters and rendered for a share of it: so many
        processes together compute exactly the batch that one would.

        ``"present"`` holds which rows have a modality, where some lack it: name -> (n,) truth values, as
        `losses.all_to_all_loss` takes them. Rows lack what a raster does not cover, and what `DrawConfig` takes away.

        Args:
            step: Number of the step.
            size: Places of the whole batch.
            share: Whose part of it; places that are ``share.rank`` modulo ``share.of``.
        """
        rng = np.random.default_rng((self.seed, step))
        draw, pictures = self.draw(size, rng), tuple(self.windows_px)
        changes = drawn_changes(size, self.draws, pictures, rng)
        return changed(self.inputs(draw.part(share.rows)), changes.part(share.rows), pictures)

    def drawn_inputs(self, size: int, rng: np.random.Generator) -> dict[str, Any]:
        """A batch as it is drawn, before `DrawConfig` changes it."""
        return self.inputs(self.draw(size, rng))

    def draw(self, size: int, rng: np.random.Generator) -> Draw:
        """Draw the places of a batch."""
        return self._with_sentences(*self.positions(size, rng), rng)

    def _with_sentences(self, latlon: NDArray[np.float64], rows: NDArray[np.int64], rng: np.random.Generator) -> Draw:
        return Draw(latlon, [self.some_sentences(row, rng) for row in rows])

    def inputs(self, draw: Draw) -> dict[str, Any]:
        """Location, windows and sentences of the places of a draw."""
        latlon = draw.latlon
        inputs: dict[str, Any] = {"location": latlon}
        for name, px in self.windows_px.items():
            inputs[name] = self.atlas.raster(name).windows(latlon, self.atlas.window_m, px)
        inputs["text"] = text_batch(draw.sentences, self.vectors)
        partial = [name for name in self.windows_px if self.atlas.validity(name) is not None]
        inputs["present"] = {name: torch.from_numpy(self.atlas.present_at(name, latlon)) for name in partial}
        return inputs


def drawn(among: int, count: int, rare: dict[str, NDArray[np.int64]], rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw rows evenly, but `LEAST_SHARE` of them where something rare is.

    Args:
        among: Number of rows there are.
        count: Number of rows to draw.
        rare: Name -> rows that have what few have; they share the part of the draw between them.
        rng: Of the draws.

    Returns:
        (count,) row numbers.
    """
    rows: NDArray[np.int64] = rng.integers(among, size=count)
    part = int(np.ceil(LEAST_SHARE * count / len(rare))) if rare else 0
    for number, where in enumerate(rare.values()):
        taken = rows[number * part : (number + 1) * part]
        taken[:] = where[rng.integers(len(where), size=len(taken))]
    return rows


def kind_weights(kinds: NDArray[np.int64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of a place's sentences: that of the kind, shared by the sentences that are of it.

    Args:
        kinds: (k,) number of the kind of each sentence.
        weights: Weight of each kind.

    Returns:
        (k,) weights; their sum over the sentences of a kind is the weight of the kind.
    """
    shared: NDArray[np.float64] = weights[kinds] / np.bincount(kinds)[kinds]
    return shared


def some_sentences(
    rows: NDArray[np.int64], weights: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """All sentences in a third of the draws, one in a fifth, otherwise a random subset of any size between.

    Sentences are drawn one after the other without replacement, each with a chance by its weight among those that are
    left. With `kind_weights` a kind that has one sentence is then read as often as one that has five.

    Args:
        rows: (k,) sentences of a place.
        weights: (k,) their weights, above 0.
        rng: Of the draws.

    Returns:
        (1 to k,) of the rows.
    """
    draw = rng.random()
    if draw < 1 / 3 or len(rows) < 2:
        return rows
    count = 1 if draw < 1 / 3 + 1 / 5 else int(rng.integers(2, len(rows) + 1))
    # The order in which exponential clocks of these rates ring is that of the draws (Efraimidis & Spirakis 2006).
    first = np.argsort(rng.exponential(size=len(rows)) / weights)[:count]
    return rows[first]
