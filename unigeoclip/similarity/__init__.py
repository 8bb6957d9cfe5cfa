"""Similarity on a grid of locations: heatmaps, what a value means, colors."""
