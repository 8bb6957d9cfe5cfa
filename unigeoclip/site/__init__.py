"""Maps that answer in a browser without a server: a static site, or one file to take home."""
