"""Growth: time and memory against the number of places, measured on made-up atlases."""
