"""The modalities of some places on one plane: t-SNE or UMAP of all their vectors together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from unigeoclip.compare.projection import compile_umap, umap_layout
from unigeoclip.errors import InputError
from unigeoclip.extras import needs_extra

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

__all__ = ["METHODS", "joint_layout", "modality_scatter", "tsne_layout"]

METHODS = {"tsne": "t-SNE", "umap": "UMAP"}
_PERPLEXITY = 15.0  # three places of five modalities: each point is to have its own place and a few others around it
_LEAST = 6  # points
_POINT_PX, _LINE_PX = 9, 1


def tsne_layout(vectors: ArrayLike, seed: int = 0) -> NDArray[np.float32]:
    """Lay points out on a plane with t-SNE (van der Maaten and Hinton, JMLR 2008), by cosine distance.

    Args:
        vectors: (n, dim) unit vectors, n >= 6; some hundreds take about a second.
        seed: The same seed gives the same picture.

    Returns:
        (n, 2) float32, centered; all zero where all points are one.

    Raises:
        InputError: Too few points.
    """
    with needs_extra("compare"):
        from sklearn.manifold import TSNE

    array = np.asarray(vectors, np.float32)
    if array.ndim != 2 or len(array) < _LEAST:
        raise InputError(f"t-SNE needs {_LEAST} points or more, (n, dim), not {array.shape}.")
    if array.var(axis=0).sum() < 1e-9:  # of float32; points that are one have no layout
        return np.zeros((len(array), 2), np.float32)
    perplexity = min(_PERPLEXITY, (len(array) - 1) / 3)
    layout = TSNE(perplexity=perplexity, metric="cosine", init="pca", random_state=seed).fit_transform(array)
    found: NDArray[np.float32] = (layout - layout.mean(axis=0)).astype(np.float32)
    return found


def joint_layout(vectors: Mapping[str, ArrayLike], method: str, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """Lay the vectors of several modalities of the same places out on one plane.

    Args:
        vectors: Modality -> (n, dim) unit vectors, row i of the same place in all.
        method: One of `METHODS`.
        seed: Of the layout.

    Returns:
        Modality -> (n, 2) positions, at most 1 from the middle.

    Raises:
        InputError: There is no such method, or there are too few places.
    """
    if method not in METHODS:
        raise InputError(f"Unknown layout {method!r}. Available: {', '.join(METHODS)}.")
    joined = np.concatenate([np.asarray(each, np.float32) for each in vectors.values()])
    if method == "umap":
        compile_umap()
    layout = umap_layout(joined, seed) if method == "umap" else tsne_layout(joined, seed)
    layout = layout / max(float(np.abs(layout).max()), 1e-12)
    return dict(zip(vectors, np.split(layout, len(vectors)), strict=True))


def modality_scatter(
    positions: Mapping[str, NDArray[np.floating[Any]]],
    styles: Mapping[str, tuple[str, str, str]],
    dark: bool = False,
) -> dict[str, Any]:
    """The points of each modality in its color, and lines from the middle of each place to its points.

    Args:
        positions: From `joint_layout`.
        styles: Modality -> title, color and Plotly's name of a symbol.
        dark: Whether the page is dark.

    Returns:
        A figure, as ``plotly.graph_objects.Figure`` takes it. Its points are numbered in ``customdata``, modality
        after modality in the order of ``positions``.
    """
    ink, rule = ("#e6eaed", "rgba(255,255,255,0.3)") if dark else ("#16232b", "rgba(0,0,0,0.3)")
    stacked = np.stack([np.asarray(each, np.float64) for each in positions.values()])  # (modalities, places, 2)
    centers = stacked.mean(axis=0)
    ends = np.full((stacked.shape[1], stacked.shape[0], 3, 2), np.nan)  # center, point, gap
    ends[:, :, 0], ends[:, :, 1] = centers[:, None], stacked.transpose(1, 0, 2)
    lines = [[None if np.isnan(value) else round(value, 4) for value in ends[..., axis].ravel()] for axis in (0, 1)]
    # Not "scattergl": Plotly compiles code for it in the browser, which the content security policy of the app forbids.
    traces: list[dict[str, Any]] = [{
        "type": "scatter", "mode": "lines", "x": lines[0], "y": lines[1], "hoverinfo": "skip", "showlegend": False,
        "line": {"width": _LINE_PX, "color": "rgba(160,174,182,0.55)" if dark else "rgba(90,104,112,0.45)"},
    }]  # fmt: skip
    for number, (name, points) in enumerate(positions.items()):
        title, color, symbol = styles[name]
        traces.append({
            "type": "scatter", "mode": "markers", "name": title, "hoverinfo": "none",
            "x": np.round(points[:, 0], 4).tolist(), "y": np.round(points[:, 1], 4).tolist(),
            "customdata": list(range(number * len(points), (number + 1) * len(points))),
            "marker": {"size": _POINT_PX, "color": color, "symbol": symbol, "line": {"width": 1, "color": ink}},
        })  # fmt: skip
    axis = {"showgrid": False, "zeroline": False, "showticklabels": False, "ticks": ""}  # axes that mean nothing
    layout = {
        "xaxis": axis,
        "yaxis": axis | {"scaleanchor": "x"},
        "dragmode": "pan",
        "showlegend": True,
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "itemclick": "toggle"},
        "margin": {"l": 8, "r": 8, "t": 36, "b": 8},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": ink, "size": 12},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": rule, "activecolor": ink},
    }
    return {"data": traces, "layout": layout}
