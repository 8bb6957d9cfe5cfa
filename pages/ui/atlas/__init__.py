"""Page Atlas."""
