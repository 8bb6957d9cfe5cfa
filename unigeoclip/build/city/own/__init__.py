"""Data of a city that people bring: pictures, heights and photos in place of drawn ones."""
