"""A visitor's own table of points on page Explore: shown on the map, with vectors and nearest places to download."""
