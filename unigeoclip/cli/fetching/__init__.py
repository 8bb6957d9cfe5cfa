"""Commands that fetch published data of an area."""
