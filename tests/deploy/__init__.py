"""The app behind nginx, and how it is stopped."""
