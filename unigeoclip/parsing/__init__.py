"""Parsing what people and links write: numbers within limits, coordinates in any notation."""
