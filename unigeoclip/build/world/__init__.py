"""Building the atlas of the world from public packages."""
