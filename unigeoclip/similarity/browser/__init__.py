"""What a browser computes heatmaps from: the vectors of a grid and a location encoder, compressed."""
