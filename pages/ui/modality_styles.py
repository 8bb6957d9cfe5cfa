"""Colors and shapes of the modalities, one for each everywhere in the app."""

from __future__ import annotations

# Colors that are told apart with any color vision (Okabe and Ito 2008).
COLORS = {"location": "#f0e442", "aerial": "#56b4e9", "street": "#e69f00", "surface": "#009e73", "text": "#cc79a7"}
OTHER_COLOR = "#999999"  # of a modality that somebody has added
# Shapes of their points in a scatter, so that color is not all that tells them apart; names as Plotly has them.
SYMBOLS = {"location": "star", "aerial": "square", "street": "circle", "surface": "triangle-up", "text": "diamond"}
OTHER_SYMBOL = "cross"
