"""Options of ``build city`` that have real data fetched."""
