"""Builders: from raw data to atlas folders."""
