"""The modalities of a model on held-out places: how well they agree, and what single queries found."""
