"""What the pages share: widgets, state, caches and the routes behind the map."""
