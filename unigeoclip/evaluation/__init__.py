"""Evaluation: retrieval, plain queries against rules. Arrays in, numbers out; the report joins them for a model."""

from unigeoclip.evaluation.report import evaluate

__all__ = ["evaluate"]
