"""Training batches, drawn afresh at every step: places, cameras, and what is done to pictures."""
