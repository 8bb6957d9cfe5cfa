"""Where the places of a city are: the S2 cells of level 16 (about 150 m) on land, and how they are split."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from unigeoclip import geo
from unigeoclip.build.s2 import cell_centers, cell_corners
from unigeoclip.city.layers import LAND, CityRasters
from unigeoclip.city.noise import hash_numbers, hash_points
from unigeoclip.s2_cells import cell_ids, token

if TYPE_CHECKING:
    from numpy.typing import NDArray

PLACE_LEVEL = 16
BLOCK_LEVEL = 12  # cells of about 2.3 km are held out whole
BLOCK_SHARE = 0.1
BUFFER_M = 300.0  # wider than the input windows, so that no test window touches a training window
LEAST_LAND = 0.3  # share of a cell that must not be water
LEAST_BLOCK = 30  # places a block needs to be worth holding out
HELD_OUT_VIEWS = 8  # one view in so many is never trained on
_SAMPLE_M = 12.0  # distance of the points that measure how much of a cell is land


def land_cells(rasters: CityRasters, margin_m: float) -> pd.DataFrame:
    """The cells of level 16 on land.

    Args:
        rasters: The city.
        margin_m: Centres keep so far from its edges, in metres, so that windows stay inside.

    Returns:
        A table by cell number: place_id (the S2 token), cell (uint64), lat, lon of the centre, land (share of the
        cell that is not water), in the order of the curve, which keeps neighbours together.
    """
    grid = rasters.grid
    step = max(1, int(_SAMPLE_M / grid.ground_px_m))
    rows, cols = np.arange(step // 2, grid.height, step), np.arange(step // 2, grid.width, step)
    pixel = np.stack(np.meshgrid(cols + 0.5, rows + 0.5), axis=-1).reshape(-1, 2)
    ids = cell_ids(grid.pixel_to_latlon(pixel), PLACE_LEVEL)
    dry = (rasters.land[np.ix_(rows, cols)] != LAND["water"]).ravel()
    cells, which, counts = np.unique(ids, return_inverse=True, return_counts=True)
    share = np.bincount(which, weights=dry) / counts
    enough = share >= LEAST_LAND
    cells, share = cells[enough], share[enough]
    latlon = cell_centers(cells)
    margin = margin_m / grid.ground_px_m
    at = grid.latlon_to_pixel(latlon)
    inside = (at >= margin).all(1) & (at <= np.array([grid.width, grid.height]) - margin).all(1)
    cells, latlon, share = cells[inside], latlon[inside], share[inside]
    return pd.DataFrame(
        {
            "place_id": [token(cell) for cell in cells],
            "cell": cells,
            "lat": latlon[:, 0],
            "lon": latlon[:, 1],
            "land": share.astype(np.float32),
        }
    )


def moved_to(cells: pd.DataFrame, spots: NDArray[np.float64]) -> pd.DataFrame:
    """Move places onto spots in their cells: where a picture is no larger than a place, its middle is the place.

    Args:
        cells: As from `land_cells`.
        spots: (n, 2) degrees; of several in one cell the first counts.
    """
    ids, first = np.unique(cell_ids(spots, PLACE_LEVEL), return_index=True)
    known = cells["cell"].to_numpy(np.uint64)
    at = np.minimum(np.searchsorted(ids, known), len(ids) - 1)
    here = ids[at] == known
    latlon = np.where(here[:, None], spots[first[at]], cells[["lat", "lon"]].to_numpy(np.float64))
    return cells.assign(lat=latlon[:, 0], lon=latlon[:, 1])


def held_out_blocks(latlon: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Choose the S2 cells of level 12 that are held out whole, `BLOCK_SHARE` of those with enough places, at least one.

    The choice is by a hash of the cell numbers, hence the same for every crop that holds the same blocks.
    """
    blocks, counts = np.unique(cell_ids(latlon, BLOCK_LEVEL), return_counts=True)
    blocks = blocks[counts >= min(LEAST_BLOCK, counts.max(initial=0))]
    count = max(1, round(BLOCK_SHARE * len(blocks))) if len(blocks) > 1 else 0
    chosen: NDArray[np.uint64] = np.sort(blocks[np.argsort(hash_numbers(blocks), kind="stable")[:count]])
    return chosen


def block_split(latlon: NDArray[np.float64], blocks: NDArray[np.uint64]) -> NDArray[np.object_]:
    """Where points lie with regard to the blocks that are held out.

    Args:
        latlon: (n, 2) degrees.
        blocks: Numbers of the held-out cells (`held_out_blocks`).

    Returns:
        (n,) of "held_out", "buffer" (outside, but within `BUFFER_M` of one) and "train".
    """
    split = np.full(len(latlon), "train", dtype=object)
    if not len(blocks) or not len(latlon):
        return split
    meters = 1 / np.cos(np.radians(latlon[:, 0].mean()))
    tree = shapely.STRtree(shapely.points(geo.web_mercator(latlon)))
    outlines = [shapely.Polygon(geo.web_mercator(cell_corners(int(block)))) for block in blocks]
    near = tree.query(outlines, predicate="dwithin", distance=BUFFER_M * meters)[1]
    split[near] = "buffer"
    split[np.isin(cell_ids(latlon, BLOCK_LEVEL), blocks)] = "held_out"
    return split


def split_views(views: pd.DataFrame, cells: pd.DataFrame, blocks: NDArray[np.uint64]) -> pd.DataFrame:
    """Add to which place a view belongs and how it is split.

    Args:
        views: With lat and lon in degrees.
        cells: With place_id and cell, as from `land_cells`.
        blocks: As from `held_out_blocks`.

    Returns:
        The views that lie in one of the cells, with view_id, place_id, views ("train" or "held_out": one in
        `HELD_OUT_VIEWS`, in territory that is trained on) and blocks ("train", "held_out", "buffer"); ordered by place.
    """
    latlon = views[["lat", "lon"]].to_numpy(np.float64)
    ids = cell_ids(latlon, PLACE_LEVEL)
    known = cells["cell"].to_numpy(np.uint64)
    order = np.argsort(known)
    at = np.minimum(np.searchsorted(known, ids, sorter=order), max(len(known) - 1, 0))
    row = order[at] if len(known) else at
    keep = known[row] == ids if len(known) else np.zeros(len(views), dtype=np.bool_)
    table = views[keep].copy()
    latlon, row = latlon[keep], row[keep]
    table["place_id"] = cells["place_id"].to_numpy()[row]
    table["blocks"] = block_split(latlon, blocks)
    chosen = hash_points(geo.web_mercator(latlon), salt=53) % HELD_OUT_VIEWS == 0
    table["views"] = np.where(chosen & (table["blocks"] == "train").to_numpy(), "held_out", "train")
    table = table.iloc[np.argsort(row, kind="stable")].reset_index(drop=True)
    table.insert(0, "view_id", [f"v{number:06d}" for number in range(len(table))])
    return table


def split_cells(cells: pd.DataFrame, views: pd.DataFrame, blocks: NDArray[np.uint64]) -> pd.DataFrame:
    """Add the splits of places to the table of cells.

    Returns:
        The cells with views ("held_out" where one of its views is held out in territory that is trained on, else
        "train") and blocks ("train", "held_out", "buffer").
    """
    table = cells.copy()
    tested = views.loc[views["views"] == "held_out", "place_id"]
    table["blocks"] = block_split(table[["lat", "lon"]].to_numpy(np.float64), blocks)
    held_out = table["place_id"].isin(tested) & (table["blocks"] == "train")
    table["views"] = np.where(held_out, "held_out", "train")
    return table
