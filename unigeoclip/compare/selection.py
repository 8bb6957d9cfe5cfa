"""Parts of a region in words: what is said of their places more than of the others; and as tables of cells."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from unigeoclip.errors import InputError
from unigeoclip.extras import needs_extra

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from unigeoclip.atlas.provenance import Provenance
    from unigeoclip.atlas.store import Atlas
    from unigeoclip.similarity.grid import Grid

__all__ = [
    "Said",
    "cells_csv",
    "cells_geojson",
    "cells_geoparquet",
    "cells_table",
    "characteristic",
    "name_of",
    "places_of_cells",
    "typical",
]

_PRIOR = 10.0  # places by which shares are drawn towards that of all places, so that a single one says little
_LEAST_Z = 3.0  # standard errors above the others
_LEAST_SHARE = 0.02  # of the group's places of which something is said
_LOOKED_AT = 3000  # points from which typical ones are chosen
_NAMED_SHARE = 0.1  # of them, for a second sentence to be part of the group's name


@dataclass(frozen=True)
class Said:
    """A sentence that is said of a group of places more than of the others.

    Attributes:
        text: The sentence.
        kind: Of the sentence.
        inside: Share of the group's places of which it is said, 0 to 1.
        outside: The same of all other places.
        z: Difference of the log odds in standard errors (Monroe, Colaresi and Quinn 2008).
    """

    text: str
    kind: str
    inside: float
    outside: float
    z: float


def places_of_cells(atlas: Atlas, grid: Grid) -> NDArray[np.int32]:
    """The cell that each place of an atlas lies in, (places,); -1 outside."""
    return grid.cells_at(atlas.places[["lat", "lon"]].to_numpy(np.float64))


def characteristic(
    atlas: Atlas, groups: NDArray[np.integer[Any]], count: int, most: int = 3
) -> list[tuple[int, list[Said]]]:
    """What is said of each group of places more than of all others.

    Log odds with an informative prior: a sentence must be both more frequent inside than outside and frequent enough
    for that to be no accident. Of sentences of a kind, which often say the same in other words, only the first is kept.

    Args:
        atlas: Whose places and sentences.
        groups: (places,) group of each place from 0; -1 for places that do not count.
        count: Groups.
        most: Sentences of a group at most.

    Returns:
        For each group the number of its places and its sentences, the most characteristic first; none where the group,
        or the rest, has no place.
    """
    rows = np.flatnonzero(groups >= 0)
    group = groups[rows].astype(np.int64)
    sentences = [np.asarray(said, np.int64) for said in atlas.places["sentences"].to_numpy()[rows]]
    sizes = np.bincount(group, minlength=count)
    said = np.concatenate(sentences) if sentences else np.zeros(0, np.int64)
    by = np.repeat(np.arange(len(rows)), [len(each) for each in sentences])
    number, texts = pd.factorize(
        atlas.sentences["text"]
    )  # a text may stand there under several kinds: the first counts
    kinds = atlas.sentences["kind"].to_numpy()[np.unique(number, return_index=True)[1]]
    pairs = np.sort(by * len(texts) + number[said])
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]  # each once; np.unique takes seconds for that
    counts = np.bincount(group[pairs // len(texts)] * len(texts) + pairs % len(texts), minlength=count * len(texts))
    table = counts.reshape(count, -1).astype(np.float64)
    return [(int(size), _of_group(each, table, sizes, texts, kinds, most)) for each, size in enumerate(sizes)]


def _of_group(
    number: int,
    counts: NDArray[np.float64],
    sizes: NDArray[np.int64],
    texts: pd.Index[str],
    kinds: NDArray[np.object_],
    most: int,
) -> list[Said]:
    inside, outside = counts[number], counts.sum(axis=0) - counts[number]
    n_inside, n_outside = int(sizes[number]), int(sizes.sum() - sizes[number])
    if not n_inside or not n_outside:
        return []
    prior = _PRIOR * (inside + outside) / sizes.sum() + 1e-9
    odds, variance = [], np.zeros(len(texts))
    for said, n in ((inside, n_inside), (outside, n_outside)):
        # What is said of nearly all places everywhere leaves few of which it is not: that is no evidence either.
        silent = n - said + _PRIOR - prior + 0.5
        odds.append(np.log((said + prior) / silent))
        variance += 1 / (said + prior) + 1 / silent
    z = (odds[0] - odds[1]) / np.sqrt(variance)
    enough = np.flatnonzero((z >= _LEAST_Z) & (inside >= _LEAST_SHARE * n_inside))
    found: dict[str, Said] = {}
    for text in enough[np.argsort(-z[enough], kind="stable")]:
        shares = float(inside[text] / n_inside), float(outside[text] / n_outside)
        found.setdefault(str(kinds[text]), Said(str(texts[text]), str(kinds[text]), *shares, float(z[text])))
        if len(found) == most:
            break
    return list(found.values())


def name_of(said: Sequence[Said]) -> str:
    """The most characteristic sentence as the name of a group, with the second if that is said of a good part of it.

    Empty if nothing is characteristic.
    """
    if not said:
        return ""
    first, *others = [each.text for each in said[:1]] + [each.text for each in said[1:] if each.inside >= _NAMED_SHARE]
    more = [text for text in others if text.casefold() not in first.casefold()]
    return "; ".join([first, *more[:1]])


def typical(vectors: NDArray[np.floating], count: int, seed: int = 0) -> NDArray[np.int64]:
    """Typical points of a set: it is split into groups (k-means), and of each the point nearest to the center is taken.

    Args:
        vectors: (n, dim) of the points.
        count: How many at most.
        seed: Of the first centers, and of the points that are looked at where there are many.

    Returns:
        Rows, those of the largest groups first; all of them where there are no more than ``count``.
    """
    with needs_extra("compare"):
        from sklearn.cluster import KMeans

    if len(vectors) <= count:
        return np.arange(len(vectors))
    rows = np.sort(np.random.default_rng(seed).permutation(len(vectors))[:_LOOKED_AT])
    points = np.asarray(vectors, np.float64)[rows]
    groups = min(count, len(np.unique(points, axis=0)))
    fitted = KMeans(groups, random_state=seed, n_init=1).fit(points)
    away = np.linalg.norm(points - fitted.cluster_centers_[fitted.labels_], axis=1)
    sizes = np.bincount(fitted.labels_, minlength=groups)
    order = [group for group in np.argsort(-sizes, kind="stable") if sizes[group]]
    members = [np.flatnonzero(fitted.labels_ == group) for group in order]
    return rows[[int(each[np.argmin(away[each])]) for each in members]]


def cells_table(grid: Grid, chosen: NDArray[np.bool_], columns: Mapping[str, NDArray[Any]]) -> Any:
    """Chosen cells as a GeoDataFrame in EPSG:4326, a point a cell: "lat", "lon" (degrees), "area_km2", and more.

    Args:
        grid: The cells.
        chosen: (n,) which of them.
        columns: More columns, name -> (n,) values of all cells.

    Raises:
        InputError: The number of values is not that of the cells.
    """
    import geopandas

    for name, values in {"the choice": chosen, **columns}.items():
        if len(values) != len(grid):
            raise InputError(f"{len(grid)} cells need as many values of {name!r}; got {len(values)}.")
    cells = grid.cells[chosen]
    table = {"lat": cells[:, 0].round(6), "lon": cells[:, 1].round(6), "area_km2": grid.area_km2[chosen].round(6)}
    table |= {name: values[chosen] for name, values in columns.items()}
    return geopandas.GeoDataFrame(table, geometry=geopandas.points_from_xy(table["lon"], table["lat"]), crs="EPSG:4326")


def cells_csv(grid: Grid, chosen: NDArray[np.bool_], columns: Mapping[str, NDArray[Any]]) -> bytes:
    """`cells_table` as CSV with a header, in UTF-8."""
    text: str = cells_table(grid, chosen, columns).drop(columns="geometry").to_csv(index=False, lineterminator="\n")
    return text.encode()


def cells_geojson(grid: Grid, chosen: NDArray[np.bool_], columns: Mapping[str, NDArray[Any]]) -> bytes:
    """`cells_table` as GeoJSON (RFC 7946), a point a cell, in UTF-8."""
    text: str = cells_table(grid, chosen, columns).to_json(drop_id=True, na="null", ensure_ascii=False)
    return text.encode()


def cells_geoparquet(
    grid: Grid, chosen: NDArray[np.bool_], columns: Mapping[str, NDArray[Any]], provenance: Provenance | None = None
) -> bytes:
    """`cells_table` as GeoParquet 1.1; where it comes from is in the file's metadata under "provenance", as JSON."""
    import pyarrow.parquet as pq

    file = io.BytesIO()
    cells_table(grid, chosen, columns).to_parquet(file, index=False, schema_version="1.1.0", write_covering_bbox=True)
    if provenance is None:
        return file.getvalue()
    table, out = pq.read_table(file), io.BytesIO()
    metadata = {b"geo": table.schema.metadata[b"geo"], b"provenance": provenance.json().encode()}
    pq.write_table(table.replace_schema_metadata(metadata), out, compression="zstd")
    return out.getvalue()
