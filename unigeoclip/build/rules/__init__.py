"""Rules that judge plain text queries, decided before any model is trained."""
