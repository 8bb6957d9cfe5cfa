"""What several embedders have learned of a region: colors, clusters, structure."""
