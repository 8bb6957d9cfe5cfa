"""How well models understand photographs of cities that they never saw: each city is the test once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.atlas.models import load_fitting
from unigeoclip.errors import InputError
from unigeoclip.photographs.encoded import MAP_MODALITIES, City, encode_city, encoded, pictures_of, turned
from unigeoclip.photographs.heads import HeadConfig, RealSpots, encode_pictures, mean_of, train_head
from unigeoclip.photographs.measure import Found, probe_trees, rank_among, scores_of_trees, summary
from unigeoclip.photographs.pool import drawn_pool
from unigeoclip.photographs.spots import read_photographs
from unigeoclip.trunks import open_trunk
from unigeoclip.trunks.features import cached_features

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.photographs.heads import Head
    from unigeoclip.photographs.pool import Pool
    from unigeoclip.photographs.spots import Photographs
    from unigeoclip.trunks.base import Trunk

__all__ = ["ATLAS", "MODELS", "PX", "TRUNK", "evaluate_real"]

MODELS = {
    "mini": "the shipped model, trained on drawings",
    "small-drawings": "a head on the trunk, trained on the same drawings",
    "small-real": "the mean of that head and of one trained on drawings and on the photographs of the other cities",
}
ATLAS = "boston"  # whose model sets the space
TRUNK = "dinov2-small"
PX = 224  # side of the pictures that the trunk takes
SEEDS = (0, 1, 2)
LEAST_CITIES = 3  # one is the test, and the ridge needs two others to choose its penalty


@dataclass(frozen=True)
class _Data:
    """Everything that is computed once: features of photographs, cities, the pool of drawings."""

    photographs: Photographs
    groups: tuple[int, ...]  # of the trunk's features
    features: NDArray[np.float16]  # (photographs, 2, f): as they are, and mirrored
    mini: NDArray[np.float32]  # (photographs, dim): embeddings by the shipped aerial encoder
    cities: Mapping[str, City]
    pool: Pool
    first: NDArray[np.int64]  # (spots,) row of the photograph of the first year, -1 where there is none
    last: NDArray[np.int64]  # ... of the last year


def evaluate_real(
    folder: str | Path,
    atlas: Atlas,
    *,
    trunk: str = TRUNK,
    px: int = PX,
    seeds: tuple[int, ...] = SEEDS,
    config: Mapping[str, Any] | None = None,
    say: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Measure the shipped model, a head trained on drawings, and one trained on drawings and photographs.

    Args:
        folder: Of photographs, see `spots.read_photographs`.
        atlas: A city whose model sets the space: its encoders stay as they are.
        trunk: A key of `TRUNKS`.
        px: Side of the pictures that the trunk takes, pixels.
        seeds: Of the heads.
        config: Options of `HeadConfig` in place of its own.
        say: Called with what is being done.

    Returns:
        What was measured, by model: see docs/real-photographs.md.

    Raises:
        InputError: The folder cannot be used, or has fewer than three cities; the atlas is no city; the trunk takes no
            pictures of that side.
        CheckpointError: The trunk was not downloaded.
    """
    tell = say or (lambda _text: None)
    if "street" not in atlas.manifest.modalities:
        raise InputError(f"The atlas {atlas.name} is no city: photographs 150 m wide are no windows of it.")
    photographs = read_photographs(folder)
    if len(photographs.cities) < LEAST_CITIES:
        raise InputError(f"{folder} has {len(photographs.cities)} cities; {LEAST_CITIES} or more are needed.")
    data = _collect(photographs, atlas, open_trunk(trunk, px), tell)
    options = HeadConfig(groups=data.groups, dim=data.mini.shape[1], **(config or {}))
    vectors = {"mini": _of_mini(data)} | _of_heads(data, options, seeds, tell)
    return {
        "real": str(folder),
        "atlas": atlas.name,
        "split": "cities",
        "trunk": trunk,
        "px": px,
        "spots": {name: len(city.spots) for name, city in data.cities.items()},
        "years": sorted({int(year) for year in photographs.year}),
        "models": {name: _figures(data, found) for name, found in vectors.items()},
    }


def _collect(photographs: Photographs, atlas: Atlas, trunk: Trunk, say: Callable[[str], None]) -> _Data:
    model = load_fitting(atlas)
    say(
        f"{len(photographs.files):,} photographs of {len(photographs.latlon)} spots in {len(photographs.cities)} cities"
    )
    cities = {name: encode_city(photographs, name, model, trunk, say) for name in photographs.cities}
    say("Features of the photographs")
    pictures = pictures_of(photographs, trunk.px)
    features = np.stack([cached_features(trunk, np.ascontiguousarray(each)) for each in turned(pictures)], axis=1)
    mini = encoded(model, "aerial", pictures_of(photographs, model.window_px("aerial")))
    say("Features of the drawings")
    pool = drawn_pool(atlas, model, trunk)
    years = photographs.year.min(), photographs.year.max()
    first, last = (_row_of_year(photographs, year) for year in years)
    return _Data(photographs, trunk.groups, features, mini, cities, pool, first, last)


