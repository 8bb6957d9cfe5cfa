"""Page Probe: what frozen embeddings know of a target."""
