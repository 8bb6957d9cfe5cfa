"""Real photographs over the map of the same spots: what models trained on drawings make of them."""
