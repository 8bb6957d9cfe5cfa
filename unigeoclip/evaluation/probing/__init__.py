"""Probes: simple models on frozen embeddings, and what they say about what the embeddings know."""
