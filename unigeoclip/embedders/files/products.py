"""Published embeddings that are recognized, with the licenses and the words that their publishers ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["ALPHAEARTH", "MAJOR_TOM", "TESSERA", "UNKNOWN", "Kind", "Product"]

Kind = Literal["alphaearth", "tessera", "float", "vectors"]
"""What the numbers of a file are:

- "alphaearth": a raster of int8, v = sign(x) (x / 127.5)^2, -128 for no vector;
- "tessera": int8 with a scale for each pixel;
- "float": bands of a raster that are the numbers of the vector, with no data as the file declares it, or NaN;
- "vectors": a column of a table whose rows have positions.
"""


@dataclass(frozen=True)
class Product:
    """A published set of embeddings.

    Attributes:
        title: Name for people; empty where it was not recognized.
        made_by: Who made it.
        licence: Of the embeddings; empty where it is not known.
        credit: The words that the licence asks for, or whom to name.
    """

    title: str = ""
    made_by: str = "Embeddings from a file; it does not say who made them."
    licence: str = ""
    credit: str = ""


UNKNOWN = Product()
ALPHAEARTH = Product(
    "AlphaEarth Foundations",
    "Google and Google DeepMind (arXiv 2507.22291): a vector a year for each 10 m of land, from many sensors.",
    "CC BY 4.0",
    "The AlphaEarth Foundations Satellite Embedding dataset is produced by Google and Google DeepMind.",
)
TESSERA = Product(
    "TESSERA",
    "University of Cambridge (arXiv 2506.20380): a vector a year for each 10 m, from Sentinel-1 and Sentinel-2.",
)
MAJOR_TOM = Product(
    "Major TOM embeddings",
    "Major TOM (arXiv 2412.05600): a vector for each cell of a grid of 10 km.",
    "CC BY-SA 4.0",
    "Major TOM",
)
