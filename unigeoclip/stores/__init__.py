"""Stores of embeddings: flat in memory, or an index on disk and in object stores."""
