"""Figures as Plotly specifications: plain data, drawn by whoever shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["inside_lasso", "scatter"]

_POINT_PX, _SEEN_PX = 4, 15


def scatter(
    positions: NDArray[np.floating],
    rgb: NDArray[np.uint8],
    latlon: NDArray[np.float64],
    axes: tuple[str, str],
    seen: int | None = None,
    dark: bool = False,
) -> dict[str, Any]:
    """Points on a plane in the colours of the map, to be picked with a lasso.

    Args:
        positions: (n, 2).
        rgb: (n, 3) sRGB.
        latlon: (n, 2) degrees, told under the pointer.
        axes: Names of the axes.
        seen: Row of the point to mark.
        dark: Whether the page is dark.

    Returns:
        A figure, as ``plotly.graph_objects.Figure`` takes it.
    """
    ink, rule = ("#e6eaed", "rgba(255,255,255,0.14)") if dark else ("#16232b", "rgba(0,0,0,0.10)")
    # Not "scattergl": Plotly compiles code for it in the browser, which the content security policy of the app forbids.
    traces: list[dict[str, Any]] = [{
        "type": "scatter", "mode": "markers", "name": "",
        "x": positions[:, 0].tolist(), "y": positions[:, 1].tolist(),
        "marker": {"size": _POINT_PX, "color": [f"rgb({r},{g},{b})" for r, g, b in rgb.tolist()]},
        "customdata": np.round(latlon, 4).tolist(),
        "hovertemplate": "%{customdata[0]}, %{customdata[1]}",
        "unselected": {"marker": {"opacity": 0.12}},
    }]  # fmt: skip
    if seen is not None:
        x, y = positions[seen].tolist()
        marker = {"size": _SEEN_PX, "color": "rgba(0,0,0,0)", "line": {"width": 3, "color": ink}}
        traces.append({"type": "scatter", "mode": "markers", "name": "the point", "x": [x], "y": [y],
                       "marker": marker, "hoverinfo": "name"})  # fmt: skip
    axis = {"gridcolor": rule, "zerolinecolor": rule, "showticklabels": False, "ticks": ""}
    layout = {
        "xaxis": axis | {"title": {"text": axes[0]}},
        "yaxis": axis | {"title": {"text": axes[1]}, "scaleanchor": "x"},
        "dragmode": "lasso",
        "showlegend": False,
        "margin": {"l": 36, "r": 8, "t": 8, "b": 36},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": ink, "size": 12},
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": rule, "activecolor": ink},
        "uirevision": "-".join(axes),
    }
    return {"data": traces, "layout": layout}


def inside_lasso(positions: NDArray[np.floating], x: list[float], y: list[float]) -> NDArray[np.bool_]:
    """Which points (n, 2) lie within the closed line through (x, y), (n,)."""
    import shapely

    if len(x) < 3:
        return np.zeros(len(positions), bool)
    shape = shapely.make_valid(shapely.Polygon(np.stack([x, y], axis=1)))
    shapely.prepare(shape)
    inside: NDArray[np.bool_] = shapely.contains_xy(shape, positions[:, 0], positions[:, 1])
    return inside
