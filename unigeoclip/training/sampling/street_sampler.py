"""Training batches of a city: cameras along its streets, and what stands round them, drawn afresh at every step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.spatial import cKDTree

from unigeoclip import geo
from unigeoclip.atlas.street_views import HEADINGS
from unigeoclip.city.street_view import panorama_headings
from unigeoclip.modalities.street import StreetBatch, street_batch
from unigeoclip.training.sampling.draws import DrawConfig, with_neighbors
from unigeoclip.training.sampling.sampler import Draw, PlaceSampler, drawn

if TYPE_CHECKING:
    from contextlib import ExitStack

    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.city.street_view import StreetScene

STREET_SHARE = 0.8  # of a batch stands on a street; the rest covers parks, yards and shores, without a street view
ALONG_M = 15.0  # cameras move so far along their street, a third of the way to the next, which may be held out
ROUND_M = 25.0  # windows are centred so far from the camera at most: people click beside the street, too
VIEW_COUNTS = (0.45, 0.1, 0.1, 0.35)  # how often a spot is seen in one, two, three, four directions
COMPASS_SHARE = 0.7  # how often the headings are known


@dataclass(frozen=True)
class Spots:
    """Cameras that were drawn, each to look from a spot near it.

    Attributes:
        cameras: (n,) rows of the cameras.
        eye: (n, 2) degrees, where the view is drawn from.
        first_deg: (n,) heading of the first view.
        directions: (n,) number of views, 1 to `HEADINGS`.
        known: (n,) whether the headings are known.
    """

    cameras: NDArray[np.int64]
    eye: NDArray[np.float64]
    first_deg: NDArray[np.float64]
    directions: NDArray[np.int64]
    known: NDArray[np.bool_]

    def part(self, rows: slice) -> Spots:
        """Some of the spots."""
        return Spots(**{name: value[rows] for name, value in vars(self).items()})


@dataclass(frozen=True)
class StreetDraw(Draw):
    """Places of a city that were drawn; the first of them are at spots."""

    spots: Spots

    def part(self, rows: slice) -> StreetDraw:
        """Some of the places."""
        return replace(super().part(rows), spots=self.spots.part(rows))


class StreetSampler(PlaceSampler):
    """Draw cameras and everything round them; like `PlaceSampler`, a pure function of (seed, step).

    A camera of the training split is drawn and moved along its street; the windows and the location lie a few steps
    beside it, the sentences are those of the nearest place. It looks in one to four directions.
    """

    def __init__(
        self,
        atlas: Atlas,
        split: str,
        sentence_vectors: NDArray[np.float16],
        windows_px: dict[str, int],
        view_size: tuple[int, int],
        seed: int = 0,
        draws: DrawConfig = DrawConfig(),  # noqa: B008  # frozen
        *,
        stack: ExitStack,
    ) -> None:
        """Index places and cameras.

        Args:
            atlas: A city.
            split: ``views`` (cameras are held out, no territory is) or ``blocks`` (territory is).
            sentence_vectors: (sentences, 384) vectors of all sentences of the atlas.
            windows_px: Raster modality -> side of the window in pixels.
            view_size: Height and width of a view in pixels.
            seed: Of all draws.
            draws: What is done to a batch.
            stack: What lets go of the city again, when the training is over.
        """
        super().__init__(atlas, split, sentence_vectors, windows_px, seed, draws)
        self.height, self.width = view_size
        self.views = atlas.streets
        self.scene = stack.enter_context(self.views.held())
        trained = (atlas.views["views"] == "train").to_numpy()
        if split == "blocks":
            trained = trained & (atlas.views["blocks"] == "train").to_numpy()  # not in place: pandas hands out views
        self.cameras = np.flatnonzero(trained)
        at = self.views.latlon[self.cameras]
        self.camera_tree = cKDTree(geo.unit_xyz(at))
        self.rare_at_cameras = {name: rows for name in windows_px if (rows := self._where_rare(name, at)) is not None}

    def draw(self, size: int, rng: np.random.Generator) -> StreetDraw:
        """Draw the places of a batch; the spots without a view come last (`StreetBatch.lengths`)."""
        count = round(size * STREET_SHARE)
        spots, at, rows = self.spots(count, rng)
        other, other_rows = self.positions(size - count, rng)
        drawn = self._with_sentences(np.concatenate([at, other]), np.concatenate([rows, other_rows]), rng)
        return StreetDraw(drawn.latlon, drawn.sentences, spots)

    def inputs(self, draw: Draw) -> dict[str, Any]:
        """Those of `PlaceSampler.inputs`, and the street views."""
        inputs = super().inputs(draw)
        assert isinstance(draw, StreetDraw)
        street = self.street(draw.spots)
        none = torch.zeros(len(draw.latlon) - len(draw.spots.cameras), dtype=torch.int64)
        inputs["street"] = StreetBatch(street.pictures, street.headings_deg, torch.cat([street.lengths, none]))
        return inputs

    def spots(
        self, count: int, rng: np.random.Generator, view_counts: tuple[float, ...] = VIEW_COUNTS
    ) -> tuple[Spots, NDArray[np.float64], NDArray[np.int64]]:
        """Draw cameras: their spots, (count, 2) degrees of the windows beside them, rows of training places."""
        rows = drawn(len(self.cameras), count, self.rare_at_cameras, rng)
        chosen = self.cameras[with_neighbors(rows, self.camera_tree, self.draws.near, rng)]
        eye, ahead = self.views.latlon[chosen], np.radians(self.views.headings_deg[chosen])
        along = rng.uniform(-ALONG_M, ALONG_M, count)
        turn, away = rng.uniform(0, 2 * np.pi, count), ROUND_M * np.sqrt(rng.random(count))
        first = rng.uniform(0, 360, count)
        directions = rng.choice(HEADINGS, size=count, p=view_counts) + 1
        known = rng.random(count) < COMPASS_SHARE
        if self.scene is not None:
            moved = geo.offset_m(eye, along * np.sin(ahead), along * np.cos(ahead))
            eye = np.where(_is_free(self.scene, moved)[:, None], moved, eye)
        at = geo.as_latlon(geo.offset_m(eye, away * np.sin(turn), away * np.cos(turn)))
        return Spots(chosen, eye, first, directions, known), at, self.tree.query(geo.unit_xyz(at))[1]

    def street(self, spots: Spots) -> StreetBatch:
        """The views of spots: drawn, or the photographs of their cameras."""
        if self.scene is not None:
            street = self._drawn(spots)
        else:
            street = street_batch(*self.views.panoramas(spots.cameras, self.width, self.height))
        unknown = torch.from_numpy(np.repeat(~spots.known, street.lengths.numpy()))
        return StreetBatch(street.pictures, street.headings_deg.masked_fill(unknown, torch.nan), street.lengths)

    def _drawn(self, spots: Spots) -> StreetBatch:
        """Views in so many directions each, in the order of the spots."""
        directions = spots.directions
        spot = np.repeat(np.arange(len(directions)), directions)
        nth = np.arange(len(spot)) - np.repeat(np.cumsum(directions) - directions, directions)
        headings = panorama_headings(spots.first_deg, HEADINGS)[spot, nth]
        pictures = self.views.draw(spots.eye[spot], headings[:, None], self.width, self.height)
        lengths = torch.from_numpy(directions.astype(np.int64))
        return StreetBatch(torch.from_numpy(pictures), torch.from_numpy(headings.astype(np.float32)), lengths)


def _is_free(scene: StreetScene, latlon: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether points (n, 2) lie inside the city and outside its buildings."""
    col, row = np.floor(scene.grid.latlon_to_pixel(latlon)).astype(np.int64).T
    inside = (col > 1) & (row > 1) & (col < scene.grid.width - 2) & (row < scene.grid.height - 2)
    free: NDArray[np.bool_] = np.zeros(len(latlon), bool)
    free[inside] = scene.scene.code[row[inside], col[inside]] == 0
    return free