def _row_of_year(photographs: Photographs, year: int) -> NDArray[np.int64]:
    rows = np.full(len(photographs.latlon), -1, np.int64)
    there = np.flatnonzero(photographs.year == year)
    rows[photographs.spot[there]] = there
    return rows


# (city, seed) -> embeddings (photographs, dim) by the model for which that city was never seen
_Vectors = dict[tuple[str, int], "NDArray[np.float32]"]


def _of_mini(data: _Data) -> _Vectors:
    return {(city, 0): data.mini for city in data.cities}


def _of_heads(
    data: _Data, options: HeadConfig, seeds: tuple[int, ...], say: Callable[[str], None]
) -> dict[str, _Vectors]:
    found: dict[str, _Vectors] = {"small-drawings": {}, "small-real": {}}

    def encode(head: Head) -> NDArray[np.float32]:
        return encode_pictures(head, data.features[:, 0])

    for seed in seeds:
        say(f"Training heads with seed {seed}")
        by_drawings = encode(train_head(options, data.pool.features, data.pool.targets, seed=seed))
        for city in data.cities:
            found["small-drawings"][city, seed] = by_drawings
            real = _real_spots(data, without=city)
            by_both = encode(train_head(options, data.pool.features, data.pool.targets, real, seed))
            # Photographs teach to tell spots apart, at the cost of what they have in common; the mean has both.
            found["small-real"][city, seed] = mean_of(by_drawings, by_both)
    return found


def _real_spots(data: _Data, without: str) -> RealSpots:
    """The photographs of all cities but one, of the spots that were photographed in every year."""
    years = sorted(set(data.photographs.year.tolist()))
    rows_of_year = np.stack([_row_of_year(data.photographs, year) for year in years], axis=1)
    photos, drawn = [], []
    targets: dict[str, list[NDArray[np.float32]]] = {name: [] for name in MAP_MODALITIES}
    for name, city in data.cities.items():
        if name == without:
            continue
        rows = rows_of_year[city.spots]
        whole = np.all(rows >= 0, axis=1)
        some = data.features[rows[whole]]  # (spots, years, 2, f)
        photos.append(some.reshape(len(some), -1, some.shape[-1]))
        drawn.append(city.drawn[whole])
        for modality in MAP_MODALITIES:
            targets[modality].append(city.vectors[modality][: len(whole)][whole])
    joined = {name: np.concatenate(found) for name, found in targets.items()}
    return RealSpots(np.concatenate(photos), np.concatenate(drawn), joined)


def _figures(data: _Data, vectors: _Vectors) -> dict[str, Any]:
    """Retrieval and trees of one model."""
    seeds = sorted({seed for _, seed in vectors})
    retrieval = {
        f"photograph->{modality}": summary(_found_on_map(data, vectors, seeds, modality)) for modality in MAP_MODALITIES
    }
    for among in ("city", "all"):
        retrieval[f"first year->last year, {among}"] = summary(_found_again(data, vectors, seeds, among))
    photographs = data.photographs
    counted = int(np.isfinite(photographs.trees).sum())
    if not counted:
        return {"retrieval": retrieval}
    trees = {
        city: [probe_trees(vectors[city, seed], photographs.trees, photographs.city, city) for seed in seeds]
        for city in data.cities
    }
    return {"retrieval": retrieval, "trees": scores_of_trees(trees, counted)}


def _found_on_map(data: _Data, vectors: _Vectors, seeds: list[int], modality: str) -> Found:
    """Photographs of the last year ask for what the map says of their spot, among the places of their own city."""
    ranks, sizes = [], []
    for seed in seeds:
        of_seed = []
        for name, city in data.cities.items():
            rows = data.last[city.spots]
            there = rows >= 0
            gallery = city.vectors[modality]
            order = np.concatenate([np.flatnonzero(there), np.arange(len(city.spots), len(gallery))])
            of_seed.append(rank_among(vectors[name, seed][rows[there]], gallery[order]))
            sizes.append(len(order))
        ranks.append(np.concatenate(of_seed))
    return Found(np.stack(ranks), float(np.mean(sizes)))


def _found_again(data: _Data, vectors: _Vectors, seeds: list[int], among: str) -> Found:
    """Photographs of the first year ask for that of the last year of the same spot, in the city or among all spots."""
    both = (data.first >= 0) & (data.last >= 0)
    ranks, sizes = [], []
    for seed in seeds:
        of_seed = []
        for name, city in data.cities.items():
            own = city.spots[both[city.spots]]
            others = np.setdiff1d(np.flatnonzero(both), own) if among == "all" else np.empty(0, np.int64)
            found = vectors[name, seed]
            gallery = found[data.last[np.concatenate([own, others])]]
            of_seed.append(rank_among(found[data.first[own]], gallery))
            sizes.append(len(gallery))
        ranks.append(np.concatenate(of_seed))
    return Found(np.stack(ranks), float(np.mean(sizes)))
