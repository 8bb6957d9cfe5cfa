"""Building the atlas of a city from vector tiles and a person's own data."""
