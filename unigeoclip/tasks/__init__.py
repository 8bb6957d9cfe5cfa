"""Tasks: tables of positions with a target, on which frozen embeddings are probed."""

from unigeoclip.tasks.label_table import LabelTable

__all__ = ["LabelTable"]
