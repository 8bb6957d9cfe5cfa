"""Poster mode."""
