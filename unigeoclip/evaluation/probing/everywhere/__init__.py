"""A fitted probe at every cell of a grid: predictions as a map with a legend and files."""

from unigeoclip.evaluation.probing.everywhere.predicting import (
    Predictor,
    check_anywhere,
    near_km,
    predict_atlas,
    predict_everywhere,
)
from unigeoclip.evaluation.probing.everywhere.prediction_map import DEFAULT_COLORMAP, ClassSwatch, PredictionMap

__all__ = [
    "DEFAULT_COLORMAP",
    "ClassSwatch",
    "PredictionMap",
    "Predictor",
    "check_anywhere",
    "near_km",
    "predict_atlas",
    "predict_everywhere",
]
