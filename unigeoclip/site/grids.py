"""The models of a site: compact grids, how far their heatmaps are from exact ones, colors of principal components."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from unigeoclip.compare.projection import COMPONENT_FLOOR, aligned_scores
from unigeoclip.compare.regions import Region, embed_region
from unigeoclip.embedders import EMBEDDERS, first_compared, load_embedder
from unigeoclip.errors import CheckpointError, InputError
from unigeoclip.evaluation.compact import encoded_by_browser, points_of, spread
from unigeoclip.similarity.browser.compact import COMPONENTS, STEPS, CompactGrid
from unigeoclip.similarity.browser.point_encoder import encoder_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from unigeoclip.atlas.store import Atlas
    from unigeoclip.embedders.base import Embedder
    from unigeoclip.search.explorer import Explorer

    Queries = Iterator[tuple[NDArray[np.floating], NDArray[np.floating]]]  # exact vectors, and those of the browser

__all__ = ["DETAILS", "MOST_MODELS", "OURS", "Detail", "ModelGrid", "chosen_embedders", "model_grids"]

OURS = "unigeoclip"
MOST_MODELS = 4
_QUERIES = 40  # of each kind, to measure what the compact grid costs
_SEED = 0
_COLOR_AXES = 3
_SPREADS = 4.0  # standard deviations from the lowest to the highest value of a color channel, as on page Compare


class Detail(NamedTuple):
    """How finely vectors are kept: components, and steps to either side of zero in the widest; ours and others'.

    With ``encodes`` the page has our location encoder, and encodes points between the centers of cells.
    """

    ours: tuple[int, float]
    others: tuple[int, float]
    encodes: bool = False


# From the finest down; a site takes the first with which it is small enough.
DETAILS = (
    Detail((COMPONENTS, STEPS), (COMPONENTS, STEPS), encodes=True),
    Detail((96, 20.0), (96, 20.0), encodes=True),
    Detail((COMPONENTS, STEPS), (COMPONENTS, STEPS)),
    Detail((96, 20.0), (96, 20.0)),
    Detail((96, 20.0), (64, 16.0)),
    Detail((64, 24.0), (48, 16.0)),
    Detail((48, 16.0), (48, 16.0)),
)


@dataclass(frozen=True, eq=False)
class ModelGrid:
    """A model on the grid of an atlas.

    Attributes:
        name: Of the embedder.
        title: As people read it.
        source: Where its weights are from.
        dim: Of its vectors.
        vectors: (cells, dim) of the grid; what heatmaps are made of.
        compact: The same in few bytes.
        errors: Kind of query -> median "correlation" and "overlap" of the hottest 1 % of the area with exact heatmaps;
            None for a model that tells no places apart.
        turn: (3, 3) by which the first three components, in steps of the codes, become color channels around 0.
        encoder: What the page encodes points by, see `encoder_bytes`; None where it interpolates.
    """

    name: str
    title: str
    source: str
    dim: int
    vectors: NDArray[np.float32]
    compact: CompactGrid
    errors: dict[str, dict[str, float] | None]
    turn: NDArray[np.float64]
    encoder: bytes | None = None


def chosen_embedders(atlas: Atlas, names: Sequence[str] | None) -> list[str]:
    """Names of the models of a site, ours first.

    Args:
        atlas: The atlas.
        names: Which; by default ours and up to two others, the published ones where they are on this machine.

    Raises:
        InputError: Too many, or one that is not known or not on this machine.
    """
    if names is None:
        found = [name for name in EMBEDDERS if _why_not(name, atlas) is None]
        return [OURS, *(name for name in first_compared(found) if name != OURS)]
    wanted = list(dict.fromkeys([OURS, *names]))
    if len(wanted) > MOST_MODELS:
        raise InputError(
            f"A site shows at most {MOST_MODELS} models, {OURS} among them, not {len(wanted)}: name fewer in --models."
        )
    for name in wanted:
        if (why := _why_not(name, atlas)) is not None:
            raise InputError(f"The atlas {atlas.name!r} cannot be shown with --models {name}: {why}")
    return wanted


def _why_not(name: str, atlas: Atlas) -> str | None:
    try:
        load_embedder(name, atlas)
    except (CheckpointError, InputError) as error:
        return str(error)
    return None


def model_grids(
    explorer: Explorer,
    names: Sequence[str],
    detail: Detail,
    known: dict[str, NDArray[np.float32]],
    report: Callable[[str], None] = lambda _: None,
) -> list[ModelGrid]:
    """Compress the grid of an atlas under several models.

    Args:
        explorer: Of the atlas.
        names: Of the models, ours first, see `chosen_embedders`.
        detail: How finely.
        known: Name -> (cells, dim) vectors that are computed already; those of other models are added.
        report: Called with what is being done.
    """
    found: list[ModelGrid] = []
    for name in names:
        embedder = load_embedder(name, explorer.atlas)
        if name not in known:
            report(f"Encoding the map: {embedder.title}")
            known[name] = (
                explorer.grid_vectors()
                if name == OURS
                else embed_region(embedder, Region.whole(explorer.atlas)).vectors
            )
        radius_m = explorer.wave_radius_m if name == OURS else 0.0
        compact = CompactGrid.fit(
            explorer.grid, known[name], radius_m, *(detail.ours if name == OURS else detail.others)
        )
        exact = explorer.cells if name == OURS else known[name]
        encodes = name == OURS and detail.encodes and explorer.has_browser_encoder
        encoded = encoded_by_browser(explorer.location_encoder, compact) if encodes else None
        queries: dict[str, Queries] = {"points": _points(compact, embedder, encoded)}
        if name == OURS and "text" in explorer.modalities:
            queries["texts"] = _texts(explorer)
        errors = {kind: _error(compact, exact, each) for kind, each in queries.items()}
        scores = _scores(compact)
        turned = aligned_scores(scores, _scores(found[0].compact)) if found else scores
        spread = _SPREADS * max(float(turned.std(axis=0).max()), 2 * COMPONENT_FLOOR)
        turn = np.asarray(np.linalg.lstsq(scores, turned)[0] * compact.step / spread, np.float64)
        encoder = encoder_bytes(explorer.location_encoder, compact) if encodes else None
        about = (name, embedder.title, embedder.provenance.source, embedder.dim)
        found.append(ModelGrid(*about, known[name], compact, errors, turn, encoder))
    return found


def _scores(compact: CompactGrid) -> NDArray[np.float64]:
    """(cells, 3) along the first components; zeros where there are fewer."""
    scores = compact.codes[:_COLOR_AXES].T.astype(np.float64) * compact.step
    return np.pad(scores, ((0, 0), (0, _COLOR_AXES - scores.shape[1])))


def _points(compact: CompactGrid, embedder: Embedder, encoded: Callable[..., NDArray[np.floating]] | None) -> Queries:
    def vector_of(lat: float, lon: float) -> NDArray[np.floating]:
        vector: NDArray[np.floating] = embedder.embed([(lat, lon)])[0]
        return vector

    return points_of(vector_of, compact, _QUERIES, 1.0, np.random.default_rng(_SEED), encoded)


def _texts(explorer: Explorer) -> Queries:
    vectors = explorer.vectors("text")
    chosen = np.random.default_rng(_SEED).choice(len(vectors), min(_QUERIES, len(vectors)), replace=False)
    return ((vector, vector) for vector in vectors[chosen])


def _error(compact: CompactGrid, exact: NDArray[np.float32], queries: Queries) -> dict[str, float] | None:
    """See `ModelGrid.errors`; None for a model that tells no places apart."""
    found = spread(compact, exact, queries)
    if not found["n"]:
        return None
    return {"correlation": found["correlation"]["median"], "overlap": round(found["overlap"]["median"], 3)}
