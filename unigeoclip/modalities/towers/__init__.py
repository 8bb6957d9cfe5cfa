"""Encoders round pretrained transformers that are trained end to end."""
