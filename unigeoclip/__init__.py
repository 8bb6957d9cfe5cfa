"""UniGeoCLIP in the open: five views of a place in one embedding space, and what can be asked of it."""

__version__ = "0.1.0"
