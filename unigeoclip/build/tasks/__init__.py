"""Makers of the built-in tasks: from what was downloaded to rows with a target."""
