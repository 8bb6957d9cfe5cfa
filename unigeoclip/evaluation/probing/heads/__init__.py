"""Heads: the simple models that a probe fits to frozen features, and the targets that they are fitted to."""
